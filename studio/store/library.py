"""Workflows a person edits, the frozen versions runs refer to, what is known of the business, and settings.

Absent on purpose: what a workflow file means (`domain.workflow`), templates, which are files of the program.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import JsonValue

from studio.domain.clock import Clock
from studio.domain.errors import UserFixable
from studio.domain.template import BusinessContext, Fact
from studio.domain.workflow import parse_workflow
from studio.store import schema
from studio.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWorkflow:
    """A workflow as it was last saved. `template` is the id of the template it was made from."""

    id: str
    name: str
    document: str
    template: str | None
    created_at: datetime
    updated_at: datetime


class Library:
    """Workflows, versions, the business profile, settings."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def next_workflow_id(self) -> str:
        """`w1`, `w2`, …: the number after the highest one in use."""
        with self._database.read() as connection:
            return f"w{highest_number(connection.execute(sa.select(schema.workflows.c.id)).scalars()) + 1}"

    def save_workflow(self, workflow_id: str, document: str) -> StoredWorkflow:
        """Keeps the text of a workflow file under an id, new or again.

        Raises:
            UserFixable: WORKFLOW-FILE when the text is not a workflow file.
        """
        workflow = parse_workflow(document, where=workflow_id)
        template = workflow.template.id if workflow.template else None
        now = self._clock.now()
        values = {"name": workflow.name, "document": document, "template": template, "updated_at": now}
        table = schema.workflows
        with self._database.write() as connection:
            changed = connection.execute(table.update().where(table.c.id == workflow_id), values)
            if not changed.rowcount:
                connection.execute(table.insert(), {"id": workflow_id, "created_at": now, **values})
            row = connection.execute(sa.select(table).where(table.c.id == workflow_id)).mappings().one()
            return StoredWorkflow(**row)

    def workflow(self, workflow_id: str) -> StoredWorkflow:
        """The workflow of that id. Raises UserFixable WORKFLOW-UNKNOWN."""
        table = schema.workflows
        with self._database.read() as connection:
            row = connection.execute(sa.select(table).where(table.c.id == workflow_id)).mappings().first()
        if row is None:
            hint = "The list of workflows shows the ids there are."
            raise UserFixable("WORKFLOW-UNKNOWN", f"There is no workflow {workflow_id}.", hint=hint)
        return StoredWorkflow(**row)

    def workflows(self) -> list[StoredWorkflow]:
        """Every workflow, the last one changed first."""
        table = schema.workflows
        query = sa.select(table).order_by(table.c.updated_at.desc(), table.c.id)
        with self._database.read() as connection:
            return [StoredWorkflow(**row) for row in connection.execute(query).mappings()]

    def keep_version(self, version: str, document: str) -> None:
        """Keeps a frozen version under its hash; one that is there already stays as it is."""
        with self._database.write() as connection:
            keep_version(connection, version, document, self._clock.now())

    def save_business(self, context: BusinessContext) -> None:
        """Makes this what is known of the business; what was known before stays in the history."""
        with self._database.write() as connection:
            values = {"profile": asdict(context), "at": self._clock.now()}
            connection.execute(schema.business_profiles.insert(), values)

    def business(self) -> BusinessContext | None:
        """What is known of the business now, None when nothing was ever saved."""
        table = schema.business_profiles
        with self._database.read() as connection:
            profile = connection.execute(sa.select(table.c.profile).order_by(table.c.id.desc()).limit(1)).scalar()
        return None if profile is None else _context(profile)

    def setting(self, name: str) -> JsonValue:
        """The setting's value, None when it was never set."""
        table = schema.settings
        with self._database.read() as connection:
            return connection.execute(sa.select(table.c.value).where(table.c.name == name)).scalar()

    def set_setting(self, name: str, value: JsonValue) -> None:
        """Sets a setting; None removes it."""
        table = schema.settings
        with self._database.write() as connection:
            connection.execute(table.delete().where(table.c.name == name))
            if value is not None:
                connection.execute(table.insert(), {"name": name, "value": value})


def keep_version(connection: sa.Connection, version: str, document: str, now: datetime) -> None:
    """Keeps a workflow version's text under its hash; a version that is there already stays."""
    table = schema.workflow_versions
    if connection.execute(sa.select(table.c.hash).where(table.c.hash == version)).first() is None:
        connection.execute(table.insert(), {"hash": version, "document": document, "at": now})


def highest_number(ids: sa.ScalarResult[str]) -> int:
    """The highest number among ids such as `r7` or `w12`; 0 without any."""
    return max((int(text[1:]) for text in ids if text[1:].isdigit()), default=0)


def _context(profile: Mapping[str, Any]) -> BusinessContext:
    return BusinessContext(
        facts=tuple(Fact(**fact) for fact in profile["facts"]), text=profile["text"], types=tuple(profile["types"])
    )
