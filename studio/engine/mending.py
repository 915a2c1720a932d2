"""What a person does to a run that has not gone well: try the failed ones again, decide about messages in doubt.

Absent on purpose: letting the run go on afterwards (`engine/leg.py`).
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from studio.domain.errors import UserFixable
from studio.domain.ports import LedgerChange, Runs
from studio.engine.draft import Draft
from studio.engine.facts import contact_events
from studio.engine.memory import RunMemory
from studio.engine.stage import Tally, Trouble

Verdict = Literal["sent", "resend"]


def retry_failed(memory: RunMemory, runs: Runs, node_id: str | None = None) -> Draft | None:
    """Brings kept instances back before the step they failed at; None when there are none there.

    Messages that failed are planned again in the ledger first: should the program be stopped before the draft is
    committed, they are merely still kept, and can be tried again.
    """
    kept = {key: w for key, w in memory.scheduler.pending("failed").items() if node_id in (None, w.node_id)}
    if not kept:
        return None
    draft = memory.draft(consumed=list(kept))
    for work, batch in zip(kept.values(), memory.batch(kept), strict=True):
        tally = draft.tallies.setdefault(work.node_id, Tally())
        if work.cursor == "send":
            _plan_again(runs, draft, batch)
            draft.add(work.node_id, "send", batch)
            draft.count(work.node_id, failed=-batch.height, retry=batch.height)
            tally.failed -= batch.height
            continue
        tally.quarantined -= batch.height
        if work.cursor == "resume":
            draft.add_waiting(work.node_id, batch.with_columns(due_at=pl.lit(draft.now).cast(batch.schema["due_at"])))
        else:
            draft.add(work.node_id, "arrive", batch)
            tally.arrived -= batch.height
    for step_id in draft.tallies:
        draft.troubles += _taken_back(memory, step_id)
        draft.tell(step_id, "step.state", {"state": "running"})
    return draft


def _plan_again(runs: Runs, draft: Draft, batch: pl.DataFrame) -> None:
    if draft.run.mode == "simulate":
        return
    states = runs.outbox(draft.run.run_id, batch.get_column("outbox_id").to_list())
    failed = states.filter(pl.col("state") == "failed").get_column("outbox_id")
    if failed.len():
        changes = [LedgerChange(outbox_id=outbox_id, state="retry") for outbox_id in failed]
        runs.change_outbox(draft.run.run_id, draft.now, changes)


def _taken_back(memory: RunMemory, node_id: str) -> list[Trouble]:
    """The step's problems that a retry answers, with their numbers taken off again."""
    return [
        Trouble(node_id, p.code, p.message, p.hint, count=-p.count, action=p.action)
        for p in memory.view.step(node_id).problems
        if p.action == "retry" and p.count
    ]


def resolve(memory: RunMemory, runs: Runs, outbox_id: str, verdict: Verdict) -> None:
    """Writes a person's decision about a message in doubt into the ledger; `revive_doubts` then lets it count.

    Raises:
        UserFixable: LEDGER-UNKNOWN, LEDGER-NOT-IN-DOUBT.
    """
    run_id, now = memory.run.run_id, memory.scheduler.now
    rows = runs.outbox(run_id, [outbox_id])
    if rows.is_empty():
        hint = "Copy the id from the list of the send ledger."
        raise UserFixable("LEDGER-UNKNOWN", f"There is no message {outbox_id} in this run.", hint=hint)
    if rows.item(0, "state") != "in_doubt":
        hint = "Only messages that are in doubt can be settled by hand."
        raise UserFixable("LEDGER-NOT-IN-DOUBT", f"The message is {rows.item(0, 'state')}.", hint=hint)
    if verdict == "resend":
        runs.change_outbox(run_id, now, [LedgerChange(outbox_id=outbox_id, state="resend_approved")])
        return
    node_id = str(rows.item(0, "node_id"))
    event = contact_events(rows, run_id=run_id, node_id=node_id, kind="sent", at=now)
    runs.change_outbox(run_id, now, [LedgerChange(outbox_id=outbox_id, state="resolved_sent")], event)


def revive_doubts(memory: RunMemory) -> Draft | None:
    """Looks at messages in doubt anew: the ledger may have been told, or the server may be asked now."""
    doubts = memory.scheduler.pending("doubt")
    if not doubts:
        return None
    draft = memory.draft(consumed=list(doubts))
    for work, batch in zip(doubts.values(), memory.batch(doubts), strict=True):
        draft.add(work.node_id, "send", batch, attempt=work.attempt)
        draft.count(work.node_id)
    return draft
