"""Belief curves, the week's heat map, and the small picture of a workflow.

Absent on purpose: colour scales with more than one hue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimerEvent
from PySide6.QtGui import QColor, QFontMetrics, QHideEvent, QPainter, QPainterPath, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy

from studio.ui import export, numbers
from studio.ui.charts.axes import Axes, draw_x_labels
from studio.ui.charts.chart import Chart, Reading
from studio.ui.charts.data import Density, HeatmapData, MiniGraphData, MiniNode, MiniRole
from studio.ui.charts.scales import Scale
from studio.ui.theme import theme
from studio.ui.tokens import RADIUS_CONTROL


class Densities(Chart):
    """Belief about a few rates: one named curve each."""

    def __init__(
        self, title: str, curves: Sequence[Density] = (), *, write: Callable[[float], str] = numbers.percent
    ) -> None:
        super().__init__(title)
        self._curves = list(curves)
        self._write = write
        self.refresh()

    def set_data(self, curves: Sequence[Density]) -> None:
        self._curves = list(curves)
        self.refresh()

    def _axes(self, area: QRectF) -> Axes:
        metrics = QFontMetrics(theme().font("strong"))
        plot = area.adjusted(6, metrics.height() + 6, -6, -(QFontMetrics(theme().font("caption")).height() + 8))
        xs = [x for curve in self._curves for x in curve.xs]
        top = max((y for curve in self._curves for y in curve.ys), default=1.0) or 1.0
        return Axes(plot, Scale(min(xs), max(xs), plot.left(), plot.right()), Scale(0, top, plot.bottom(), plot.top()))

    def draw(self, painter: QPainter, area: QRectF) -> None:
        axes = self._axes(area)
        for curve in self._curves:
            points = [axes.point(x, y) for x, y in zip(curve.xs, curve.ys, strict=True)]
            closed = [QPointF(points[0].x(), axes.plot.bottom()), *points, QPointF(points[-1].x(), axes.plot.bottom())]
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme().colour(curve.colour, 0.18))
            painter.drawPolygon(QPolygonF(closed))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme().colour(curve.colour), 2))
            painter.drawPolyline(QPolygonF(points))
        painter.setPen(QPen(theme().colour("border"), 1))
        painter.drawLine(axes.plot.bottomLeft(), axes.plot.bottomRight())
        self._draw_names(painter, axes)
        draw_x_labels(painter, axes, [axes.x.low, axes.x.high], self._write)

    def _draw_names(self, painter: QPainter, axes: Axes) -> None:
        font = theme().font("strong")
        height = QFontMetrics(font).height()
        painter.setFont(font)
        free_from = axes.plot.left() - 100.0
        for curve, at in sorted(((c, self._peak(c, axes)) for c in self._curves), key=lambda pair: pair[1].x()):
            width = QFontMetrics(font).horizontalAdvance(curve.label)
            left = max(min(at.x() - width / 2, axes.plot.right() - width), free_from)
            free_from = left + width + 10
            painter.setPen(theme().colour("text"))
            painter.drawText(QRectF(left, at.y() - height - 3, width + 2, height), 0, curve.label)

    def _peak(self, curve: Density, axes: Axes) -> QPointF:
        top = max(range(len(curve.ys)), key=lambda index: curve.ys[index])
        return axes.point(curve.xs[top], curve.ys[top])

    def readings(self, area: QRectF) -> list[Reading]:
        axes = self._axes(area)
        found: list[Reading] = []
        for curve in self._curves:
            low, mid, high = _quantiles(curve)
            span = numbers.interval(self._write(low), self._write(high))
            title = f"{curve.label}: about {self._write(mid)}"
            found.append(Reading(self._peak(curve, axes), title, f"90 % between {span}"))
        return found

    def data_rows(self) -> export.Rows:
        rows = [[c.label, x, y] for c in self._curves for x, y in zip(c.xs, c.ys, strict=True)]
        return export.Rows(["variant", "rate", "density"], rows)

    def describe(self) -> str:
        parts: list[str] = []
        for curve in self._curves:
            low, mid, high = _quantiles(curve)
            span = numbers.interval(self._write(low), self._write(high))
            parts.append(f"{curve.label} is about {self._write(mid)}, with 90 % between {span}")
        return "; ".join(parts) + "."


def _quantiles(curve: Density) -> tuple[float, float, float]:
    """5 %, 50 % and 95 % points of the curve by the trapezoid rule."""
    masses = [0.0]
    for (x0, y0), (x1, y1) in zip(
        zip(curve.xs, curve.ys, strict=True), zip(curve.xs[1:], curve.ys[1:], strict=True), strict=False
    ):
        masses.append(masses[-1] + (x1 - x0) * (y0 + y1) / 2)
    low, mid, high = (_at_mass(curve.xs, masses, share * masses[-1]) for share in (0.05, 0.5, 0.95))
    return low, mid, high


def _at_mass(xs: Sequence[float], masses: Sequence[float], wanted: float) -> float:
    for index in range(1, len(xs)):
        if masses[index] >= wanted and masses[index] > masses[index - 1]:
            share = (wanted - masses[index - 1]) / (masses[index] - masses[index - 1])
            return xs[index - 1] + share * (xs[index] - xs[index - 1])
    return xs[-1]


_DARK_FROM = 0.76
"""The accent's opacity from which on words upon it are told better in the accent's own text colour."""


class Heatmap(Chart):
    """Values over two short lists, such as weekday and hour: the darker, the more.

    `written`: each value also stands in its place, where there is room for it.
    """

    def __init__(
        self,
        title: str,
        data: HeatmapData | None = None,
        *,
        write: Callable[[float], str] = numbers.count,
        written: bool = False,
    ) -> None:
        super().__init__(title)
        self._written = written
        self._data = data or HeatmapData((), (), ())
        self._write = write
        self.refresh()

    def set_data(self, data: HeatmapData) -> None:
        self._data = data
        self.refresh()

    def _cells(self, area: QRectF) -> list[tuple[int, int, QRectF]]:
        metrics = QFontMetrics(theme().font("caption"))
        left = max((metrics.horizontalAdvance(label) for label in self._data.row_labels), default=0) + 12
        below = metrics.height() + 5
        width = (area.width() - left) / max(1, len(self._data.column_labels))
        height = min(theme().px(25), (area.height() - below) / max(1, len(self._data.row_labels)))
        return [
            (r, c, QRectF(area.left() + left + c * width, area.top() + r * height, width, height))
            for r, row in enumerate(self._data.values)
            for c in range(len(row))
        ]

    def draw(self, painter: QPainter, area: QRectF) -> None:
        known = [value for row in self._data.values for value in row if value is not None]
        low, high = min(known, default=0.0), max(known, default=1.0)
        cells = self._cells(area)
        painter.setPen(Qt.PenStyle.NoPen)
        for r, c, cell in cells:
            value = self._data.values[r][c]
            shade = Scale(low, high, 0.05, 1.0)(value) if value is not None and high > low else 0.05
            painter.setBrush(theme().colour("sunken") if value is None else theme().colour("accent", shade))
            painter.drawRoundedRect(cell.adjusted(1, 1.5, -1, -1.5), 3, 3)
            if self._written and value is not None:
                self._draw_value(painter, cell, self._write(value), shade)
                painter.setPen(Qt.PenStyle.NoPen)
        self._draw_labels(painter, area, cells)

    def _draw_value(self, painter: QPainter, cell: QRectF, words: str, shade: float) -> None:
        font = theme().font("caption", tabular=True)
        if QFontMetrics(font).horizontalAdvance(words) + 8 > cell.width():
            return
        painter.setFont(font)
        painter.setPen(theme().colour("on_accent" if shade > _DARK_FROM else "text"))
        painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, words)

    def _draw_labels(self, painter: QPainter, area: QRectF, cells: Sequence[tuple[int, int, QRectF]]) -> None:
        metrics = QFontMetrics(theme().font("caption"))
        painter.setFont(theme().font("caption"))
        painter.setPen(theme().colour("text_muted"))
        last_row = len(self._data.values) - 1
        for r, c, cell in cells:
            if c == 0:
                place = QRectF(area.left(), cell.top(), cell.left() - area.left(), cell.height())
                painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, self._data.row_labels[r])
            label = self._data.column_labels[c]
            if r == last_row and label:
                width = metrics.horizontalAdvance(label) + 2
                place = QRectF(cell.center().x() - width / 2, cell.bottom() + 4, width, metrics.height())
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, label)

    def readings(self, area: QRectF) -> list[Reading]:
        found: list[Reading] = []
        for r, c, cell in self._cells(area):
            value = self._data.values[r][c]
            words = "no data" if value is None else self._write(value)
            where = f"{self._data.row_labels[r]} {self._data.column_name(c)}"
            found.append(Reading(cell.center(), words, where, cell))
        return found

    def data_rows(self) -> export.Rows:
        data = self._data
        header = ["", *(data.column_name(number) for number in range(len(data.column_labels)))]
        return export.Rows(header, [[label, *row] for label, row in zip(data.row_labels, data.values, strict=True)])

    def describe(self) -> str:
        known = [
            (value, r, c) for r, row in enumerate(self._data.values) for c, value in enumerate(row) if value is not None
        ]
        if not known:
            return "No values yet."
        value, r, c = max(known)
        return f"Most, {self._write(value)}, at {self._data.row_labels[r]} {self._data.column_name(c)}."

    def sizeHint(self) -> QSize:
        return QSize(320, theme().px(25) * max(1, len(self._data.row_labels)) + theme().px(22))


_LOOKS: Mapping[MiniRole, tuple[str, float]] = {
    "source": ("accent", 0.38),
    "pure": ("accent", 0.38),
    "wait": ("accent", 0.55),
    "send": ("accent", 0.85),
    "goal": ("state.done", 0.75),
    "exit": ("text_muted", 0.5),
}
_NODE_WIDTH, _NODE_HEIGHT = 22.0, 10.0
_FRAME_MS = 40
_PLAYED_MS = 2_400
"""How long a run in small takes."""


class MiniGraph(Chart):
    """A workflow in the size of a stamp, from its real nodes and edges."""

    def __init__(self, title: str, data: MiniGraphData | None = None) -> None:
        super().__init__(title)
        self._data = data or MiniGraphData((), ())
        self._phase: float | None = None
        self._timer_id = 0
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.refresh()

    def set_data(self, data: MiniGraphData) -> None:
        self._data = data
        self.refresh()

    def play(self) -> None:
        """Plays a run in small: steps light up in their order. With reduced motion all of them at once."""
        if theme().reduced_motion:
            self._phase = 1.0
            self.update()
        elif not self._timer_id:
            self._phase = 0.0
            self._timer_id = self.startTimer(_FRAME_MS)

    def stop(self) -> None:
        """Back to the still picture."""
        if self._timer_id:
            self.killTimer(self._timer_id)
            self._timer_id = 0
        self._phase = None
        self.update()

    def show_moment(self, share: float) -> None:
        """One moment of the run, from 0 to 1, standing still."""
        self.stop()
        self._phase = share
        self.update()

    @property
    def is_playing(self) -> bool:
        return self._phase is not None

    def timerEvent(self, event: QTimerEvent) -> None:
        if event.timerId() != self._timer_id:
            super().timerEvent(event)
            return
        self._phase = ((self._phase or 0.0) + _FRAME_MS / _PLAYED_MS) % 1.15
        self.update()

    def hideEvent(self, event: QHideEvent) -> None:
        self.stop()
        super().hideEvent(event)

    def _boxes(self, area: QRectF) -> dict[str, QRectF]:
        """Each node's box. Positions are scaled to the place; neighbours never stand wider than in a small graph."""
        nodes = self._data.nodes
        inner = area.adjusted(12, 12, -12, -12)
        width, height = _NODE_WIDTH * theme().text_scale, _NODE_HEIGHT * theme().text_scale
        xs, ys = [node.x for node in nodes], [node.y for node in nodes]
        columns, lines = max(1, len(set(xs)) - 1), max(1, len(set(ys)) - 1)
        across = min(inner.width() - width, columns * width * 1.9)
        down = min(inner.height() - height, lines * height * 2.4)
        x = Scale(min(xs), max(xs), inner.center().x() - across / 2, inner.center().x() + across / 2)
        y = Scale(min(ys), max(ys), inner.center().y() - down / 2, inner.center().y() + down / 2)
        shrink = min(1.0, across / columns / (width * 1.2)) if len(set(xs)) > 1 else 1.0
        half_width, half_height = width * shrink / 2, height * max(0.7, shrink) / 2
        return {
            node.id: QRectF(x(node.x) - half_width, y(node.y) - half_height, 2 * half_width, 2 * half_height)
            for node in nodes
        }

    def draw(self, painter: QPainter, area: QRectF) -> None:
        frame = area.adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(theme().colour("border"), 1))
        painter.setBrush(theme().colour("canvas"))
        painter.drawRoundedRect(frame, RADIUS_CONTROL, RADIUS_CONTROL)
        boxes = self._boxes(area)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme().colour("text_muted", 0.55), 1.2))
        for source, target in self._data.edges:
            if source in boxes and target in boxes:
                painter.drawPath(_edge(boxes[source], boxes[target]))
        painter.setPen(Qt.PenStyle.NoPen)
        for node in self._data.nodes:
            painter.setBrush(theme().colour("canvas"))
            painter.drawRoundedRect(boxes[node.id], 3, 3)
            painter.setBrush(self._colour(node, boxes[node.id], area))
            painter.drawRoundedRect(boxes[node.id], 3, 3)
        self._draw_travellers(painter, boxes, area)

    def _colour(self, node: MiniNode, box: QRectF, area: QRectF) -> QColor:
        name, strength = _LOOKS[node.role]
        if self._phase is None:
            return theme().colour(name, strength)
        reached = (box.left() - area.left()) / max(area.width(), 1) <= self._phase
        return theme().colour("state.done" if reached else name, 0.9 if reached else strength)

    def _draw_travellers(self, painter: QPainter, boxes: Mapping[str, QRectF], area: QRectF) -> None:
        """People on their way: a dot on every edge that the run is passing."""
        if self._phase is None:
            return
        front = area.left() + self._phase * area.width()
        painter.setBrush(theme().colour("accent"))
        for source, target in self._data.edges:
            if source in boxes and target in boxes and boxes[source].right() < front < boxes[target].left():
                way = _edge(boxes[source], boxes[target])
                share = (front - boxes[source].right()) / (boxes[target].left() - boxes[source].right())
                painter.drawEllipse(way.pointAtPercent(share), 2.6, 2.6)

    def readings(self, area: QRectF) -> list[Reading]:
        boxes = self._boxes(area)
        return [Reading(boxes[node.id].center(), _name(node), "", boxes[node.id]) for node in self._data.nodes]

    def data_rows(self) -> export.Rows:
        return export.Rows(["node", "role"], [[_name(node), node.role] for node in self._data.nodes])

    def describe(self) -> str:
        return f"{numbers.plural(len(self._data.nodes), 'step')}: {', '.join(_name(n) for n in self._data.nodes)}."

    def sizeHint(self) -> QSize:
        return QSize(208, theme().px(70))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, theme().px(60))


def _name(node: MiniNode) -> str:
    return node.label or node.id


def _edge(source: QRectF, target: QRectF) -> QPainterPath:
    start = QPointF(source.right(), source.center().y())
    end = QPointF(target.left(), target.center().y())
    path = QPainterPath(start)
    bend = (end.x() - start.x()) / 2
    path.cubicTo(start + QPointF(bend, 0), end - QPointF(bend, 0), end)
    return path
