"""What is looked at before a workspace file is trusted: is it one, is it sound, is it of this version.

Absent on purpose: repairing. What cannot be opened is refused in words and left as it is.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from studio.domain.errors import Corrupt, UserFixable
from studio.store.backup import list_backups
from studio.store.database import Database, bulk
from studio.store.schema import APPLICATION_ID, REVISIONS

NEWEST = REVISIONS[-1]


def stored_revision(database: Database) -> str | None:
    """The revision of the tables in the file; None for a new, empty file.

    Raises:
        UserFixable: STORE-NOT-WORKSPACE for anything that is not a workspace file, STORE-NEWER for one of a newer
            program.
        Corrupt: STORE-CORRUPT that names the backups on offer.
    """
    try:
        with database.read() as connection:
            application = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
            tables = set(sa.inspect(connection).get_table_names())
            revision = _revision(connection) if "alembic_version" in tables else None
    except Corrupt as error:
        if error.code == "STORE-NOT-DATABASE":
            raise not_a_workspace(database.path) from None
        raise _damaged(database.path, None) from error
    if not tables:
        return None
    if application != APPLICATION_ID or revision is None:
        raise not_a_workspace(database.path)
    if revision not in REVISIONS:
        raise UserFixable(
            "STORE-NEWER",
            "This workspace was last used with a newer version of Flowlight Studio.",
            where=str(database.path.parent),
            hint="Install the newer version to open it. Nothing was changed.",
        )
    return revision


def not_a_workspace(path: Path) -> UserFixable:
    """The refusal of a file or folder that is something else."""
    return UserFixable(
        "STORE-NOT-WORKSPACE",
        f"{path.name} is not a Flowlight Studio workspace.",
        where=str(path),
        hint="Choose a workspace folder, or an empty folder for a new one.",
    )


def require_sound(database: Database) -> None:
    """Reads the whole file. Raises Corrupt STORE-CORRUPT that names the backups on offer."""
    problem = unsound(database)
    if problem is not None:
        raise _damaged(database.path, problem)


def unsound(database: Database) -> str | None:
    """What `quick_check` says, None when the file is sound."""
    try:
        with database.read() as connection:
            cursor = bulk(connection)
            cursor.execute("PRAGMA quick_check(3)")
            said = [str(row[0]) for row in cursor.fetchall()]
    except Corrupt as error:
        return error.message.rstrip(".")
    return None if said == ["ok"] else "; ".join(said)


def _damaged(path: Path, problem: str | None) -> Corrupt:
    backups = list_backups(path.parent)
    offer = (
        f"Restore the backup of {backups[0].at:%d %B %Y, %H:%M} UTC: studio restore {backups[0].name}"
        if backups
        else "There is no backup to restore."
    )
    message = f"The workspace file is damaged: {problem}." if problem else "The workspace file is damaged."
    return Corrupt("STORE-CORRUPT", message, where=str(path), hint=offer)


def _revision(connection: sa.Connection) -> str | None:
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
