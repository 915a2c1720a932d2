"""Fields of a few people, without Polars' engine: each of its expressions costs more than a person.

All fields are read at once and kept until something is written: whoever is asked about at one step is asked about at
the next. Absent on purpose: many people (`contact_fields`), and what is kept longer than the store stands still.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl
import sqlalchemy as sa

from studio.store.contact_fields import BUILT_IN, TYPES, kinds_of
from studio.store.database import Cursor, Database, bulk

FEW = 64
PEOPLE_KEPT = 1_000
_AT_ONCE_MAX = 40
_ID = "contact_id"
# A text property can hold truth values of an earlier import, which `json_extract` would give as 1 and 0.
_AS_TEXT = """
CASE json_type(properties, ?) WHEN 'true' THEN 'true' WHEN 'false' THEN 'false'
 ELSE CAST(json_extract(properties, ?) AS TEXT) END
"""
_READ: Mapping[pl.DataType, Callable[[str], object]] = {
    pl.Boolean(): "true".__eq__,
    pl.Int64(): int,
    pl.Float64(): float,
}


_NOBODY: Mapping[str, object] = {}


@dataclass(slots=True)
class _Known:
    """What was read when so many writes had been: the columns' types, and people's values in their order."""

    writes: int
    types: Mapping[str, pl.DataType]
    people: dict[int, Mapping[str, object]] = field(default_factory=dict)


class FewContacts:
    """Fields of a few people of one store. Safe for many threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._known: _Known | None = None

    def fields(self, ids: pl.Series, names: Sequence[str]) -> pl.DataFrame:
        """`contact_id` and a column per name, row for row with the ids (u32); null where nothing is known."""
        wanted = ids.to_list()
        types, people = self._people(wanted, names)
        columns = [ids]
        for name in names:
            values = [people[one].get(name) if one in people else None for one in wanted]
            columns.append(pl.Series(name, values, dtype=types.get(name, pl.String())))
        return pl.DataFrame(columns)

    def few(
        self, ids: Sequence[int], names: Sequence[str]
    ) -> tuple[Mapping[str, pl.DataType], list[Mapping[str, object]]]:
        """The types of the fields there are, and per id its values by name; nothing for an unknown one."""
        types, people = self._people(ids, names)
        return types, [people.get(one, _NOBODY) for one in ids]

    def _people(
        self, wanted: Sequence[int], names: Sequence[str]
    ) -> tuple[Mapping[str, pl.DataType], Mapping[int, Mapping[str, object]]]:
        writes = self._database.writes
        with self._lock:
            known = self._known
        if known is not None and known.writes == writes and self._may_keep:
            lacking = [one for one in wanted if one not in known.people]
            if not lacking:
                return known.types, known.people
        with self._database.glance() as cursor:
            types = types_of(cursor)
            if len(types) > _AT_ONCE_MAX:
                chosen = {name: types[name] for name in names if name in types}
                return types, _read(cursor, wanted, chosen)
            people = _read(cursor, wanted, types)
        if self._may_keep:
            self._keep(writes, types, people)
        return types, people

    @property
    def _may_keep(self) -> bool:
        """Not inside a transaction that may be rolled back, nor where another process writes."""
        return not self._database.is_writing and not self._database.read_only

    def _keep(self, writes: int, types: Mapping[str, pl.DataType], people: Mapping[int, Mapping[str, object]]) -> None:
        with self._lock:
            known = self._known
            if known is None or known.writes != writes or len(known.people) + len(people) > PEOPLE_KEPT:
                known = self._known = _Known(writes, types)
            known.people.update(people)


def known_types(connection: sa.Connection) -> dict[str, pl.DataType]:
    """Every field some contact has, with its type."""
    return types_of(bulk(connection))


def types_of(cursor: Cursor) -> dict[str, pl.DataType]:
    """`known_types` by a cursor."""
    kinds = kinds_of(cursor)
    return {**dict.fromkeys(BUILT_IN, pl.String()), **{name: TYPES[kind] for name, kind in kinds.items()}}


def expressions(types: Mapping[str, pl.DataType]) -> tuple[list[str], list[str]]:
    """What to select for the fields, `id` first, and the paths into the properties that it takes."""
    found, paths = ["id"], []
    for name, dtype in types.items():
        if name in BUILT_IN:
            found.append(name)
        elif name != _ID:
            found.append(_AS_TEXT if dtype == pl.String else "properties -> ?")
            paths.extend([f"$.{json.dumps(name, ensure_ascii=False)}"] * found[-1].count("?"))
    return found, paths


def _read(cursor: Cursor, wanted: Sequence[int], types: Mapping[str, pl.DataType]) -> dict[int, Mapping[str, object]]:
    columns, paths = expressions(types)
    marks = ", ".join("?" * len(wanted))
    cursor.execute(f"SELECT {', '.join(columns)} FROM contacts WHERE id IN ({marks})", (*paths, *wanted))  # noqa: S608
    readers = [(name, _READ.get(dtype)) for name, dtype in types.items()]
    return {
        row[0]: {
            name: text if read is None or text is None else read(text)
            for (name, read), text in zip(readers, row[1:], strict=True)
        }
        for row in cursor.fetchall()
    }
