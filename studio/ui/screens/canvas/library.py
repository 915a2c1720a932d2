"""The workflows of the workspace, from the canvas: a new one, another one, a copy, from a file and into one.

Reached by a click on “Workflows” above, by the menu of the canvas and by the palette. Absent on purpose: what a file
holds (`domain.workflow`), and keeping a workflow as a template (`template_saving.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QFileDialog, QMenu

from studio.domain.workflow import Workflow
from studio.ui import export
from studio.ui.background import run_in_background, write_in_background
from studio.ui.canvas.menus import SEPARATOR, Entry
from studio.ui.screens.canvas.in_front import CanvasInFront
from studio.ui.screens.navigator import Navigator
from studio.ui.shell import Action
from studio.workspace.workflows import read_workflow
from studio.workspace.workspace import Workspace

_LISTED = 12
_FILES = "Workflows (*.json)"
NEW = "New workflow"


class WorkflowLibrary:
    """Every entry of the library is one way to it; what is opened is shown by the navigator."""

    def __init__(self, page: CanvasInFront, workspace: Workspace, navigator: Navigator) -> None:
        self._page = page
        self._workflows = workspace.workflows
        self._navigator = navigator

    def actions(self) -> Sequence[Action]:
        """What the palette offers."""
        return (
            Action(id="canvas.new", title=NEW, run=self.new, icon="plus", keywords="empty blank start"),
            Action(id="canvas.open", title="Open another workflow …", run=self.show_menu, icon="folder-open"),
            Action(id="canvas.copy", title="Make a copy of the workflow", run=self.copy, is_enabled=self._has_one),
            Action(id="canvas.open-file", title="Open a workflow file …", run=self.ask_file, keywords="import"),
            Action(
                id="canvas.save-file",
                title="Save the workflow as a file …",
                run=self.save_file,
                keywords="export",
                is_enabled=self._has_one,
            ),
        )

    def entries(self) -> Sequence[Entry]:
        """What the canvas's own menu offers."""
        return (
            SEPARATOR,
            Entry(NEW, self.new, changes=False),
            Entry("Make a copy of the workflow", self.copy, changes=False),
            Entry("Save the workflow as a file …", self.save_file, changes=False),
        )

    def show_menu(self) -> None:
        """The newest workflows and what else can be done, at the pointer."""
        run_in_background(self._workflows.list, lambda found: self.menu(found).popup(QCursor.pos()), owner=self._page)

    def menu(self, stored: Sequence) -> QMenu:
        """`stored`: the library's workflows, the last one changed first."""
        menu = QMenu(self._page)
        menu.addAction(NEW).triggered.connect(lambda _on=False: self.new())
        menu.addAction("Open a workflow file …").triggered.connect(lambda _on=False: self.ask_file())
        menu.addSeparator()
        for one in stored[:_LISTED]:
            action = menu.addAction(one.name.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(one.id == self._page.workflow_id)
            action.triggered.connect(partial(self._open, one.id))
        return menu

    def new(self) -> None:
        """An empty workflow, kept at once, in front."""
        self._add(Workflow(name=NEW))

    def copy(self) -> None:
        """A copy of the workflow in front, with a name that says so."""
        if self._has_one():
            workflow = self._page.workflow
            self._add(workflow.model_copy(update={"name": f"{workflow.name} (copy)"}))

    def ask_file(self) -> None:
        chosen, _kind = QFileDialog.getOpenFileName(self._page, "Open a workflow", "", _FILES)
        if chosen:
            self.open_file(Path(chosen))

    def open_file(self, file: Path) -> None:
        """Takes a workflow file into the library; what is wrong with it is told."""
        workflows = self._workflows
        write_in_background(lambda: workflows.add(read_workflow(file)), self._navigator.open_workflow, owner=self._page)

    def save_file(self) -> None:
        """The workflow as it now is, as `studio workflows show` writes it."""
        if self._has_one():
            saved = export.save_text(self._page, self._page.workflow.name, "json", self._page.workflow.to_json())
            if saved is not None:
                self._navigator.notify(f"Saved as {saved.name}")

    def _add(self, workflow: Workflow) -> None:
        add = self._workflows.add
        write_in_background(lambda: add(workflow), self._navigator.open_workflow, owner=self._page)

    def _open(self, workflow_id: str, _checked: bool = False) -> None:
        self._navigator.open_workflow(workflow_id)

    def _has_one(self) -> bool:
        return bool(self._page.workflow_id)
