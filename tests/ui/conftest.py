"""Every test of the window starts in the light look at 100 % text and leaves nothing in the background."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QSettings
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.ui import app, background
from studio.ui.focus import KeyboardFocus
from studio.ui.theme import theme
from studio.workspace.workspace import Workspace

PATIENCE_MS = 60_000
"""A wait ends as soon as it is true; how long that takes is the machine's affair."""


@pytest.fixture(scope="session")
def installed(qapp: QApplication) -> QApplication:
    theme().install(qapp)
    qapp.keyboard_focus = KeyboardFocus(qapp)
    return qapp


@pytest.fixture(autouse=True)
def look(installed: QApplication) -> Iterator[None]:
    if theme().scheme_choice != "light" or theme().text_scale != 1.0 or theme().reduced_motion:
        theme().set_reduced_motion(False)
        theme().set_text_scale(1.0)
        theme().set_scheme("light")
    yield
    assert not background.under_way(), "work was left running"
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def studio(tmp_path: Path, qtbot: QtBot, installed: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[app.Studio]:
    """The whole program with its window, on a workspace of its own; windows that took its place are closed with it."""
    monkeypatch.setattr(app, "settings", lambda: QSettings(str(tmp_path / "kept.ini"), QSettings.Format.IniFormat))
    before = len(app.open_windows())
    opened = app.Studio(Workspace.open(tmp_path / "first"))
    opened.window.show()
    yield opened
    opened.window.stays = lambda: False
    for one in (*app.open_windows()[before:], opened):
        if not one.is_closed:
            one.close()
            one.window.close()
    qtbot.waitUntil(lambda: not background.under_way(), timeout=PATIENCE_MS)
