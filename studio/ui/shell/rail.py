"""The left rail: one entry for each part of the program, with its icon and its word.

Absent on purpose: collapsing; an icon without its word helps nobody.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QFrame, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from studio.ui import icons
from studio.ui.focus import paint_ring
from studio.ui.theme import theme

_RADIUS = 10
_SIDE = 4


@dataclass(frozen=True, slots=True)
class RailEntry:
    """`at_bottom` puts it below the free space."""

    id: str
    title: str
    icon: str
    at_bottom: bool = False


class RailButton(QAbstractButton):
    """An icon over its word; a count at its corner when something there needs the person."""

    def __init__(self, entry: RailEntry) -> None:
        super().__init__()
        self.entry = entry
        self._count = 0
        self.setCheckable(True)
        self.setText(entry.title)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._describe()
        theme().changed.connect(self.updateGeometry)

    def set_count(self, count: int) -> None:
        self._count = count
        self._describe()
        self.update()

    def _describe(self) -> None:
        self.setAccessibleName(f"{self.entry.title}, {self._count} need you" if self._count else self.entry.title)

    def _font(self) -> QFont:
        font = theme().font("caption")
        font.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, -0.15)
        if self.isChecked():
            font.setWeight(QFont.Weight.DemiBold)
        return font

    def sizeHint(self) -> QSize:
        bold = theme().font("caption")
        bold.setWeight(QFont.Weight.DemiBold)
        metrics = QFontMetrics(bold)
        return QSize(metrics.horizontalAdvance(self.text()) + 2, theme().px(20) + metrics.height() + 18)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        if self.isChecked() or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme().colour("accent_soft" if self.isChecked() else "hover"))
            painter.drawRoundedRect(area, _RADIUS, _RADIUS)
        ink = "accent_text" if self.isChecked() else "text_muted"
        size = theme().px(18)
        icons.draw(painter, QPointF(area.center().x(), 9 + size / 2), self.entry.icon, ink, size)
        painter.setFont(self._font())
        painter.setPen(theme().colour(ink))
        words = QRectF(0, 9 + size, area.width(), area.height() - size - 15)
        painter.drawText(words, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom, self.text())
        if self._count:
            self._paint_count(painter, area)
        paint_ring(painter, self, area, _RADIUS)

    def _paint_count(self, painter: QPainter, area: QRectF) -> None:
        font = theme().font("caption")
        font.setPixelSize(theme().px(10))
        font.setBold(True)
        text = str(self._count) if self._count < 100 else "99+"
        side = QFontMetrics(font).height() + 2
        width = max(side, QFontMetrics(font).horizontalAdvance(text) + 8)
        place = QRectF(area.center().x() + theme().px(4), 4, width, side)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().colour("state.failed"))
        painter.drawRoundedRect(place, side / 2, side / 2)
        painter.setFont(font)
        painter.setPen(theme().colour("on_state"))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)


class Rail(QScrollArea):
    """Exactly one entry is chosen. `chosen(id)` when the person picks one."""

    chosen = Signal(str)

    def __init__(self, entries: list[RailEntry]) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidgetResizable(True)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Parts of the program")
        self.buttons = {entry.id: RailButton(entry) for entry in entries}
        self._group = QButtonGroup(self)
        content = _RailGround()
        box = QVBoxLayout(content)
        box.setContentsMargins(_SIDE, 10, _SIDE + 1, 10)
        box.setSpacing(4)
        for button in self.buttons.values():
            self._group.addButton(button)
            button.clicked.connect(lambda _checked=False, entry=button.entry: self.chosen.emit(entry.id))
        for button in self.buttons.values():
            if not button.entry.at_bottom:
                box.addWidget(button)
        box.addStretch(1)
        for button in self.buttons.values():
            if button.entry.at_bottom:
                box.addWidget(button)
        self._content = content
        self.setWidget(content)

    def set_chosen(self, entry_id: str) -> None:
        """Shows an entry as chosen without announcing it. Raises KeyError for one there is not."""
        self.buttons[entry_id].setChecked(True)

    def set_count(self, entry_id: str, count: int) -> None:
        """How many things need the person there; 0 hides the number."""
        self.buttons[entry_id].set_count(count)

    def sizeHint(self) -> QSize:
        return QSize(max(72, self._content.sizeHint().width()), 400)

    def minimumSizeHint(self) -> QSize:
        return QSize(self.sizeHint().width(), 120)


class _RailGround(QWidget):
    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme().colour("surface"))
        painter.fillRect(self.width() - 1, 0, 1, self.height(), theme().colour("border"))
