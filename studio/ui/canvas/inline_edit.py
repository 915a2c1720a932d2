"""Writing into a sticky note or a group's title where it stands on the canvas.

Absent on purpose: formatting; a note is plain text.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QPlainTextEdit, QWidget

from studio.ui.canvas.annotations import MarkKey
from studio.ui.canvas.view import CanvasView
from studio.ui.faults import guarded
from studio.ui.theme import theme

_LEAST = QSize(180, 90)


class InlineEdit(QObject):
    """One editor at a time. Leaving it or Ctrl+Enter (Enter in a title) takes what was written, Escape drops it."""

    def __init__(self, view: CanvasView) -> None:
        super().__init__(view)
        self._view = view
        self._key: MarkKey | None = None
        self.editor: QLineEdit | QPlainTextEdit | None = None
        view.moved.connect(self._follow)

    def open(self, key: MarkKey) -> None:
        """Puts the keyboard into a note or a title, all of it selected."""
        if self._view.editor.read_only:
            return
        self.close(take=True)
        self._key = key
        workflow, (kind, index) = self._view.editor.workflow, key
        if kind == "note":
            made: QLineEdit | QPlainTextEdit = QPlainTextEdit(workflow.notes[index].text, self._view.viewport())
            made.setFrameShape(QFrame.Shape.NoFrame)
            made.setAccessibleName("Text of the note")
            self._view.editor.scene.notes[index].set_editing(editing=True)
        else:
            made = QLineEdit(workflow.groups[index].title, self._view.viewport())
            made.setAccessibleName("Title of the group")
        made.installEventFilter(self)
        self.editor = made
        self._follow()
        made.show()
        made.setFocus(Qt.FocusReason.OtherFocusReason)
        made.selectAll()

    def close(self, *, take: bool) -> None:
        """Ends writing; `take`: with effect."""
        made, key = self.editor, self._key
        if made is None or key is None:
            return
        self.editor = self._key = None
        text = made.toPlainText() if isinstance(made, QPlainTextEdit) else made.text()
        made.removeEventFilter(self)
        if made.hasFocus():
            # Hidden with the keyboard in it, Qt would send the keyboard on as by Tab: to another step.
            self._view.setFocus()
        made.hide()
        made.deleteLater()
        kind, index = key
        if kind == "note" and index < len(self._view.editor.scene.notes):
            self._view.editor.scene.notes[index].set_editing(editing=False)
        if take:
            guarded(self._write)(key, text)

    def _write(self, key: MarkKey, text: str) -> None:
        document, (kind, index) = self._view.editor.document, key
        counts = {"note": len(document.workflow.notes), "group": len(document.workflow.groups)}
        if index >= counts[kind]:
            return
        if kind == "note":
            document.set_note_text(index, text)
        elif text.strip():
            document.set_group(index, title=text.strip())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not vars(self):  # Python is taking a closed window apart; on 3.11 an error here would end the program
            return False
        if watched is not self.editor:
            return False
        if event.type() == QEvent.Type.FocusOut:
            self.close(take=True)
        elif isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._key_pressed(event)
        return False

    def _key_pressed(self, event: QKeyEvent) -> bool:
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        with_control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if event.key() == Qt.Key.Key_Escape:
            self.close(take=False)
        elif is_enter and (with_control or isinstance(self.editor, QLineEdit)):
            self.close(take=True)
        else:
            return False
        return True

    def _follow(self) -> None:
        if self.editor is None or self._key is None:
            return
        kind, index = self._key
        scene = self._view.editor.scene
        area = scene.notes[index].body if kind == "note" else scene.groups[index].title_bar
        _lay_over(self.editor, QRectF(self._view.mapFromScene(area).boundingRect()), is_note=kind == "note")


def _lay_over(editor: QWidget, area: QRectF, *, is_note: bool) -> None:
    """Where the thing is on screen, but large enough to write in at any zoom."""
    least = _LEAST * theme().text_scale if is_note else QSize(theme().px(180), theme().px(32))
    size = area.toRect().size().expandedTo(least)
    editor.setGeometry(area.toRect().x(), area.toRect().y(), size.width(), size.height())
