"""A checkpoint in the making: what a stage, an intake of events or a settled batch of messages changes, put together.

Work ids are digests of the work they follow from, so the same step done twice names the same work. Absent on purpose:
committing, and the absolute numbers that run events carry (`engine/memory.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl
from pydantic import JsonValue

from studio.domain.ids import stable_id
from studio.domain.node import Quarantined
from studio.domain.ports import EventCursor, RunRow, Work, WorkKind
from studio.domain.run import RunEventKind, RunState
from studio.engine.facts import message_ids, outbox_ids, tidy, visited_ids
from studio.engine.stage import Again, Stage
from studio.engine.tally import Tally, Trouble
from studio.engine.waiting import first_due, split_by_due
from studio.frames.events import OUTBOX_PLAN_SCHEMA
from studio.frames.few import Batch
from studio.frames.moves import Moved

Fact = tuple[str | None, RunEventKind, dict[str, JsonValue]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many rows one piece of work holds. `due_step`: instances whose moments lie in one such span wait together.

    `send` is what is composed and settled at once; simulated messages cost nothing, so they go in larger pieces.
    """

    chunk: int = 50_000
    send: int = 500
    simulated: int = 10_000
    due_step: timedelta = timedelta(minutes=1)


class Draft:
    """Collects changes. `consumed` is the work they follow from, `salt` tells apart what follows from none."""

    def __init__(
        self, run: RunRow, now: datetime, sizes: Sizes, *, consumed: Sequence[str] = (), salt: object = ""
    ) -> None:
        self.run = run
        self.now = now
        self.sizes = sizes
        self.done: list[str] = list(consumed)
        self._salt = (salt, *sorted(consumed))
        self.work: list[Work] = []
        self.frames: dict[str, pl.DataFrame] = {}
        self.events: list[pl.DataFrame] = []
        self.kinds: set[str] = set()
        self.outbox: list[pl.DataFrame] = []
        self.entries: list[pl.DataFrame] = []
        self.departed: list[pl.Series] = []
        self.changes: list[pl.DataFrame] = []
        self.dropped: list[pl.Series] = []
        self.quarantined: dict[str, list[Quarantined]] = {}
        self.tallies: dict[str, Tally] = {}
        self.troubles: list[Trouble] = []
        self.messages: dict[str, Counter[str]] = {}
        self.waiting_changed: set[str] = set()
        self.facts: list[Fact] = []
        self.cursors: dict[str, EventCursor] = {}
        self.state: RunState | None = None
        self.broken: Trouble | None = None
        self.moved: list[Moved] = []
        self.keeps: dict[str, bytes] = {}
        self.looked: list[tuple[str, Batch]] = []
        self.notes: dict[str, str] = {}

    def add(
        self,
        node_id: str,
        kind: WorkKind,
        batch: pl.DataFrame | None = None,
        *,
        due_at: datetime | None = None,
        attempt: int = 1,
        cursor: str | None = None,
    ) -> Work:
        """Adds one piece of work that follows. Its batch becomes bytes when it is committed, if it is still there."""
        work = Work(
            id=stable_id(self.run.run_id, node_id, kind, len(self.work), *self._salt),
            run_id=self.run.run_id,
            node_id=node_id,
            kind=kind,
            due_at=due_at,
            rows=0 if batch is None else batch.height,
            cursor=cursor,
            attempt=attempt,
        )
        self.work.append(work)
        if batch is not None:
            self.frames[work.id] = batch
        return work

    def add_waiting(self, node_id: str, batch: pl.DataFrame, attempt: int = 1) -> None:
        """Lets instances wait at a node until their `due_at`."""
        self.waiting_changed.add(node_id)
        for piece in split_by_due(batch, self.sizes.due_step, self.sizes.chunk):
            self.add(node_id, "resume", piece, due_at=first_due(piece), attempt=attempt)

    def add_inbox(self, node_id: str, events: pl.DataFrame) -> None:
        """Lets simulated contact events (EVENT_SCHEMA) happen when their `occurred_at` comes."""
        for piece in split_by_due(events, self.sizes.due_step, self.sizes.chunk, column="occurred_at"):
            self.add(node_id, "inbox", piece, due_at=first_due(piece, "occurred_at"))

    def record(self, events: pl.DataFrame, kind: str | None = None) -> None:
        """Adds contact events (EVENT_SCHEMA), all of one kind when it is named."""
        if events.height:
            self.events.append(events)
            self.kinds.update((kind,) if kind else events.get_column("kind").unique())

    def plan_messages(self, node_id: str, batch: pl.DataFrame, sender_address: str) -> None:
        """Plans one message per instance; outside of simulations it gets its row in the ledger."""
        ids = outbox_ids(self.run.run_id, node_id, visited_ids(batch))
        batch = batch.hstack([ids, message_ids(ids, sender_address)])
        is_simulated = self.run.mode == "simulate"
        if not is_simulated:
            self.outbox.append(batch.select(pl.lit(node_id).alias("node_id"), *_PLANNED).select(*OUTBOX_PLAN_SCHEMA))
        size = self.sizes.simulated if is_simulated else self.sizes.send
        for part in batch.iter_slices(size):
            self.add(node_id, "send", part)
        self.count(node_id, planned=batch.height)

    def count(self, node_id: str, **changes: int) -> None:
        """Changes the numbers of messages by state."""
        counter = self.messages.setdefault(node_id, Counter())
        for state, change in changes.items():
            counter[state] += change

    def tell(self, node_id: str | None, kind: RunEventKind, payload: Mapping[str, JsonValue]) -> None:
        """Adds a run event."""
        self.facts.append((node_id, kind, dict(payload)))

    def take_over(self, stage: Stage, sender_address: str) -> None:
        """Everything a stage has done."""
        self._drop(stage)
        for node_id, batches in sorted(stage.waiting.items()):
            for batch in batches:
                self.add_waiting(node_id, batch)
        for node_id, batches in sorted(stage.sends.items()):
            for batch in batches:
                self.plan_messages(node_id, batch, sender_address)
        self._put_aside(stage)
        for again in stage.again:
            self._try_again(again)
        for kept in stage.kept:
            self.add(kept.node_id, "failed", kept.batch, cursor=kept.kind)
        for events in stage.events:
            self.record(events)
        for node_id, items in stage.quarantined.items():
            self.quarantined.setdefault(node_id, []).extend(items)
        self.moved += stage.moved
        self.looked += stage.looked
        self.changes += [] if self.run.mode == "simulate" else stage.changes
        self.notes |= stage.notes
        self.tallies.update(stage.tallies)
        self.troubles += stage.troubles
        if stage.rearmed:
            self._rearm(pl.concat(stage.rearmed))
        self.broken = stage.broken or self.broken

    def _drop(self, stage: Stage) -> None:
        dropped = [stage.dropped(entries) for entries in self.entries]
        self.dropped += [ids for ids in dropped if ids.len()]

    def _put_aside(self, stage: Stage) -> None:
        for held in stage.guard.held if stage.guard is not None else ():
            self.add(held.node_id, "arrive", tidy(held.batch), attempt=held.attempt, cursor=held.cursor)

    def _try_again(self, again: Again) -> None:
        if again.kind == "resume":
            moment = pl.lit(again.due_at).cast(again.batch.schema["due_at"]).alias("due_at")
            self.add_waiting(again.node_id, again.batch.with_columns(moment), again.attempt)
        else:
            self.add(again.node_id, "arrive", again.batch, due_at=again.due_at, attempt=again.attempt)

    def _rearm(self, rows: pl.DataFrame) -> None:
        """Entries with new arms; where an instance was met several times in the stage, the longest."""
        longest = rows.sort(pl.col("arms").str.len_bytes(), descending=True, maintain_order=True)
        self.entries.append(longest.unique("instance_id", keep="first", maintain_order=True))


_PLANNED = tuple(name for name in OUTBOX_PLAN_SCHEMA if name != "node_id")
