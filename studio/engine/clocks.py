"""The clock of a run: the wall, or a virtual one that jumps to the next due time or goes N times as fast.

A virtual clock stops at multiples of its step only, so that a month of carts is some thousand turns, and however fast
it goes, the same things meet at the same stops. The wall's clock is compared with a stopwatch, and at the start with
the last moment that the workspace knows of: when somebody sets the computer's clock forward, or it was wrong from the
start, the run's clock stays until a person says that the new time is right. Absent on purpose: reading the wall
(`domain.clock`), and deciding where to go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol

from studio.domain.clock import Clock
from studio.domain.duration import parse_duration
from studio.domain.errors import UserFixable
from studio.domain.ports import RunRow

STEP = timedelta(minutes=15)
LEAP = timedelta(hours=1)
"""A wall clock that is further ahead than this of the time that has passed was set, and is not believed at once."""
AWAY = timedelta(days=31)
"""A wall clock that shows more than this since the workspace was last at work may be wrong since before the start."""
POLL_S = 5.0

Doze = Callable[[float | None, asyncio.Event], Awaitable[bool]]
"""Waits so many seconds (None: for ever) or until the event is set; whether the time is over."""


class RunClock(Protocol):
    """What time it is in a run, and going there."""

    is_virtual: bool
    is_instant: bool
    step: timedelta

    def now(self) -> datetime: ...

    def leap(self) -> timedelta | None:
        """How far ahead the wall was set; `now` stays where it is until it is accepted. None: it was not."""
        ...

    def away_since(self) -> datetime | None:
        """When the workspace was last at work, where by the wall that is so long ago that the wall may be wrong."""
        ...

    def accept(self) -> None:
        """A person says that the wall is right, whatever it shows."""
        ...

    async def reach(self, to: datetime | None, wake: asyncio.Event) -> None:
        """Returns when `to` has come, or earlier when `wake` is set (or, on the wall, to look for events)."""
        ...


class VirtualClock:
    """Starts at a moment; `speed` seconds of it pass per second of the wall, None: as fast as it goes."""

    is_virtual = True

    def __init__(self, start: datetime, doze: Doze, speed: float | None = None, step: timedelta = STEP) -> None:
        self.step = step
        self.is_instant = speed is None
        self._now = start
        self._doze = doze
        self._speed = speed

    def now(self) -> datetime:
        return self._now

    def leap(self) -> timedelta | None:
        return None

    def away_since(self) -> datetime | None:
        return None

    def accept(self) -> None:
        pass

    async def reach(self, to: datetime | None, wake: asyncio.Event) -> None:
        assert to is not None, "a virtual clock has nothing to wait for"
        if self._speed is not None and to > self._now:
            seconds = (to - self._now).total_seconds() / self._speed
            if not await self._doze(seconds, wake):
                return
        self._now = max(self._now, to)


class RealClock:
    """The wall. It never goes back, even if somebody sets the computer's clock, and not far ahead of what has passed.

    `passed`: a stopwatch in seconds. `last`: when the workspace was last at work; None: nobody knows. Where the wall
    stands behind the run at first, there is nothing to compare with until it has come to it.
    """

    is_virtual = False
    is_instant = False
    step = timedelta(0)

    def __init__(
        self, start: datetime, wall: Clock, doze: Doze, passed: Callable[[], float], last: datetime | None = None
    ) -> None:
        self._latest = start
        self._last = last
        self._wall = wall
        self._doze = doze
        self._passed = passed
        self._known: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        at = self._wall.now()
        if at > self._latest and self._ahead(at) <= LEAP and self.away_since() is None:
            self._latest = at
            self._known = at, self._passed()
        return self._latest

    def leap(self) -> timedelta | None:
        ahead = self._ahead(self._wall.now())
        return ahead if ahead > LEAP else None

    def away_since(self) -> datetime | None:
        is_asked = self._known is None and self._last is not None and self._wall.now() - self._last > AWAY
        return self._last if is_asked else None

    def accept(self) -> None:
        self._known = None
        self._last = None

    async def reach(self, to: datetime | None, wake: asyncio.Event) -> None:
        seconds = POLL_S
        if to is not None:
            seconds = min(seconds, max((to - self.now()).total_seconds(), 0.0))
        await self._doze(seconds, wake)

    def _ahead(self, at: datetime) -> timedelta:
        if self._known is None:
            return timedelta(0)
        known, mark = self._known
        return at - known - timedelta(seconds=self._passed() - mark)


def make_clock(
    run: RunRow, wall: Clock, doze: Doze, passed: Callable[[], float], last: datetime | None = None
) -> RunClock:
    """The clock that the run asks for: `real`, `max`, or how many times as fast as the wall.

    `last`: when the workspace was last at work, as far as it knows; a real clock is held against it.

    A virtual one stops at multiples of the run's option `step` (ISO 8601 duration), a quarter of an hour unless said.

    Raises:
        UserFixable: ENGINE-CLOCK for anything else.
    """
    if run.clock == "real":
        return RealClock(run.at, wall, doze, passed, last)
    step = parse_duration(str(run.options["step"])) if run.options.get("step") else STEP
    if run.clock == "max":
        return VirtualClock(run.at, doze, step=step)
    try:
        speed = float(run.clock)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        hint = "Use max, real, or how many times as fast as real time, such as 60."
        raise UserFixable("ENGINE-CLOCK", f"There is no clock “{run.clock}”.", where="clock", hint=hint)
    return VirtualClock(run.at, doze, speed, step)


async def doze(seconds: float | None, wake: asyncio.Event) -> bool:
    """Waits on the loop's own clock."""
    try:
        async with asyncio.timeout(seconds):
            await wake.wait()
    except TimeoutError:
        return True
    return False
