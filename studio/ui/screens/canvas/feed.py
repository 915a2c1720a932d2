"""The events of the run in front, in their order and without gaps, however they arrive.

What happens while the run is being read waits for it; what was lost on the way is read again. Absent on purpose: what
becomes of an event on the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from studio.domain.run import RunEvent
from studio.ui.background import run_in_background
from studio.workspace.workspace import Workspace

if TYPE_CHECKING:
    from studio.ui.screens.canvas.in_front import CanvasInFront


class RunFeed:
    """`wait_for` a run that is being read, `begin` when it is in front, `take` what happens in any run."""

    def __init__(self, page: CanvasInFront, workspace: Workspace) -> None:
        self._page = page
        self._workspace = workspace
        self._run_id = ""
        self._early: list[RunEvent] = []
        self._is_reading = False

    def wait_for(self, run_id: str) -> None:
        """Keeps the events of a run until it is in front; empty: of none."""
        self._run_id, self._is_reading = run_id, True
        self._early.clear()

    def begin(self, run_id: str) -> None:
        """The run is in front, with the events that were in the store; empty: no run is."""
        if run_id != self._run_id:
            self._early.clear()
        self._run_id, self._is_reading = run_id, False
        self._pass_on()

    def take(self, events: Sequence[RunEvent]) -> None:
        """What just happened."""
        own = [event for event in events if event.run_id == self._run_id]
        if own:
            self._early.extend(own)
            self._pass_on()

    def _pass_on(self, *, has_read: bool = False) -> None:
        if self._is_reading:
            return
        known = self._page.last_seq
        fresh = [event for event in self._early if event.seq > known]
        if fresh and fresh[0].seq > known + 1 and not has_read:
            self._read(known)
            return
        self._early.clear()
        self._page.add_events(fresh)

    def _read(self, known: int) -> None:
        self._is_reading = True
        run_id, runs = self._run_id, self._workspace.runs

        def show(events: Sequence[RunEvent]) -> None:
            if run_id == self._run_id and run_id == self._page.run_id:
                self._is_reading = False
                self._page.add_events(events)
                self._pass_on(has_read=True)

        run_in_background(lambda: runs.events(run_id, known), show, owner=self._page)
