"""Starts runs and takes them through one leg at a time: everything the engine needs comes in here, as ports.

Absent on purpose: threads (`engine/host.py`) and the making of ports (`workspace`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

import polars as pl
from pydantic import JsonValue

from studio.domain.clock import Clock, passed
from studio.domain.debugging import read_aids
from studio.domain.errors import StudioError, Transient, UserFixable
from studio.domain.ids import stable_id
from studio.domain.node import MessageBuilder, Renderer
from studio.domain.ports import (
    Checkpoint,
    Contacts,
    EventCursor,
    Events,
    MailerFactory,
    Pace,
    RunRow,
    Runs,
    Simulator,
    Work,
)
from studio.domain.reading import Feeds
from studio.domain.run import RunEvent, RunEventKind, RunState
from studio.domain.validation import Catalogue
from studio.domain.workflow import Workflow, parse_workflow
from studio.engine.clocks import Doze, RunClock, doze, make_clock
from studio.engine.control import Control
from studio.engine.deeds import Deeds
from studio.engine.desk import Desk
from studio.engine.draft import Sizes
from studio.engine.emptiness import nobody_entered
from studio.engine.leg import AT_WORK, Leg
from studio.engine.memory import READERS, OnEvents, RunMemory, run_state
from studio.engine.plan import Plan, carrier_of, compile_plan, limited
from studio.engine.planting import Planted, plant
from studio.engine.profiling import Norms
from studio.engine.rehearsal import Rehearsal, Rehearsed
from studio.engine.scheduler import Rules, Scheduler
from studio.engine.sessions import Connections
from studio.engine.views import Unwritten

STEPPING_CHUNK = 10_000

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Everything outside that the engine works with.

    stop_words: why nothing may go out now, empty while it may.
    wall: the real time. tick: a stopwatch in seconds; passed: one that goes on while the computer sleeps. doze: waits,
    interruptibly; tests let it jump.
    """

    runs: Runs
    events: Events
    contacts: Contacts
    catalogue: Catalogue
    mailers: MailerFactory
    simulator: Simulator
    build: MessageBuilder
    wall: Clock
    tick: Callable[[], float]
    feeds: Feeds | None = None
    render: Renderer | None = None
    doze: Doze = doze
    passed: Callable[[], float] = passed
    sizes: Sizes = field(default_factory=Sizes)
    stop_words: Callable[[], str] = lambda: ""


class Driver:
    """Takes runs through their legs. Several may run at once in one loop, each in its own task."""

    def __init__(self, surroundings: Surroundings, on_events: OnEvents = lambda _: None) -> None:
        self._with = surroundings
        self._on_events = on_events

    def begin(self, run: RunRow, workflow: Workflow, planted: Sequence[Planted] = ()) -> None:
        """Writes a new run into the store, with the work it begins with and, `planted`, people in the middle of it.

        Raises:
            UserFixable: what `compile_plan`, `limited` and `make_clock` raise; nothing is written then.
        """
        plan = self._plan(run, workflow)
        make_clock(run, self._with.wall, self._with.doze, self._with.passed)
        _, cursor = self._with.events.new(EventCursor(), run.started_at, ())
        work = [
            Work(id=stable_id(run.run_id, step.id, "produce"), run_id=run.run_id, node_id=step.id, kind="produce")
            for step in plan.sources
        ]
        started = RunEvent(
            run.run_id,
            1,
            run.started_at,
            None,
            "run.started",
            {"mode": run.mode, "seed": run.seed, "clock": run.clock, "version": run.version, "name": run.name},
        )
        events = (started, *_shown(run, plan, workflow, planted))
        cursors: dict[str, EventCursor] = dict.fromkeys(READERS, cursor)
        checkpoint = Checkpoint(
            run_id=run.run_id, at=run.started_at, work=work, run_events=events, cursors=cursors, state="running"
        )
        if planted:
            checkpoint = plant(run, plan, planted, checkpoint)
        self._with.runs.start(run, workflow.to_json(), checkpoint)
        self._on_events(events)

    def _plan(self, run: RunRow, workflow: Workflow) -> Plan:
        plan = compile_plan(workflow, self._with.catalogue)
        aids = read_aids(run.options.get("aids"))
        return limited(plan, aids) if aids else plan

    async def run(
        self,
        run_id: str,
        *,
        until: datetime | None = None,
        control: Control | None = None,
        is_attended: bool = False,
        is_stepping: bool = False,
    ) -> RunState:
        """Takes a run on from where the store says it stands, until this leg ends; the state it is in then.

        Args:
            until: the run's clock goes no further in this leg; what is left waits in the store.
            control: what people ask for meanwhile.
            is_attended: a pause keeps the leg, because somebody may end it; otherwise it ends the leg.
            is_stepping: chunks are small, so that one can look at each.

        Raises whatever the store raises, and what is wrong with the stored run; a step's failure ends the leg in words.
        """
        control = control or Control()
        control.attach()
        run = self._with.runs.get(run_id)
        refuse_held(run)
        plan = self._plan(run, parse_workflow(self._with.runs.document(run.version)))
        clock = make_clock(run, self._with.wall, self._with.doze, self._with.passed, self._last_at_work(run))
        if run.mode != "simulate":
            self._with.runs.doubt_sending(run_id)
        with ThreadPoolExecutor(1, f"commit-{run_id}") as writer:
            memory = self._memory(run, plan, clock, until, writer)
            if is_stepping:
                memory.sizes = replace(memory.sizes, chunk=min(memory.sizes.chunk, STEPPING_CHUNK))
            memory.load(self._with.events)
            connections = self._connections(run, plan)
            try:
                deeds = self._deeds(memory, clock, control, connections)
                norms = Norms(memory, self._with.runs, self._with.contacts)
                leg = Leg(
                    memory,
                    deeds,
                    runs=self._with.runs,
                    clock=clock,
                    control=control,
                    norms=norms,
                    nobody_came=lambda: nobody_entered(plan, memory.view, self._with.contacts.at(memory.scheduler.now)),
                    stop_words=self._with.stop_words if run.mode != "simulate" else str,
                    is_attended=is_attended,
                )
                return await leg.go()
            finally:
                for opened in connections.values():
                    await opened.close()

    def _last_at_work(self, run: RunRow) -> datetime | None:
        """The newest moment on the wall that the workspace knows of; None where a person has just said to go on."""
        if run.state == "paused" or run.clock != "real":
            return None
        runs = self._with.runs
        # What a run that has just begun knows is the clock in question.
        return runs.last_at_work(besides=None if runs.kept(run.run_id, AT_WORK) else run.run_id)

    async def rehearse(self, run: RunRow, workflow: Workflow) -> Rehearsed:
        """A dry run: nothing is written, no connector touched. `run` is never kept. Raises what `begin` raises."""
        plan = self._plan(run, workflow)
        sender = self._with.mailers.sender(run)

        def make_desk(
            run: RunRow,
            plan: Plan,
            contacts: Contacts,
            events: Events,
            unwritten: Unwritten,
            *,
            notes: Mapping[str, str],
            standing: Callable[[], pl.Series],
        ) -> Desk:
            build, feeds = self._with.build, self._with.feeds
            return Desk(run, plan, contacts, events, unwritten, sender, build, feeds, notes=notes, standing=standing)

        events = self._with.events.seen_by(run.run_id)
        rehearsal = Rehearsal(
            run, plan, contacts=self._with.contacts, events=events, make_desk=make_desk, tick=self._with.tick
        )
        return await rehearsal.go()

    def fail(self, run_id: str, error: BaseException) -> RunState:
        """Writes down, in words, that a run ended by a fault: paused when it may work later. What was to do is kept."""
        message = error.message if isinstance(error, StudioError) else f"The engine failed ({type(error).__name__})."
        hint = (error.hint if isinstance(error, StudioError) else None) or "Resume the run; the log has the details."
        run = self._with.runs.get(run_id)
        seq = self._with.runs.last_seq(run_id) + 1
        may_go_on = isinstance(error, Transient) or (isinstance(error, StudioError) and error.code == "RUN-HELD")
        state: RunState = "paused" if may_go_on else "failed"
        event = RunEvent(run_id, seq, run.at, *run_state(state, message, hint))
        self._with.runs.commit(Checkpoint(run_id=run_id, at=run.at, run_events=(event,), state=state))
        self._on_events((event,))
        return state

    def _memory(
        self, run: RunRow, plan: Plan, clock: RunClock, until: datetime | None, writer: ThreadPoolExecutor
    ) -> RunMemory:
        sizes = replace(self._with.sizes, due_step=clock.step or self._with.sizes.due_step)
        rules = Rules(
            order={step.id: step.order for step in plan.steps.values()},
            kinds={"enter": frozenset(plan.trigger_kinds), "match": frozenset(plan.match_kinds)},
            is_virtual=clock.is_virtual,
            step=clock.step,
            until=until,
            listeners=frozenset(step.id for step in plan.listeners),
            always_match=bool(plan.goals),
            rows_max={
                "arrive": sizes.chunk,
                "resume": sizes.chunk,
                "inbox": sizes.chunk,
                "send": sizes.simulated if run.mode == "simulate" else sizes.send,
            },
        )
        scheduler = Scheduler(rules, max(run.at, clock.now()))
        memory = RunMemory(
            run, plan, self._with.runs, scheduler, writer=writer, on_events=self._on_events, tick=self._with.tick
        )
        memory.sizes = sizes
        return memory

    def _connections(self, run: RunRow, plan: Plan) -> dict[str, Connections]:
        """By carrier, those that the plan's steps need."""
        if run.mode == "simulate":
            return {}
        mailers, sleep, tick = self._with.mailers, self._sleep, self._with.tick
        # On a virtual clock hours pass in no time, so leaving a server alone would only hide that it is gone.
        make = partial(Connections, sleep=sleep, tick=tick, salt=run.run_id, may_rest=run.clock == "real")
        opened = {"mail": make(mailers.mailer(run), mailers.pace(run))}
        if any(carrier_of(step, run.mode) == "web" for step in plan.steps.values()):
            opened["web"] = make(mailers.web(run), Pace())
        return opened

    async def _sleep(self, seconds: float) -> None:
        await self._with.doze(seconds, asyncio.Event())

    def _deeds(
        self, memory: RunMemory, clock: RunClock, control: Control, connections: Mapping[str, Connections]
    ) -> Deeds:
        run, plan = memory.run, memory.plan
        sender = self._with.mailers.sender(run)
        contacts, events, build = self._with.contacts, self._with.events.seen_by(run.run_id), self._with.build
        desk = Desk(
            run,
            plan,
            contacts,
            events,
            memory.unwritten,
            sender,
            build,
            self._with.feeds,
            self._with.render,
            notes=memory.notes,
            standing=memory.standing,
        )
        return Deeds(
            memory,
            desk,
            runs=self._with.runs,
            events=events,
            simulator=self._with.simulator,
            connections=connections,
            clock=clock,
            control=control,
            stop_words=self._with.stop_words,
            tick=self._with.tick,
        )


def _shown(run: RunRow, plan: Plan, workflow: Workflow, planted: Sequence[Planted]) -> Iterator[RunEvent]:
    """What a run of a part of a workflow shows from the beginning: steps that are not in it, what pinned ones gave."""
    told: list[tuple[str, RunEventKind, dict[str, JsonValue]]] = [
        (node.id, "step.state", {"state": "skipped"}) for node in workflow.nodes if node.id not in plan.steps
    ]
    told += [
        (place.node_id, "step.ran", {"in": place.entries.height, "out": {place.port: place.entries.height}})
        for place in planted
        if place.port is not None
    ]
    told += [(node_id, "step.state", {"state": "done"}) for node_id in sorted(plan.pinned)]
    for seq, (node_id, kind, payload) in enumerate(told, start=2):
        yield RunEvent(run.run_id, seq, run.started_at, node_id, kind, payload)


def refuse_held(run: RunRow) -> None:
    """Raises UserFixable RUN-HELD for a run of a workspace that was copied or restored, until a person releases it."""
    if run.options.get("held"):
        raise UserFixable(
            "RUN-HELD",
            f"Nothing of the run {run.run_id} is sent: {run.options['held']}.",
            where=run.run_id,
            hint="Make sure that it goes on in one place only, then let it go on here: studio outbox release.",
        )
