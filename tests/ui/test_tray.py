"""The emergency stop in the window, and staying in the tray while runs go on in real time."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from studio.ui import app
from studio.ui.tray import RELEASE, STOP
from tests.ui.conftest import PATIENCE_MS


def test_the_emergency_stop_is_one_command_away_and_is_shown_until_it_is_taken_back(
    qtbot: QtBot, studio: app.Studio
) -> None:
    actions = studio.window.commands
    known = {action.id: action for action in actions.all()}
    stop, release = known["emergency.stop"], known["emergency.release"]
    assert (stop.title, release.title) == (STOP, RELEASE)
    assert stop.is_enabled() and not release.is_enabled()
    stop.run()
    assert studio.workspace.unattended.stop_words.startswith("Emergency stop")
    assert release.is_enabled() and not stop.is_enabled()
    status = studio.window.top_bar.status
    qtbot.waitUntil(lambda: status.text() == "Emergency stop: nothing goes out", timeout=PATIENCE_MS)
    release.run()
    qtbot.waitUntil(lambda: not studio.tray.is_stopped, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: status.text() == "All systems fine", timeout=PATIENCE_MS)


def test_closing_hides_the_window_while_something_goes_on(studio: app.Studio) -> None:
    studio.window.stays = lambda: True
    studio.window.close()
    assert not studio.window.isVisible()
    assert not studio.is_closed
    studio.tray._show()
    assert studio.window.isVisible()


class Icon:
    """The desktop's side of a tray icon."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def showMessage(self, title: str, words: str) -> None:
        self.said.append((title, words))


def test_the_end_of_a_run_is_told_on_the_desktop_unless_the_window_is_in_front(
    studio: app.Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    icon, opened = Icon(), []
    monkeypatch.setattr(studio.tray, "icon", icon)
    monkeypatch.setattr(studio.window, "isActiveWindow", lambda: True)
    studio.tray.tell_end("Cart recovery", "The run is done.", lambda: opened.append("r1"))
    assert icon.said == []
    monkeypatch.setattr(studio.window, "isActiveWindow", lambda: False)
    studio.tray.tell_end("Cart recovery", "The run is done.", lambda: opened.append("r1"))
    assert icon.said == [("Cart recovery", "The run is done.")]
    studio.tray._open_told()
    assert opened == ["r1"]
    monkeypatch.setattr(studio.tray, "icon", None)
