"""Questions over the whole log: hourly sums and distinct people out of rollups and bitmaps, the rest out of raw events.

The tail is added to what is kept for segments, so that answers are exact at every instant. Absent on purpose: rates,
money and words, which are the analytics' part.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Literal

import polars as pl
import sqlalchemy as sa
from pyroaring import BitMap

from studio.frames.events import AT, EVENT_SCHEMA
from studio.store import schema
from studio.store.database import Database
from studio.store.log import EventLog, LogState
from studio.store.rollups import KEYS, ROLLUP_SCHEMA, SUMS, added_up, people, rolled_up, summed
from studio.store.rows import frame_of
from studio.store.scanning import EventFilter, scan

By = Literal["run_id", "kind", "node_id", "arms", "actor", "detail"]
SumBy = Literal["run_id", "kind", "node_id", "arms", "actor", "detail", "currency", "hour"]

BATCH_ROWS = 100_000
"""As many as lie together in a segment: reading less at a time would unpack them twice."""

VALUES_SCHEMA: dict[str, pl.DataType] = {
    "contact_id": pl.UInt32(),
    "arms": pl.String(),
    "count": pl.UInt32(),
    "value": pl.Float64(),
    "first_at": AT,
}


class Projections:
    """What analytics asks of the store."""

    def __init__(self, database: Database, log: EventLog) -> None:
        self._database = database
        self._log = log

    def rollup(
        self,
        run_ids: Collection[str] | None = None,
        kinds: Collection[str] | None = None,
        node_ids: Collection[str] | None = None,
        until: datetime | None = None,
    ) -> pl.DataFrame:
        """`run_id`, `node_id`, `kind`, `arms`, `actor`, `detail`, `currency`, `hour` (its start), `count`, `value`.

        A row per key; `detail` is the link, bounce class, reason or channel (`frames.events.with_detail`).

        What has no run, node, arms or currency has "" there; the run "" is the events from outside. `until` is
        included: only events that happened by then. O(keys and hours), with `until` also the events of that hour.
        """
        wanted = {"run_id": run_ids, "kind": kinds, "node_id": node_ids}
        state, stored = self._stored(wanted, None if until is None else _hour(until))
        raw = [state.tail] if until is None else [state.tail.filter(pl.col("occurred_at") <= until)]
        if until is not None:
            segments = LogState(state.tip, state.segments, state.settled.clear(), state.tip, ())
            hour = EventFilter(kinds=kinds, since=_hour(until), until=until)
            raw.append(scan(segments, hour, tuple(EVENT_SCHEMA)).collect())
        fresh = [rolled_up(_among(frame.select(*EVENT_SCHEMA), wanted)) for frame in raw]
        return summed([stored, *fresh])

    def sums(
        self,
        by: Sequence[SumBy],
        run_ids: Collection[str] | None = None,
        kinds: Collection[str] | None = None,
        node_ids: Collection[str] | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> pl.DataFrame:
        """The columns of `by`, `count` and `value` (sum), added up where they lie; a row per key, ordered by key.

        `since` is included, `until` is not; both are rounded down to the hour.
        """
        wanted = {"run_id": run_ids, "kind": kinds, "node_id": node_ids}
        conditions, tail = _conditions(schema.event_rollups, wanted), []
        if since is not None:
            conditions.append(schema.event_rollups.c.hour >= schema.micros(_hour(since)))
            tail.append(pl.col("occurred_at") >= _hour(since))
        if until is not None:
            conditions.append(schema.event_rollups.c.hour < schema.micros(_hour(until)))
            tail.append(pl.col("occurred_at") < _hour(until))
        state, rows = self._with_state(_added_up(by, conditions))
        shape = {name: ROLLUP_SCHEMA[name] for name in (*by, *SUMS)}
        stored = frame_of([row for row in rows if row[-2] is not None], shape)
        if by and state.tail.is_empty():
            return stored.sort(by)
        fresh = rolled_up(_among(state.tail.select(*EVENT_SCHEMA), wanted).filter(*tail))
        return added_up(pl.concat([stored, fresh.select(*shape)]), by)

    def distinct(
        self,
        run_id: str,
        kinds: Collection[str] | None = None,
        by: Sequence[By] = ("kind",),
        node_ids: Collection[str] | None = None,
    ) -> pl.DataFrame:
        """The columns of `by` and `contacts`: how many distinct people have such events, exactly. Ordered by `by`."""
        groups = self.people(run_id, kinds, by, node_ids)
        rows = [(*key, len(found)) for key, found in sorted(groups.items())]
        return frame_of(rows, {**{name: pl.String() for name in by}, "contacts": pl.Int64()})

    def people(
        self,
        run_id: str | None,
        kinds: Collection[str] | None = None,
        by: Sequence[By] = ("kind",),
        node_ids: Collection[str] | None = None,
    ) -> dict[tuple[str, ...], BitMap]:
        """The people themselves, by the values of `by`: sets of contact ids that can be united and intersected.

        `run_id` None: over all runs and the events from outside.
        """
        wanted = {"run_id": None if run_id is None else [run_id], "kind": kinds, "node_id": node_ids}
        places = [KEYS.index(name) for name in by]
        groups: dict[tuple[str, ...], BitMap] = {}
        state, stored = self._bitmaps(wanted)
        for key, found in (*stored, *people(_among(state.tail, wanted)).items()):
            group = tuple(key[place] for place in places)
            if group in groups:
                groups[group] |= found
            else:
                groups[group] = found
        return groups

    def contact_values(
        self, run_id: str, kind: str, node_id: str | None = None, until: datetime | None = None
    ) -> pl.DataFrame:
        """`contact_id`, `arms`, `count`, `value` (sum), `first_at`: a row per contact and arms that has such an event
        in the run, ordered. O(the run's events of the kind).
        """
        wanted = EventFilter(kinds=(kind,), run_id=run_id, node_id=node_id, until=until)
        return (
            scan(self._log.state(), wanted, ("contact_id", "arms", "value", "occurred_at"))
            .group_by("contact_id", pl.col("arms").fill_null(""))
            .agg(
                pl.len().cast(pl.UInt32).alias("count"),
                pl.col("value").sum(),
                pl.col("occurred_at").min().alias("first_at"),
            )
            .sort("contact_id", "arms")
            .select(*VALUES_SCHEMA)
            .collect()
        )

    def records(self, run_id: str, kind: str, node_id: str | None = None) -> pl.DataFrame:
        """`contact_id, key, arms, occurred_at, value, properties` of each such event of a run, in order of time.

        O(the run's events of the kind).
        """
        wanted = EventFilter(kinds=(kind,), run_id=run_id, node_id=node_id)
        columns = ("contact_id", "key", "arms", "occurred_at", "value", "properties")
        return scan(self._log.state(), wanted, columns).sort("occurred_at", "contact_id").select(columns).collect()

    def scan(self, columns: Sequence[str] = tuple(EVENT_SCHEMA), wanted: EventFilter | None = None) -> pl.LazyFrame:
        """Raw events, lazily, in no particular order."""
        return scan(self._log.state(), wanted or EventFilter(), columns)

    def batches(self, columns: Sequence[str], wanted: EventFilter) -> Iterator[pl.DataFrame]:
        """Raw events, some `BATCH_ROWS` at a time and the tail last, as they were when the first was asked for."""
        state = self._log.state()
        for segment in state.segments:
            alone = LogState(state.tip, (segment,), state.settled.clear(), state.tip, ())
            for first in range(0, segment.rows if wanted.may_be_in(segment) else 0, BATCH_ROWS):
                yield scan(alone, wanted, columns, rows=(first, BATCH_ROWS)).collect()
        tail = scan(LogState(state.tip, (), state.tail, state.tip, ()), wanted, columns).collect()
        if tail.height:
            yield tail

    def events(
        self,
        columns: Sequence[str],
        kinds: Collection[str],
        run_id: str | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> pl.LazyFrame:
        """Raw events of some kinds, lazily, in no particular order; both moments are included."""
        found = self.scan(columns, EventFilter(kinds=kinds, run_id=run_id, since=since, until=until))
        # What is asked of the events afterwards is not pushed down to the files: there it would be worked out for
        # events of every kind, which costs several times the reading.
        return found.map_batches(_as_they_are, predicate_pushdown=False, streamable=True)

    def count(self) -> int:
        """How many events the log holds."""
        state = self._log.state()
        return sum(segment.rows for segment in state.segments) + state.tail.height

    def _stored(
        self, wanted: dict[str, Collection[str] | None], before: datetime | None
    ) -> tuple[LogState, pl.DataFrame]:
        table = schema.event_rollups
        query = sa.select(*(table.c[name] for name in ROLLUP_SCHEMA)).where(*_conditions(table, wanted))
        if before is not None:
            query = query.where(table.c.hour < schema.micros(before))
        state, rows = self._with_state(query)
        return state, frame_of(rows, ROLLUP_SCHEMA)

    def _bitmaps(
        self, wanted: dict[str, Collection[str] | None]
    ) -> tuple[LogState, list[tuple[tuple[str, ...], BitMap]]]:
        table = schema.event_bitmaps
        query = sa.select(*(table.c[name] for name in KEYS), table.c.data).where(*_conditions(table, wanted))
        state, rows = self._with_state(query)
        return state, [(tuple(key), BitMap.deserialize(data)) for *key, data in rows]

    def _with_state(self, query: sa.Select[tuple[object, ...]]) -> tuple[LogState, list[tuple[object, ...]]]:
        """Rows and the log as of one moment: an event sealed between the two would count twice or not at all."""
        before = self._log.state()
        with self._database.read() as connection:
            rows = [tuple(row) for row in connection.execute(query).all()]
            return self._log.state_in(connection, before), rows


def _conditions(table: sa.Table, wanted: dict[str, Collection[str] | None]) -> list[sa.ColumnElement[bool]]:
    return [table.c[name].in_(list(values)) for name, values in wanted.items() if values is not None]


def _added_up(by: Sequence[SumBy], conditions: Sequence[sa.ColumnElement[bool]]) -> sa.Select[tuple[object, ...]]:
    """The stored sums by some columns.

    Whatever the columns, hours are added up first, in the order in which the rows lie, so that only a row per key is
    sorted: half the time. Sums by hour have an index in their own order.
    """
    table = schema.event_rollups
    source: sa.Table | sa.Subquery = table
    sums = (sa.func.sum(table.c["count"]).label("count"), sa.func.sum(table.c["value"]).label("value"))
    if "hour" not in by:
        lying = [table.c[name] for name in (*KEYS, "currency")]
        source = sa.select(*lying, *sums).where(*conditions).group_by(*lying).subquery()
        conditions = ()
    columns = [source.c[name] for name in by]
    query = sa.select(*columns, sa.func.sum(source.c["count"]), sa.func.sum(source.c["value"]))
    return query.where(*conditions).group_by(*columns)


def _among(events: pl.DataFrame, wanted: dict[str, Collection[str] | None]) -> pl.DataFrame:
    conditions = [
        pl.col(name).fill_null("").is_in(list(values)) for name, values in wanted.items() if values is not None
    ]
    return events.filter(*conditions) if conditions else events


def _as_they_are(events: pl.DataFrame) -> pl.DataFrame:
    return events


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
