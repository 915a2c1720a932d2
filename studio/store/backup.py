"""Backups of a workspace: the database copied while in use, the segments it names hard-linked (they never change), and
what people have set up in files beside it (`BESIDE`).

Absent on purpose: schedules, which the workspace sets, deleting old ones, and passwords: they lie in the keyring, and
what is copied here names them only.
"""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pysqlite3 import dbapi2

from studio.domain.errors import Corrupt
from studio.store import schema
from studio.store.database import Database
from studio.store.segments import FOLDER, sync_folder

BACKUPS = "backups"
DATABASE = "studio.db"
BESIDE = ("sending.json", "templates", "files")
"""Who sends, own templates, column mappings: files and folders of a workspace that are not in its database."""
_MADE_AGAIN = "reports"
_STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup: a folder with `studio.db`, `events/` and what was beside them, a workspace of its own. `bytes`: of
    the database.
    """

    name: str
    path: Path
    at: datetime
    bytes: int


def list_backups(folder: Path) -> list[Backup]:
    """The workspace's complete backups, newest first."""
    found = [_backup(path) for path in (folder / BACKUPS).glob("*") if (path / DATABASE).is_file()]
    return sorted((backup for backup in found if backup is not None), key=lambda backup: backup.name, reverse=True)


def make_backup(database: Database, now: datetime, note: str = "") -> Backup:
    """Copies the workspace as it is now into `backups/<time>[-note]`; while it runs, work goes on.

    Raises:
        Corrupt: STORE-BACKUP when the copy does not check out or a segment is missing or cut. Nothing is kept then.
    """
    folder = database.path.parent
    name = now.astimezone(UTC).strftime(_STAMP) + (f"-{note}" if note else "")
    target = folder / BACKUPS / name
    number = 1
    while target.exists():
        number += 1
        target = folder / BACKUPS / f"{name}-{number}"
    partial = target.with_name(f".{target.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / FOLDER).mkdir(parents=True)
    try:
        _copy_database(database, partial / DATABASE)
        _link_segments(partial, folder / FOLDER)
        copy_beside(folder, partial)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    sync_folder(partial)
    partial.rename(target)
    sync_folder(target.parent)
    made = _backup(target)
    assert made is not None
    return made


def _copy_database(database: Database, target: Path) -> None:
    with closing(dbapi2.connect(str(target))) as copy:
        with database.outside_transactions() as connection:
            connection.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
        said = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if said != "ok":
        raise _failed(f"the copy is damaged ({said})", target)


def _link_segments(backup: Path, events: Path) -> None:
    with closing(dbapi2.connect(str(backup / DATABASE))) as copy:
        tables = {row[0] for row in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        wanted = copy.execute("SELECT path, bytes FROM segments").fetchall() if schema.segments.name in tables else []
    for name, size in wanted:
        source = events / name
        if not source.is_file() or source.stat().st_size != size:
            raise _failed(f"the event file {name} is missing or cut", source)
        try:
            os.link(source, backup / FOLDER / name)
        except OSError:
            shutil.copy2(source, backup / FOLDER / name)
    sync_folder(backup / FOLDER)


def copy_beside(source: Path, target: Path) -> None:
    """Copies what lies beside the database of one workspace (`BESIDE`) to another; what is only there stays."""
    for name in BESIDE:
        found = source / name
        if found.is_dir():
            shutil.copytree(found, target / name, ignore=shutil.ignore_patterns(_MADE_AGAIN), dirs_exist_ok=True)
        elif found.is_file():
            shutil.copy2(found, target / f".{name}.new")
            (target / f".{name}.new").replace(target / name)


def _failed(why: str, where: Path) -> Corrupt:
    return Corrupt(
        "STORE-BACKUP",
        f"The backup was not made: {why}.",
        where=str(where),
        hint="Look at Health; older backups are still there.",
    )


def _backup(path: Path) -> Backup | None:
    try:
        at = datetime.strptime(path.name.split("-")[0], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
    return Backup(path.name, path, at, (path / DATABASE).stat().st_size)
