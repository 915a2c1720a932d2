"""What a driver keeps of one run in memory, and the one way it changes: a draft is applied here and committed.

Everything here can be rebuilt from the store. While a commit is being written the next stage may already run; nothing
is told to the outside, or acted upon outside, before it is durable. Absent on purpose: deciding anything.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import replace

import polars as pl
from pydantic import JsonValue

from studio.domain.clock import iso
from studio.domain.debugging import read_aids
from studio.domain.ports import EventCursor, Events, RunRow, Runs
from studio.domain.run import RunEvent, RunState, RunView, fold
from studio.engine.book import counted_as
from studio.engine.breakpoints import KEPT, Breakpoints, read_breakpoints
from studio.engine.bundle import Bundle
from studio.engine.draft import Draft, Fact, Sizes
from studio.engine.entered import Entered
from studio.engine.idset import IdSet
from studio.engine.joining import Joining
from studio.engine.once import Once
from studio.engine.plan import Plan
from studio.engine.sampling import Samples
from studio.engine.scheduler import Added, Gone, ReaderName, Recorded, Scheduler
from studio.engine.tally import Tally, Trouble
from studio.engine.waiting import WaitingRoom
from studio.frames.events import empty_events
from studio.frames.few import FEW
from studio.frames.instances import INSTANCE_SCHEMA, empty_instances, from_bytes
from studio.frames.moves import read_moves
from studio.frames.samples import PREFIX, sample_name

READERS: tuple[ReaderName, ...] = ("enter", "match")
MESSAGE_STATES = ("planned", "sent", "failed", "retry", "in_doubt", "blocked")
_FRAMES_ROWS_MAX = 200_000
_GATHER_S = 0.2
_SAMPLES_EVERY_S = 1.0
_HERE_S = 0.004
"""Where the last commit took longer, the disk is slow or busy: then the loop, which others use as well, is not kept."""
NOTE = "note:"
NOTE_MAX = 1_000_000

OnEvents = Callable[[Sequence[RunEvent]], None]


class RunMemory:
    """One run as it stands. Used by one driver task."""

    def __init__(
        self,
        run: RunRow,
        plan: Plan,
        runs: Runs,
        scheduler: Scheduler,
        *,
        writer: Executor,
        on_events: OnEvents,
        tick: Callable[[], float],
    ) -> None:
        self.run = run
        self.plan = plan
        self.scheduler = scheduler
        self.view = RunView(run.run_id)
        self.rooms: dict[str, WaitingRoom] = {}
        self.departed = IdSet()
        self.converted = IdSet()
        self.entries = empty_instances()
        self.entered = Entered(run.run_id)
        self.cursors: dict[ReaderName, EventCursor] = {}
        self.sizes = Sizes()
        self._runs = runs
        self._writer = writer
        self._on_events = on_events
        self._messages: dict[str, Counter[str]] = {}
        self._frames: dict[str, pl.DataFrame] = {}
        self._tick = tick
        self._one_commit = asyncio.Lock()
        self._gathers_until_s = 0.0
        self.samples = Samples({})
        self.notes: dict[str, str] = {}
        self.joins = Joining(plan, run.run_id)
        self.breakpoints = Breakpoints(read_aids(run.options.get("aids")).breakpoints)
        self._samples_kept_s = 0.0
        self._commit_s = 0.0
        self._bundle: Bundle | None = None
        self._writing: Bundle | None = None
        self._commit: Future[None] | None = None
        self._once = Once(lambda _: pl.Series("event_id", [], dtype=pl.UInt64))

    def load(self, events: Events) -> None:
        """Reads everything from the store. O(what waits + who entered + run events)."""
        run_id = self.run.run_id
        self.view = fold(self.view, self._runs.run_events(run_id))
        self.count_messages()
        pending = self._runs.pending(run_id)
        self.scheduler.tell(Added(pending))
        waiting = [work for work in pending if work.kind == "resume"]
        batches = self._runs.batches([work.id for work in waiting])
        for work in waiting:
            self.room(work.node_id).add(work.id, from_bytes(batches.pop(work.id)))
        self.departed.add(self._runs.departed(run_id))
        for room in self.rooms.values():
            room.leave(self.departed)
        self.samples = Samples(self._runs.kept(run_id, PREFIX))
        if self.joins:
            self.joins.load(read_moves(self._runs.moves(run_id)))
        for name, data in self._runs.kept(run_id, NOTE).items():
            self.notes[name.removeprefix(NOTE)] = data.decode()
        if kept := self._runs.kept(run_id, KEPT).get(KEPT):
            self.breakpoints = read_breakpoints(kept)
        self.watch(self.breakpoints)
        self.cursors = {reader: self._runs.cursor(run_id, reader) for reader in READERS}
        entries = self._runs.entries(run_id).select(*INSTANCE_SCHEMA)
        self.entered.add(entries)
        self._once = Once(lambda kind: events.at(self.scheduler.now).event_ids(kind, run_id))
        if self.plan.goals:
            self.entries = entries.filter(~IdSet(self._runs.dropped(run_id)).mask(entries.get_column("instance_id")))
            if self.run.mode == "simulate":
                self.converted.add(events.at(self.run.at).instances("converted", run_id))

    def count_messages(self) -> None:
        """Counts the messages anew."""
        self._messages.clear()
        if self.run.mode == "simulate":
            for step in self.view.steps.values():
                self._messages[step.node_id] = Counter(step.sending)
            return
        # Not from the run events: a message may have been sent and settled in the ledger before they could tell.
        for node_id, states in self._runs.outbox_counts(self.run.run_id).items():
            for state, count in states.items():
                self.messages(node_id)[counted_as(state)] += count

    def watch(self, breakpoints: Breakpoints) -> None:
        """Sets the run's breakpoints."""
        self.breakpoints = breakpoints
        breakpoints.sample_of = lambda node_id: self.samples.get(sample_name(node_id, None))

    def room(self, node_id: str) -> WaitingRoom:
        """Who waits at the node."""
        return self.rooms.setdefault(node_id, WaitingRoom())

    def batch(self, work: Iterable[str]) -> list[pl.DataFrame]:
        """The batches of some work, from memory or the store."""
        wanted = list(work)
        missing = [work_id for work_id in wanted if work_id not in self._frames]
        if missing and self._commit is not None:
            wait([self._commit])
        read = self._runs.batches(missing) if missing else {}
        return [self._frames[key] if key in self._frames else from_bytes(read[key]) for key in wanted]

    def draft(self, consumed: Sequence[str] = (), salt: object = "") -> Draft:
        """An empty draft at the run's clock."""
        return Draft(self.run, self.scheduler.now, self.sizes, consumed=consumed, salt=salt)

    def messages(self, node_id: str) -> Counter[str]:
        """Numbers of messages of a send node by state."""
        return self._messages.setdefault(node_id, Counter())

    async def commit(self, draft: Draft) -> None:
        """Applies a draft and has it committed, alone or with those that follow; returns while that is being written.

        Raises whatever a commit before it raised.
        """
        async with self._one_commit:
            self._apply(draft)
            self._look(draft)
            self._remember(draft)
            events = self._number(draft)
            self.run = replace(self.run, at=draft.now, state=draft.state or self.run.state)
            if self._bundle is None:
                self._bundle = Bundle(self.run.run_id)
                self._gathers_until_s = self._tick() + _GATHER_S
            self._bundle.add(draft, events, by_instance=not self.entered.is_plain)
            is_full = self._bundle.rows >= self.sizes.chunk or self._tick() >= self._gathers_until_s
            try:
                if is_full or self.run.mode != "simulate":
                    await self._write()
            finally:
                # While it is being written, which mostly waits for the disk.
                self.view = fold(self.view, events)

    async def durable(self) -> None:
        """Waits until all that was committed is in the store, and tells its events to the outside."""
        async with self._one_commit:
            if self._bundle is not None:
                await self._write()
            await self._written()

    async def written(self, kinds: Iterable[str]) -> None:
        """Waits until all contact events of some kinds are in the store."""
        wanted = set(kinds)
        if any(bundle is not None and not bundle.kinds.isdisjoint(wanted) for bundle in (self._bundle, self._writing)):
            await self.durable()

    def unwritten(self, kinds: Sequence[str]) -> pl.DataFrame:
        """Contact events of some kinds that are not in the store yet. Waits for those on their way into it."""
        if self._writing is not None and self._commit is not None and not self._writing.kinds.isdisjoint(kinds):
            wait([self._commit])
        return empty_events() if self._bundle is None else self._bundle.events(kinds)

    async def _write(self) -> None:
        # One at a time: should a commit fail, none may follow it.
        await self._written()
        bundle, self._bundle = self._bundle, None
        assert bundle is not None, "there is something to write"
        self._writing = bundle
        is_here = bundle.rows <= FEW and self._commit_s <= _HERE_S and not self._runs.is_taken
        # One person's commit is quicker than handing it to another thread and hearing that it is done.
        self._commit = _done(self._save, bundle) if is_here else self._writer.submit(self._save, bundle)

    def _save(self, bundle: Bundle) -> None:
        began = self._tick()
        try:
            self._runs.commit(bundle.checkpoint())
        finally:
            self._commit_s = self._tick() - began

    async def _written(self) -> None:
        commit, bundle = self._commit, self._writing
        if commit is None or bundle is None:
            return
        await asyncio.wrap_future(commit)
        self._commit = self._writing = None
        self._make_space(bundle.work_ids)
        self._on_events(bundle.run_events)

    def _apply(self, draft: Draft) -> None:
        scheduler = self.scheduler
        draft.events = self._once.first(draft.events, draft.kinds)
        scheduler.tell(Gone(draft.done))
        for work_id in draft.done:
            self._frames.pop(work_id, None)
        for work in draft.work:
            if work.kind == "resume":
                self.room(work.node_id).add(work.id, draft.frames[work.id])
            elif work.id in draft.frames:
                self._frames[work.id] = draft.frames[work.id]
        scheduler.tell(Added(draft.work))
        for ids in draft.departed:
            self.departed.add(ids)
        for entries in draft.entries:
            self._enter(entries, draft.dropped)
        self.cursors.update(draft.cursors)  # pyright: ignore[reportArgumentType, reportCallIssue] - readers' names
        if draft.kinds:
            scheduler.tell(Recorded(draft.kinds))
        for frame in draft.events if self.run.mode == "simulate" and "converted" in draft.kinds else ():
            self.converted.add(frame.filter(pl.col("kind") == "converted").get_column("instance_id"))

    def _remember(self, draft: Draft) -> None:
        for node_id, note in draft.notes.items():
            assert len(note) <= NOTE_MAX, "a step's note is bounded"
            self.notes[node_id] = note
            draft.keeps[NOTE + node_id] = note.encode()

    def standing(self) -> pl.Series:
        """The contacts (u32, distinct) that are still on their way: they wait, stand before a step, are written to."""
        found = [room.contacts for room in self.rooms.values() if room.count]
        kinds = ("arrive", "send", "failed", "doubt")
        works = [work_id for kind in kinds for work_id in self.scheduler.pending(kind)]
        found += [batch.get_column("contact_id") for batch in self.batch(works)]
        return pl.concat(found).unique() if found else pl.Series("contact_id", [], dtype=pl.UInt32)

    async def keep_samples(self) -> None:
        """Keeps what has changed of the samples, when they are due: for a moment in which nobody waits for a step."""
        if self.samples.have_changed and self._tick() - self._samples_kept_s >= _SAMPLES_EVERY_S:
            draft = self.draft()
            self._keep_samples(draft)
            await self.commit(draft)

    def _look(self, draft: Draft) -> None:
        """Samples are an aid: they are kept once a second and when the run's state changes, not with every stage."""
        self.samples.add(draft.looked)
        # One person alone is not kept waiting for it: the run goes idle behind him, and keeps them then.
        is_due = self._tick() - self._samples_kept_s >= _SAMPLES_EVERY_S
        if draft.state is not None or (is_due and any(batch.height > FEW for _, batch in draft.looked)):
            self._keep_samples(draft)

    def _keep_samples(self, draft: Draft) -> None:
        self._samples_kept_s = self._tick()
        draft.keeps |= self.samples.take_changed()

    def _enter(self, entries: pl.DataFrame, dropped: Sequence[pl.Series]) -> None:
        if not self.plan.goals:
            self.entered.add(entries)
            return
        is_known = self.entered.mask(entries)
        self.entered.add(entries)
        if is_known.any():
            new = entries.filter(is_known).select("instance_id", new="arms")
            grown = pl.col("new").str.len_bytes() > pl.col("arms").str.len_bytes()
            arms = pl.when(grown).then("new").otherwise("arms").alias("arms")
            joined = self.entries.join(new, on="instance_id", how="left", maintain_order="left")
            self.entries = joined.with_columns(arms).drop("new")
        new = entries.filter(~is_known)
        for ids in dropped:
            new = new.filter(~IdSet(ids).mask(new.get_column("instance_id")))
        self.entries = pl.concat([self.entries, new])

    def _make_space(self, written: Iterable[str]) -> None:
        rows = sum(frame.height for frame in self._frames.values())
        for work_id in written if rows > _FRAMES_ROWS_MAX else ():
            self._frames.pop(work_id, None)

    def _number(self, draft: Draft) -> tuple[RunEvent, ...]:
        seq = self.view.seq
        return tuple(
            RunEvent(self.run.run_id, seq + place, draft.now, node_id, kind, payload)
            for place, (node_id, kind, payload) in enumerate(self._facts(draft), start=1)
        )

    def _facts(self, draft: Draft) -> Iterator[Fact]:
        """What a draft has to tell, with absolute numbers as they stand now that it is applied."""
        for node_id in dict.fromkeys((*draft.tallies, *draft.messages)):
            if self.view.step(node_id).state not in ("running", "waiting"):
                yield node_id, "step.state", {"state": "running"}
        for node_id, tally in draft.tallies.items():
            yield node_id, "step.ran", _ran(tally)
        for node_id in sorted(draft.waiting_changed):
            yield node_id, "step.waiting", self._waiting(node_id)
        for node_id, changes in draft.messages.items():
            self.messages(node_id).update(changes)
            yield node_id, "step.sending", {state: self.messages(node_id)[state] for state in MESSAGE_STATES}
        for trouble in draft.troubles:
            yield trouble.node_id, "step.problem", _problem(trouble)
        yield from draft.facts

    def _waiting(self, node_id: str) -> dict[str, JsonValue]:
        room = self.room(node_id)
        due = room.next_due
        return {"waiting": room.count, "next_due": iso(due) if due else None}


def _done(work: Callable[[Bundle], None], bundle: Bundle) -> Future[None]:
    """What an executor would give back, for work that is done at once."""
    future: Future[None] = Future()
    try:
        future.set_result(work(bundle))
    except Exception as error:  # noqa: BLE001 - kept for whoever waits for it, as an executor does
        future.set_exception(error)
    return future


def run_state(state: RunState, message: str = "", hint: str = "") -> Fact:
    """The run event of a new state of the run."""
    payload: dict[str, JsonValue] = {"state": state}
    if message:
        payload |= {"message": message, "hint": hint}
    return None, "run.state", payload


def _ran(tally: Tally) -> dict[str, JsonValue]:
    figures: dict[str, JsonValue] = {"figures": dict(tally.figures)} if tally.figures else {}
    return {
        **figures,
        "in": tally.arrived,
        "out": dict(tally.out),
        "sample": {port: list(ids) for port, ids in tally.sample.items()},
        "failed": tally.failed,
        "quarantined": tally.quarantined,
        "duration_ms": round(tally.duration_ms, 3),
        "attempt": tally.attempt,
    }


def _problem(trouble: Trouble) -> dict[str, JsonValue]:
    return {
        "code": trouble.code,
        "message": trouble.message,
        "hint": trouble.hint,
        "count": trouble.count,
        "sample": list(trouble.sample),
        "action": trouble.action,
        "severity": trouble.severity,
    }
