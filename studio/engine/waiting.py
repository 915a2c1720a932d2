"""Instances that wait, in memory: one frame per node, so that an event meets thousands of small batches at once.

The durable batches are the truth: this is rebuilt from them when a run is resumed. Who leaves a run early is taken out
here at once and from the durable batch only when it falls due. Absent on purpose: anything durable.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from studio.engine.facts import REACHED, constant, together
from studio.engine.idset import IdSet
from studio.frames.events import AT

DUE = "due_at"
_WORK = "work_no"
_CHUNKS_MAX = 32
_PIECES_MAX = 64
_PIECE_ROWS_MIN = 256


class WaitingRoom:
    """Who waits at one node, and in which piece of work."""

    def __init__(self) -> None:
        self._frame: pl.DataFrame | None = None
        self._numbers: dict[str, int] = {}
        self._last = 0

    def add(self, work_id: str, batch: pl.DataFrame) -> None:
        """Takes in a batch with its `due_at`."""
        self._last += 1
        self._numbers[work_id] = self._last
        numbered = batch.hstack([constant(_WORK, self._last, pl.UInt32(), batch.height)])
        frame = numbered if self._frame is None or self._frame.is_empty() else together([self._frame, numbered])
        self._frame = frame.rechunk() if frame.n_chunks() > _CHUNKS_MAX else frame

    def pop(self, work_ids: Iterable[str]) -> pl.DataFrame:
        """Takes out what is left of some pieces of work: their rows, `due_at` included."""
        numbers = [self._numbers.pop(work_id) for work_id in work_ids if work_id in self._numbers]
        assert self._frame is not None, "nothing waits here"
        is_taken = pl.Series(np.isin(self._frame.get_column(_WORK).to_numpy(), numbers))
        taken, self._frame = self._frame.filter(is_taken), self._frame.filter(~is_taken)
        return _without_number(taken)

    def leave(self, gone: IdSet) -> pl.DataFrame:
        """Takes out instances that left the run, and gives their rows; who has passed a goal already stays."""
        if self._frame is None:
            return pl.DataFrame()
        leaves = is_out(self._frame, gone)
        left, self._frame = self._frame.filter(leaves), self._frame.filter(~leaves)
        return _without_number(left)

    def of_contacts(self, contact_ids: pl.Series) -> pl.DataFrame:
        """Who waits here among these contacts."""
        if self._frame is None:
            return pl.DataFrame()
        return _without_number(self._frame.filter(pl.col("contact_id").is_in(contact_ids.implode())))

    def of_instances(self, instance_ids: pl.Series) -> pl.DataFrame:
        """Who waits here among these instances."""
        if self._frame is None:
            return pl.DataFrame()
        return _without_number(self._frame.filter(pl.col("instance_id").is_in(instance_ids.implode())))

    def work_of(self, instance_ids: pl.Series) -> list[str]:
        """The pieces of work in which these instances wait."""
        if self._frame is None:
            return []
        rows = self._frame.filter(pl.col("instance_id").is_in(instance_ids.implode()))
        wanted = set(rows.get_column(_WORK).unique())
        return [work_id for work_id, number in self._numbers.items() if number in wanted]

    @property
    def contacts(self) -> pl.Series:
        """Who waits here (u32, repeats possible)."""
        return pl.Series("contact_id", [], dtype=pl.UInt32) if self._frame is None else self._frame["contact_id"]

    @property
    def count(self) -> int:
        """How many wait here."""
        return 0 if self._frame is None else self._frame.height

    @property
    def next_due(self) -> datetime | None:
        """When the first of them is due."""
        return None if self._frame is None else self._frame.get_column(DUE).min()  # pyright: ignore[reportReturnType] - a moment


def _without_number(frame: pl.DataFrame) -> pl.DataFrame:
    return pl.DataFrame([column for column in frame.get_columns() if column.name != _WORK])


def is_out(batch: pl.DataFrame, departed: IdSet) -> pl.Series:
    """Per row whether it goes no further, because the instance left the run and has not passed a goal."""
    mask = departed.mask(batch.get_column("instance_id"))
    return mask & batch.get_column(REACHED).is_null() if REACHED in batch.columns else mask


def split_by_due(batch: pl.DataFrame, step: timedelta, rows_max: int, column: str = DUE) -> list[pl.DataFrame]:
    """A batch cut into pieces that fall due together, earliest first, none above `rows_max`.

    Moments count as the same when the clock stops for them at the same multiple of `step`. When there are more than
    64 of them, pieces hold neighbouring moments: what is not yet due of a piece is put back when its first row is.
    """
    if batch.is_empty():
        return []
    ordered = batch.sort(column, maintain_order=True)
    stops = ordered.get_column(column).cast(AT).to_physical().to_numpy()
    if step:
        stops = -(-stops // (step // timedelta(microseconds=1)))
    return [ordered.slice(start, end - start) for start, end in pairwise(_cuts(stops, rows_max))]


def _cuts(stops: NDArray[np.int64], rows_max: int) -> list[int]:
    ends = [*(np.flatnonzero(np.diff(stops)) + 1).tolist(), len(stops)]
    if len(ends) > _PIECES_MAX:
        size = min(max(_PIECE_ROWS_MIN, len(stops) // _PIECES_MAX), rows_max)
        return [*range(0, len(stops), size), len(stops)]
    cuts = [0]
    for end in ends:
        cuts += range(cuts[-1] + rows_max, end, rows_max)
        cuts.append(end)
    return cuts


def first_due(batch: pl.DataFrame, column: str = DUE) -> datetime:
    """When the first row of a batch is due. The batch is not empty."""
    moment = batch.get_column(column).min()
    assert isinstance(moment, datetime), "every waiting instance has a moment"
    return moment


def last_due(batch: pl.DataFrame, column: str = DUE) -> datetime:
    """When the last row of a batch is due. The batch is not empty."""
    moment = batch.get_column(column).max()
    assert isinstance(moment, datetime), "every waiting instance has a moment"
    return moment
