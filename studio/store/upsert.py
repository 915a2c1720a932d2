"""Adding and changing people by key: what is new, what differs, what stays.

Absent on purpose: checking addresses, which the import does before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import polars as pl
import sqlalchemy as sa

from studio.store import schema
from studio.store.contact_fields import build_new
from studio.store.database import bulk
from studio.store.schema import micros

PART_ROWS = 50_000
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


@dataclass(frozen=True, slots=True)
class UpsertReport:
    """How many people an import added, changed and found unchanged."""

    added: int
    changed: int
    unchanged: int


def upsert(connection: sa.Connection, frame: pl.DataFrame, source: str, now: datetime) -> UpsertReport:
    """See `People.upsert_contacts`. O(rows), 50,000 in memory at a time beside the frame."""
    frame = _normal(frame)
    _remember_types(connection, _property_types(frame.get_column("properties")))
    first_id = next_id = (connection.execute(sa.select(sa.func.max(schema.contacts.c.id))).scalar() or 0) + 1
    added = changed = 0
    for part in frame.iter_slices(PART_ROWS):
        new, different = _upsert_part(connection, part, source, micros(now), next_id)
        added, changed, next_id = added + new, changed + different, next_id + new
    build_new(connection, first_id, next_id - 1)
    return UpsertReport(added, changed, frame.height - added - changed)


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


def _upsert_part(connection: sa.Connection, part: pl.DataFrame, source: str, now: int, next_id: int) -> tuple[int, int]:
    cursor = bulk(connection)
    cursor.execute(_KNOWN, (json.dumps(part.get_column("key").to_list()),))
    known = {row[0]: row[1:] for row in cursor.fetchall()}
    inserts: list[tuple[Any, ...]] = []
    updates: list[tuple[Any, ...]] = []
    members: list[tuple[str, int]] = []
    for key, *values, properties in part.iter_rows():
        given = _parsed(properties)
        before = known.get(key)
        if before is None:
            row = (next_id + len(inserts), key, *values, _text(given), _hash(values[0]), source, now, now)
            inserts.append(row)
            members.append((source, row[0]))
            continue
        contact_id, *stored, text = before
        merged = [old if new is None else new for new, old in zip(values, stored, strict=True)]
        properties_now = _text({**json.loads(text), **given}) if given else text
        if merged != stored or properties_now != text:
            updates.append((*merged, properties_now, _hash(merged[0]), now, contact_id))
        members.append((source, contact_id))
    cursor.executemany(_INSERT, inserts)
    cursor.executemany(_UPDATE, updates)
    cursor.executemany(_JOIN_SOURCE, members)
    return len(inserts), len(updates)


def address_hash(email: str) -> str:
    """What an address is known by where the address itself must not stand: SHA-256 of it, trimmed and case-folded."""
    return hashlib.sha256(email.strip().casefold().encode()).hexdigest()


def _hash(email: str | None) -> str | None:
    return None if email is None else address_hash(email)


def _parsed(properties: str | None) -> dict[str, Any]:
    """Properties without those that say nothing: a null keeps what is known, as it does for the other columns."""
    if properties is None:
        return {}
    given = _DECODE(properties)
    return {name: value for name, value in given.items() if value is not None}


def _text(properties: Mapping[str, Any]) -> str:
    return _ENCODE(properties)


def remember_property(connection: sa.Connection, name: str, value: object) -> None:
    """Keeps the type of a property that was set outside an import."""
    _remember_types(connection, {name: _type_of(value)})


def _property_types(properties: pl.Series) -> dict[str, FieldType]:
    types: dict[str, FieldType] = {}
    for text in properties.drop_nulls().unique():
        for name, value in _parsed(text).items():
            types[name] = _widest((types.get(name), _type_of(value)))
    return types


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
