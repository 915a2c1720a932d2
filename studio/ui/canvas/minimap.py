"""The whole graph in a corner, with the part in sight framed; a click or drag goes there.

Absent on purpose: zooming; it only says where one is.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from studio.ui.canvas.view import CanvasView
from studio.ui.theme import theme
from studio.ui.tokens import RADIUS_CARD

_WIDTH, _WIDTH_MAX = 150, 200
_HEIGHT_MIN, _HEIGHT_MAX = 48, 92
_HEIGHT_STEP = 4
_PAD = 9.0
_REDRAW_MS = 100


class Minimap(QWidget):
    """Redrawn at most ten times a second, however often the graph changes. A long graph has a low and wide one, which
    covers less; `resized` when it has taken another shape.
    """

    resized = Signal()

    def __init__(self, view: CanvasView) -> None:
        super().__init__()
        self._view = view
        self._picture: QPixmap | None = None
        self._area = QRectF()
        self._edition = -1
        """Of the graph that was drawn last."""
        self.setFixedSize(_WIDTH, _HEIGHT_MAX)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip("Overview: click to go there")
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REDRAW_MS)
        self._timer.timeout.connect(self._redraw)
        view.editor.scene.picture_changed.connect(self._changed)
        view.moved.connect(self.update)
        theme().changed.connect(self._redraw)

    def _changed(self) -> None:
        # While a run goes on mostly figures change, which it does not show.
        if self._edition != self._view.editor.scene.far.edition and not self._timer.isActive():
            self._timer.start()

    def _redraw(self) -> None:
        self._picture = None
        self._area = self._whole()
        size = shape_for(self._area)
        if size != self.size():
            self.setFixedSize(size)
            self.resized.emit()
        self.update()

    def _whole(self) -> QRectF:
        bounds = self._view.editor.scene.far.bounds()
        return bounds.adjusted(-60, -60, 60, 60) if not bounds.isEmpty() else QRectF(-200, -120, 400, 240)

    def _scale(self) -> float:
        room = QRectF(self.rect()).adjusted(_PAD, _PAD, -_PAD, -_PAD)
        return min(room.width() / max(1.0, self._area.width()), room.height() / max(1.0, self._area.height()))

    def _to_map(self, area: QRectF) -> QRectF:
        scale = self._scale()
        middle = QPointF(self.rect().center())
        corner = (area.topLeft() - self._area.center()) * scale + middle
        return QRectF(corner.x(), corner.y(), area.width() * scale, area.height() * scale)

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._picture is None:
            self._picture = self._draw()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme().colour("border"), 1))
        painter.setBrush(theme().colour("surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS_CARD, RADIUS_CARD)
        painter.drawPixmap(0, 0, self._picture)
        seen = self._to_map(self._view.seen()).intersected(QRectF(self.rect()).adjusted(4, 4, -4, -4))
        painter.setPen(QPen(theme().colour("accent"), 1.5))
        painter.setBrush(theme().colour("accent", 0.06))
        painter.drawRoundedRect(seen, 2, 2)

    def _draw(self) -> QPixmap:
        self._edition = self._view.editor.scene.far.edition
        self._area = self._whole()
        ratio = self.devicePixelRatioF()
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(self.rect().center())
        painter.scale(self._scale(), self._scale())
        painter.translate(-self._area.center())
        self._view.editor.scene.far.paint(painter)
        painter.end()
        return picture

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._go(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go(event.position())

    def _go(self, place: QPointF) -> None:
        self._view.centre_on((place - QPointF(self.rect().center())) / self._scale() + self._area.center())


def shape_for(area: QRectF) -> QSize:
    """As wide as a long graph needs to be told apart, as high as its own shape asks for."""
    slope = area.height() / max(1.0, area.width())
    height = (_WIDTH_MAX - 2 * _PAD) * slope + 2 * _PAD
    height = min(_HEIGHT_MAX, max(_HEIGHT_MIN, _HEIGHT_STEP * round(height / _HEIGHT_STEP)))
    return QSize(_WIDTH_MAX if height < _HEIGHT_MAX else _WIDTH, height)
