"""Keeps a bounded sample of what came to each node and left it, and says which samples have changed.

Absent on purpose: choosing people anew for every node; see `studio.frames.samples`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import polars as pl

from studio.frames.few import Batch, Few, frame_of
from studio.frames.samples import SAMPLE_ROWS, read_sample, write_sample

_PENDING_MAX = 64


class Samples:
    """Samples by name. Most batches of a long run change none, and cost a comparison each."""

    def __init__(self, kept: Mapping[str, bytes]) -> None:
        self._frames = {name: read_sample(data) for name, data in kept.items()}
        self._bounds = {name: _bound(frame) for name, frame in self._frames.items()}
        self._changed: set[str] = set()
        self._pending: dict[str, list[Batch]] = {}

    def add(self, looked: Iterable[tuple[str, Batch]]) -> None:
        """Looks at batches (name, rows): who has a smaller id than those sampled takes a place."""
        for name, batch in looked:
            fitting = self._fitting(name, batch)
            if not fitting.height:
                continue
            # Putting together costs more than looking: it is done for some dozens of batches at a time.
            pending = self._pending.setdefault(name, [])
            pending.append(fitting)
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

    def _fitting(self, name: str, batch: Batch) -> Batch:
        """At most so many rows as a sample has, of those that may take a place."""
        bound = self._bounds.get(name)
        if isinstance(batch, Few):
            return batch if bound is None else Few(batch.dtypes, [r for r in batch.rows if r["instance_id"] < bound])
        ids = batch.get_column("instance_id").to_numpy()
        places = np.arange(len(ids)) if bound is None else np.flatnonzero(ids < bound)
        if len(places) > SAMPLE_ROWS:
            places = places[np.argpartition(ids[places], SAMPLE_ROWS - 1)[:SAMPLE_ROWS]]
            # They alone fill the sample, so nobody behind the last of them will get into it.
            self._bounds[name] = int(ids[places].max())
        return batch if len(places) == len(ids) else batch[places]

    def _add_pending(self, name: str) -> None:
        pending = self._pending.pop(name, None)
        if pending:
            self._add(name, pl.concat([frame_of(batch) for batch in pending], how="diagonal_relaxed"))

    def _add(self, name: str, batch: pl.DataFrame) -> None:
        known = self._frames.get(name)
        frame = batch if known is None else pl.concat([batch, known], how="diagonal_relaxed")
        frame = frame.unique("instance_id", keep="first", maintain_order=True).sort("instance_id").head(SAMPLE_ROWS)
        self._frames[name] = frame.rechunk()
        self._bounds[name] = _bound(frame)
        self._changed.add(name)


def _bound(frame: pl.DataFrame) -> int | None:
    """Ids from here on are not taken any more; None while there is room."""
    return int(frame.item(-1, "instance_id")) if frame.height >= SAMPLE_ROWS else None
