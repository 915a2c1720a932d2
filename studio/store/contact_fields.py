"""Fields of many people at once: a stretch of ids is read whole, and its properties are decoded column by column.

A run asks for the same stretch once per step, so the last few are kept until somebody changes a contact. Absent on
purpose: few or scattered people (`contacts` asks for exactly those).
"""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import sqlalchemy as sa

from studio.store.database import bulk
from studio.store.rows import joined_columns, split_columns

STRETCHES_KEPT = 4
STRETCH_MAX = 200_000
IDS_MIN = 256
"""Fewer people are asked for one by one, unless their stretch is there already."""
_SPARSE = 8
_DECODED_AT_ONCE_MAX = 40


@dataclass(frozen=True, slots=True)
class Stretch:
    """Everybody from the first to the last id, both included: `contact_id`, ascending, and the columns read so far."""

    first: int
    last: int
    frame: pl.DataFrame

    def covers(self, first: int, last: int) -> bool:
        return self.first <= first and last <= self.last

    def rows(self, ids: pl.Series, names: Sequence[str]) -> pl.DataFrame | None:
        """`contact_id` and the columns, row for row with the ids; None when somebody is unknown."""
        known, wanted = self.frame.get_column("contact_id").to_numpy(), ids.to_numpy()
        places = np.searchsorted(known, wanted)
        places[places == len(known)] = 0
        if not len(known) or not (known[places] == wanted).all():
            return None
        # A chunk that is the whole stretch, as the first step of a run asks for, needs no copy.
        frame = self.frame.select("contact_id", *names)
        return frame if len(wanted) == len(known) else frame[places]


class FieldCache:
    """The last stretches read. Thread-safe; whoever changes contacts says so once that is committed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._revision = 0
        self._kept: OrderedDict[tuple[int, int], Stretch] = OrderedDict()

    @property
    def revision(self) -> int:
        """To be asked for before a snapshot begins, and given to `keep` after."""
        return self._revision

    def forget(self) -> None:
        """Contacts have changed."""
        with self._lock:
            self._revision += 1
            self._kept.clear()

    def covering(self, first: int, last: int) -> Stretch | None:
        """A stretch that holds these ids."""
        with self._lock:
            return next((s for s in reversed(self._kept.values()) if s.covers(first, last)), None)

    def keep(self, stretch: Stretch, revision: int) -> None:
        """Keeps what was read, unless it was read before a change."""
        with self._lock:
            if revision == self._revision:
                self._kept[stretch.first, stretch.last] = stretch
                self._kept.move_to_end((stretch.first, stretch.last))
                while len(self._kept) > STRETCHES_KEPT:
                    self._kept.popitem(last=False)


def worth_reading(first: int, last: int, ids: int) -> bool:
    """Whether so many ids between these are asked for that reading everybody there costs less."""
    return ids >= IDS_MIN and last - first < min(_SPARSE * ids, STRETCH_MAX)


def read_columns(
    connection: sa.Connection, first: int, last: int, built_in: Collection[str], properties: Mapping[str, pl.DataType]
) -> pl.DataFrame | None:
    """`contact_id` and the columns of everybody there, by id; None where a value makes it impossible to read it so."""
    names = ["id", *built_in, *(["properties"] if properties else [])]
    query = f"SELECT {joined_columns(names)} FROM contacts WHERE id BETWEEN ? AND ?"  # noqa: S608 - own names
    cursor = bulk(connection)
    cursor.execute(query, (first, last))
    found = split_columns(cursor.fetchone() or (), names)
    if found is None:
        return None
    columns = [found.get_column("id").cast(pl.UInt32).alias("contact_id")]
    columns += [found.get_column(name) for name in built_in]
    decoded = _decoded(found.get_column("properties"), properties) if properties else pl.DataFrame()
    return None if decoded is None else pl.DataFrame([*columns, *decoded.get_columns()])


def to_decode(wanted: Collection[str], known: Mapping[str, pl.DataType]) -> dict[str, pl.DataType]:
    """The properties to decode when some are wanted: all, if they are few, for the next step wants others."""
    if len(known) <= _DECODED_AT_ONCE_MAX:
        return dict(known)
    return {name: known[name] for name in wanted}


def _decoded(texts: pl.Series, properties: Mapping[str, pl.DataType]) -> pl.DataFrame | None:
    if texts.is_empty():
        return pl.DataFrame(schema=dict(properties))
    lines = io.BytesIO("\n".join(texts.to_list()).encode())
    try:
        decoded = pl.read_ndjson(lines, schema=dict(properties))
    except pl.exceptions.ComputeError:
        # A number too large for any type, or one imported while the column had another: those are read one by one.
        return None
    return decoded if decoded.height == texts.len() else None
