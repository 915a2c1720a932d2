"""Who may write to a workspace: one process, known by a lock on `studio.lock` that the system drops when it dies.

The file's text says who holds it; it is emptied at a clean end, so text found under a free lock means the last owner
was stopped. Absent on purpose: stealing a lock.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
from pathlib import Path
from typing import BinaryIO

from studio.domain.errors import UserFixable
from studio.store.database import disk_failure

NAME = "studio.lock"

log = logging.getLogger(__name__)


class Owner:
    """The lock, held from construction to `release`."""

    def __init__(self, folder: Path) -> None:
        """Raises UserFixable STORE-IN-USE when another process (or another store in this one) has the workspace.

        And Transient STORE-DISK or STORE-DISK-FULL when the lock's text cannot be written.
        """
        self.path = folder / NAME
        self._file: BinaryIO = self.path.open("a+b", buffering=0)
        if not _lock(self._file):
            self._file.seek(0)
            holder = self._file.read(200).decode(errors="replace").strip()
            self._file.close()
            raise UserFixable(
                "STORE-IN-USE",
                f"The workspace is open in another program{f' ({holder})' if holder else ''}.",
                where=str(folder),
                hint="Close it there, or choose another workspace.",
            )
        self._file.seek(0)
        self.ended_cleanly = not self._file.read(200).strip()
        """False when the process before this one was stopped while it had the workspace."""
        try:
            self._say(f"process {os.getpid()}")
        except OSError as error:
            self.release(clean=False)
            raise disk_failure(folder, full=error.errno == errno.ENOSPC) from error

    def release(self, *, clean: bool) -> None:
        """Gives the workspace free; `clean` says that everything was closed in order."""
        if self._file.closed:
            return
        try:
            if clean:
                self._say("")
        except OSError as error:
            # The next start looks at the whole file then, which does no harm.
            log.warning("the clean end of %s could not be noted: %s", self.path.parent, error)
        finally:
            _unlock(self._file)
            self._file.close()

    def _say(self, text: str) -> None:
        self._file.truncate(0)
        self._file.seek(0)
        self._file.write(text.encode())
        os.fsync(self._file.fileno())


if sys.platform == "win32":
    import msvcrt

    # Windows locks byte ranges, and a locked range cannot be read: lock one far behind the text.
    _PLACE = 1 << 20

    def _lock(file: BinaryIO) -> bool:
        file.seek(_PLACE)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file: BinaryIO) -> None:
        file.seek(_PLACE)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(file: BinaryIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _unlock(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
