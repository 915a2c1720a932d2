"""Axes: round values, inside the range, about as many as asked for; labels never cover each other."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.ui.charts.axes import spread_apart
from studio.ui.charts.scales import Scale, nice_ticks, padded, time_text, time_ticks

START = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(2, 8))
def test_ticks_are_round_inside_and_about_as_many(low: float, span: float, about: int) -> None:
    high = low + span
    if high - low < span / 2:
        return  # the span drowned in rounding
    ticks = nice_ticks(low, high, about)
    slack = 1e-6 * span + 1e-9 * abs(low)
    assert all(low - slack <= tick <= high + slack for tick in ticks)
    assert 1 <= len(ticks) <= 2 * about + 1
    if len(ticks) > 1 and span > 1e-3 * abs(low):
        step = ticks[1] - ticks[0]
        mantissa = step / 10 ** math.floor(math.log10(step) + 1e-9)
        assert min(abs(mantissa - nice) for nice in (1, 2, 5, 10)) < 1e-3


def test_ticks_of_nothing_are_the_value_itself() -> None:
    assert nice_ticks(3, 3) == [3]
    assert nice_ticks(0, float("nan")) == [0]


@given(st.integers(3_600, 86_400 * 900), st.integers(2, 8))
def test_moments_are_whole_and_few(seconds: int, about: int) -> None:
    end = START + timedelta(seconds=seconds)
    ticks = time_ticks(START, end, about)
    assert len(ticks) <= about + 1
    assert all(START <= tick <= end for tick in ticks)
    assert all(tick.minute == tick.second == 0 for tick in ticks)
    words = [time_text(tick, (end - START).total_seconds()) for tick in ticks]
    assert len(set(words)) == len(words) or seconds <= 2 * 86_400, "hours come again the next day"


def test_words_for_moments_fit_the_span() -> None:
    assert time_text(START, 86_400) == "07:30"
    assert time_text(START, 14 * 86_400) == "2 Mar"
    assert time_text(START, 400 * 86_400) == "Mar 2026"


def test_scale_runs_both_ways_and_survives_a_single_value() -> None:
    assert Scale(0, 10, 100, 0)(2.5) == 75
    assert Scale(4, 4, 0, 50)(4) == 25


@pytest.mark.parametrize("values", [[], [float("nan")], [3.0], [0.0, 0.0], [-5.0, 7.0]])
def test_a_range_is_never_empty(values: list[float]) -> None:
    low, high = padded(values)
    assert low < high
    assert all(low <= value <= high for value in values if math.isfinite(value))


def test_bars_start_at_zero() -> None:
    assert padded([3.0, 9.0], with_zero=True)[0] == 0


@given(st.lists(st.floats(0, 200), min_size=1, max_size=6))
def test_labels_are_moved_apart_and_keep_their_order(tops: list[float]) -> None:
    placed = spread_apart(tops, 20, 0, 300)
    order = sorted(range(len(tops)), key=lambda index: tops[index])
    for above, below in pairwise(order):
        assert placed[below] - placed[above] >= 20 - 1e-6
    assert min(placed) >= -1e-6
    assert max(placed) <= 280 + 1e-6
