"""What starts a workflow by itself: a time, a segment, a date, a product, a feed, somebody's answer, a form."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime, time, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.domain.node import EventTrigger, NodeType, Paced, Source
from studio.domain.reading import Article, Product
from studio.domain.workflow import Settings
from studio.nodes.cadence import Cadence
from studio.nodes.dates import DatedRule
from tests.nodes.world import NOW, SimulatedFeeds, World, ago, events, ids, later, node, people

BERLIN = Settings(zone="Europe/Berlin")


def produced(made: NodeType, world: World, until: datetime, **context: object) -> list[tuple[datetime, list[int]]]:
    """(moment, contacts) of everything the source hands out, with a clock that jumps to what is due."""
    assert isinstance(made, Source)
    assert isinstance(made, Paced)
    found: list[tuple[datetime, list[int]]] = []
    cursor, now = None, NOW
    for _ in range(3_000):
        entries, cursor = asyncio.run(made.produce(cursor, 3, world.context(now, started_at=NOW, **context)))
        if entries.height:
            found.append((now, ids(entries)))
        if cursor is None:
            return found
        due = made.due(cursor)
        now = max(now, due) if due else now
        if now > until:
            return found
    raise AssertionError("the source never ends")


def test_weekly_on_two_days_in_the_zone_of_the_workflow() -> None:
    made = node("trigger.schedule", every="week", weekdays=["tue", "fri"], at="09:00", watch_for="P21D")
    found = produced(made, World(people(2)), later(days=60), settings=BERLIN)
    moments = [at for at, _ in found]
    assert [at.strftime("%a") for at in moments] == ["Fri", "Tue", "Fri", "Tue", "Fri", "Tue"]
    # The clocks change on 29 March 2026: nine o'clock stays nine o'clock.
    assert moments[0] == datetime(2026, 3, 13, 8, tzinfo=UTC)
    assert moments[-1] == datetime(2026, 3, 31, 7, tzinfo=UTC)
    assert all(who == [1, 2] for _, who in found)


def test_once_at_most_so_often_and_not_on_holidays() -> None:
    world = World(people(5))
    once = produced(node("trigger.schedule", every="once", at="15:00"), world, later(days=9))
    assert once == [(later(hours=3), [1, 2, 3]), (later(hours=3), [4, 5])]
    twice = produced(node("trigger.schedule", every="day", at="15:00", times=2), world, later(days=9))
    assert {at for at, _ in twice} == {later(hours=3), later(days=1, hours=3)}
    free = node("trigger.schedule", every="day", at="15:00", watch_for="P3D", skip_dates=["2026-03-11"])
    assert later(days=1, hours=3) not in {at for at, _ in produced(free, world, later(days=9))}


@pytest.mark.parametrize(("missed", "times"), [("skip", 0), ("once", 1), ("all", 3)])
def test_what_was_missed_while_the_computer_was_off(missed: str, times: int) -> None:
    made = node("trigger.schedule", every="day", at="11:00", missed=missed, watch_for="P20D")
    assert isinstance(made, Source)
    world, started = World(people(1)), ago(days=3, hours=2)
    _, cursor = asyncio.run(made.produce(None, 5, world.context(started, started_at=started)))
    entered = 0
    for _ in range(10):
        entries, cursor = asyncio.run(made.produce(cursor, 5, world.context(NOW, started_at=started)))
        entered += entries.height
        assert cursor is not None
        if made.due(cursor) > NOW:  # type: ignore[attr-defined]
            break
    assert entered == times + (missed == "all")


@given(
    st.integers(0, 3 * 365 * 24),
    st.sampled_from(["day", "week", "month"]),
    st.integers(1, 31),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland"]),
)
def test_a_cadence_goes_on_and_keeps_its_hour(hours: int, every: str, day: int, zone: str) -> None:
    cadence = Cadence(every, time(9), zone, ("mon",) if every == "week" else (), day)  # type: ignore[arg-type]
    begin = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    moments = list(cadence.moments(begin, begin + timedelta(days=70)))
    assert moments == sorted(set(moments))
    assert len(moments) >= {"day": 69, "week": 9, "month": 1}[every]
    assert all(begin <= moment <= begin + timedelta(days=70) for moment in moments)


def test_who_enters_a_segment_and_who_leaves_it() -> None:
    world = World(people(4, age=[20, 40, 60, 30]))
    enter = node("trigger.segment", rule="age >= 40", watch_for="P3D")
    assert produced(enter, world, later(days=9)) == [(NOW, [2, 3])], "nobody new later"
    late = node("trigger.segment", rule="age >= 40", watch_for="P3D", existing=False)
    assert produced(late, world, later(days=9)) == []
    bought = events([{"contact_id": 4, "kind": "order", "occurred_at": later(days=1, hours=3)}])
    rule = {"rule": 'has("order", days=2)', "watch_for": "P6D", "check_every": "P1D"}
    world = World(people(4), events=bought)
    assert produced(node("trigger.segment", **rule), world, later(days=9)) == [(later(days=2), [4])]
    assert produced(node("trigger.segment", **rule, on="leave"), world, later(days=9)) == [(later(days=4), [4])]


def test_dates_by_local_time_before_after_and_every_year() -> None:
    world = World(
        people(
            3,
            joined=["1990-03-12", "1990-04-02T08:00:00", "nonsense"],
            zone=["Europe/Berlin", "Asia/Tokyo", "UTC"],
        )
    )
    yearly = node("trigger.date", field="joined", yearly=True, offset_days=-1, watch_for="P40D")
    found = produced(yearly, world, later(days=60))
    assert found == [(datetime(2026, 3, 11, 8, tzinfo=UTC), [1]), (datetime(2026, 4, 1, 0, tzinfo=UTC), [2])]
    assert produced(node("trigger.date", field="joined", watch_for="P40D"), world, later(days=60)) == []


def test_29_february_is_kept_every_year() -> None:
    early, late = (DatedRule(is_yearly=True, is_leap_day_early=is_early) for is_early in (True, False))
    around = datetime(2026, 2, 1, tzinfo=UTC)
    assert datetime(2026, 2, 28, 9, tzinfo=UTC) in early.moments(date(2000, 2, 29), "UTC", around)
    assert datetime(2026, 3, 1, 9, tzinfo=UTC) in late.moments(date(2000, 2, 29), "UTC", around)
    assert datetime(2028, 2, 29, 9, tzinfo=UTC) in late.moments(
        date(2000, 2, 29), "UTC", datetime(2027, 12, 1, tzinfo=UTC)
    )


class Shelf(SimulatedFeeds):
    """A product list that changes from day to day, and a feed with an article a day."""

    async def products(self, address, known, now, mode):
        day = (now - NOW).days
        price, stock = (100.0, 80.0, 75.0, 75.0)[min(day, 3)], (0, 0, 9, 3)[min(day, 3)]
        return [Product("lamp", "Lamp", price, stock, "https://example.com/lamp"), Product("rug", "Rug", 50.0, 9)]

    async def articles(self, address, now, mode):
        days = range((now - NOW).days + 1)
        return [Article(f"a{d}", f"Day {d}", f"https://example.com/{d}", "", later(days=d)) for d in reversed(days)]


def interest() -> pl.DataFrame:
    lamp = json.dumps({"product": "lamp"})
    return events(
        [
            {"contact_id": 1, "kind": "viewed", "occurred_at": ago(days=3), "properties": lamp},
            {"contact_id": 2, "kind": "cart_updated", "occurred_at": ago(days=3), "properties": lamp},
            {"contact_id": 2, "kind": "order", "occurred_at": ago(days=2), "properties": lamp},
            {"contact_id": 3, "kind": "viewed", "occurred_at": ago(days=90), "properties": lamp},
            {"contact_id": 4, "kind": "viewed", "occurred_at": ago(days=3), "properties": '{"product": "rug"}'},
        ]
    )


@pytest.mark.parametrize(("change", "day"), [("price_drop", 1), ("back_in_stock", 2), ("low_stock", 3)])
def test_product_changes_reach_who_showed_interest_and_did_not_buy(change: str, day: int) -> None:
    made = node("trigger.catalog", feed="shop.csv", change=change, watch_for="P5D")
    found = produced(made, World(people(4), events=interest()), later(days=9), feeds=Shelf())
    assert found == [(later(days=day), [1])]


def test_an_issue_holds_what_is_new_and_is_left_out_without_news() -> None:
    made = node("source.rss", feed="x", every="day", weekdays=[], at="12:00", items=2, watch_for="P3D")
    assert isinstance(made, Source)
    world, cursor, now, issues = World(people(1)), None, NOW, []
    for _ in range(10):
        entries, cursor = asyncio.run(made.produce(cursor, 5, world.context(now, started_at=NOW, feeds=Shelf())))
        issues += (
            [[item["title"] for item in json.loads(text)] for text in entries.get_column("var.items")]
            if entries.height
            else []
        )
        if cursor is None:
            break
        now = max(now, made.due(cursor))  # type: ignore[attr-defined]
    assert issues == [["Day 0"], ["Day 1"], ["Day 2"], ["Day 3"]]
    picky = node("source.rss", feed="x", every="day", weekdays=[], at="12:00", at_least=2, watch_for="P3D")
    assert [at for at, _ in produced(picky, World(people(1)), later(days=9), feeds=Shelf())] == [
        later(days=1),
        later(days=3),
    ]


def entered(made: NodeType, log: pl.DataFrame, **context: object) -> list[int]:
    assert isinstance(made, EventTrigger)
    return ids(asyncio.run(made.enter(log, World(people(5)).context(later(hours=1), started_at=NOW, **context))))


def test_answers_to_messages_of_other_runs_by_people() -> None:
    rows = [
        {"contact_id": 1, "kind": "clicked", "actor": "human", "run_id": "r0", "node_id": "mail_1"},
        {"contact_id": 2, "kind": "clicked", "actor": "machine", "run_id": "r0", "node_id": "mail_1"},
        {"contact_id": 3, "kind": "clicked", "actor": "human", "run_id": "run-1", "node_id": "mail_1"},
        {"contact_id": 4, "kind": "clicked", "actor": "human", "run_id": "r0", "node_id": "mail_2"},
        {"contact_id": 5, "kind": "opened", "actor": "human", "run_id": "r0", "node_id": "mail_1"},
    ]
    log = events([{**row, "occurred_at": later(minutes=5)} for row in rows])
    assert entered(node("trigger.message_activity"), log) == [1, 4]
    assert entered(node("trigger.message_activity", step="mail_1", human_only=False), log) == [1, 2]


def test_a_form_starts_by_its_own_name_only() -> None:
    rows = [{"contact_id": 1, "key": "guide"}, {"contact_id": 2, "key": "quote"}, {"contact_id": 1, "key": "guide"}]
    log = events([{**row, "kind": "form_submitted", "occurred_at": later(minutes=n)} for n, row in enumerate(rows)])
    assert entered(node("web.form", form="guide"), log) == [1]
    assert entered(node("web.form", form="guide", re_entry="every_time"), log) == [1, 1]


def test_a_date_that_comes_while_the_audience_is_paged_through_is_not_lost() -> None:
    made = node("trigger.date", field="joined", at="12:00", watch_for="P2D")
    assert isinstance(made, Source)
    world = World(people(4, joined=["2026-03-10"] * 4, zone=["UTC"] * 4))
    before, after = NOW - timedelta(minutes=1), NOW + timedelta(minutes=1)
    found, cursor, now = [], None, before
    for _ in range(6):  # two people a page; noon comes between the first page and the second
        entries, cursor = asyncio.run(made.produce(cursor, 2, world.context(now, started_at=before)))
        found += ids(entries)
        now = after
    assert sorted(found) == [1, 2, 3, 4]
