"""Regular starts: their words against an independent reading of RRULE, and everybody's own clock."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.domain.node import Paced, Source
from studio.domain.workflow import Settings
from studio.nodes.cadence import MONTHS, WEEKDAYS, Cadence
from tests.nodes.world import NOW, World, ago, ids, later, node, people

BERLIN = Settings(zone="Europe/Berlin")
LIVING = people(
    4,
    zone=["Europe/Berlin", "America/New_York", "Asia/Tokyo", None],
)


def started(made: object, world: World, until: datetime, **context: object) -> list[tuple[datetime, list[int]]]:
    assert isinstance(made, Source)
    assert isinstance(made, Paced)
    found: list[tuple[datetime, list[int]]] = []
    cursor, now = None, NOW
    for _ in range(400):
        entries, cursor = asyncio.run(made.produce(cursor, 3, world.context(now, started_at=NOW, **context)))
        if entries.height:
            found.append((now, ids(entries)))
        if cursor is None or (now := max(now, made.due(cursor) or now)) > until:
            return found
    raise AssertionError("the source never ends")


@given(
    st.dates(date(2024, 1, 1), date(2027, 12, 31)),
    st.sampled_from(["day", "week", "month", "year"]),
    st.integers(1, 4),
    st.sets(st.sampled_from(WEEKDAYS), min_size=1, max_size=5),
    st.sampled_from(["date", "first", "third", "last"]),
    st.sets(st.sampled_from(MONTHS), min_size=1, max_size=6),
    st.integers(1, 28),
)
def test_the_words_say_what_rrule_says(
    first: date, every: str, interval: int, days: set[str], which: str, months: set[str], day: int
) -> None:
    rrule = pytest.importorskip("dateutil.rrule")
    weekdays = [WEEKDAYS.index(name) for name in days]  # type: ignore[call-overload]
    rule: dict[str, object] = {"interval": interval, "bymonth": [MONTHS.index(name) + 1 for name in months]}  # type: ignore[call-overload]
    if every in ("day", "week"):
        rule["byweekday"] = weekdays
    elif which == "date":
        rule["bymonthday"] = day
    else:
        rule |= {"byweekday": weekdays, "bysetpos": {"first": 1, "third": 3, "last": -1}[which]}
    if every == "year" and which != "date":
        rule["bymonth"] = rule["bymonth"][:1]  # BYSETPOS counts within the year there, ours within each month
        months = {MONTHS[rule["bymonth"][0] - 1]}  # type: ignore[index]
    frequency = {"day": rrule.DAILY, "week": rrule.WEEKLY, "month": rrule.MONTHLY, "year": rrule.YEARLY}[every]
    begin = datetime.combine(first, time(9))
    end = begin + timedelta(days=500)
    expected = list(rrule.rrule(frequency, dtstart=begin, until=end, wkst=rrule.MO, **rule))
    cadence = Cadence(
        every, time(9), "UTC", tuple(days), day, which=which, months=tuple(months), interval=interval, first=first,  # type: ignore[arg-type]
    )  # fmt: skip
    own = cadence.moments(begin.replace(tzinfo=UTC), end.replace(tzinfo=UTC))
    assert [moment.replace(tzinfo=None) for moment in own] == expected


def test_the_last_working_day_of_the_month_that_is_no_holiday() -> None:
    week = ["mon", "tue", "wed", "thu", "fri"]
    made = node("trigger.schedule", every="month", which="last", weekdays=week, skip_dates=["2026-03-31"], times=2)
    assert [at.date() for at, _ in started(made, World(people(1)), later(days=90))] == [
        date(2026, 3, 30),
        date(2026, 4, 30),
    ]


def test_everybody_starts_at_nine_where_he_lives() -> None:
    made = node("trigger.schedule", every="day", at="09:00", zone="contact", times=2, first_date="2026-03-12")
    found = started(made, World(LIVING), later(days=9), settings=BERLIN)
    moments = {who: [at for at, ids in found if who in ids] for who in (1, 2, 3, 4)}
    for who, zone in ((1, "Europe/Berlin"), (2, "America/New_York"), (3, "Asia/Tokyo"), (4, "Europe/Berlin")):
        local = [f"{at.astimezone(ZoneInfo(zone)):%d %H:%M}" for at in moments[who]]
        assert local == ["12 09:00", "13 09:00"], zone


@pytest.mark.parametrize("zone", ["workflow", "contact"])
def test_a_date_beyond_the_time_it_keeps_going_is_still_kept(zone: str) -> None:
    made = node("trigger.schedule", zone=zone, first_date="2026-08-01", watch_for="P2D")
    assert [at for at, _ in started(made, World(people(1)), later(days=200))] == [datetime(2026, 8, 1, 9, tzinfo=UTC)]


@pytest.mark.parametrize(("missed", "times"), [("skip", 0), ("once", 1), ("all", 3)])
def test_what_the_computer_missed_by_everybodys_own_clock(missed: str, times: int) -> None:
    made = node("trigger.schedule", every="day", at="11:00", zone="contact", missed=missed, watch_for="P20D")
    assert isinstance(made, Source)
    world, begun = World(people(1, zone=["UTC"])), ago(days=3, hours=2)
    _, cursor = asyncio.run(made.produce(None, 5, world.context(begun, started_at=begun)))
    occurrences = []
    for _ in range(10):
        entries, cursor = asyncio.run(made.produce(cursor, 5, world.context(NOW, started_at=begun)))
        occurrences += entries.get_column("occurrence").to_list()
        assert cursor is not None
        if made.due(cursor) > NOW:  # type: ignore[attr-defined]
            break
    # Eleven o'clock of today is an hour ago: not yet missed, whatever is done about what was.
    assert len(occurrences) == len(set(occurrences)) == {"skip": 1, "once": 1, "all": times + 1}[missed]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"every": "year"}, "needs a month"),
        ({"every": "day", "first_date": "2026-05-02", "last_date": "2026-05-01"}, "before the first"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        node("trigger.schedule", **given)
