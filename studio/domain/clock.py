"""Time as an argument. Absent on purpose: waiting, which belongs to the engine's driver."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Answers what time it is: always aware UTC, never going back within one run."""

    def now(self) -> datetime: ...


def utc_now() -> datetime:
    """The wall clock, for the composition root and for what is really about the wall (log lines, file names)."""
    return datetime.now(UTC)  # noqa: TID251 - the one place that reads the wall clock


def passed() -> float:
    """A stopwatch in seconds that nobody can set, and that goes on while the computer sleeps where the system has one.

    Linux counts sleep in its own clock, macOS in the system's monotonic one (Python's stands still there), Windows in
    the only one there is.
    """
    which = getattr(time, "CLOCK_BOOTTIME", None) or getattr(time, "CLOCK_MONOTONIC", None)
    return time.monotonic() if which is None else time.clock_gettime(which)


def shown(at: datetime) -> datetime:
    """The moment to the nearest millisecond, as people read it: a run as of a midnight stands a microsecond before it.

    >>> shown(datetime(1997, 9, 30, 23, 59, 59, 999_999, UTC)).isoformat()
    '1997-10-01T00:00:00+00:00'
    """
    rounded = at + timedelta(microseconds=500) if at.microsecond % 1_000 else at
    return rounded.replace(microsecond=rounded.microsecond // 1_000 * 1_000)


def iso(at: datetime) -> str:
    """ISO 8601 in UTC with a Z, to the nearest millisecond when there is a fraction.

    >>> iso(datetime(1997, 10, 1, tzinfo=UTC))
    '1997-10-01T00:00:00Z'
    """
    moment = shown(at.astimezone(UTC))
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")


def parse_iso(text: str) -> datetime:
    """A date or a moment in ISO 8601; without a zone it is UTC. Raises ValueError on anything else."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
