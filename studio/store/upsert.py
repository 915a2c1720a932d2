"""Adding and changing people by key: what is new, what differs, what stays.

Absent on purpose: checking addresses, which the import does before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import compress, repeat
from operator import not_
from typing import Any, Literal

import polars as pl
import sqlalchemy as sa

from studio.store import schema
from studio.store.contact_fields import build_new
from studio.store.database import bulk
from studio.store.schema import micros

PART_ROWS = 50_000
SORTED_ONCE_FROM = 100_000
"""So many people, four times as many as there are: most of them must be new."""
_ADDRESSES = next(index for index in schema.contacts.indexes if "address_hash" in index.columns)
_COLUMNS = ("email", "name", "language", "zone")
_RANK = {"boolean": 0, "integer": 1, "number": 2, "text": 3, "mixed": 4}

FieldType = Literal["boolean", "integer", "number", "text", "mixed"]
"""`mixed`: read as text, and not all values are texts."""

_INSERT = """
INSERT INTO contacts (id, key, email, name, language, zone, properties, address_hash, source, created_at, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_UPDATE = """
UPDATE contacts SET email = ?, name = ?, language = ?, zone = ?, properties = ?, address_hash = ?, updated_at = ?
WHERE id = ?
"""
_JOIN_SOURCE = "INSERT OR IGNORE INTO contact_sources (source, contact_id) VALUES (?, ?)"
_JOIN_NEW = "INSERT INTO contact_sources (source, contact_id) SELECT ?, id FROM contacts WHERE id BETWEEN ? AND ?"
_KNOWN = """
SELECT key, id, email, name, language, zone, properties FROM contacts
WHERE key IN (SELECT value FROM json_each(?))
"""


# One text per content, so that what is unchanged is seen to be; made once, because making an encoder costs as much as
# encoding a row.
def _nothing(_constant: str) -> None:
    """NaN and the infinities, which Python reads and writes but JSON does not know."""


_DECODE = json.JSONDecoder(parse_constant=_nothing).decode
_ENCODE = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode
_ENCODE_LINES = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",\n", ":")).encode
_KINDS: Mapping[type, FieldType] = {bool: "boolean", int: "integer", float: "number", str: "text"}


@dataclass(frozen=True, slots=True)
class UpsertReport:
    """How many people an import added, changed and found unchanged."""

    added: int
    changed: int
    unchanged: int


def upsert(connection: sa.Connection, frame: pl.DataFrame, source: str, now: datetime) -> UpsertReport:
    """See `People.upsert_contacts`. O(rows), 50,000 in memory at a time beside the frame."""
    frame = _normal(frame)
    first_id = (connection.execute(sa.select(sa.func.max(schema.contacts.c.id))).scalar() or 0) + 1
    # For so many the index of addresses is sorted once: putting each in its place takes longer.
    is_sorted_once = frame.height >= max(SORTED_ONCE_FROM, 4 * (first_id - 1))
    if is_sorted_once:
        _ADDRESSES.drop(connection)
    added, changed = _upsert_parts(connection, frame, source, micros(now), first_id)
    if is_sorted_once:
        _ADDRESSES.create(connection)
    build_new(connection, first_id, first_id + added - 1)
    return UpsertReport(added, changed, frame.height - added - changed)


def _upsert_parts(
    connection: sa.Connection, frame: pl.DataFrame, source: str, now: int, first_id: int
) -> tuple[int, int]:
    """How many people were added and changed."""
    added = changed = 0
    types: dict[str, FieldType] = {}
    for rows in frame.iter_slices(PART_ROWS):
        part = _Part(rows, _read_all(rows.get_column("properties")))
        types |= {name: _widest((types.get(name), kind)) for name, kind in _types_in(part.properties).items()}
        known = _known(connection, part.rows.get_column("key")) if first_id > 1 else {}
        new, old = part.divided(known)
        _insert(connection, new, source, now, first_id + added)
        changed += _update(connection, old, known, source, now)
        added += new.rows.height
    _remember_types(connection, types)
    return added, changed


def _normal(frame: pl.DataFrame) -> pl.DataFrame:
    """key, the built-in columns and `properties` as text; unique keys, the last row of each, in order of appearance."""
    properties = pl.lit(None, pl.String).alias("properties")
    if "properties" in frame.columns:
        is_struct = isinstance(frame.schema["properties"], pl.Struct)
        properties = pl.col("properties").struct.json_encode() if is_struct else pl.col("properties").cast(pl.String)
    columns = [
        (pl.col(name).cast(pl.String) if name in frame.columns else pl.lit(None, pl.String)).alias(name)
        for name in ("key", *_COLUMNS)
    ]
    normal = frame.select(*columns, properties)
    assert normal.get_column("key").null_count() == 0, "a contact needs a key"
    return normal.unique("key", keep="last", maintain_order=True)


@dataclass(frozen=True, slots=True)
class _Part:
    """Some of the people given, with their properties read, row for row."""

    rows: pl.DataFrame
    properties: list[dict[str, Any]]

    def divided(self, known: Mapping[str, object]) -> tuple[_Part, _Part]:
        """Those who are new, and those who are known by their key."""
        if not known:
            return self, _Part(self.rows.clear(), [])
        is_known = [key in known for key in self.rows.get_column("key")]
        mask = pl.Series(is_known, dtype=pl.Boolean)
        new = list(compress(self.properties, map(not_, is_known)))
        return _Part(self.rows.filter(~mask), new), _Part(
            self.rows.filter(mask), list(compress(self.properties, is_known))
        )


def _known(connection: sa.Connection, keys: pl.Series) -> dict[str, tuple[Any, ...]]:
    cursor = bulk(connection)
    cursor.execute(_KNOWN, (json.dumps(keys.to_list()),))
    return {row[0]: row[1:] for row in cursor.fetchall()}


def _insert(connection: sa.Connection, part: _Part, source: str, now: int, first_id: int) -> None:
    """Adds people; their ids follow each other. Column by column: a row of Python's own costs as much as SQLite's."""
    count = part.rows.height
    if not count:
        return
    key, email, *others = (part.rows.get_column(name).to_list() for name in ("key", *_COLUMNS))
    ids = range(first_id, first_id + count)
    texts, hashes = _written_all(part.properties), address_hashes(email)
    same = (repeat(source, count), repeat(now, count), repeat(now, count))
    rows = zip(ids, key, email, *others, texts, hashes, *same, strict=True)
    cursor = bulk(connection)
    cursor.executemany(_INSERT, rows)
    cursor.execute(_JOIN_NEW, (source, first_id, first_id + count - 1))


def _update(connection: sa.Connection, part: _Part, known: Mapping[str, tuple[Any, ...]], source: str, now: int) -> int:
    """Changes people where something differs; how many."""
    updates: list[tuple[Any, ...]] = []
    members: list[tuple[str, int]] = []
    for (key, *values, _), given in zip(part.rows.iter_rows(), part.properties, strict=True):
        contact_id, *stored, text = known[key]
        merged = [old if new is None else new for new, old in zip(values, stored, strict=True)]
        properties_now = _ENCODE({**json.loads(text), **given}) if given else text
        if merged != stored or properties_now != text:
            updates.append((*merged, properties_now, _hash(merged[0]), now, contact_id))
        members.append((source, contact_id))
    cursor = bulk(connection)
    cursor.executemany(_UPDATE, updates)
    cursor.executemany(_JOIN_SOURCE, members)
    return len(updates)


def address_hash(email: str) -> str:
    """What an address is known by where the address itself must not stand: SHA-256 of it, trimmed and case-folded."""
    return hashlib.sha256(email.strip().casefold().encode()).hexdigest()


def address_hashes(emails: Sequence[str | None]) -> list[str | None]:
    """`address_hash` of many, in half the time; None of none."""
    texts = "\n".join([email or "" for email in emails]).casefold().split("\n")
    if len(texts) != len(emails):  # an address with a line's end in it
        return [_hash(email) for email in emails]
    sha = hashlib.sha256
    known = zip(emails, texts, strict=True)
    return [None if email is None else sha(text.strip().encode()).hexdigest() for email, text in known]


def _hash(email: str | None) -> str | None:
    return None if email is None else address_hash(email)


def _read_all(texts: pl.Series) -> list[dict[str, Any]]:
    """Properties without those that say nothing: a null keeps what is known, as it does for the other columns.

    All in one document, for beginning to read costs more than reading one of them.
    """
    given = texts.fill_null("{}").to_list()
    try:
        found = _DECODE(f"[{','.join(given)}]")
    except ValueError:
        found = []
    if len(found) != len(given):
        found = [_DECODE(text) for text in given]
    return [
        {name: value for name, value in one.items() if value is not None} if None in one.values() else one
        for one in found
    ]


def _written_all(properties: Sequence[Mapping[str, Any]]) -> list[str]:
    """What `_ENCODE` makes of each. No text holds a line's end as it is, so that they can be told apart."""
    whole = _ENCODE_LINES(properties)[1:-1]
    found = whole.replace("},\n{", "}\n{").replace(",\n", ",").split("\n")
    return found if len(found) == len(properties) else [_ENCODE(one) for one in properties]


def remember_property(connection: sa.Connection, name: str, value: object) -> None:
    """Keeps the type of a property that was set outside an import."""
    _remember_types(connection, {name: _type_of(value)})


def _types_in(properties: Iterable[Mapping[str, Any]]) -> dict[str, FieldType]:
    """The types of all that is given, by name."""
    kinds = {(name, value.__class__) for one in properties for name, value in one.items()}
    types: dict[str, FieldType] = {}
    for name, kind in kinds:
        of_kind = _KINDS.get(kind, "mixed")
        if of_kind == "integer" and not all(_is_whole(one.get(name)) for one in properties):
            of_kind = "number"
        types[name] = _widest((types.get(name), of_kind))
    return types


def _is_whole(value: object) -> bool:
    """Whether it is a number that fits into 64 bits, or no whole number at all."""
    return not isinstance(value, int) or abs(value) < 1 << 63


def _type_of(value: object) -> FieldType:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int) and abs(value) < 1 << 63:
        return "integer"
    if isinstance(value, (int, float)):
        return "number"
    return "text" if isinstance(value, str) else "mixed"


def _widest(types: Iterable[FieldType | None]) -> FieldType:
    """The narrowest type that holds all; truth values and numbers have only text in common."""
    found = {kind for kind in types if kind is not None}
    if len(found) > 1 and found & {"boolean", "text"}:
        return "mixed"
    return max(found, key=_RANK.__getitem__)


def _remember_types(connection: sa.Connection, types: Mapping[str, FieldType]) -> None:
    table = schema.contact_fields
    known = {row.name: row.type for row in connection.execute(sa.select(table))}
    for name, kind in types.items():
        widest = _widest((known.get(name), kind))
        if name not in known:
            connection.execute(table.insert(), {"name": name, "type": widest})
        elif widest != known[name]:
            connection.execute(table.update().where(table.c.name == name), {"type": widest})
