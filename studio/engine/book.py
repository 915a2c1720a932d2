"""What is written down about a batch of messages while it is sent: ledger changes, contact events, and who goes where.

Absent on purpose: sending, and committing (`engine/ledger_writer.py`).
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import polars as pl

from studio.domain.errors import StudioError, Transient
from studio.domain.node import Blocked, NodeContext
from studio.domain.ports import LedgerChange
from studio.domain.run import OutboxState
from studio.domain.web_answer import Taken
from studio.engine.facts import chance, event_ids, visited_ids
from studio.engine.ledger_writer import EventRow, LedgerWriter
from studio.engine.plan import Step, sent_kind

_COUNTED = {"resolved_sent": "sent", "resend_approved": "planned", "sending": "in_doubt", "held": "planned"}


def counted_as(state: str) -> str:
    """Under which number of `step.sending` a ledger state is counted."""
    return _COUNTED.get(state, state)


@dataclass(slots=True)
class Dispatched:
    """What became of a batch: row numbers, and words where there are some. Rows in none of them stay planned.

    later: (row, due, is it another attempt). counts: changes of the numbers by state not yet told. answers: of sent web
    calls, what the ledger keeps of the answer.
    """

    sent: list[int] = field(default_factory=list)
    blocked: list[int] = field(default_factory=list)
    failed: list[tuple[int, str, str]] = field(default_factory=list)
    later: list[tuple[int, datetime, bool]] = field(default_factory=list)
    doubtful: list[int] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    answers: dict[int, str] = field(default_factory=dict)
    stopped: StudioError | None = None


class Book:
    """One batch's book. `batch` has `outbox_id`; rows are known by their number in it."""

    def __init__(
        self,
        step: Step,
        batch: pl.DataFrame,
        context: NodeContext,
        *,
        attempt_no: int,
        writer: LedgerWriter,
        now: Callable[[], datetime],
    ) -> None:
        self.result = Dispatched()
        self._step = step
        self._context = context
        self._attempt_no = attempt_no
        self._writer = writer
        self._now = now
        self._people = batch.select("instance_id", "contact_id", "key", "arms").rows(named=True)
        self._outbox_ids: list[str] = batch.get_column("outbox_id").to_list()
        self._instances = visited_ids(batch)
        self._event_ids: dict[str, list[int]] = {}
        self._states: dict[int, str] = {}

    @property
    def has_failed(self) -> bool:
        """Whether a commit failed: nothing more can be noted."""
        return self._writer.has_failed

    def was(self, row: int, state: str) -> None:
        """The row's state in the ledger when the batch began."""
        self._states[row] = state

    def instance(self, row: int) -> int:
        """The instance the row's message is for."""
        return int(self._people[row]["instance_id"])

    def intend(self, row: int) -> asyncio.Future[None]:
        """The message is about to be handed over; done when that is durable."""
        change = LedgerChange(outbox_id=self._outbox_ids[row], state="sending", count_attempt=True)
        return self._writer.post(change)

    def sent(self, row: int, state: OutboxState = "sent", taken: Taken | None = None) -> None:
        """The server has it. In test mode the catcher is the mailbox, so it is delivered too."""
        sent = sent_kind(self._step)
        kinds = (sent, "delivered") if self._context.mode == "test" and sent != "called" else (sent,)
        answer = None if taken is None else taken.to_json()
        self._change(row, state, *(self._event(row, kind) for kind in kinds), answer=answer)
        self.result.sent.append(row)
        if answer is not None:
            self.result.answers[row] = answer

    def back_to_plan(self, row: int) -> None:
        """The server has not got it and nobody is to blame."""
        self._change(row, "planned")

    def approve(self, row: int) -> None:
        """It was in doubt, and the server says it has not got it: it may go again."""
        self._change(row, "resend_approved")

    def doubt(self, row: int, reason: str) -> None:
        """Nobody knows whether the server has it."""
        self._change(row, "in_doubt", reason=reason)
        self.result.doubtful.append(row)

    def block(self, row: int, blocked: Blocked) -> None:
        """The gate holds it back: for good, or until a moment."""
        if blocked.until is not None:
            self._change(row, "planned", reason=blocked.reason, due_at=blocked.until)
            self.result.later.append((row, blocked.until, False))
            return
        event = self._event(row, "blocked", reason=blocked.reason, message=blocked.message)
        self._change(row, "blocked", event, reason=blocked.reason)
        self.result.blocked.append(row)

    def fail(self, row: int, code: str, message: str, bounce: str | None = None) -> None:
        """It will never be sent. `bounce`: the class of the server's refusal of this person's address."""
        events = (self._event(row, "bounced", **{"class": bounce, "reply": message}),) if bounce else ()
        self._change(row, "failed", *events, reason=f"{code}: {message}")
        self.result.failed.append((row, code, message))

    def try_again(self, row: int, error: Transient, *, is_counted: bool) -> None:
        """Another attempt by the step's retry rule, or failure after the last. `is_counted`: the intent counted it."""
        drawn = chance(f"{self._context.run_id}|{self._step.id}|{self._attempt_no}", self.instance(row))
        due_at = self._step.retry.again_at(self._now(), self._attempt_no, drawn, error)
        if due_at is None:
            self.fail(row, error.code, error.message)
            return
        self._change(row, "retry", reason=f"{error.code}: {error.message}", due_at=due_at, count_attempt=not is_counted)
        self.result.later.append((row, due_at, True))

    def _change(
        self,
        row: int,
        state: OutboxState,
        *events: EventRow,
        reason: str | None = None,
        due_at: datetime | None = None,
        count_attempt: bool = False,
        answer: str | None = None,
    ) -> None:
        self._writer.post(
            LedgerChange(
                outbox_id=self._outbox_ids[row],
                state=state,
                reason=reason,
                due_at=due_at,
                count_attempt=count_attempt,
                answer=answer,
            ),
            *events,
        )
        self.result.counts[counted_as(self._states[row])] -= 1
        self.result.counts[counted_as(state)] += 1
        self._states[row] = state

    def _event(self, row: int, kind: str, **properties: object) -> EventRow:
        if kind not in self._event_ids:
            ids = event_ids(self._context.run_id, self._step.id, kind, self._instances)
            self._event_ids[kind] = ids.to_numpy().astype(np.uint64).tolist()
        return {
            **self._people[row],
            "event_id": self._event_ids[kind][row],
            "occurred_at": self._now(),
            "kind": kind,
            "run_id": self._context.run_id,
            "node_id": self._step.id,
            "properties": json.dumps(properties) if properties else None,
        }
