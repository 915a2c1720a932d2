"""Dates of contacts made into moments: with an offset, at a time of day where the contact lives, once or every year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from studio.frames.events import AT


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedRule:
    """How a date becomes moments. A yearly 29 February is kept on the 28th or, when not early, on 1 March."""

    offset: timedelta = timedelta()
    at: time = time(9)
    is_yearly: bool = False
    is_leap_day_early: bool = True

    def moments(self, day: date, zone: str, around: datetime) -> list[datetime]:
        """Its moments in UTC near `around`, in order: one, or those of the years before, of and after."""
        days = [day]
        if self.is_yearly:
            year = around.astimezone(ZoneInfo(zone)).year
            days = [self._in_year(day, year + step) for step in (-1, 0, 1, 2)]
        return [datetime.combine(one + self.offset, self.at, ZoneInfo(zone)).astimezone(UTC) for one in days]

    def _in_year(self, day: date, year: int) -> date:
        try:
            return day.replace(year=year)
        except ValueError:
            return date(year, 2, 28) if self.is_leap_day_early else date(year, 3, 1)


def as_dates(column: pl.Expr) -> pl.Expr:
    """Dates out of texts that begin with one (2026-05-17, 2026-05-17T10:00); null where there is none."""
    return column.cast(pl.String).str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)


def occurrences(dated: pl.DataFrame, rule: DatedRule, after: datetime, now: datetime) -> pl.DataFrame:
    """Per row of `contact_id`, `date`, `zone`: `moment` (the last after `after` and up to `now`, or null) and
    `following` (the first after `now`, or null). Worked out once per date and zone.
    """
    pairs = dated.select("date", "zone").unique()
    rows = [(day, zone, *_around(rule.moments(day, zone, now), after, now)) for day, zone in pairs.iter_rows()]
    schema = {"date": pl.Date(), "zone": pl.String(), "moment": AT, "following": AT}
    known = pl.DataFrame(rows, schema=schema, orient="row")
    return dated.join(known, on=["date", "zone"], how="left", maintain_order="left")


def _around(moments: list[datetime], after: datetime, now: datetime) -> tuple[datetime | None, datetime | None]:
    hit = max((moment for moment in moments if after < moment <= now), default=None)
    return hit, min((moment for moment in moments if moment > now), default=None)
