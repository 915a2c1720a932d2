"""Going back to a backup: in the window, and before it when the workspace cannot be opened."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from studio.domain.errors import StudioError, UserFixable
from studio.ui import app, background
from studio.ui.rescue import rescued
from studio.workspace.workspace import Workspace
from tests.ui.conftest import PATIENCE_MS
from tests.ui.screens.conftest import button
from tests.workspace.test_sending import welcome


def test_the_window_goes_back_once_asked_and_keeps_what_it_leaves(
    qtbot: QtBot, studio: app.Studio, tmp_path: Path
) -> None:
    studio.workspace.workflows.save("kept", welcome())
    studio.workspace.health.back_up()
    studio.workspace.workflows.save("later", welcome())
    studio.go("health")
    page = studio.window.pages.page
    qtbot.waitUntil(lambda: not background.under_way(), timeout=PATIENCE_MS)
    button(page, "Go back to this").click()
    (box,) = studio.window.findChildren(QMessageBox)
    assert box.defaultButton() is box.button(QMessageBox.StandardButton.Cancel)
    next(b for b in box.buttons() if b.text() == "Go back").click()
    qtbot.waitUntil(lambda: studio._successor is not None, timeout=PATIENCE_MS)
    successor = studio._successor
    assert [row.id for row in successor.workspace.workflows.list()] == ["kept"]
    assert studio.is_closed
    (aside,) = (tmp_path / "first" / "backups").glob("set-aside-*/studio.db")
    assert aside.stat().st_size > 0


def test_a_backup_that_is_gone_leaves_everything_as_it_was(qtbot: QtBot, studio: app.Studio) -> None:
    studio.workspace.workflows.save("kept", welcome())
    studio._put_back("20200101-000000")
    qtbot.waitUntil(lambda: studio._successor is not None, timeout=PATIENCE_MS)
    assert [row.id for row in studio._successor.workspace.workflows.list()] == ["kept"]


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    with Workspace.open(folder) as workspace:
        workspace.workflows.save("kept", welcome())
        workspace.health.back_up()
    for file in folder.glob("studio.db*"):
        file.write_bytes(b"this was a workspace" * 400)
    return folder


def opening(folder: Path) -> StudioError:
    with pytest.raises(StudioError) as failed:
        Workspace.open(folder).close()
    return failed.value


def test_a_damaged_workspace_is_put_back_when_the_person_agrees(damaged: Path) -> None:
    asked: list[str] = []
    assert rescued(opening(damaged), damaged, lambda words, _: bool(asked.append(words))) is None
    assert "There is a backup of" in asked[0]
    with rescued(opening(damaged), damaged, lambda _, button: button.startswith("Go back to")) as workspace:
        assert [row.id for row in workspace.workflows.list()] == ["kept"]


def test_nothing_is_offered_where_there_is_nothing_to_mend(tmp_path: Path) -> None:
    in_use = UserFixable("STORE-IN-USE", "Another program has it open.")
    assert rescued(in_use, tmp_path, lambda *_: pytest.fail("nothing is damaged")) is None
