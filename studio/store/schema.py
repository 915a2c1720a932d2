"""The tables of a workspace, declared once for SQLite and, later, PostgreSQL.

Moments are integers (microseconds since 1970, UTC), so that both databases sort and compare them alike; 64-bit ids are
kept as signed integers of the same bits. Absent on purpose: ORM classes (bulk rows never go through an ORM), and any
query.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

APPLICATION_ID = 0x464C4F57
"""Stands in the file's header (`PRAGMA application_id`): says that a SQLite file is one of ours."""

REVISIONS: tuple[str, ...] = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")
"""Every revision this build can read, oldest first; the last one is what it writes."""


def micros(at: datetime) -> int:
    """A moment as it is stored. Raises TypeError for one without a zone."""
    return (at - EPOCH) // MICROSECOND


def moment(stored: int) -> datetime:
    """The moment a stored number stands for."""
    return EPOCH + timedelta(microseconds=stored)


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware datetime in UTC, stored as microseconds since 1970."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else micros(value)

    def process_result_value(self, value: Any | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else moment(int(value))


Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""64 bits; on SQLite the plain integer that a single primary key needs to be the row's own number."""
Json = sa.JSON(none_as_null=True)

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

settings = sa.Table(
    "settings",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", Json, nullable=False),
)

contacts = sa.Table(
    "contacts",
    metadata,
    sa.Column("id", Big, primary_key=True, autoincrement=False),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("email", sa.Text),
    sa.Column("name", sa.Text),
    sa.Column("language", sa.Text),
    sa.Column("zone", sa.Text),
    sa.Column("properties", sa.Text, nullable=False, server_default="{}"),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("address_hash", sa.Text),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Index(None, "address_hash"),
)

contact_sources = sa.Table(
    "contact_sources",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("contact_id", Big, sa.ForeignKey("contacts.id"), primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

contact_fields = sa.Table(
    "contact_fields",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("type", sa.Text, nullable=False),
)

contact_columns = sa.Table(
    "contact_columns",
    metadata,
    sa.Column("id", Big, primary_key=True),
    sa.Column("first", Big, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("first", "name"),
    sqlite_autoincrement=True,
)
"""`contacts` once more, column by column; triggers empty it. Ids are never given twice: they say what is still true."""

consents = sa.Table(
    "consents",
    metadata,
    sa.Column("id", Big, primary_key=True),
    sa.Column("contact_id", Big, sa.ForeignKey("contacts.id"), nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("basis", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("text_version", sa.Text),
    sa.Column("at", Moment, nullable=False),
    sa.Index(None, "channel", "topic", "contact_id", "at", "state"),
)

suppressions = sa.Table(
    "suppressions",
    metadata,
    sa.Column("id", Big, primary_key=True),
    sa.Column("contact_id", Big, sa.ForeignKey("contacts.id")),
    sa.Column("address_hash", sa.Text),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Index(None, "contact_id"),
    sa.Index(None, "address_hash"),
)

segments = sa.Table(
    "segments",
    metadata,
    sa.Column("id", Big, primary_key=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("path", sa.Text, nullable=False, unique=True),
    sa.Column("rows", Big, nullable=False),
    sa.Column("bytes", Big, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("seq_first", Big, nullable=False),
    sa.Column("seq_last", Big, nullable=False),
    sa.Column("first_at", Big, nullable=False),
    sa.Column("last_at", Big, nullable=False),
    sa.Column("kinds", Json, nullable=False),
    sa.Column("runs", Json, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
)

event_tail = sa.Table(
    "event_tail",
    metadata,
    sa.Column("event_id", Big, primary_key=True, autoincrement=False),
    sa.Column("seq", Big, nullable=False),
    sa.Column("occurred_at", Big, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("contact_id", Big, nullable=False),
    sa.Column("value", sa.Float),
    sa.Column("currency", sa.Text),
    sa.Column("key", sa.Text),
    sa.Column("run_id", sa.Text),
    sa.Column("node_id", sa.Text),
    sa.Column("arms", sa.Text),
    sa.Column("instance_id", Big),
    sa.Column("actor", sa.Text),
    sa.Column("properties", sa.Text),
    sa.Index(None, "seq"),
)

_MEASURED = ("run_id", "node_id", "kind", "arms", "actor", "detail")

event_rollups = sa.Table(
    "event_rollups",
    metadata,
    *(sa.Column(name, sa.Text, primary_key=True) for name in _MEASURED),
    sa.Column("currency", sa.Text, primary_key=True),
    sa.Column("hour", Big, primary_key=True, autoincrement=False),
    sa.Column("count", Big, nullable=False),
    sa.Column("value", sa.Float, nullable=False),
    sa.Index("ix_event_rollups_hours", "run_id", "hour", "kind", "count", "value"),
    sqlite_with_rowid=False,
)

event_bitmaps = sa.Table(
    "event_bitmaps",
    metadata,
    *(sa.Column(name, sa.Text, primary_key=True) for name in _MEASURED),
    sa.Column("part", Big, primary_key=True, autoincrement=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
)

workflow_versions = sa.Table(
    "workflow_versions",
    metadata,
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
)

workflows = sa.Table(
    "workflows",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("template", sa.Text),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
)

workflow_edits = sa.Table(
    "workflow_edits",
    metadata,
    sa.Column("id", Big, primary_key=True),
    sa.Column("workflow_id", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("name", sa.Text),
    sa.Column("session", sa.Text),
    sa.Column("document", sa.LargeBinary, nullable=False),
    sa.Index(None, "workflow_id"),
)
runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("workflow_id", sa.Text, nullable=False),
    sa.Column("version", sa.Text, sa.ForeignKey("workflow_versions.hash"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("seed", Big, nullable=False),
    sa.Column("clock", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("until", Moment),
    sa.Column("ended_at", Moment),
    sa.Column("options", Json, nullable=False),
    sa.Index(None, "workflow_id"),
)

work = sa.Table(
    "work",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("run_id", sa.Text, sa.ForeignKey("runs.id"), nullable=False),
    sa.Column("node_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("due_at", Moment),
    sa.Column("rows", Big, nullable=False),
    sa.Column("cursor", sa.Text),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("done_at", Moment),
    sqlite_with_rowid=False,
)
sa.Index("ix_work_pending", work.c.run_id, sqlite_where=work.c.done_at.is_(None))

work_batches = sa.Table(
    "work_batches",
    metadata,
    sa.Column("work_id", sa.Text, sa.ForeignKey("work.id"), primary_key=True),
    sa.Column("data", sa.LargeBinary, nullable=False),
)

run_parts = sa.Table(
    "run_parts",
    metadata,
    sa.Column("id", Big, primary_key=True),
    sa.Column("run_id", sa.Text, sa.ForeignKey("runs.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("rows", Big, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Index(None, "run_id", "name"),
)

run_cursors = sa.Table(
    "run_cursors",
    metadata,
    sa.Column("run_id", sa.Text, sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("reader", sa.Text, primary_key=True),
    sa.Column("seq", Big, nullable=False),
    sa.Column("at", Moment),
    sqlite_with_rowid=False,
)

run_events = sa.Table(
    "run_events",
    metadata,
    sa.Column("run_id", sa.Text, sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("seq", Big, primary_key=True, autoincrement=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("node_id", sa.Text),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("payload", Json, nullable=False),
    sqlite_with_rowid=False,
)

quarantine = sa.Table(
    "quarantine",
    metadata,
    sa.Column("run_id", sa.Text, sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("node_id", sa.Text, primary_key=True),
    sa.Column("instance_id", Big, primary_key=True, autoincrement=False),
    sa.Column("contact_id", Big, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sqlite_with_rowid=False,
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("run_id", sa.Text, sa.ForeignKey("runs.id"), nullable=False),
    sa.Column("node_id", sa.Text, nullable=False),
    sa.Column("instance_id", Big, nullable=False),
    sa.Column("contact_id", Big, nullable=False),
    sa.Column("message_id", sa.Text, nullable=False),
    sa.Column("arms", sa.Text, nullable=False),
    sa.Column("key", sa.Text),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("due_at", Moment),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("answer", sa.Text),
    sa.Index(None, "run_id", "state"),
)

promotions = sa.Table(
    "promotions",
    metadata,
    sa.Column("id", Big, primary_key=True),
    sa.Column("template", sa.Text, nullable=False),
    sa.Column("parameter", sa.Text, nullable=False),
    sa.Column("from_value", Json),
    sa.Column("to_value", Json),
    sa.Column("experiment_id", sa.Text),
    sa.Column("run_id", sa.Text),
    sa.Column("at", Moment, nullable=False),
    sa.Column("undone_at", Moment),
    sa.Index(None, "template"),
)

business_profiles = sa.Table(
    "business_profiles",
    metadata,
    sa.Column("id", Big, primary_key=True),
    sa.Column("profile", Json, nullable=False),
    sa.Column("at", Moment, nullable=False),
)

experiments = sa.Table(
    "experiments",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("run_id", sa.Text, sa.ForeignKey("runs.id"), nullable=False),
    sa.Column("node_id", sa.Text, nullable=False),
    sa.Column("spec", Json, nullable=False),
    sa.Column("planned_total", Big, nullable=False),
    sa.Column("alpha", sa.Float, nullable=False),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("decision", Json),
    sa.Column("decided_at", Moment),
    sa.Index(None, "run_id"),
)

outcomes = sa.Table(
    "outcomes",
    metadata,
    sa.Column("run_id", sa.Text, primary_key=True),
    sa.Column("template", sa.Text, nullable=False),
    sa.Column("outcome", Json, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Index(None, "template"),
)

impressions = sa.Table(
    "impressions",
    metadata,
    sa.Column("id", Big, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("slate", sa.Text, nullable=False),
    sa.Column("template", sa.Text, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("score", sa.Float, nullable=False),
    sa.Column("propensity", sa.Float, nullable=False),
    sa.Column("policy", sa.Text, nullable=False),
    sa.Column("context_hash", sa.Text, nullable=False),
    sa.Column("chosen_at", Moment),
    sa.UniqueConstraint("slate", "template"),
)
