"""Folders that are dear to make, made by whichever test process needs one first and read by all of them.

A shared folder must not be written to: copy it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder `name` as `make` leaves it; `make` gets its path and creates it. One that failed is made anew."""
    base = factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ and os.name == "posix" else base
    finished = root / f"{name}.finished"
    folder = root / name
    with _locked(root / f"{name}.lock"):
        if not finished.exists():
            make(folder)
            finished.touch()
    return folder


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Where there is no flock every process has a folder of its own, and nothing to wait for."""
    with file.open("w") as held:
        if os.name == "posix":
            import fcntl

            fcntl.flock(held, fcntl.LOCK_EX)
        yield
