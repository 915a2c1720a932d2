"""The program's mark, drawn: a rounded square with an F, for the top bar and the window's icon.

Absent on purpose: a bitmap file of it.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QLinearGradient, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from studio.ui.theme import theme
from studio.ui.tokens import BRAND

_ICON_SIZES = (16, 24, 32, 48, 64, 128, 256)


def paint_mark(painter: QPainter, area: QRectF) -> None:
    gradient = QLinearGradient(area.topLeft(), area.bottomRight())
    gradient.setColorAt(0, QColor(BRAND[0]))
    gradient.setColorAt(1, QColor(BRAND[1]))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(gradient)
    painter.drawRoundedRect(area, area.width() * 0.27, area.height() * 0.27)
    painter.setBrush(QColor("#ffffff"))
    # The F as three bars, so that it is the same with and without fonts.
    unit = area.width() / 28
    for left, top, width, height in ((10.2, 8.6, 2.7, 11), (10.2, 8.6, 8, 2.5), (10.2, 13.1, 6.8, 2.4)):
        bar = QRectF(left * unit, top * unit, width * unit, height * unit).translated(area.topLeft())
        painter.drawRoundedRect(bar, 0.4 * unit, 0.4 * unit)


def window_icon() -> QIcon:
    icon = QIcon()
    for size in _ICON_SIZES:
        pixmap = QPixmap(size, size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        paint_mark(painter, QRectF(0, 0, size, size))
        painter.end()
        icon.addPixmap(pixmap)
    return icon


class Mark(QWidget):
    """The mark as a widget of 28 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Flowlight Studio")
        theme().changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        side = theme().px(28)
        return QSize(side, side)

    def paintEvent(self, _event: QPaintEvent) -> None:
        side = theme().px(28)
        area = QRectF(0, 0, side, side)
        area.moveCenter(QPointF(self.width() / 2, self.height() / 2))
        paint_mark(QPainter(self), area)
