"""When something that repeats happens: once, daily, weekly or monthly, at a time of day in the workflow's zone.

A local time that a change of clocks skips counts as the moment an hour later. A month without the day (the 31st) takes
its last one. Absent on purpose: contacts' own zones (a time window after the trigger does that), cron's language.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

Every: TypeAlias = Literal["once", "day", "week", "month"]
Weekday: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Cadence:
    """`weekdays` count for day (empty: all) and week, `day` for month. `skipped`: local dates without."""

    every: Every
    at: time
    zone: str
    weekdays: tuple[Weekday, ...] = ()
    day: int = 1
    skipped: frozenset[date] = frozenset()

    def moments(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """The moments at or after `start` and up to `end`, in order. For `once` the first possible one alone."""
        info = ZoneInfo(self.zone)
        today = start.astimezone(info).date()
        last = end.astimezone(info).date()
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
        if day in self.skipped:
            return False
        if self.every == "month":
            return day.day == min(self.day, calendar.monthrange(day.year, day.month)[1])
        return not self.weekdays or WEEKDAYS[day.weekday()] in self.weekdays
