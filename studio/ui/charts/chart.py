"""What all charts share: readout under mouse and arrow keys, description for screen readers, copy, export, table view.

A chart draws itself in `draw` and tells in `readings` which of its points can be read. Absent on purpose: zooming.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QBuffer, QEvent, QPoint, QPointF, QRect, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QContextMenuEvent,
    QFocusEvent,
    QFontMetrics,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QDialog, QMenu, QSizePolicy, QVBoxLayout, QWidget

from studio.ui import export
from studio.ui.faults import guarded
from studio.ui.focus import paint_ring
from studio.ui.theme import theme
from studio.ui.widgets.table import Table
from studio.ui.widgets.table_cells import Column

_REACH = 28.0
_EDGE = 12
_TITLE = 28
"""Around a chart and for its title in a picture of its own."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A point that can be read: where it is, its words, and the area that belongs to it (else its surroundings)."""

    at: QPointF
    title: str
    detail: str = ""
    area: QRectF | None = None


class Chart(QWidget):
    """Subclasses give `draw`, `readings`, `data_rows` and `describe`, and call `refresh` when their data changes."""

    no_data = "Nothing to show yet."

    def __init__(self, title: str) -> None:
        """`title` is the question that the chart answers; it names the chart to screen readers and in files."""
        super().__init__()
        self.title = title
        self._active: int | None = None
        self.setAccessibleName(title)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme().changed.connect(self.updateGeometry)

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """Paints the data; only called when there is some."""
        raise NotImplementedError

    def readings(self, area: QRectF) -> list[Reading]:
        """The readable points for the same area, in reading order."""
        raise NotImplementedError

    def data_rows(self) -> export.Rows:
        """The data as a table, raw values."""
        raise NotImplementedError

    def describe(self) -> str:
        """What is to be seen, in a sentence or two."""
        raise NotImplementedError

    def has_data(self) -> bool:
        return bool(self.data_rows().values)

    def refresh(self) -> None:
        """To be called after the data has changed."""
        self._active = None
        self.setAccessibleDescription(self.describe() if self.has_data() else self.no_data)
        self.updateGeometry()
        self.update()

    def area(self) -> QRectF:
        # The margin is the focus ring's.
        return QRectF(self.rect()).adjusted(3, 3, -3, -3)

    def to_image(self, scale: float = 2.0) -> QImage:
        """A picture of the chart under its title on its card's ground, without readout."""
        size = self._picture_size()
        image = QImage(round(size.width() * scale), round(size.height() * scale), QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(scale)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw_picture(painter, size)
        painter.end()
        return image

    def to_svg(self) -> bytes:
        """The chart as a scalable picture under its title on its card's ground, without readout."""
        size = self._picture_size()
        buffer = QBuffer()
        generator = QSvgGenerator()
        generator.setOutputDevice(buffer)
        generator.setSize(size)
        generator.setViewBox(QRect(QPoint(0, 0), size))
        generator.setTitle(self.title)
        painter = QPainter(generator)
        self._draw_picture(painter, size)
        painter.end()
        return bytes(buffer.data().data())

    def _picture_size(self) -> QSize:
        # Outside its card a chart needs the title that the card gave it.
        return QSize(self.width() + 2 * _EDGE, self.height() + theme().px(_TITLE) + 2 * _EDGE)

    def _draw_picture(self, painter: QPainter, size: QSize) -> None:
        painter.fillRect(QRect(QPoint(0, 0), size), theme().colour("surface"))
        painter.setFont(theme().font("subheading"))
        painter.setPen(theme().colour("text"))
        room = QRectF(_EDGE + 3, _EDGE, self.width() - 6, theme().px(_TITLE))
        shown = QFontMetrics(theme().font("subheading")).elidedText(
            self.title, Qt.TextElideMode.ElideRight, int(room.width())
        )
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, shown)
        painter.translate(_EDGE, _EDGE + theme().px(_TITLE))
        self._draw_all(painter)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw_all(painter)
        if self._active is not None:
            found = self.readings(self.area())
            if self._active < len(found):
                draw_readout(painter, self.area(), found[self._active])
        paint_ring(painter, self, QRectF(self.rect()), 6)

    def _draw_all(self, painter: QPainter) -> None:
        if self.has_data():
            self.draw(painter, self.area())
            return
        painter.setFont(theme().font("secondary"))
        painter.setPen(theme().colour("text_muted"))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(self.area().adjusted(8, 8, -8, -8), flags, self.no_data)

    @guarded
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._activate(nearest_reading(self.readings(self.area()), event.position()) if self.has_data() else None)

    def leaveEvent(self, event: QEvent) -> None:
        self._activate(None)
        super().leaveEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._activate(None)
        super().focusOutEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1}.get(
            Qt.Key(event.key())
        )
        if event.key() == Qt.Key.Key_Escape and self._active is not None:
            self._activate(None)
        elif step is None or not self.has_data():
            super().keyPressEvent(event)
        else:
            self._step(step)

    def _step(self, step: int) -> None:
        found = self.readings(self.area())
        if not found:
            return
        at = (0 if step > 0 else len(found) - 1) if self._active is None else self._active + step
        self._activate(min(len(found) - 1, max(0, at)))
        reading = found[self._active or 0]
        words = f"{reading.title}, {reading.detail}" if reading.detail else reading.title
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, words))

    def _activate(self, index: int | None) -> None:
        if index != self._active:
            self._active = index
            self.update()

    def active_reading(self) -> Reading | None:
        """What the readout shows now."""
        return None if self._active is None else self.readings(self.area())[self._active]

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu().popup(event.globalPos())

    def menu(self) -> QMenu:
        """Copy, export and the table view."""
        menu = QMenu(self)
        for words, run in (
            ("Show as table", self.show_table),
            ("Copy data", lambda: export.copy_rows(self.data_rows())),
            ("Export CSV …", lambda: export.save_csv(self, self.title, self.data_rows())),
            ("Export PNG …", lambda: export.save_png(self, self.title, self.to_image())),
            ("Export SVG …", lambda: export.save_svg(self, self.title, self.to_svg())),
        ):
            action = menu.addAction(words)
            action.setEnabled(self.has_data())
            action.triggered.connect(guarded(lambda _checked=False, run=run: run()))
        return menu

    def show_table(self) -> QDialog:
        """Opens the chart's data as a table, which is also its form for screen readers."""
        rows = self.data_rows()
        dialog = QDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(self.title)
        columns = [_column(rows, at) for at in range(len(rows.header))]
        box = QVBoxLayout(dialog)
        box.addWidget(Table(self.title, columns, [tuple(row) for row in rows.values]))
        dialog.resize(theme().px(460), theme().px(420))
        dialog.open()
        return dialog

    def sizeHint(self) -> QSize:
        return QSize(320, theme().px(200))

    def minimumSizeHint(self) -> QSize:
        return QSize(140, theme().px(80))


def _column(rows: export.Rows, at: int) -> Column[tuple[object, ...]]:
    return Column(
        title=rows.header[at],
        value=lambda row: row[at],
        text=lambda row: _cell(row[at]),
        numeric=any(isinstance(row[at], int | float) for row in rows.values),
    )


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return "" if value is None else str(value)


def nearest_reading(found: list[Reading], place: QPointF) -> int | None:
    """The reading whose area holds the place, else the nearest point within reach."""
    for index, reading in enumerate(found):
        if reading.area is not None and reading.area.contains(place):
            return index
    free = [
        ((reading.at - place).manhattanLength(), index) for index, reading in enumerate(found) if reading.area is None
    ]
    distance, index = min(free, default=(_REACH + 1, -1))
    return index if distance <= _REACH else None


def draw_readout(painter: QPainter, area: QRectF, reading: Reading, *, dot: str = "text") -> None:
    """The point and a small box with its words, kept inside the chart."""
    painter.setPen(QPen(theme().colour("surface"), 2))
    painter.setBrush(theme().colour(dot))
    if reading.area is None:
        painter.drawEllipse(reading.at, 4.5, 4.5)
    draw_box(painter, area, reading.at, reading.title, reading.detail)


def draw_box(
    painter: QPainter, area: QRectF, at: QPointF, title: str, detail: str, avoid: Sequence[QPointF] = ()
) -> QRectF:
    """A framed box with one or two lines beside a point, where it covers the fewest points to `avoid`."""
    bold, small = theme().font("caption"), theme().font("caption")
    bold.setBold(True)
    metrics, heavy = QFontMetrics(small), QFontMetrics(bold)
    width = max(heavy.horizontalAdvance(title), metrics.horizontalAdvance(detail)) + 18
    box = _free_place(area, at, QSizeF(width, metrics.height() * (2 if detail else 1) + 10), avoid)
    painter.setPen(QPen(theme().colour("border"), 1))
    painter.setBrush(theme().colour("surface"))
    painter.drawRoundedRect(box, 6, 6)
    inner = box.adjusted(9, 5, -9, -5)
    painter.setPen(theme().colour("text"))
    painter.setFont(bold)
    painter.drawText(inner, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, title)
    painter.setPen(theme().colour("text_muted"))
    painter.setFont(small)
    painter.drawText(inner, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, detail)
    return box


def _free_place(area: QRectF, at: QPointF, size: QSizeF, avoid: Sequence[QPointF]) -> QRectF:
    candidates: list[tuple[int, float, QRectF]] = []
    for below in (True, False):
        for share in (0.0, 0.5, 1.0):
            box = QRectF(QPointF(0, 0), size)
            box.moveLeft(at.x() + 10 - share * (size.width() + 20))
            box.moveTop(at.y() + 12 if below else at.y() - 12 - size.height())
            wish = box.topLeft()
            box.moveLeft(max(area.left() + 1, min(box.left(), area.right() - size.width() - 1)))
            box.moveTop(max(area.top() + 1, min(box.top(), area.bottom() - size.height() - 1)))
            covered = sum(box.adjusted(-4, -4, 4, 4).contains(point) for point in (*avoid, at))
            candidates.append((covered, (box.topLeft() - wish).manhattanLength(), box))
    return min(candidates, key=lambda candidate: candidate[:2])[2]
