"""From the canvas to any workflow: a new one, another, a copy, out of a file and into one."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.domain.template import BusinessContext
from studio.domain.workflow import parse_workflow
from studio.ui import export
from studio.ui.screens.canvas.library import NEW
from studio.ui.screens.canvas.screen import StudioCanvas
from studio.workspace.workspace import Workspace

from .conftest import Trail, settle


class Window(Trail):
    def set_clock(self, clock: str) -> None:
        self.clock = clock


@pytest.fixture
def page(workspace: Workspace, qtbot: QtBot) -> StudioCanvas:
    made = workspace.templates.create("birthday", BusinessContext())
    shown = StudioCanvas(workspace, Window())
    qtbot.addWidget(shown)
    shown.show()
    shown.open_workflow(made.workflow_id)
    settle(qtbot)
    return shown


def test_a_new_one_and_a_copy_stand_in_the_library(page: StudioCanvas, workspace: Workspace, qtbot: QtBot) -> None:
    name = page.workflow.name
    page.library.new()
    page.library.copy()
    settle(qtbot)
    stored = {one.name: workspace.workflows.get(one.id) for one in workspace.workflows.list()}
    assert set(stored) == {name, NEW, f"{name} (copy)"}
    assert stored[NEW].nodes == ()
    assert stored[f"{name} (copy)"].nodes == page.workflow.nodes


def test_the_menu_lists_the_workflows_and_marks_the_one_in_front(
    page: StudioCanvas, workspace: Workspace, qtbot: QtBot
) -> None:
    menu = page.library.menu(workspace.workflows.list())
    assert [a.text() for a in menu.actions() if a.isChecked()] == [page.workflow.name]
    assert menu.actions()[0].text() == NEW
    assert page.crumbs()[0].on_click is not None


def test_a_file_leads_out_and_in_again(
    page: StudioCanvas, workspace: Workspace, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "birthday.json"
    monkeypatch.setattr(export, "ask_file", lambda *_asked: file)
    page.library.save_file()
    assert parse_workflow(file.read_bytes()) == page.workflow
    page.library.open_file(file)
    settle(qtbot)
    assert [one.name for one in workspace.workflows.list()] == [page.workflow.name] * 2
