"""Journeys and credit against plain recounts: loops over people, permutations for Shapley, walks for Markov."""

from __future__ import annotations

import itertools
import math
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.analytics.credit import MODELS, OTHER, credit, markov, shapley
from studio.analytics.journeys import ORDER_SCHEMA, TOUCH_SCHEMA, Windows, journeys, paths

DAY = datetime(2026, 3, 1, tzinfo=UTC)
CHANNELS = ("mail", "text", "search", "push")
hours = st.integers(0, 24 * 12)
touch_rows = st.lists(st.tuples(st.integers(1, 4), hours, st.sampled_from(CHANNELS)), max_size=25)
order_rows = st.lists(st.tuples(st.integers(1, 4), hours, st.integers(1, 100)), max_size=8)


def frames(touches, orders) -> tuple[pl.DataFrame, pl.DataFrame]:
    touched = [(contact, DAY + timedelta(hours=at), channel, "clicked") for contact, at, channel in touches]
    ordered = [(contact, DAY + timedelta(hours=at), float(value)) for contact, at, value in orders]
    return (
        pl.DataFrame(touched, schema=TOUCH_SCHEMA, orient="row"),
        pl.DataFrame(ordered, schema=ORDER_SCHEMA, orient="row"),
    )


def by_hand(touches, orders, windows: dict[str, float], model: str) -> dict[str, float]:
    """The value per channel, order by order."""
    credit_of: dict[str, float] = {}
    for contact, at, value in orders:
        before = [
            (then, place, channel)
            for place, (who, then, channel) in enumerate(touches)
            if who == contact and 0 <= at - then <= windows.get(channel, 120)
        ]
        before.sort()
        n = len(before)
        for place, (then, _, channel) in enumerate(before):
            weights = {
                "first": place == 0,
                "last": place == n - 1,
                "linear": 1,
                "decay": 0.5 ** ((at - then) / (7 * 24)),
                "position": 1 if n <= 2 else 0.4 if place in (0, n - 1) else 0.2 / (n - 2),
            }
            total = {
                "first": 1,
                "last": 1,
                "linear": n,
                "decay": sum(0.5 ** ((at - t) / (7 * 24)) for t, _, _ in before),
                "position": n if n <= 2 else 1,
            }
            credit_of[channel] = credit_of.get(channel, 0.0) + value * weights[model] / total[model]
    return credit_of


@settings(max_examples=25, deadline=None)
@given(touch_rows, order_rows)
def test_rules_share_each_order_as_counted_by_hand(touches, orders) -> None:
    windows = Windows(by_channel={"search": timedelta(hours=30)})
    found = journeys(*frames(touches, orders), windows)
    table = credit(found)
    for model in ("first", "last", "linear", "decay", "position"):
        got = dict(table.filter(pl.col("model") == model).select("channel", "value").iter_rows())
        want = by_hand(touches, orders, {"search": 30}, model)
        for channel in CHANNELS:
            assert got.get(channel, 0.0) == pytest.approx(want.get(channel, 0.0), abs=1e-9), (model, channel)
    totals = table.group_by("model").agg(pl.col("value").sum(), pl.col("share").sum())
    attributed = sum(value for *_, value in orders) - found.unattributed_value
    assert all(value == pytest.approx(attributed) for value in totals["value"])
    assert all(share == pytest.approx(1.0) for share in totals["share"])
    assert found.orders + found.unattributed_orders == len(orders)


def ways(rows: list[tuple[list[str], int, int]]) -> pl.DataFrame:
    return pl.DataFrame(
        [(path, won, float(won), lost) for path, won, lost in rows],
        schema={"path": pl.List(pl.String), "orders": pl.Int64, "value": pl.Float64, "lost": pl.Int64},
        orient="row",
    )


way_rows = st.lists(
    st.tuples(st.lists(st.sampled_from(CHANNELS), min_size=1, max_size=4), st.integers(0, 9), st.integers(0, 9)),
    min_size=1,
    max_size=10,
)


@settings(max_examples=40, deadline=None)
@given(way_rows)
def test_shapley_is_the_mean_over_all_orders_of_joining(rows) -> None:
    def worth(coalition: set[str]) -> float:
        won = sum(orders for path, orders, _ in rows if set(path) <= coalition)
        every = won + sum(lost for path, _, lost in rows if set(path) <= coalition)
        return won / every if every else 0.0

    want = dict.fromkeys(CHANNELS, 0.0)
    for order in itertools.permutations(CHANNELS):
        for place, channel in enumerate(order):
            want[channel] += (worth(set(order[: place + 1])) - worth(set(order[:place]))) / math.factorial(4)
    got = shapley(ways(rows), CHANNELS)
    assert got == pytest.approx([max(0.0, want[channel]) for channel in CHANNELS], abs=1e-12)


def test_markov_removal_is_what_random_walks_lose() -> None:
    rows = [(["mail", "text"], 6, 4), (["text"], 2, 9), (["mail"], 1, 5), (["search", "mail", "text"], 5, 1)]
    effects = markov(ways(rows), ("mail", "search", "text"))
    rng = np.random.default_rng(1)
    steps: dict[str, list[str]] = {}
    for path, won, lost in rows:
        for here, there in itertools.pairwise(["start", *path]):
            steps.setdefault(here, []).extend([there] * (won + lost))
        steps.setdefault(path[-1], []).extend(["won"] * won + ["lost"] * lost)

    def share(without: str | None, walks: int = 20_000) -> float:
        reached = 0
        for _ in range(walks):
            at = "start"
            while at not in ("won", "lost"):
                at = "lost" if at == without else steps[at][rng.integers(len(steps[at]))]
            reached += at == "won"
        return reached / walks

    whole = share(None)
    want = [1 - share(channel) / whole for channel in ("mail", "search", "text")]
    assert effects == pytest.approx(want, abs=0.04)


def test_the_effective_channels_come_first_in_both_data_driven_models() -> None:
    rng = np.random.default_rng(2)
    names = [f"c{number}" for number in range(6)]
    touches, orders = [], []
    for contact in range(1, 3_001):
        chosen = [name for name in names if rng.random() < 0.4]
        start = rng.uniform(0, 50)
        touches += [(contact, start + place, name) for place, name in enumerate(chosen)]
        if rng.random() < 0.02 + 0.25 * ("c1" in chosen) + 0.15 * ("c4" in chosen):
            orders.append((contact, start + 10, 50))
    table = credit(journeys(*frames(touches, orders)))
    for model in ("markov", "shapley"):
        ranked = table.filter(pl.col("model") == model)["channel"].to_list()
        assert set(ranked[:2]) == {"c1", "c4"}, model
    assert ranked[:2] == ["c1", "c4"], "Shapley does not mind who came last"


def test_more_channels_than_coalitions_can_be_counted_for_become_one() -> None:
    touches = [(1 + n % 7, n, f"c{n % 20:02}") for n in range(60)]
    table = credit(journeys(*frames(touches, [(n, 70, 10) for n in range(1, 8)])), ("shapley",))
    assert OTHER in table["channel"].to_list()
    assert table["value"].sum() == pytest.approx(70.0)


def test_paths_count_who_ordered_and_who_did_not() -> None:
    found = journeys(*frames([(1, 1, "mail"), (1, 2, "text"), (2, 1, "mail"), (2, 2, "text")], [(1, 3, 9)]))
    [row] = paths(found).rows()
    assert row == (["mail", "text"], 1, 9.0, 1)


def test_nothing_attributed_is_an_empty_table() -> None:
    found = journeys(*frames([], [(1, 3, 9)]))
    assert credit(found).is_empty()
    assert (found.unattributed_orders, found.unattributed_value) == (1, 9.0)
    assert len(MODELS) == 7
