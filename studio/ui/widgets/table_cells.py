"""How one cell of a `Table` is painted: hairline below, dot before, tone, weight, figures at the right.

Absent on purpose: widgets inside cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView

from studio.ui.theme import theme

if TYPE_CHECKING:
    from studio.ui.widgets.table import Column

CELL_PAD = 10
_DOT_SPACE = 14


class CellPainter(QStyledItemDelegate):
    """Reads the column's `tone`, `dot` and `bold` for the row it paints."""

    def __init__(self, table: QTableView, columns: Sequence[Column]) -> None:
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
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme().colour(column.dot(row)))
            painter.drawEllipse(QPointF(inner.left() + 4, inner.center().y() + 1), 4, 4)
            inner.adjust(_DOT_SPACE, 0, 0, 0)
        font = self._font(column, row)
        painter.setFont(font)
        painter.setPen(theme().tone(column.tone(row) if column.tone is not None else "default"))
        text = QFontMetrics(font).elidedText(column.shown(row), Qt.TextElideMode.ElideRight, inner.width())
        side = Qt.AlignmentFlag.AlignRight if column.numeric else Qt.AlignmentFlag.AlignLeft
        painter.drawText(inner, side | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, text)
        painter.restore()

    def width_of(self, column: Column, rows: Sequence[object]) -> int:
        """The widest of these cells, without padding."""
        dot = _DOT_SPACE if column.dot is not None else 0
        return dot + max(
            (QFontMetrics(self._font(column, row)).horizontalAdvance(column.shown(row)) for row in rows), default=0
        )

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        column, row = self._columns[index.column()], index.data(Qt.ItemDataRole.UserRole)
        return QSize(self.width_of(column, [row]) + 2 * CELL_PAD, option.rect.height() or theme().px(33))

    def _font(self, column: Column, row: object) -> QFont:
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
