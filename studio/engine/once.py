"""Events that a run records once, however often what they tell of happens: whom a test has met it has met.

Their ids are digests of whom they are about, so that the same fact has the same id whichever visit it came from. What
was recorded before this leg is read from the log when the first such event comes, because most runs have none. Absent
on purpose: what such an id is made of (`nodes/recording.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import polars as pl

from studio.engine.idset import IdSet
from studio.frames.events import ONCE_KINDS


class Once:
    """What of `ONCE_KINDS` a run has recorded."""

    def __init__(self, recorded: Callable[[str], pl.Series]) -> None:
        """`recorded`: kind → ids (u64) of the run's events of it that the log holds."""
        self._recorded = recorded
        self._ids: IdSet | None = None

    def first(self, frames: Sequence[pl.DataFrame], kinds: Iterable[str]) -> list[pl.DataFrame]:
        """The frames (EVENT_SCHEMA, of these kinds among others) without what was recorded before."""
        if ONCE_KINDS.isdisjoint(kinds):
            return list(frames)
        if self._ids is None:
            self._ids = IdSet(pl.concat([self._recorded(kind) for kind in sorted(ONCE_KINDS)]))
        return [self._first(frame, self._ids) for frame in frames]

    @staticmethod
    def _first(frame: pl.DataFrame, known: IdSet) -> pl.DataFrame:
        is_once = frame.get_column("kind").is_in(sorted(ONCE_KINDS))
        if not is_once.any():
            return frame
        ids = frame.get_column("event_id")
        is_repeat = is_once & (known.mask(ids) | ~ids.is_first_distinct())
        known.add(ids.filter(is_once))
        return frame.filter(~is_repeat) if is_repeat.any() else frame
