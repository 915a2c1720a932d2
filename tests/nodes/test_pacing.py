"""Only at certain hours, not too many at once, and who may start again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.domain.workflow import Settings
from tests.nodes.world import NOW, World, events, ids, instances, later, node, people, ran, resumed

# NOW is a Tuesday, 12:00 UTC.
ZONES = ["UTC", "Asia/Tokyo", "America/New_York", None]


def due(outcome) -> dict[int, datetime]:
    return dict(outcome.wait.select("contact_id", "due_at").rows())


def test_a_window_is_open_by_the_contacts_own_clock() -> None:
    world = World(people(4, zone=ZONES))
    outcome = ran(node("flow.time_window", start="09:00", end="18:00"), instances([1, 2, 3, 4]), world.context())
    # Tokyo has 21:00 and New York 08:00.
    assert ids(outcome.out["out"]) == [1, 4]
    assert due(outcome) == {2: datetime(2026, 3, 11, 0, tzinfo=UTC), 3: datetime(2026, 3, 10, 13, tzinfo=UTC)}


def test_days_are_the_contacts_own_and_a_window_may_pass_midnight() -> None:
    world = World(people(2, zone=["UTC", "Pacific/Auckland"]))
    late = node("flow.time_window", days=["tue"], start="22:00", end="02:00")
    # In Auckland it is Wednesday, 01:00: the window that opened on Tuesday is still open.
    assert ids(ran(late, instances([1, 2]), world.context()).out["out"]) == [2]
    assert due(ran(late, instances([1]), world.context())) == {1: datetime(2026, 3, 10, 22, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("day", "opens"),
    [
        (datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        (datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
)
def test_hours_that_a_change_of_clocks_skips_or_repeats(day: datetime, opens: datetime) -> None:
    world = World(people(1, zone=["Europe/Berlin"]))
    made = node("flow.time_window", days=["sun"], start="02:30", end="05:00")
    assert due(ran(made, instances([1], entered_at=day), world.context(day))) == {1: opens}


def test_whoever_comes_back_too_late_waits_for_the_next_window() -> None:
    world = World(people(1, zone=["UTC"]))
    made = node("flow.time_window", start="13:00", end="14:00")
    outcome = ran(made, instances([1]), world.context())
    assert outcome.wait is not None
    back = resumed(made, outcome.wait, world.context(later(hours=5)))
    assert due(back) == {1: datetime(2026, 3, 11, 13, tzinfo=UTC)}
    assert ids(resumed(made, outcome.wait, world.context(later(hours=1))).out["out"]) == [1]


def test_those_who_waited_are_spread_within_the_window() -> None:
    world = World(people(200, zone=["UTC"] * 200))
    made = node("flow.time_window", start="13:00", end="13:20", spread="PT2H")
    moments = list(due(ran(made, instances(range(1, 201)), world.context())).values())
    opens = datetime(2026, 3, 10, 13, tzinfo=UTC)
    assert min(moments) >= opens and max(moments) < opens + timedelta(minutes=20)
    assert len(set(moments)) > 150


def test_a_window_that_is_always_open_is_refused() -> None:
    with pytest.raises(ValueError, match="always open"):
        node("flow.time_window", start="09:00", end="09:00")


@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=6),
    gaps=st.lists(st.integers(0, 90), min_size=6, max_size=6),
    rate=st.integers(1, 20),
    burst=st.integers(1, 8),
)
def test_never_more_than_the_rate_and_the_burst_in_any_span(sizes, gaps, rate, burst) -> None:
    """The model: in every window of t minutes at most burst + t * rate people go on, and nobody waits without need."""
    made, world = node("flow.throttle", rate=rate, per="minute", burst=burst), World(people(200))
    moments: list[float] = []
    note, now, first = "", NOW, 1
    for size, gap in zip(sizes, gaps, strict=False):
        batch = instances(range(first, first + size))
        outcome = ran(made, batch, replace(world.context(now), note=note))
        moments += [(now - NOW).total_seconds()] * outcome.out["out"].height
        moments += [(at - NOW).total_seconds() for at in due(outcome).values()]
        note, first, now = outcome.note, first + size, now + timedelta(seconds=gap)
    moments.sort()
    for i, start in enumerate(moments):
        for j in range(i, len(moments)):
            span = moments[j] - start
            assert j - i + 1 <= burst + span * rate / 60 + 1e-3 * rate
    assert len(moments) == sum(sizes[: len(gaps)])


def test_each_provider_has_its_own_rate() -> None:
    known = people(4).with_columns(pl.Series("email", ["a@x.com", "b@X.com", "c@y.com", None]))
    outcome = ran(
        node("flow.throttle", rate=1, per="hour", key="provider"), instances([1, 2, 3, 4]), World(known).context()
    )
    assert ids(outcome.out["out"]) == [1, 3, 4]
    assert due(outcome) == {2: later(hours=1)}


def carts(*rows: tuple[int, str, float]) -> pl.DataFrame:
    made = [{"contact_id": who, "kind": "cart", "key": key, "occurred_at": later(hours=at)} for who, key, at in rows]
    return events(made)


def entered(policy: str, world: World, rows: pl.DataFrame, **context) -> list[tuple[int, str]]:
    import asyncio

    made = node("trigger.event", event="cart", re_entry=policy, late="P30D", re_entry_days=2)
    found = asyncio.run(made.enter(rows, world.context(later(days=20), **context)))
    return found.select("contact_id", "key").rows()


def before(run_id: str, who: int, key: str, days: float) -> dict[str, object]:
    row = {"contact_id": who, "kind": "entered", "key": key, "occurred_at": NOW - timedelta(days=days)}
    return {**row, "run_id": run_id, "event_id": hash((run_id, who, key)) % 2**60}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("never", [(3, "n")]),
        ("one_per_key", [(1, "new"), (3, "n")]),
        ("after_days", [(1, "a"), (3, "n")]),
        ("every_time", [(1, "a"), (1, "new"), (2, "b"), (3, "n")]),
    ],
)
def test_re_entry_counts_over_earlier_runs_of_the_workflow(policy: str, expected: list[tuple[int, str]]) -> None:
    world = World(
        people(3), events=events([before("old", 1, "a", 3), before("old", 2, "b", 0.5), before("x", 3, "n", 1)])
    )
    rows = carts((1, "a", 1), (2, "b", 2), (1, "new", 3), (3, "n", 4))
    assert sorted(entered(policy, world, rows, earlier_runs=("old",))) == expected


@pytest.mark.parametrize(
    ("own", "settings", "expected"),
    [
        ({}, None, [(1, "a"), (1, "new")]),
        ({}, "never", [(1, "a")]),
        ({"re_entry": "one_per_key"}, "never", [(1, "a"), (1, "new")]),
    ],
)
def test_a_trigger_that_does_not_say_starts_again_as_the_workflow_says(
    own: dict[str, str], settings: str | None, expected: list[tuple[int, str]]
) -> None:
    import asyncio

    made = node("trigger.event", event="cart", **own)
    context = World(people(3)).context(later(hours=5), settings=Settings.model_validate({"re_entry": settings}))
    found = asyncio.run(made.enter(carts((1, "a", 1), (1, "new", 3)), context))
    assert found.select("contact_id", "key").rows() == expected


def test_after_exit_lets_in_who_is_no_longer_on_the_way() -> None:
    world = World(people(3))
    on_the_way = pl.Series("contact_id", [2], dtype=pl.UInt32)
    rows = carts((1, "a", 1), (2, "b", 2), (1, "again", 3))
    assert entered("after_exit", world, rows, standing=lambda: on_the_way) == [(1, "a")]
