"""System calls that fail: a leg runs under strace, which lets the N-th call of a kind fail, or kills the process at it.

That is what a full or broken disk looks like from inside, without needing one.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection

STRACE = shutil.which("strace")
_ANYBODY = -1
_PR_SET_PTRACER = 0x59616D61


@dataclass(frozen=True, slots=True)
class SystemCall:
    """`call` is what fails (several joined by commas), `how` is `error=ENOSPC` and the like or `signal=KILL`.

    `when` counts calls of each thread; `for_good`: from then on all of them fail.
    """

    call: str
    how: str
    when: int
    for_good: bool = False

    @property
    def name(self) -> str:
        return f"{self.how.split('=')[1]} at {self.call.split(',')[0]}{' for good' if self.for_good else ''}"

    def command(self, pid: int) -> list[str]:
        assert STRACE is not None, "strace is not installed"
        when = f"{self.when}{'+' if self.for_good else ''}"
        inject = f"inject={self.call}:{self.how}:when={when}"
        return [STRACE, "-f", "-p", str(pid), "-o", os.devnull, "-e", f"trace={self.call}", "-e", inject]


FAULTS = (
    ("pwrite64", "error=ENOSPC"),
    ("pwrite64", "error=EIO"),
    ("pwrite64", "signal=KILL"),
    ("fdatasync,fsync", "error=EIO"),
    ("fdatasync,fsync", "signal=KILL"),
    ("ftruncate", "error=EIO"),
)


def attach(fault: SystemCall, pid: int) -> subprocess.Popen[bytes]:
    """strace, once it holds the process."""
    tracer = subprocess.Popen(fault.command(pid), stderr=subprocess.PIPE)
    assert tracer.stderr is not None
    said = tracer.stderr.readline()
    assert b"attached" in said, said.decode()
    return tracer


def once_attached(talk: Connection, work: Callable[[], None]) -> None:
    """In the process that is to be traced: lets itself be attached to, waits for that, and works."""
    ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _ANYBODY)
    talk.send(os.getpid())
    talk.recv()
    work()
