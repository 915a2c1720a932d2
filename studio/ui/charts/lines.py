"""Charts over time: measured against predicted, an estimate with its narrowing band, and the tiny line beside a figure.

Absent on purpose: more than one measured line; compare with bars or a table instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy

from studio.ui import export, numbers
from studio.ui.charts.axes import Axes, draw_axes, lay_out, spread_apart
from studio.ui.charts.chart import Chart, Reading, draw_box
from studio.ui.charts.data import BandData, BandPoint, LineBandData, Point, X
from studio.ui.charts.scales import Scale, number_of, padded
from studio.ui.theme import theme


def _write_x(x: X) -> str:
    return f"{x.day} {x:%b} {x:%H:%M}" if isinstance(x, datetime) else f"{x:g}"


def _band(axes: Axes, points: Sequence[BandPoint]) -> QPolygonF:
    upper = [axes.point(point.x, point.high) for point in points]
    lower = [axes.point(point.x, point.low) for point in reversed(points)]
    return QPolygonF(upper + lower)


def _draw_line(painter: QPainter, points: Sequence[QPointF], colour: str, *, dashed: bool = False) -> None:
    pen = QPen(theme().colour(colour), 1.6 if dashed else 2)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap if dashed else Qt.PenCapStyle.RoundCap)
    if dashed:
        pen.setDashPattern([3, 3])
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline(QPolygonF(list(points)))


class LineBand(Chart):
    """Measured (solid) against predicted (dashed, with its interval as a band); markers where something happened."""

    def __init__(
        self,
        title: str,
        data: LineBandData | None = None,
        *,
        write: Callable[[float], str] = numbers.count,
        from_zero: bool = False,
    ) -> None:
        """`write` puts a value of the vertical axis into words; `from_zero`: the axis shows zero, too."""
        super().__init__(title)
        self._data = data or LineBandData(())
        self._write = write
        self._from_zero = from_zero
        self.refresh()

    def set_data(self, data: LineBandData) -> None:
        self._data = data
        self.refresh()

    def _axes(self, area: QRectF) -> Axes:
        data = self._data
        xs = [number_of(point.x) for point in (*data.actual, *data.predicted)]
        span: list[X] = [point.x for point in (*data.actual, *data.predicted)]
        first, last = span[xs.index(min(xs))], span[xs.index(max(xs))]
        ys = [point.y for point in data.actual]
        ys += [value for point in data.predicted for value in (point.low, point.high)]
        labels = [words for words, _y, _colour in self._end_labels()]
        metrics = QFontMetrics(theme().font("caption"))
        right = max((metrics.horizontalAdvance(line) for words in labels for line in words.split("\n")), default=0)
        ends = padded(ys, with_zero=self._from_zero)
        return lay_out(area, (first, last), ends, self._write, right=right + 12)

    def _end_labels(self) -> list[tuple[str, float, str]]:
        """Words, value and colour of what is named at the right end of its line."""
        data = self._data
        labels: list[tuple[str, float, str]] = []
        if data.actual and data.actual_label:
            last = data.actual[-1].y
            labels.append((f"{data.actual_label}\n{self._write(last)}", last, "accent_text"))
        if data.predicted:
            mid = data.predicted[-1].mid
            labels.append((f"{data.predicted_label}\n{self._write(mid)}", mid, "text_muted"))
        return labels

    def draw(self, painter: QPainter, area: QRectF) -> None:
        data, axes = self._data, self._axes(area)
        ends = sorted((point.x for point in (*data.actual, *data.predicted)), key=number_of)
        draw_axes(painter, axes, [ends[0], ends[-1]], self._write)
        if data.predicted:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme().colour("text_muted", 0.16))
            painter.drawPolygon(_band(axes, data.predicted))
            _draw_line(painter, [axes.point(p.x, p.mid) for p in data.predicted], "text_muted", dashed=True)
        if data.actual:
            _draw_line(painter, [axes.point(p.x, p.y) for p in data.actual], "accent")
        self._draw_end_labels(painter, axes)
        for marker in data.markers:
            at = axes.point(marker.x, _value_at(data.actual, marker.x))
            painter.setPen(QPen(theme().colour("surface"), 1.5))
            painter.setBrush(theme().colour(marker.colour))
            painter.drawEllipse(at, 5, 5)
            line = [axes.point(point.x, point.y) for point in data.actual]
            draw_box(painter, axes.plot, at, marker.title, marker.detail, line)

    def _draw_end_labels(self, painter: QPainter, axes: Axes) -> None:
        metrics = QFontMetrics(theme().font("caption"))
        height = metrics.height() * 2 + 2
        labels = self._end_labels()
        wanted = [axes.y(value) - height / 2 for _words, value, _colour in labels]
        tops = spread_apart(wanted, height + 4, axes.plot.top() - 8, axes.plot.bottom() + 10)
        ends = {"accent_text": self._data.actual, "text_muted": self._data.predicted}
        for (words, _value, colour), top in zip(labels, tops, strict=True):
            left = axes.x(number_of(ends[colour][-1].x)) + 8
            painter.setPen(theme().colour(colour))
            painter.setFont(theme().font("caption"))
            place = QRectF(left, top, 400, height)
            painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)

    def readings(self, area: QRectF) -> list[Reading]:
        axes = self._axes(area)
        predicted = {number_of(point.x): point for point in self._data.predicted}
        found: list[Reading] = []
        for point in self._data.actual:
            beside = predicted.get(number_of(point.x))
            expected = f" · {self._data.predicted_label} {self._write(beside.mid)}" if beside is not None else ""
            title = f"{self._write(point.y)}{expected}"
            found.append(Reading(axes.point(point.x, point.y), title, _write_x(point.x)))
        return found

    def data_rows(self) -> export.Rows:
        actual = {number_of(point.x): point for point in self._data.actual}
        predicted = {number_of(point.x): point for point in self._data.predicted}
        rows: list[list[object]] = []
        for key in sorted(actual.keys() | predicted.keys()):
            measured, expected = actual.get(key), predicted.get(key)
            x = measured.x if measured is not None else expected.x if expected is not None else key
            band = (expected.low, expected.mid, expected.high) if expected is not None else (None, None, None)
            rows.append([x.isoformat() if isinstance(x, datetime) else x, measured.y if measured else None, *band])
        data = self._data
        return export.Rows(
            ["at", data.actual_label or "actual", "predicted low", data.predicted_label, "predicted high"], rows
        )

    def describe(self) -> str:
        data = self._data
        parts: list[str] = []
        if data.actual:
            first, last = data.actual[0], data.actual[-1]
            parts.append(f"{data.actual_label or 'It'} goes from {self._write(first.y)} to {self._write(last.y)}")
        if data.predicted:
            end = data.predicted[-1]
            span = numbers.interval(self._write(end.low), self._write(end.high))
            parts.append(f"{data.predicted_label} ends at {self._write(end.mid)} ({data.band_label}: {span})")
        parts += [f"{marker.title} at {_write_x(marker.x)}" for marker in data.markers]
        return "; ".join(parts) + "."


def _value_at(points: Sequence[Point], x: X) -> float:
    """The line's height at `x`, between its points."""
    at = number_of(x)
    before = [point for point in points if number_of(point.x) <= at]
    after = [point for point in points if number_of(point.x) >= at]
    if not before or not after:
        return (before[-1] if before else after[0]).y
    left, right = before[-1], after[0]
    width = number_of(right.x) - number_of(left.x)
    share = (at - number_of(left.x)) / width if width else 0.0
    return left.y + share * (right.y - left.y)


class BandOverTime(Chart):
    """An estimate as the data came in, with the band it stays in and the line that means no difference."""

    def __init__(
        self,
        title: str,
        data: BandData | None = None,
        *,
        write: Callable[[float], str] = numbers.percent,
        write_x: Callable[[X], str] = _write_x,
    ) -> None:
        """`write` and `write_x` put values of the two axes into words; moments below the axis are written as dates."""
        super().__init__(title)
        self._data = data or BandData(())
        self._write = write
        self._write_x = write_x
        self.refresh()

    def set_data(self, data: BandData) -> None:
        self._data = data
        self.refresh()

    def _axes(self, area: QRectF) -> Axes:
        points = self._data.points
        ends = self._data.span or (min(point.low for point in points), max(point.high for point in points))
        ys = [*ends, *([] if self._data.reference is None else [self._data.reference])]
        metrics = QFontMetrics(theme().font("caption"))
        right = max(metrics.horizontalAdvance(line) for line in self._end_label().split("\n")) + 12
        return lay_out(area, (points[0].x, points[-1].x), padded(ys), self._write, right=right)

    def _end_label(self) -> str:
        value = self._signed(self._data.points[-1].mid)
        return f"{self._data.label}\n{value}" if self._data.label else value

    def _signed(self, value: float) -> str:
        return self._write(value) if self._data.reference is None else numbers.signed(self._write(value))

    def draw(self, painter: QPainter, area: QRectF) -> None:
        data, axes = self._data, self._axes(area)
        draw_axes(painter, axes, [data.points[0].x, data.points[-1].x], self._write, self._write_x)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().colour(data.colour, 0.2))
        painter.save()
        painter.setClipRect(axes.plot)
        painter.drawPolygon(_band(axes, data.points))
        painter.restore()
        if data.reference is not None:
            self._draw_reference(painter, axes, axes.y(data.reference))
        painter.save()
        painter.setClipRect(axes.plot.adjusted(-2, -2, 2, 2))
        _draw_line(painter, [axes.point(point.x, point.mid) for point in data.points], data.colour)
        painter.restore()
        self._draw_end(painter, axes)

    def _draw_reference(self, painter: QPainter, axes: Axes, zero: float) -> None:
        painter.setPen(QPen(theme().colour("text_muted"), 1))
        painter.drawLine(QPointF(axes.plot.left(), zero), QPointF(axes.plot.right(), zero))
        metrics = QFontMetrics(theme().font("caption"))
        painter.setFont(theme().font("caption"))
        painter.setPen(theme().colour("text_muted"))
        width = metrics.horizontalAdvance(self._data.reference_label)
        # On the side of zero where the line does not end.
        below = axes.y(self._data.points[-1].mid) <= zero
        top = zero + 2 if below else zero - 2 - metrics.height()
        place = QRectF(axes.plot.right() - width - 6, top, width + 6, metrics.height())
        painter.drawText(place, Qt.AlignmentFlag.AlignRight, self._data.reference_label)

    def _draw_end(self, painter: QPainter, axes: Axes) -> None:
        metrics = QFontMetrics(theme().font("caption"))
        end = axes.point(self._data.points[-1].x, self._data.points[-1].mid)
        bold = theme().font("caption")
        bold.setBold(True)
        painter.setFont(bold)
        painter.setPen(theme().tone("good" if self._data.colour == "state.done" else "default"))
        place = QRectF(end.x() + 7, end.y() - metrics.height(), 300, metrics.height() * 2)
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self._end_label())

    def readings(self, area: QRectF) -> list[Reading]:
        axes = self._axes(area)
        return [
            Reading(
                axes.point(point.x, point.mid),
                self._signed(point.mid),
                f"{numbers.interval(self._write(point.low), self._write(point.high))} · {self._write_x(point.x)}",
            )
            for point in self._data.points
        ]

    def data_rows(self) -> export.Rows:
        rows = [
            [p.x.isoformat() if isinstance(p.x, datetime) else p.x, p.low, p.mid, p.high] for p in self._data.points
        ]
        return export.Rows(["at", "low", "estimate", "high"], rows)

    def describe(self) -> str:
        first, last = self._data.points[0], self._data.points[-1]
        span, zero = numbers.interval(self._write(last.low), self._write(last.high)), self._data.reference
        if zero is None:
            return f"It begins at {self._write(first.mid)} and is {self._write(last.mid)} at the end, between {span}."
        side = "above" if last.low > zero else "below" if last.high < zero else "around"
        before = numbers.interval(self._write(first.low), self._write(first.high))
        return (
            f"The estimate is now {self._write(last.mid)}, between {span}, which is {side} "
            f"{self._data.reference_label}. It began between {before}."
        )


class Sparkline(Chart):
    """The shape of the last values, without axes, for beside a figure."""

    def __init__(
        self, title: str, values: Sequence[float] = (), *, write: Callable[[float], str] = numbers.count
    ) -> None:
        super().__init__(title)
        self._values = list(values)
        self._write = write
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.refresh()

    def set_data(self, values: Sequence[float]) -> None:
        self._values = list(values)
        self.refresh()

    def _points(self, area: QRectF) -> list[QPointF]:
        inner = area.adjusted(1, 4, -4, -4)
        x = Scale(0, max(1, len(self._values) - 1), inner.left(), inner.right())
        y = Scale(min(self._values), max(self._values), inner.bottom(), inner.top())
        return [QPointF(x(number), y(value)) for number, value in enumerate(self._values)]

    def draw(self, painter: QPainter, area: QRectF) -> None:
        _draw_line(painter, self._points(area), "accent")

    def readings(self, area: QRectF) -> list[Reading]:
        return [Reading(at, self._write(value)) for at, value in zip(self._points(area), self._values, strict=True)]

    def data_rows(self) -> export.Rows:
        return export.Rows(["number", "value"], [[n, value] for n, value in enumerate(self._values, 1)])

    def describe(self) -> str:
        values = self._values
        return (
            f"From {self._write(values[0])} to {self._write(values[-1])}, "
            f"lowest {self._write(min(values))}, highest {self._write(max(values))}."
        )

    def sizeHint(self) -> QSize:
        return QSize(150, theme().px(34))

    def minimumSizeHint(self) -> QSize:
        return QSize(60, theme().px(34))
