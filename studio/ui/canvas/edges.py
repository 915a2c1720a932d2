"""An edge on the canvas: a curve from an output to an input, and the place of the pill that stands on it.

Absent on purpose: painting the pills; they lie above the nodes, so the view paints them (`pills.py`).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TypeAlias

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QPainter, QPainterPath, QPen, QPixmap
from PySide6.QtWidgets import QGraphicsPathItem, QStyleOptionGraphicsItem, QWidget

from studio.domain.workflow import Edge, PortRef
from studio.ui.canvas import look
from studio.ui.canvas.drawing import PILL_HEIGHT, Drawing, pill_label_width, pill_width, state_colour
from studio.ui.canvas.items import NodeItem
from studio.ui.canvas.lanes import TURN
from studio.ui.canvas.marks import Mark
from studio.ui.canvas.status import NO_EDGE_STATUS, EdgeStatus
from studio.ui.numbers import compact, count

EdgeKey: TypeAlias = tuple[PortRef, PortRef]
Curve: TypeAlias = tuple[QPointF, QPointF, QPointF, QPointF]
Way: TypeAlias = list[QPointF]
"""Corners, from the output to the input."""

_CURVE_SAMPLES = 24
_BEND = 1 / 6
_EXACT_UP_TO = 99_999
_LABEL_WIDTH = 120.0
_TOUCH = 2.0
"""How far the rims of two pills may lie on each other."""
_PARTINGS, _PARTING = 11, 0.08
_PILL_GAP = 8.0
"""Between an output and its pill."""
_NO_BRUSH = QBrush()


class EdgeItem(QGraphicsPathItem):
    """An edge from an output to an input, with the place of its pill."""

    def __init__(self, edge: Edge, source: NodeItem, target: NodeItem, drawing: Drawing) -> None:
        super().__init__()
        self.edge = edge
        self.key: EdgeKey = edge.from_, edge.to
        self.source = source
        self.target = target
        self.selected = False
        self._mark: Mark | None = None
        self._ahead = 0.0
        """How far the pill gives way to others, in parts of the edge from its place to the end."""
        self.status: EdgeStatus = NO_EDGE_STATUS
        self.label = ""
        self.figure = ""
        self._words: tuple[tuple[QPointF, str], ...] | None = None
        self.line = QLineF()
        self.way: Way = []
        """Its corners: straight on, or along its lane."""
        self.pill = QRectF()
        self.lane: float | None = None
        """The height it runs at where steps stand in the direct way."""
        self._straight = False
        self.room = QRectF()
        """What it is painted within, without the pill, in the scene."""
        self._corner = 0.0, 0.0
        self._drawing = drawing
        self._curves: tuple[Curve, ...] = ((QPointF(), QPointF(), QPointF(), QPointF()),)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        # The path item's own pen decides the rectangle that is painted anew: as wide as the widest edge drawn.
        self.setPen(QPen(Qt.GlobalColor.black, 6))

    def set_status(self, status: EdgeStatus) -> bool:
        """Takes the run's figures; the caller has it painted. True when the curve looks different."""
        is_new = status.state != self.status.state or status.moving != self.status.moving
        if is_new:
            self._drawing.drop_picture(self)
        self.status = status
        passed = status.count
        figure = "" if passed is None else count(passed) if passed <= _EXACT_UP_TO else compact(passed)
        if figure != self.figure:
            self.figure = figure
            self._words = None
            # A figure as wide as the one before stands where that stood.
            if not figure or pill_width(self.label, figure) != self.pill.width():
                self._place_pill()
        return is_new

    def show_anew(self) -> None:
        self._drawing.drop_picture(self)
        self.update()

    def set_selected(self, *, selected: bool) -> None:
        self.selected = selected
        # Above its neighbours, so that all of it can be seen.
        self.setZValue(0.5 if selected or self._mark is not None else 0)
        self.show_anew()

    def set_mark(self, mark: Mark | None) -> None:
        """Drawn in the mark's colour, above its neighbours, while there is one."""
        if self._mark != mark:
            self._mark = mark
            self.setZValue(0.5 if self.selected or mark is not None else 0)
            self.show_anew()

    def set_label(self, label: str) -> None:
        self.label = look.elided(label, _LABEL_WIDTH, "caption")
        self._words = None
        self._place_pill()

    def follow(self) -> None:
        """Takes the places of its two nodes."""
        start = self.source.output_point(self.edge.from_[1])
        end = self.target.input_point(self.edge.to[1])
        self.line = QLineF(start, end)
        self.way = self._corners(start, end)
        self._straight = self.lane is None and abs(start.y() - end.y()) < 0.5 and end.x() > start.x()
        self._curves = (curve_between(start, end),) if self.lane is None else curves_along(start, self.lane, end)
        path = QPainterPath(start)
        if self._straight:
            path.lineTo(end)
        else:
            for curve in self._curves:
                path.lineTo(curve[0])
                path.cubicTo(*curve[1:])
        self.setPath(path)
        self.room = self.boundingRect()
        self._corner = self.room.x(), self.room.y()
        self._drawing.drop_picture(self)
        self._place_pill()

    def _corners(self, start: QPointF, end: QPointF) -> Way:
        if self.lane is None:
            return [start, end]
        turn = min(TURN, (end.x() - start.x()) / 2)
        return [start, QPointF(start.x() + turn, self.lane), QPointF(end.x() - turn, self.lane), end]

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        if self.status.moving:
            self._paint_curve(painter)
        else:
            # A curve is painted as fast as its picture is stretched, and sharp.
            self._drawing.draw_picture(painter, self, self.room, self._paint_curve, can_stretch=False)

    def picture(self) -> QPixmap | None:
        """The whole of what it paints, where it is kept."""
        return None if self.status.moving else self._drawing.kept(self)

    def corner(self, dx: float, dy: float) -> tuple[float, float]:
        """Where its picture lies, in the screen's pixels; the scene begins at (dx, dy) of Qt's."""
        zoom, ratio = self._drawing.zoom, self._drawing.ratio
        left, top = self._corner
        return (left * zoom + dx) * ratio, (top * zoom + dy) * ratio

    def _paint_curve(self, painter: QPainter) -> None:
        status, drawing = self.status, self._drawing
        if self.selected:
            pen = drawing.pen("accent", 3.0)
        elif self._mark is not None:
            pen = drawing.pen(self._mark.colour, 3.0, dashed=self._mark.dashed)
        elif status.state == "idle":
            pen = drawing.pen("control_border", 1.5)
        else:
            width = 1.75 if status.state == "done" else 2.0
            dashed = status.state == "running"
            pen = drawing.pen(state_colour(status.state), width, dashed=dashed, moving=status.moving)
        painter.setPen(pen)
        if self._straight:
            painter.drawLine(self.line)
        else:
            painter.setBrush(_NO_BRUSH)
            painter.drawPath(self.path())

    def distance(self, place: QPointF) -> float:
        """From a point of the scene to the edge, in scene units; near enough for a click."""
        points = [self.point(index / _CURVE_SAMPLES) for index in range(_CURVE_SAMPLES + 1)]
        return min(_to_segment(place, a, b) for a, b in itertools.pairwise(points))

    def point(self, t: float) -> QPointF:
        """The point at `t` in [0, 1] of the curve's parameter."""
        if self._straight:
            return self.line.pointAt(t)
        if len(self._curves) == 1:
            return _on_curve(self._curves[0], t)
        first, last = self._curves
        # A sixth of the parameter for either bend, the rest for the level part.
        if t < _BEND or t > 1 - _BEND:
            return _on_curve(first, t / _BEND) if t < _BEND else _on_curve(last, 1 - (1 - t) / _BEND)
        return first[3] + (last[0] - first[3]) * ((t - _BEND) / (1 - 2 * _BEND))

    def words(self) -> tuple[tuple[QPointF, str], ...]:
        """Label and figure of the pill, with where their letters stand in it; worked out when first seen."""
        if self._words is None:
            self._words = self._write_pill()
        return self._words

    def _write_pill(self) -> tuple[tuple[QPointF, str], ...]:
        ahead = pill_label_width(self.label, self.figure)
        whole = ahead + look.width_of(self.figure, "caption")
        left = (pill_width(self.label, self.figure) - whole) / 2
        foot = (PILL_HEIGHT - look.metrics("caption").height()) / 2 + look.ascent("caption")
        return tuple((QPointF(x, foot), text) for x, text in ((left, self.label), (left + ahead, self.figure)) if text)

    def part_pill(self, taken: Sequence[QRectF]) -> None:
        """Moves the pill on along the edge until it is clear of others; where there is no such place it stays."""
        for turn in range(_PARTINGS):
            self._ahead = turn * _PARTING
            self._place_pill()
            if not any(self.pill.adjusted(0, _TOUCH, 0, -_TOUCH).intersects(other) for other in taken):
                return
        self._ahead = 0.0
        self._place_pill()

    def _place_pill(self) -> None:
        if not self.label and not self.figure:
            self.pill = QRectF()
            return
        width = pill_width(self.label, self.figure)
        middle = self._pill_middle(width)
        self.pill = QRectF(middle.x() - width / 2, middle.y() - PILL_HEIGHT / 2, width, PILL_HEIGHT)

    def _pill_middle(self, width: float) -> QPointF:
        """In the middle of the edge; right beside its output, and as high, when several leave the node: outputs stand
        further apart than pills are high, wherever the edges lead.
        """
        several = len(self.source.face.ports.outputs) > 1
        gap = self.line.x2() - self.line.x1()
        if not several or gap <= 0:
            return self.point(0.5 + self._ahead / 2)
        wanted = min(self.line.x1() + _PILL_GAP + width / 2, self.line.x1() + gap / 2)
        if not self._ahead:
            return QPointF(wanted, self.line.y1())
        low, high = 0.0, 0.5
        for _ in range(12):
            t = (low + high) / 2
            low, high = (t, high) if self.point(t).x() < wanted else (low, t)
        return self.point(high + (0.92 - high) * self._ahead)


def curves_along(start: QPointF, height: float, end: QPointF) -> tuple[Curve, Curve]:
    """The two bends of an edge that runs level at a height between them."""
    turn = min(TURN, (end.x() - start.x()) / 2)
    near, far = QPointF(start.x() + turn, height), QPointF(end.x() - turn, height)
    pull = QPointF(turn / 2, 0)
    return (start, start + pull, near - pull, near), (far, far + pull, end - pull, end)


def _on_curve(curve: Curve, t: float) -> QPointF:
    a, b, c, d = curve
    s = 1 - t
    return a * (s * s * s) + b * (3 * s * s * t) + c * (3 * s * t * t) + d * (t * t * t)


def points_between(start: tuple[float, float], end: tuple[float, float]) -> list[tuple[float, float]]:
    """Points of the direct way, close enough to tell whether a step stands in it."""
    a, b, c, d = (point.toTuple() for point in curve_between(QPointF(*start), QPointF(*end)))
    number = min(64, max(8, round((end[0] - start[0]) / 50)))
    points = []
    for step in range(number + 1):
        t = step / number
        s = 1 - t
        one, two, three, four = s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t
        points.append(
            (a[0] * one + b[0] * two + c[0] * three + d[0] * four, a[1] * one + b[1] * two + c[1] * three + d[1] * four)
        )
    return points


def curve_between(start: QPointF, end: QPointF) -> Curve:
    """The four points of the Bezier curve that leaves an output to the right and comes to an input from the left."""
    pull = max(36.0, min(120.0, abs(end.x() - start.x()) * 0.5))
    if end.x() < start.x():
        pull = max(90.0, min(220.0, (start.x() - end.x()) * 0.35))
    return start, start + QPointF(pull, 0), end - QPointF(pull, 0), end


def _to_segment(place: QPointF, a: QPointF, b: QPointF) -> float:
    along = b - a
    length = QPointF.dotProduct(along, along)
    t = 0.0 if length == 0 else max(0.0, min(1.0, QPointF.dotProduct(place - a, along) / length))
    nearest = a + along * t
    return math.hypot(place.x() - nearest.x(), place.y() - nearest.y())
