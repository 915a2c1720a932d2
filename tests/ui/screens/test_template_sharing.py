"""A template that somebody shared is looked at, taken in, passed on, removed and put back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.domain.template import BusinessContext
from studio.ui import export
from studio.ui.screens.templates.screen import TemplatesPage
from studio.workspace.workspace import Workspace

from .conftest import Trail, button, settle, words


class UndoTrail(Trail):
    """A navigator that keeps the last way back."""

    undo: Callable[[], object] | None = None

    def notify(self, text: str, undo: Callable[[], object] | None = None) -> None:
        super().notify(text, undo)
        self.undo = undo


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A file that another workspace shared."""
    with Workspace.open(tmp_path / "theirs") as theirs:
        made = theirs.templates.create("birthday", BusinessContext())
        assert made.workflow_id is not None
        theirs.own_templates.save(made.workflow_id, name="Their birthdays")
        return theirs.own_templates.share("own-their-birthdays", tmp_path)


def own(workspace: Workspace) -> list[str]:
    return [template.id for template in workspace.own_templates.list()]


def test_a_shared_template_comes_goes_and_comes_back(
    workspace: Workspace, shared: Path, open_page: Callable, qtbot: QtBot, tmp_path: Path, monkeypatch
) -> None:
    trail = UndoTrail()
    page = open_page(TemplatesPage(workspace, trail))
    page.sharing.open_file(shared)
    settle(qtbot)
    assert "Take in “Their birthdays”?" in words(page.cards)
    assert {"What starts it", "What it sends"} <= set(words(page.cards).split("\n"))
    assert own(workspace) == [], "looking takes nothing in"
    looked_at = shared.read_bytes()
    shared.write_text("{}", encoding="utf-8")
    button(page, "Take it in").click()
    settle(qtbot)
    assert own(workspace) == ["own-their-birthdays"]
    assert page.settings.title.title.text() == "Their birthdays"
    assert "Take in" not in words(page.cards)

    copy = tmp_path / "copy.template.json"
    monkeypatch.setattr(export, "ask_file", lambda *_args: copy)
    button(page, "Share Their birthdays …").click()
    settle(qtbot)
    assert copy.read_bytes() == looked_at, "what was looked at is what was taken in"

    button(page, "Remove Their birthdays").click()
    settle(qtbot)
    assert own(workspace) == []
    trail.undo()
    settle(qtbot)
    assert own(workspace) == ["own-their-birthdays"]


def test_a_file_that_is_no_template_is_refused_in_words(
    workspace: Workspace, open_page: Callable, qtbot: QtBot, tmp_path: Path, trail: Trail
) -> None:
    file = tmp_path / "x.template.json"
    file.write_text("{}", encoding="utf-8")
    page = open_page(TemplatesPage(workspace, trail))
    page.sharing.open_file(file)
    settle(qtbot)
    assert "The file is no shared template." in words(page.cards)
    button(page, "Close").click()
    assert "no shared template" not in words(page.cards)
