"""Which backups a workspace has, and going back to one of them.

Nobody may have the workspace open for that, and a damaged one cannot be opened: so these are functions of the folder,
not a story. Absent on purpose: making a backup (the story of health), and deleting old ones.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from studio.domain.errors import UserFixable
from studio.store.backup import Backup, list_backups
from studio.store.restore import restore_backup
from studio.workspace.standby import with_handover


def backups_of(folder: Path) -> list[Backup]:
    """The workspace's complete backups, newest first; of a folder that holds no workspace none."""
    return list_backups(folder)


def go_back(folder: Path, name: str | None, now: datetime) -> tuple[Backup, Path]:
    """Puts a backup, the newest where none is named, in the place of the workspace; whatever ran is held.

    Returns:
        The backup, and the folder in which the workspace as it was is kept.

    Raises:
        UserFixable: BACKUP-NONE, BACKUP-UNKNOWN, STORE-IN-USE.
        Corrupt: STORE-CORRUPT when the backup itself is damaged; nothing was changed.
    """
    there = backups_of(folder)
    if not there:
        hint = "Make one with: studio backup"
        raise UserFixable("BACKUP-NONE", "This workspace has no backup.", where=str(folder), hint=hint)
    chosen = next((backup for backup in there if backup.name == name), None) if name else there[0]
    if chosen is None:
        names = ", ".join(backup.name for backup in there[:5])
        raise UserFixable(
            "BACKUP-UNKNOWN", f"There is no backup {name}.", where=str(folder), hint=f"There are: {names}."
        )
    return chosen, with_handover(folder, lambda: restore_backup(folder, chosen.name, now))
