"""The editor of rules and texts with fields in a form: completion, the wrong place, and a look at real people below.

Absent on purpose: judging; the node's model does that.
"""

from __future__ import annotations

from pydantic import JsonValue
from PySide6.QtCore import QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.ui.canvas.code_edit import CodeEdit, Language, height_for
from studio.ui.canvas.form_aid import FormAid, Trial
from studio.ui.canvas.form_editors import Editor
from studio.ui.canvas.form_schema import FieldSpec
from studio.ui.theme import theme
from studio.ui.widgets import Text

_TRY_MS = 300
_SAID_MAX = 240
_LINES_MIN, _LINES_MAX = 2, 8


class CodeEditor(Editor):
    """A rule, a formula, or a short text with fields. Below it stands whom it holds for, or how it reads."""

    def __init__(self, field: FieldSpec, aid: FormAid) -> None:
        super().__init__(field)
        self._aid = aid
        self.text = CodeEdit(_language(field), aid)
        self.text.setPlaceholderText("" if field.required or not field.default else str(field.default))
        self.said = Text("", "caption", "muted")
        self.said.hide()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(3)
        box.addWidget(self.text)
        box.addWidget(self.said)
        self.setFocusProxy(self.text)
        self._shown = ""
        self._asked = ""
        self._timer = QTimer(self, singleShot=True, interval=_TRY_MS)
        self._timer.timeout.connect(self._try)
        self.text.textChanged.connect(self._changed)
        self.text.left.connect(self.left)
        theme().changed.connect(self._grow)
        self._grow()

    def inputs(self) -> list[QWidget]:
        return [self.text]

    def value(self) -> JsonValue:
        text = self.text.toPlainText()
        return None if not text and self.field.nullable else text

    def set_value(self, value: JsonValue) -> None:
        wanted = "" if value is None else str(value)
        if wanted != self.text.toPlainText():
            self._shown = wanted
            self.text.setPlainText(wanted)
            self.text.underline()
            self._timer.start()
        self._grow()

    def _changed(self) -> None:
        self._grow()
        if self.text.toPlainText() != self._shown:
            self._shown = self.text.toPlainText()
            self.text.underline()
            self._timer.start()
            self.edited.emit()

    def _try(self) -> None:
        text, answers = self.text.toPlainText(), self._aid.answers
        self._asked = text
        if answers is None or not text.strip():
            self.said.hide()
        elif self.text.language == "message":
            # A long text is looked at in the message editor.
            if "{" in text and not self.field.long:
                answers.try_text(text, lambda trial: self._show(text, trial), self)
            else:
                self.said.hide()
        else:
            scope = "event" if self.text.language == "event_rule" else "contact"
            answers.try_rule(text, scope, lambda trial: self._show(text, trial), self)

    def _show(self, asked: str, trial: Trial) -> None:
        if asked != self._asked:
            return
        # What cannot be read is said by the field itself; here only what the model cannot know.
        lines = [trial.said, *trial.remarks]
        if trial.problem and self.text.language == "message":
            lines = [trial.problem]
        said = "\n".join(line if len(line) <= _SAID_MAX else f"{line[:_SAID_MAX]}…" for line in lines if line)
        self.said.setText(said)
        self.said.set_tone("caution" if trial.remarks or trial.problem else "muted")
        self.said.setVisible(bool(said))
        self.updateGeometry()
        self.text.setAccessibleDescription(said or self.field.help)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._grow()

    def _grow(self) -> None:
        least = 1 if self.text.language == "message" and not self.field.long else _LINES_MIN
        wanted = height_for(self.text.viewport(), self.text.toPlainText(), least, _LINES_MAX)
        # Words are broken where they end, so the lines may be more than their letters say.
        lines = min(_LINES_MAX, self.text.document().lineCount()) * self.text.fontMetrics().lineSpacing() + 24
        self.text.setFixedHeight(max(wanted, lines))


def _language(field: FieldSpec) -> Language:
    if field.kind == "template":
        return "message"
    return "event_rule" if field.widget == "event_rule" else "rule"
