"""A checkpoint into the tables, inside one transaction. Everything here can be done twice and counts once.

Absent on purpose: the transaction itself (`StoredRuns.commit`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from studio.domain.errors import Corrupt
from studio.domain.node import Quarantined
from studio.domain.ports import Checkpoint, EventCursor, Work
from studio.domain.run import FINAL_RUN_STATES, RunEvent, RunState
from studio.store import ledger, schema
from studio.store.changes import apply_changes
from studio.store.database import bulk
from studio.store.library import keep_version
from studio.store.log import EventLog
from studio.store.parts import DEPARTED, DROPPED, add_entries, add_ids, add_moves, keep
from studio.store.rows import signed
from studio.store.schema import micros

_DONE = "UPDATE work SET done_at = ? WHERE id = ? AND done_at IS NULL"
_DROP_BATCH = "DELETE FROM work_batches WHERE work_id = ?"
_WORK = """
INSERT OR IGNORE INTO work (id, run_id, node_id, kind, due_at, rows, cursor, attempt, priority)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_BATCH = """
INSERT OR IGNORE INTO work_batches (work_id, data) SELECT id, ? FROM work WHERE id = ? AND done_at IS NULL
"""
_RUN_EVENT = "INSERT OR IGNORE INTO run_events (run_id, seq, at, node_id, kind, payload) VALUES (?, ?, ?, ?, ?, ?)"
_QUARANTINE = """
INSERT OR REPLACE INTO quarantine (run_id, node_id, instance_id, contact_id, code, message, at)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_CURSOR = """
INSERT INTO run_cursors (run_id, reader, seq, at) VALUES (?, ?, ?, ?)
ON CONFLICT (run_id, reader) DO UPDATE SET seq = excluded.seq, at = excluded.at
"""


def save(connection: sa.Connection, log: EventLog, checkpoint: Checkpoint) -> bool:
    """Writes a checkpoint; False when its work was done before, so that nothing was left to do.

    Raises:
        Corrupt: CHECKPOINT-WORK when only a part of `done` is still to do.
    """
    run_id = checkpoint.run_id
    if checkpoint.done and not _consume(connection, checkpoint.done, micros(checkpoint.at)):
        return False
    _add_work(connection, checkpoint.work)
    log.append(connection, checkpoint.events, fresh=bool(checkpoint.done))
    if checkpoint.outbox is not None:
        ledger.plan(connection, run_id, checkpoint.at, checkpoint.outbox)
    if checkpoint.entries is not None:
        add_entries(connection, run_id, checkpoint.entries)
    if checkpoint.departed is not None:
        add_ids(connection, run_id, DEPARTED, checkpoint.departed.get_column("instance_id"))
    if checkpoint.dropped is not None:
        add_ids(connection, run_id, DROPPED, checkpoint.dropped.get_column("instance_id"))
    add_moves(connection, run_id, checkpoint.moves)
    keep(connection, run_id, checkpoint.keeps)
    if checkpoint.changes is not None:
        apply_changes(connection, checkpoint.changes, checkpoint.at)
    _add_run_events(connection, checkpoint.run_events)
    _add_quarantined(connection, run_id, checkpoint.quarantined, micros(checkpoint.at))
    _set_cursors(connection, run_id, checkpoint.cursors)
    _set_run(connection, run_id, checkpoint.at, checkpoint.state)
    if checkpoint.version is not None:
        _set_version(connection, run_id, checkpoint.version, checkpoint.at)
    return True


def _consume(connection: sa.Connection, done: Sequence[str], at: int) -> bool:
    cursor = bulk(connection)
    cursor.executemany(_DONE, [(at, work_id) for work_id in done])
    if cursor.rowcount == 0:
        return False
    if cursor.rowcount != len(done):
        raise Corrupt(
            "CHECKPOINT-WORK",
            f"Of {len(done)} pieces of work a step finished, {len(done) - cursor.rowcount} were not open.",
            where=done[0],
            hint="Nothing was saved. Resume the run.",
        )
    cursor.executemany(_DROP_BATCH, [(work_id,) for work_id in done])
    return True


def _add_work(connection: sa.Connection, work: Sequence[Work]) -> None:
    if not work:
        return
    cursor = bulk(connection)
    cursor.executemany(_WORK, [_work_row(piece) for piece in work])
    cursor.executemany(_BATCH, [(piece.batch, piece.id) for piece in work if piece.batch is not None])


def _work_row(piece: Work) -> tuple[object, ...]:
    due_at = None if piece.due_at is None else micros(piece.due_at)
    where = (piece.id, piece.run_id, piece.node_id, piece.kind)
    return (*where, due_at, piece.rows, piece.cursor, piece.attempt, piece.priority)


def _add_run_events(connection: sa.Connection, events: Sequence[RunEvent]) -> None:
    if not events:
        return
    rows = [
        (event.run_id, event.seq, micros(event.at), event.node_id, event.kind, json.dumps(dict(event.payload)))
        for event in events
    ]
    cursor = bulk(connection)
    cursor.executemany(_RUN_EVENT, rows)
    if cursor.rowcount != len(rows):
        _require_same(connection, rows)


def _require_same(connection: sa.Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Repeated run events must be the ones that are there: two facts with one number would lose one of them."""
    query = "SELECT run_id, seq, at, node_id, kind, payload FROM run_events WHERE run_id = ? AND seq = ?"
    cursor = bulk(connection)
    for row in rows:
        cursor.execute(query, row[:2])
        if cursor.fetchone() != row:
            where = f"{row[0]}, run event {row[1]}"
            raise Corrupt("CHECKPOINT-EVENTS", "Two different run events have the same number.", where=where)


def _add_quarantined(
    connection: sa.Connection, run_id: str, quarantined: Mapping[str, Sequence[Quarantined]], at: int
) -> None:
    rows = [
        (run_id, node_id, signed(item.instance_id), item.contact_id, item.code, item.message, at)
        for node_id, items in quarantined.items()
        for item in items
    ]
    if rows:
        bulk(connection).executemany(_QUARANTINE, rows)


def _set_cursors(connection: sa.Connection, run_id: str, cursors: Mapping[str, EventCursor]) -> None:
    rows = [
        (run_id, reader, cursor.seq, None if cursor.at is None else micros(cursor.at))
        for reader, cursor in cursors.items()
    ]
    if rows:
        bulk(connection).executemany(_CURSOR, rows)


def _set_run(connection: sa.Connection, run_id: str, at: datetime, state: RunState | None) -> None:
    cursor = bulk(connection)
    if state is None:
        cursor.execute("UPDATE runs SET at = ? WHERE id = ?", (micros(at), run_id))
        return
    ended_at = micros(at) if state in FINAL_RUN_STATES else None
    cursor.execute(
        "UPDATE runs SET at = ?, state = ?, ended_at = ? WHERE id = ?", (micros(at), state, ended_at, run_id)
    )


def _set_version(connection: sa.Connection, run_id: str, version: tuple[str, str], at: datetime) -> None:
    name, document = version
    keep_version(connection, name, document, at)
    connection.execute(schema.runs.update().where(schema.runs.c.id == run_id), {"version": name})
