"""Raw events out of a log state: segments that cannot match are passed over by their manifest row, the tail is added.

Absent on purpose: caching (`upcoming`) and counting (`rollups`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import itemgetter

import polars as pl

from studio.frames.events import EVENT_SCHEMA
from studio.store.log import LogState
from studio.store.rows import LOG_SCHEMA, SEQ, frame_of
from studio.store.schema import micros
from studio.store.segments import Segment
from studio.store.segments import scan as segment_scan

NO_EVENTS = pl.DataFrame(schema=EVENT_SCHEMA)
_KIND, _SEQ, _TIME, _CONTACT, _RUN = (
    list(LOG_SCHEMA).index(name) for name in ("kind", SEQ, "occurred_at", "contact_id", "run_id")
)
_seq = itemgetter(_SEQ)
_EVER = -(1 << 62)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events: every given part must hold.

    since, until: moments, both included. after: later than this moment. run_id: "" means events from outside any run.
    above, upto: batch numbers, excluded and included. contacts: contact ids. hidden: runs whose events are left out.
    """

    kinds: Collection[str] | None = None
    since: datetime | None = None
    after: datetime | None = None
    until: datetime | None = None
    run_id: str | None = None
    node_id: str | None = None
    above: int | None = None
    upto: int | None = None
    contacts: pl.Series | None = None
    hidden: frozenset[str] = frozenset()

    def may_be_in(self, segment: Segment) -> bool:
        """False when the manifest row says that no event of the segment can match."""
        first = micros(self.since) if self.since else micros(self.after) + 1 if self.after else None
        return (
            segment.overlaps(first, micros(self.until) if self.until else None)
            and (self.kinds is None or not segment.kinds.isdisjoint(self.kinds))
            and (self.run_id is None or self.run_id in segment.runs)
            and not self.hidden.issuperset(segment.runs)
            and (self.above is None or segment.seq_last > self.above)
            and (self.upto is None or segment.seq_first <= self.upto)
        )

    def beyond(self, segments: Sequence[Segment]) -> EventFilter:
        """The filter without what the manifest already answers for every event of these segments."""
        kinds, run_id = self.kinds, self.run_id
        if kinds is not None and all(segment.kinds.issubset(kinds) for segment in segments):
            kinds = None
        if run_id is not None and all(segment.runs == {run_id} for segment in segments):
            run_id = None
        return replace(self, kinds=kinds, run_id=run_id)

    def conditions(self) -> list[pl.Expr]:
        """The filter as expressions over LOG_SCHEMA."""
        at, seq = pl.col("occurred_at"), pl.col(SEQ)
        given = (
            self.kinds is not None and pl.col("kind").is_in(sorted(self.kinds)),
            self.since is not None and at >= self.since,
            self.after is not None and at > self.after,
            self.until is not None and at <= self.until,
            self.run_id is not None and pl.col("run_id").fill_null("") == self.run_id,
            self.node_id is not None and pl.col("node_id") == self.node_id,
            self.above is not None and seq > self.above,
            self.upto is not None and seq <= self.upto,
            bool(self.hidden) and ~pl.col("run_id").fill_null("").is_in(sorted(self.hidden)),
            self.contacts is not None and pl.col("contact_id").is_in(self.contacts.implode()),
        )
        return [condition for condition in given if condition is not False]


def scan(
    state: LogState, wanted: EventFilter, columns: Sequence[str], rows: tuple[int, int | None] = (0, None)
) -> pl.LazyFrame:
    """The matching events of the log, lazily, in no particular order. Columns are of LOG_SCHEMA.

    rows: of a log of one segment, only those from this one on, and so many of them.
    """
    segments = [segment for segment in state.segments if wanted.may_be_in(segment)]
    parts = []
    if segments:
        conditions = wanted.beyond(segments).conditions()
        needed = {*columns, *(name for condition in conditions for name in condition.meta.root_names())}
        frame = segment_scan(segments, needed)
        frame = frame if rows == (0, None) else frame.slice(*rows)
        parts.append((frame.filter(*conditions) if conditions else frame).select(*columns))
    if not parts or state.tail.height:
        parts.append(state.tail.lazy().filter(*wanted.conditions()).select(*columns))
    return pl.concat(parts) if len(parts) > 1 else parts[0]


def arrived(
    state: LogState, above: int, kinds: Collection[str], *, after: int = _EVER, until: int | None = None
) -> pl.DataFrame:
    """Events (EVENT_SCHEMA) of some kinds out of batches with a number above `above`. Cheap when few have arrived.

    Only those with after < time <= until, in microseconds (None: whenever).
    """
    if state.tip <= above:
        return NO_EVENTS
    wanted = EventFilter(kinds=kinds, above=above)
    is_in_segments = any(segment.seq_last > above and wanted.may_be_in(segment) for segment in state.segments)
    if not is_in_segments and above >= state.settled_tip:
        new = state.recent[bisect_right(state.recent, above, key=_seq) :]
        rows = [
            row for row in new if row[_KIND] in kinds and after < row[_TIME] and (until is None or row[_TIME] <= until)
        ]
        return frame_of([row[:_SEQ] for row in rows], EVENT_SCHEMA) if rows else NO_EVENTS
    times = pl.col("occurred_at").cast(pl.Int64)
    between = (times > after, *(() if until is None else (times <= until,)))
    if is_in_segments:
        return scan(state, wanted, tuple(EVENT_SCHEMA)).filter(*between).collect()
    fitting = state.tail.filter(pl.col(SEQ) > above, pl.col("kind").is_in(sorted(kinds)), *between)
    return fitting.select(*EVENT_SCHEMA)


def of_few(state: LogState, wanted: EventFilter) -> pl.DataFrame | None:
    """The matching events (EVENT_SCHEMA) of a few people, in no particular order; None where a segment may hold any.

    Asks neither nodes nor batches. The tail's last rows are looked at as they are: making a frame of them all would
    cost a hundred times as much as the answer.
    """
    assert wanted.contacts is not None, "a few people are named"
    assert wanted.node_id is None and wanted.above is None and wanted.upto is None and wanted.after is None
    if any(wanted.may_be_in(segment) for segment in state.segments):
        return None
    people = set(wanted.contacts.to_list())
    first = _EVER if wanted.since is None else micros(wanted.since)
    last = -_EVER if wanted.until is None else micros(wanted.until)
    rows = [
        row[:_SEQ]
        for row in state.recent
        if row[_CONTACT] in people
        and (wanted.kinds is None or row[_KIND] in wanted.kinds)
        and first <= row[_TIME] <= last
        and (wanted.run_id is None or (row[_RUN] or "") == wanted.run_id)
        and (row[_RUN] or "") not in wanted.hidden
    ]
    parts = [frame_of(rows, EVENT_SCHEMA)] if rows else []
    contacts = state.settled.get_column("contact_id")
    # Equality of a column is one pass; a filter of expressions takes ten times as long to be put together.
    places = pl.Series(sorted({at for one in people for at in (contacts == one).arg_true()}), dtype=pl.UInt32)
    if places.len():
        parts.append(state.settled[places].filter(*wanted.conditions()).select(*EVENT_SCHEMA))
    found = [part for part in parts if part.height]
    return pl.concat(found) if found else NO_EVENTS
