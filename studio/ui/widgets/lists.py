"""Lists to read and to choose from: rows with a mark, two lines and something at the right; a list with one chosen row.

Absent on purpose: thousands of rows as widgets. Long lists are a `Table` or a `ChoiceList`, which paint what shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from studio.ui.theme import theme
from studio.ui.tokens import RADIUS_CONTROL, TextRole, Tone
from studio.ui.widgets.facts import Hairline
from studio.ui.widgets.labels import Text
from studio.ui.widgets.layout import clear, column, row

Index = QModelIndex | QPersistentModelIndex


class ItemRow(QWidget):
    """A mark, a bold line, a grey line, and whatever belongs at the right."""

    def __init__(self, title: str, subtitle: str = "", *trailing: QWidget, mark: QWidget | None = None) -> None:
        super().__init__()
        self.title = Text(title, "strong")
        self.subtitle = Text(subtitle, "secondary", "muted")
        self.subtitle.setVisible(bool(subtitle))
        words = column(self.title, self.subtitle, spacing=2)
        line = row(*([mark] if mark is not None else []), words, *trailing, spacing=14)
        line.setStretch(0 if mark is None else 1, 1)
        for widget in trailing:
            line.setAlignment(widget, Qt.AlignmentFlag.AlignVCenter)
        self.setLayout(line)


class RowList(QWidget):
    """Widgets below each other with a hairline after each but the last."""

    def __init__(self, *rows: QWidget, spacing: int = 11) -> None:
        super().__init__()
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(spacing)
        for widget in rows:
            self.add(widget)

    def add(self, widget: QWidget) -> None:
        if self._box.count():
            self._box.addWidget(Hairline())
        self._box.addWidget(widget)

    def clear(self) -> None:
        clear(self._box)


@dataclass(frozen=True, slots=True)
class Choice:
    """One row of a `ChoiceList`. `trailing` stands at the right in `tone`."""

    id: str
    title: str
    subtitle: str = ""
    trailing: str = ""
    tone: Tone = "muted"


class _Choices(QAbstractListModel):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Choice] = []

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        choice = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return choice.title
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return ", ".join(part for part in (choice.title, choice.subtitle, choice.trailing) if part)
        return None

    def replace(self, rows: Sequence[Choice]) -> None:
        self.beginResetModel()
        self.rows = list(rows)
        self.endResetModel()


class _ChoicePainter(QStyledItemDelegate):
    """Two wrapped lines at the left, one note at the right, on a rounded ground when chosen."""

    PAD = 12

    def __init__(self, view: QListView, choices: _Choices) -> None:
        super().__init__(view)
        self._view = view
        self._choices = choices

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        choice = self._choices.rows[index.row()]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter, option)
        title, subtitle, trailing = self._places(choice, option.rect)
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        _write(painter, title, choice.title, "strong", "default", left)
        _write(painter, subtitle, choice.subtitle, "secondary", "muted", left)
        _write(painter, trailing, choice.trailing, "secondary", choice.tone, right)
        painter.restore()

    def sizeHint(self, _option: QStyleOptionViewItem, index: Index) -> QSize:
        width = self._view.viewport().width()
        title, subtitle, trailing = self._places(self._choices.rows[index.row()], QRect(0, 0, width, 1 << 16))
        return QSize(width, max(subtitle.bottom(), title.bottom(), trailing.bottom()) + 1 + self.PAD)

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        ground = QRectF(option.rect).adjusted(1, 1, -1, -1)
        painter.setPen(Qt.PenStyle.NoPen)
        if chosen or hovered:
            painter.setBrush(theme().colour("accent_soft" if chosen else "hover"))
            painter.drawRoundedRect(ground, RADIUS_CONTROL, RADIUS_CONTROL)
        focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
        if focused and option.widget is not None and option.widget.property("keyFocus"):
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme().colour("accent"), 2))
            painter.drawRoundedRect(ground, RADIUS_CONTROL, RADIUS_CONTROL)

    def _places(self, choice: Choice, rect: QRect) -> tuple[QRect, QRect, QRect]:
        inner = rect.adjusted(self.PAD, self.PAD - 2, -self.PAD, -self.PAD)
        small, bold = QFontMetrics(theme().font("secondary")), QFontMetrics(theme().font("strong"))
        right_width = (
            min(inner.width() * 2 // 5, small.horizontalAdvance(choice.trailing) + 2) if choice.trailing else 0
        )
        left_width = inner.width() - (right_width + 10 if right_width else 0)
        title = _wrapped(bold, choice.title, inner.x(), inner.y(), left_width)
        subtitle = _wrapped(small, choice.subtitle, inner.x(), title.bottom() + 2, left_width)
        trailing = _wrapped(small, choice.trailing, inner.right() + 1 - right_width, inner.y() + 1, right_width)
        return title, subtitle, trailing


def _write(painter: QPainter, place: QRect, text: str, role: TextRole, tone: Tone, side: Qt.AlignmentFlag) -> None:
    painter.setFont(theme().font(role))
    painter.setPen(theme().tone(tone))
    painter.drawText(place, side | Qt.TextFlag.TextWordWrap, text)


def _wrapped(metrics: QFontMetrics, text: str, x: int, y: int, width: int) -> QRect:
    if not text:
        return QRect(x, y, width, 0)
    height = metrics.boundingRect(QRect(0, 0, width, 1 << 16), Qt.TextFlag.TextWordWrap, text).height()
    return QRect(x, y, width, height)


class ChoiceList(QListView):
    """One of many, for the left side of a screen. `chosen(id)` when the person moves to another row."""

    chosen = Signal(str)

    def __init__(self, name: str) -> None:
        super().__init__()
        self._choices = _Choices()
        self.setAccessibleName(name)
        self.setModel(self._choices)
        self.setItemDelegate(_ChoicePainter(self, self._choices))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setSpacing(0)
        self.selectionModel().currentChanged.connect(self._tell)
        theme().changed.connect(self.doItemsLayout)

    def set_choices(self, choices: Sequence[Choice], value: str | None = None) -> None:
        """Replaces the rows; keeps the chosen one when it is still there. Announces nothing."""
        keep = value if value is not None else self.value
        self.selectionModel().blockSignals(True)
        self._choices.replace(choices)
        if keep is not None:
            self.set_value(keep)
        self.selectionModel().blockSignals(False)
        self.viewport().update()

    @property
    def value(self) -> str | None:
        """The chosen row's id."""
        index = self.currentIndex()
        return self._choices.rows[index.row()].id if index.isValid() and index.row() < len(self._choices.rows) else None

    def set_value(self, value: str) -> None:
        for number, choice in enumerate(self._choices.rows):
            if choice.id == value:
                self.setCurrentIndex(self._choices.index(number))

    def _tell(self, current: Index, _previous: Index) -> None:
        if current.isValid():
            self.chosen.emit(self._choices.rows[current.row()].id)
