"""What of the log still lies in a reader's future, sorted by time and kept in memory.

A run that walks a month of imported orders asks thousands of times what has happened since; reading the segments each
time would cost more than the run. A window holds every event of some kinds with `floor < occurred_at <= horizon` and
`seq <= upto`; when a reader asks outside it, another one is read. Absent on purpose: cursors, which are `events`'.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import polars as pl

from studio.frames.events import EVENT_SCHEMA
from studio.store.log import LogState
from studio.store.scanning import EventFilter, arrived, scan
from studio.store.schema import micros

WINDOW_ROWS_MAX = 250_000
WINDOWS_MAX = 8
_CHUNKS_MAX = 64

ORDER = ("occurred_at", "event_id")
"""How events are given to readers: by time; at the same moment in an order that no batching changes."""

BEGINNING = -(1 << 62)


@dataclass(frozen=True, slots=True)
class Window:
    """Events (EVENT_SCHEMA, in ORDER) of some kinds with floor < time <= horizon, seq <= upto. Times in microseconds;
    `horizon` None: the window reaches the end of the log.
    """

    floor: int
    horizon: int | None
    upto: int
    events: pl.DataFrame
    times: np.ndarray

    def between(self, after: int, until: int) -> pl.DataFrame:
        """Events with after < time <= until; both must lie in the window."""
        first, last = bisect_right(self.times, after), bisect_right(self.times, until)
        return self.events.slice(first, last - first)

    def first_after(self, after: int) -> int | None:
        """The first time later than `after`."""
        place = bisect_right(self.times, after)
        return int(self.times[place]) if place < len(self.times) else None

    def covers(self, after: int, until: int | None, upto: int) -> bool:
        """Whether it holds every event with after < time <= until (None: the first one later than `after`)."""
        if self.floor > after or self.upto < upto:
            return False
        if self.horizon is None:
            return True
        return self.first_after(after) is not None if until is None else until <= self.horizon


class Upcoming:
    """Windows by kinds, at most `WINDOWS_MAX` of at most about `WINDOW_ROWS_MAX` rows each. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._windows: OrderedDict[tuple[str, ...], Window] = OrderedDict()

    def window(self, state: LogState, kinds: tuple[str, ...], after: datetime | None, until: datetime | None) -> Window:
        """A window that covers after < time <= until (until None: up to the first event later than `after`) of the
        whole log state. `kinds` sorted.
        """
        low = BEGINNING if after is None else micros(after)
        high = None if until is None else micros(until)
        with self._lock:
            window = self._windows.get(kinds)
            if window is not None and window.upto < state.tip:
                window = _extended(window, state, kinds)
            if window is None or not window.covers(low, high, state.tip):
                window = _read(state, kinds, after, low, high)
            self._windows[kinds] = window
            self._windows.move_to_end(kinds)
            if len(self._windows) > WINDOWS_MAX:
                self._windows.popitem(last=False)
            return window


def _extended(window: Window, state: LogState, kinds: tuple[str, ...]) -> Window | None:
    added = arrived(state, window.upto, kinds, after=window.floor, until=window.horizon)
    if added.is_empty():
        return replace(window, upto=state.tip)
    if window.events.height + added.height > 2 * WINDOW_ROWS_MAX:
        return None
    times = _times(added)
    if _are_later(times, window.times):
        # What happens now comes last: nothing has to be sorted.
        events = window.events.vstack(added)
        events = events.rechunk() if events.n_chunks() > _CHUNKS_MAX else events
        return replace(window, upto=state.tip, events=events, times=np.concatenate([window.times, times]))
    events = pl.concat([window.events, added]).sort(ORDER)
    return replace(window, upto=state.tip, events=events, times=_times(events))


def _are_later(times: np.ndarray, known: np.ndarray) -> bool:
    is_later = not len(known) or times[0] > known[-1]
    return bool(is_later and (times[1:] > times[:-1]).all())


def _read(state: LogState, kinds: tuple[str, ...], after: datetime | None, low: int, high: int | None) -> Window:
    wanted = EventFilter(kinds=kinds, after=after)
    times = np.sort(_times(scan(state, wanted, ("occurred_at",)).collect()))
    horizon = int(times[WINDOW_ROWS_MAX - 1]) if len(times) > WINDOW_ROWS_MAX else None
    if horizon is not None and high is not None:
        horizon = max(horizon, high)
    rows = scan(state, wanted, tuple(EVENT_SCHEMA))
    if horizon is not None:
        rows = rows.filter(pl.col("occurred_at").cast(pl.Int64) <= horizon)
    events = rows.collect().sort(ORDER)
    return Window(low, horizon, state.tip, events, _times(events))


def _times(events: pl.DataFrame) -> np.ndarray:
    return events.get_column("occurred_at").cast(pl.Int64).to_numpy()
