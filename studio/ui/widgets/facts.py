"""What is known and how sure it is: name, value, confidence, evidence, in a compact list or as bars.

Absent on purpose: editing in place; a row offers a button, the screen decides what it opens.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from studio.ui.numbers import percent
from studio.ui.theme import theme
from studio.ui.tokens import Tone
from studio.ui.widgets.buttons import IconButton
from studio.ui.widgets.labels import Text
from studio.ui.widgets.layout import clear, row
from studio.ui.widgets.marks import Bar, confidence_colour


class Hairline(QWidget):
    """The thin line between rows."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), theme().colour("hairline"))


def confidence_tone(confidence: float) -> Tone:
    return "good" if confidence >= 0.8 else "caution"


class FactList(QWidget):
    """Name, value, confidence in three columns with hairlines. `correct(key)`: the person wants to change a fact."""

    correct = Signal(str)

    def __init__(self, *, correctable: bool = False) -> None:
        super().__init__()
        self._correctable = correctable
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(1, 1)

    def add(self, name: str, value: str, confidence: float | None = None, evidence: str = "", *, key: str = "") -> None:
        """`evidence` is the tooltip; `key` (default: the name) is what `correct` carries."""
        line = self._grid.rowCount()
        label, shown = Text(name, "secondary", "muted"), Text(value, "secondary")
        label.setMinimumWidth(theme().px(74))
        shown.setToolTip(evidence)
        shown.setAccessibleDescription(evidence)
        self._grid.addWidget(label, line, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(shown, line, 1, Qt.AlignmentFlag.AlignTop)
        if confidence is not None:
            sure = Text(percent(confidence), "secondary", confidence_tone(confidence), wrap=False, tabular=True)
            sure.setAccessibleName(f"{name}: {percent(confidence)} sure")
            self._grid.addWidget(sure, line, 2, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight)
        if self._correctable:
            button = IconButton("pencil", f"Correct {name.lower()}", lambda: self.correct.emit(key or name), size=13)
            self._grid.addWidget(button, line, 3, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(Hairline(), line + 1, 0, 1, 4 if self._correctable else 3)

    def clear(self) -> None:
        clear(self._grid)


class ParameterRow(QWidget):
    """A filled-in setting: name and value, a bar for how sure, and why. `edit` when the person wants to change it."""

    edit = Signal()

    def __init__(
        self, name: str, value: str, confidence: float | None, evidence: str = "", *, editable: bool = False
    ) -> None:
        super().__init__()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(5)
        shown = Text(value, "strong", align=Qt.AlignmentFlag.AlignRight)
        head = row(Text(name, "secondary", "muted"), shown)
        head.setStretch(1, 1)
        if editable:
            head.addWidget(IconButton("pencil", f"Change {name.lower()}", self.edit.emit, size=13))
        box.addLayout(head)
        if confidence is not None:
            bar = Bar(confidence, confidence_colour(confidence), name=f"{name}: how sure")
            box.addLayout(
                row(bar, Text(percent(confidence), "secondary", "muted", wrap=False, tabular=True), spacing=12)
            )
        if evidence:
            box.addWidget(Text(evidence, "caption", "muted"))
        box.addSpacing(2)
        box.addWidget(Hairline())
