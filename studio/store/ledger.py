"""The send ledger: one row per outward action, moved from state to state, never to a second sending.

Absent on purpose: sending, and deciding what a doubtful row became.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import polars as pl
import sqlalchemy as sa

from studio.domain.errors import Corrupt
from studio.domain.ports import LedgerChange
from studio.frames.events import AT, OUTBOX_PLAN_SCHEMA, OUTBOX_SCHEMA
from studio.store import schema
from studio.store.database import bulk
from studio.store.rows import frame_of, rows_of
from studio.store.schema import micros

LISTING_SCHEMA: dict[str, pl.DataType] = {
    "id": pl.String(),
    "run_id": pl.String(),
    "node": pl.String(),
    "contact": pl.String(),
    "to": pl.String(),
    "message_id": pl.String(),
    "state": pl.String(),
    "attempts": pl.UInt32(),
    "reason": pl.String(),
    "due_at": AT,
    "changed_at": AT,
}

# A row goes to `sending` only from a state in which nobody can have the message, and once sent it stays sent: the two
# rules that keep a second copy from ever going out, checked where the intent is committed. Only what a person called
# sent can the person call unsent again.
_CHANGE = """
UPDATE outbox SET state = ?1, reason = ?2, due_at = ?3, attempts = attempts + ?4, changed_at = ?5,
 answer = coalesce(?9, answer)
WHERE id = ?6 AND run_id = ?7
 AND (?1 <> 'sending' OR state IN ('planned', 'retry', 'resend_approved'))
 AND (state NOT IN ('sent', 'resolved_sent') OR ?1 NOT IN ('planned', 'retry', 'held', 'in_doubt', 'resend_approved')
  OR (?8 AND state = 'resolved_sent' AND ?1 = 'resend_approved'))
"""
_PLAN_COLUMNS = {"outbox_id": "id", **{n: n for n in OUTBOX_PLAN_SCHEMA if n != "outbox_id"}}
_PLAN = f"""
INSERT OR IGNORE INTO outbox ({", ".join(_PLAN_COLUMNS.values())}, run_id, state, attempts, changed_at)
VALUES ({", ".join("?" * len(_PLAN_COLUMNS))}, ?, 'planned', 0, ?)
"""  # noqa: S608 - column names only
_SELECT = f"SELECT {', '.join(_PLAN_COLUMNS.get(name, name) for name in OUTBOX_SCHEMA)} FROM outbox"  # noqa: S608 - own names


def plan(connection: sa.Connection, run_id: str, at: datetime, rows: pl.DataFrame) -> None:
    """Plans outward actions (OUTBOX_PLAN_SCHEMA); those planned before stay as they are."""
    now = micros(at)
    # In the order of their ids, neighbours land on the same page of the index: twice as fast for 50,000.
    filled = rows.with_columns(pl.col("arms").fill_null("")).sort("outbox_id")
    bulk(connection).executemany(_PLAN, ((*row, run_id, now) for row in rows_of(filled, OUTBOX_PLAN_SCHEMA)))


def change(connection: sa.Connection, run_id: str, at: datetime, changes: Sequence[LedgerChange]) -> None:
    """Moves rows to their next states.

    Raises:
        Corrupt: LEDGER-STATE when a change could lead to a second sending or names an unknown row. Nothing is changed.
    """
    now = micros(at)
    rows = [
        (
            item.state,
            item.reason,
            None if item.due_at is None else micros(item.due_at),
            int(item.count_attempt),
            now,
            item.outbox_id,
            run_id,
            int(item.is_verdict),
            item.answer,
        )
        for item in changes
    ]
    cursor = bulk(connection)
    cursor.executemany(_CHANGE, rows)
    if cursor.rowcount != len(rows):
        raise _refusal(connection, changes)


def select(
    connection: sa.Connection, run_id: str, ids: Sequence[str] | None, states: Iterable[str] | None
) -> pl.DataFrame:
    """OUTBOX_SCHEMA rows of a run by id, in no other order than that of the ids."""
    where, parameters = ["run_id = ?"], [run_id]
    for column, wanted in (("id", ids), ("state", states)):
        if wanted is not None:
            where.append(f"{column} IN (SELECT value FROM json_each(?))")  # noqa: S608 - one of two names
            parameters.append(json.dumps(list(wanted)))
    cursor = bulk(connection)
    cursor.execute(f"{_SELECT} WHERE {' AND '.join(where)} ORDER BY id", parameters)
    return frame_of(cursor.fetchall(), OUTBOX_SCHEMA)


def by_id(connection: sa.Connection, ids: Sequence[str]) -> pl.DataFrame:
    """OUTBOX_SCHEMA rows of whatever runs, in the order of their ids."""
    cursor = bulk(connection)
    query = f"{_SELECT} WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"  # noqa: S608 - own names
    cursor.execute(query, (json.dumps(list(ids)),))
    return frame_of(cursor.fetchall(), OUTBOX_SCHEMA)


def listing(
    connection: sa.Connection, state: str | None, run_id: str | None, limit: int | None, outbox_id: str | None = None
) -> pl.DataFrame:
    """LISTING_SCHEMA: rows with who they are addressed to, newest change first."""
    table, people = schema.outbox, schema.contacts
    query: sa.Select[Any] = (
        sa.select(table.c.id, table.c.run_id, table.c.node_id, people.c.key, people.c.email, table.c.message_id)
        .add_columns(table.c.state, table.c.attempts, table.c.reason)
        .add_columns(sa.type_coerce(table.c.due_at, sa.BigInteger), sa.type_coerce(table.c.changed_at, sa.BigInteger))
        .join_from(table, people, people.c.id == table.c.contact_id, isouter=True)
        .order_by(table.c.changed_at.desc(), table.c.id)
        .limit(limit)
    )
    if state is not None:
        query = query.where(table.c.state == state)
    if run_id is not None:
        query = query.where(table.c.run_id == run_id)
    if outbox_id is not None:
        query = query.where(table.c.id == outbox_id)
    return frame_of([tuple(row) for row in connection.execute(query)], LISTING_SCHEMA)


def counts(connection: sa.Connection, run_id: str | None) -> dict[str, dict[str, int]]:
    """Node → state → how many rows; only what is there."""
    table = schema.outbox
    query = sa.select(table.c.node_id, table.c.state, sa.func.count()).group_by(table.c.node_id, table.c.state)
    if run_id is not None:
        query = query.where(table.c.run_id == run_id)
    found: dict[str, dict[str, int]] = {}
    for node_id, state, count in connection.execute(query.order_by(table.c.node_id, table.c.state)):
        found.setdefault(node_id, {})[state] = count
    return found


def doubt_sending(connection: sa.Connection, run_id: str) -> int:
    """Rows whose sending was cut off become `in_doubt`; how many."""
    table = schema.outbox
    reason = "the program was stopped while the message was handed over"
    cut_off = sa.and_(table.c.run_id == run_id, table.c.state == "sending")
    return connection.execute(table.update().where(cut_off).values(state="in_doubt", reason=reason)).rowcount


def _refusal(connection: sa.Connection, changes: Sequence[LedgerChange]) -> Corrupt:
    table = schema.outbox
    ids = [item.outbox_id for item in changes]
    query = sa.select(table.c.id, table.c.state).where(table.c.id.in_(ids))
    before = {row.id: row.state for row in connection.execute(query)}
    wanted = {item.outbox_id: item.state for item in changes}
    missing = [outbox_id for outbox_id in ids if outbox_id not in before]
    told = (
        f"unknown rows {missing[:3]}"
        if missing
        else f"from {sorted(set(before.values()))} to {sorted(set(wanted.values()))}"
    )
    return Corrupt(
        "LEDGER-STATE",
        f"The send ledger refused a change that could send a message twice ({told}).",
        hint="The run stops here; resume it.",
    )
