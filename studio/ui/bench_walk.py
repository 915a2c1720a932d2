"""What opening each screen asks of the window's thread: the longest turn of its loop, in processor time.

Each screen is opened twice: as the first time in a window that has rested, and again. The baseline of the first time is
a window that has not rested. Absent on purpose: waiting for what the screen reads; turns count, not how many there are.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from PySide6.QtWidgets import QApplication

from studio.ui import background
from studio.ui.app import SCREENS, Studio
from studio.workspace.bench.figure import Figure
from studio.workspace.workspace import Workspace

QUIET_S = 0.3
READY_S = 30.0


def walk(rested: Studio) -> Iterator[Figure]:
    """A walk through all screens of a window, in milliseconds."""
    cold = _cold()
    yield Figure("longest_turn_ms.getting_ready", round(_get_ready(rested), 1), "ms")
    for page_id in SCREENS:
        first, again = _opened(rested, page_id), 0.0
        rested.go("home")
        _turns()
        again = _opened(rested, page_id)
        yield Figure(f"longest_turn_ms.open_{page_id}", round(first, 1), "ms", round(cold[page_id], 1))
        yield Figure(f"longest_turn_ms.reopen_{page_id}", round(again, 1), "ms")


def _cold() -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as folder:
        studio = Studio(Workspace.open(Path(folder) / "workspace"), keep_size=False)
        studio.window.resize(1440, 900)
        studio.window.show()
        _turns()
        found = {page_id: _opened(studio, page_id) for page_id in SCREENS}
        studio.window.close()
        studio.close()
    return found


def _get_ready(studio: Studio) -> float:
    ahead = studio.get_ready()
    longest, end = 0.0, time.perf_counter() + READY_S
    while not ahead.is_done and time.perf_counter() < end:
        longest = max(longest, _turn())
    return longest


def _opened(studio: Studio, page_id: str) -> float:
    begun = time.thread_time()
    studio.go(page_id)
    return max((time.thread_time() - begun) * 1000, _turns())


def _turns() -> float:
    """The longest turn until the window has been quiet for a moment."""
    longest, end = 0.0, time.perf_counter() + QUIET_S
    while background.under_way() or time.perf_counter() < end:
        if background.under_way():
            end = time.perf_counter() + QUIET_S
        longest = max(longest, _turn())
    return longest


def _turn() -> float:
    begun = time.thread_time()
    QApplication.processEvents()
    spent = (time.thread_time() - begun) * 1000
    time.sleep(0.001)
    return spent
