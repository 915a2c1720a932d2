"""Notes which calls of the canvas wait for the store on the window's own thread; there should be none."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from studio.store.database import Database
from studio.ui.screens import canvas

CANVAS = Path(canvas.__file__).parent


def calls_that_wait(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Fills up while the window is used: the line of the canvas that led to the store on the thread of this call."""
    found: list[str] = []
    own = threading.get_ident()
    for name in ("read", "write"):
        asked: Callable[..., AbstractContextManager[Any]] = getattr(Database, name)

        def noted(*args: Any, asked: Callable[..., AbstractContextManager[Any]] = asked) -> AbstractContextManager[Any]:
            if threading.get_ident() == own:
                frames = traceback.extract_stack()
                found.extend(f"{f.filename}:{f.lineno} {f.name}" for f in frames if CANVAS in Path(f.filename).parents)
            return asked(*args)

        monkeypatch.setattr(Database, name, noted)
    return found
