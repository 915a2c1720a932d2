"""The white rounded frame that groups what belongs together, and the figure cards of a dashboard's first line.

Absent on purpose: shadows; the border is the elevation.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QSizePolicy, QSpacerItem, QVBoxLayout, QWidget

from studio.ui.focus import paint_ring
from studio.ui.theme import theme
from studio.ui.tokens import RADIUS_CARD, Tone
from studio.ui.widgets.labels import SectionTitle, Text
from studio.ui.widgets.layout import STRETCH, Item, add, row


class Card(QFrame):
    """Fill it with `add`. With `clickable` the whole card is one target: `clicked` by mouse, Enter or Space."""

    clicked = Signal()

    def __init__(
        self,
        title: str = "",
        *trailing: QWidget,
        note: str = "",
        padding: int = 18,
        spacing: int = 8,
        highlighted: bool = False,
        clickable: bool = False,
        name: str = "",
    ) -> None:
        """`trailing` stands at the right of the title; `name` is for screen readers when there is no title."""
        super().__init__()
        self.setAccessibleName(name or title)
        self._highlighted = highlighted
        self._clickable = clickable
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(padding, padding - 2, padding, padding)
        self.body.setSpacing(spacing)
        self.title: SectionTitle | None = None
        if title or trailing:
            self.title = SectionTitle(title, *trailing, note=note)
            self.body.addWidget(self.title)
            self.body.addSpacing(max(0, 12 - spacing))
        # Takes the height left over, unless something was added with a stretch of its own.
        self.body.addSpacerItem(QSpacerItem(0, 0, QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Expanding))
        if clickable:
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self.setCursor(Qt.CursorShape.PointingHandCursor)
            self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def add(self, *items: Item, stretch: int = 0) -> None:
        """Adds below what is there; the arguments as for `layout.column`."""
        for item in items:
            add(self.body, item, stretch, before_last=True)

    def set_highlighted(self, highlighted: bool) -> None:
        self._highlighted = highlighted
        self.update()

    @property
    def highlighted(self) -> bool:
        return self._highlighted

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        hovered = self._clickable and self.underMouse()
        width = 1.5 if self._highlighted else 1.0
        edge = "accent" if self._highlighted else "control_border" if hovered else "border"
        painter.setPen(QPen(theme().colour(edge), width))
        painter.setBrush(theme().colour("surface"))
        inset = width / 2
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), RADIUS_CARD, RADIUS_CARD)
        paint_ring(painter, self, QRectF(self.rect()), RADIUS_CARD)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        inside = self.rect().contains(event.position().toPoint())
        if self._clickable and inside and event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit()
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._clickable and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit()
        else:
            super().keyPressEvent(event)


class Stat(QWidget):
    """A figure with its label, its change and what it is measured against; a sparkline may be added below."""

    def __init__(
        self,
        label: str,
        value: str,
        delta: str = "",
        *,
        delta_tone: Tone = "good",
        note: str = "",
        chart: QWidget | None = None,
    ) -> None:
        super().__init__()
        self._label = Text(label, "secondary", "muted")
        self._value = Text(value, "figure", wrap=False, tabular=True)
        self._delta = Text(delta, "secondary", delta_tone, wrap=False)
        self._note = Text(note, "secondary", "muted")
        figures = row(self._value, self._delta, STRETCH, spacing=5)
        figures.setAlignment(self._delta, Qt.AlignmentFlag.AlignBottom)
        self._delta.setContentsMargins(0, 0, 0, 4)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        box.addWidget(self._label)
        box.addLayout(figures)
        box.addWidget(self._note)
        if chart is not None:
            box.addWidget(chart)
        box.addStretch(1)
        self.set_figures(value, delta, delta_tone=delta_tone, note=note)

    def set_figures(self, value: str, delta: str = "", *, delta_tone: Tone = "good", note: str = "") -> None:
        self._value.setText(value)
        self._delta.setText(delta)
        self._delta.set_tone(delta_tone)
        self._delta.setVisible(bool(delta))
        self._note.setText(note)
        self._note.setVisible(bool(note))
        spoken = ", ".join(part for part in (self._label.text(), value, delta, note) if part)
        self.setAccessibleName(spoken)


class StatCard(Card):
    """A `Stat` in a card of its own."""

    def __init__(self, label: str, value: str, delta: str = "", *, delta_tone: Tone = "good", note: str = "") -> None:
        super().__init__(padding=14, name=label)
        self.stat = Stat(label, value, delta, delta_tone=delta_tone, note=note)
        self.add(self.stat)

    def set_figures(self, value: str, delta: str = "", *, delta_tone: Tone = "good", note: str = "") -> None:
        self.stat.set_figures(value, delta, delta_tone=delta_tone, note=note)
