"""Entry fields with a label, help and the error beside the field it concerns.

Absent on purpose: the form made from a node's parameters, which is the inspector's.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QLineEdit, QSpinBox, QVBoxLayout, QWidget

from studio.ui import icons
from studio.ui.theme import theme
from studio.ui.widgets.labels import Text

_GLASS = 15


class SearchField(QLineEdit):
    """A line to type a search into, with a magnifier and a cross that clears it."""

    def __init__(self, hint: str) -> None:
        super().__init__()
        self.setPlaceholderText(hint)
        self.setAccessibleName(hint)
        self.setProperty("kind", "search")
        self.setClearButtonEnabled(True)
        self._give_room()
        theme().changed.connect(self._give_room)

    def _give_room(self) -> None:
        self.setTextMargins(theme().px(_GLASS) + 8, 0, 0, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        # Not an action of the line: its icon would keep its size when the text grows.
        size = theme().px(_GLASS)
        icons.draw(QPainter(self), QPointF(8 + size / 2, self.height() / 2), "search", "text_muted", size)


class NumberField(QSpinBox):
    """A whole number with its arrows; `suffix` is the unit (“ days”)."""

    def __init__(self, value: int = 0, low: int = 0, high: int = 1_000_000, *, suffix: str = "") -> None:
        super().__init__()
        self.setRange(low, high)
        self.setValue(value)
        self.setSuffix(suffix)
        _indent(self)


class DecimalField(QDoubleSpinBox):
    """A number with decimals and its arrows."""

    def __init__(
        self, value: float = 0.0, low: float = 0.0, high: float = 1e6, *, decimals: int = 2, suffix: str = ""
    ) -> None:
        super().__init__()
        self.setDecimals(decimals)
        self.setRange(low, high)
        self.setValue(value)
        self.setSuffix(suffix)
        _indent(self)


def _indent(spin: QAbstractSpinBox) -> None:
    # The style sheet's padding does not reach the line edit inside a spin box.
    spin.lineEdit().setTextMargins(8, 0, 0, 0)


class Field(QWidget):
    """A control with its label above and its help or error below."""

    def __init__(self, label: str, control: QWidget, help_text: str = "") -> None:
        super().__init__()
        self.control = control
        self._help = help_text
        self._label = Text(label, "secondary", "secondary")
        self._below = Text(help_text, "caption", "muted")
        control.setAccessibleName(label)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        for widget in (self._label, control, self._below):
            box.addWidget(widget)
        self.setFocusProxy(control)
        self.label_for(control)
        self.set_error("")

    def label_for(self, control: QWidget) -> None:
        """Tells screen readers which control the label is about, when it is one inside the field's."""
        self._label.setBuddy(control)

    def set_error(self, error: str) -> None:
        """Shows what is wrong in place of the help; an empty text means all is well."""
        self._below.setText(error or self._help)
        self._below.set_tone("bad" if error else "muted")
        self._below.setVisible(bool(error or self._help))
        self.control.setAccessibleDescription(error or self._help)
        if self.control.property("invalid") is bool(error):
            return  # asking the style sheet again costs more than all the rest, and forms are checked often
        self.control.setProperty("invalid", bool(error))
        self.control.style().unpolish(self.control)
        self.control.style().polish(self.control)

    @property
    def error(self) -> str:
        return self._below.text() if self.control.property("invalid") else ""
