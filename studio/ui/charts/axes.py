"""The quiet frame of a chart with axes: light lines with round values at the left, moments or numbers below.

Absent on purpose: top and right axes, tick marks, axis titles (units are in the labels).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen

from studio.ui.charts.data import X
from studio.ui.charts.scales import Scale, nice_ticks, number_of, time_text, time_ticks
from studio.ui.theme import theme


@dataclass(frozen=True, slots=True)
class Axes:
    """Where the data lies, and the two scales."""

    plot: QRectF
    x: Scale
    y: Scale

    def point(self, x: X, y: float) -> QPointF:
        return QPointF(self.x(number_of(x)), self.y(y))


def lay_out(
    area: QRectF,
    xs: tuple[X, X],
    ys: tuple[float, float],
    write_y: Callable[[float], str],
    *,
    right: float = 8,
    top: float = 8,
) -> Axes:
    """Axes with just enough room at the left for the widest label; `right` and `top` stay free for labels."""
    metrics = QFontMetrics(theme().font("caption", tabular=True))
    labels = [write_y(tick) for tick in y_ticks(ys, area.height())]
    left = max((metrics.horizontalAdvance(label) for label in labels), default=0) + 10
    below = metrics.height() + 6
    plot = area.adjusted(left, top, -right, -below)
    return Axes(
        plot,
        Scale(number_of(xs[0]), number_of(xs[1]), plot.left(), plot.right()),
        Scale(*ys, plot.bottom(), plot.top()),
    )


def y_ticks(ys: tuple[float, float], height: float) -> list[float]:
    """A label for about every 45 pixels."""
    return nice_ticks(*ys, about=max(2, min(6, round(height / theme().px(45)))))


def draw_axes(
    painter: QPainter,
    axes: Axes,
    xs: Sequence[X],
    write_y: Callable[[float], str],
    write_x: Callable[[float], str] | None = None,
) -> None:
    """Horizontal lines with their values, and labels below."""
    metrics = QFontMetrics(theme().font("caption", tabular=True))
    painter.setFont(theme().font("caption", tabular=True))
    for tick in y_ticks((axes.y.low, axes.y.high), axes.plot.height()):
        y = round(axes.y(tick)) + 0.5
        painter.setPen(QPen(theme().colour("hairline"), 1))
        painter.drawLine(QPointF(axes.plot.left(), y), QPointF(axes.plot.right(), y))
        painter.setPen(theme().colour("text_muted"))
        place = QRectF(0, y - metrics.height() / 2, axes.plot.left() - 8, metrics.height())
        painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, write_y(tick))
    draw_x_labels(painter, axes, xs, write_x)


def draw_x_labels(
    painter: QPainter, axes: Axes, xs: Sequence[X], write_x: Callable[[float], str] | None = None
) -> None:
    """Labels below the plot, as many as fit without touching."""
    metrics = QFontMetrics(theme().font("caption", tabular=True))
    painter.setFont(theme().font("caption", tabular=True))
    painter.setPen(theme().colour("text_muted"))
    free_from = axes.plot.left() - 40
    for at, label in x_labels(xs, axes.plot.width(), write_x):
        width = metrics.horizontalAdvance(label)
        left = min(max(axes.x(at) - width / 2, axes.plot.left() - 4), axes.plot.right() - width + 8)
        if left < free_from:
            continue
        place = QRectF(left, axes.plot.bottom() + 5, width + 2, metrics.height())
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft, label)
        free_from = left + width + 12


def x_labels(xs: Sequence[X], width: float, write_x: Callable[[float], str] | None = None) -> list[tuple[float, str]]:
    """Places and words for the horizontal axis."""
    about = max(2, min(8, int(width / theme().px(70))))
    first, last = xs[0], xs[-1]
    if isinstance(first, datetime) and isinstance(last, datetime):
        span = (last - first).total_seconds()
        return [(at.timestamp(), time_text(at, span)) for at in time_ticks(first, last, about)]
    write = write_x or (lambda value: f"{value:g}")
    return [(tick, write(tick)) for tick in nice_ticks(number_of(first), number_of(last), about)]


def spread_apart(tops: Sequence[float], height: float, low: float, high: float) -> list[float]:
    """Moves labels of one height up or down until none covers another, keeping their order and [low, high]."""
    order = sorted(range(len(tops)), key=lambda index: tops[index])
    placed = list(tops)
    floor = low
    for index in order:
        placed[index] = max(placed[index], floor)
        floor = placed[index] + height
    ceiling = high
    for index in reversed(order):
        placed[index] = min(placed[index], ceiling - height)
        ceiling = placed[index]
    return placed
