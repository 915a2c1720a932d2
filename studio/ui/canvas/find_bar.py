"""Ctrl+F: type a word, and go from one step that has it to the next.

Absent on purpose: replacing; a setting is changed where it is seen.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QWidget

from studio.domain.workflow import Workflow
from studio.ui.canvas.accessible import announce
from studio.ui.canvas.finding import Hit, find
from studio.ui.canvas.view import CanvasView
from studio.ui.theme import theme
from studio.ui.tokens import RADIUS_CONTROL
from studio.ui.widgets import IconButton, SearchField, Text
from studio.ui.widgets.layout import row


class FindBar(QFrame):
    """Floats over the canvas. Enter goes on, Shift+Enter back; Escape closes and the keyboard is on what was found."""

    shown = Signal(bool)

    def __init__(self, view: CanvasView, parent: QWidget) -> None:
        super().__init__(parent)
        self._view = view
        self._hits: list[Hit] = []
        self._at = -1
        self.search = SearchField("Find in this workflow")
        self.told = Text("", "secondary", "muted", wrap=False)
        self.setLayout(
            row(
                self.search,
                self.told,
                IconButton("chevron-up", "Previous (Shift+Enter)", lambda: self.go(-1), size=16),
                IconButton("chevron-down", "Next (Enter)", lambda: self.go(1), size=16),
                IconButton("x", "Close (Escape)", self.close_bar, size=16),
                spacing=4,
                margins=(8, 6, 6, 6),
            )
        )
        self.layout().setStretch(0, 1)
        self.search.textChanged.connect(self._search)
        self.search.installEventFilter(self)
        view.editor.document.changed.connect(self._workflow_changed)
        self.hide()

    def open(self) -> None:
        """Shows it with the keyboard in it; what was looked for last is still there, selected."""
        self.show()
        self.raise_()
        self.shown.emit(True)
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()
        self._search()

    def close_bar(self) -> None:
        self.hide()
        self.shown.emit(False)
        self._view.setFocus()

    def go(self, step: int) -> None:
        """To the next of what was found, or the one before; from the last on to the first."""
        if self._hits:
            self._show((self._at + step) % len(self._hits))

    def _workflow_changed(self, _workflow: Workflow) -> None:
        if self.isVisible():
            self._search()

    def _search(self) -> None:
        editor = self._view.editor
        faces = {node_id: item.face for node_id, item in editor.scene.nodes.items()}
        before = self._hits[self._at] if 0 <= self._at < len(self._hits) else None
        self._hits = find(editor.workflow, faces, self.search.text())
        self._at = -1
        if self._hits:
            self._show(self._hits.index(before) if before in self._hits else 0)
        else:
            self.told.setText("nothing found" if self.search.text().strip() else "")

    def _show(self, number: int) -> None:
        self._at = number
        hit = self._hits[number]
        self.told.setText(f"{number + 1} of {len(self._hits)}")
        scene, selection = self._view.editor.scene, self._view.editor.selection
        if isinstance(hit, str):
            selection.set([hit])
            self._view.ensure_seen((hit,))
            announce(self, f"{scene.nodes[hit].face.title}, {number + 1} of {len(self._hits)}")
        else:
            selection.set(marks=[hit])
            self._view.ensure_area_seen((scene.notes if hit[0] == "note" else scene.groups)[hit[1]].body)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() == Qt.Key.Key_Escape:
                self.close_bar()
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.go(-1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
                return True
        return super().eventFilter(watched, event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme().colour("border"), 1))
        painter.setBrush(theme().colour("surface"))
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(frame, RADIUS_CONTROL, RADIUS_CONTROL)
