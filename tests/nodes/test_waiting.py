"""Waiting for events and watching for goals: what counts, from when to when, and for whom."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.domain.node import Listens, NodeType, Watches
from studio.frames.events import AT
from tests.nodes.world import NOW, World, ago, events, ids, instances, later, node, people, ran, resumed

Row = dict[str, object]


def happened(kind: str, contact: int, at: datetime, **more: object) -> Row:
    return {"kind": kind, "contact_id": contact, "occurred_at": at, **more}


def waiting_for(**parameters: object) -> NodeType:
    return node("flow.wait_for", **{"branches": [{"id": "bought", "event": "order"}], "timeout": "PT23H", **parameters})


def matched(
    made: NodeType, batch: pl.DataFrame, rows: Sequence[Row], world: World | None = None
) -> dict[int, str | None]:
    """Contact → port, of one look at new events; who does not match is left out."""
    assert isinstance(made, Listens)
    found = made.match(batch, events(rows), (world or World(people(9))).context(later(days=9)))
    assert not found["instance_id"].is_duplicated().any()
    contacts = found.join(batch.select("instance_id", "contact_id"), on="instance_id", maintain_order="left")
    return dict(zip(contacts["contact_id"], contacts["port"], strict=True))


def arrived(batch: pl.DataFrame, timeout: timedelta = timedelta(hours=23)) -> pl.DataFrame:
    return batch.with_columns(pl.lit(NOW + timeout, dtype=AT).alias("due_at"))


def test_people_wait_until_the_time_is_up() -> None:
    made, batch = waiting_for(), instances([1, 2])
    outcome = ran(made, batch, World(people(2)).context())
    assert outcome.wait is not None
    assert outcome.wait["due_at"].to_list() == [later(hours=23)] * 2
    assert {port: ids(rows) for port, rows in outcome.out.items()} == {"bought": []}
    back = resumed(made, outcome.wait, World(people(2)).context(later(hours=23)))
    assert {port: ids(rows) for port, rows in back.out.items()} == {"timeout": [1, 2]}
    assert back.out["timeout"].equals(batch)


def test_an_event_while_waiting_lets_go_on() -> None:
    batch = arrived(instances([1, 2, 3]))
    rows = [
        happened("order", 1, later(hours=2)),
        happened("cart", 2, later(hours=2)),
        happened("order", 3, later(hours=24)),
        happened("order", 8, later(hours=1)),
    ]
    assert matched(waiting_for(), batch, rows) == {1: "bought"}


def test_an_event_at_the_last_moment_counts_and_one_at_entry_does_not() -> None:
    rows = [happened("order", 1, later(hours=23)), happened("order", 2, NOW)]
    assert matched(waiting_for(), arrived(instances([1, 2])), rows) == {1: "bought"}


@pytest.mark.parametrize(
    ("already", "expected"), [("since_entry", {1: "bought", 2: "bought"}), ("from_now", {2: "bought"})]
)
def test_what_happened_between_entry_and_arrival(already: str, expected: dict[int, str]) -> None:
    made = waiting_for(already=already)
    batch = arrived(instances([1, 2, 3], entered_at=ago(days=2)))
    rows = [happened("order", 1, ago(hours=1)), happened("order", 2, later(hours=1)), happened("order", 3, ago(days=3))]
    assert matched(made, batch, rows) == expected


def test_what_has_happened_since_entry_is_seen_on_arrival() -> None:
    log = events(
        [happened("order", 1, ago(hours=1)), happened("order", 2, ago(days=3)), happened("order", 3, later(hours=1))]
    )
    world, batch = World(people(3), events=log), instances([1, 2, 3], entered_at=ago(days=2))
    outcome = ran(waiting_for(), batch, world.context())
    assert {port: ids(rows) for port, rows in outcome.out.items()} == {"bought": [1]}
    assert outcome.out["bought"].columns == batch.columns
    assert ids(outcome.wait) == [2, 3]
    outcome = ran(waiting_for(already="from_now"), batch, world.context())
    assert ids(outcome.wait) == [1, 2, 3]


def test_the_same_key_is_asked_for_where_it_matters() -> None:
    batch = arrived(instances([1, 1, 1, 2], keys=["a", "b", None, "a"]))
    found = waiting_for(branches=[{"id": "bought", "event": "order", "match_key": True}])
    assert isinstance(found, Listens)
    rows = [happened("order", 1, later(hours=1), key="b"), happened("order", 2, later(hours=1), key="b")]
    rows.append(happened("order", 1, later(hours=1), key=None))
    answer = found.match(batch, events(rows), World(people(2)).context())
    assert answer["instance_id"].to_list() == [batch["instance_id"][1]]
    assert matched(waiting_for(), instances_of_two(), rows) == {1: "bought", 2: "bought"}


def instances_of_two() -> pl.DataFrame:
    return arrived(instances([1, 2], keys=["x", "y"]))


def test_the_earliest_event_decides_then_the_upper_branch() -> None:
    branches = [
        {"id": "large", "event": "order", "filter": "value >= 100"},
        {"id": "any", "event": "order"},
        {"id": "clicked", "event": "clicked", "filter": 'actor == "human" and node == "m1"'},
    ]
    rows = [
        happened("order", 1, later(hours=1), value=150.0),
        happened("order", 2, later(hours=1), value=20.0),
        happened("order", 2, later(hours=2), value=200.0),
        happened("clicked", 3, later(hours=1), actor="machine", node_id="m1"),
        happened("clicked", 4, later(hours=1), actor="human", node_id="m1"),
        happened("order", 4, later(hours=2), value=1.0),
    ]
    made = waiting_for(branches=branches)
    assert made.outputs() == ("large", "any", "clicked", "timeout")
    assert made.event_kinds() == ("order", "clicked")
    assert matched(made, arrived(instances([1, 2, 3, 4])), rows) == {1: "large", 2: "any", 4: "clicked"}


def test_a_rule_about_the_event_may_ask_about_the_contact() -> None:
    made = waiting_for(branches=[{"id": "b", "event": "order", "filter": 'contact.country == "DE"'}])
    rows = [happened("order", who, later(hours=1)) for who in (1, 2)]
    assert matched(made, arrived(instances([1, 2])), rows, World(people(2, country=["DE", "AT"]))) == {1: "b"}


def goal(**parameters: object) -> Watches:
    made = node("flow.goal", **{"event": "order", "window": "P14D", **parameters})
    assert isinstance(made, Watches)
    return made


def successes(
    made: Watches, batch: pl.DataFrame, rows: Sequence[Row]
) -> list[tuple[int, int, float | None, str | None]]:
    """(contact, event, value, port), in order of time."""
    found = made.match(batch, events(rows), World(people(9)).context(later(days=90)))
    joined = found.join(batch.select("instance_id", "contact_id"), on="instance_id", maintain_order="left")
    return [tuple(row) for row in joined.select("contact_id", "event_id", "value", "port").iter_rows()]


def test_goal_counts_every_success_in_its_window_and_exits_at_the_first() -> None:
    rows = [
        happened("order", 1, later(days=3), value=10.0),
        happened("order", 1, later(days=2), value=20.0),
        happened("order", 2, later(days=14), value=30.0),
        happened("order", 3, later(days=14, seconds=1), value=40.0),
        happened("order", 4, NOW, value=50.0),
        happened("cart", 1, later(days=1), value=60.0),
    ]
    batch = instances([1, 2, 3, 4])
    assert successes(goal(), batch, rows) == [(1, 2, 20.0, "reached"), (1, 1, 10.0, None), (2, 3, 30.0, "reached")]
    assert successes(goal(action="continue"), batch, rows) == [
        (1, 2, 20.0, None),
        (1, 1, 10.0, None),
        (2, 3, 30.0, None),
    ]


def test_goal_can_ask_for_key_rule_and_another_value() -> None:
    rows = [
        happened("order", 1, later(days=1), key="a", value=10.0, properties='{"margin": 4.5, "total": "7"}'),
        happened("order", 1, later(days=2), key="b", value=90.0),
    ]
    batch = instances([1, 1], keys=["a", "b"])
    assert [event for _, event, *_ in successes(goal(match_key=True), batch, rows)] == [1, 2]
    assert len(successes(goal(), batch, rows)) == 4
    assert [event for _, event, *_ in successes(goal(match_key=True, filter="value > 50"), batch, rows)] == [2]
    assert [value for *_, value, _ in successes(goal(match_key=True, value="margin"), batch, rows)] == [4.5, None]
    assert [value for *_, value, _ in successes(goal(match_key=True, value="total"), batch, rows)] == [7.0, None]


def test_who_comes_to_the_goal_waits_there_until_the_window_closes() -> None:
    made = node("flow.goal", event="order", window="P14D")
    batch = pl.concat([instances([1], entered_at=ago(days=15)), instances([2], entered_at=ago(days=1))])
    outcome = ran(made, batch, World(people(2)).context())
    assert ids(outcome.out["out"]) == [1]
    assert outcome.wait is not None
    assert (ids(outcome.wait), outcome.wait["due_at"].to_list()) == ([2], [later(days=13)])
    back = resumed(made, outcome.wait, World(people(2)).context(later(days=13)))
    assert {port: ids(rows) for port, rows in back.out.items()} == {"out": [2]}
    assert made.outputs() == ("out", "reached")
    assert goal().window == timedelta(days=14)


KEYS = st.sampled_from(["a", "b", None])
HOURS = st.integers(-30, 60)


@given(
    waiting=st.lists(st.tuples(st.integers(1, 3), KEYS, st.integers(0, 20)), min_size=1, max_size=6, unique=True),
    rows=st.lists(st.tuples(st.integers(1, 3), KEYS, HOURS, st.sampled_from(["order", "clicked"])), max_size=10),
    match_key=st.booleans(),
    already=st.sampled_from(["since_entry", "from_now"]),
)
def test_waits_end_as_if_decided_one_by_one(
    waiting: list[tuple[int, str | None, int]],
    rows: list[tuple[int, str | None, int, str]],
    match_key: bool,
    already: str,
) -> None:
    made = waiting_for(
        branches=[{"id": "o", "event": "order", "match_key": match_key}, {"id": "c", "event": "clicked"}],
        already=already,
    )
    batch = arrived(
        pl.concat(instances([who], keys=[key], entered_at=ago(hours=before)) for who, key, before in waiting)
    ).with_columns(pl.Series("instance_id", range(1, len(waiting) + 1), dtype=pl.UInt64))
    log = [happened(kind, who, NOW + timedelta(hours=hour), key=key) for who, key, hour, kind in rows]
    assert isinstance(made, Listens)
    found = made.match(batch, events(log), World(people(3)).context(later(days=9)))
    expected: dict[int, tuple[int, str]] = {}
    for instance, (who, key, before) in enumerate(waiting, start=1):
        since = -before if already == "since_entry" else 0
        fitting = [
            (hour, kind == "clicked", event)
            for event, (contact, event_key, hour, kind) in enumerate(rows, start=1)
            if contact == who
            and since < hour <= 23
            and (kind == "clicked" or not match_key or (key is not None and key == event_key))
        ]
        if fitting:
            _, is_click, event = min(fitting)
            expected[instance] = (event, "c" if is_click else "o")
    got = {row[0]: (row[1], row[2]) for row in found.select("instance_id", "event_id", "port").iter_rows()}
    assert got == expected


@pytest.mark.parametrize("match_key", [False, True])
def test_a_hundred_thousand_of_both_are_joined_not_searched(match_key: bool) -> None:
    count = 100_000
    rng = np.random.default_rng(5)
    who = np.arange(count, dtype=np.uint32)
    batch = pl.DataFrame(
        {"instance_id": who.astype(np.uint64), "contact_id": who, "key": [f"c{i}" for i in who]}
    ).with_columns(pl.lit(NOW).cast(AT).alias("entered_at"), pl.lit(later(hours=23)).cast(AT).alias("due_at"))
    contacts = rng.integers(0, count, count)
    log = (
        events([])
        .clear(count)
        .with_columns(
            pl.Series("event_id", range(count), dtype=pl.UInt64),
            pl.Series("contact_id", contacts, dtype=pl.UInt32),
            pl.Series("key", [f"c{i}" for i in contacts]),
            pl.lit("order").alias("kind"),
            (pl.lit(NOW) + pl.Series(rng.integers(0, 48 * 3600, count)).cast(pl.Duration("ms")) * 1000)
            .cast(AT)
            .alias("occurred_at"),
        )
    )
    context = World(people(1)).context(later(days=3))
    began = time.process_time()
    found = goal(match_key=match_key).match(batch, log, context)
    ended = waiting_for(branches=[{"id": "o", "event": "order", "match_key": match_key}])
    assert isinstance(ended, Listens)
    left = ended.match(batch, log, context)
    assert time.process_time() - began < 5.0
    assert found.height == log.filter(pl.col("occurred_at") > NOW).height
    assert 0.3 * count < left.height < 0.5 * count
