"""When something that repeats happens, in words: every second week on Tuesday, the last working day of the month.

These words cover what RRULE says with FREQ, INTERVAL, BYDAY, BYMONTHDAY, BYMONTH, BYSETPOS, UNTIL and EXDATE. A local
time that a change of clocks skips counts as the moment an hour later. A month without the day (the 31st) takes its
last one. Absent on purpose: cron's language, and more than one time of day.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

Every: TypeAlias = Literal["once", "day", "week", "month", "year"]
Weekday: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Month: TypeAlias = Literal["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
Which: TypeAlias = Literal["date", "first", "second", "third", "fourth", "last"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS: tuple[Month, ...] = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_PLACE: dict[Which, int] = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1}


@dataclass(frozen=True, slots=True)
class Cadence:
    """`weekdays` count for day (empty: all) and week. For month and year `which` says which day: `date` takes `day`,
    the others count among the month's days on `weekdays` that are not `skipped` (local dates without).

    `months`: only in these; empty: in all. `interval`: every so many days, weeks, months or years, counted from the one
    that holds `first`. `first`, `last`: local dates before and after which there is nothing; an interval of more than 1
    needs `first`.
    """

    every: Every
    at: time
    zone: str
    weekdays: tuple[Weekday, ...] = ()
    day: int = 1
    skipped: frozenset[date] = frozenset()
    which: Which = "date"
    months: tuple[Month, ...] = ()
    interval: int = 1
    first: date | None = None
    last: date | None = None

    def moments(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """The moments at or after `start` and up to `end`, in order. For `once` the first possible one alone."""
        info = ZoneInfo(self.zone)
        today = start.astimezone(info).date()
        if self.first is not None:
            today = max(today, self.first)
        last = end.astimezone(info).date()
        if self.last is not None:
            last = min(last, self.last)
        while today <= last:
            moment = datetime.combine(today, self.at, info).astimezone(UTC)
            if self._is_on(today) and start <= moment <= end:
                yield moment
                if self.every == "once":
                    return
            today += timedelta(days=1)

    def next(self, start: datetime, end: datetime) -> datetime | None:
        """The first moment at or after `start`, None when none comes up to `end`."""
        return next(self.moments(start, end), None)

    def _is_on(self, day: date) -> bool:
        if day in self.skipped or not self._is_in_turn(day):
            return False
        if self.months and MONTHS[day.month - 1] not in self.months:
            return False
        if self.every not in ("month", "year"):
            return self._is_weekday(day)
        length = calendar.monthrange(day.year, day.month)[1]
        if self.which == "date":
            return day.day == min(self.day, length)
        days = [day.replace(day=number) for number in range(1, length + 1)]
        days = [one for one in days if self._is_weekday(one) and one not in self.skipped]
        place = _PLACE[self.which]
        return place < len(days) and days[place] == day

    def _is_weekday(self, day: date) -> bool:
        return not self.weekdays or WEEKDAYS[day.weekday()] in self.weekdays

    def _is_in_turn(self, day: date) -> bool:
        if self.interval == 1 or self.every == "once":
            return True
        assert self.first is not None, "an interval is counted from somewhere"
        apart = {
            "day": (day - self.first).days,
            "week": (_monday(day) - _monday(self.first)).days // 7,
            "month": (day.year - self.first.year) * 12 + day.month - self.first.month,
            "year": day.year - self.first.year,
        }
        return apart[self.every] % self.interval == 0


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
