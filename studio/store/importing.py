"""Events from outside, in any number: each once, all of them or none, in bounded memory.

Segments are written while frames come in; one short transaction at the end makes them count, so that a running
workflow is hardly held up. Absent on purpose: reading files and matching people, which the workspace does.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

import numpy as np
import polars as pl

from studio.frames.events import as_events
from studio.store.database import Database
from studio.store.log import SEGMENT_ROWS_MIN, EventLog, contains, runs_in, without_repeats
from studio.store.rollups import Counted
from studio.store.segments import Segment, Written

SEGMENT_ROWS = 200_000
REQUIRED = ("event_id", "occurred_at", "kind", "contact_id")


@dataclass(frozen=True, slots=True)
class ImportReport:
    """How many events were new, and how many the log or the import itself held already (by `event_id`)."""

    accepted: int
    duplicates: int


class Importer:
    """Imports one stream of frames at a time."""

    def __init__(self, database: Database, log: EventLog) -> None:
        self._database = database
        self._log = log
        self._lock = threading.Lock()

    def import_events(self, frames: Iterable[pl.DataFrame], source: str) -> ImportReport:
        """Adds events (EVENT_SCHEMA; all but `event_id`, `occurred_at`, `kind`, `contact_id` may be missing or null).

        Whatever `frames` raises comes out unchanged and nothing has been added. Memory: one segment's rows and
        8 bytes an event; disk while it lasts: what the segments take.
        """
        coming = iter(frames)
        first: list[pl.DataFrame] = []
        while sum(frame.height for frame in first) < SEGMENT_ROWS_MIN:
            frame = next(coming, None)
            if frame is None:
                return self._append(pl.concat(first)) if first else ImportReport(0, 0)
            first.append(_checked(frame))
        with self._lock:
            batch = _Batch(self._log)
            try:
                for frame in chain(first, coming):
                    batch.add(frame)
                return self._commit(batch, source)
            except BaseException:
                if not batch.adopted:  # from then on the transaction decides about the files
                    for written in batch.written:
                        written.path.unlink(missing_ok=True)
                raise

    def _append(self, events: pl.DataFrame) -> ImportReport:
        """A few events go to the tail as a run's own do: one that happens now must not cost a look at all others."""
        with self._lock:
            values, runs = events.get_column("event_id").to_numpy(), runs_in(events)
            near = [segment for segment in self._log.state().segments if not runs.isdisjoint(segment.runs)]
            is_known = np.zeros(len(values), dtype=bool)
            for ids in self._log.known_ids(near):
                is_known |= contains(ids, values)
            fresh = events.filter(~is_known) if is_known.any() else events
            with self._database.write() as connection:
                accepted = self._log.append(connection, fresh)
        return ImportReport(accepted, events.height - accepted)

    def _commit(self, batch: _Batch, source: str) -> ImportReport:
        rest = batch.rest()
        with self._database.write() as connection:
            if batch.written:
                seq = self._log.next_batch(connection)
                batch.adopted = True
                self._log.adopt(connection, batch.written, seq, source=source)
                batch.counted.save(connection)
            # Numbered after the segments; a reader that has come so far looks at both.
            self._log.append(connection, rest)
        return ImportReport(batch.accepted, batch.duplicates)


class _Batch:
    """What an import has taken in so far."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._segments = log.state().segments
        self._known = _Ids()
        self._loaded: set[int] = set()
        self._waiting: list[pl.DataFrame] = []
        self.written: list[Written] = []
        self.adopted = False
        self.counted = Counted()
        self.accepted = 0
        self.duplicates = 0
        tail = log.state().tail
        self._known.add(tail.get_column("event_id").to_numpy())

    def add(self, frame: pl.DataFrame) -> None:
        events = _checked(frame)
        self._load(runs_in(events))
        fresh = without_repeats(events)
        values = fresh.get_column("event_id").to_numpy()
        known = self._known.contain(values)
        fresh = fresh.filter(~known) if known.any() else fresh
        self._known.add(values[~known])
        self.accepted += fresh.height
        self.duplicates += events.height - fresh.height
        self._waiting.append(fresh)
        while sum(part.height for part in self._waiting) >= SEGMENT_ROWS:
            rows = pl.concat(self._waiting)
            self._write(rows.head(SEGMENT_ROWS))
            self._waiting = [rows.slice(SEGMENT_ROWS)]

    def rest(self) -> pl.DataFrame | None:
        """The last rows when they are too few for a segment."""
        rows = pl.concat(self._waiting) if self._waiting else None
        if rows is not None and rows.height >= SEGMENT_ROWS_MIN:
            self._write(rows)
            return None
        return rows

    def _write(self, rows: pl.DataFrame) -> None:
        self.written.append(self._log.write(rows, self.counted))

    def _load(self, runs: set[str]) -> None:
        near: list[Segment] = [s for s in self._segments if s.id not in self._loaded and not runs.isdisjoint(s.runs)]
        for segment, ids in zip(near, self._log.known_ids(near), strict=True):
            self._known.add(ids)
            self._loaded.add(segment.id)


def _checked(frame: pl.DataFrame) -> pl.DataFrame:
    events = as_events(frame)
    missing = [name for name in REQUIRED if events.get_column(name).null_count()]
    assert not missing, f"imported events lack {missing}"
    return events


class _Ids:
    """A growing set of u64: sorted arrays, each at least twice as long as the next, so that there are few."""

    def __init__(self) -> None:
        self._arrays: list[np.ndarray] = []

    def add(self, values: np.ndarray) -> None:
        if not len(values):
            return
        self._arrays.append(np.sort(values))
        while len(self._arrays) > 1 and len(self._arrays[-2]) < 2 * len(self._arrays[-1]):
            last = self._arrays.pop()
            self._arrays[-1] = np.sort(np.concatenate([self._arrays[-1], last]), kind="stable")

    def contain(self, values: np.ndarray) -> np.ndarray:
        found = np.zeros(len(values), dtype=bool)
        for known in self._arrays:
            found |= contains(known, values)
        return found
