"""Several drafts committed as one checkpoint; what one makes and a later one consumes is never written at all.

A run that acts outward commits each draft. A simulated one, whose every step can be done again, gathers a fifth of a
second's worth: a month of carts then costs some hundred transactions instead of ten thousand. Absent on purpose: when
to commit (`engine/memory.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import polars as pl

from studio.domain.node import Quarantined
from studio.domain.ports import Checkpoint, EventCursor, Work
from studio.domain.run import RunEvent, RunState
from studio.engine.draft import Draft
from studio.frames.events import empty_events
from studio.frames.instances import to_bytes
from studio.frames.moves import Moved, write_moves


class Bundle:
    """Changes of one run, in the order they happened."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._at: datetime | None = None
        self._done: list[str] = []
        self._work: dict[str, Work] = {}
        self._frames: dict[str, pl.DataFrame] = {}
        self._events: list[pl.DataFrame] = []
        self._outbox: list[pl.DataFrame] = []
        self._entries: list[pl.DataFrame] = []
        self._departed: list[pl.Series] = []
        self._changes: list[pl.DataFrame] = []
        self._dropped: list[pl.Series] = []
        self._quarantined: dict[str, list[Quarantined]] = {}
        self._cursors: dict[str, EventCursor] = {}
        self._state: RunState | None = None
        self._moved: list[tuple[Moved, datetime, bool]] = []
        self._keeps: dict[str, bytes] = {}
        self.kinds: set[str] = set()
        self.rows = 0
        self.run_events: list[RunEvent] = []

    def add(self, draft: Draft, run_events: Sequence[RunEvent], *, by_instance: bool) -> None:
        """Adds a draft that has been applied to memory. `by_instance`: contacts alone do not name instances."""
        self._at = draft.now
        for work_id in draft.done:
            self._frames.pop(work_id, None)
            if self._work.pop(work_id, None) is None:
                self._done.append(work_id)
        self._work.update((work.id, work) for work in draft.work)
        self._frames.update(draft.frames)
        self._events += draft.events
        self._outbox += draft.outbox
        self._entries += draft.entries
        self._departed += draft.departed
        self._changes += draft.changes
        self._dropped += draft.dropped
        self._moved += [(moved, draft.now, by_instance) for moved in draft.moved]
        self._keeps |= draft.keeps
        for node_id, items in draft.quarantined.items():
            self._quarantined.setdefault(node_id, []).extend(items)
        self._cursors.update(draft.cursors)
        self._state = draft.state or self._state
        self.kinds |= draft.kinds
        written = sum(frame.height for frame in (*draft.frames.values(), *draft.events, *draft.entries))
        # Who ends in a stage leaves nothing to write, and would all the same have to go through it again after a kill.
        self.rows += max(written, *(tally.arrived for tally in draft.tallies.values()), 0)
        self.run_events += run_events

    @property
    def work_ids(self) -> Iterable[str]:
        """The work that is new in it."""
        return self._work

    def events(self, kinds: Iterable[str]) -> pl.DataFrame:
        """The contact events of some kinds (EVENT_SCHEMA)."""
        wanted = list(kinds)
        if self.kinds.isdisjoint(wanted):
            return empty_events()
        return pl.concat([empty_events(), *self._events]).filter(pl.col("kind").is_in(wanted))

    def checkpoint(self) -> Checkpoint:
        """All of it. Encodes the batches, so it is best called in the thread that commits."""
        assert self._at is not None, "a bundle is committed once something is in it"
        frames = self._frames
        work = [replace(w, batch=to_bytes(frames[w.id])) if w.id in frames else w for w in self._work.values()]
        return Checkpoint(
            run_id=self._run_id,
            at=self._at,
            done=tuple(self._done),
            work=tuple(work),
            events=_joined(self._events),
            outbox=_joined(self._outbox),
            entries=_joined(self._entries),
            departed=_ids(self._departed),
            dropped=_ids(self._dropped),
            changes=_joined(self._changes),
            run_events=tuple(self.run_events),
            quarantined=self._quarantined,
            cursors=self._cursors,
            moves=b"".join(write_moves(moved, at, by_instance=keyed) for moved, at, keyed in self._moved),
            keeps=self._keeps,
            state=self._state,
        )


def _ids(series: Sequence[pl.Series]) -> pl.DataFrame | None:
    return pl.DataFrame({"instance_id": pl.concat(series)}) if series else None


def _joined(frames: Sequence[pl.DataFrame]) -> pl.DataFrame | None:
    full = [frame for frame in frames if frame.height]
    return pl.concat(full) if full else None
