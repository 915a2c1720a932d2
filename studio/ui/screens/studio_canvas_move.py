"""A run of an older version in front: its waiting people may go on in the workflow as it is now, after a look at it.

Absent on purpose: what becomes of whom (`workspace.moving`); where a step is gone its people leave, and choosing
another step for them is the command line's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from studio.ui.background import run_in_background
from studio.ui.shell import Action, MainWindow
from studio.workspace.moving import MovePreview
from studio.workspace.workspace import Workspace

if TYPE_CHECKING:
    from studio.ui.screens.studio_canvas import StudioCanvas

TITLE = "Let waiting people go on in the current version"


class VersionMove:
    """Offers the move, shows what it would do, and does it when that is agreed to."""

    def __init__(self, page: StudioCanvas, workspace: Workspace) -> None:
        self._page = page
        self._workspace = workspace

    def actions(self) -> Sequence[Action]:
        """What the palette offers."""
        return (Action(id="canvas.move", title=TITLE, run=self.look, icon="fast-forward", is_enabled=self.is_offered),)

    def is_offered(self) -> bool:
        """Whether a run is in front that stands still on another version than the workflow's."""
        run_id = self._page.run_id
        if not run_id or self._workspace.runs.is_running(run_id):
            return False
        run = self._workspace.runs.get(run_id)
        known = {workflow.id for workflow in self._workspace.workflows.list()}
        if run.workflow_id not in known or run.state in ("done", "failed"):
            return False
        return self._workspace.workflows.get(run.workflow_id).content_hash() != run.version

    def look(self) -> None:
        """Says what would become of everybody, with a button to do it."""
        run_id = self._page.run_id
        workflow = self._workspace.workflows.get(self._page.workflow_id)

        def show(told: MovePreview) -> None:
            self._toast(told.finding, "Move them", lambda: self._move(run_id))

        run_in_background(lambda: self._workspace.moving.preview(run_id, workflow), show, owner=self._page)

    def _move(self, run_id: str) -> None:
        workflow = self._workspace.workflows.get(self._workspace.runs.get(run_id).workflow_id)

        def done(_: MovePreview) -> None:
            self._page.open_run(run_id)
            self._toast("They are moved. The run goes on in the new version when you continue it.")

        run_in_background(lambda: self._workspace.moving.move(run_id, workflow), done, owner=self._page)

    def _toast(self, text: str, button: str = "", act: object = None) -> None:
        window = self._page.window()
        if isinstance(window, MainWindow):
            window.toast(text, button=button, on_button=act if callable(act) else None)
