"""Lining up and spreading: nothing moves the other way, and gaps are equal whatever the sizes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.ui.canvas.arranging import SIDES, Box, Side, align, distribute
from studio.ui.canvas.layout import tidy

whole = st.integers(-5_000, 5_000).map(float)
boxes = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=2),
    st.tuples(whole, whole, st.just(168.0), st.sampled_from([104.0, 126.0, 152.0])),
    min_size=3,
    max_size=8,
)


@given(boxes, st.sampled_from(list(SIDES)))
def test_aligned_sides_agree_and_nothing_moves_along_them(found: dict[str, Box], side: Side) -> None:
    places = align(found, side)
    across = side in ("left", "centre", "right")
    share = {"left": 0, "top": 0, "centre": 0.5, "middle": 0.5, "right": 1, "bottom": 1}[side]
    axis, length = (0, 2) if across else (1, 3)
    lines = {round(places[key][axis] + share * box[length], 6) for key, box in found.items()}
    assert len(lines) == 1
    assert all(places[key][1 - axis] == box[1 - axis] for key, box in found.items())


@given(boxes, st.booleans())
def test_gaps_are_equal_and_the_outermost_stay(found: dict[str, Box], across: bool) -> None:
    places = distribute(found, across=across)
    axis, length = (0, 2) if across else (1, 3)
    order = sorted(found, key=lambda key: (found[key][axis], key))
    gaps = [places[b][axis] - places[a][axis] - found[a][length] for a, b in itertools.pairwise(order)]
    assert gaps == pytest.approx([gaps[0]] * len(gaps), abs=1e-6)
    for end in (order[0], order[-1]):
        assert places[end] == pytest.approx(found[end][:2])


SIZES = dict.fromkeys("abcdef", (168.0, 104.0))
LINKS = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("d", "e"), ("a", "f")]


def test_a_tidy_layout_keeps_what_stood_above_above() -> None:
    first = tidy(SIZES, LINKS)
    assert first["b"][1] < first["c"][1] < first["f"][1], "outputs drawn first lead upwards"
    turned = {name: (x, -y) for name, (x, y) in first.items()}
    kept = tidy(SIZES, LINKS, before=turned)
    assert kept["b"][1] > kept["c"][1] > kept["f"][1], "the person had it the other way round"


def test_a_tidy_layout_of_a_tidy_layout_moves_nothing() -> None:
    first = tidy(SIZES, LINKS)
    moved = {name: (x + 700, y - 40) for name, (x, y) in first.items()}
    assert tidy(SIZES, LINKS, before=moved) == moved


def test_one_node_out_of_place_goes_back_and_the_others_stay() -> None:
    first = tidy(SIZES, LINKS)
    assert tidy(SIZES, LINKS, before=first | {"e": (4_000.0, 900.0)}) == first
