"""Sending to nobody: the simulated audience answers with the contact events that follow, now and later.

Messages are written as they would be (the gate decides who gets one), no connector is touched and the ledger stays
empty. Absent on purpose: how the audience behaves (the port `Simulator`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import polars as pl
from pydantic import JsonValue

from studio.domain.node import NodeContext, Watches
from studio.domain.ports import RunRow, SimulationContext, Simulator
from studio.engine.book import Dispatched
from studio.engine.composing import Written, compose
from studio.engine.draft import Draft
from studio.engine.facts import chance, constant, contact_events, event_ids, identified, tidy, visited_ids
from studio.engine.idset import IdSet
from studio.engine.plan import Plan, Step, sent_kind
from studio.frames.events import as_events

_NO_GOAL = "order"


def goal_kind(plan: Plan) -> str:
    """The kind of event by which the audience is judged: that of the first goal."""
    kinds = [kind for step in plan.goals if isinstance(step.node, Watches) for kind in step.node.event_kinds()]
    return kinds[0] if kinds else _NO_GOAL


def simulation_context(run: RunRow, plan: Plan, step: Step, context: NodeContext) -> SimulationContext:
    """What the audience is told about a step."""
    return SimulationContext(
        seed=run.seed,
        now=context.now,
        workflow_id=run.workflow_id,
        position=step.position,
        rates=_numbers(run.options.get("rates")),
        truth=_numbers(run.options.get("truth")),
        goal_kind=goal_kind(plan),
        currency=plan.workflow.settings.currency,
        channel=step.node.declaration.channel or "email",
    )


async def pretend(
    draft: Draft,
    simulator: Simulator,
    plan: Plan,
    step: Step,
    batch: pl.DataFrame,
    gone: pl.Series,
    context: NodeContext,
    attempt_no: int,
) -> Dispatched:
    """Writes a batch of messages and lets the audience react; its events go into `draft`."""
    known = _written_before(draft.run, plan, step, batch, context)
    before = {row: was_sent for row, was_sent in known.items() if not gone[row]}
    result = Dispatched(blocked=gone.arg_true().to_list())
    rows = [row for row in gone.not_().arg_true() if row not in before]
    if rows:
        row_of = {int(batch.item(row, "instance_id")): row for row in rows}
        _sort_out(draft, step, batch, result, row_of, await compose(step, batch[rows], context), attempt_no)
    _count(result, "planned" if attempt_no == 1 else "retry")
    sent = tidy(batch[sorted(result.sent)])
    if sent.height:
        kind = sent_kind(step)
        draft.record(contact_events(sent, run_id=draft.run.run_id, node_id=step.id, kind=kind, at=draft.now), kind)
        if kind != "called":
            told = simulation_context(draft.run, plan, step, context)
            happen(draft, step, simulator.react(sent, told), told.goal_kind)
    for row, was_sent in before.items():
        (result.sent if was_sent else result.blocked).append(row)
    result.counts["planned" if attempt_no == 1 else "retry"] -= len(before)
    return result


def _written_before(run: RunRow, plan: Plan, step: Step, batch: pl.DataFrame, context: NodeContext) -> dict[int, bool]:
    """Rows whose message was sent (True) or held back (False) when they came here by another way; what the ledger
    knows where there is one.
    """
    if not plan.has_fan_out:
        return {}
    sent, visits = sent_kind(step), visited_ids(batch)
    contacts = batch.get_column("contact_id").unique().sort()
    told = context.events.rows((sent, "blocked"), since=run.started_at, ids=contacts, run_id=run.run_id)
    known, before = IdSet(told.get_column("event_id")), dict[int, bool]()
    for kind in ("blocked", sent):
        rows = known.mask(event_ids(run.run_id, step.id, kind, visits)).arg_true()
        before |= dict.fromkeys(rows.to_list(), kind == sent)
    return before


def _sort_out(
    draft: Draft,
    step: Step,
    batch: pl.DataFrame,
    result: Dispatched,
    row_of: Mapping[int, int],
    written: Written,
    attempt_no: int,
) -> None:
    run_id = draft.run.run_id
    result.sent += [row_of[letter.instance_id] for letter in written.letters]
    result.failed += [(row_of[instance], code, message) for instance, code, message in written.failed]
    for instance, error in written.later:
        drawn = chance(f"{run_id}|{step.id}|{attempt_no}", instance)
        due_at = step.retry.again_at(draft.now, attempt_no, drawn, error)
        if due_at is None:
            result.failed.append((row_of[instance], error.code, error.message))
        else:
            result.later.append((row_of[instance], due_at, True))
    result.later += [(row_of[held.instance_id], held.until, False) for held in written.blocked if held.until]
    blocked = [held for held in written.blocked if held.until is None]
    if blocked:
        result.blocked += [row_of[held.instance_id] for held in blocked]
        reasons = [json.dumps({"reason": held.reason, "message": held.message}) for held in blocked]
        people = batch[[row_of[held.instance_id] for held in blocked]].with_columns(pl.Series("properties", reasons))
        draft.record(contact_events(people, run_id=run_id, node_id=step.id, kind="blocked", at=draft.now), "blocked")


def _count(result: Dispatched, was: str) -> None:
    tries = sum(is_attempt for _, _, is_attempt in result.later)
    numbers = {"sent": len(result.sent), "blocked": len(result.blocked), "failed": len(result.failed), "retry": tries}
    result.counts.update(numbers)
    result.counts[was] -= sum(numbers.values())


def happen(draft: Draft, step: Step, events: pl.DataFrame, goal: str) -> None:
    """Lets the audience's events happen: those up to now at once, later ones when the clock comes there.

    All of them are the run's, so that what was simulated can be told from what was not; `goal` events, like orders from
    outside, belong to no step.
    """
    if events.is_empty():
        return
    given = as_events(events)
    node_ids = [None if kind == goal else step.id for kind in given.get_column("kind")]
    own = given.with_columns(
        constant("run_id", draft.run.run_id, pl.String(), given.height),
        given.get_column("node_id").zip_with(
            given.get_column("node_id").is_not_null(), pl.Series("node_id", node_ids, dtype=pl.String)
        ),
    )
    own = identified(own, draft.run.run_id, step.id)
    is_due = own.get_column("occurred_at") <= draft.now
    draft.record(own.filter(is_due))
    draft.add_inbox(step.id, own.filter(~is_due))


def still_true(events: pl.DataFrame, kind: str, converted: IdSet) -> pl.DataFrame:
    """The events without goal events of instances that have reached the goal: who has bought does not buy for every
    message that was on its way. Of several at once, the first counts.
    """
    if kind not in events.get_column("kind"):
        return events
    is_goal = (pl.col("kind") == kind) & pl.col("instance_id").is_not_null()
    late = converted.mask(events.get_column("instance_id").fill_null(0))
    kept = events.filter(~(is_goal & late)).sort("occurred_at", "event_id")
    return kept.filter(~is_goal | pl.struct("instance_id", is_goal.alias("g")).is_first_distinct())


def _numbers(option: JsonValue) -> dict[str, float]:
    pairs = option.items() if isinstance(option, dict) else ()
    return {name: float(value) for name, value in pairs if isinstance(value, (int, float))}
