"""Frames of a few rows without Polars' engine, which costs a tenth of a millisecond each time it is asked.

One person who does something goes through a workflow on his own, so for small frames these take the place of `filter`,
`with_columns` and the like; what comes out is the same. Absent on purpose: anything that many rows would profit from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, TypeGuard

import polars as pl

from studio.domain.node import NodeContext, NodeType

FEW = 32
"""So many rows are quicker one by one."""

Row: TypeAlias = dict[str, Any]
"""A row's values by column. Rows are shared between steps: nobody changes one."""


class Few:
    """A batch of a few rows with the types of their columns: a frame's content, and a frame again when one is wanted.

    Everybody in it has every column.
    """

    __slots__ = ("_frame", "dtypes", "rows")

    def __init__(
        self, dtypes: Mapping[str, pl.DataType], rows: Sequence[Row], frame: pl.DataFrame | None = None
    ) -> None:
        self.dtypes = dtypes
        self.rows = rows
        self._frame = frame

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Few:
        """The rows of a frame."""
        return cls({column.name: column.dtype for column in frame.get_columns()}, frame.to_dicts(), frame)

    @property
    def height(self) -> int:
        """How many rows."""
        return len(self.rows)

    def frame(self) -> pl.DataFrame:
        """The rows as a frame."""
        if self._frame is None:
            schema = dict(self.dtypes)
            self._frame = pl.from_dicts(self.rows, schema=schema) if self.rows else pl.DataFrame(schema=schema)
        return self._frame

    def column(self, name: str) -> list[Any]:
        """One column's values."""
        return [row[name] for row in self.rows]

    def divided(self, places: Sequence[int], ways: int) -> list[Few]:
        """Per way 0 … ways - 1 the rows whose place it is, in their order."""
        parts: list[list[Row]] = [[] for _ in range(ways)]
        for place, row in zip(places, self.rows, strict=True):
            parts[place].append(row)
        return [self if len(part) == len(self.rows) else Few(self.dtypes, part) for part in parts]

    def with_columns(self, columns: Iterable[tuple[str, pl.DataType, Sequence[Any]]]) -> Few:
        """The rows with further columns (name, type, values), each in the place of the one of its name."""
        given = list(columns)
        dtypes = {**self.dtypes, **{name: dtype for name, dtype, _ in given}}
        names = [name for name, _, _ in given]
        values = zip(*(values for _, _, values in given), strict=True)
        rows = [{**row, **dict(zip(names, new, strict=True))} for row, new in zip(self.rows, values, strict=True)]
        return Few(dtypes, rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class FewOutcome:
    """What became of a few instances: `out` and `figures` as of `Outcome`. A step that does more has no such form."""

    out: Mapping[str, Few]
    figures: Mapping[str, float] = field(default_factory=dict)


class ByRow(Protocol):
    """A node that can also take a few instances row by row, which for them is ten times as fast as by columns."""

    def run_few(self, few: Few, context: NodeContext) -> FewOutcome | None:
        """What `run` makes of the same instances; None: it has to be asked. After an error the engine asks it, too."""
        ...


def goes_by_row(node: NodeType) -> TypeGuard[ByRow]:
    """Whether the node can do so. (Asking a protocol would take longer than some nodes do.)"""
    return hasattr(node, "run_few")


class EntersByRow(Protocol):
    """A trigger that can also be shown a few events row by row."""

    def enter_few(self, events: Few, context: NodeContext) -> Few | None:
        """What `enter` makes of the same events; None: it has to be asked. After an error the engine asks it, too."""
        ...


def enters_by_row(trigger: object) -> TypeGuard[EntersByRow]:
    """Whether the trigger can do so."""
    return hasattr(trigger, "enter_few")


Batch: TypeAlias = pl.DataFrame | Few


def frame_of(batch: Batch) -> pl.DataFrame:
    """The batch as a frame."""
    return batch.frame() if isinstance(batch, Few) else batch


def few_of(batches: Sequence[Batch]) -> Few | None:
    """One batch of several, row by row; None where there are many rows, or they have different columns."""
    if sum(batch.height for batch in batches) > FEW:
        return None
    parts = [batch if isinstance(batch, Few) else Few.of(batch) for batch in batches]
    first, *others = parts
    if any(part.dtypes != first.dtypes for part in others):
        return None
    return first if not others else Few(first.dtypes, [row for part in parts for row in part.rows])


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


def with_series(frame: pl.DataFrame, columns: Iterable[pl.Series]) -> pl.DataFrame:
    """The frame with these columns, each in the place of the one of its name, or behind the others."""
    known = {column.name: column for column in frame.get_columns()}
    known.update((column.name, column) for column in columns)
    return pl.DataFrame(list(known.values()))
