"""A dry run: whom a workflow would reach, what it would send and whom it would hold back, if nobody reacted.

Everybody is taken through at once, waits are jumped over, every message is really written and judged by the gate at the
moment it would go out, and nothing is kept: no store is written, no connector touched. Absent on purpose: what people
would do (that is a simulation).
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import polars as pl

from studio.domain.node import Answered, EventTrigger, Joins, Paced, Source
from studio.domain.ports import Contacts, Events, RunRow
from studio.engine.composing import compose
from studio.engine.desk import Desk
from studio.engine.facts import contact_events, message_ids, outbox_ids, tidy, together, visited_ids
from studio.engine.intake import instances_of
from studio.engine.joining import Edge, Joining, Met
from studio.engine.plan import Plan, Step, sent_kind
from studio.engine.settling import BLOCKED_PORT
from studio.engine.stage import Stage
from studio.engine.tally import Trouble
from studio.frames.events import empty_events

CHUNK = 50_000
WRITTEN_MAX = 5_000
"""Messages of one step that are really written; of more a fair sample is, and the rest is told from it."""
HISTORY = timedelta(days=30)
HORIZON = timedelta(days=400)
_TURNS_MAX = 100_000


@dataclass(slots=True)
class StepAhead:
    """What would happen at a step: instances."""

    came: int = 0
    left: Counter[str] = field(default_factory=Counter)
    first_at: datetime | None = None
    last_at: datetime | None = None
    troubles: list[Trouble] = field(default_factory=list)


@dataclass(slots=True)
class MessagesAhead:
    """What a send step would do. `blocked` and `deferred`: reason → people; `failed`: code → people; `words`: reason or
    code → what it means. `is_estimated`: told from a sample of them.
    """

    messages: int = 0
    blocked: Counter[str] = field(default_factory=Counter)
    deferred: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    words: dict[str, str] = field(default_factory=dict)
    first_at: datetime | None = None
    last_at: datetime | None = None
    contacts: list[int] = field(default_factory=list)
    is_estimated: bool = False


@dataclass(slots=True)
class Rehearsed:
    """The whole dry run. `from_history`: triggers whose entries are those of the last 30 days, as if they came now."""

    entered: int = 0
    steps: dict[str, StepAhead] = field(default_factory=dict)
    messages: dict[str, MessagesAhead] = field(default_factory=dict)
    from_history: list[str] = field(default_factory=list)
    ends_at: datetime | None = None


class Rehearsal:
    """One dry run. Reads people and events as they are now; `tick` is a stopwatch."""

    def __init__(
        self,
        run: RunRow,
        plan: Plan,
        *,
        contacts: Contacts,
        events: Events,
        make_desk: Callable[..., Desk],
        tick: Callable[[], float],
    ) -> None:
        self._run = run
        self._plan = plan
        self._now = run.started_at
        self._tick = tick
        self._recorded: list[pl.DataFrame] = []
        self._notes: dict[str, str] = {}
        self._joins = Joining(plan, run.run_id)
        self._waiting: dict[str, pl.DataFrame] = {}
        self._later: list[tuple[datetime, int, int, str, str, pl.DataFrame]] = []
        self._numbers = itertools.count()
        self._desk = make_desk(run, plan, contacts, events, self._unwritten, notes=self._notes, standing=self._standing)
        self._events = events
        self.result = Rehearsed()

    async def go(self) -> Rehearsed:
        """Takes everybody through. O(people · steps), and the writing of at most 5,000 messages per send step."""
        for step in self._plan.sources:
            await self._produce(step)
        for step in self._plan.triggers:
            await self._trigger(step)
        end = self._run.started_at + HORIZON
        for _ in range(_TURNS_MAX):
            if not self._later or self._later[0][0] > end:
                break
            await self._turn()
        self.result.ends_at = self._now
        return self.result

    async def _produce(self, step: Step) -> None:
        source, cursor = step.node, None
        assert isinstance(source, Source), "only sources produce"
        while True:
            entering, cursor = await source.produce(cursor, CHUNK, self._desk.at(self._now).context(step.id))
            await self._enter(step, entering)
            # What a schedule lets in later is the same again; one round is shown.
            if cursor is None or (isinstance(source, Paced) and source.due(cursor) is not None):
                return

    async def _trigger(self, step: Step) -> None:
        """Events of the last weeks, as if they happened now: how many would come in such a time."""
        trigger = step.node
        assert isinstance(trigger, EventTrigger), "the plan lists triggers only"
        since = self._now - HISTORY
        seen = self._events.at(self._now).rows(trigger.event_kinds(), since=since)
        context = replace(self._desk.at(self._now).context(step.id), started_at=since, earlier_runs=())
        # An event that becomes known too late starts nothing, so each day is shown as if it had just gone by.
        days = seen.with_columns(day=pl.col("occurred_at").dt.date()).partition_by("day", maintain_order=True)
        parts = [
            await trigger.enter(day.drop("day"), replace(context, now=day.get_column("occurred_at").max()))
            for day in days
        ]
        found = [part for part in parts if part.height]
        self.result.from_history.append(step.id)
        if found:
            entries = together(found).drop("entered_at", strict=False)
            keep = [name for name in ("contact_id", "key", "occurrence") if name in entries.columns]
            await self._enter(step, entries.unique(keep, keep="first", maintain_order=True))

    async def _enter(self, step: Step, entering: pl.DataFrame) -> None:
        if entering.is_empty():
            return
        batch = instances_of(self._run.run_id, entering, self._now)
        batch = batch.unique("instance_id", keep="first", maintain_order=True)
        self.result.entered += batch.height
        stage = self._stage()
        stage.tally(step.id).arrived += batch.height
        if step.main_port is not None:
            stage.leave(step, step.main_port, batch)
        await self._finish(stage)

    async def _turn(self) -> None:
        due_at, _, _, kind, node_id, batch = heapq.heappop(self._later)
        while self._later and self._later[0][0] <= due_at and self._later[0][3:5] == (kind, node_id):
            batch = together([batch, heapq.heappop(self._later)[5]])
        self._now = max(self._now, due_at)
        step, stage = self._plan.steps[node_id], self._stage()
        if kind == "send":
            await self._send(step, batch, stage)
        elif kind == "arrive":
            stage.arrive(node_id, batch)
        else:
            await self._resume(step, batch, stage)
        await self._finish(stage)

    async def _resume(self, step: Step, batch: pl.DataFrame, stage: Stage) -> None:
        if isinstance(step.node, Joins):
            here = self._waiting.get(step.id, batch.clear())
            batch = batch.filter(pl.col("instance_id").is_in(here.get_column("instance_id").implode()))
            self._joins.note_left(step.id, batch)
        if batch.height:
            await stage.visit(step, batch, is_back=True)

    async def _send(self, step: Step, batch: pl.DataFrame, stage: Stage) -> None:
        ahead = self.result.messages.setdefault(step.id, MessagesAhead())
        written, rest = _fair_part(batch, WRITTEN_MAX)
        ids = outbox_ids(self._run.run_id, step.id, visited_ids(written))
        planned = written.hstack([ids, message_ids(ids, self._desk.sender.address)])
        answer = await compose(step, planned, self._desk.at(self._now).context(step.id))
        ahead.is_estimated = ahead.is_estimated or bool(rest.height)
        scale = batch.height / max(written.height, 1)
        later = {held.instance_id: held.until for held in answer.blocked if held.until is not None}
        stopped = {held.instance_id for held in answer.blocked if held.until is None}
        lost = {instance for instance, _, _ in answer.failed} | {instance for instance, _ in answer.later}
        ahead.messages += round(len(answer.letters) * scale)
        for held in answer.blocked:
            counter = ahead.blocked if held.until is None else ahead.deferred
            counter[held.reason] += 1 if scale == 1 else round(scale)
            ahead.words.setdefault(held.reason, held.message)
        for _, code, message in answer.failed:
            ahead.failed[code] += 1 if scale == 1 else round(scale)
            ahead.words.setdefault(code, message)
        if answer.letters:
            ahead.first_at, ahead.last_at = ahead.first_at or self._now, self._now
            ahead.contacts += [letter.contact_id for letter in answer.letters][: 10 - len(ahead.contacts)]
        await self._part(step, batch, stage, stopped=stopped, lost=lost, later=later)

    async def _part(
        self,
        step: Step,
        batch: pl.DataFrame,
        stage: Stage,
        *,
        stopped: set[int],
        lost: set[int],
        later: dict[int, datetime],
    ) -> None:
        """Lets those who were written to and those who may not be go their ways; others wait for their moment."""
        people = batch.get_column("instance_id")
        fate = pl.Series([_fate(instance, stopped, lost, later) for instance in people], dtype=pl.String)
        sent = batch.filter(fate == "sent")
        if sent.height:
            run_id = self._run.run_id
            self._recorded.append(
                contact_events(tidy(sent), run_id=run_id, node_id=step.id, kind=sent_kind(step), at=self._now)
            )
        blocked_port = BLOCKED_PORT if BLOCKED_PORT in step.ports else step.main_port
        if isinstance(step.node, Answered):
            await stage.answered(step, sent, None)
        elif step.main_port is not None:
            stage.leave(step, step.main_port, sent)
        if blocked_port is not None:
            stage.leave(step, blocked_port, batch.filter(fate == "stopped"))
        waiting = batch.filter(fate == "later")
        for until in sorted(set(later.values())):
            mine = pl.Series([later.get(instance) == until for instance in waiting.get_column("instance_id")])
            self._push(max(until, self._now + timedelta(seconds=1)), "send", step.id, waiting.filter(mine))

    async def _finish(self, stage: Stage) -> None:
        await stage.run()
        for node_id, batches in stage.waiting.items():
            for batch in batches:
                self._wait(node_id, batch)
        for node_id, batches in stage.sends.items():
            for batch in batches:
                self._push(self._now, "send", node_id, batch)
        for again in stage.again:
            self._push(again.due_at, again.kind, again.node_id, again.batch)
        self._notes.update(stage.notes)
        for node_id, tally in stage.tallies.items():
            ahead = self.result.steps.setdefault(node_id, StepAhead())
            ahead.came += tally.arrived
            ahead.left.update(tally.out)
            ahead.first_at, ahead.last_at = ahead.first_at or self._now, self._now
        for trouble in stage.troubles:
            self.result.steps.setdefault(trouble.node_id, StepAhead()).troubles.append(trouble)

    def _wait(self, node_id: str, batch: pl.DataFrame) -> None:
        if isinstance(self._plan.steps[node_id].node, Joins):
            here = self._waiting.get(node_id)
            self._waiting[node_id] = batch if here is None else together([here, batch])
        for (due_at,), part in batch.partition_by("due_at", as_dict=True).items():
            assert isinstance(due_at, datetime), "who waits has a moment"
            self._push(due_at, "resume", node_id, part)

    def _meet(self, step: Step, arrivals: Sequence[tuple[Edge, pl.DataFrame]]) -> Met:
        ids = pl.concat([batch.get_column("instance_id") for _, batch in arrivals]).unique()
        here = self._waiting.get(step.id)
        waiting = pl.DataFrame() if here is None else here.filter(pl.col("instance_id").is_in(ids.implode()))
        if here is not None:
            self._waiting[step.id] = here.filter(~pl.col("instance_id").is_in(ids.implode()))
        met = self._joins.meet(step, arrivals, waiting, self._now)
        if met.out.height:
            self._joins.note_left(step.id, met.out)
        return met

    def _push(self, due_at: datetime, kind: str, node_id: str, batch: pl.DataFrame) -> None:
        if batch.height:
            order = self._plan.steps[node_id].order
            heapq.heappush(self._later, (due_at, order, next(self._numbers), kind, node_id, batch))

    def _stage(self) -> Stage:
        stage = Stage(self._plan, self._desk.at(self._now).context, self._now, self._tick)
        stage.meet = self._meet
        return stage

    def _unwritten(self, kinds: Sequence[str]) -> pl.DataFrame:
        found = [frame.filter(pl.col("kind").is_in(list(kinds))) for frame in self._recorded]
        return pl.concat([empty_events(), *found])

    def _standing(self) -> pl.Series:
        return pl.Series("contact_id", [], dtype=pl.UInt32)


def _fate(instance: int, stopped: set[int], lost: set[int], later: dict[int, datetime]) -> str:
    if instance in lost:
        return "lost"
    if instance in stopped:
        return "stopped"
    return "later" if instance in later else "sent"


def _fair_part(batch: pl.DataFrame, rows_max: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """At most so many rows, those with the smallest ids (digests, so a fair sample), and the others."""
    if batch.height <= rows_max:
        return batch, batch.clear()
    bound = batch.get_column("instance_id").sort()[rows_max - 1]
    is_in = pl.col("instance_id") <= bound
    return batch.filter(is_in), batch.filter(~is_in)
