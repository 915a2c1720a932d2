"""A column of a `Table`: how one cell is read, written and painted.

Absent on purpose: widgets inside cells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView

from studio.ui.icons import draw
from studio.ui.numbers import NOTHING, count
from studio.ui.theme import theme
from studio.ui.tokens import Tone

R = TypeVar("R")
CELL_PAD = 10
_DOT_SPACE = 14
_ICON = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Column(Generic[R]):
    """One column. `value` is what is sorted, copied and exported; `text` what is shown (default: figures with commas).

    `tone`, `dot` (a colour name), `icon` (a glyph in the dot's colour, in its place) and `bold` may depend on the row.
    `width`: by its content, or the rest of the place.
    """

    title: str
    value: Callable[[R], object]
    text: Callable[[R], str] | None = None
    numeric: bool = False
    tone: Callable[[R], Tone] | None = None
    dot: Callable[[R], str] | None = None
    icon: Callable[[R], str] | None = None
    bold: Callable[[R], bool] | None = None
    width: Literal["content", "stretch"] = "content"
    help: str = ""

    def shown(self, row: R) -> str:
        if self.text is not None:
            return self.text(row)
        value = self.value(row)
        if value is None:
            return NOTHING
        return count(value) if self.numeric and isinstance(value, int | float) else str(value)


class CellPainter(QStyledItemDelegate):
    """Reads the column's `tone`, `dot` and `bold` for the row it paints."""

    def __init__(self, table: QTableView, columns: Sequence[Column[Any]]) -> None:
        super().__init__(table)
        self._columns = columns

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        column, row = self._columns[index.column()], index.data(Qt.ItemDataRole.UserRole)
        painter.save()
        self._paint_ground(painter, option, index)
        inner = option.rect.adjusted(CELL_PAD, 0, -CELL_PAD, 0)
        if column.dot is not None:
            self._paint_mark(painter, inner, column, row)
            inner.adjust(_mark_space(column), 0, 0, 0)
        font = self._font(column, row)
        painter.setFont(font)
        painter.setPen(theme().tone(column.tone(row) if column.tone is not None else "default"))
        text = QFontMetrics(font).elidedText(column.shown(row), Qt.TextElideMode.ElideRight, inner.width())
        side = Qt.AlignmentFlag.AlignRight if column.numeric else Qt.AlignmentFlag.AlignLeft
        painter.drawText(inner, side | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, text)
        painter.restore()

    def _paint_mark(self, painter: QPainter, inner: QRect, column: Column[Any], row: object) -> None:
        assert column.dot is not None, "a glyph has the colour of a dot"
        colour, middle = theme().colour(column.dot(row)), inner.center().y() + 1
        if column.icon is not None:
            size = theme().px(_ICON)
            draw(painter, QPointF(inner.left() + size / 2, middle), column.icon(row), colour, size)
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(QPointF(inner.left() + theme().px(4), middle), theme().px(4), theme().px(4))

    def width_of(self, column: Column[Any], rows: Sequence[object]) -> int:
        """The widest of these cells, without padding."""
        return _mark_space(column) + max(
            (QFontMetrics(self._font(column, row)).horizontalAdvance(column.shown(row)) for row in rows), default=0
        )

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        column, row = self._columns[index.column()], index.data(Qt.ItemDataRole.UserRole)
        return QSize(self.width_of(column, [row]) + 2 * CELL_PAD, option.rect.height() or theme().px(33))

    def _font(self, column: Column[Any], row: object) -> QFont:
        strong = column.bold is not None and column.bold(row)
        return theme().font("strong" if strong else "body", tabular=column.numeric)

    def _paint_ground(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        rect = option.rect
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, theme().colour("accent_soft"))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, theme().colour("hover"))
        if index.row() < index.model().rowCount() - 1:
            painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, theme().colour("hairline"))
        focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
        if focused and option.widget is not None and option.widget.property("keyFocus"):
            painter.setPen(QPen(theme().colour("accent"), 2))
            painter.drawRect(QRect(rect.left() + 1, rect.top() + 1, rect.width() - 2, rect.height() - 3))


def _mark_space(column: Column[Any]) -> int:
    """What a dot or glyph takes away from the text."""
    if column.dot is None:
        return 0
    return theme().px(_DOT_SPACE) if column.icon is None else theme().px(_ICON) + 6
