"""What is counted while events are written: hourly sums, and who exactly was counted.

A rollup is (run, node, kind, arms, currency, hour) → count and sum of values; a bitmap is (run, node, kind, arms) → the
distinct contacts, exact (roaring). Null run, node, arms and currency are kept as "". Both are functions of the segments
alone; the tail is added by who asks (`projections`). Absent on purpose: rates and any interpretation.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl
import sqlalchemy as sa
from pyroaring import BitMap

from studio.frames.events import AT
from studio.store.database import bulk

KEYS = ("run_id", "node_id", "kind", "arms")
HOUR_US = 3_600_000_000

ROLLUP_SCHEMA: dict[str, pl.DataType] = {
    "run_id": pl.String(),
    "node_id": pl.String(),
    "kind": pl.String(),
    "arms": pl.String(),
    "currency": pl.String(),
    "hour": AT,
    "count": pl.Int64(),
    "value": pl.Float64(),
}
BITMAP_SCHEMA: dict[str, pl.DataType] = {name: pl.String() for name in KEYS}

_ADD_ROLLUP = """
INSERT INTO event_rollups (run_id, node_id, kind, arms, currency, hour, count, value) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (run_id, node_id, kind, arms, currency, hour)
DO UPDATE SET count = event_rollups.count + excluded.count, value = event_rollups.value + excluded.value
"""
_GET_BITMAP = "SELECT data FROM event_bitmaps WHERE run_id = ? AND node_id = ? AND kind = ? AND arms = ?"
_PUT_BITMAP = """
INSERT INTO event_bitmaps (run_id, node_id, kind, arms, contacts, data) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (run_id, node_id, kind, arms) DO UPDATE SET contacts = excluded.contacts, data = excluded.data
"""


def rolled_up(events: pl.DataFrame) -> pl.DataFrame:
    """ROLLUP_SCHEMA of some events (EVENT_SCHEMA), in no particular order. O(events)."""
    return (
        events.lazy()
        .group_by(
            *(pl.col(name).fill_null("") for name in (*KEYS, "currency")),
            pl.col("occurred_at").dt.truncate("1h").alias("hour"),
        )
        .agg(pl.len().cast(pl.Int64).alias("count"), pl.col("value").sum())
        .select(*ROLLUP_SCHEMA)
        .collect()
    )


def people(events: pl.DataFrame) -> dict[tuple[str, ...], BitMap]:
    """(run, node, kind, arms) → the distinct contacts of some events. O(events)."""
    grouped = events.lazy().group_by(*(pl.col(name).fill_null("") for name in KEYS)).agg(pl.col("contact_id")).collect()
    contacts = grouped.get_column("contact_id")
    return {
        key: BitMap(contacts[row].to_numpy())
        for row, key in enumerate(zip(*(grouped.get_column(name).to_list() for name in KEYS), strict=True))
    }


class Counted:
    """Rollups and bitmaps of events not yet stored: a whole import is added up here before it is saved."""

    def __init__(self) -> None:
        self._rollups: list[pl.DataFrame] = []
        self._people: dict[tuple[str, ...], BitMap] = {}

    def add(self, events: pl.DataFrame) -> None:
        """Counts some events (EVENT_SCHEMA). Memory grows with keys and hours, not with events."""
        self._rollups.append(rolled_up(events))
        if len(self._rollups) > 32:
            self._rollups = [summed(self._rollups)]
        for key, contacts in people(events).items():
            known = self._people.setdefault(key, contacts)
            if known is not contacts:
                known |= contacts

    def save(self, connection: sa.Connection) -> None:
        """Adds everything counted to what is stored, inside the transaction that adds the segments."""
        if not self._rollups:
            return
        cursor = bulk(connection)
        sums = self._rollups[0] if len(self._rollups) == 1 else summed(self._rollups)
        sums = sums.with_columns(pl.col("hour").to_physical())
        cursor.executemany(_ADD_ROLLUP, sums.rows())
        for key, contacts in self._people.items():
            cursor.execute(_GET_BITMAP, key)
            row = cursor.fetchone()
            merged = contacts if row is None else contacts | BitMap.deserialize(row[0])
            cursor.execute(_PUT_BITMAP, (*key, len(merged), merged.serialize()))


def summed(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """ROLLUP_SCHEMA frames as one: a row per key, ordered by key."""
    keys = [name for name in ROLLUP_SCHEMA if name not in ("count", "value")]
    return (
        pl.concat(frames)
        .lazy()
        .group_by(keys)
        .agg(pl.col("count").sum(), pl.col("value").sum())
        .sort(keys)
        .select(*ROLLUP_SCHEMA)
        .collect()
    )
