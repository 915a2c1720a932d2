"""A run of an older version in front: its waiting people may go on in the workflow as it is now, after a look at it.

Absent on purpose: what becomes of whom (`workspace.moving`); where a step is gone its people leave, and choosing
another step for them is the command line's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from studio.ui.background import run_in_background, write_in_background
from studio.ui.shell import Action, MainWindow
from studio.workspace.moving import MovePreview
from studio.workspace.workspace import Workspace

if TYPE_CHECKING:
    from studio.ui.screens.canvas.in_front import CanvasInFront

TITLE = "Let waiting people go on in the current version"


class VersionMove:
    """Offers the move, shows what it would do, and does it when that is agreed to."""

    def __init__(self, page: CanvasInFront, workspace: Workspace, show_run: Callable[[str], None]) -> None:
        self._page = page
        self._workspace = workspace
        self._show_run = show_run
        self._offered_for = ""
        page.workflow_changed.connect(lambda _workflow, _words: self.learn())
        page.watch.state_changed.connect(lambda _words: self.learn())

    def actions(self) -> Sequence[Action]:
        """What the palette offers."""
        return (Action(id="canvas.move", title=TITLE, run=self.look, icon="fast-forward", is_enabled=self.is_offered),)

    def is_offered(self) -> bool:
        """Whether a run is in front that stands still on another version than the workflow's."""
        return self._page.run_id == self._offered_for != "" and not self._workspace.runs.is_running(self._offered_for)

    def learn(self) -> None:
        """Looks whether the run in front, or the workflow, is such a one now."""
        page, run_id = self._page, self._page.run_id
        self._offered_for = ""

        def show(is_older: bool) -> None:
            if is_older and page.run_id == run_id:
                self._offered_for = run_id

        if run_id and page.in_library:
            run_in_background(lambda: self._is_older(run_id), show, owner=page)

    def _is_older(self, run_id: str) -> bool:
        run = self._workspace.runs.get(run_id)
        if run.state in ("done", "failed"):
            return False
        return self._workspace.workflows.get(run.workflow_id).content_hash() != run.version

    def look(self) -> None:
        """Says what would become of everybody, with a button to do it."""
        run_id, workflow_id = self._page.run_id, self._page.workflow_id

        def read() -> MovePreview:
            return self._workspace.moving.preview(run_id, self._workspace.workflows.get(workflow_id))

        def show(told: MovePreview) -> None:
            self._toast(told.finding, "Move them", lambda: self._move(run_id, workflow_id))

        run_in_background(read, show, owner=self._page)

    def _move(self, run_id: str, workflow_id: str) -> None:
        def move() -> MovePreview:
            return self._workspace.moving.move(run_id, self._workspace.workflows.get(workflow_id))

        def done(_: MovePreview) -> None:
            self._show_run(run_id)
            self._toast("They are moved. The run goes on in the new version when you continue it.")

        write_in_background(move, done, owner=self._page)

    def _toast(self, text: str, button: str = "", act: object = None) -> None:
        window = self._page.window()
        if isinstance(window, MainWindow):
            window.toast(text, button=button, on_button=act if callable(act) else None)
