"""Growing columns of a run (who entered, who departed, who went which way), kept as a few blobs, not a row each.

50,000 rows cost milliseconds this way. Small parts are merged as they pile up. Beside them, blobs by name that
replace each other. Absent on purpose: removing rows.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
import sqlalchemy as sa

from studio.frames.instances import from_bytes, to_bytes
from studio.store import schema
from studio.store.database import bulk

ENTRIES = "entries"
DEPARTED = "departed"
DROPPED = "dropped"
MOVES = "moves"
KEPT = "kept:"
"""What the names of kept blobs begin with."""
SMALL_PARTS_MAX = 32
SMALL_ROWS = 10_000

_TABLE = schema.run_parts
_INSERT = "INSERT INTO run_parts (run_id, name, rows, data) VALUES (?, ?, ?, ?)"
_SMALL = "SELECT id, data FROM run_parts WHERE run_id = ? AND name = ? AND rows < ? ORDER BY id"
_KEPT = "SELECT name, data FROM run_parts WHERE run_id = ? AND name >= ? AND substr(name, 1, ?) = ?"
_ALL = "SELECT data FROM run_parts WHERE run_id = ? AND name = ? ORDER BY id"


def add_entries(connection: sa.Connection, run_id: str, frame: pl.DataFrame) -> None:
    """Appends instances; of one that is there already, the longest arms count."""
    if frame.height:
        _add(connection, run_id, ENTRIES, frame.height, to_bytes(frame))


def add_ids(connection: sa.Connection, run_id: str, name: str, ids: pl.Series) -> None:
    """Appends u64 ids; repeats are left out when read."""
    if len(ids):
        _add(connection, run_id, name, len(ids), ids.cast(pl.UInt64).to_numpy().tobytes())


def add_moves(connection: sa.Connection, run_id: str, data: bytes) -> None:
    """Appends records of who went which way; they are put together by joining their bytes."""
    if data:
        _add(connection, run_id, MOVES, len(data) // 8, data)


def read_moves(connection: sa.Connection, run_id: str) -> bytes:
    """All records of who went which way."""
    return b"".join(_blobs(connection, run_id, MOVES))


def keep(connection: sa.Connection, run_id: str, blobs: Mapping[str, bytes]) -> None:
    """Keeps blobs by name; each replaces what was kept under its name."""
    if not blobs:
        return
    cursor = bulk(connection)
    names = [(run_id, KEPT + name) for name in blobs]
    cursor.executemany("DELETE FROM run_parts WHERE run_id = ? AND name = ?", names)
    cursor.executemany(_INSERT, [(run_id, KEPT + name, len(data), data) for name, data in blobs.items()])


def read_kept(connection: sa.Connection, run_id: str, prefix: str) -> dict[str, bytes]:
    """What is kept under the names that begin so."""
    cursor = bulk(connection)
    wanted = KEPT + prefix
    cursor.execute(_KEPT, (run_id, wanted, len(wanted), wanted))
    return {name.removeprefix(KEPT): data for name, data in cursor.fetchall()}


def read_entries(connection: sa.Connection, run_id: str, columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Every instance once, with its longest arms."""
    frames = [from_bytes(data) for data in _blobs(connection, run_id, ENTRIES)]
    return _together(frames) if frames else pl.DataFrame(schema=dict(columns))


def read_ids(connection: sa.Connection, run_id: str, name: str) -> pl.Series:
    """`instance_id`: every id once."""
    arrays = [np.frombuffer(data, dtype=np.uint64) for data in _blobs(connection, run_id, name)]
    ids = np.unique(np.concatenate(arrays)) if arrays else np.empty(0, dtype=np.uint64)
    return pl.Series("instance_id", ids, dtype=pl.UInt64)


def _blobs(connection: sa.Connection, run_id: str, name: str) -> list[bytes]:
    cursor = bulk(connection)
    cursor.execute(_ALL, (run_id, name))
    return [row[0] for row in cursor.fetchall()]


def _add(connection: sa.Connection, run_id: str, name: str, rows: int, data: bytes) -> None:
    cursor = bulk(connection)
    if rows < SMALL_ROWS:
        cursor.execute(
            "SELECT count(*) FROM run_parts WHERE run_id = ? AND name = ? AND rows < ?", (run_id, name, SMALL_ROWS)
        )
        small = cursor.fetchone()
        if small is not None and small[0] >= SMALL_PARTS_MAX:
            rows, data = _merge(connection, run_id, name, data)
    cursor.execute(_INSERT, (run_id, name, rows, data))


def _merge(connection: sa.Connection, run_id: str, name: str, data: bytes) -> tuple[int, bytes]:
    cursor = bulk(connection)
    cursor.execute(_SMALL, (run_id, name, SMALL_ROWS))
    small = cursor.fetchall()
    cursor.executemany("DELETE FROM run_parts WHERE id = ?", [(row[0],) for row in small])
    blobs = [*(row[1] for row in small), data]
    if name == ENTRIES:
        merged = _together([from_bytes(blob) for blob in blobs])
        return merged.height, to_bytes(merged)
    if name == MOVES:
        joined = b"".join(blobs)
        return len(joined) // 8, joined
    ids = np.unique(np.frombuffer(b"".join(blobs), dtype=np.uint64))
    return len(ids), ids.tobytes()


def _together(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """One row per instance. Arms only grow, so the longest are the last ones, whatever order the parts are kept in."""
    whole = pl.concat(frames, how="diagonal_relaxed")
    if whole.get_column("instance_id").n_unique() == whole.height:
        return whole
    longest_first = whole.sort(pl.col("arms").str.len_bytes(), descending=True, maintain_order=True)
    return longest_first.unique("instance_id", keep="first", maintain_order=True)
