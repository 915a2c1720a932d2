"""A person's word about a message of which nobody knows whether it arrived, and what it changes.

Absent on purpose: committing it, and letting the run go on afterwards (`engine/leg.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import polars as pl

from studio.domain.errors import UserFixable
from studio.domain.ports import LedgerChange, Runs, WorkKind
from studio.domain.run import OutboxState
from studio.engine.draft import Draft
from studio.engine.facts import contact_events, tidy
from studio.engine.memory import RunMemory
from studio.engine.plan import sent_kind
from studio.engine.settling import AGAIN

Verdict = Literal["sent", "resend"]

SETTLED_FROM: Mapping[Verdict, tuple[OutboxState, ...]] = {
    "sent": ("in_doubt", "held", "resend_approved"),
    "resend": ("in_doubt", "held", "resolved_sent"),
}
"""From which states of the ledger a person can say so."""

_MOVING: tuple[WorkKind, ...] = ("arrive", "resume", "send", "failed", "doubt")


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person's word about a message changes: `draft` is committed first, then the ledger's change and events.

    In that order a kill in between leaves the ledger as it was, and the person asks again; the other order would leave
    an approved message that nothing sends.
    """

    change: LedgerChange
    events: pl.DataFrame | None = None
    draft: Draft | None = None


def decide(memory: RunMemory, runs: Runs, outbox_id: str, verdict: Verdict) -> Decision:
    """A person's decision about a message; once it stands in the ledger, `revive_doubts` lets it count.

    It can be taken back: what was called sent can be sent again (the draft then lets it go, and the person is not moved
    in the workflow a second time), and what was to go again can be called sent while it has not gone.

    Raises:
        UserFixable: LEDGER-UNKNOWN, LEDGER-NOT-IN-DOUBT.
    """
    run_id, now = memory.run.run_id, memory.scheduler.now
    rows = runs.outbox(run_id, [outbox_id])
    if rows.is_empty():
        hint = "Copy the id from the list of the send ledger."
        raise UserFixable("LEDGER-UNKNOWN", f"There is no message {outbox_id} in this run.", hint=hint)
    state = str(rows.item(0, "state"))
    if state not in SETTLED_FROM[verdict]:
        hint = "Only messages that are in doubt or held, or that a person has decided about, can be settled by hand."
        raise UserFixable("LEDGER-NOT-IN-DOUBT", f"The message is {state}.", hint=hint)
    if verdict == "sent":
        node_id = str(rows.item(0, "node_id"))
        kind = sent_kind(memory.plan.steps[node_id])
        event = contact_events(rows, run_id=run_id, node_id=node_id, kind=kind, at=now)
        return Decision(LedgerChange(outbox_id=outbox_id, state="resolved_sent", is_verdict=True), event)
    draft = _once_more(memory, runs, rows) if state == "resolved_sent" else None
    return Decision(LedgerChange(outbox_id=outbox_id, state="resend_approved", is_verdict=True), draft=draft)


def _once_more(memory: RunMemory, runs: Runs, row: pl.DataFrame) -> Draft:
    """A draft that sends one message again, whose person has gone on meanwhile or left."""
    instance_id, node_id = int(row.item(0, "instance_id")), str(row.item(0, "node_id"))
    is_it = pl.col("instance_id") == instance_id
    batch = runs.entries(memory.run.run_id).filter(is_it)
    for kind in _MOVING:
        for frame in memory.batch(memory.scheduler.pending(kind)):
            found = frame.filter(is_it)
            if found.height:
                # Who is still on the way carries what was learned on it; of others only the entry is known.
                batch = tidy(found)
    draft = memory.draft(salt=("again", str(row.item(0, "outbox_id")), memory.view.seq))
    message = row.select("outbox_id", "message_id", pl.lit(value=True).alias(AGAIN))
    draft.add(node_id, "send", batch.hstack(message))
    return draft
