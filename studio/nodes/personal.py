"""What texts may say about people: the fields they name, as columns of plain data.

Absent on purpose: filling them in (`render_tasks`, `text_columns`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import polars as pl
from pydantic import JsonValue

from studio.domain.node import NodeContext
from studio.frames.expression import field_column
from studio.nodes.render_tasks import whole

MAX_FIELD = 10_000
"""Characters of one field that go into a message."""

_PERSONAL = ("contact.", "var.")


def with_fields(
    batch: pl.DataFrame, named: Collection[str] | None, context: NodeContext, *, always: Sequence[str] = ()
) -> pl.DataFrame:
    """The batch, row for row, with contact fields as `contact.<name>`, texts cut at `MAX_FIELD`.

    named: the fields that the texts name; None: any there is.
    """
    wanted = set(context.contacts.names()) if named is None else set(named)
    names = [*always, *sorted(wanted - set(always))]
    if names:
        ids = batch.get_column("contact_id").unique().sort()
        fields = context.contacts.fields(ids, names)
        fields = fields.select("contact_id", *(pl.col(name).alias(field_column(name)) for name in names))
        batch = batch.join(fields, on="contact_id", how="left", maintain_order="left")
    return batch.with_columns(pl.col(pl.String).exclude("var.event").str.slice(0, MAX_FIELD))


def personal_columns(rows: pl.DataFrame) -> dict[str, Sequence[JsonValue]]:
    """The columns of a `RenderTask`: contact fields, variables and the key."""
    columns: Mapping[str, pl.Series] = {column.name: column for column in rows.get_columns()}
    return {name: _plain(column) for name, column in columns.items() if name == "key" or name.startswith(_PERSONAL)}


def _plain(column: pl.Series) -> list[JsonValue]:
    if column.dtype.is_float():
        return [whole(value) for value in column.to_list()]
    if column.dtype.is_integer() or column.dtype in (pl.String, pl.Boolean):
        return column.to_list()
    return [None if value is None else str(value) for value in column.to_list()]
