"""Where the pills of the edges lie, so that the view can paint those in sight above the nodes.

A plain grid of cells: a pill is small, so it lies in one or two. Absent on purpose: graphics items, which would cost
more than the pills themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QTransform

from studio.ui.canvas import look
from studio.ui.canvas.drawing import Drawing, state_colour
from studio.ui.canvas.edges import EdgeItem, EdgeKey

_CELL = 256.0
_TOLD = frozenset({"running", "failed"})


class Pills:
    """The pills of all edges by place."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], dict[EdgeKey, EdgeItem]] = {}
        self._where: dict[EdgeKey, tuple[tuple[int, int], ...]] = {}

    def place(self, edge: EdgeItem) -> None:
        """Takes the edge's pill as it now is."""
        cells = tuple(_cells_of(edge.pill)) if not edge.pill.isEmpty() else ()
        if self._where.get(edge.key) == cells:
            return
        self.drop(edge.key)
        for cell in cells:
            self._cells.setdefault(cell, {})[edge.key] = edge
        self._where[edge.key] = cells

    def drop(self, key: EdgeKey) -> None:
        for cell in self._where.pop(key, ()):
            self._cells[cell].pop(key, None)

    def within(self, area: QRectF) -> list[EdgeItem]:
        """Edges whose pills touch an area, each once."""
        found: dict[EdgeKey, EdgeItem] = {}
        for cell in _cells_of(area):
            found.update(self._cells.get(cell, {}))
        return [edge for edge in found.values() if edge.pill.intersects(area)]

    def paint(self, painter: QPainter, areas: Iterable[QRectF], drawing: Drawing, view: QTransform) -> None:
        """Grounds and words of the pills that touch one of the areas.

        The painter's units are the screen's pixels; `view` leads from the scene to Qt's.
        """
        zoom, ratio, dx, dy = drawing.zoom, drawing.ratio, view.dx(), view.dy()
        for edge in {edge.key: edge for area in areas for edge in self.within(area)}.values():
            state = edge.status.state
            colour = "accent" if edge.selected else state_colour(state) if state in _TOLD else "border"
            # Whoever says the same looks the same.
            said = edge.label, edge.figure, colour, edge.pill.width()
            left, top, _width, _height = edge.pill.getRect()
            picture = drawing.kept(said)
            if picture is not None:
                painter.drawPixmap(round((left * zoom + dx) * ratio), round((top * zoom + dy) * ratio), picture)
            else:
                painter.setWorldTransform(view)
                drawing.draw_picture(painter, said, edge.pill, partial(_paint_pill, edge, colour, drawing))
                painter.setWorldTransform(drawing.to_pixels)


def _paint_pill(edge: EdgeItem, colour: str, drawing: Drawing, painter: QPainter) -> None:
    pixmap, source = drawing.pill(edge.pill.width(), colour)
    painter.drawPixmap(edge.pill, pixmap, source)
    painter.setFont(look.font("caption"))
    title, muted, plain, _bad = drawing.text_pens()
    corner = edge.pill.topLeft()
    for number, (place, text) in enumerate(edge.words()):
        is_label = bool(edge.label) and number == 0
        painter.setPen((muted if edge.figure else plain) if is_label else title)
        painter.drawText(corner + place, text)


def _cells_of(area: QRectF) -> Iterator[tuple[int, int]]:
    left, right = int(area.left() // _CELL), int(area.right() // _CELL)
    top, bottom = int(area.top() // _CELL), int(area.bottom() // _CELL)
    for column in range(left, right + 1):
        for line in range(top, bottom + 1):
            yield column, line
