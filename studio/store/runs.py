"""Runs, their work and their facts: the port `Runs`. A checkpoint is one transaction; doing it twice changes nothing.

Finished work stays as a row without its batch, so that work is never made twice. Absent on purpose: what a run means
(the fold in `domain.run`) and when work is done (the engine).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl
import sqlalchemy as sa

from studio.domain.clock import Clock
from studio.domain.errors import UserFixable
from studio.domain.ports import Checkpoint, EventCursor, LedgerChange, RunRow, Work
from studio.domain.run import FINAL_RUN_STATES, RunEvent, RunState
from studio.frames.instances import INSTANCE_SCHEMA
from studio.store import home, ledger, schema
from studio.store.checkpoints import save
from studio.store.database import Database, bulk
from studio.store.library import highest_number, keep_version
from studio.store.log import EventLog
from studio.store.parts import DEPARTED, DROPPED, read_entries, read_ids, read_kept, read_moves
from studio.store.rows import frame_of
from studio.store.schema import moment

QUARANTINE_SCHEMA: dict[str, pl.DataType] = {
    "node_id": pl.String(),
    "instance_id": pl.UInt64(),
    "contact_id": pl.UInt32(),
    "code": pl.String(),
    "message": pl.String(),
}


class StoredRuns:
    """The port `Runs`, and what lists and the send ledger's page need beyond it."""

    def __init__(self, database: Database, log: EventLog, clock: Clock) -> None:
        self._database = database
        self._log = log
        self._clock = clock
        self._simulated: frozenset[str] | None = None

    def next_run_id(self) -> str:
        """`r1`, `r2`, …: the number after the highest one given to a run."""
        with self._database.read() as connection:
            return f"r{highest_number(connection.execute(sa.select(schema.runs.c.id)).scalars()) + 1}"

    def start(self, run: RunRow, document: str, checkpoint: Checkpoint) -> None:
        """See the port. Raises UserFixable RUN-EXISTS when the id is taken."""
        with self._database.write() as connection:
            if connection.execute(sa.select(schema.runs.c.id).where(schema.runs.c.id == run.run_id)).first():
                hint = "Choose another id."
                raise UserFixable("RUN-EXISTS", f"There is a run {run.run_id} already.", hint=hint)
            keep_version(connection, run.version, document, self._clock.now())
            connection.execute(schema.runs.insert(), _run_values(run))
            self._database.after(commit=self._forget_simulated)
            save(connection, self._log, checkpoint)

    def get(self, run_id: str) -> RunRow:
        """See the port. Raises UserFixable RUN-UNKNOWN."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(schema.runs).where(schema.runs.c.id == run_id)).mappings().first()
        if row is None:
            hint = "The list of runs shows the ids there are."
            raise UserFixable("RUN-UNKNOWN", f"There is no run {run_id}.", where=run_id, hint=hint)
        return _run_row(row)

    def list_runs(self, workflow_id: str | None = None, limit: int | None = None) -> list[RunRow]:
        """Runs, the last one started first."""
        table = schema.runs
        query = sa.select(table)
        if workflow_id is not None:
            query = query.where(table.c.workflow_id == workflow_id)
        with self._database.read() as connection:
            rows = [_run_row(row) for row in connection.execute(query).mappings()]
        rows.sort(key=lambda run: (len(run.run_id), run.run_id), reverse=True)
        return rows[:limit]

    def last_at_work(self, besides: str | None = None) -> datetime | None:
        """See the port."""
        table = schema.runs
        query = sa.select(sa.func.max(table.c.at)).where(table.c.clock == "real", table.c.id != (besides or ""))
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def failed_items(self) -> dict[str, dict[str, int]]:
        """Run → node → instances that a step could not handle and that are kept for another try; only what is there."""
        table = schema.work
        waiting = sa.and_(table.c.kind == "failed", table.c.done_at.is_(None))
        query = sa.select(table.c.run_id, table.c.node_id, sa.func.sum(table.c.rows)).where(waiting)
        found: dict[str, dict[str, int]] = {}
        with self._database.read() as connection:
            for run_id, node_id, rows in connection.execute(query.group_by(table.c.run_id, table.c.node_id)):
                found.setdefault(run_id, {})[node_id] = int(rows)
        return found

    def simulated(self) -> frozenset[str]:
        """The ids of runs that were only simulated. Asked with every look into the log, so it is remembered."""
        known = self._simulated
        if known is not None and not self._database.is_writing:
            return known
        with self._database.read() as connection:
            query = sa.select(schema.runs.c.id).where(schema.runs.c.mode == "simulate")
            found = frozenset(connection.execute(query).scalars())
        if not self._database.is_writing and not self._database.read_only:
            self._simulated = found
        return found

    def _forget_simulated(self) -> None:
        self._simulated = None

    def set_state(self, run_id: str, state: RunState, at: datetime) -> None:
        """Sets the run's state at a moment of its clock; a final state ends it."""
        with self._database.write() as connection:
            values = {"state": state, "at": at, "ended_at": at if state in FINAL_RUN_STATES else None}
            connection.execute(schema.runs.update().where(schema.runs.c.id == run_id), values)

    def document(self, version: str) -> str:
        """See the port. Raises UserFixable WORKFLOW-VERSION-UNKNOWN."""
        table = schema.workflow_versions
        with self._database.read() as connection:
            text = connection.execute(sa.select(table.c.document).where(table.c.hash == version)).scalar()
        if text is None:
            hint = "The list of runs shows the versions there are."
            raise UserFixable("WORKFLOW-VERSION-UNKNOWN", f"There is no workflow version {version}.", hint=hint)
        return text

    def pending(self, run_id: str) -> list[Work]:
        """See the port: what is due at once (no due time) first."""
        table = schema.work
        query = (
            sa.select(table)
            .where(table.c.run_id == run_id, table.c.done_at.is_(None))
            .order_by(table.c.due_at.asc().nulls_first(), table.c.priority, table.c.id)
        )
        with self._database.read() as connection:
            return [_work(row) for row in connection.execute(query).mappings()]

    def batches(self, ids: Sequence[str]) -> dict[str, bytes]:
        """See the port: only of work that is not done and has a batch."""
        query = "SELECT work_id, data FROM work_batches WHERE work_id IN (SELECT value FROM json_each(?))"
        with self._database.read() as connection:
            cursor = bulk(connection)
            cursor.execute(query, (json.dumps(list(ids)),))
            return dict(cursor.fetchall())  # pyright: ignore[reportArgumentType, reportReturnType] - pairs

    def entries(self, run_id: str) -> pl.DataFrame:
        """See the port: INSTANCE_SCHEMA, one row per instance, in the order they entered."""
        with self._database.read() as connection:
            return read_entries(connection, run_id, INSTANCE_SCHEMA)

    def departed(self, run_id: str) -> pl.Series:
        """See the port: `instance_id` u64, distinct."""
        with self._database.read() as connection:
            return read_ids(connection, run_id, DEPARTED)

    def dropped(self, run_id: str) -> pl.Series:
        """See the port: `instance_id` u64, distinct."""
        with self._database.read() as connection:
            return read_ids(connection, run_id, DROPPED)

    def cursor(self, run_id: str, reader: str) -> EventCursor:
        """See the port: the beginning when the reader has none yet."""
        table = schema.run_cursors
        query = sa.select(table.c.seq, table.c.at).where(table.c.run_id == run_id, table.c.reader == reader)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return EventCursor() if row is None else EventCursor(row.seq, row.at)

    def commit(self, checkpoint: Checkpoint) -> None:
        """See the port. Raises Corrupt CHECKPOINT-WORK when only a part of `done` is still to do."""
        with self._database.write() as connection:
            save(connection, self._log, checkpoint)

    @property
    def is_taken(self) -> bool:
        """See the port."""
        return self._database.is_taken

    def moves(self, run_id: str) -> bytes:
        """See the port."""
        with self._database.read() as connection:
            return read_moves(connection, run_id)

    def kept(self, run_id: str, prefix: str = "") -> dict[str, bytes]:
        """See the port."""
        with self._database.read() as connection:
            return read_kept(connection, run_id, prefix)

    def last_seq(self, run_id: str) -> int:
        """See the port: 0 before the first run event."""
        table = schema.run_events
        with self._database.read() as connection:
            query = sa.select(sa.func.max(table.c.seq)).where(table.c.run_id == run_id)
            return connection.execute(query).scalar() or 0

    def run_events(self, run_id: str, after: int = 0, limit: int | None = None) -> list[RunEvent]:
        """See the port: those with a `seq` above `after`, in order."""
        query = (
            "SELECT seq, at, node_id, kind, payload FROM run_events WHERE run_id = ? AND seq > ? ORDER BY seq LIMIT ?"
        )
        with self._database.read() as connection:
            cursor = bulk(connection)
            cursor.execute(query, (run_id, after, -1 if limit is None else limit))
            return [
                RunEvent(run_id, seq, moment(at), node_id, kind, json.loads(payload))
                for seq, at, node_id, kind, payload in cursor.fetchall()
            ]

    def problems(self, run_id: str) -> list[RunEvent]:
        """The run events that tell of a problem at a step, in order."""
        query = (
            "SELECT seq, at, node_id, kind, payload FROM run_events"
            " WHERE run_id = ? AND kind = 'step.problem' ORDER BY seq"
        )
        with self._database.read() as connection:
            cursor = bulk(connection)
            cursor.execute(query, (run_id,))
            return [
                RunEvent(run_id, seq, moment(at), node_id, kind, json.loads(payload))
                for seq, at, node_id, kind, payload in cursor.fetchall()
            ]

    def step_pieces(self, run_id: str) -> pl.DataFrame:
        """`node_id`, `instances` (that came or went on), `duration_ms`: a row per piece of work of a step, in order."""
        query = (
            "SELECT node_id, max(coalesce(json_extract(payload, '$.in'), 0),"
            " (SELECT coalesce(sum(value), 0) FROM json_each(payload, '$.out'))),"
            " json_extract(payload, '$.duration_ms') FROM run_events"
            " WHERE run_id = ? AND kind = 'step.ran' AND node_id IS NOT NULL ORDER BY seq"
        )
        with self._database.read() as connection:
            cursor = bulk(connection)
            cursor.execute(query, (run_id,))
            rows = [(node_id, int(count or 0), float(ms or 0.0)) for node_id, count, ms in cursor.fetchall()]
        return frame_of(rows, {"node_id": pl.String(), "instances": pl.Int64(), "duration_ms": pl.Float64()})

    def quarantined(self, run_id: str, node_id: str | None = None) -> pl.DataFrame:
        """QUARANTINE_SCHEMA: the instances taken out of the run, with the reason."""
        table = schema.quarantine
        query = sa.select(*(table.c[name] for name in QUARANTINE_SCHEMA)).where(table.c.run_id == run_id)
        if node_id is not None:
            query = query.where(table.c.node_id == node_id)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(table.c.node_id, table.c.instance_id))
            return frame_of([tuple(row) for row in rows], QUARANTINE_SCHEMA)

    def outbox(
        self, run_id: str, ids: Sequence[str] | None = None, states: Iterable[str] | None = None
    ) -> pl.DataFrame:
        """See the port: ordered by id."""
        with self._database.read() as connection:
            return ledger.select(connection, run_id, ids, states)

    def messages(self, outbox_ids: Sequence[str]) -> pl.DataFrame:
        """OUTBOX_SCHEMA: those of the messages that are in the ledger, whatever their run, by id."""
        with self._database.read() as connection:
            return ledger.by_id(connection, outbox_ids)

    def outbox_rows(
        self,
        state: str | None = None,
        run_id: str | None = None,
        limit: int | None = None,
        outbox_id: str | None = None,
    ) -> pl.DataFrame:
        """`ledger.LISTING_SCHEMA`: the ledger with each row's contact key and address, newest change first."""
        with self._database.read() as connection:
            return ledger.listing(connection, state, run_id, limit, outbox_id)

    def outbox_counts(self, run_id: str | None = None) -> dict[str, dict[str, int]]:
        """Node → outbox state → rows."""
        with self._database.read() as connection:
            return ledger.counts(connection, run_id)

    def change_outbox(
        self, run_id: str, at: datetime, changes: Sequence[LedgerChange], events: pl.DataFrame | None = None
    ) -> None:
        """See the port. Raises Corrupt LEDGER-STATE for a change that could lead to a second sending."""
        with self._database.write() as connection:
            ledger.change(connection, run_id, at, changes)
            self._log.append(connection, events)

    def held(self) -> dict[str, str]:
        """Run → why nothing of it is sent until a person says so; see `store.home`."""
        with self._database.read() as connection:
            return home.held_runs(connection)

    def release(self, run_id: str, as_: home.Release) -> int:
        """Lets a held run go on; how many messages were held. Raises UserFixable RUN-NOT-HELD."""
        self.get(run_id)
        with self._database.write() as connection:
            return home.release(connection, run_id, as_)

    def doubt_sending(self, run_id: str) -> int:
        """See the port."""
        with self._database.write() as connection:
            return ledger.doubt_sending(connection, run_id)


def _run_values(run: RunRow) -> dict[str, Any]:
    values = {column.name: getattr(run, column.name) for column in schema.runs.columns if column.name != "id"}
    return {**values, "id": run.run_id, "options": dict(run.options)}


def _run_row(row: Mapping[Any, Any]) -> RunRow:
    return RunRow(run_id=row["id"], **{name: row[name] for name in row if name != "id"})


def _work(row: Mapping[Any, Any]) -> Work:
    return Work(**{name: row[name] for name in row if name != "done_at"})
