"""What workflows change about people, applied inside the transaction of the checkpoint that decides it.

Absent on purpose: deciding (the node `data.update`), and undoing; the run's events say what was changed where.
"""

from __future__ import annotations

import json
from datetime import datetime

import polars as pl
import sqlalchemy as sa
from pydantic import JsonValue

from studio.store.database import bulk
from studio.store.schema import micros
from studio.store.upsert import remember_property

_BUILT_IN = ("name", "language", "zone")
_READ = "SELECT name, language, zone, properties FROM contacts WHERE id = ?"
_WRITE = "UPDATE contacts SET name = ?, language = ?, zone = ?, properties = ?, updated_at = ? WHERE id = ?"
_CONSENT = """
INSERT INTO consents (contact_id, channel, topic, state, basis, source, at) VALUES (?, ?, ?, ?, 'consent', ?, ?)
"""


def apply_changes(connection: sa.Connection, changes: pl.DataFrame, at: datetime) -> None:
    """CHANGE_SCHEMA rows, in their order. A contact that is gone is passed over."""
    for contact_id, action, field, value in changes.iter_rows():
        if action in ("grant", "withdraw"):
            channel, _, topic = field.partition(":")
            state = "granted" if action == "grant" else "withdrawn"
            bulk(connection).execute(_CONSENT, (contact_id, channel, topic, state, value, micros(at)))
        else:
            _change(connection, contact_id, action, field, json.loads(value), micros(at))


def _change(connection: sa.Connection, contact_id: int, action: str, field: str, value: JsonValue, at: int) -> None:
    cursor = bulk(connection)
    cursor.execute(_READ, (contact_id,))
    row = cursor.fetchone()
    if row is None:
        return
    built_in = dict(zip(_BUILT_IN, row[:3], strict=True))
    properties = json.loads(row[3])
    place = built_in if field in _BUILT_IN else properties
    place[field] = changed(place.get(field), action, value)
    if place is properties and properties[field] is not None:
        remember_property(connection, field, properties[field])
    text = json.dumps(properties, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    cursor.execute(_WRITE, (*built_in.values(), text, at, contact_id))


def changed(known: JsonValue, action: str, value: JsonValue) -> JsonValue:
    """What a field holds after an action. Several values in one field are a text, parted by commas."""
    if action == "set":
        return value
    if action == "increment":
        number = known if isinstance(known, (int, float)) and not isinstance(known, bool) else 0
        return number + value if isinstance(value, (int, float)) else number
    parts = [part for part in str(known or "").split(",") if part]
    word = str(value)
    if action == "append":
        return ",".join(parts if word in parts else [*parts, word])
    return ",".join(part for part in parts if part != word)
