"""Bars: a funnel from step to step, and a plain list of shares.

Absent on purpose: stacked and grouped bars. Every bar starts at zero.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QSizePolicy

from studio.ui import export, numbers
from studio.ui.charts.chart import Chart, Reading
from studio.ui.charts.data import BarItem, FunnelStep
from studio.ui.theme import theme
from studio.ui.tokens import TextRole


def _widest(role: TextRole, texts: Sequence[str]) -> int:
    metrics = QFontMetrics(theme().font(role, tabular=True))
    return max((metrics.horizontalAdvance(text) for text in texts), default=0)


def _draw_bar(painter: QPainter, track: QRectF, share: float, colour: str, alpha: float, radius: float) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme().colour("sunken"))
    painter.drawRoundedRect(track, radius, radius)
    if share <= 0:
        return
    painter.setBrush(theme().colour(colour, alpha))
    width = max(3.0, track.width() * min(1.0, share))
    corner = min(radius, width / 2)
    painter.drawRoundedRect(QRectF(track.left(), track.top(), width, track.height()), corner, corner)


def _elided(role: TextRole, text: str, width: float) -> str:
    return QFontMetrics(theme().font(role, tabular=True)).elidedText(text, Qt.TextElideMode.ElideRight, int(width))


class Funnel(Chart):
    """People per step, and the share of those at the step before who are at it too."""

    def __init__(self, title: str, steps: Sequence[FunnelStep] = ()) -> None:
        super().__init__(title)
        self._steps = list(steps)
        self.refresh()

    def set_data(self, steps: Sequence[FunnelStep]) -> None:
        self._steps = list(steps)
        self.refresh()

    def _lines(self, area: QRectF) -> list[QRectF]:
        height = min(theme().px(39), area.height() / max(1, len(self._steps)))
        return [QRectF(area.left(), area.top() + i * height, area.width(), height) for i in range(len(self._steps))]

    def _columns(self, area: QRectF) -> tuple[float, float, float]:
        """Left end of the bars, their right end, right end of the counts."""
        share = _widest("secondary", ["100 %"]) + 6
        left = min(area.width() * 0.4, _widest("body", [step.label for step in self._steps]) + 16)
        counts = _widest("secondary", [numbers.count(step.people) for step in self._steps]) + 14
        return area.left() + left, area.right() - share - counts, area.right() - share

    def draw(self, painter: QPainter, area: QRectF) -> None:
        most = max(step.people for step in self._steps) or 1
        left, right, counts = self._columns(area)
        for number, (step, line) in enumerate(zip(self._steps, self._lines(area), strict=True)):
            painter.setFont(theme().font("body"))
            painter.setPen(theme().colour("text"))
            words = QRectF(line.left(), line.top(), left - line.left() - 12, line.height())
            painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, _elided("body", step.label, words.width()))
            gap = min(3.5, line.height() * 0.12)
            track = QRectF(left, line.top() + gap, max(10.0, right - left), line.height() - 2 * gap)
            alpha = max(0.55, 1 - 0.09 * number)
            _draw_bar(painter, track, step.people / most, "accent", alpha, min(6, track.height() / 3))
            painter.setFont(theme().font("secondary", tabular=True))
            painter.setPen(theme().colour("text"))
            end = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
            painter.drawText(QRectF(right, line.top(), counts - right, line.height()), end, numbers.count(step.people))
            painter.setPen(theme().colour("text_muted"))
            if step.share is not None:
                place = QRectF(counts, line.top(), area.right() - counts, line.height())
                painter.drawText(place, end, numbers.percent(step.share))

    def readings(self, area: QRectF) -> list[Reading]:
        found: list[Reading] = []
        for step, line in zip(self._steps, self._lines(area), strict=True):
            of_all = step.people / self._steps[0].people if self._steps[0].people else None
            parts = [f"{numbers.percent(of_all, 1)} of all"]
            if step.share is not None:
                parts.append(f"{numbers.percent(step.share, 1)} of those at the step before")
            detail = " · ".join([*parts, step.note] if step.note else parts)
            found.append(Reading(line.center(), f"{step.label}: {numbers.count(step.people)}", detail, line))
        return found

    def data_rows(self) -> export.Rows:
        rows = [[step.label, step.people, step.share] for step in self._steps]
        return export.Rows(["step", "people", "share of step before"], rows)

    def describe(self) -> str:
        return ", ".join(f"{step.label} {numbers.count(step.people)}" for step in self._steps) + "."

    def sizeHint(self) -> QSize:
        return QSize(320, theme().px(39) * max(3, len(self._steps)))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme().px(230), theme().px(24) * max(2, len(self._steps)))


class BarList(Chart):
    """Named values as thin bars, in the order given."""

    def __init__(self, title: str, items: Sequence[BarItem] = (), *, whole: float | None = None) -> None:
        """`whole` is the value of a full track (1.0 for shares); default: the largest value."""
        super().__init__(title)
        self._items = list(items)
        self._whole = whole
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.refresh()

    def set_data(self, items: Sequence[BarItem]) -> None:
        self._items = list(items)
        self.refresh()

    def _lines(self, area: QRectF) -> list[QRectF]:
        height = theme().px(29)
        return [QRectF(area.left(), area.top() + i * height, area.width(), height) for i in range(len(self._items))]

    def draw(self, painter: QPainter, area: QRectF) -> None:
        whole = self._whole or max((item.value for item in self._items), default=0) or 1
        left = min(area.width() * 0.5, _widest("secondary", [item.label for item in self._items]) + 16)
        right = area.width() - _widest("secondary", [item.words for item in self._items]) - 12
        for item, line in zip(self._items, self._lines(area), strict=True):
            painter.setFont(theme().font("secondary", tabular=True))
            painter.setPen(theme().colour("text"))
            words = QRectF(line.left(), line.top(), left - 10, line.height())
            painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, _elided("secondary", item.label, words.width()))
            end = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
            painter.drawText(QRectF(line.left(), line.top(), line.width(), line.height()), end, item.words)
            thick = theme().px(12)
            track = QRectF(line.left() + left, line.center().y() - thick / 2, max(10.0, right - left), thick)
            _draw_bar(painter, track, item.value / whole, item.colour, 1.0, 4)

    def readings(self, area: QRectF) -> list[Reading]:
        return [
            Reading(QPointF(line.center()), item.label, item.words, line)
            for item, line in zip(self._items, self._lines(area), strict=True)
        ]

    def data_rows(self) -> export.Rows:
        return export.Rows(["name", "value"], [[item.label, item.value] for item in self._items])

    def describe(self) -> str:
        return ", ".join(f"{item.label} {item.words}" for item in self._items) + "."

    def sizeHint(self) -> QSize:
        # Without bars there is a sentence.
        return QSize(260, theme().px(29) * len(self._items) if self._items else theme().px(48))

    def minimumSizeHint(self) -> QSize:
        return QSize(160, self.sizeHint().height())
