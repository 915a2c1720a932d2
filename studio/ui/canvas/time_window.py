"""Which part of a run's time is in sight: all of it, or a window that zooms and slides within it.

Pure values. Absent on purpose: pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

_CLOSEST = 20_000
"""How many times as large as the whole run a moment of it may be shown."""
_LEAST = timedelta(milliseconds=1)
_NEAR = 0.05


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """`start` to `end` is the run; `begin` and `span` are what is in sight of it, None: all, however long it grows."""

    start: datetime
    end: datetime
    begin: datetime | None = None
    span: timedelta | None = None

    @property
    def is_whole(self) -> bool:
        return self.begin is None

    @property
    def seen(self) -> tuple[datetime, datetime]:
        """First and last moment in sight."""
        if self.begin is None or self.span is None:
            return self.start, self.end
        return self.begin, self.begin + self.span

    def of_run(self, start: datetime, end: datetime) -> TimeWindow:
        """The same window onto a run that has grown; onto a shorter one, all of it."""
        if self.begin is None or self.begin < start or self.seen[1] > end:
            return TimeWindow(start, end)
        return TimeWindow(start, end, self.begin, self.span)

    def share_of(self, at: datetime) -> float:
        """Where a moment lies: 0 at the first one in sight, 1 at the last; outside below or above."""
        begin, end = self.seen
        return (at - begin) / (end - begin) if end > begin else 1.0

    def moment_at(self, share: float) -> datetime:
        """The moment at a share of what is in sight, itself in sight."""
        begin, end = self.seen
        return begin + (end - begin) * min(1.0, max(0.0, share))

    def zoomed(self, factor: float, at: datetime) -> TimeWindow:
        """`factor` times as close, with the moment `at` where it was."""
        whole = self.end - self.start
        if whole <= timedelta(0):
            return self
        begin, end = self.seen
        span = max((end - begin) / factor, whole / _CLOSEST, _LEAST)
        if span >= whole:
            return TimeWindow(self.start, self.end)
        return self._at(at - span * min(1.0, max(0.0, self.share_of(at))), span)

    def moved(self, share: float) -> TimeWindow:
        """Slid by a share of what is in sight, as far as the run goes."""
        if self.begin is None or self.span is None:
            return self
        return self._at(self.begin + self.span * share, self.span)

    def showing(self, at: datetime) -> TimeWindow:
        """Slid just so far that a moment is in sight."""
        if self.begin is None or self.span is None or self.begin <= at <= self.begin + self.span:
            return self
        near = self.span * _NEAR
        return self._at(at - near if at < self.begin else at - self.span + near, self.span)

    def onto(self, first: datetime, last: datetime) -> TimeWindow:
        """From one moment to another, with a little room on both sides."""
        span = max((last - first) * 1.1, (self.end - self.start) / _CLOSEST, _LEAST)
        if span >= self.end - self.start:
            return TimeWindow(self.start, self.end)
        return self._at(first - (span - (last - first)) / 2, span)

    def _at(self, begin: datetime, span: timedelta) -> TimeWindow:
        return TimeWindow(self.start, self.end, max(self.start, min(begin, self.end - span)), span)
