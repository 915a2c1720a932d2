"""Changes of the send ledger from many sessions, committed together: one transaction for whatever came meanwhile.

A session that is about to send its final dot waits here until its intent is durable; while one commit is being written,
the intents of the others gather for the next. Changes are committed in the order they were posted. Absent on purpose:
what the changes mean.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeAlias

import polars as pl

from studio.domain.ports import LedgerChange, Runs
from studio.frames.events import EVENT_SCHEMA

EventRow: TypeAlias = dict[str, object]
"""One contact event; columns of EVENT_SCHEMA that are not named are null."""


class LedgerWriter:
    """Runs as one task (`run`) until `finish`; the other tasks of its group post to it."""

    def __init__(self, runs: Runs, run_id: str, now: Callable[[], datetime]) -> None:
        self._runs = runs
        self._run_id = run_id
        self._now = now
        self._posted: list[tuple[LedgerChange, Sequence[EventRow], asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._is_finishing = False
        self._failure: BaseException | None = None

    def post(self, change: LedgerChange, *events: EventRow) -> asyncio.Future[None]:
        """Queues a change and the contact events it makes facts; the future is done when both are durable.

        Raises what the last commit raised: after a failed one nothing more is taken.
        """
        if self._failure is not None:
            raise self._failure
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._posted.append((change, events, done))
        self._wake.set()
        return done

    @property
    def has_failed(self) -> bool:
        """Whether a commit failed."""
        return self._failure is not None

    def finish(self) -> None:
        """Lets `run` return once everything posted is durable."""
        self._is_finishing = True
        self._wake.set()

    async def run(self) -> None:
        """Commits what is posted. Raises what a commit raises, after telling those who wait for it."""
        while not (self._is_finishing and not self._posted):
            await self._wake.wait()
            self._wake.clear()
            while self._posted:
                taken, self._posted = self._posted, []
                await self._commit(taken)

    async def _commit(self, taken: list[tuple[LedgerChange, Sequence[EventRow], asyncio.Future[None]]]) -> None:
        changes = [change for change, _, _ in taken]
        rows = [row for _, events, _ in taken for row in events]
        frame = pl.DataFrame(rows, schema=EVENT_SCHEMA) if rows else None
        try:
            await asyncio.to_thread(self._runs.change_outbox, self._run_id, self._now(), changes, frame)
        except BaseException as error:
            self._failure = error
            _tell(error, [done for _, _, done in [*taken, *self._posted]])
            raise
        for _, _, done in taken:
            if not done.done():
                done.set_result(None)


def _tell(error: BaseException, waiting: Sequence[asyncio.Future[None]]) -> None:
    for done in waiting:
        if not done.done() and isinstance(error, Exception):
            done.set_exception(error)
            done.exception()  # looked at once here, or a future that nobody waits for complains
        else:
            done.cancel()
