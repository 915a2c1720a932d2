"""Connections to the mail server: opened when needed, kept for the next batch, paced, and given up in good time.

A server that worked and is gone is left alone for a while (a circuit breaker): a minute, then twice as long each time;
one try at the end of each rest says whether it is back. So is a web service that puts off call after call, lest
everybody's tries be used up, or everybody be in doubt. Absent on purpose: what is sent over them (`engine/outbox.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from studio.domain.errors import StudioError, Transient
from studio.domain.mail import Deferred, Mailer, MailSession
from studio.domain.ports import Pace
from studio.engine.facts import chance

Sleep = Callable[[float], Awaitable[None]]

TRIES_MAX = 5
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 30.0
FIRST_REST_S = 60.0
LONGEST_REST_S = 900.0
GIVE_UP_AFTER_S = 6 * 3_600.0
BUSY_MAX = 5
"""Calls in a row that a web service may put off, or leave unanswered, before it is left alone."""


class Unreachable(Transient):
    """The server serves nobody now, which is no single message's fault: sending stops.

    rest_s: for so many seconds it is left alone, and then tried again; None: until somebody looks at it.
    """

    def __init__(self, code: str, message: str, *, hint: str | None, rest_s: float | None = None) -> None:
        super().__init__(code, message, hint=hint, retry_after_s=rest_s)
        self.rest_s = rest_s


class Connections:
    """All sessions of one run. For tasks of one loop.

    tick: a stopwatch in seconds. salt: what the jitter of waits is drawn from, so that runs do not knock together.
    """

    def __init__(
        self,
        mailer: Mailer,
        pace: Pace,
        *,
        sleep: Sleep,
        tick: Callable[[], float],
        salt: str = "",
        may_rest: bool = False,
    ) -> None:
        self._mailer = mailer
        self._sleep = sleep
        self._tick = tick
        self._gap_s = 1 / pace.rate_per_second if pace.rate_per_second else 0.0
        self._next_turn_s = 0.0
        self._idle: list[MailSession] = []
        self._in_use = 0
        self._losses = 0
        self._salt = salt
        self._may_rest = may_rest
        self._waits = 0
        self._has_worked = False
        self._rests = 0
        self._rests_until_s = 0.0
        self._down_since_s = 0.0
        self._opening = asyncio.Lock()
        self._busy: dict[str, tuple[int, float]] = {}
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
        assert self._in_use >= 0, "a session is given back once"
        if session.is_open:
            self._idle.append(session)

    def note_success(self) -> None:
        """The server did what it was asked to."""
        self._losses = 0
        self._rests = 0
        self._has_worked = True
        self._busy.clear()

    def note_loss(self, error: StudioError) -> None:
        """A connection broke. Raises Unreachable when that has happened too often without one success between."""
        self._losses += 1
        if self._losses >= TRIES_MAX:
            raise self._gone(error)

    def note_busy(self, who: str, error: StudioError) -> None:
        """A web service put a call off, or did not answer it. Raises Unreachable when it has done so `BUSY_MAX` times
        in a row; others are called meanwhile.
        """
        count, since_s = self._busy.get(who, (0, self._tick()))
        self._busy[who] = count + 1, since_s
        if count + 1 < BUSY_MAX or not self._may_rest:
            return
        text = f"{who} has put off {count + 1} calls in a row, so it is left alone for a while. {error.message}"
        if self._tick() - since_s >= GIVE_UP_AFTER_S:
            self._busy.pop(who)
            raise Unreachable("WEB-BUSY", text, hint="Ask who runs it; nobody is called twice.")
        asked_s = (error.retry_after_s if isinstance(error, Transient) else None) or 0.0
        rest_s = max(min(FIRST_REST_S * 2 ** min(count + 1 - BUSY_MAX, 10), LONGEST_REST_S), asked_s)
        raise Unreachable("WEB-BUSY", text, hint=None, rest_s=self._jittered(rest_s))

    async def close(self) -> None:
        """Closes the sessions that nobody uses."""
        idle, self._idle = self._idle, []
        for session in idle:
            await session.close()

    async def _open(self) -> MailSession | None:
        left_s = self._rests_until_s - self._tick()
        if self._rests and left_s > 0:
            raise _unreachable("It is left alone for a while.", left_s)
        wait_s = _FIRST_WAIT_S
        tries_max = 1 if self._rests else TRIES_MAX
        for tries in range(1, tries_max + 1):
            try:
                session = await self._mailer.open()
            except Deferred as error:
                if self._in_use:
                    return None
                if tries == tries_max:
                    raise self._gone(error) from error
                await self._sleep(min(max(self._jittered(wait_s), error.retry_after_s or 0.0), _LONGEST_WAIT_S))
                wait_s *= 2
            except StudioError as error:
                raise Unreachable(error.code, error.message, hint=error.hint) from error
            else:
                self._in_use += 1
                return session
        raise AssertionError("the loop returns or raises")

    def _gone(self, error: StudioError) -> Unreachable:
        """What to raise for a server that is gone: it rests when it has worked before, and not for ever."""
        now = self._tick()
        if not self._rests:
            self._down_since_s = now
        if not (self._may_rest and self._has_worked) or now - self._down_since_s >= GIVE_UP_AFTER_S:
            self._rests = 0
            return _unreachable(error.message, None)
        asked_s = (error.retry_after_s if isinstance(error, Transient) else None) or 0.0
        rest_s = self._jittered(max(min(FIRST_REST_S * 2**self._rests, LONGEST_REST_S), asked_s))
        self._rests += 1
        self._losses = 0
        self._rests_until_s = now + rest_s
        return _unreachable(error.message, rest_s)

    def _jittered(self, seconds: float) -> float:
        """A fifth more or less, so that not everybody comes back at once."""
        self._waits += 1
        return seconds * (0.8 + 0.4 * chance(f"{self._salt}|wait", self._waits))


def _unreachable(why: str, rest_s: float | None) -> Unreachable:
    return Unreachable(
        "MAIL-UNREACHABLE",
        f"The mail server cannot be reached, so sending has stopped. {why}",
        hint="Check the connection and the sending profile, then try again: nobody is mailed twice.",
        rest_s=rest_s,
    )
