"""Doing one command of the scheduler: a stage is run, a batch is sent, events are shown; what came of it is committed.

Absent on purpose: deciding what is next, and what follows when a step is broken (`engine/leg.py`).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias

import polars as pl

from studio.domain.errors import Corrupt, StudioError, Transient
from studio.domain.node import Joins, Paced, Source
from studio.domain.ports import Events, Runs, Simulator, Work
from studio.engine.attempts import reason_of
from studio.engine.book import Dispatched
from studio.engine.breakpoints import Hit
from studio.engine.clocks import RunClock
from studio.engine.control import Control
from studio.engine.desk import Desk
from studio.engine.draft import Draft
from studio.engine.facts import chance, contact_events, tidy, together
from studio.engine.guard import RELEASED, Guard, edge_of
from studio.engine.intake import let_in, meet, take_entering, take_matching
from studio.engine.memory import RunMemory
from studio.engine.outbox import Outward, dispatch
from studio.engine.plan import Step, carrier_of
from studio.engine.scheduler import Do, Moved, ReaderName, Returned, Seen
from studio.engine.sessions import Connections, Unreachable
from studio.engine.settling import settle, untouched
from studio.engine.simulation import goal_kind, happen, pretend, simulation_context, still_true
from studio.engine.stage import Stage
from studio.engine.tally import Contexts, Trouble
from studio.engine.waiting import is_out
from studio.frames.facts import rules_hold
from studio.frames.moves import ENDED
from studio.frames.moves import Moved as Way

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stopped:
    """Sending had to stop: the run pauses with this problem."""

    trouble: Trouble


@dataclass(frozen=True, slots=True)
class Broken:
    """A step does not work: the run fails with this problem."""

    trouble: Trouble


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Breakpoints were reached: the run pauses."""

    hits: tuple[Hit, ...]


Ending: TypeAlias = Stopped | Broken | Interrupted


class Deeds:
    """Does what the scheduler says, for one leg of one run."""

    def __init__(
        self,
        memory: RunMemory,
        desk: Desk,
        *,
        runs: Runs,
        events: Events,
        simulator: Simulator,
        connections: Mapping[str, Connections],
        clock: RunClock,
        control: Control,
        stop_words: Callable[[], str],
        tick: Callable[[], float],
    ) -> None:
        self._memory = memory
        self._desk = desk
        self._runs = runs
        self._events = events
        self._simulator = simulator
        self._connections = connections
        self._clock = clock
        self._control = control
        self._stop_words = stop_words
        self._tick = tick

    async def do(self, command: Do) -> Ending | None:
        """Does one piece of work, or several of a kind together. Says so when the run cannot simply go on."""
        if command.kind == "inbox":
            return await self._happen(command)
        step = self._memory.plan.steps[command.node_id]
        match command.kind:
            case "produce":
                return await self._produce(step, command)
            case "arrive":
                return await self._arrive(step, command)
            case "resume":
                return await self._resume(step, command)
            case _:
                return await self._send(step, command)

    async def take(self, reader: ReaderName) -> Ending | None:
        """Shows a reader what has happened since it last looked."""
        memory = self._memory
        plan, now = memory.plan, memory.scheduler.now
        kinds = plan.trigger_kinds if reader == "enter" else plan.match_kinds
        await memory.written(kinds)
        events, cursor = self._events.new(memory.cursors[reader], now, kinds)
        broken = None
        if events.height:
            stage = self._stage()
            if reader == "enter":
                draft = await take_entering(memory, stage, self._contexts(), events, cursor)
                self._organic(draft)
            else:
                draft = take_matching(memory, stage, self._contexts(), events, cursor)
            broken = await self._finish(stage, draft)
        else:
            # Not worth a commit: whoever reads again from the older cursor finds as little.
            memory.cursors[reader] = cursor
        memory.scheduler.tell(Seen(reader, self._events.next_at(cursor, kinds), bool(events.height)))
        return broken

    async def _produce(self, step: Step, command: Do) -> Ending | None:
        source, memory = step.node, self._memory
        assert isinstance(source, Source), "only sources produce"
        (work,) = (memory.scheduler.work(work_id) for work_id in command.ids)
        stage, draft = self._stage(), memory.draft(command.ids)
        began = self._tick()
        try:
            entering, cursor = await source.produce(work.cursor, memory.sizes.chunk, self._contexts()(step.id))
        except Corrupt:
            raise
        except Exception as error:
            if not isinstance(error, Transient):
                log.exception("the source %s failed", step.id)
            return await self._produce_later(step, work, error, draft)
        stage.tally(step.id).duration_ms += (self._tick() - began) * 1_000
        if entering.height:
            let_in(memory, draft, stage, step, entering)
            self._organic(draft)
        if cursor is not None:
            due_at = source.due(cursor) if isinstance(source, Paced) else None
            draft.add(step.id, "produce", cursor=cursor, due_at=due_at)
        elif stage.guard is not None:
            stage.guard.visited(step, stage.tally(step.id), 0)
        return await self._finish(stage, draft)

    async def _produce_later(self, step: Step, work: Work, error: Exception, draft: Draft) -> Broken | None:
        drawn = chance(f"{self._memory.run.run_id}|{step.id}|{work.attempt}", 0)
        due_at = step.retry.again_at(draft.now, work.attempt, drawn, error)
        if due_at is None:
            return await self._give_up(work, Trouble(step.id, *reason_of(error), action="retry"))
        draft.add(step.id, "produce", cursor=work.cursor, due_at=due_at, attempt=work.attempt + 1)
        await self._memory.commit(draft)
        return None

    async def _give_up(self, work: Work, trouble: Trouble) -> Broken:
        """The source's work stays, so that the run goes on there when it is resumed."""
        self._memory.scheduler.tell(Returned([work.id]))
        draft = self._memory.draft()
        draft.troubles.append(trouble)
        await self._memory.commit(draft)
        return Broken(trouble)

    async def _arrive(self, step: Step, command: Do) -> Ending | None:
        stage, draft = self._stage(visits=1), self._memory.draft(command.ids)
        batches = self._memory.batch(command.ids)
        cursors = [self._memory.scheduler.work(work_id).cursor for work_id in command.ids]
        for cursor, batch in zip(cursors, batches, strict=True):
            if stage.guard is not None and (cursor or "").startswith(RELEASED):
                stage.guard.release(step.id, batch)
            if edge := edge_of(cursor):
                stage.came_by(step.id, edge, batch)
        batch = together(batches)
        stage.arrive(step.id, batch.filter(~is_out(batch, self._memory.departed)), command.attempt)
        return await self._finish(stage, draft)

    async def _resume(self, step: Step, command: Do) -> Ending | None:
        stage, draft = self._stage(), self._memory.draft(command.ids)
        rows = self._memory.room(step.id).pop(command.ids)
        draft.waiting_changed.add(step.id)
        is_due = rows.get_column("due_at") <= draft.now
        draft.add_waiting(step.id, rows.filter(~is_due), command.attempt)
        due = rows.filter(is_due)
        if step.role != "goal":
            due = self._without_leaving(draft, step, due)
        if due.height and isinstance(step.node, Joins):
            self._memory.joins.note_left(step.id, due)
        if due.height:
            await stage.visit(step, due, command.attempt, is_back=True)
            if stage.guard is not None:
                stage.guard.visited(step, stage.tally(step.id), stage.failed_at(step.id))
        return await self._finish(stage, draft)

    async def _happen(self, command: Do) -> None:
        """What the simulated audience does, also about a step that the run's version no longer has."""
        memory, draft = self._memory, self._memory.draft(command.ids)
        events = pl.concat(memory.batch(command.ids))
        is_due = events.get_column("occurred_at") <= draft.now
        draft.record(still_true(events.filter(is_due), goal_kind(memory.plan), memory.converted))
        draft.add_inbox(command.node_id, events.filter(~is_due))
        await memory.commit(draft)

    async def _send(self, step: Step, command: Do) -> Ending | None:
        memory = self._memory
        standing = together(memory.batch(command.ids))
        stage, draft = self._stage(), memory.draft(command.ids)
        is_first = standing.get_column("instance_id").is_first_distinct()
        batch = standing.filter(is_first)
        if batch.height < standing.height:
            # Who came by two ways goes on twice, as he would have if he had not come by both at once.
            draft.add(step.id, "send", standing.filter(~is_first), attempt=command.attempt)
        self._without_leaving(draft, step, batch)
        gone = is_out(batch, memory.departed)
        began = self._tick()
        if memory.run.mode == "simulate":
            context = self._contexts()(step.id)
            result = await pretend(draft, self._simulator, memory.plan, step, batch, gone, context, command.attempt)
        else:
            result = await self._dispatch(step, batch, gone, command.attempt)
            if memory.plan.has_fan_out:
                # Somebody may have come here twice and have been planned once: the ledger knows.
                memory.count_messages()
                result.counts.clear()
        await settle(draft, stage, step, batch, gone, result, command.attempt)
        rest = untouched(batch, result)
        rest_s = _rest_s(result)
        if rest.height:
            due_at = None if rest_s is None else self._clock.now() + timedelta(seconds=rest_s)
            draft.add(step.id, "send", rest, attempt=command.attempt, due_at=due_at)
        if rest_s is not None and result.stopped is not None:
            draft.troubles.append(_resting(step, result.stopped, rest.height, draft.now + timedelta(seconds=rest_s)))
            result.stopped = None
        stage.tally(step.id).duration_ms += (self._tick() - began) * 1_000
        if stage.guard is not None:
            stage.guard.visited(step, stage.tally(step.id), stage.failed_at(step.id))
        ending = await self._finish(stage, draft)
        if not self._clock.is_virtual:
            memory.scheduler.tell(Moved(self._clock.now()))
        return _stopped(step, result, rest.height) or ending

    async def _dispatch(self, step: Step, batch: pl.DataFrame, gone: pl.Series, attempt_no: int) -> Dispatched:
        memory = self._memory
        if memory.view.step(step.id).state != "running":
            starting = memory.draft()
            starting.tell(step.id, "step.state", {"state": "running"})
            await memory.commit(starting)
        # What is planned must be in the ledger, and what was decided before be known, before anything goes out.
        await memory.durable()

        async def tell(counts: Counter[str]) -> None:
            draft = memory.draft()
            draft.count(step.id, **counts)
            await memory.commit(draft)
            await memory.durable()

        outward = Outward(
            runs=self._runs,
            connections=self._connections[carrier_of(step, memory.run.mode)],
            now=self._clock.now,
            tick=self._tick,
            is_asked_to_stop=lambda: self._control.is_asked_to_stop or bool(self._stop_words()),
            tell=tell,
        )
        return await dispatch(step, batch, gone, self._contexts()(step.id), outward, attempt_no)

    def _without_leaving(self, draft: Draft, step: Step, batch: pl.DataFrame) -> pl.DataFrame:
        """The rows of those who do not fit the workflow's exit rule; the others leave the run."""
        memory = self._memory
        rule = memory.plan.exit_rule
        if rule is None or batch.is_empty():
            return batch
        context = self._contexts()(step.id)
        (fits,) = rules_hold([rule], batch, contacts=context.contacts, events=context.events, now=context.now)
        leaving = tidy(batch.filter(fits & ~is_out(batch, memory.departed)))
        if leaving.height:
            ids, run_id = leaving.get_column("instance_id"), memory.run.run_id
            draft.departed.append(ids)
            memory.departed.add(ids)
            rows = leaving.with_columns(pl.lit('{"reason": "exit rule"}').alias("properties"))
            exited = contact_events(rows, run_id=run_id, node_id=step.id, kind="exited", at=draft.now)
            draft.record(exited, "exited")
            draft.moved.append(Way.of(step.id, ENDED, leaving))
        return batch.filter(~fits)

    def _organic(self, draft: Draft) -> None:
        """What people who have just entered would do without any message; only where the audience is simulated."""
        if self._memory.run.mode != "simulate" or not draft.entries:
            return
        entries = pl.concat(draft.entries)
        first = next(iter(self._memory.plan.steps.values()))
        context = simulation_context(self._memory.run, self._memory.plan, first, self._contexts()(first.id))
        happen(draft, first, self._simulator.organic(entries, context), context.goal_kind)

    async def _finish(self, stage: Stage, draft: Draft) -> Ending | None:
        if self._memory.joins:
            stage.meet = partial(meet, self._memory, draft)
        await stage.run()
        draft.take_over(stage, self._desk.sender.address)
        await self._memory.commit(draft)
        if stage.guard is not None and stage.guard.hits:
            return Interrupted(tuple(stage.guard.hits))
        return Broken(draft.broken) if draft.broken else None

    def _stage(self, visits: int = 0) -> Stage:
        """A stage at the run's clock. `visits`: how many nodes one step by node goes to in it."""
        memory, contexts = self._memory, self._contexts()
        is_by_node = memory.scheduler.steps_by == "node"
        guard = None
        if memory.breakpoints or memory.plan.pinned or is_by_node:
            limit = visits if is_by_node else None
            guard = Guard(memory.breakpoints, memory.view, contexts, visits=limit, pinned=memory.plan.pinned)
        return Stage(memory.plan, contexts, memory.scheduler.now, self._tick, guard)

    def _contexts(self) -> Contexts:
        return self._desk.at(self._memory.scheduler.now).context


def _rest_s(result: Dispatched) -> float | None:
    """How long the server is left alone, when that is why sending stopped; at least a second, lest it be no rest."""
    if not isinstance(result.stopped, Unreachable) or result.stopped.rest_s is None:
        return None
    return max(result.stopped.rest_s, 1.0)


def _resting(step: Step, error: StudioError, left: int, until: datetime) -> Trouble:
    hint = f"Nothing has to be done: it is tried again at {until:%H:%M} UTC, and later again."
    code = error.code if error.code == "WEB-BUSY" else "MAIL-RESTING"
    return Trouble(step.id, code, error.message, hint, count=left, severity="warning")


def _stopped(step: Step, result: Dispatched, left: int) -> Stopped | None:
    error = result.stopped
    if error is None:
        return None
    return Stopped(Trouble(step.id, error.code, error.message, error.hint or "", count=left, action="retry"))
