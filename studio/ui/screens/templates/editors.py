"""The control to change one setting of a template with, by its type; what is typed is handed on as text.

Absent on purpose: checking; filling the template in says in words what does not fit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QColorDialog, QComboBox, QLineEdit, QWidget

from studio.domain.template import FilledParameter, TemplateParameter
from studio.ui import numbers
from studio.ui import widgets as w
from studio.ui.screens.values import choice_words, setting_words


@dataclass(frozen=True, slots=True)
class Control:
    """A widget and the text it stands for."""

    widget: QWidget
    text: Callable[[], str]


class SettingEditor(QWidget):
    """Takes the place of a setting's row. `saved(name, text)`, `closed` without a change."""

    saved = Signal(str, str)
    closed = Signal()

    def __init__(self, parameter: TemplateParameter, filled: FilledParameter) -> None:
        super().__init__()
        self._name = parameter.name
        self.control = make_control(parameter, filled)
        self.field = w.Field(parameter.title["en"], self.control.widget, _help(parameter))
        self._before = self.control.text()
        save = w.PrimaryButton("Save", self._save)
        if isinstance(self.control.widget, QLineEdit):
            self.control.widget.returnPressed.connect(save.click)
        buttons = w.flowing(save, w.SecondaryButton("Cancel", self.closed.emit))
        self.setLayout(w.column(self.field, buttons, w.Hairline(), spacing=8))

    def show_error(self, words: str) -> None:
        """What is wrong with the value, below it."""
        self.field.set_error(words)
        self.control.widget.setFocus()

    def _save(self) -> None:
        if self.control.text() == self._before:
            self.closed.emit()
        else:
            self.saved.emit(self._name, self.control.text())


def make_control(parameter: TemplateParameter, filled: FilledParameter) -> Control:
    """The control for a setting, holding its present value."""
    if parameter.type == "boolean":
        return _combo({"yes": "Yes", "no": "No"}, "yes" if filled.value else "no")
    if parameter.type == "choice":
        return _combo({name: choice_words(parameter, name) for name in parameter.choices}, str(filled.value))
    if parameter.type == "rate":
        return _percent(parameter, filled)
    if parameter.type == "integer":
        return _whole(parameter, filled)
    line = QLineEdit(setting_words(parameter, filled.value).replace(numbers.NBSP, " "))
    line.selectAll()
    return Control(_with_picker(line), line.text) if parameter.type == "colour" else Control(line, line.text)


def _help(parameter: TemplateParameter) -> str:
    examples = {
        "duration": "Write it like 23 hours or 2 days.",
        "money": "Write it like 0.01 EUR.",
        "time": "Write it like 09:00.",
    }
    return " ".join(part for part in (parameter.help["en"], examples.get(parameter.type, "")) if part)


def _combo(choices: dict[str, str], value: str) -> Control:
    box = QComboBox()
    for key, words in choices.items():
        box.addItem(words, key)
    box.setCurrentIndex(max(0, box.findData(value)))
    return Control(box, lambda: str(box.currentData()))


def _percent(parameter: TemplateParameter, filled: FilledParameter) -> Control:
    low, high = parameter.minimum or 0.0, 1.0 if parameter.maximum is None else parameter.maximum
    share = filled.value if isinstance(filled.value, (int, float)) else low
    box = w.DecimalField(100 * share, 100 * low, 100 * high, decimals=1, suffix=f"{numbers.NBSP}%")
    return Control(box, lambda: f"{box.value():g} %")


def _whole(parameter: TemplateParameter, filled: FilledParameter) -> Control:
    low = int(parameter.minimum) if parameter.minimum is not None else 0
    high = int(parameter.maximum) if parameter.maximum is not None else 1_000_000
    value = int(filled.value) if isinstance(filled.value, (int, float)) else low
    suffix = f"{numbers.NBSP}{parameter.unit}" if parameter.unit else ""
    box = w.NumberField(value, low, high, suffix=suffix)
    return Control(box, lambda: str(box.value()))


def _with_picker(line: QLineEdit) -> QWidget:
    def pick() -> None:
        chosen = QColorDialog.getColor(QColor(line.text()), line, "Choose a colour")
        if chosen.isValid():
            line.setText(chosen.name())

    holder = w.panel(w.row(line, w.IconButton("palette", "Choose a colour", pick, size=16)))
    holder.setFocusProxy(line)
    return holder
