"""One editor per kind of setting. They take and give values as they stand in the workflow file.

An entry that cannot be read is given as the text it is; the node's model then says what is wrong with it. Absent on
purpose: labels, help and messages, which the form puts around an editor.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from pydantic import JsonValue
from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QFileDialog, QLineEdit, QPlainTextEdit, QWidget

from studio.domain.duration import format_duration, parse_duration
from studio.ui.canvas.form_schema import FieldSpec
from studio.ui.theme import theme
from studio.ui.widgets import IconButton, Text
from studio.ui.widgets.layout import row
from studio.ui.widgets.reflow import FlowLayout

_UNITS = {"minutes": 60, "hours": 3_600, "days": 86_400, "weeks": 604_800, "seconds": 1}


class Editor(QWidget):
    """`edited` after each change by the person, `left` when the keyboard goes elsewhere."""

    edited = Signal()
    left = Signal()

    def __init__(self, field: FieldSpec) -> None:
        super().__init__()
        self.field = field

    def value(self) -> JsonValue:
        raise NotImplementedError

    def set_value(self, value: JsonValue) -> None:
        """Shows a value without announcing it."""
        raise NotImplementedError

    def inputs(self) -> list[QWidget]:
        """The controls that take the keyboard, to be marked when what they hold is wrong."""
        return []

    def mark(self, *, wrong: bool) -> None:
        """Shows by the border whether what is entered is wrong."""
        for control in self.inputs():
            if bool(control.property("invalid")) != wrong:
                control.setProperty("invalid", wrong)
                control.style().unpolish(control)
                control.style().polish(control)

    def hold(self, *widgets: QWidget, stretch: int = 0) -> None:
        """Lays the controls out in a row; the one at `stretch` takes the room."""
        box = row(*widgets, spacing=6)
        box.setStretch(stretch, 1)
        self.setLayout(box)
        self.setFocusProxy(widgets[0])
        for widget in self.inputs():
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QFocusEvent) and event.type() == QEvent.Type.FocusOut:
            self.left.emit()
        # A wheel over a field shall scroll the form, not change the setting.
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QComboBox) and not watched.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)


class LineEditor(Editor):
    """One line: text, numbers, times of day, and what may be text or number."""

    def __init__(self, field: FieldSpec) -> None:
        super().__init__(field)
        self.line = QLineEdit()
        self.line.setPlaceholderText(_placeholder(field))
        self.line.textEdited.connect(lambda _text: self.edited.emit())
        self.hold(*self._parts())

    def _parts(self) -> list[QWidget]:
        unit = "%" if self.field.kind == "rate" else self.field.unit
        return [self.line, Text(unit, "body", "muted", wrap=False)] if unit else [self.line]

    def inputs(self) -> list[QWidget]:
        return [self.line]

    def value(self) -> JsonValue:
        return _READ.get(self.field.kind, _read_text)(self.line.text(), self.field)

    def set_value(self, value: JsonValue) -> None:
        if self.value() != value:
            self.line.setText(_written(value, self.field))
            self.line.setCursorPosition(0)


class FileEditor(LineEditor):
    """A file: its path, and a button that looks for it."""

    def _parts(self) -> list[QWidget]:
        return [self.line, IconButton("folder-open", f"Choose a file for {self.field.title.lower()}", self._choose)]

    def _choose(self) -> None:
        chosen, _kind = QFileDialog.getOpenFileName(self, f"Choose: {self.field.title}", self.line.text())
        if chosen:
            self.line.setText(chosen)
            self.edited.emit()


class CheckEditor(Editor):
    """Yes or no."""

    def __init__(self, field: FieldSpec) -> None:
        super().__init__(field)
        self.box = QCheckBox(field.title)
        self.box.toggled.connect(lambda _on: self.edited.emit())
        self.hold(self.box)

    def inputs(self) -> list[QWidget]:
        return [self.box]

    def value(self) -> JsonValue:
        return self.box.isChecked()

    def set_value(self, value: JsonValue) -> None:
        self.box.blockSignals(True)
        self.box.setChecked(bool(value))
        self.box.blockSignals(False)


def _in_words(choice: str, field: FieldSpec) -> str:
    words = field.words.get(choice) or choice.replace("_", " ")
    return words[:1].upper() + words[1:]


class ChoiceEditor(Editor):
    """One of a few words."""

    def __init__(self, field: FieldSpec) -> None:
        super().__init__(field)
        self.combo = QComboBox()
        # Long words must not make the form wider than its panel.
        self.combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.combo.setMinimumContentsLength(8)
        if field.nullable:
            self.combo.addItem("Not set", None)
        for choice in field.choices:
            self.combo.addItem(_in_words(choice, field), choice)
        self.combo.activated.connect(lambda _index: self.edited.emit())
        self.hold(self.combo)

    def inputs(self) -> list[QWidget]:
        return [self.combo]

    def value(self) -> JsonValue:
        return self.combo.currentData()

    def set_value(self, value: JsonValue) -> None:
        place = self.combo.findData(value)
        if place < 0 and value is not None:
            # A value the type does not know stays visible, with its message, until another is chosen.
            self.combo.addItem(str(value), value)
            place = self.combo.count() - 1
        self.combo.setCurrentIndex(place)


class ChoicesEditor(Editor):
    """Any number of a few words, each with a box to tick; in the order they are declared."""

    def __init__(self, field: FieldSpec) -> None:
        super().__init__(field)
        self.boxes = {choice: QCheckBox(_in_words(choice, field)) for choice in field.choices}
        layout = FlowLayout(10)
        for box in self.boxes.values():
            box.toggled.connect(lambda _on: self.edited.emit())
            box.installEventFilter(self)
            layout.addWidget(box)
        self.setLayout(layout)
        self.setFocusProxy(next(iter(self.boxes.values())))

    def inputs(self) -> list[QWidget]:
        return []

    def value(self) -> JsonValue:
        return [choice for choice, box in self.boxes.items() if box.isChecked()]

    def set_value(self, value: JsonValue) -> None:
        chosen = value if isinstance(value, list) else []
        for choice, box in self.boxes.items():
            box.blockSignals(True)
            box.setChecked(choice in chosen)
            box.blockSignals(False)


class TextsEditor(Editor):
    """Several texts, one a line."""

    def __init__(self, field: FieldSpec) -> None:
        super().__init__(field)
        self.text = QPlainTextEdit()
        self.text.setTabChangesFocus(True)
        self.text.setPlaceholderText("one a line")
        self.text.setFixedHeight(theme().px(76))
        self._shown: list[JsonValue] = []
        self.text.textChanged.connect(self._changed)
        self.hold(self.text)

    def inputs(self) -> list[QWidget]:
        return [self.text]

    def value(self) -> JsonValue:
        return [line.strip() for line in self.text.toPlainText().splitlines() if line.strip()]

    def set_value(self, value: JsonValue) -> None:
        wanted = value if isinstance(value, list) else []
        if wanted != self.value():
            self._shown = list(wanted)
            self.text.setPlainText("\n".join(str(entry) for entry in wanted))

    def _changed(self) -> None:
        now = self.value()
        assert isinstance(now, list)
        if now != self._shown:
            self._shown = now
            self.edited.emit()


class DurationEditor(Editor):
    """A number and a unit; what they say together is an ISO 8601 duration in the file."""

    def __init__(self, field: FieldSpec) -> None:
        super().__init__(field)
        self.line = QLineEdit()
        self.line.setMaximumWidth(theme().px(90))
        self.unit = QComboBox()
        for name in _UNITS:
            self.unit.addItem(name, name)
        self.unit.setAccessibleName(f"{field.title}: unit")
        self.line.textEdited.connect(lambda _text: self.edited.emit())
        self.unit.activated.connect(lambda _index: self.edited.emit())
        self.hold(self.line, self.unit, stretch=1)

    def inputs(self) -> list[QWidget]:
        return [self.line, self.unit]

    def value(self) -> JsonValue:
        text = self.line.text().strip()
        if not text:
            return None if self.field.nullable else ""
        try:
            seconds = float(text.replace(",", ".")) * _UNITS[self.unit.currentData()]
            return format_duration(timedelta(seconds=seconds))
        except (ValueError, OverflowError):
            return text

    def set_value(self, value: JsonValue) -> None:
        if self.value() == value:
            return
        try:
            seconds = parse_duration(str(value)).total_seconds()
        except ValueError:
            self.line.setText("" if value is None else str(value))
            return
        # Nothing at all is shown in days: that is the unit one most likely goes on with.
        fitting = [name for name in ("weeks", "days", "hours", "minutes") if seconds % _UNITS[name] == 0]
        name = "days" if not seconds or seconds == _UNITS["weeks"] else fitting[0] if fitting else "seconds"
        self.unit.setCurrentIndex(self.unit.findData(name))
        self.line.setText(f"{seconds / _UNITS[name]:.12g}")


def _placeholder(field: FieldSpec) -> str:
    if field.kind == "time":
        return "09:00"
    return "" if field.required or field.default in (None, "") else _written(field.default, field)


def _written(value: JsonValue, field: FieldSpec) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if field.kind == "rate" and isinstance(value, int | float):
        return f"{value * 100:.10g}"
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _read_text(text: str, field: FieldSpec) -> JsonValue:
    return None if not text and field.nullable else text


def _read_number(text: str, field: FieldSpec) -> JsonValue:
    bare = text.strip().replace(",", "." if field.kind != "integer" else "")
    if not bare:
        return None
    try:
        return int(bare) if field.kind == "integer" else float(bare)
    except ValueError:
        return text


def _read_rate(text: str, field: FieldSpec) -> JsonValue:
    found = _read_number(text.rstrip(" %"), field)
    # Ten digits are more than anybody types; without the rounding 7 % would become 0.07000000000000001.
    return round(found / 100, 12) if isinstance(found, int | float) else found


def _read_any(text: str, field: FieldSpec) -> JsonValue:
    if text in ("true", "false"):
        return text == "true"
    found = _read_number(text, field)
    if isinstance(found, float) and found.is_integer() and "." not in text:
        return int(found)
    if not text:
        return None if field.nullable else field.default
    return found


_READ: dict[str, Callable[[str, FieldSpec], JsonValue]] = {
    "integer": _read_number,
    "number": _read_number,
    "rate": _read_rate,
    "any": _read_any,
}


_OF_KIND: dict[str, type[Editor]] = {
    "boolean": CheckEditor,
    "choice": ChoiceEditor,
    "choices": ChoicesEditor,
    "texts": TextsEditor,
    "duration": DurationEditor,
}


def make_plain_editor(field: FieldSpec) -> Editor:
    """The editor for a setting that is neither a list nor written in a language (`form_kinds.py`)."""
    if field.kind in _OF_KIND:
        return _OF_KIND[field.kind](field)
    return FileEditor(field) if field.widget == "file" else LineEditor(field)
