"""Times of day where contacts live. Time passes in UTC; only the choice of a moment looks at a local clock.

A local time that a change of clocks skips counts as the moment an hour later; of one that comes twice, the first.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import polars as pl

from studio.domain.errors import UserFixable
from studio.domain.node import NodeContext
from studio.frames.events import AT


def zones_of(batch: pl.DataFrame, context: NodeContext, *, own: bool = True) -> pl.Series:
    """A valid zone per row: the contact's own, or the workflow's when it is unknown (or `own` is False).

    Raises UserFixable (SETTINGS-ZONE) when the workflow's zone does not exist.
    """
    default = context.settings.zone
    if not is_zone(default):
        raise UserFixable(
            "SETTINGS-ZONE",
            f"There is no time zone “{default}”.",
            where="settings, zone",
            hint="Write it like Europe/Berlin or UTC.",
        )
    if not own:
        return pl.repeat(default, batch.height, eager=True, dtype=pl.String)
    ids = batch.get_column("contact_id")
    known = context.contacts.fields(ids.unique().sort(), ("zone",))
    zones = batch.select("contact_id").join(known, on="contact_id", how="left", maintain_order="left")
    names = zones.get_column("zone").cast(pl.String)
    valid = [name for name in names.unique().drop_nulls() if is_zone(name)]
    return pl.select(pl.when(names.is_in(valid)).then(names).otherwise(pl.lit(default)).alias("zone")).to_series()


@lru_cache(maxsize=1_000)
def is_zone(name: str) -> bool:
    """Whether there is a time zone of that name."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def next_time_of_day(zones: pl.Series, after: datetime, at: time) -> pl.Series:
    """Per row the first moment at or after `after` when the clock there shows `at` (datetime[us, UTC])."""
    return _by_zone(zones, lambda zone: _next(zone, after, at), AT).alias("moment")


def within_hours(zones: pl.Series, now: datetime, start: time, end: time) -> pl.Series:
    """Per row whether the clock there shows a time from `start` up to, not with, `end`; it may pass midnight."""
    return _by_zone(
        zones, lambda zone: _is_within(now.astimezone(ZoneInfo(zone)).time(), start, end), pl.Boolean()
    ).alias("within")


def _by_zone(zones: pl.Series, answer: Callable[[str], object], dtype: pl.DataType) -> pl.Series:
    """Per row what `answer` says of its zone, asked once per zone."""
    if zones.is_empty():
        return pl.Series(dtype=dtype)
    answers = {zone: answer(zone) for zone in zones.unique()}
    return zones.replace_strict(list(answers), list(answers.values()), return_dtype=dtype)


def _next(zone: str, after: datetime, at: time) -> datetime:
    info = ZoneInfo(zone)
    day = after.astimezone(info).date()
    moment = datetime.combine(day, at, info).astimezone(UTC)
    if moment < after:
        moment = datetime.combine(day + timedelta(days=1), at, info).astimezone(UTC)
    return moment


def _is_within(local: time, start: time, end: time) -> bool:
    if start <= end:
        return start <= local < end
    return local >= start or local < end
