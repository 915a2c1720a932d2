"""Connections to the mail server: opened when needed, kept for the next batch, paced, and given up in good time.

Absent on purpose: what is sent over them (`engine/outbox.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from studio.domain.errors import StudioError, Transient
from studio.domain.mail import Deferred, Mailer, MailSession
from studio.domain.ports import Pace

Sleep = Callable[[float], Awaitable[None]]

TRIES_MAX = 5
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 30.0


class Unreachable(Transient):
    """The server serves nobody now, which is no single message's fault: sending stops until somebody looks at it."""


class Connections:
    """All sessions of one run. `tick` is a stopwatch in seconds. For tasks of one loop."""

    def __init__(self, mailer: Mailer, pace: Pace, *, sleep: Sleep, tick: Callable[[], float]) -> None:
        self._mailer = mailer
        self._sleep = sleep
        self._tick = tick
        self._gap_s = 1 / pace.rate_per_second if pace.rate_per_second else 0.0
        self._next_turn_s = 0.0
        self._idle: list[MailSession] = []
        self._in_use = 0
        self._losses = 0
        self._opening = asyncio.Lock()
        self.most = pace.connections

    async def turn(self) -> None:
        """Waits until the pace allows the next message."""
        now = self._tick()
        at = max(now, self._next_turn_s)
        self._next_turn_s = at + self._gap_s
        if at > now:
            await self._sleep(at - now)

    async def take(self) -> MailSession | None:
        """An open session; None when the server takes no further one while others are at work.

        Raises:
            Unreachable: it cannot be reached, or will not serve us.
        """
        async with self._opening:
            while self._idle:
                session = self._idle.pop()
                if session.is_open:
                    self._in_use += 1
                    return session
            return await self._open()

    def give_back(self, session: MailSession) -> None:
        """The session's task has no use for it now."""
        self._in_use -= 1
        if session.is_open:
            self._idle.append(session)

    def note_success(self) -> None:
        """The server did what it was asked to."""
        self._losses = 0

    def note_loss(self, error: StudioError) -> None:
        """A connection broke. Raises Unreachable when that has happened too often without one success between."""
        self._losses += 1
        if self._losses >= TRIES_MAX:
            raise _unreachable(error)

    async def close(self) -> None:
        """Closes the sessions that nobody uses."""
        idle, self._idle = self._idle, []
        for session in idle:
            await session.close()

    async def _open(self) -> MailSession | None:
        wait_s = _FIRST_WAIT_S
        for tries in range(1, TRIES_MAX + 1):
            try:
                session = await self._mailer.open()
            except Deferred as error:
                if self._in_use:
                    return None
                if tries == TRIES_MAX:
                    raise _unreachable(error) from error
                await self._sleep(min(max(wait_s, error.retry_after_s or 0.0), _LONGEST_WAIT_S))
                wait_s *= 2
            except StudioError as error:
                raise Unreachable(error.code, error.message, hint=error.hint) from error
            else:
                self._in_use += 1
                return session
        raise AssertionError("the loop returns or raises")


def _unreachable(error: StudioError) -> Unreachable:
    return Unreachable(
        "MAIL-UNREACHABLE",
        f"The mail server cannot be reached, so sending has stopped. {error.message}",
        hint="Check the connection and the sending profile, then try again: nobody is mailed twice.",
    )
