"""What the run bar and the problem panel ask for, done: pause, continue, stop, retry, the speed of the next run.

Absent on purpose: showing the run (`ui.canvas`) and what a run is (`workspace`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from studio.ui.background import write_in_background
from studio.ui.faults import guarded
from studio.ui.screens.navigator import Navigator
from studio.workspace.runs import RunOptions
from studio.workspace.workspace import Workspace

if TYPE_CHECKING:
    from studio.ui.screens.canvas.in_front import CanvasInFront


class RunStarter(Navigator, Protocol):
    """The window, as the canvas needs it."""

    def watch(self, run_id: str) -> None: ...

    def run_options(self) -> RunOptions:
        """What a run started in this window is asked for."""
        ...

    def dry_run_options(self) -> RunOptions:
        """What a dry run is asked for."""
        ...

    def run_workflow(self, workflow_id: str, *, to_node: str | None = None, from_node: str | None = None) -> None: ...

    def set_clock(self, clock: str) -> None:
        """The speed of the runs started from now on: `max`, `real` or a factor."""
        ...


_PLACES = {"people": "audience", "profile": "settings", "health": "health", "restore": "health"}
"""Where the rest of a diagnosis's actions is done."""


class RunCommands:
    """Connects the page's wishes about the run in front."""

    def __init__(self, page: CanvasInFront, workspace: Workspace, window: RunStarter) -> None:
        self._page = page
        self._workspace = workspace
        self._window = window
        page.run_requested.connect(guarded(self._run))
        page.pause_requested.connect(guarded(lambda: self._ask(workspace.runs.pause)))
        page.continue_requested.connect(guarded(lambda: self._go(workspace.runs.go_on)))
        page.stop_requested.connect(guarded(lambda: self._ask(workspace.runs.stop)))
        page.retry_requested.connect(guarded(lambda: self._retry(None)))
        page.action_requested.connect(guarded(self._act))
        page.clock_changed.connect(guarded(window.set_clock))

    def _run(self) -> None:
        # A second click comes before the first one's run stands here: everybody would be written to twice.
        if self._page.workflow_id and not self._page.is_opening:
            self._window.run_workflow(self._page.workflow_id)

    def _ask(self, wish: Callable[[str], object]) -> None:
        # In one line with what else is asked of the run: a pause must not be overtaken by an earlier “Continue”.
        run_id = self._page.run_id
        write_in_background(lambda: wish(run_id), owner=self._page)

    def _go(self, wish: Callable[[str], object]) -> None:
        """Lets the run go on in some way, and follows it."""
        run_id, window = self._page.run_id, self._window
        write_in_background(lambda: wish(run_id), lambda _: window.watch(run_id), owner=self._page)

    def _retry(self, node_id: str | None) -> None:
        self._go(lambda run_id: self._workspace.runs.retry(run_id, node_id, is_attended=True))

    def _release(self, run_id: str) -> None:
        self._workspace.runs.release(run_id, "doubt")
        self._workspace.runs.go_on(run_id)

    def _act(self, node_id: str, action: str) -> None:
        if action == "retry":
            self._retry(node_id)
        elif action == "resume":
            self._go(self._workspace.runs.go_on)
        elif action == "resolve":
            self._window.go("runs", "outbox")
        elif action == "release":
            self._go(self._release)
        elif action in _PLACES:
            self._window.go(_PLACES[action])
