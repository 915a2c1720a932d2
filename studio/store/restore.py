"""Going back to a backup: the workspace as it is now is set aside, never thrown away.

What was still to be sent is held: since the backup some of it may have gone out. Absent on purpose: mending a file.
"""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from pysqlite3 import dbapi2

from studio.domain.errors import Corrupt, UserFixable
from studio.store import schema
from studio.store.backup import BACKUPS, DATABASE, copy_beside, list_backups
from studio.store.database import Database
from studio.store.home import SETTING, hold
from studio.store.owner import Owner
from studio.store.segments import FOLDER, sync_folder

REASON = "the workspace was restored from a backup; it may have been sent since"


def restore_backup(folder: Path, name: str, now: datetime) -> Path:
    """Puts the backup of that name in the place of the workspace, which nobody may have open; gives the folder in
    which the workspace as it was is kept. A stop on the way leaves something that can be restored again.

    Raises:
        UserFixable: STORE-IN-USE, BACKUP-UNKNOWN.
        Corrupt: STORE-CORRUPT when the backup itself is damaged; nothing was changed.
    """
    backup = next((found.path for found in list_backups(folder) if found.name == name), None)
    if backup is None:
        hint = "The list of backups shows their names."
        raise UserFixable("BACKUP-UNKNOWN", f"There is no backup {name}.", where=str(folder), hint=hint)
    owner = Owner(folder)
    try:
        fresh = _prepared(folder, backup)
        kept = _set_aside(folder, now)
        for left in ("-wal", "-shm"):
            (folder / f"{DATABASE}{left}").unlink(missing_ok=True)
        copy_beside(backup, folder)
        fresh.replace(folder / DATABASE)
        sync_folder(folder)
    finally:
        owner.release(clean=owner.ended_cleanly)
    return kept


def _prepared(folder: Path, backup: Path) -> Path:
    """The backup's database, checked and with its sending held, beside the place it will take; its events linked."""
    fresh = folder / f".{DATABASE}.restored"
    fresh.unlink(missing_ok=True)
    shutil.copy2(backup / DATABASE, fresh)
    with closing(dbapi2.connect(str(fresh))) as copy:
        try:
            sound = copy.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
            wanted = copy.execute("SELECT path, bytes FROM segments").fetchall() if sound else []
        except dbapi2.DatabaseError:
            sound, wanted = False, []
        missing = [path for path, size in wanted if not _has_size(backup / FOLDER / path, size)]
        if not sound or missing:
            raise Corrupt("STORE-CORRUPT", "This backup is damaged.", where=str(backup), hint="Restore an older one.")
        copy.execute("PRAGMA synchronous = FULL")
    database = Database(fresh)
    try:
        with database.write() as connection:
            hold(connection, REASON)
            # The restored file is another one, and at home here: what was held is held for this reason.
            connection.execute(schema.settings.delete().where(schema.settings.c.name == SETTING))
    finally:
        database.close()
    (folder / FOLDER).mkdir(exist_ok=True)
    for path, size in wanted:
        if not _has_size(folder / FOLDER / path, size):
            shutil.copy2(backup / FOLDER / path, folder / FOLDER / path)
    return fresh


def _set_aside(folder: Path, now: datetime) -> Path:
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    kept, number = folder / BACKUPS / f"set-aside-{stamp}", 1
    while kept.exists():
        number += 1
        kept = folder / BACKUPS / f"set-aside-{stamp}-{number}"
    (kept / FOLDER).mkdir(parents=True)
    for path in (*folder.glob(f"{DATABASE}*"), *(folder / FOLDER).iterdir()):
        target = kept / path.relative_to(folder)
        if path.is_file():
            try:
                os.link(path, target)
            except OSError:
                shutil.copy2(path, target)
    copy_beside(folder, kept)
    sync_folder(kept)
    return kept


def _has_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size
