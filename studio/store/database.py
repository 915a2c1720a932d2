"""One SQLite file: how it is opened, and the two ways to use it, `read` and `write`.

One writer at a time (a lock here, `BEGIN IMMEDIATE` below it), any number of readers, each with its own snapshot.
Absent on purpose: tables and queries. Rejected: the interpreter's own `sqlite3`, which is often older than 3.51.3 and
then can lose commits in WAL mode with two connections.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

import sqlalchemy as sa
from pysqlite3 import dbapi2

from studio.domain.errors import Corrupt, StudioError, Transient

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection

OLDEST_SQLITE = (3, 51, 3)
BUSY_TIMEOUT_MS = 30_000
READERS_MAX = 16

_EVERY_CONNECTION = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
    "PRAGMA cache_size = -32768",
)
_WRITING_CONNECTION = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA fullfsync = ON",
    "PRAGMA secure_delete = ON",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA wal_autocheckpoint = 4000",
)


class Cursor(Protocol):
    """The part of a DB-API cursor that bulk statements use."""

    rowcount: int

    def execute(self, statement: str, parameters: Sequence[Any] = ..., /) -> Any: ...
    def executemany(self, statement: str, rows: Any, /) -> Any: ...
    def fetchall(self) -> list[tuple[Any, ...]]: ...
    def fetchone(self) -> tuple[Any, ...] | None: ...


def bulk(connection: sa.Connection) -> Cursor:
    """The driver's own cursor inside the connection's transaction, for many rows or very frequent statements."""
    return connection.connection.cursor()  # pyright: ignore[reportReturnType] - SQLAlchemy types it narrower


class _Ended(Enum):
    """How far a transaction came."""

    BEFORE_COMMIT = "before commit"
    IN_COMMIT = "in commit"
    COMMITTED = "committed"


class Database:
    """The file `studio.db` of a workspace, open."""

    def __init__(self, path: Path, *, read_only: bool = False, connection_class: type | None = None) -> None:
        """`connection_class` replaces the driver's connection; tests make it fail.

        Raises:
            StudioError: STORE-SQLITE when the SQLite library has the WAL bug.
        """
        if dbapi2.sqlite_version_info < OLDEST_SQLITE:
            raise StudioError(
                "STORE-SQLITE",
                f"The SQLite library is {dbapi2.sqlite_version}; older than 3.51.3 it can lose data.",
                hint="Install the program again: it brings a current one.",
            )
        self.path = path
        self.read_only = read_only
        self._lock = threading.RLock()
        self._depth = 0
        self.writes = 0
        """How many transactions have written; as long as it stays, so does what was read in this process."""
        self._writing_thread: int | None = None
        self._writer: sa.Connection | None = None
        self._glancing: list[sa.Connection] = []
        self._after: list[tuple[tuple[_Ended, ...], Callable[[], None]]] = []
        self._engine = _engine(path, read_only, connection_class)

    @property
    def sqlite_version(self) -> str:
        return dbapi2.sqlite_version

    @property
    def is_writing(self) -> bool:
        """Whether this thread is inside a `write`: what it reads may yet be rolled back, and is not to be kept."""
        return bool(self._depth) and self._writing_thread == threading.get_ident()

    @property
    def is_taken(self) -> bool:
        """Whether another thread is writing, so that a transaction begun now would wait for it."""
        return bool(self._depth) and self._writing_thread != threading.get_ident()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One snapshot: everything read inside belongs together, whatever is written meanwhile.

        Inside a `write` of the same thread it sees what was written there.
        """
        if self.is_writing:
            assert self._writer is not None
            yield self._writer
            return
        with _in_words(self.path), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def glance(self) -> Iterator[Cursor]:
        """`read` for small questions asked all the time: a cursor of the driver, for a sixth of the cost."""
        if self.is_writing:
            assert self._writer is not None
            yield bulk(self._writer)
            return
        with _in_words(self.path):
            try:
                connection = self._glancing.pop()
            except IndexError:
                connection = self._engine.connect()
            cursor = bulk(connection)
            try:
                cursor.execute("BEGIN")
                yield cursor
                cursor.execute("COMMIT")
            except BaseException:
                connection.invalidate()
                connection.close()
                raise
            self._glancing.append(connection)

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that is committed at the end, or rolled back by any exception.

        Inside another `write` of the same thread it joins that one, so that use cases can group what belongs together.

        Raises:
            Transient: STORE-BUSY, STORE-DISK-FULL, STORE-DISK. Nothing was changed.
            Corrupt: STORE-CORRUPT.
        """
        assert not self.read_only, "a read-only store was written to"
        with self._lock:
            if self._depth:
                assert self._writer is not None
                yield self._writer
                return
            with _in_words(self.path):
                yield from self._outermost()

    def _outermost(self) -> Iterator[sa.Connection]:
        if self._writer is None or self._writer.invalidated:
            self._writer = self._engine.connect().execution_options(writes=True)
        transaction = self._writer.begin()
        self._depth, self._writing_thread, ended = 1, threading.get_ident(), _Ended.BEFORE_COMMIT
        try:
            yield self._writer
            ended = _Ended.IN_COMMIT
            transaction.commit()
            ended = _Ended.COMMITTED
        finally:
            self._depth = 0
            self.writes += 1
            if ended is not _Ended.COMMITTED:
                self._roll_back(transaction)
            actions, self._after = self._after, []
            for wanted, action in actions:
                if ended in wanted:
                    action()

    def _roll_back(self, transaction: sa.RootTransaction) -> None:
        assert self._writer is not None
        try:
            transaction.rollback()
            driver = self._writer.connection.driver_connection
            if driver is not None and driver.in_transaction:  # a COMMIT that failed leaves it open
                driver.rollback()
        except (dbapi2.Error, sa.exc.DBAPIError):
            self._writer.invalidate()

    def after(
        self,
        *,
        commit: Callable[[], None] | None = None,
        rollback: Callable[[], None] | None = None,
        abort: Callable[[], None] | None = None,
    ) -> None:
        """What to do when the transaction now open has ended: committed, not committed, or given up before COMMIT.

        A COMMIT that fails may still turn out durable after a restart, so only `abort` may remove what it refers to.
        """
        assert self._depth, "there is no transaction to wait for"
        for action, ends in (
            (commit, (_Ended.COMMITTED,)),
            (rollback, (_Ended.BEFORE_COMMIT, _Ended.IN_COMMIT)),
            (abort, (_Ended.BEFORE_COMMIT,)),
        ):
            if action is not None:
                self._after.append((ends, action))

    @contextmanager
    def outside_transactions(self) -> Iterator[DBAPIConnection]:
        """The driver's connection with no transaction open, for what cannot run in one (a backup). Writers go on."""
        with _in_words(self.path), self._engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            yield driver

    def close(self) -> None:
        """Closes every connection; the last one folds the WAL into the file."""
        with self._lock:
            while self._glancing:
                self._glancing.pop().close()
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            self._engine.dispose()


def _engine(path: Path, read_only: bool, connection_class: type | None) -> sa.Engine:
    arguments: dict[str, Any] = {"isolation_level": None, "check_same_thread": False, "uri": True}
    if connection_class is not None:
        arguments["factory"] = connection_class
    mode = "ro" if read_only else "rwc"
    engine = sa.create_engine(
        f"sqlite+pysqlite:///file:{quote(str(path))}?mode={mode}&uri=true",
        module=dbapi2,
        connect_args=arguments,
        pool_size=4,
        max_overflow=READERS_MAX - 4,
        pool_timeout=BUSY_TIMEOUT_MS / 1000,
    )
    pragmas = (*_EVERY_CONNECTION, *(("PRAGMA query_only = ON",) if read_only else _WRITING_CONNECTION))

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # IMMEDIATE takes the write lock now: a deferred writer that finds the lock taken later cannot simply wait.
        # By the driver's own cursor: SQLAlchemy takes longer over such a statement than a small commit.
        begun = "BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN"
        bulk(connection).execute(begun)

    return engine


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except (dbapi2.DatabaseError, sa.exc.DBAPIError) as error:
        said = error_in_words(str(error), path)
        if said is None:
            raise
        raise said from error


def error_in_words(text: str, path: Path) -> StudioError | None:
    """The studio error for what SQLite said; None when that is a bug of ours and not the world's."""
    if "disk is full" in text:
        return disk_failure(path.parent, full=True)
    if "disk I/O error" in text or "readonly" in text or "unable to open" in text:
        return disk_failure(path.parent, full=False)
    if "is locked" in text:
        hint = "Close the other program, or wait."
        return Transient("STORE-BUSY", "Another program keeps the workspace busy.", where=str(path.parent), hint=hint)
    hint = "Restore a backup."
    if "malformed" in text:
        return Corrupt("STORE-CORRUPT", "The workspace file is damaged.", where=str(path), hint=hint)
    if "not a database" in text:
        return Corrupt("STORE-NOT-DATABASE", "The workspace file cannot be recognised.", where=str(path), hint=hint)
    return None


def disk_failure(folder: Path, *, full: bool) -> Transient:
    """What to say when the workspace's disk does not take what is written."""
    if full:
        hint = "Free some space, then let it go on: nothing that was done is lost."
        message = "The disk is full, so nothing more can be saved."
        return Transient("STORE-DISK-FULL", message, where=str(folder), hint=hint)
    hint = "Check that the disk is connected and that the folder may be written."
    return Transient("STORE-DISK", "The workspace cannot be read or written.", where=str(folder), hint=hint)
