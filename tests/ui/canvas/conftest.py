"""The parts of the canvas put together around the cart recovery workflow."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.domain.validation import Catalogue
from studio.nodes import catalogue
from studio.ui.canvas.document import Document
from studio.ui.canvas.editor import CanvasEditor
from studio.ui.canvas.page import CanvasPage
from studio.ui.canvas.scene import CanvasScene
from studio.ui.canvas.selection import Selection
from studio.ui.canvas.view import CanvasView
from tests.ui.canvas import cart_recovery


@pytest.fixture(scope="session")
def types() -> Catalogue:
    return catalogue()


@pytest.fixture
def editor(types: Catalogue, look: None) -> CanvasEditor:
    selection = Selection()
    document = Document(cart_recovery.workflow(), types)
    scene = CanvasScene(types, selection)
    scene.sync(document.workflow)
    document.changed.connect(scene.sync)
    made = CanvasEditor(document, selection, scene)
    made.tidy()
    document.stack.clear()
    return made


@pytest.fixture
def view(editor: CanvasEditor, qtbot: QtBot) -> Iterator[CanvasView]:
    made = CanvasView(editor)
    made.resize(1200, 700)
    made.show()
    qtbot.waitExposed(made)
    made.show_start()
    yield made
    made.close()
    made.deleteLater()


@pytest.fixture(scope="module")
def shown_page(types: Catalogue, installed: QApplication) -> Iterator[CanvasPage]:
    """One page a module: building it costs more than most tests."""
    made = CanvasPage(types)
    made.resize(1300, 800)
    made.show()
    yield made
    made.close()
    made.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def page(shown_page: CanvasPage, types: Catalogue, look: None, qtbot: QtBot) -> CanvasPage:
    """The page as when it is opened, with the cart recovery workflow."""
    shown_page.stage.picker.close_picker()
    shown_page.stage.tools.outline.setChecked(False)
    shown_page.inspector.open_tab("Settings")
    shown_page.timeline.tabs.setCurrentIndex(0)
    shown_page.palette_panel.search.clear()
    shown_page.set_clock("max")
    shown_page.resize(1300, 800)
    shown_page.set_workflow(cart_recovery.workflow(), types)
    qtbot.waitExposed(shown_page)
    return shown_page
