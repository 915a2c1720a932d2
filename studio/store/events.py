"""Reading the event log as a run may see it: the port `Events` (cursors) and `EventView` (totals up to a moment).

Absent on purpose: writing, and questions over everything (`projections`), which do not stop at a run's clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import polars as pl

from studio.domain.ports import EventCursor
from studio.frames.events import AT, EVENT_SCHEMA, empty_events
from studio.frames.few import FEW, is_few, kept
from studio.store.log import EventLog, LogState
from studio.store.scanning import EventFilter, arrived, of_few, scan
from studio.store.schema import micros, moment
from studio.store.upcoming import BEGINNING, ORDER, Upcoming

RARE_MAX = 30_000
RARE_AMONG_MAX = 2_000_000
"""Kinds with more events are looked for in the files; and so is any kind once the log is larger than this."""

TOTALS_SCHEMA: dict[str, pl.DataType] = {
    "contact_id": pl.UInt32(),
    "count": pl.UInt32(),
    "first_at": AT,
    "last_at": AT,
    "value": pl.Float64(),
}


class LoggedEvents:
    """The port `Events` over the log."""

    def __init__(self, log: EventLog, simulated: Callable[[], frozenset[str]], run_id: str | None = None) -> None:
        """`simulated` gives the ids of simulated runs; with `run_id` the events of all but this one are hidden."""
        self._log = log
        self._simulated = simulated
        self._run_id = run_id
        self._upcoming = Upcoming()
        self._rare = Rare()

    def seen_by(self, run_id: str) -> LoggedEvents:
        return LoggedEvents(self._log, self._simulated, run_id)

    def at(self, now: datetime) -> LoggedView:
        return LoggedView(self._log, now, self._hidden(), None if self._log.is_writing else self._rare)

    def _hidden(self) -> frozenset[str]:
        return frozenset() if self._run_id is None else self._simulated() - {self._run_id}

    def _visible(self, events: pl.DataFrame) -> pl.DataFrame:
        hidden = self._hidden()
        if events.is_empty() or not hidden:
            return events
        if is_few(events):
            runs = events.get_column("run_id").to_list()
            return kept(events, pl.Series([(run or "") not in hidden for run in runs], dtype=pl.Boolean))
        return events.filter(~pl.col("run_id").fill_null("").is_in(sorted(hidden)))

    def new(self, cursor: EventCursor, now: datetime, kinds: Sequence[str]) -> tuple[pl.DataFrame, EventCursor]:
        """See the port. A `now` before the cursor's gives nothing and leaves the cursor as it is.

        O(events given), but for the first call and each `WINDOW_ROWS_MAX` events, which read the log.
        """
        if cursor.at is not None and now < cursor.at:
            return empty_events(), cursor
        state = self._log.state()
        after = EventCursor(state.tip, now)
        if not kinds:
            return empty_events(), after
        wanted = tuple(sorted(set(kinds)))
        if cursor.at is None:
            found = scan(state, EventFilter(kinds=wanted, until=now), tuple(EVENT_SCHEMA)).collect()
            return self._visible(found).sort(ORDER), after
        window = self._windows().window(state, wanted, cursor.at, now)
        found = window.between(micros(cursor.at), micros(now))
        late = self._late(state, cursor, cursor.at, wanted)
        return self._visible(pl.concat([late, found]) if late.height else found), after

    def next_at(self, cursor: EventCursor, kinds: Sequence[str]) -> datetime | None:
        """See the port. A moment at or before the cursor's means: something late has come, ask at once."""
        if not kinds:
            return None
        state = self._log.state()
        wanted = tuple(sorted(set(kinds)))
        if cursor.at is not None:
            late = self._late(state, cursor, cursor.at, wanted)
            if late.height:
                return late.item(0, "occurred_at")
        window = self._windows().window(state, wanted, cursor.at, None)
        first = window.first_after(BEGINNING if cursor.at is None else micros(cursor.at))
        return None if first is None else moment(first)

    def _windows(self) -> Upcoming:
        return Upcoming() if self._log.is_writing else self._upcoming

    def _late(self, state: LogState, cursor: EventCursor, at: datetime, kinds: tuple[str, ...]) -> pl.DataFrame:
        """Events of batches the reader has not looked at that happened at or before its moment, in order."""
        found = arrived(state, cursor.seq, kinds, until=micros(at))
        return found if found.height <= 1 else found.sort(ORDER)


class Rare:
    """All events of kinds of which there are few, kept in memory: who bounced or complained is asked before every
    message, and reading files each time would cost more than the message.
    """

    def __init__(self) -> None:
        self._windows = Upcoming()
        self._many: set[tuple[str, ...]] = set()

    def between(self, state: LogState, kinds: Sequence[str], since: datetime, until: datetime) -> pl.DataFrame | None:
        """Events from `since` to `until`, both included, in ORDER; None where there are too many to keep."""
        wanted = tuple(sorted(set(kinds)))
        held = sum(segment.rows for segment in state.segments if not segment.kinds.isdisjoint(wanted))
        if wanted in self._many or held > RARE_AMONG_MAX:
            return None
        window = self._windows.window(state, wanted, None, until)
        if window.events.height > RARE_MAX:
            self._many.add(wanted)
        return window.between(max(micros(since) - 1, BEGINNING), micros(until))


class LoggedView:
    """The port `EventView`: nothing later than `now` is in any answer."""

    def __init__(
        self, log: EventLog, now: datetime, hidden: frozenset[str] = frozenset(), rare: Rare | None = None
    ) -> None:
        """`rare` keeps, between questions, the events of kinds of which there are few."""
        self._log = log
        self._now = now
        self._hidden = hidden
        self._rare = rare

    def totals(
        self, kind: str, *, since: datetime | None = None, ids: pl.Series | None = None, run_id: str | None = None
    ) -> pl.DataFrame:
        """See the port: `contact_id` u32, `count` u32, `first_at`, `last_at`, `value`; ordered by contact. `since` is
        included. O(events of the kind in segments that overlap the span).
        """
        wanted = EventFilter(
            kinds=(kind,), since=since, until=self._now, contacts=ids, run_id=run_id, hidden=self._hidden
        )
        return (
            scan(self._log.state(), wanted, ("contact_id", "occurred_at", "value"))
            .group_by("contact_id")
            .agg(
                pl.len().cast(pl.UInt32).alias("count"),
                pl.col("occurred_at").min().alias("first_at"),
                pl.col("occurred_at").max().alias("last_at"),
                pl.col("value").sum(),
            )
            .sort("contact_id")
            .select(*TOTALS_SCHEMA)
            .collect()
        )

    def rows(
        self, kinds: Sequence[str], *, since: datetime, ids: pl.Series | None = None, run_id: str | None = None
    ) -> pl.DataFrame:
        """See the port. `since` is included; at the same moment in the order of ids."""
        wanted = EventFilter(
            kinds=kinds, since=since, until=self._now, contacts=ids, run_id=run_id, hidden=self._hidden
        )
        state = self._log.state()
        found = None if self._rare is None else self._rare.between(state, kinds, since, self._now)
        if found is not None:
            conditions = replace(wanted, kinds=None, since=None, until=None).conditions()
            return found.filter(*conditions) if conditions and found.height else found
        if ids is not None and len(ids) <= FEW:
            found = of_few(state, wanted)
            if found is not None:
                return found.sort(ORDER) if found.height > 1 else found
        return scan(state, wanted, tuple(EVENT_SCHEMA)).collect().sort(ORDER)

    def instances(self, kind: str, run_id: str) -> pl.Series:
        """See the port."""
        wanted = EventFilter(kinds=(kind,), until=self._now, run_id=run_id)
        found = scan(self._log.state(), wanted, ("instance_id",)).collect()
        return found.get_column("instance_id").drop_nulls().unique()

    def event_ids(self, kind: str, run_id: str) -> pl.Series:
        """See the port."""
        wanted = EventFilter(kinds=(kind,), until=self._now, run_id=run_id)
        return scan(self._log.state(), wanted, ("event_id",)).collect().get_column("event_id")
