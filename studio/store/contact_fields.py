"""Fields of many people at once: what the rows of `contacts` say, kept once more as columns, in blocks of 50,000 ids.

Taking one property out of a million rows' JSON takes seconds, out of blocks some milliseconds. A block is made when
many people of it are first asked for, or came in one import; triggers drop it as soon as anything in it changes, so
that nobody who writes to `contacts` has to think of it. Absent on purpose: few or scattered people (`contacts` asks
for exactly those).
"""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
import sqlalchemy as sa

from studio.store.database import Cursor, Database, bulk
from studio.store.rows import joined_columns, split_columns

BLOCK = 50_000
BLOCKS_KEPT = 3
IDS_MIN = 256
"""Fewer people of a block are asked for one by one."""
BUILT_IN = ("key", "email", "name", "language", "zone")

TYPES: dict[str, pl.DataType] = {
    "boolean": pl.Boolean(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "text": pl.String(),
    "mixed": pl.String(),
}
_MARKER = ""
_ID = "contact_id"
_DECODED_AT_ONCE_MAX = 40
_BUILT_FROM = 5_000
_PUT = "INSERT OR REPLACE INTO contact_columns (first, name, data) VALUES (?, ?, ?)"


@dataclass(slots=True)
class _Block:
    """Columns of everybody from `first` on, by id. `marker`: the row that says they are still true."""

    marker: int
    columns: dict[str, pl.Series] = field(default_factory=dict)


class FieldBlocks:
    """The blocks of one store; those used last are kept in memory. Safe for many threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, _Block] = OrderedDict()

    def rows(self, ids: pl.Series, names: Sequence[str]) -> pl.DataFrame | None:
        """`contact_id` and the columns, row for row with the ids (u32); None where they have to be asked one by one."""
        if ids.is_empty() or self._database.is_writing:
            return None
        first, last = block_of(int(ids.min())), block_of(int(ids.max()))  # pyright: ignore[reportArgumentType] - u32
        places = range(first, last + 1, BLOCK)
        if len(ids) < IDS_MIN * len(places):
            return None
        blocks = [self._block(place, names) for place in places]
        frames = [_frame(block, names) for block in blocks if block is not None]
        if len(frames) < len(blocks):
            return None
        return _picked(frames[0] if len(frames) == 1 else pl.concat(frames), ids)

    def ids(self, after: int, limit: int) -> pl.Series | None:
        """`contact_id`: the next ids above `after`; None where a block that holds them has not been made."""
        if self._database.is_writing:
            return None
        with self._database.read() as connection:
            cursor = bulk(connection)
            cursor.execute("SELECT max(id) FROM contacts")
            (last,) = cursor.fetchone() or (None,)
            parts: list[pl.Series] = []
            place, found = block_of(max(after + 1, 1)), 0
            while found < limit and place <= (last or 0):
                block = self._known(place, _marker(connection, place))
                if block is None or not self._complete(connection, place, block, ()):
                    return None
                known = block.columns[_ID]
                start = int(np.searchsorted(known.to_numpy(), after, side="right")) if not parts else 0
                parts.append(known[start : start + limit - found])
                found += len(parts[-1])
                place += BLOCK
        return pl.concat(parts) if parts else pl.Series(_ID, [], dtype=pl.UInt32)

    def _block(self, first: int, names: Sequence[str]) -> _Block | None:
        with self._database.read() as connection:
            marker = _marker(connection, first)
            block = self._known(first, marker)
            if block is not None and self._complete(connection, first, block, names):
                return block
        if self._database.read_only:
            return None
        # Made in a transaction that writes: nothing can change between reading people and keeping their columns.
        with self._database.write() as connection:
            if not build(connection, first, names):
                return None
            marker = _marker(connection, first)
            assert marker is not None, "a block that was made has its marker"
            block = _Block(marker)
            is_complete = self._complete(connection, first, block, names)
        assert is_complete, "a block that was made has its columns"
        self._keep(first, block)
        return block

    def _known(self, first: int, marker: int | None) -> _Block | None:
        if marker is None:
            return None
        with self._lock:
            block = self._kept.get(first)
        if block is None or block.marker != marker:
            block = _Block(marker)
        self._keep(first, block)
        return block

    def _keep(self, first: int, block: _Block) -> None:
        with self._lock:
            self._kept[first] = block
            self._kept.move_to_end(first)
            while len(self._kept) > BLOCKS_KEPT:
                self._kept.popitem(last=False)

    def _complete(self, connection: sa.Connection, first: int, block: _Block, names: Sequence[str]) -> bool:
        """Reads what is lacking; False when a column has not been made yet."""
        lacking = [name for name in (_ID, *names) if name not in block.columns]
        if not lacking:
            return True
        cursor = bulk(connection)
        marks = ", ".join("?" * len(lacking))
        cursor.execute(
            f"SELECT name, data FROM contact_columns WHERE first = ? AND name IN ({marks})",  # noqa: S608 - marks only
            (first, *lacking),
        )
        for name, data in cursor.fetchall():
            block.columns[name] = pl.read_ipc(io.BytesIO(data)).to_series().alias(name)
        return all(name in block.columns for name in lacking)


def build(connection: sa.Connection, first: int, names: Sequence[str]) -> bool:
    """Makes columns of a block inside the caller's transaction; False where a value makes it impossible."""
    types = field_kinds(connection)
    if any(types.get(name) == "mixed" for name in names):
        return False
    plain = {name: TYPES[kind] for name, kind in types.items() if kind != "mixed" and name not in BUILT_IN}
    wanted = {name: plain[name] for name in names if name in plain}
    # The next step wants other properties: where there are few, all are decoded in one go.
    decoded = plain if wanted and len(plain) <= _DECODED_AT_ONCE_MAX else wanted
    built_in = [name for name in names if name in BUILT_IN]
    found = _read(connection, first, built_in, decoded)
    if found is None:
        return False
    nobody = [name for name in names if name not in found.columns]
    columns = [
        *found.get_columns(),
        *(pl.Series(name, [None], dtype=pl.String).new_from_index(0, found.height) for name in nobody),
    ]
    cursor = bulk(connection)
    if _marker(connection, first) is None:
        cursor.execute(_PUT, (first, _MARKER, b""))
    cursor.executemany(_PUT, [(first, column.name, _bytes(column)) for column in columns])
    return True


def build_new(connection: sa.Connection, first_id: int, last_id: int) -> None:
    """Makes the blocks of people who came in one import, where there are many of them."""
    kinds = field_kinds(connection)
    names = ["email", *(name for name, kind in kinds.items() if kind != "mixed" and name not in BUILT_IN)]
    for first in range(block_of(first_id), last_id + 1, BLOCK):
        people = min(last_id, first + BLOCK - 1) - max(first_id, first) + 1
        if people >= _BUILT_FROM and len(names) <= _DECODED_AT_ONCE_MAX:
            build(connection, first, names)


def block_of(contact_id: int) -> int:
    """The first id of its block."""
    return (contact_id - 1) // BLOCK * BLOCK + 1


def field_kinds(connection: sa.Connection) -> dict[str, str]:
    """Properties and the kind of value they hold (`upsert.FieldType`), by name."""
    return kinds_of(bulk(connection))


def kinds_of(cursor: Cursor) -> dict[str, str]:
    """`field_kinds` by a cursor."""
    cursor.execute("SELECT name, type FROM contact_fields ORDER BY name")
    return dict(cursor.fetchall())  # pyright: ignore[reportArgumentType, reportReturnType] - pairs


def _marker(connection: sa.Connection, first: int) -> int | None:
    cursor = bulk(connection)
    cursor.execute("SELECT id FROM contact_columns WHERE first = ? AND name = ?", (first, _MARKER))
    row = cursor.fetchone()
    return None if row is None else row[0]


def _frame(block: _Block, names: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame([block.columns[name] for name in (_ID, *names)])


def _picked(frame: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    known, wanted = frame.get_column(_ID).to_numpy(), ids.to_numpy()
    if len(known) == len(wanted) and (known == wanted).all():
        return frame
    places = np.searchsorted(known, wanted)
    places[places == len(known)] = 0
    if len(known) and (known[places] == wanted).all():
        return frame[places]
    return ids.to_frame().join(frame, on=_ID, how="left", maintain_order="left")


def _read(
    connection: sa.Connection, first: int, built_in: Sequence[str], properties: Mapping[str, pl.DataType]
) -> pl.DataFrame | None:
    names = ["id", *built_in, *(["properties"] if properties else [])]
    query = f"SELECT {joined_columns(names)} FROM contacts WHERE id BETWEEN ? AND ?"  # noqa: S608 - own names
    cursor = bulk(connection)
    cursor.execute(query, (first, first + BLOCK - 1))
    found = split_columns(cursor.fetchone() or (), names)
    if found is None:
        return None
    columns = [found.get_column("id").cast(pl.UInt32).alias(_ID), *(found.get_column(name) for name in built_in)]
    decoded = _decoded(found.get_column("properties"), properties) if properties else pl.DataFrame()
    return None if decoded is None else pl.DataFrame([*columns, *decoded.get_columns()])


def _decoded(texts: pl.Series, properties: Mapping[str, pl.DataType]) -> pl.DataFrame | None:
    if texts.is_empty():
        return pl.DataFrame(schema=dict(properties))
    lines = io.BytesIO("\n".join(texts.to_list()).encode())
    try:
        decoded = pl.read_ndjson(lines, schema=dict(properties))
    except pl.exceptions.ComputeError:
        # A number too large for any type: such people are asked one by one.
        return None
    return decoded if decoded.height == texts.len() else None


def _bytes(column: pl.Series) -> bytes:
    buffer = io.BytesIO()
    column.to_frame("value").write_ipc(buffer, compression="lz4")
    return buffer.getvalue()
