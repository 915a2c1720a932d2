"""Health in words: what is checked of a workspace, what was found, and what to do.

Absent on purpose: mending.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from studio.store.backup import list_backups
from studio.store.database import Database, bulk
from studio.store.home import held_runs
from studio.store.log import EventLog
from studio.store.opening import stored_revision, unsound
from studio.store.segments import SUFFIX

BACKUP_AGE_MAX = timedelta(days=7)
DISK_FREE_MIN = 500_000_000


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. `words` says what was found; `hint` what to do when it is not `ok`."""

    name: str
    ok: bool
    words: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """All checks, and the figures behind them. Sizes in bytes."""

    checks: tuple[Check, ...]
    revision: str
    sqlite: str
    database_bytes: int
    events_bytes: int
    events: int
    segments: int
    backups: int

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)


def examine(database: Database, log: EventLog, now: datetime) -> Health:
    """Reads the whole workspace: seconds for a large one. Changes nothing."""
    folder = database.path.parent
    state = log.state()
    checks = (
        _soundness(database),
        _references(database),
        _event_files(log),
        _orphans(log),
        _held(database),
        _backups(folder, now),
        _disk(folder),
    )
    return Health(
        checks=checks,
        revision=stored_revision(database) or "",
        sqlite=database.sqlite_version,
        database_bytes=sum(path.stat().st_size for path in folder.glob("studio.db*")),
        events_bytes=sum(segment.bytes for segment in state.segments),
        events=sum(segment.rows for segment in state.segments) + state.tail.height,
        segments=len(state.segments),
        backups=len(list_backups(folder)),
    )


def _soundness(database: Database) -> Check:
    problem = unsound(database)
    if problem is None:
        return Check("database", True, "The workspace file is sound.")
    return Check("database", False, f"The workspace file is damaged: {problem}.", "Restore a backup.")


def _references(database: Database) -> Check:
    with database.read() as connection:
        cursor = bulk(connection)
        cursor.execute("PRAGMA foreign_key_check")
        dangling = cursor.fetchall()
    if not dangling:
        return Check("references", True, "Nothing points to something that is gone.")
    tables = ", ".join(sorted({str(row[0]) for row in dangling}))
    return Check(
        "references", False, f"{len(dangling)} rows refer to something missing ({tables}).", "Restore a backup."
    )


def _event_files(log: EventLog) -> Check:
    wrong: list[str] = []
    segments = log.state().segments
    for segment in segments:
        if not segment.path.is_file():
            wrong.append(f"{segment.path.name} is missing")
        elif hashlib.sha256(segment.path.read_bytes()).hexdigest() != segment.sha256:
            wrong.append(f"{segment.path.name} was changed")
    if not wrong:
        return Check("event files", True, f"All {len(segments)} event files are as they were written.")
    return Check("event files", False, _some(wrong), "Restore a backup; until then figures can be wrong.")


def _orphans(log: EventLog) -> Check:
    known = {segment.path.name for segment in log.state().segments}
    found = [path.name for path in log.folder.iterdir() if path.suffix == SUFFIX and path.name not in known]
    words = (
        f"{len(found)} left-over event files take up space."
        if found
        else "No file is left over from an interrupted write."
    )
    return Check("left-overs", not found, words, "They are removed the next time the workspace is opened.")


def _held(database: Database) -> Check:
    with database.read() as connection:
        held = held_runs(connection)
    if not held:
        return Check("sending", True, "No run is held.")
    words = f"Nothing is sent of {', '.join(list(held)[:5])}: {next(iter(held.values()))}."
    return Check("sending", False, words, "Make sure that they go on in one place only, then release them: outbox.")


def _backups(folder: Path, now: datetime) -> Check:
    backups = list_backups(folder)
    if not backups:
        return Check("backups", False, "There is no backup.", "Make one now.")
    age = now - backups[0].at
    words = f"The last backup is of {backups[0].at:%d %B %Y, %H:%M} UTC."
    return Check("backups", age <= BACKUP_AGE_MAX, words, "Make one now.")


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    return Check("disk", free >= DISK_FREE_MIN, f"{free / 1e9:.1f} GB are free on the disk.", "Free some space.")


def _some(wrong: Sequence[str], limit: int = 5) -> str:
    rest = f" and {len(wrong) - limit} more" if len(wrong) > limit else ""
    return ", ".join(wrong[:limit]) + rest + "."
