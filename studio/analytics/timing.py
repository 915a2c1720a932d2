"""When people act: counts by weekday and hour of the day, each in the person's own time zone.

Absent on purpose: guessing a zone; who has none counts in the one that is named.
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import available_timezones

import numpy as np
import polars as pl
from numpy.typing import NDArray

WEEKDAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


@dataclass(frozen=True, slots=True)
class Heat:
    """`counts[weekday][hour]`, Monday first; `unknown` events of people without a usable zone are counted in
    `fallback`.
    """

    counts: NDArray[np.int64]
    unknown: int
    fallback: str

    @property
    def total(self) -> int:
        return int(self.counts.sum())

    def best(self) -> tuple[str, int, float] | None:
        """Weekday, hour and share of the fullest hour; None without events."""
        if not self.total:
            return None
        day, hour = divmod(int(self.counts.argmax()), 24)
        return WEEKDAYS[day], hour, float(self.counts[day, hour]) / self.total

    def best_hours(self, span: int = 3) -> tuple[int, float] | None:
        """The start of the `span` hours of a day, whatever the weekday, in which most happens, and its share."""
        if not self.total:
            return None
        by_hour = self.counts.sum(axis=0)
        windows = np.array([np.roll(by_hour, -start)[:span].sum() for start in range(24)])
        return int(windows.argmax()), float(windows.max()) / self.total


def heat(events: pl.DataFrame, zones: pl.DataFrame, fallback: str = "UTC") -> Heat:
    """Counts of `contact_id, occurred_at` by local weekday and hour. O(events).

    Args:
        events: one row per event.
        zones: `contact_id, zone` (IANA names, may be null), each contact at most once.
        fallback: the zone of who has none that is known.
    """
    known = available_timezones()
    rows = events.join(zones, on="contact_id", how="left")
    rows = rows.with_columns(
        pl.when(pl.col("zone").is_in(sorted(known))).then(pl.col("zone")).alias("zone"),
        # Every zone's offset is a whole number of quarter hours since 1972.
        pl.col("occurred_at").dt.truncate("15m").alias("at"),
    )
    counted = rows.group_by("zone", "at").len()
    counts = np.zeros((7, 24), dtype=np.int64)
    unknown = 0
    for (zone,), part in counted.partition_by("zone", as_dict=True).items():
        local = part.get_column("at").dt.convert_time_zone(str(zone) if zone else fallback)
        np.add.at(
            counts,
            (local.dt.weekday().to_numpy() - 1, local.dt.hour().to_numpy()),
            part.get_column("len").to_numpy().astype(np.int64),
        )
        unknown += 0 if zone else int(part.get_column("len").sum())
    return Heat(counts, unknown, fallback)
