"""The workflow on the canvas becomes a template of one's own, and that is taken back."""

from __future__ import annotations

from collections.abc import Callable

from pytestqt.qtbot import QtBot

from studio.domain.template import BusinessContext
from studio.ui.screens.canvas.screen import StudioCanvas
from studio.workspace.workspace import Workspace

from .conftest import Trail, button, settle, words


class Window(Trail):
    """A navigator that keeps the way back."""

    undo: Callable[[], object] | None = None

    def notify(self, text: str, undo: Callable[[], object] | None = None) -> None:
        super().notify(text, undo)
        self.undo = undo

    def set_clock(self, clock: str) -> None:
        self.clock = clock


def test_a_workflow_is_saved_as_a_template_and_taken_back(workspace: Workspace, qtbot: QtBot) -> None:
    made = workspace.templates.create("birthday", BusinessContext())
    window = Window()
    page = StudioCanvas(workspace, window)
    qtbot.addWidget(page)
    offered = {action.id: action for action in page.actions_here()}["canvas.save-template"]
    assert not offered.is_enabled(), "nothing is in front"
    page.show()
    page.entered(f"workflow:{made.workflow_id}")
    settle(qtbot)
    assert offered.is_enabled()
    page.selection.clear()
    (entry,) = [entry for entry in page.menus.entries() if entry.words == offered.title]
    entry.run()
    settle(qtbot)
    dialog = page.saving.dialog
    assert dialog.kind.currentData() == workspace.templates.get("birthday").archetype
    dialog.name.setText("  ")
    button(dialog, "Save template").click()
    assert "Give it a name." in words(dialog)
    dialog.name.setText("Our birthdays")
    button(dialog, "Save template").click()
    settle(qtbot)
    assert [template.id for template in workspace.own_templates.list()] == ["own-our-birthdays"]
    assert "Our birthdays" in window.said[-1]
    window.undo()
    settle(qtbot)
    assert workspace.own_templates.list() == ()
