"""What is counted while events are written: hourly sums, and who exactly was counted.

A rollup is (run, node, kind, arms, actor, detail, currency, hour) → count and sum of values; a bitmap is (run, node,
kind, arms, actor, detail) → the distinct contacts, exact (roaring), in a few parts whose union counts: a checkpoint
adds a small part, and parts are put together as they pile up. What is null is kept as "". Both are functions of the
segments alone; the tail is added by who asks (`projections`). Absent on purpose: rates and any interpretation.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl
import sqlalchemy as sa
from pyroaring import BitMap

from studio.frames.events import AT, EVENT_SCHEMA
from studio.store import schema
from studio.store.database import Cursor, bulk
from studio.store.keyed import CURRENCY, KEYS, Keyed
from studio.store.segments import Segment
from studio.store.segments import scan as segment_scan

HOUR_US = 3_600_000_000

ROLLUP_SCHEMA: dict[str, pl.DataType] = {
    **dict.fromkeys(KEYS, pl.String()),
    CURRENCY: pl.String(),
    "hour": AT,
    "count": pl.Int64(),
    "value": pl.Float64(),
}
SUMS = ("count", "value")
COUNTED = ("occurred_at", "kind", "contact_id", "value", "currency", "run_id", "node_id", "arms", "actor", "properties")
"""The event columns that counting reads."""

_COLUMNS = ", ".join(ROLLUP_SCHEMA)
_ADD_ROLLUP = f"""
INSERT INTO event_rollups ({_COLUMNS}) VALUES ({", ".join("?" * len(ROLLUP_SCHEMA))})
ON CONFLICT ({", ".join(name for name in ROLLUP_SCHEMA if name not in SUMS)})
DO UPDATE SET count = event_rollups.count + excluded.count, value = event_rollups.value + excluded.value
"""  # noqa: S608 - column names only
PARTS_MAX = 16
_WHERE = " AND ".join(f"{name} = ?" for name in KEYS)
_COUNT_PARTS = f"SELECT count(*), max(part) FROM event_bitmaps WHERE {_WHERE}"  # noqa: S608 - column names only
_GET_PARTS = f"SELECT data FROM event_bitmaps WHERE {_WHERE}"  # noqa: S608 - column names only
_DROP_PARTS = f"DELETE FROM event_bitmaps WHERE {_WHERE}"  # noqa: S608 - column names only
_PUT_PART = f"INSERT INTO event_bitmaps ({', '.join(KEYS)}, part, data) VALUES ({', '.join('?' * len(KEYS))}, ?, ?)"  # noqa: S608


def rolled_up(events: pl.DataFrame) -> pl.DataFrame:
    """ROLLUP_SCHEMA of some events (EVENT_SCHEMA), in no particular order. O(events)."""
    # Most often the tail, which is empty most often: asking Polars to count nothing takes a few milliseconds.
    return _sums(Keyed.of(events)) if events.height else pl.DataFrame(schema=ROLLUP_SCHEMA)


def people(events: pl.DataFrame) -> dict[tuple[str, ...], BitMap]:
    """KEYS → the distinct contacts of some events. O(events)."""
    return _people(Keyed.of(events)) if events.height else {}


class Counted:
    """Rollups and bitmaps of events not yet stored: a whole import is added up here before it is saved."""

    def __init__(self) -> None:
        self._rollups: list[pl.DataFrame] = []
        self._people: dict[tuple[str, ...], BitMap] = {}

    def add(self, events: Keyed) -> None:
        """Counts some events. Memory grows with keys and hours, not with events."""
        self._rollups.append(_sums(events))
        if len(self._rollups) > 32:
            self._rollups = [summed(self._rollups)]
        for key, contacts in _people(events).items():
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
            _add_part(cursor, key, contacts)


def _add_part(cursor: Cursor, key: tuple[str, ...], contacts: BitMap) -> None:
    cursor.execute(_COUNT_PARTS, key)
    count, highest = cursor.fetchone() or (0, None)
    if count >= PARTS_MAX:
        cursor.execute(_GET_PARTS, key)
        contacts = BitMap.union(contacts, *(BitMap.deserialize(row[0]) for row in cursor.fetchall()))
        cursor.execute(_DROP_PARTS, key)
    cursor.execute(_PUT_PART, (*key, 0 if highest is None else highest + 1, contacts.serialize()))


def summed(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """ROLLUP_SCHEMA frames as one: a row per key, ordered by key."""
    return added_up(pl.concat(frames), [name for name in ROLLUP_SCHEMA if name not in SUMS])


def added_up(rows: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """The columns of `by`, `count` and `value`, a row per key, ordered by key."""
    if not by:
        return rows.select(pl.col("count").sum(), pl.col("value").sum())
    return rows.lazy().group_by(by).agg(pl.col("count").sum(), pl.col("value").sum()).sort(by).collect()


def recount(connection: sa.Connection, segments: Sequence[Segment]) -> None:
    """Puts what the segments say in place of everything that is stored. O(events), one segment in memory."""
    connection.execute(schema.event_rollups.delete())
    connection.execute(schema.event_bitmaps.delete())
    counted = Counted()
    for segment in segments:
        counted.add(Keyed.of(segment_scan([segment], COUNTED).collect()))
    counted.save(connection)


def _sums(keyed: Keyed) -> pl.DataFrame:
    """ROLLUP_SCHEMA; a key that has null in one place and another that has "" there are two rows."""
    values = keyed.events.get_column("value").fill_null(0.0).to_numpy()[keyed.rows]
    hours = keyed.events.get_column("occurred_at").to_physical().to_numpy()[keyed.rows] // HOUR_US
    key = np.repeat(np.arange(keyed.keys.height), keyed.counts)
    # Within a key the events are in order of time, so that an hour's lie together.
    begins = np.flatnonzero(np.diff(key, prepend=-1).astype(bool) | np.diff(hours, prepend=hours[0]).astype(bool))
    return keyed.keys[key[begins]].with_columns(
        pl.col(pl.String).fill_null(""),
        pl.Series("hour", hours[begins] * HOUR_US).cast(AT),
        pl.Series("count", np.diff(begins, append=len(key)), dtype=pl.Int64),
        pl.Series("value", np.add.reduceat(values, begins)),
    )


def _people(keyed: Keyed) -> dict[tuple[str, ...], BitMap]:
    contacts = keyed.events.get_column("contact_id").to_numpy()[keyed.rows]
    found: dict[tuple[str, ...], BitMap] = {}
    for row, key in enumerate(keyed.keys.select(pl.col(*KEYS).fill_null("")).rows()):
        # In order and as one buffer: that costs a quarter of adding an array's numbers one by one.
        numbers = np.sort(contacts[keyed.starts[row] : keyed.starts[row + 1]])
        people = BitMap(array("I", numbers.tobytes()))
        found[key] = found[key] | people if key in found else people
    return found


assert set(COUNTED) <= set(EVENT_SCHEMA), "counting reads event columns"
assert array("I").itemsize == 4, "contact ids are handed over as 32-bit numbers"
