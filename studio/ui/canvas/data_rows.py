"""Rows of a step's data as a table wants them: typed columns, empty cells, cells that the step changed.

Absent on purpose: Qt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeAlias

import polars as pl

from studio.domain.clock import shown
from studio.ui.tokens import Tone
from studio.ui.widgets.table_cells import Column
from studio.workspace.debugging import NodeData, Table

Row: TypeAlias = Mapping[str, object]
Changes: TypeAlias = Mapping[str, Mapping[str, object]]
"""Instance → column → the value before."""

EMPTY = "empty"
_HIDDEN = frozenset({"instance"})
_TITLES = {"contact": "Contact", "instance_key": "Key", "entered_at": "Entered", "arms": "Variants"}
_BEFORE = "\x00before:"


def table_rows(sample: Table) -> list[Row]:
    """One mapping a person."""
    return list(sample.rows.iter_rows(named=True))


def filtered_rows(rows: Iterable[Row], text: str) -> list[Row]:
    """Rows in which every word of `text` occurs in some cell; `column:word` looks into that column only."""
    words = text.casefold().split()
    return [row for row in rows if all(_has(row, word) for word in words)]


def changed_cells(data: NodeData, port: str) -> dict[str, dict[str, object]]:
    """What the step changed on the way to a port."""
    found: dict[str, dict[str, object]] = {}
    for change in data.changes(port):
        found.setdefault(change.instance, {})[change.column] = change.before
    return found


def row_columns(sample: Table, changes: Changes) -> list[Column[Row]]:
    """A column each, typed; changed cells in the accent colour, empty ones in grey."""
    names = [name for name in sample.rows.columns if name not in _HIDDEN]
    return [_column(name, sample.rows.schema[name], changes, is_last=name == names[-1]) for name in names]


def side_by_side(data: NodeData, port: str, changes: Changes) -> tuple[list[Column[Row]], list[Row]]:
    """Each changed column before and after the step, for the people it changed."""
    after = data.outputs[port]
    touched = [name for name in after.rows.columns if any(name in cells for cells in changes.values())]
    rows: list[Row] = [
        {**row, **{_BEFORE + name: changes[str(row["instance"])].get(name, row[name]) for name in touched}}
        for row in table_rows(after)
        if str(row["instance"]) in changes
    ]
    columns = [_column("contact", pl.String(), {}, is_last=not touched)] if "contact" in after.rows.columns else []
    for name in touched:
        dtype = after.rows.schema[name]
        columns.append(_column(_BEFORE + name, dtype, {}, is_last=False, title=f"{title_of(name)} before"))
        columns.append(_column(name, dtype, changes, is_last=name == touched[-1], title=f"{title_of(name)} after"))
    return columns, rows


def schema_rows(sample: Table) -> list[Row]:
    """Name, type and share of empty cells of each column."""
    return [
        {"name": title_of(c.name), "type": type_words(c.type), "empty": c.null_rate}
        for c in sample.columns
        if c.name not in _HIDDEN
    ]


def schema_columns() -> list[Column[Row]]:
    return [
        Column(title="Column", value=lambda r: r["name"], bold=lambda _r: True),
        Column(title="Type", value=lambda r: r["type"]),
        Column(
            title="Empty",
            value=lambda r: r["empty"],
            text=lambda r: f"{float(str(r['empty'])):.0%}",
            tone=lambda r: "caution" if float(str(r["empty"])) > 0.5 else "default",
            numeric=True,
        ),
        Column(title="", value=lambda _r: "", width="stretch"),
    ]


def title_of(name: str) -> str:
    """What a column is called on screen."""
    words = name.removeprefix("var.").replace("_", " ")
    return _TITLES.get(name, words[:1].upper() + words[1:])


def type_words(dtype: str) -> str:
    """A column's type in plain words."""
    for begins, words in (
        ("String", "text"),
        ("Int", "whole number"),
        ("UInt", "whole number"),
        ("Float", "number"),
        ("Boolean", "yes or no"),
        ("Datetime", "moment"),
        ("Date", "day"),
        ("List", "list"),
        ("Null", "always empty"),
    ):
        if dtype.startswith(begins):
            return words
    return dtype


def arms_words(arms: object) -> str:
    """`holdout=treated|subject=B` as a person reads it."""
    return str(arms or "").replace("|", ", ").replace("=", ": ") or "none"


def cell_text(value: object) -> str:
    """A cell as it is shown."""
    if value is None:
        return EMPTY
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{shown(value):%Y-%m-%d %H:%M}"
    return f"{value:,.12g}" if isinstance(value, float) else str(value)


def _column(name: str, dtype: pl.DataType, changes: Changes, *, is_last: bool, title: str = "") -> Column[Row]:
    in_words = arms_words if name.removeprefix(_BEFORE) == "arms" else cell_text

    def tone(row: Row) -> Tone:
        if name in changes.get(str(row.get("instance")), {}):
            return "accent"
        return "muted" if row.get(name) is None else "default"

    return Column(
        title=title or title_of(name),
        value=lambda row: row.get(name),
        text=lambda row: in_words(row.get(name)),
        numeric=dtype.is_numeric(),
        tone=tone,
        bold=lambda row: name in changes.get(str(row.get("instance")), {}),
        width="stretch" if is_last else "content",
        help=type_words(str(dtype)),
    )


def _has(row: Row, word: str) -> bool:
    column, colon, wanted = word.partition(":")
    if colon and any(title_of(name).casefold().startswith(column) for name in row):
        return any(
            wanted in cell_text(v).casefold() for n, v in row.items() if title_of(n).casefold().startswith(column)
        )
    return any(word in cell_text(value).casefold() for value in row.values())
