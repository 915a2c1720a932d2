"""One stage: batches go from node to node, in topological order, until all wait, are to be sent to, or have ended.

A stage changes nothing outside itself; what came of it is committed at once or not at all. Absent on purpose: the
store, the movement of the clock, sending.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Literal

import numpy as np
import polars as pl

from studio.domain.errors import Problem
from studio.domain.node import Answered, Outcome, Quarantined, Waits
from studio.engine.attempts import Attempted, Failure, attempt, attempt_few, reason_of
from studio.engine.facts import chance, fill_in, tidy, together
from studio.engine.guard import Guard
from studio.engine.idset import IdSet
from studio.engine.joining import Edge, Met
from studio.engine.plan import ERROR_PORT, Plan, Step
from studio.engine.tally import Contexts, Tally, Trouble
from studio.frames.events import AT
from studio.frames.facts import rules_hold
from studio.frames.few import Batch, Few, few_of, frame_of, goes_by_row, is_few
from studio.frames.instances import INSTANCE_SCHEMA
from studio.frames.moves import ENDED, Moved
from studio.frames.samples import sample_name

_BROKEN_FROM = 10
_SAMPLE_MAX = 10


@dataclass(frozen=True, slots=True)
class Again:
    """A batch that is to be tried again."""

    node_id: str
    kind: Literal["arrive", "resume"]
    batch: pl.DataFrame
    due_at: datetime
    attempt: int


@dataclass(frozen=True, slots=True)
class Kept:
    """Instances that a step could not handle, and the kind of work they come back as when they are tried again."""

    node_id: str
    kind: Literal["arrive", "resume", "send"]
    batch: pl.DataFrame


class Stage:
    """Collects what one stage does. `tick` reads a stopwatch in seconds."""

    def __init__(
        self, plan: Plan, contexts: Contexts, now: datetime, tick: Callable[[], float], guard: Guard | None = None
    ) -> None:
        self._plan = plan
        self._contexts = contexts
        self._now = now
        self._tick = tick
        self.guard = guard
        self._arriving: dict[str, list[Batch]] = {}
        self._attempts: dict[str, int] = {}
        self.tallies: dict[str, Tally] = {}
        self.waiting: dict[str, list[pl.DataFrame]] = {}
        self.sends: dict[str, list[pl.DataFrame]] = {}
        self.events: list[pl.DataFrame] = []
        self.changes: list[pl.DataFrame] = []
        self.again: list[Again] = []
        self.kept: list[Kept] = []
        self.quarantined: dict[str, list[Quarantined]] = {}
        self.troubles: list[Trouble] = []
        self.rearmed: list[pl.DataFrame] = []
        self.broken: Trouble | None = None
        self.moved: list[Moved] = []
        self.looked: list[tuple[str, Batch]] = []
        self.notes: dict[str, str] = {}
        self.meet: Callable[[Step, Sequence[tuple[Edge, pl.DataFrame]]], Met] | None = None
        """Brings together who comes to a merging step; None where a plan has none."""
        self._ways: dict[str, list[tuple[Edge, pl.DataFrame]]] = {step.id: [] for step in plan.joints}

    def tally(self, node_id: str) -> Tally:
        """The node's numbers, to be added to."""
        return self.tallies.setdefault(node_id, Tally())

    def arrive(self, node_id: str, batch: Batch, attempt_no: int = 1) -> None:
        """Puts a batch before a node."""
        if batch.height:
            self._arriving.setdefault(node_id, []).append(batch)
            self._attempts[node_id] = max(self._attempts.get(node_id, 1), attempt_no)

    def came_by(self, node_id: str, edge: Edge, batch: pl.DataFrame) -> None:
        """Remembers by which edge a batch came, where branches meet."""
        if node_id in self._ways:
            self._ways[node_id].append((edge, batch))

    def leave(self, step: Step, port: str, batch: Batch) -> None:
        """Lets a batch out of a node's port, to the nodes behind it; where there are none, it has ended."""
        if not batch.height:
            return
        self.tally(step.id).note(port, batch)
        self._note_move(step.id, port, batch)
        batch = batch if isinstance(batch, Few) else tidy(batch)
        self.looked.append((sample_name(step.id, port), batch))
        if self.guard is not None and self.guard.leaving(step, port, frame_of(batch), self.tally(step.id)):
            return
        for target in step.targets.get(port, ()):
            self.arrive(target, batch)
            if target in self._ways:
                self.came_by(target, (step.id, port), frame_of(batch))

    async def run(self) -> None:
        """Goes on until no batch stands before a node. Branches that do not lead into each other run side by side."""
        while self._arriving:
            first, *others = self._side_by_side()
            if others:
                await asyncio.gather(*(self._go_to(node_id) for node_id in (first, *others)))
            else:
                await self._go_to(first)

    def _side_by_side(self) -> list[str]:
        """Nodes with people before them to which none of the others leads; one alone where steps are watched."""
        steps = self._plan.steps
        in_order = sorted(self._arriving, key=lambda key: steps[key].order)
        if len(in_order) == 1 or self.guard is not None:
            return in_order[:1]
        behind = self._plan.behind
        free = [node for node in in_order if not any(node in behind[other] for other in in_order if other != node)]
        # Inside a loop each leads to the other: then the order alone decides.
        return free or in_order[:1]

    async def _go_to(self, node_id: str) -> None:
        step = self._plan.steps[node_id]
        if self._ways.get(node_id):
            self._join(step)
            return
        arriving, attempt_no = self._arriving.pop(node_id), self._attempts.pop(node_id, 1)
        if attempt_no == 1 and self._visit_few(step, arriving):
            return
        batch = together([frame_of(batch) for batch in arriving])
        if self._plan.has_fan_out:
            batch = batch.unique("instance_id", keep="first", maintain_order=True)
        if self.guard is None:
            await self.visit(step, batch, attempt_no)
        else:
            await self._visit_guarded(self.guard, step, batch, attempt_no)

    def _visit_few(self, step: Step, arriving: Sequence[Batch]) -> bool:
        """Takes a few people through a node row by row, where it can; otherwise nothing has happened."""
        if not goes_by_row(step.node) or step.condition is not None:
            return False
        if self.guard is not None or self._plan.has_fan_out:
            return False
        few = few_of(arriving)
        if few is None:
            return False
        began = self._tick()
        outcome = attempt_few(step.node, few, self._contexts(step.id))
        if outcome is None:
            return False
        self.looked.append((sample_name(step.id, None), few))
        tally = self.tally(step.id)
        tally.arrived += few.height
        tally.duration_ms += (self._tick() - began) * 1_000
        for port, part in outcome.out.items():
            self.leave(step, port, part)
        for name, amount in outcome.figures.items():
            tally.figures[name] = tally.figures.get(name, 0.0) + amount
        return True

    async def _visit_guarded(self, guard: Guard, step: Step, batch: pl.DataFrame, attempt_no: int) -> None:
        tally = self.tally(step.id)
        if guard.is_pinned(step.id):
            tally.arrived += batch.height
            self._note_move(step.id, ENDED, batch)
            return
        batch = guard.admit(step, batch, attempt_no, tally)
        if batch.height:
            before = self.failed_at(step.id)
            await self.visit(step, batch, attempt_no)
            guard.visited(step, tally, self.failed_at(step.id) - before)

    def _join(self, step: Step) -> None:
        """Those who come to a merging step: they go on, wait for their other branches, or are late."""
        assert self.meet is not None, "a plan with merging steps has somebody who lets people meet"
        self._arriving.pop(step.id)
        self._attempts.pop(step.id, None)
        arrivals = self._coming_together(step)
        if not arrivals:
            return
        met = self.meet(step, arrivals)
        if met.wait.height:
            self.waiting.setdefault(step.id, []).append(met.wait)
        if met.late.height:
            self._note_move(step.id, ENDED, met.late)
        if step.main_port is not None:
            self.leave(step, step.main_port, met.out)
        if self.guard is not None:
            self.guard.visited(step, self.tally(step.id), 0)

    def _coming_together(self, step: Step) -> list[tuple[Edge, pl.DataFrame]]:
        """Who comes to a merging step by which edge, without those who are held before it."""
        arrivals, self._ways[step.id] = self._ways[step.id], []
        tally, admitted = self.tally(step.id), []
        for edge, batch in arrivals:
            if self.guard is not None and self.guard.is_pinned(step.id):
                tally.arrived += batch.height
                self._note_move(step.id, ENDED, batch)
                continue
            free = batch if self.guard is None else self.guard.admit(step, batch, 1, tally, edge)
            if free.height:
                tally.arrived += free.height
                self.looked.append((sample_name(step.id, None), free))
                admitted.append((edge, free))
        return admitted

    def failed_at(self, node_id: str) -> int:
        """How many instances have failed at a node in this stage, whatever became of them."""
        return sum(trouble.count for trouble in self.troubles if trouble.node_id == node_id)

    async def visit(self, step: Step, batch: pl.DataFrame, attempt_no: int = 1, *, is_back: bool = False) -> None:
        """Gives a batch to one node; `is_back`: its instances have waited there and are due."""
        node, context = step.node, self._contexts(step.id)
        if is_back:
            assert isinstance(node, Waits), "only waiting nodes get instances back"
            kind, work = "resume", node.resume
        else:
            kind, work = "arrive", node.run

        async def call(part: pl.DataFrame) -> Outcome:
            if step.condition is None or is_back:
                return _checked(part, await work(part, context))
            (holds,) = rules_hold(
                [step.condition], part, contacts=context.contacts, events=context.events, now=context.now
            )
            met, others = part.filter(holds), part.filter(~holds)
            outcome = _checked(met, await work(met, context)) if met.height else Outcome()
            return _passing_by(outcome, step.main_port, others)

        if not is_back:
            self.looked.append((sample_name(step.id, None), batch))
        began = self._tick()
        attempted = await attempt(batch, call, step.timeout_s)
        tally = self.tally(step.id)
        tally.duration_ms += (self._tick() - began) * 1_000
        tally.attempt = max(tally.attempt, attempt_no)
        if not is_back and attempt_no == 1:
            tally.arrived += batch.height
        for outcome in attempted.results:
            self._absorb(step, outcome)
        self._note_arms(batch, attempted)
        raised = _raised(attempted.failures, is_covered=step.retry.covers)
        failures = self._put_off(step, kind, [*raised, *attempted.later], attempt_no)
        self.fail(step, kind, [*failures, *_refused(batch, attempted)], batch.height)

    async def answered(self, step: Step, batch: pl.DataFrame, answers: Sequence[str | None] | None) -> None:
        """Lets instances on whose web calls are done, with what was answered; see `domain.node.Answered`."""
        node, context = step.node, self._contexts(step.id)
        assert isinstance(node, Answered), "only nodes that call are answered"
        if batch.height:
            self._absorb(step, _checked(batch, await node.answered(batch, answers, context)))

    def fail(self, step: Step, kind: Literal["arrive", "resume", "send"], failures: Sequence[Failure], of: int) -> None:
        """Does with failed instances what the step's policy says. `of`: how many instances were tried.

        skip: they go on as if the step had let them pass; route: out through `error`; otherwise, and where nothing is
        connected there, they are kept with the reason. When that happens to most of a batch it is the step's fault.
        """
        if not failures:
            return
        port = step.main_port if step.declared.on_error == "skip" else None
        if step.declared.on_error == "route" and step.targets.get(ERROR_PORT):
            port = ERROR_PORT
        rows = together([failure.rows for failure in failures])
        troubles = [_trouble_of(step, code, some, is_kept=port is None) for code, some in _by_code(failures).items()]
        self.troubles += troubles
        if port is not None:
            self.leave(step, port, rows)
            return
        self._keep(step, kind, rows, failures)
        if rows.height >= _BROKEN_FROM and rows.height * 2 > of:
            self.broken = max(troubles, key=lambda trouble: trouble.count)

    def lose(self, step: Step, failures: Sequence[Failure], of: int) -> None:
        """Tells of events that a trigger could not read; there is nobody yet who could be kept."""
        troubles = [_trouble_of(step, code, some, is_kept=False) for code, some in _by_code(failures).items()]
        self.troubles += troubles
        lost = sum(failure.rows.height for failure in failures)
        if lost >= _BROKEN_FROM and lost * 2 > of:
            self.broken = max(troubles, key=lambda trouble: trouble.count)

    def dropped(self, entering: pl.DataFrame) -> pl.Series:
        """Ids of those who entered in this stage and ended in it too, in no arm, nothing having been done for them.

        A filter or the gate has let them out; what they do later says nothing about the workflow.
        """
        if not self._plan.goals:
            return pl.Series("instance_id", [], dtype=pl.UInt64)
        again = [item.batch for item in (*self.again, *self.kept)]
        held = () if self.guard is None else self.guard.batches()
        met = [*chain(*self.waiting.values()), *chain(*self.sends.values()), *again, *held, *self.events]
        met += self.rearmed
        part = IdSet()
        for frame in met:
            part.add(frame.get_column("instance_id").drop_nulls())
        ids = entering.get_column("instance_id")
        return ids.filter(~part.mask(ids))

    def _keep(
        self, step: Step, kind: Literal["arrive", "resume", "send"], rows: pl.DataFrame, failures: Sequence[Failure]
    ) -> None:
        tally = self.tally(step.id)
        if kind == "send":
            tally.failed += rows.height
        else:
            tally.quarantined += rows.height
        self.kept.append(Kept(step.id, kind, tidy(rows) if kind == "arrive" else rows))
        self.quarantined.setdefault(step.id, []).extend(
            Quarantined(instance_id, contact_id, failure.code, failure.message)
            for failure in failures
            for instance_id, contact_id in failure.rows.select("instance_id", "contact_id").iter_rows()
        )

    def _absorb(self, step: Step, outcome: Outcome) -> None:
        for port, batch in outcome.out.items():
            self.leave(step, port, batch)
        if outcome.wait is not None and outcome.wait.height:
            moments = outcome.wait
            if moments.schema["due_at"] != AT:
                moments = moments.with_columns(pl.col("due_at").cast(AT))
            assert not moments.get_column("due_at").null_count(), "everybody who waits has a moment"
            self.waiting.setdefault(step.id, []).append(moments)
        if outcome.send is not None and outcome.send.height:
            self.sends.setdefault(step.id, []).append(tidy(outcome.send))
        if outcome.note is not None:
            self.notes[step.id] = outcome.note
        if outcome.ended is not None and outcome.ended.height:
            self._note_move(step.id, ENDED, outcome.ended)
        if outcome.events is not None and outcome.events.height:
            context = self._contexts(step.id)
            people = together([frame for frame in _frames(outcome) if frame.height])
            self.events.append(fill_in(outcome.events, people, run_id=context.run_id, node_id=step.id, at=self._now))
        for name, amount in outcome.figures.items():
            figures = self.tally(step.id).figures
            figures[name] = figures.get(name, 0.0) + amount
        if outcome.changes is not None and outcome.changes.height:
            self.changes.append(outcome.changes)
        self.troubles += [_trouble(step, problem) for problem in outcome.problems]
        self.troubles += _notes(step, outcome.noted)

    def _note_move(self, node_id: str, port: str, batch: Batch) -> None:
        self.moved.append(Moved.of(node_id, port, batch))

    def _put_off(
        self,
        step: Step,
        kind: Literal["arrive", "resume"],
        later: Sequence[tuple[pl.DataFrame, Exception]],
        attempt_no: int,
    ) -> list[Failure]:
        """Plans another attempt by the step's retry rule; failures for batches that have had their last one, or failed
        in a way that the rule does not cover.
        """
        failures: list[Failure] = []
        for batch, error in later:
            drawn = chance(f"{self._contexts(step.id).run_id}|{step.id}|{attempt_no}", batch.item(0, "instance_id"))
            due_at = step.retry.again_at(self._now, attempt_no, drawn, error)
            if due_at is None:
                failures.append(Failure(batch, *reason_of(error), error))
            else:
                self.again.append(Again(step.id, kind, batch, due_at, attempt_no + 1))
        return failures

    def _note_arms(self, batch: pl.DataFrame, attempted: Attempted[Outcome]) -> None:
        """Remembers who got new arms. Arms only grow, so their total length says whether anybody did."""
        frames = [frame for outcome in attempted.results for frame in _frames(outcome) if frame.height]
        is_whole = not attempted.failed_rows and not attempted.later
        if not is_whole or sum(map(_arms_length, frames)) != _arms_length(batch):
            self.rearmed += [frame.select(*INSTANCE_SCHEMA) for frame in frames]


def _arms_length(frame: pl.DataFrame) -> int:
    if is_few(frame):
        return sum(len(arms.encode()) for arms in frame.get_column("arms").to_list())
    return int(frame.get_column("arms").str.len_bytes().sum())


def _frames(outcome: Outcome) -> list[pl.DataFrame]:
    rest = (outcome.wait, outcome.send, outcome.ended)
    return [*outcome.out.values(), *(frame for frame in rest if frame is not None)]


def _checked(batch: pl.DataFrame, outcome: Outcome) -> Outcome:
    """The outcome, once it is sure that every instance of the batch is in it exactly once.

    Ids are digests, so count, sum and exclusive-or cannot agree by accident. Raises AssertionError.
    """
    ids = [frame.get_column("instance_id").to_numpy() for frame in _frames(outcome)]
    ids.append(np.array([item.instance_id for item in outcome.quarantined], dtype=np.uint64))
    came = batch.get_column("instance_id").to_numpy()
    is_same = sum(map(len, ids)) == len(came)
    is_same = is_same and sum(int(part.sum(dtype=np.uint64)) for part in ids) % 2**64 == int(came.sum(dtype=np.uint64))
    if not is_same or np.bitwise_xor.reduce([np.bitwise_xor.reduce(part) for part in ids]) != np.bitwise_xor.reduce(
        came
    ):
        raise AssertionError("the step lost people, or let them out twice")
    return outcome


def _passing_by(outcome: Outcome, port: str | None, others: pl.DataFrame) -> Outcome:
    """The outcome, with those who do not fulfil the step's condition let out through its first port, or ended."""
    if port is None:
        ended = others if outcome.ended is None else together([outcome.ended, others])
        return replace(outcome, ended=ended)
    through = [frame for frame in (outcome.out.get(port), others) if frame is not None]
    return replace(outcome, out={**outcome.out, port: together([tidy(frame) for frame in through])})


def _raised(
    failures: Sequence[Failure], is_covered: Callable[[Exception], bool]
) -> list[tuple[pl.DataFrame, Exception]]:
    """Rows with what they raised; those that may be tried again together, so that they are one piece of work."""
    raised = [(failure.rows, failure.error) for failure in failures if failure.error is not None]
    covered = [(rows, error) for rows, error in raised if is_covered(error)]
    if len(covered) < 2:
        return raised
    once = (together([rows for rows, _ in covered]), covered[0][1])
    return [once, *((rows, error) for rows, error in raised if not is_covered(error))]


def _refused(batch: pl.DataFrame, attempted: Attempted[Outcome]) -> list[Failure]:
    """Instances that the node itself took out, by reason."""
    reasons: dict[tuple[str, str], list[int]] = {}
    for outcome in attempted.results:
        for item in outcome.quarantined:
            reasons.setdefault((item.code, item.message), []).append(item.instance_id)
    return [
        Failure(batch.filter(pl.col("instance_id").is_in(pl.Series(ids, dtype=pl.UInt64).implode())), code, message, "")
        for (code, message), ids in reasons.items()
    ]


def _by_code(failures: Sequence[Failure]) -> dict[str, list[Failure]]:
    groups: dict[str, list[Failure]] = {}
    for failure in failures:
        groups.setdefault(failure.code, []).append(failure)
    return groups


def _trouble_of(step: Step, code: str, failures: Sequence[Failure], *, is_kept: bool) -> Trouble:
    people = pl.concat([failure.rows.get_column("contact_id") for failure in failures])
    return Trouble(
        step.id,
        code,
        failures[0].message,
        failures[0].hint,
        count=people.len(),
        sample=tuple(people.head(_SAMPLE_MAX)),
        severity="error" if is_kept else "warning",
        action="retry" if is_kept else None,
    )


def _trouble(step: Step, problem: Problem) -> Trouble:
    return Trouble(step.id, problem.code, problem.message, problem.hint, severity="warning")


def _notes(step: Step, noted: Sequence[Quarantined]) -> list[Trouble]:
    """What is wrong with people who go on all the same, by code."""
    codes: dict[str, list[Quarantined]] = {}
    for item in noted:
        codes.setdefault(item.code, []).append(item)
    return [
        Trouble(
            step.id,
            code,
            items[0].message,
            "",
            count=len(items),
            sample=tuple(item.contact_id for item in items[:_SAMPLE_MAX]),
            severity="warning",
        )
        for code, items in codes.items()
    ]
