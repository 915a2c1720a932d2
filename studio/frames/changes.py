"""What a workflow changes about people, as frames: one row per contact and field."""

from __future__ import annotations

import polars as pl

CHANGE_SCHEMA: dict[str, pl.DataType] = {
    "contact_id": pl.UInt32(),
    "action": pl.String(),
    "field": pl.String(),
    "value": pl.String(),
}
"""`action` set, increment, append, remove (`field` is a contact field, `value` JSON), or grant, withdraw (`field` is
`channel:topic`, `value` what the consent rests on). Applied in the order of the rows."""
