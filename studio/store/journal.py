"""The journal of edits: after each one the workflow is kept as it then was, in the transaction that saves it.

What is typed in one go is one entry. Unnamed entries are bounded per workflow, named ones stay. Absent on purpose: what
differs between two entries (`domain.difference`).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from studio.domain.clock import Clock
from studio.domain.errors import UserFixable
from studio.store import schema
from studio.store.database import Database

EDITS_MAX = 400
_LEVEL = 1
"""Of zlib: a document of 3 MB takes six milliseconds, and a fortieth of the room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One entry. `words` say what was done, `name` what a person called this state; None for most."""

    id: int
    workflow_id: str
    at: datetime
    words: str
    name: str | None


class EditJournal:
    """The entries of all workflows of a workspace."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def record(
        self,
        workflow_id: str,
        document: str,
        *,
        name: str,
        template: str | None,
        words: str,
        session: str | None = None,
    ) -> None:
        """Saves a workflow and writes the edit down, both or neither.

        `document`: the text of a workflow file, which the caller made from a workflow; it is not read again. An entry
        of the same `session` as the last one takes its place: what is typed letter by letter is one edit.

        Raises:
            UserFixable: WORKFLOW-UNKNOWN.
        """
        table, now = schema.workflows, self._clock.now()
        values = {"name": name, "template": template, "document": document, "updated_at": now}
        with self._database.write() as connection:
            before = connection.execute(sa.select(table.c.document).where(table.c.id == workflow_id)).scalar()
            if before is None:
                raise UserFixable(
                    "WORKFLOW-UNKNOWN",
                    f"There is no workflow {workflow_id}.",
                    hint="The list of workflows shows the ids there are.",
                )
            connection.execute(table.update().where(table.c.id == workflow_id), values)
            last = self._last(connection, workflow_id)
            if last is None:
                self._add(connection, workflow_id, before, "As it was", now)
            elif session is not None and last.session == session and last.name is None:
                connection.execute(schema.workflow_edits.delete().where(schema.workflow_edits.c.id == last.id))
            self._add(connection, workflow_id, document, words, now, session=session)
            self._bound(connection, workflow_id)

    def name(self, workflow_id: str, name: str) -> Edit:
        """Keeps the workflow as it now is under a name, for good. Raises UserFixable WORKFLOW-UNKNOWN."""
        workflows = schema.workflows
        with self._database.write() as connection:
            document = connection.execute(sa.select(workflows.c.document).where(workflows.c.id == workflow_id)).scalar()
            if document is None:
                raise UserFixable("WORKFLOW-UNKNOWN", f"There is no workflow {workflow_id}.")
            self._add(connection, workflow_id, document, f"Kept as “{name}”", self._clock.now(), name=name)
        return self.edits(workflow_id, limit=1)[0]

    def edits(self, workflow_id: str, limit: int = EDITS_MAX) -> list[Edit]:
        """The entries of a workflow, the last one first."""
        table = schema.workflow_edits
        columns = table.c.id, table.c.workflow_id, table.c.at, table.c.words, table.c.name
        query = sa.select(*columns).where(table.c.workflow_id == workflow_id).order_by(table.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            return [Edit(**row) for row in connection.execute(query).mappings()]

    def ran(self, workflow_id: str) -> list[tuple[str, str, datetime]]:
        """Of each version of a workflow that ran: its first run, the run's mode, and when the version was frozen."""
        runs, versions = schema.runs, schema.workflow_versions
        query = (
            sa.select(runs.c.id, runs.c.mode, versions.c.at, runs.c.version)
            .join(versions, versions.c.hash == runs.c.version)
            .where(runs.c.workflow_id == workflow_id)
        )
        with self._database.read() as connection:
            rows = sorted(connection.execute(query), key=lambda row: (len(row.id), row.id), reverse=True)
        first = {row.version: (row.id, row.mode, row.at) for row in rows}
        return list(first.values())

    def document(self, workflow_id: str, edit_id: int) -> str:
        """The workflow as it was after an edit. Raises UserFixable EDIT-UNKNOWN."""
        table = schema.workflow_edits
        query = sa.select(table.c.document).where(table.c.id == edit_id, table.c.workflow_id == workflow_id)
        with self._database.read() as connection:
            kept = connection.execute(query).scalar()
        if kept is None:
            raise UserFixable(
                "EDIT-UNKNOWN",
                f"The workflow {workflow_id} has no edit {edit_id}.",
                hint="Older edits are let go in time; give a state a name to keep it.",
            )
        return zlib.decompress(kept).decode()

    def _last(self, connection: sa.Connection, workflow_id: str) -> sa.Row | None:
        table = schema.workflow_edits
        query = sa.select(table.c.id, table.c.session, table.c.name).where(table.c.workflow_id == workflow_id)
        return connection.execute(query.order_by(table.c.id.desc()).limit(1)).first()

    def _add(
        self,
        connection: sa.Connection,
        workflow_id: str,
        document: str,
        words: str,
        at: datetime,
        *,
        name: str | None = None,
        session: str | None = None,
    ) -> None:
        values = {
            "workflow_id": workflow_id,
            "at": at,
            "words": words,
            "name": name,
            "session": session,
            "document": zlib.compress(document.encode(), _LEVEL),
        }
        connection.execute(schema.workflow_edits.insert(), values)

    def _bound(self, connection: sa.Connection, workflow_id: str) -> None:
        table = schema.workflow_edits
        mine = sa.and_(table.c.workflow_id == workflow_id, table.c.name.is_(None))
        oldest = sa.select(table.c.id).where(mine).order_by(table.c.id.desc()).offset(EDITS_MAX - 1).limit(1)
        connection.execute(table.delete().where(mine, table.c.id < oldest.scalar_subquery()))
