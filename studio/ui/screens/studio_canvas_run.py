"""What the run bar and the problem panel ask for, done: pause, continue, stop, retry, the speed of the next run.

Absent on purpose: showing the run (`ui.canvas`) and what a run is (`workspace`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from studio.ui.faults import guarded
from studio.ui.screens.navigator import Navigator
from studio.workspace.runs import RunOptions
from studio.workspace.workspace import Workspace

if TYPE_CHECKING:
    from studio.ui.screens.studio_canvas import StudioCanvas


class RunStarter(Navigator, Protocol):
    """The window, as the canvas needs it."""

    def watch(self, run_id: str) -> None: ...

    def run_options(self) -> RunOptions:
        """What a run started in this window is asked for."""
        ...

    def run_workflow(self, workflow_id: str, *, to_node: str | None = None, from_node: str | None = None) -> None: ...

    def set_clock(self, clock: str) -> None:
        """The speed of the runs started from now on: `max`, `real` or a factor."""
        ...


_PLACES = {"people": "audience", "profile": "settings", "health": "health", "restore": "health"}
"""Where the rest of a diagnosis's actions is done."""


class RunCommands:
    """Connects the page's wishes about the run in front."""

    def __init__(self, page: StudioCanvas, workspace: Workspace, window: RunStarter) -> None:
        self._page = page
        self._workspace = workspace
        self._window = window
        page.run_requested.connect(guarded(self._run))
        page.pause_requested.connect(guarded(lambda: workspace.runs.pause(page.run_id)))
        page.continue_requested.connect(guarded(self._continue))
        page.stop_requested.connect(guarded(lambda: workspace.runs.stop(page.run_id)))
        page.retry_requested.connect(guarded(lambda: self._retry(None)))
        page.action_requested.connect(guarded(self._act))
        page.clock_changed.connect(guarded(window.set_clock))

    def _run(self) -> None:
        if self._page.workflow_id:
            self._window.run_workflow(self._page.workflow_id)

    def _continue(self) -> None:
        self._workspace.runs.go_on(self._page.run_id)
        self._window.watch(self._page.run_id)

    def _retry(self, node_id: str | None) -> None:
        self._workspace.runs.retry(self._page.run_id, node_id, is_attended=True)
        self._window.watch(self._page.run_id)

    def _act(self, node_id: str, action: str) -> None:
        if action == "retry":
            self._retry(node_id)
        elif action == "resume":
            self._continue()
        elif action == "resolve":
            self._window.go("runs", "outbox")
        elif action == "release":
            self._workspace.runs.release(self._page.run_id, "doubt")
            self._continue()
        elif action in _PLACES:
            self._window.go(_PLACES[action])
