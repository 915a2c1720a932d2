"""While the window rests its screens are made ready; somebody who types or moves is not disturbed."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QElapsedTimer, QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from studio.ui import ahead
from studio.ui.ahead import Ahead
from studio.ui.shell.pages import Page, PageSpec, PageStack


@pytest.fixture
def shown(qtbot: QtBot, installed: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[QWidget]:
    monkeypatch.setattr(ahead, "TICK_MS", 1)
    before = gc.get_threshold()
    window = QWidget()
    window.show()
    yield window
    window.close()
    window.deleteLater()
    ahead.loosen()
    gc.set_threshold(*before)


def test_everything_is_made_ready_in_its_order_while_nobody_does_anything(
    shown: QWidget, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "REST_MS", 0)
    done: list[str] = []
    making = Ahead(shown, [lambda: done.append("loaded")], [lambda: done.append("one"), lambda: done.append("two")])
    qtbot.waitUntil(lambda: making.is_done)
    assert done == ["loaded", "one", "two"]
    assert gc.get_freeze_count() > 0


def test_a_hand_on_the_mouse_puts_it_off(shown: QWidget, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    making = Ahead(shown, [], [lambda: done.append("one")])
    rested = making._rest
    assert isinstance(rested, QElapsedTimer)
    monkeypatch.setattr(making, "_is_loaded", True)
    moved = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(1, 1),
        QPointF(1, 1),
        Qt.MouseButton.NoButton,
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(shown.windowHandle(), moved)
    making._tick()
    assert done == []
    monkeypatch.setattr(ahead, "REST_MS", 0)
    making._tick()
    assert done == ["one"]


def test_a_screen_made_ready_is_the_one_that_opens_and_a_broken_one_says_so_only_then(qtbot: QtBot) -> None:
    built: list[str] = []

    def fine() -> Page:
        built.append("fine")
        return Page("Fine")

    def broken() -> Page:
        raise ValueError("no")

    stack = PageStack(
        [PageSpec(id="a", title="A", icon="house", build=fine), PageSpec(id="b", title="B", icon="house", build=broken)]
    )
    qtbot.addWidget(stack)
    stack.prepare("b")
    stack.prepare("a")
    stack.prepare("a")
    assert stack.current_id == ""
    assert stack.open("a").title == "Fine"
    assert built == ["fine"]
    assert "b" not in stack.built()
