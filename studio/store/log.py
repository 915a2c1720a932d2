"""The event log's writing side, and the one picture of it that every reader shares.

Batches of `SEGMENT_ROWS_MIN` events or more become a segment, smaller ones go to the tail table; a tail of
`TAIL_ROWS_MAX` rows is sealed into a segment. Each batch has a number (`seq`) that its rows keep for good, so that a
reader's cursor means the same before and after sealing. Absent on purpose: queries (`events`, `projections`), and
deleting single events.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import sqlalchemy as sa

from studio.frames.events import AT, EVENT_SCHEMA, as_events
from studio.frames.few import is_few
from studio.store import schema
from studio.store.database import Database, bulk
from studio.store.keyed import Keyed
from studio.store.rollups import Counted
from studio.store.rows import LOG_SCHEMA, SEQ, frame_of, signed, stored
from studio.store.schema import micros
from studio.store.segments import Segment, Written, manifest, register, write_file

SEGMENT_ROWS_MIN = 1_000
TAIL_ROWS_MAX = 20_000
RECENT_ROWS_MAX = 500
IDS_CACHED_MAX = 8_000_000
"""Event ids of segments kept in memory to recognise repeats, 8 bytes each."""

FROM_TAIL = "tail"
"""The source of segments that were sealed out of the tail."""

_COLUMNS = ", ".join(LOG_SCHEMA)
_SELECT_TAIL = f"SELECT {_COLUMNS} FROM event_tail WHERE seq > ? ORDER BY seq"  # noqa: S608 - column names only
_INSERT_TAIL = f"INSERT OR IGNORE INTO event_tail ({_COLUMNS}) VALUES ({', '.join('?' * len(LOG_SCHEMA))})"  # noqa: S608


@dataclass(frozen=True)
class LogState:
    """The whole log at one moment: every event is in exactly one segment or in the tail (LOG_SCHEMA, by seq).

    The tail's last rows stay as they were read (`recent`, all above `settled_tip`) until somebody wants the frame:
    most readers look at the last few rows only, after every commit.
    """

    tip: int
    segments: tuple[Segment, ...]
    settled: pl.DataFrame
    settled_tip: int
    recent: tuple[tuple[Any, ...], ...]

    @cached_property
    def tail(self) -> pl.DataFrame:
        """The whole tail as a frame."""
        if not self.recent:
            return self.settled
        tail = self.settled.vstack(frame_of(self.recent, LOG_SCHEMA))
        return tail.rechunk() if tail.n_chunks() > 64 else tail


class EventLog:
    """Appends events and tells readers where they lie. Safe for one writing and many reading threads."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self.folder = folder
        self._lock = threading.RLock()
        self._state = LogState(0, (), pl.DataFrame(schema=LOG_SCHEMA), 0, ())
        self._stale = True
        self._changing = False
        self._segments_stale = True
        self._segments: tuple[Segment, ...] = ()
        self._next_seq: int | None = None
        self._tail_rows: int | None = None
        self._handed_on: list[tuple[Any, ...]] | None = []
        self._ids: OrderedDict[int, np.ndarray] = OrderedDict()
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="studio-log")

    def state(self) -> LogState:
        """The log as it is committed now, inside a transaction as it is there. Cheap when nothing was appended."""
        with self._lock:
            if self._database.is_writing:
                with self._database.read() as connection:
                    return self._refreshed(connection, self._state)
            if self._stale or self._changing or self._database.read_only:
                self._stale = False  # before reading: what is committed from here on makes it stale again
                try:
                    with self._database.read() as connection:
                        self._state = self._refreshed(connection, self._state)
                except BaseException:
                    self._stale = True
                    raise
            return self._state

    @property
    def is_writing(self) -> bool:
        """Whether this thread is in a transaction, so that what it sees may not be kept for later."""
        return self._database.is_writing

    def state_in(self, connection: sa.Connection, before: LogState) -> LogState:
        """The log as the connection's snapshot has it; `before` is a state taken before the snapshot began."""
        return self._refreshed(connection, before)

    def append(self, connection: sa.Connection, events: pl.DataFrame | None, *, fresh: bool = False) -> int:
        """Adds events that the log does not hold yet (by `event_id`); how many. Part of the caller's transaction.

        `fresh`: the caller knows that none of them can be there (they come of work that was still to do), so that
        segments need not be searched.
        """
        if events is None or events.is_empty():
            return 0
        if events.height < SEGMENT_ROWS_MIN:
            return self._append_to_tail(connection, events, fresh)
        events = without_repeats(events if events.schema == EVENT_SCHEMA else as_events(events))
        if not fresh:
            repeats = self._repeats(connection, events)
            events = events.filter(~repeats) if repeats.any() else events
        if events.height < SEGMENT_ROWS_MIN:
            return self._append_to_tail(connection, events, fresh=True) if events.height else 0
        seq, keyed, counted = self.next_batch(connection), Keyed.of(events), Counted()
        # What is counted goes into the database while the file goes to the disk; neither counts before the commit.
        writing = self._beside.submit(write_file, self.folder, keyed)
        try:
            counted.add(keyed)
            counted.save(connection)
        finally:
            # Also where counting failed: the file goes with the transaction.
            written = writing.result()
            self._database.after(abort=partial(written.path.unlink, missing_ok=True))
        self._register(connection, written, seq, seq, "")
        return events.height

    def write(self, events: pl.DataFrame, counted: Counted) -> Written:
        """A durable segment file of EVENT_SCHEMA or LOG_SCHEMA rows, which are also counted.

        It counts once it is adopted, and is to be removed if not.
        """
        keyed = Keyed.of(events)
        # Counting needs no file and writing no count: beside each other they take half the time.
        counting = self._beside.submit(counted.add, keyed)
        try:
            return write_file(self.folder, keyed)
        finally:
            counting.result()

    def adopt(self, connection: sa.Connection, written: Sequence[Written], seq: int, *, source: str) -> None:
        """Makes written segments count as the batch `seq`. Rollups are the caller's; giving up removes the files."""
        for segment in written:
            self._database.after(abort=partial(segment.path.unlink, missing_ok=True))
        for segment in written:
            self._register(connection, segment, seq, seq, source)

    def seal(self, connection: sa.Connection) -> int:
        """Moves the whole tail into a segment; how many rows."""
        self._expect_change(connection)
        cursor = bulk(connection)
        cursor.execute(_SELECT_TAIL, (-1,))
        tail = frame_of(cursor.fetchall(), LOG_SCHEMA)
        if tail.is_empty():
            return 0
        counted = Counted()
        written = self.write(tail, counted)
        self._database.after(abort=partial(written.path.unlink, missing_ok=True))
        sequences = tail.get_column(SEQ)
        self._register(connection, written, sequences[0], sequences[-1], FROM_TAIL)
        counted.save(connection)
        cursor.execute("DELETE FROM event_tail")
        self._tail_rows = 0
        return tail.height

    def _register(self, connection: sa.Connection, written: Written, first: int, last: int, source: str) -> None:
        register(connection, written, first, last, source)
        self._segments_stale = True
        self._hand_on(None)

    def next_batch(self, connection: sa.Connection) -> int:
        """The number of a batch that is appended in this transaction."""
        self._expect_change(connection)
        assert self._next_seq is not None
        self._next_seq += 1
        return self._next_seq - 1

    def known_ids(self, segments: Sequence[Segment]) -> list[np.ndarray]:
        """The event ids of some segments, sorted, an array each; read once and then kept, within bounds."""
        return [self._ids_of(segment) for segment in segments]

    def _append_to_tail(self, connection: sa.Connection, events: pl.DataFrame, fresh: bool) -> int:
        if not fresh:
            repeats = self._repeats(connection, events)
            events = events.filter(~repeats) if repeats.any() else events
        seq = self.next_batch(connection)
        cursor = bulk(connection)
        rows = list(_tail_rows(events, seq))
        cursor.executemany(_INSERT_TAIL, rows)
        assert self._tail_rows is not None
        added = cursor.rowcount
        self._tail_rows += added
        self._hand_on(rows if added == len(rows) else None)
        if self._tail_rows >= TAIL_ROWS_MAX:
            self.seal(connection)
        return added

    def _hand_on(self, rows: list[tuple[Any, ...]] | None) -> None:
        """Notes what the transaction adds to the tail, for readers to have it without reading; None: let them read."""
        known = self._handed_on
        if rows is None or known is None or len(known) + len(rows) > RECENT_ROWS_MAX or any(map(_is_altered, rows)):
            self._handed_on = None
        else:
            known += rows

    def _repeats(self, connection: sa.Connection, events: pl.DataFrame) -> np.ndarray:
        """Which events a segment (or, for a whole segment's worth of them, the tail) holds already.

        The same event has the same moment and run, so only segments that can hold it are looked at.
        """
        segments = self._known_segments(connection)
        if not segments and (events.height < SEGMENT_ROWS_MIN or not self._tail_rows):
            return np.zeros(events.height, dtype=bool)
        values = events.get_column("event_id").cast(pl.UInt64).to_numpy()
        times = events.get_column("occurred_at").cast(AT).cast(pl.Int64).to_numpy()
        runs = runs_in(events)
        first, last = int(times.min()), int(times.max())
        near = [s for s in segments if not runs.isdisjoint(s.runs) and s.overlaps(first, last)]
        places = [self._ids_of(segment) for segment in near]
        if len(values) >= SEGMENT_ROWS_MIN and self._tail_rows:
            cursor = bulk(connection)
            cursor.execute("SELECT event_id FROM event_tail")
            tail = np.fromiter((row[0] for row in cursor.fetchall()), dtype=np.int64)
            places.append(np.sort(tail.view(np.uint64)))
        found = np.zeros(len(values), dtype=bool)
        ordered = np.sort(values)  # looking up in order is several times faster, and there is seldom a hit
        for known in places:
            if contains(known, ordered).any():
                found |= contains(known, values)
        return found

    def _known_segments(self, connection: sa.Connection) -> tuple[Segment, ...]:
        """All segments, those of the transaction now open too."""
        if self._segments_stale:
            newest = self._segments[-1].id if self._segments else 0
            self._segments = (*self._segments, *manifest(connection, self.folder, newest))
            self._segments_stale = False
        return self._segments

    def _ids_of(self, segment: Segment) -> np.ndarray:
        ids = self._ids.get(segment.id)
        if ids is None:
            ids = np.sort(pl.read_parquet(segment.path, columns=["event_id"]).get_column("event_id").to_numpy())
            self._ids[segment.id] = ids
            while len(self._ids) > 1 and sum(len(kept) for kept in self._ids.values()) > IDS_CACHED_MAX:
                self._ids.popitem(last=False)
        self._ids.move_to_end(segment.id)
        return ids

    def _expect_change(self, connection: sa.Connection) -> None:
        """Once per transaction: learn where the log stands, and forget it again if the transaction fails."""
        if self._next_seq is None:
            self._next_seq = _tip(connection) + 1
        if self._tail_rows is None:
            self._tail_rows = connection.execute(sa.select(sa.func.count()).select_from(schema.event_tail)).scalar_one()
        if not self._changing:
            self._handed_on = []
            self._changing = True  # from COMMIT to its hook the database is ahead of what is cached
            self._database.after(commit=self._changed, rollback=self._forget)

    def _changed(self) -> None:
        rows, self._handed_on = self._handed_on, None
        with self._lock:
            self._changing = False
            if self._stale or not rows:
                self._stale = True
            elif rows[-1][-1] > self._state.tip:
                # What was cached is what stood there before this transaction: one that writes follows the other.
                self._state = _grown(self._state, [], [row for row in rows if row[-1] > self._state.tip])

    def _forget(self) -> None:
        """What was learnt inside a transaction that failed; segment numbers are given again."""
        self._handed_on = None
        self._changed()
        self._next_seq = self._tail_rows = None
        self._segments, self._segments_stale = (), True
        self._ids.clear()

    def _refreshed(self, connection: sa.Connection, before: LogState) -> LogState:
        cursor = bulk(connection)
        newest = before.segments[-1].id if before.segments else 0
        cursor.execute("SELECT max(id) FROM segments")
        newest_now = cursor.fetchone()
        added = manifest(connection, self.folder, newest) if newest_now and (newest_now[0] or 0) > newest else []
        cursor.execute(_SELECT_TAIL, (before.tip,))
        rows = cursor.fetchall()
        return _grown(before, added, rows)


def _grown(before: LogState, added: Sequence[Segment], rows: Sequence[tuple[Any, ...]]) -> LogState:
    """The state with segments and rows of the tail that came after it."""
    tip = max(before.tip, *(segment.seq_last for segment in added), rows[-1][-1] if rows else 0, 0)
    segments = (*before.segments, *added)
    sealed = max((segment.seq_last for segment in added if segment.source == FROM_TAIL), default=None)
    if sealed is not None:
        left = before.tail.filter(pl.col(SEQ) > sealed)
        return LogState(tip, segments, left, before.tip, tuple(rows))
    if len(before.recent) + len(rows) > RECENT_ROWS_MAX:
        return LogState(tip, segments, before.tail, before.tip, tuple(rows))
    return LogState(tip, segments, before.settled, before.settled_tip, (*before.recent, *rows))


def contains(known: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Which values are in a sorted array."""
    if not len(known):
        return np.zeros(len(values), dtype=bool)
    places = np.searchsorted(known, values)
    places[places == len(known)] = 0
    return known[places] == values


def _tail_rows(events: pl.DataFrame, seq: int) -> Iterable[tuple[object, ...]]:
    """The events as rows of the tail."""
    if is_few(events):
        rows = (events if events.columns == _NAMES else as_events(events)).rows()
        return [
            (
                signed(row[_EVENT]),
                micros(row[_AT]),
                *row[_AT + 1 : _INSTANCE],
                _signed(row[_INSTANCE]),
                *row[_INSTANCE + 1 :],
                seq,
            )
            for row in rows
        ]
    nothing = [None] * events.height
    columns = [_stored_as(events, name, dtype) or nothing for name, dtype in EVENT_SCHEMA.items()]
    return zip(*columns, [seq] * events.height, strict=True)


def _is_altered(row: Sequence[Any]) -> bool:
    """Whether SQLite gives back something else: it keeps no not-a-number."""
    return row[_VALUE] is not None and row[_VALUE] != row[_VALUE]


def _signed(value: int | None) -> int | None:
    return None if value is None else signed(value)


_NAMES = list(EVENT_SCHEMA)
_EVENT, _AT, _VALUE, _INSTANCE = (_NAMES.index(name) for name in ("event_id", "occurred_at", "value", "instance_id"))


def _stored_as(events: pl.DataFrame, name: str, dtype: pl.DataType) -> list[object] | None:
    if name not in events.columns:
        return None
    column = events.get_column(name)
    return stored(column if column.dtype == dtype else column.cast(dtype))


def without_repeats(events: pl.DataFrame) -> pl.DataFrame:
    """The first of equal `event_id`s, in order."""
    ordered = np.sort(events.get_column("event_id").to_numpy())
    if (ordered[1:] != ordered[:-1]).all():
        return events
    return events.unique("event_id", keep="first", maintain_order=True)


def runs_in(events: pl.DataFrame) -> set[str]:
    """The runs events belong to, "" for those from outside."""
    if "run_id" not in events.columns:
        return {""}
    column = events.get_column("run_id")
    return {run or "" for run in (column if len(column) < SEGMENT_ROWS_MIN else column.unique()).to_list()}


def _tip(connection: sa.Connection) -> int:
    segments, tail = schema.segments, schema.event_tail
    highest = (
        connection.execute(sa.select(sa.func.max(segments.c.seq_last))).scalar(),
        connection.execute(sa.select(sa.func.max(tail.c.seq))).scalar(),
    )
    return max(value or 0 for value in highest)
