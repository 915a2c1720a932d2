"""Every test of the window starts in the light look at 100 % text and leaves nothing in the background."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from studio.ui import background
from studio.ui.focus import KeyboardFocus
from studio.ui.theme import theme


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
