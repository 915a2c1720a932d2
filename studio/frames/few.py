"""Frames of a few rows without Polars' engine, which costs a tenth of a millisecond each time it is asked.

One person who does something goes through a workflow on his own, so for small frames these take the place of `filter`,
`with_columns` and the like; what comes out is the same. Absent on purpose: anything that many rows would profit from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

FEW = 32
"""So many rows are quicker one by one."""


def is_few(frame: pl.DataFrame) -> bool:
    """Whether the frame is handled row by row."""
    return frame.height <= FEW


def kept(frame: pl.DataFrame, mask: pl.Series) -> pl.DataFrame:
    """The rows where the mask (no nulls) is true, in their order; the frame itself when that is all of them."""
    if mask.all():
        return frame
    if not mask.any():
        return frame.clear()
    if is_few(frame):
        return pl.DataFrame([column.filter(mask) for column in frame.get_columns()])
    return frame.filter(mask)


def divided(frame: pl.DataFrame, places: pl.Series, ways: int) -> list[pl.DataFrame]:
    """Per way 0 … ways - 1 the rows whose place (a number, no nulls) it is, in their order."""
    first = places[0] if frame.height else None
    if frame.height == 1:
        return [frame if way == first else frame.clear() for way in range(ways)]
    return [kept(frame, places == way) for way in range(ways)]


def with_series(frame: pl.DataFrame, columns: Iterable[pl.Series]) -> pl.DataFrame:
    """The frame with these columns, each in the place of the one of its name, or behind the others."""
    known = {column.name: column for column in frame.get_columns()}
    known.update((column.name, column) for column in columns)
    return pl.DataFrame(list(known.values()))


def column_of(name: str, values: Sequence[object], dtype: pl.DataType) -> pl.Series:
    """A column of values of a plain type (numbers, texts, truth values)."""
    return pl.Series(name, values, dtype=dtype)
