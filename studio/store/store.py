"""The workspace folder, open: one object that hands out the parts of the store.

Layout: `studio.db`, `events/` (segments), `files/` (what was imported), `mail/` (what the catcher caught), `backups/`.
Absent on purpose: anything but opening, closing and wiring.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

import polars as pl
import sqlalchemy as sa

from studio.domain.clock import Clock
from studio.domain.errors import UserFixable
from studio.store.backup import BACKUPS, DATABASE, Backup, list_backups, make_backup
from studio.store.contacts import People
from studio.store.database import Database, disk_failure
from studio.store.doctor import Health, examine
from studio.store.events import LoggedEvents
from studio.store.home import home_of, settle_in
from studio.store.importing import Importer, ImportReport
from studio.store.journal import EditJournal
from studio.store.learning import Learning
from studio.store.library import Library
from studio.store.log import EventLog
from studio.store.opening import NEWEST, not_a_workspace, require_sound, stored_revision
from studio.store.owner import NAME as LOCK
from studio.store.owner import Owner
from studio.store.projections import Projections
from studio.store.runs import StoredRuns
from studio.store.segments import FOLDER, collect_orphans

log = logging.getLogger(__name__)

SMALLEST_FILE = 512
FOLDERS = (FOLDER, "files", "mail", BACKUPS)


class Store:
    """An open workspace. Thread-safe; close it, or use it as a context manager."""

    def __init__(self, folder: Path, clock: Clock, database: Database, owner: Owner | None) -> None:
        self.folder = folder
        self.clock = clock
        self._database = database
        self._owner = owner
        self.log = EventLog(database, folder / FOLDER)
        self.contacts = People(database, clock)
        self.runs = StoredRuns(database, self.log, clock)
        self.events = LoggedEvents(self.log, self.runs.simulated)
        self.projections = Projections(database, self.log)
        self.library = Library(database, clock)
        self.journal = EditJournal(database, clock)
        self.learning = Learning(database)
        self._importer = Importer(database, self.log)

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        clock: Clock,
        create: bool = True,
        read_only: bool = False,
        connection_class: type | None = None,
        home: Callable[[Path], str] = home_of,
    ) -> Store:
        """Opens the workspace in `folder`, making it when there is none and `create` is true.

        An older workspace is backed up and brought to this version. After an unclean end the whole file is read. In one
        that comes from another place, by `home` of its file, real runs are held.
        `read_only` works beside another process that has it open, and changes nothing.

        Raises:
            UserFixable: STORE-MISSING, STORE-NOT-WORKSPACE, STORE-NEWER, STORE-OLDER (read-only), STORE-IN-USE.
            Transient: STORE-DISK, STORE-DISK-FULL.
            Corrupt: STORE-CORRUPT.
        """
        _require_folder(folder, create=create and not read_only)
        _examine(folder / DATABASE)  # before anything is made in a folder that may be somebody else's
        if read_only:
            return cls(folder, clock, _open_to_read(folder, connection_class), None)
        _make_folders(folder)
        owner = Owner(folder)
        database: Database | None = None
        try:
            revision = _examine(folder / DATABASE)
            database = Database(folder / DATABASE, connection_class=connection_class)
            _bring_up(database, revision, owner, clock)
            held = settle_in(database, home(folder / DATABASE))
            if held:
                log.warning("%s was copied or moved: %d runs are held", folder, held)
            store = cls(folder, clock, database, owner)
            collect_orphans(store.log.folder, store.log.state().segments)
        except BaseException:
            if database is not None:
                database.close()
            owner.release(clean=owner.ended_cleanly)
            raise
        return store

    @property
    def read_only(self) -> bool:
        return self._database.read_only

    def transaction(self) -> AbstractContextManager[sa.Connection]:
        """Groups what several parts of the store write into one transaction: all of it or nothing."""
        return self._database.write()

    def backup(self) -> Backup:
        """Makes a backup now, while work goes on."""
        return make_backup(self._database, self.clock.now())

    def backups(self) -> list[Backup]:
        """The backups there are, newest first."""
        return list_backups(self.folder)

    def doctor(self) -> Health:
        """Looks at everything; takes seconds for a large workspace."""
        return examine(self._database, self.log, self.clock.now())

    def import_events(self, frames: Iterable[pl.DataFrame], source: str) -> ImportReport:
        """Adds events from outside, all of them or none; see `Importer.import_events`."""
        return self._importer.import_events(frames, source)

    def close(self) -> None:
        """Ends cleanly. Closing twice is fine."""
        self._database.close()
        if self._owner is not None:
            self._owner.release(clean=True)

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _require_folder(folder: Path, *, create: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise not_a_workspace(folder)
    if create and folder.is_dir() and not (folder / DATABASE).exists() and not _only_ours(folder):
        raise not_a_workspace(folder)
    if not create and not (folder / DATABASE).is_file():
        raise UserFixable(
            "STORE-MISSING",
            "There is no workspace here.",
            where=str(folder),
            hint="Check the folder, or create a workspace in it.",
        )


def _make_folders(folder: Path) -> None:
    try:
        for name in ("", *FOLDERS):
            (folder / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_failure(folder, full=error.errno == errno.ENOSPC) from error


def _only_ours(folder: Path) -> bool:
    """Whether the folder holds nothing but what a first opening that was cut short leaves."""
    return {path.name for path in folder.iterdir()} <= {
        *FOLDERS,
        LOCK,
        *(f"{DATABASE}{end}" for end in ("", "-wal", "-shm")),
    }


def _open_to_read(folder: Path, connection_class: type | None) -> Database:
    database = Database(folder / DATABASE, read_only=True, connection_class=connection_class)
    try:
        if stored_revision(database) != NEWEST:
            raise UserFixable(
                "STORE-OLDER",
                "This workspace is of an older version and has to be brought up to date first.",
                where=str(folder),
                hint="Open it once for writing.",
            )
    except BaseException:
        database.close()
        raise
    return database


def _examine(path: Path) -> str | None:
    """The stored revision, read without changing a byte: the file may be somebody else's."""
    if not path.is_file() or not path.stat().st_size:
        return None
    if path.stat().st_size < SMALLEST_FILE:
        raise not_a_workspace(path)  # SQLite would take it for an empty file and write over it
    database = Database(path, read_only=True)
    try:
        return stored_revision(database)
    finally:
        database.close()


def _bring_up(database: Database, revision: str | None, owner: Owner, clock: Clock) -> None:
    if revision is not None and not (owner.ended_cleanly and revision == NEWEST):
        require_sound(database)
    if revision == NEWEST:
        return
    if revision is not None:
        make_backup(database, clock.now(), note=f"before-{NEWEST}")
    from studio.store.upgrade import upgrade  # noqa: PLC0415 - Alembic is loaded only when there is an upgrade

    upgrade(database)
