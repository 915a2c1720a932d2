"""The editor of an event's kind: a line that knows the kinds there are, and asks “did you mean” about others.

Absent on purpose: refusing; an event may be expected before the first of its kind has come.
"""

from __future__ import annotations

from pydantic import JsonValue
from PySide6.QtCore import QStringListModel, Qt
from PySide6.QtWidgets import QCompleter, QLineEdit, QVBoxLayout, QWidget

from studio.domain.spelling import nearest
from studio.ui.canvas.form_aid import FormAid
from studio.ui.canvas.form_editors import Editor
from studio.ui.canvas.form_schema import FieldSpec
from studio.ui.widgets import Text


class EventEditor(Editor):
    """One word, completed from the event log."""

    def __init__(self, field: FieldSpec, aid: FormAid) -> None:
        super().__init__(field)
        self._aid = aid
        self.line = QLineEdit()
        self.said = Text("", "caption", "caution")
        self.said.hide()
        self._names = QStringListModel(self)
        completer = QCompleter(self._names, self.line)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.activated.connect(lambda _text: self._edited())
        self.line.setCompleter(completer)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(3)
        box.addWidget(self.line)
        box.addWidget(self.said)
        self.setFocusProxy(self.line)
        self.line.installEventFilter(self)
        self.line.textEdited.connect(lambda _text: self._edited())
        aid.changed.connect(self._learn)
        self._learn()

    def inputs(self) -> list[QWidget]:
        return [self.line]

    def value(self) -> JsonValue:
        text = self.line.text()
        return None if not text and self.field.nullable else text

    def set_value(self, value: JsonValue) -> None:
        wanted = "" if value is None else str(value)
        if wanted != self.line.text():
            self.line.setText(wanted)
        self._doubt()

    def _edited(self) -> None:
        self._doubt()
        self.edited.emit()

    def _learn(self) -> None:
        self._names.setStringList(list(self._aid.vocabulary.events))
        self._doubt()

    def _doubt(self) -> None:
        text, known = self.line.text().strip(), tuple(self._aid.vocabulary.events)
        unknown = bool(text and known and text not in known)
        self.said.setText(f"No event “{text}” has come yet. {nearest(text, known)}".strip() if unknown else "")
        self.said.setVisible(unknown)
