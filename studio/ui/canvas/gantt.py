"""Bars of steps over the run's clock, with the line that marks the instant looked at; it zooms into any part of a run.

Painted by one widget, only the lines and the time in sight. Absent on purpose: knowing events; it is given spans.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip

from studio.ui.canvas.history import Span
from studio.ui.canvas.time_window import TimeWindow
from studio.ui.canvas.words import moment
from studio.ui.focus import paint_ring
from studio.ui.numbers import duration, plural
from studio.ui.theme import theme
from studio.ui.tokens import STATES
from studio.ui.widgets import IconButton

_ROW = 24
_BAR = 18
_AXIS = 24
_BAR_LEAST = 5.0
_LABEL_SHARE, _LABEL_SHARE_MORE = 0.28, 0.1
"""Of the width, for the names; more with text of 200 %."""
_TICKS = 6
_QUIET, _QUIETER = 0.32, 0.14
"""Opacity of a bar while somebody stood at the step, and while it only could still be reached."""
_DEED_WIDTH = 3.0
_ZOOM_STEP = 1.5
_PAN_STEP = 0.25
_SLIDER = 1_000
"""Steps of the bar below in what is in sight."""


class Gantt(QAbstractScrollArea):
    """`moved(datetime)` while the person drags the mark, `row_chosen(node_id)` on a click into a label.

    Ctrl and the wheel, pinching, + and − zoom; a double click on a bar shows just that; 0 shows the whole run again.
    """

    moved = Signal(object)
    row_chosen = Signal(str)
    stepped = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName("Timeline of the run")
        self.setAccessibleDescription("Arrow keys: the moments of the run. + and −: zoom. 0: the whole run.")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self._rows: Sequence[tuple[str, str]] = ()
        self._spans: Mapping[str, Sequence[Span]] = {}
        self._deeds: Mapping[str, Sequence[datetime]] = {}
        self._window: TimeWindow | None = None
        self._is_sliding = False
        self._mark: datetime | None = None
        self._chosen = ""
        self._ground: QPixmap | None = None
        """Names and empty rows as they stand now: all that stays the same while a run goes on."""
        self.closer = IconButton("zoom-in", "Zoom into the timeline (+)", lambda: self.zoom_by(_ZOOM_STEP), size=14)
        self.farther = IconButton(
            "zoom-out", "Zoom out of the timeline (−)", lambda: self.zoom_by(1 / _ZOOM_STEP), size=14
        )
        self.whole = IconButton("maximize", "The whole run (0)", self.show_whole, size=14)
        for button in self._buttons():
            button.setParent(self)
        self.horizontalScrollBar().valueChanged.connect(self._slide_to)
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
        self._spans, self._deeds = spans, deeds
        if start is None or end is None:
            self._show_window(None)
        else:
            known = self._window or TimeWindow(start, end)
            self._show_window(known.of_run(start, end))

    def set_mark(self, at: datetime | None, *, follow: bool = False) -> None:
        """The instant looked at; `follow`: where only a part of the run is in sight, that goes along with it."""
        if follow and at is not None and at != self._mark and self._window is not None:
            self._show_window(self._window.showing(at))
        self._mark = at
        self.viewport().update()

    def zoom_by(self, factor: float, at: datetime | None = None) -> None:
        """Closer to a moment: to `at`, else to the mark while it is in sight, else to the middle."""
        if self._window is None:
            return
        if at is None:
            is_seen = self._mark is not None and 0 <= self._window.share_of(self._mark) <= 1
            at = self._mark if is_seen else self._window.moment_at(0.5)
        assert at is not None
        self._show_window(self._window.zoomed(factor, at))

    def show_whole(self) -> None:
        """All of the run."""
        if self._window is not None:
            self._show_window(TimeWindow(self._window.start, self._window.end))

    def seen(self) -> tuple[datetime, datetime] | None:
        """First and last moment in sight; None without a run."""
        return self._window.seen if self._window is not None else None

    def _show_window(self, window: TimeWindow | None) -> None:
        self._window = window
        bar = self.horizontalScrollBar()
        # Its signals stay on: the area learns from them whether the bar is needed.
        self._is_sliding = True
        if window is None or window.begin is None or window.span is None:
            bar.setRange(0, 0)
        else:
            bar.setPageStep(_SLIDER)
            bar.setSingleStep(_SLIDER // 10)
            bar.setRange(0, round(_SLIDER * ((window.end - window.start - window.span) / window.span)))
            bar.setValue(round(_SLIDER * ((window.begin - window.start) / window.span)))
        self._is_sliding = False
        is_whole = window is None or window.is_whole
        for button in self._buttons():
            button.setVisible(window is not None and window.end > window.start)
        self.farther.setEnabled(not is_whole)
        self.whole.setEnabled(not is_whole)
        self.viewport().update()

    def _slide_to(self, value: int) -> None:
        window = self._window
        if self._is_sliding:
            return
        if window is not None and window.begin is not None and window.span is not None:
            away = (window.start + window.span * (value / _SLIDER) - window.begin) / window.span
            self._window = window.moved(away)
            self.viewport().update()

    def _buttons(self) -> tuple[IconButton, ...]:
        return self.closer, self.farther, self.whole

    def set_chosen(self, node_id: str | None) -> None:
        if node_id != self._chosen:
            self._chosen = node_id or ""
            self._ground = None
            self.viewport().update()

    def bars(self) -> list[tuple[str, str, QRectF]]:
        """Node id, state and place of every bar, in the coordinates of the widget scrolled to its top."""
        return [
            (node_id, span.state, self._bar(number, span))
            for number, (node_id, _name) in enumerate(self._rows)
            for span in self._spans.get(node_id, ())
            if self._is_seen(span)
        ]

    def _is_seen(self, span: Span) -> bool:
        if self._window is None:
            return False
        begin, end = self._window.seen
        return span.start <= end and (span.end is None or span.end >= begin)

    def _measure(self) -> None:
        bar = self.verticalScrollBar()
        bar.setSingleStep(self._row_height())
        bar.setPageStep(self.viewport().height())
        bar.setRange(0, max(0, len(self._rows) * self._row_height() + self._axis_height() - self.viewport().height()))
        x = 12
        for button in self._buttons():
            button.adjustSize()
            button.move(x, max(0, (self._axis_height() - button.height()) // 2))
            x += button.width() + 2
        self._ground = None
        self.viewport().update()

    def _row_height(self) -> int:
        return theme().px(_ROW)

    def _axis_height(self) -> int:
        return theme().px(_AXIS)

    def _label_width(self) -> int:
        share = _LABEL_SHARE + _LABEL_SHARE_MORE * (theme().text_scale - 1)
        return max(theme().px(90), min(theme().px(190), round(self.viewport().width() * share)))

    def _track(self) -> tuple[float, float]:
        left = self._label_width() + 10
        return left, max(10.0, self.viewport().width() - left - 16)

    def _x(self, at: datetime) -> float:
        left, width = self._track()
        assert self._window is not None
        return left + width * min(1.0, max(0.0, self._window.share_of(at)))

    def _moment(self, x: float) -> datetime | None:
        if self._window is None:
            return None
        left, width = self._track()
        return self._window.moment_at((x - left) / width)

    def _bar(self, number: int, span: Span) -> QRectF:
        x = self._x(span.start)
        assert self._window is not None
        right = self._x(span.end if span.end is not None else self._window.end)
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
        if self._ground is None or self._ground.devicePixelRatio() != self.devicePixelRatioF():
            self._ground = self._painted_ground()
        painter.setClipRect(event.rect())
        painter.drawPixmap(0, 0, self._ground)
        offset = self.verticalScrollBar().value()
        painter.translate(0, -offset)
        painter.setPen(Qt.PenStyle.NoPen)
        for number in self._numbers_seen():
            self._paint_bars(painter, number)
        painter.translate(0, offset)
        if self._window is not None:
            self._paint_axis(painter, self._window)
            self._paint_mark(painter, self._window)
        paint_ring(painter, self, QRectF(self.viewport().rect()), 4)

    def scrollContentsBy(self, _dx: int, _dy: int) -> None:
        self._ground = None
        self.viewport().update()

    def _numbers_seen(self) -> range:
        offset, height = self.verticalScrollBar().value(), self._row_height()
        first = max(0, (offset - self._axis_height()) // height)
        return range(first, min(len(self._rows), (offset + self.viewport().height()) // height + 1))

    def _painted_ground(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        ground = QPixmap(self.viewport().size() * ratio)
        ground.setDevicePixelRatio(ratio)
        ground.fill(theme().colour("surface"))
        painter = QPainter(ground)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(0, -self.verticalScrollBar().value())
        for number in self._numbers_seen():
            self._paint_row(painter, number)
        painter.end()
        return ground

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

    def _paint_bars(self, painter: QPainter, number: int) -> None:
        node_id, _name = self._rows[number]
        for span in self._spans.get(node_id, ()):
            if not self._is_seen(span):
                continue
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
        columns = sorted({int(x) for _at, x in self._deeds_within(node_id, bar.left() - 1, bar.right() + 1)})
        found: list[QRectF] = []
        for column in columns:
            if found and column <= found[-1].right() + 1:
                found[-1].setRight(column + _DEED_WIDTH)
            else:
                found.append(QRectF(column, bar.top(), _DEED_WIDTH, bar.height()))
        return [part.intersected(bar) for part in found]

    def _deeds_within(self, node_id: str, left: float, right: float) -> list[tuple[datetime, float]]:
        """What a step did in sight between two places, each with its own place."""
        assert self._window is not None
        begin, end = self._window.seen
        start, width = self._track()
        step = width / (end - begin).total_seconds() if end > begin else 0.0
        deeds = (at for at in self._deeds.get(node_id, ()) if begin <= at <= end)
        found = [(at, start + step * (at - begin).total_seconds() if step else start + width) for at in deeds]
        return [(at, x) for at, x in found if left <= x <= right]

    def _paint_axis(self, painter: QPainter, window: TimeWindow) -> None:
        left, width = self._track()
        font = theme().font("caption")
        metrics = QFontMetrics(font)
        painter.fillRect(0, 0, self.viewport().width(), self._axis_height(), theme().colour("surface"))
        painter.setFont(font)
        painter.setPen(theme().colour("text_muted"))
        begin, end = window.seen
        whole = end - begin
        ticks = max(1, min(_TICKS, int(width // theme().px(110))))
        for number in range(ticks + 1):
            after = begin - window.start + whole * number / ticks
            words = duration(after) if after > timedelta(0) else "start"
            x = left + width * number / ticks
            shift = 0 if number == 0 else metrics.horizontalAdvance(words) * (1 if number == ticks else 0.5)
            painter.drawText(QPointF(x - shift, self._axis_height() - metrics.descent() - 7), words)
            if whole <= timedelta(0):
                break

    def _paint_mark(self, painter: QPainter, window: TimeWindow) -> None:
        if self._mark is None or not (window.seen[0] <= self._mark <= window.seen[1]):
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

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """On a bar: just that, as wide as there is room. Beside the bars: the whole run."""
        if self._window is None or event.position().x() < self._label_width():
            return
        span = self._span_at(event.position())
        if span is None:
            self.show_whole()
        else:
            self._show_window(self._window.onto(span.start, span.end or self._window.end))

    def wheelEvent(self, event: QWheelEvent) -> None:
        turned = event.angleDelta().y() or event.angleDelta().x()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom_by(_ZOOM_STEP ** (turned / 120), self._moment(event.position().x()))
            event.accept()
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier and self._window is not None:
            self._show_window(self._window.moved(-_PAN_STEP * turned / 120))
            event.accept()
        else:
            super().wheelEvent(event)

    def _drag(self, x: float) -> None:
        at = self._moment(x)
        if at is not None:
            self.moved.emit(at)

    def _row_at(self, y: float) -> int | None:
        number = int((y + self.verticalScrollBar().value() - self._axis_height()) // self._row_height())
        return number if 0 <= number < len(self._rows) and y >= self._axis_height() else None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        zooms = {
            Qt.Key.Key_Plus: _ZOOM_STEP,
            Qt.Key.Key_Equal: _ZOOM_STEP,
            Qt.Key.Key_Minus: 1 / _ZOOM_STEP,
            Qt.Key.Key_Underscore: 1 / _ZOOM_STEP,
        }
        window = self._window
        if event.key() in steps:
            self.stepped.emit(steps[Qt.Key(event.key())])
        elif event.key() in zooms:
            self.zoom_by(zooms[Qt.Key(event.key())])
        elif event.key() == Qt.Key.Key_0:
            self.show_whole()
        elif event.key() in (Qt.Key.Key_Home, Qt.Key.Key_End):
            if window is not None:
                self.moved.emit(window.start if event.key() == Qt.Key.Key_Home else window.end)
        else:
            super().keyPressEvent(event)

    def viewportEvent(self, event) -> bool:
        if isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self._tip(event), self.viewport())
            return True
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self.zoom_by(1 + event.value(), self._moment(event.position().x()))
            return True
        return super().viewportEvent(event)

    def _span_at(self, place: QPointF) -> Span | None:
        """The bar under a point of the viewport."""
        number = self._row_at(place.y())
        if number is None:
            return None
        within = QPointF(place.x(), place.y() + self.verticalScrollBar().value())
        spans = [span for span in self._spans.get(self._rows[number][0], ()) if self._is_seen(span)]
        return next((s for s in spans if self._bar(number, s).adjusted(-2, 0, 2, 0).contains(within)), None)

    def _tip(self, event: QHelpEvent) -> str:
        place = QPointF(event.pos())
        number = self._row_at(place.y())
        if number is None or self._window is None:
            return ""
        node_id, name = self._rows[number]
        span = self._span_at(place)
        if span is None:
            return name
        took = duration((span.end or self._window.end) - span.start)
        lines = [f"{name}: {STATES[span.state].word}", f"{moment(span.start)} · {took} on the run's clock"]
        here = self._deeds_within(node_id, place.x() - _DEED_WIDTH, place.x() + _DEED_WIDTH)
        if here:
            lines.append(f"{plural(len(here), 'chunk')} handled here, from {moment(here[0][0])}")
        return "\n".join(lines)
