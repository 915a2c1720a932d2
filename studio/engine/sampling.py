"""Keeps a bounded sample of what came to each node and left it, and says which samples have changed.

Absent on purpose: choosing people anew for every node; see `studio.frames.samples`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import polars as pl

from studio.frames.few import Batch, Few, frame_of
from studio.frames.samples import SAMPLE_ROWS, read_sample, write_sample

_SMALL, _PENDING_MAX = 500, 64


class Samples:
    """Samples by name. Most batches of a long run change none, and cost a comparison each."""

    def __init__(self, kept: Mapping[str, bytes]) -> None:
        self._frames = {name: read_sample(data) for name, data in kept.items()}
        self._bounds = {name: _bound(frame) for name, frame in self._frames.items()}
        self._changed: set[str] = set()
        self._pending: dict[str, list[Batch]] = {}

    def add(self, looked: Iterable[tuple[str, Batch]]) -> None:
        """Looks at batches (name, rows): who has a smaller id than those sampled takes a place."""
        for name, given in looked:
            batch = self._fitting(name, given) if isinstance(given, Few) else given
            if batch.height > _SMALL:
                self._add(name, batch)
                continue
            # Small batches come by the thousand; they are looked at some dozens at a time.
            if not batch.height:
                continue
            pending = self._pending.setdefault(name, [])
            pending.append(batch)
            if len(pending) >= _PENDING_MAX:
                self._add_pending(name)

    def get(self, name: str) -> pl.DataFrame | None:
        """The sample of that name, None when nothing came there."""
        self._add_pending(name)
        return self._frames.get(name)

    def items(self) -> Iterable[tuple[str, pl.DataFrame]]:
        """Every sample with its name."""
        return self._frames.items()

    @property
    def have_changed(self) -> bool:
        """Whether there is something to take."""
        return bool(self._pending or self._changed)

    def take_changed(self) -> dict[str, bytes]:
        """The samples that have changed since the last call."""
        for name in list(self._pending):
            self._add_pending(name)
        changed = {name: write_sample(self._frames[name]) for name in sorted(self._changed)}
        self._changed.clear()
        return changed

    def _fitting(self, name: str, few: Few) -> Batch:
        bound = self._bounds.get(name)
        if bound is None:
            return few
        return Few(few.dtypes, [row for row in few.rows if row["instance_id"] < bound])

    def _add_pending(self, name: str) -> None:
        pending = self._pending.pop(name, None)
        if pending:
            self._add(name, pl.concat([frame_of(batch) for batch in pending], how="diagonal_relaxed"))

    def _add(self, name: str, batch: pl.DataFrame) -> None:
        ids = batch.get_column("instance_id").to_numpy()
        bound = self._bounds.get(name)
        if bound is not None:
            fits = ids < bound
            if not fits.any():
                return
            batch = batch.filter(pl.Series(fits))
        elif len(ids) > SAMPLE_ROWS:
            batch = batch[np.argpartition(ids, SAMPLE_ROWS)[:SAMPLE_ROWS]]
        known = self._frames.get(name)
        frame = batch if known is None else pl.concat([batch, known], how="diagonal_relaxed")
        frame = frame.unique("instance_id", keep="first", maintain_order=True).sort("instance_id").head(SAMPLE_ROWS)
        self._frames[name] = frame.rechunk()
        self._bounds[name] = _bound(frame)
        self._changed.add(name)


def _bound(frame: pl.DataFrame) -> int | None:
    """Ids from here on are not taken any more; None while there is room."""
    return int(frame.item(-1, "instance_id")) if frame.height >= SAMPLE_ROWS else None
