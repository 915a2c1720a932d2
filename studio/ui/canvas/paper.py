"""The paper under the graph: a colour with dots, laid in tiles so that it moves with the graph.

Absent on purpose: Qt's brush, which shares a large area out to threads and waits for them, however busy they are.
"""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QPainter, QPixmap

from studio.ui.canvas import look
from studio.ui.canvas.drawing import Drawing
from studio.ui.theme import theme

_TILE = 480
"""Least width of the picture the paper is tiled with, in pixels: the larger, the fewer copies."""
_STEP_LEAST = 14
_DOT = 0.9


class Paper:
    """Keeps the tile of the present zoom."""

    def __init__(self) -> None:
        self._made: tuple[int, QPixmap] | None = None

    def forget(self) -> None:
        """The theme has changed."""
        self._made = None

    def paint(self, painter: QPainter, areas: Iterable[QRect], origin: QPoint, drawing: Drawing) -> None:
        """Covers areas; the painter's units, theirs and the graph's `origin` are the screen's pixels."""
        step = look.GRID * drawing.zoom
        while step < _STEP_LEAST:
            step *= 2
        tile = self._tile(round(step * drawing.ratio), drawing.ratio)
        for area in areas:
            tile_over(painter, area, tile, origin)

    def _tile(self, step: int, ratio: float) -> QPixmap:
        if self._made is None or self._made[0] != step:
            width = step * -(-_TILE // step)
            self._made = step, _tiled(_tiled(_dot(step, ratio), width, step), width, width)
        return self._made[1]


def tile_over(painter: QPainter, area: QRect, tile: QPixmap, origin: QPoint) -> None:
    """Covers an area with copies of an opaque picture, one of which begins at `origin`."""
    width, height = tile.width(), tile.height()
    first, top, across_all, down_all = area.getRect()
    right, bottom = first + across_all, top + down_all
    begin_x, begin_y = origin.x(), origin.y()
    while top < bottom:
        down = (top - begin_y) % height
        high = min(height - down, bottom - top)
        left = first
        while left < right:
            across = (left - begin_x) % width
            wide = min(width - across, right - left)
            painter.drawPixmap(left, top, tile, across, down, wide, high)
            left += wide
        top += high


def _dot(step: int, ratio: float) -> QPixmap:
    dot = QPixmap(step, step)
    dot.fill(theme().colour("canvas"))
    painter = QPainter(dot)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme().colour("control_border", 0.35))
    painter.drawEllipse(QPointF(step / 2, step / 2), _DOT * ratio, _DOT * ratio)
    painter.end()
    return dot


def _tiled(tile: QPixmap, width: int, height: int) -> QPixmap:
    picture = QPixmap(width, height)
    painter = QPainter(picture)
    tile_over(painter, picture.rect(), tile, QPoint())
    painter.end()
    return picture
