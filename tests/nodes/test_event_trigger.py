"""Events that start instances: filter, lateness, keys, and the four ways of starting again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.domain.node import EventTrigger
from studio.frames.instances import instance_ids
from tests.nodes.world import NOW, World, ago, events, node, people

Entry = tuple[int, str | None, int]


def cart(contact: int | None, key: str | None, at: datetime, **more: object) -> dict[str, object]:
    return {"contact_id": contact, "key": key, "occurred_at": at, "kind": "cart", **more}


def entered(contact: int, key: str | None, at: datetime, run_id: str = "run-1") -> dict[str, object]:
    return {
        **cart(contact, key, at),
        "kind": "entered",
        "run_id": run_id,
        "event_id": hash((contact, key, at)) & 0xFFFF,
    }


def entries(
    new: Sequence[dict[str, object]],
    before: Sequence[dict[str, object]] = (),
    now: datetime = NOW,
    **parameters: object,
) -> pl.DataFrame:
    made = node("trigger.event", event="cart", **parameters)
    assert isinstance(made, EventTrigger)
    world = World(people(9, country=["DE", "AT", *["DE"] * 7]), events=events(before))
    return asyncio.run(made.enter(events(new), world.context(now)))


def summary(frame: pl.DataFrame) -> list[Entry]:
    return [tuple(row) for row in frame.select("contact_id", "key", "occurrence").iter_rows()]


def test_each_cart_starts_once_in_the_order_of_events() -> None:
    new = [
        cart(1, "b", ago(hours=1)),
        cart(1, "a", ago(hours=2)),
        cart(2, "a", ago(hours=3)),
        cart(1, "a", ago(hours=1)),
    ]
    frame = entries(new)
    assert summary(frame) == [(2, "a", 0), (1, "a", 0), (1, "b", 0)]
    assert frame["entered_at"].to_list() == [ago(hours=3), ago(hours=2), ago(hours=1)]


def test_the_event_travels_along() -> None:
    (text,) = entries([cart(1, "a", ago(hours=1), value=12.5, currency="EUR", properties='{"items": 3}')])["var.event"]
    event = json.loads(text)
    assert (event["key"], event["value"], event["currency"], event["kind"]) == ("a", 12.5, "EUR", "cart")
    assert datetime.fromisoformat(event["occurred_at"]) == ago(hours=1)
    assert json.loads(event["properties"]) == {"items": 3}


def test_only_fitting_events_start() -> None:
    new = [
        cart(1, "a", ago(hours=1), value=50.0),
        cart(2, "b", ago(hours=1), value=50.0),
        cart(1, "c", ago(hours=1), value=5.0),
    ]
    new.append({**cart(1, "d", ago(hours=1), value=50.0), "kind": "order"})
    assert summary(entries(new, filter='value >= 30 and contact.country == "DE"')) == [(1, "a", 0)]


def test_events_without_a_known_contact_start_nothing() -> None:
    assert entries([cart(None, "a", ago(hours=1))]).is_empty()


def test_late_events_and_those_from_before_the_run_start_nothing() -> None:
    new = [cart(1, "old", ago(days=3)), cart(1, "new", ago(hours=5)), cart(1, "before", ago(days=31))]
    assert summary(entries(new)) == [(1, "new", 0)]
    assert summary(entries(new, late="P40D")) == [(1, "old", 0), (1, "new", 0)]


def test_the_key_can_be_a_property_or_nothing() -> None:
    new = [
        cart(1, "x", ago(hours=2), properties='{"cart_id": "c1"}'),
        cart(1, "x", ago(hours=1), properties='{"cart_id": "c2"}'),
    ]
    assert summary(entries(new, instance_key="cart_id")) == [(1, "c1", 0), (1, "c2", 0)]
    assert summary(entries(new, instance_key="")) == [(1, None, 0)]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("never", [(3, "z", 0)]),
        # The first is the instance that is in the run already, so the engine lets it pass.
        ("one_per_key", [(1, "old", 0), (1, "new", 0), (3, "z", 0), (2, None, 0)]),
        ("every_time", [(1, "old", 1), (1, "new", 0), (3, "z", 0), (3, "z", 1), (2, None, 0)]),
        ("after_days", [(1, "new", 0), (3, "z", 0)]),
    ],
)
def test_ways_of_starting_again(policy: str, expected: list[Entry]) -> None:
    before = [
        entered(1, "old", ago(days=10)),
        entered(2, "k", ago(days=1)),
        entered(3, "z", ago(days=5), run_id="other"),
    ]
    new = [
        cart(1, "old", ago(days=4)),
        cart(1, "new", ago(days=3)),
        cart(3, "z", ago(hours=9)),
        cart(3, "z", ago(hours=8)),
        cart(2, None, ago(hours=7)),
    ]
    frame = entries(new, before, re_entry=policy, re_entry_days=7, late="P30D")
    assert summary(frame) == expected


def test_the_same_key_is_the_same_instance_with_and_without_a_look_into_the_log() -> None:
    """What `one_per_key` relies on: its entry of a known key has the id of the instance that is there."""
    first = entries([cart(1, "a", ago(hours=3)), cart(1, None, ago(hours=3))])
    again = entries([cart(1, "a", ago(hours=2)), cart(1, None, ago(hours=1))], [entered(1, "a", ago(hours=3))])
    first_ids, again_ids = (
        instance_ids("run-1", frame["contact_id"], frame["key"], 0).to_list() for frame in (first, again)
    )
    assert first_ids == again_ids
    assert summary(again) == [(1, "a", 0), (1, None, 0)]
    assert summary(entries([cart(1, None, ago(hours=1)), cart(1, None, ago(minutes=1))])) == [(1, None, 0)]


def plain_after_days(new: list[tuple[int, int]], before: list[tuple[int, int]], days: int) -> list[tuple[int, int]]:
    """(contact, hour) that may start, one by one."""
    last = {contact: max(hour for who, hour in before if who == contact) for contact, _ in before}
    chosen: list[tuple[int, int]] = []
    for hour, contact in sorted((hour, contact) for contact, hour in new):
        if contact not in last or hour - last[contact] >= days * 24:
            chosen.append((contact, hour))
            last[contact] = hour
    return chosen


HOURS = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 600)), max_size=12, unique=True)


@given(new=HOURS, before=HOURS, days=st.integers(1, 10))
def test_after_days_is_as_if_decided_one_by_one(
    new: list[tuple[int, int]], before: list[tuple[int, int]], days: int
) -> None:
    start = ago(days=29)
    frame = entries(
        [cart(contact, f"{contact}-{hour}", start + timedelta(hours=hour)) for contact, hour in new],
        [entered(contact, None, start + timedelta(hours=hour)) for contact, hour in before],
        re_entry="after_days",
        re_entry_days=days,
        late="P60D",
    )
    got = [
        (contact, round((at - start) / timedelta(hours=1)))
        for contact, at in frame.select("contact_id", "entered_at").iter_rows()
    ]
    assert sorted(got) == sorted(plain_after_days(new, before, days))


@given(
    new=st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["a", "b", None])), max_size=8),
    before=st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["a", "b", None])), max_size=6),
)
def test_occurrences_count_on(new: list[tuple[int, str | None]], before: list[tuple[int, str | None]]) -> None:
    frame = entries(
        [cart(contact, key, ago(minutes=100 - i)) for i, (contact, key) in enumerate(new)],
        [entered(contact, key, ago(days=1, minutes=i)) for i, (contact, key) in enumerate(before)],
        re_entry="every_time",
    )
    seen = list(before)
    expected: list[Entry] = []
    for contact, key in new:
        expected.append((contact, key, seen.count((contact, key))))
        seen.append((contact, key))
    assert summary(frame) == expected
