"""Between table rows and frames: column by column, so that 50,000 rows cost milliseconds.

Absent on purpose: any statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from studio.frames.events import EVENT_SCHEMA

SEQ = "seq"
LOG_SCHEMA: dict[str, pl.DataType] = {**EVENT_SCHEMA, SEQ: pl.Int64()}
"""How events lie in the log: the event's columns and the number of the batch it came with."""


def frame_of(rows: Sequence[Sequence[Any]], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """A frame of stored rows; columns in the schema's order, moments and u64 as they are stored."""
    if not rows:
        return pl.DataFrame(schema=dict(schema))
    if len(rows) <= _BY_ROW_MAX:
        return _frame_of_few(rows, schema)
    columns = zip(*rows, strict=True)
    return pl.DataFrame(
        [_column(name, values, dtype) for (name, dtype), values in zip(schema.items(), columns, strict=True)]
    )


def _frame_of_few(rows: Sequence[Sequence[Any]], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """The same, in a third of the time: a column costs more than such a frame's values."""
    names = list(schema)
    readers = [(place, read) for place, dtype in enumerate(schema.values()) if (read := _READ.get(dtype)) is not None]
    given: list[dict[str, Any]] = []
    for row in rows:
        values = list(row)
        for place, read in readers:
            if values[place] is not None:
                values[place] = read(values[place])
        given.append(dict(zip(names, values, strict=True)))
    return pl.from_dicts(given, schema=dict(schema))


def _column(name: str, values: Sequence[Any], dtype: pl.DataType) -> pl.Series:
    if dtype == pl.UInt64:
        if None in values:
            return pl.Series(name, [None if value is None else unsigned(value) for value in values], dtype=dtype)
        return pl.Series(name, np.array(values, dtype=np.int64).view(np.uint64))
    if isinstance(dtype, pl.Datetime) or dtype == pl.Boolean:
        return pl.Series(name, values, dtype=pl.Int64).cast(dtype)
    # SQLite gives whole numbers as int, also in a column of fractions.
    return pl.Series(name, values, dtype=dtype, strict=dtype != pl.Float64)


FIELD_END, NOTHING = "\x1f", "\x1e\x1e"
"""What `joined_columns` puts between values, and for a missing one."""


def joined_columns(expressions: Sequence[str]) -> str:
    """A select list that gives each expression's values as one text, for `split_columns`.

    50,000 values as one text cost a fifth of what they cost as Python objects.
    """
    return ", ".join(f"group_concat(coalesce({text}, char(30, 30)), char(31))" for text in expressions)


def split_columns(texts: Sequence[str | None], names: Sequence[str]) -> pl.DataFrame | None:
    """The columns as text; None when a value holds the separator, so that they cannot be told apart."""
    if texts[0] is None:
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String()))
    columns = [
        pl.Series(name, [text], dtype=pl.String).str.split(FIELD_END).explode()
        for name, text in zip(names, texts, strict=True)
    ]
    if len({len(column) for column in columns}) > 1:
        return None
    return pl.DataFrame(columns).with_columns(pl.all().replace(NOTHING, None))


def stored(column: pl.Series) -> list[Any]:
    """A column's values as they are stored: moments as microseconds, u64 as signed integers of the same bits.

    Only methods that do not go through Polars' expression engine: it costs more than eight rows' commit.
    """
    if column.dtype == pl.UInt64:
        if column.null_count():
            return [None if value is None else signed(value) for value in column.to_list()]
        return column.to_numpy().view(np.int64).tolist()
    if isinstance(column.dtype, pl.Datetime):
        return column.cast(pl.Int64).to_list()
    return column.to_list()


def rows_of(frame: pl.DataFrame, names: Iterable[str]) -> Iterable[tuple[Any, ...]]:
    """The frame's rows as they are stored, columns in the order of `names`."""
    return zip(*(stored(frame.get_column(name)) for name in names), strict=True)


def signed(value: int) -> int:
    """A u64 as the signed integer of the same bits."""
    return value - (1 << 64) if value >= 1 << 63 else value


def unsigned(value: int) -> int:
    """The u64 a stored integer stands for."""
    return value + (1 << 64) if value < 0 else value


_BY_ROW_MAX = 4
_READ: Mapping[pl.DataType, Callable[[Any], object]] = {pl.UInt64(): unsigned, pl.Float64(): float, pl.Boolean(): bool}
