"""Sends one batch of planned messages, so that whatever breaks, nobody gets one twice and nobody is forgotten.

The ledger says what became of each row before; only planned, retried and approved ones are written and handed over. The
intent to send is durable before the final dot, the answer after it. One person's failure touches nobody else; a server
that serves nobody ends the batch, and what is left of it stays planned. Absent on purpose: moving instances on
(`engine/settling.py`), and deciding about messages in doubt where the server cannot be asked.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from studio.domain.node import Blocked, NodeContext
from studio.domain.ports import Runs
from studio.engine.book import Book, Dispatched
from studio.engine.composing import compose
from studio.engine.evidence import proven
from studio.engine.handover import HandOver, Post, look_up
from studio.engine.ledger_writer import LedgerWriter
from studio.engine.plan import Step
from studio.engine.sessions import Connections

_PROGRESS_EVERY_S = 1.0
_SENDABLE = ("planned", "retry", "resend_approved")
_DOUBTFUL = ("sending", "in_doubt", "held")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outward:
    """What a dispatch works with. `tell` is given changes of the numbers by state while it goes on."""

    runs: Runs
    connections: Connections
    now: Callable[[], datetime]
    tick: Callable[[], float]
    is_asked_to_stop: Callable[[], bool]
    tell: Callable[[Counter[str]], Awaitable[None]]


async def dispatch(
    step: Step, batch: pl.DataFrame, gone: pl.Series, context: NodeContext, outward: Outward, attempt_no: int
) -> Dispatched:
    """Sends what is still to be sent of a batch (`outbox_id`, `message_id`); `attempt_no` counts from 1.

    `gone`: per row whether the instance has left the run meanwhile; its message is not sent. Raises what a commit to
    the ledger raises; what was under way then is found out when the run is resumed.
    """
    writer = LedgerWriter(outward.runs, context.run_id, outward.now)
    book = Book(step, batch, context, attempt_no=attempt_no, writer=writer, now=outward.now)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(writer.run())
            await _Dispatch(step, batch, context, outward, book).run(gone)
            writer.finish()
    except BaseExceptionGroup as errors:
        raise _first(errors) from errors
    return book.result


class _Dispatch:
    def __init__(self, step: Step, batch: pl.DataFrame, context: NodeContext, outward: Outward, book: Book) -> None:
        self._step = step
        self._batch = batch
        self._context = context
        self._outward = outward
        self._book = book
        self._told_at_s = outward.tick()
        self._proven: set[str] = set()

    async def run(self, gone: pl.Series) -> None:
        ids = self._batch.get_column("outbox_id").to_list()
        ledger = await asyncio.to_thread(self._outward.runs.outbox, self._context.run_id, ids)
        known = {row["outbox_id"]: row for row in ledger.iter_rows(named=True)}
        doubtful = ledger.filter(pl.col("state").is_in(_DOUBTFUL))
        self._proven = proven(self._context.events, doubtful, self._context.started_at)
        rows: list[int] = []
        for row, (outbox_id, is_gone) in enumerate(zip(ids, gone, strict=True)):
            if not await self._is_to_send(row, known[outbox_id]):
                continue
            if is_gone:
                self._book.block(row, Blocked(self._book.instance(row), "left", "The person has left the workflow."))
            else:
                rows.append(row)
        if rows:
            await self._send(rows)

    async def _is_to_send(self, row: int, entry: dict[str, object]) -> bool:
        """Whether the ledger lets the row be sent now; notes what became of it before, when it does not."""
        state, due_at, result = str(entry["state"]), entry["due_at"], self._book.result
        self._book.was(row, state)
        if state in _SENDABLE:
            if isinstance(due_at, datetime) and due_at > self._outward.now():
                result.later.append((row, due_at, state == "retry"))
                return False
            return True
        if state in ("sent", "resolved_sent"):
            result.sent.append(row)
            if entry["answer"]:
                result.answers[row] = str(entry["answer"])
        elif state == "blocked":
            result.blocked.append(row)
        elif state == "failed":
            code, _, message = str(entry["reason"]).partition(": ")
            result.failed.append((row, code, message))
        elif entry["outbox_id"] in self._proven:
            self._book.sent(row, "resolved_sent")
        else:
            return await self._is_to_send_again(row, str(entry["message_id"]))
        return False

    async def _is_to_send_again(self, row: int, message_id: str) -> bool:
        """Asks the server about a message in doubt."""
        answer = await look_up(self._outward.connections, message_id)
        if answer == "unknown_to_server":
            self._book.approve(row)
            return True
        if answer == "accepted":
            self._book.sent(row, "resolved_sent")
        else:
            self._book.result.doubtful.append(row)
        return False

    async def _send(self, rows: Sequence[int]) -> None:
        batch = self._batch[list(rows)]
        row_of = dict(zip(batch.get_column("instance_id"), rows, strict=True))
        written = await compose(self._step, batch, self._context)
        for blocked in written.blocked:
            self._book.block(row_of[blocked.instance_id], blocked)
        for instance_id, code, message in written.failed:
            self._book.fail(row_of[instance_id], code, message)
        for instance_id, error in written.later:
            self._book.try_again(row_of[instance_id], error, is_counted=False)
        queue = deque(Post(row_of[letter.instance_id], letter.envelope) for letter in written.letters)
        hand_over = HandOver(
            queue,
            self._book,
            self._outward.connections,
            is_asked_to_stop=self._outward.is_asked_to_stop,
            progress=self._tell_progress,
        )
        await hand_over.run()

    async def _tell_progress(self) -> None:
        now = self._outward.tick()
        if now - self._told_at_s >= _PROGRESS_EVERY_S:
            self._told_at_s = now
            counts, self._book.result.counts = self._book.result.counts, Counter()
            await self._outward.tell(counts)


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that began it; the others are its echoes."""
    error = errors.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
