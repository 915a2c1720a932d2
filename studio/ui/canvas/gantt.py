"""Bars of steps over the run's clock, with the line that marks the instant looked at.

Painted by one widget, only the lines in sight. Absent on purpose: knowing events; it is given spans.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip

from studio.ui.canvas.history import Span
from studio.ui.canvas.words import moment
from studio.ui.focus import paint_ring
from studio.ui.numbers import duration
from studio.ui.theme import theme
from studio.ui.tokens import STATES

_ROW = 24
_BAR = 18
_AXIS = 24
_BAR_LEAST = 5.0
_LABEL_SHARE = 0.28
_TICKS = 6
_QUIET, _QUIETER = 0.32, 0.14
"""Opacity of a bar while somebody stood at the step, and while it only could still be reached."""
_DEED_WIDTH = 3.0


class Gantt(QAbstractScrollArea):
    """`moved(datetime)` while the person drags the mark, `row_chosen(node_id)` on a click into a label."""

    moved = Signal(object)
    row_chosen = Signal(str)
    stepped = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName("Timeline of the run")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self._rows: Sequence[tuple[str, str]] = ()
        self._spans: Mapping[str, Sequence[Span]] = {}
        self._deeds: Mapping[str, Sequence[datetime]] = {}
        self._start: datetime | None = None
        self._end: datetime | None = None
        self._mark: datetime | None = None
        self._chosen = ""
        theme().changed.connect(self._measure)

    def set_rows(self, rows: Sequence[tuple[str, str]]) -> None:
        """(node id, name) from top to bottom."""
        self._rows = rows
        self._measure()

    def set_spans(
        self,
        spans: Mapping[str, Sequence[Span]],
        deeds: Mapping[str, Sequence[datetime]],
        start: datetime | None,
        end: datetime | None,
    ) -> None:
        """Spans, and moments at which something was done, by node, over a time from `start` to `end`."""
        self._spans, self._deeds, self._start, self._end = spans, deeds, start, end
        self.viewport().update()

    def set_mark(self, at: datetime | None) -> None:
        """The instant looked at."""
        self._mark = at
        self.viewport().update()

    def set_chosen(self, node_id: str | None) -> None:
        self._chosen = node_id or ""
        self.viewport().update()

    def bars(self) -> list[tuple[str, str, QRectF]]:
        """Node id, state and place of every bar, in the coordinates of the widget scrolled to its top."""
        return [
            (node_id, span.state, self._bar(number, span))
            for number, (node_id, _name) in enumerate(self._rows)
            for span in self._spans.get(node_id, ())
        ]

    def _measure(self) -> None:
        bar = self.verticalScrollBar()
        bar.setSingleStep(self._row_height())
        bar.setPageStep(self.viewport().height())
        bar.setRange(0, max(0, len(self._rows) * self._row_height() + self._axis_height() - self.viewport().height()))
        self.viewport().update()

    def _row_height(self) -> int:
        return theme().px(_ROW)

    def _axis_height(self) -> int:
        return theme().px(_AXIS)

    def _label_width(self) -> int:
        return max(theme().px(90), min(theme().px(190), round(self.viewport().width() * _LABEL_SHARE)))

    def _track(self) -> tuple[float, float]:
        left = self._label_width() + 10
        return left, max(10.0, self.viewport().width() - left - 16)

    def _x(self, at: datetime) -> float:
        left, width = self._track()
        assert self._start is not None
        assert self._end is not None
        whole = self._end - self._start
        return left + width * min(1.0, max(0.0, (at - self._start) / whole if whole else 1.0))

    def _moment(self, x: float) -> datetime | None:
        if self._start is None or self._end is None:
            return None
        left, width = self._track()
        return self._start + (self._end - self._start) * min(1.0, max(0.0, (x - left) / width))

    def _bar(self, number: int, span: Span) -> QRectF:
        x = self._x(span.start)
        right = self._x(span.end if span.end is not None else self._end or span.start)
        height = theme().px(_BAR)
        y = self._axis_height() + number * self._row_height() + (self._row_height() - height) / 2
        width = max(_BAR_LEAST, right - x)
        left, whole = self._track()
        return QRectF(min(x, left + whole - width), y, width, height)

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self._measure()

    def sizeHint(self) -> QSize:
        return QSize(600, self._axis_height() + 7 * self._row_height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(event.rect(), theme().colour("surface"))
        offset = self.verticalScrollBar().value()
        first = max(0, (offset - self._axis_height()) // self._row_height())
        last = min(len(self._rows), (offset + self.viewport().height()) // self._row_height() + 1)
        painter.translate(0, -offset)
        for number in range(first, last):
            self._paint_row(painter, number)
        painter.translate(0, offset)
        if self._start is not None and self._end is not None:
            self._paint_axis(painter)
            self._paint_mark(painter)
        paint_ring(painter, self, QRectF(self.viewport().rect()), 4)

    def _paint_row(self, painter: QPainter, number: int) -> None:
        node_id, name = self._rows[number]
        top = self._axis_height() + number * self._row_height()
        label = QRect(16, top, self._label_width() - 16, self._row_height())
        font = theme().font("secondary")
        painter.setFont(font)
        painter.setPen(theme().colour("text" if node_id == self._chosen else "text_muted"))
        shown = QFontMetrics(font).elidedText(name, Qt.TextElideMode.ElideRight, label.width())
        painter.drawText(label, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
        left, width = self._track()
        height = theme().px(_BAR)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().colour("sunken"))
        painter.drawRoundedRect(QRectF(left, top + (self._row_height() - height) / 2, width, height), 4, 4)
        for span in self._spans.get(node_id, ()) if self._start is not None else ():
            bar = self._bar(number, span)
            radius = min(4.0, bar.width() / 2)
            painter.setBrush(theme().colour(f"state.{span.state}", _QUIETER if span.state == "passed" else _QUIET))
            painter.drawRoundedRect(bar, radius, radius)
            painter.setBrush(theme().colour(f"state.{span.state}"))
            if bar.width() <= _BAR_LEAST:
                painter.drawRoundedRect(bar, radius, radius)
            else:
                painter.drawRects(self._busy(node_id, bar))

    def _busy(self, node_id: str, bar: QRectF) -> list[QRectF]:
        """The parts of a bar in which the step did something; between them it only waited."""
        deeds = self._deeds.get(node_id, ())
        columns = sorted({int(x) for at in deeds if bar.left() - 1 <= (x := self._x(at)) <= bar.right() + 1})
        found: list[QRectF] = []
        for column in columns:
            if found and column <= found[-1].right() + 1:
                found[-1].setRight(column + _DEED_WIDTH)
            else:
                found.append(QRectF(column, bar.top(), _DEED_WIDTH, bar.height()))
        return [part.intersected(bar) for part in found]

    def _paint_axis(self, painter: QPainter) -> None:
        assert self._start is not None
        assert self._end is not None
        left, width = self._track()
        font = theme().font("caption")
        metrics = QFontMetrics(font)
        painter.fillRect(0, 0, self.viewport().width(), self._axis_height(), theme().colour("surface"))
        painter.setFont(font)
        painter.setPen(theme().colour("text_muted"))
        whole = self._end - self._start
        ticks = max(1, min(_TICKS, int(width // theme().px(110))))
        for number in range(ticks + 1):
            words = "start" if number == 0 else duration(whole * number / ticks)
            x = left + width * number / ticks
            shift = 0 if number == 0 else metrics.horizontalAdvance(words) * (1 if number == ticks else 0.5)
            painter.drawText(QPointF(x - shift, self._axis_height() - metrics.descent() - 7), words)
            if whole <= timedelta(0):
                break

    def _paint_mark(self, painter: QPainter) -> None:
        if self._mark is None:
            return
        x = self._x(self._mark)
        painter.setPen(QPen(theme().colour("accent"), 2))
        painter.drawLine(QPointF(x, self._axis_height() - 3), QPointF(x, self.viewport().height()))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().colour("accent"))
        painter.drawEllipse(QPointF(x, self._axis_height() - 2), 3.5, 3.5)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.position().x() < self._label_width():
            number = self._row_at(event.position().y())
            if number is not None:
                self.row_chosen.emit(self._rows[number][0])
            return
        self._drag(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton and event.position().x() >= self._label_width():
            self._drag(event.position().x())

    def _drag(self, x: float) -> None:
        at = self._moment(x)
        if at is not None:
            self.moved.emit(at)

    def _row_at(self, y: float) -> int | None:
        number = int((y + self.verticalScrollBar().value() - self._axis_height()) // self._row_height())
        return number if 0 <= number < len(self._rows) and y >= self._axis_height() else None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        ends = {Qt.Key.Key_Home: self._start, Qt.Key.Key_End: self._end}
        if event.key() in steps:
            self.stepped.emit(steps[Qt.Key(event.key())])
        elif event.key() in ends:
            if ends[Qt.Key(event.key())] is not None:
                self.moved.emit(ends[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def viewportEvent(self, event) -> bool:
        if isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self._tip(event), self.viewport())
            return True
        return super().viewportEvent(event)

    def _tip(self, event: QHelpEvent) -> str:
        number = self._row_at(event.pos().y())
        if number is None or self._start is None:
            return ""
        place = QPointF(event.pos().x(), event.pos().y() + self.verticalScrollBar().value())
        node_id, name = self._rows[number]
        for span in self._spans.get(node_id, ()):
            if self._bar(number, span).adjusted(-2, 0, 2, 0).contains(place):
                end = span.end or self._end or span.start
                took = duration(end - span.start)
                return f"{name}: {STATES[span.state].word}\n{moment(span.start)} · {took} on the run's clock"
        return name
