"""Brings a workspace file to this version's tables, in one transaction; a backup is made first by `Store.open`.

What is derived from the event files is counted anew, so that no mistake of an older version outlives it.

Imported only when there is something to do: Alembic costs a tenth of a second at start.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from studio.domain.errors import Corrupt
from studio.store.database import Database
from studio.store.rollups import recount
from studio.store.schema import APPLICATION_ID, REVISIONS
from studio.store.segments import FOLDER, manifest

SCRIPTS = Path(__file__).parent / "migrations"


def configuration(connection: sa.Connection | None = None) -> Config:
    """Alembic's configuration for our scripts, without a file."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(database: Database) -> None:
    """Upgrades to the newest revision. Raises Corrupt when rows refer to rows that are not there afterwards."""
    with database.write() as connection:
        command.upgrade(configuration(connection), REVISIONS[-1])
        recount(connection, manifest(connection, database.path.parent / FOLDER))
        dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if dangling is not None:
            raise Corrupt(
                "STORE-UPGRADE",
                f"The workspace could not be brought to this version: {dangling[0]} refers to something missing.",
                where=str(database.path),
                hint="Nothing was changed. Open it with the version it was last used with.",
            )
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
