"""Ctrl+K: type a few letters, get to any action, screen, template, node or run.

Absent on purpose: fetching. A source answers from memory, within a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QColor,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from studio.ui import icons
from studio.ui.faults import guarded
from studio.ui.shell.actions import ActionRegistry, shortcut_text
from studio.ui.shell.fuzzy import match
from studio.ui.shell.top_bar import COMMAND_HINT
from studio.ui.theme import theme
from studio.ui.tokens import RADIUS_CARD
from studio.ui.widgets.labels import Text

_SHOWN_MAX = 50
_VISIBLE_ROWS = 9
Index: TypeAlias = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Something the palette can lead to."""

    title: str
    run: Callable[[], object]
    group: str = ""
    icon: str = "arrow-right"
    shortcut: str = ""
    keywords: str = ""


Source: TypeAlias = Callable[[str], Sequence[Found]]
"""Query → candidates. It may narrow them by the query; the palette ranks them all the same way."""


@dataclass(frozen=True, slots=True)
class Ranked:
    found: Found
    score: int
    positions: tuple[int, ...]


def rank(query: str, candidates: Sequence[Found]) -> list[Ranked]:
    """Best first; equal ones in the given order. A hit in title beats one in group or keywords."""
    ranked: list[Ranked] = []
    for found in candidates:
        direct = match(query, found.title)
        if direct is not None:
            ranked.append(Ranked(found, direct.score + 20, direct.positions))
            continue
        around = match(query, f"{found.group} {found.title} {found.keywords}")
        if around is not None:
            ranked.append(Ranked(found, around.score, ()))
    ranked.sort(key=lambda item: -item.score)
    return ranked[:_SHOWN_MAX]


class _Results(QAbstractListModel):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Ranked] = []

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        found = self.rows[index.row()].found
        if role == Qt.ItemDataRole.DisplayRole:
            return found.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(part for part in (found.title, found.group, found.shortcut) if part)
        return None

    def replace(self, rows: list[Ranked]) -> None:
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()


class _ResultPainter(QStyledItemDelegate):
    """Icon, title with the matched letters in bold, group and shortcut at the right."""

    def __init__(self, view: QListView, results: _Results) -> None:
        super().__init__(view)
        self._results = results

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(200, theme().px(36))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        ranked = self._results.rows[index.row()]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(option.rect).adjusted(6, 1, -6, -1)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme().colour("accent_soft" if chosen else "hover"))
            painter.drawRoundedRect(area, 8, 8)
        size = theme().px(16)
        ink = "accent_text" if chosen else "text_muted"
        icons.draw(painter, QPointF(area.left() + 12 + size / 2, area.center().y()), ranked.found.icon, ink, size)
        words = area.adjusted(24 + size, 0, -12, 0)
        words.setRight(self._paint_end(painter, words, ranked.found) - 10)
        self._paint_title(painter, words, ranked)
        painter.restore()

    def _paint_end(self, painter: QPainter, words: QRectF, found: Found) -> float:
        painter.setFont(theme().font("secondary"))
        painter.setPen(theme().colour("text_muted"))
        end = "   ".join(part for part in (found.group, shortcut_text(found.shortcut)) if part)
        painter.drawText(words, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, end)
        return words.right() - QFontMetrics(painter.font()).horizontalAdvance(end)

    def _paint_title(self, painter: QPainter, words: QRectF, ranked: Ranked) -> None:
        plain, bold = theme().font("body"), theme().font("strong")
        title, x = ranked.found.title, words.left()
        matched = set(ranked.positions)
        painter.setPen(theme().colour("text"))
        start = 0
        while start < len(title):
            end = start
            while end < len(title) and (end in matched) == (start in matched):
                end += 1
            font = bold if start in matched else plain
            painter.setFont(font)
            room = words.right() - x
            piece = QFontMetrics(font).elidedText(title[start:end], Qt.TextElideMode.ElideRight, int(room))
            painter.drawText(QRectF(x, words.top(), room, words.height()), Qt.AlignmentFlag.AlignVCenter, piece)
            x += QFontMetrics(font).horizontalAdvance(piece)
            if piece != title[start:end]:
                return
            start = end


class CommandPalette(QWidget):
    """Covers its parent with a veil; the list stands in the upper middle. Escape or a click beside it closes it."""

    def __init__(self, parent: QWidget, registry: ActionRegistry) -> None:
        super().__init__(parent)
        self._host = parent
        self._registry = registry
        self._sources: list[Source] = []
        self._before: QWidget | None = None
        self.field = QLineEdit()
        self.field.setPlaceholderText(COMMAND_HINT)
        self.field.setAccessibleName("Command or search")
        self.results = QListView()
        self._model = _Results()
        self._nothing = Text("Nothing found. Try fewer letters.", "body", "muted", align=Qt.AlignmentFlag.AlignHCenter)
        self._frame = self._make_frame()
        self.field.textChanged.connect(guarded(self._search))
        self.field.installEventFilter(self)
        self.results.clicked.connect(self._run_index)
        parent.installEventFilter(self)
        self.hide()

    def _make_frame(self) -> QFrame:
        frame = _Frame(self)
        box = QVBoxLayout(frame)
        box.setContentsMargins(12, 12, 12, 10)
        box.setSpacing(8)
        self.results.setModel(self._model)
        self.results.setItemDelegate(_ResultPainter(self.results, self._model))
        self.results.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.results.setMouseTracking(True)
        self.results.setAccessibleName("Results")
        for widget in (self.field, self.results, self._nothing):
            box.addWidget(widget)
        return frame

    def add_source(self, source: Source) -> None:
        self._sources.append(source)

    def open(self, query: str = "") -> None:
        self._before = self.window().focusWidget()
        self.setGeometry(self._host.rect())
        self.show()
        self.raise_()
        self.field.setText(query)
        self._search(query)
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def close_it(self) -> None:
        self.hide()
        if self._before is not None and isValid(self._before):
            self._before.setFocus(Qt.FocusReason.OtherFocusReason)

    def titles(self) -> list[str]:
        """What is listed now, best first."""
        return [ranked.found.title for ranked in self._model.rows]

    def _candidates(self, query: str) -> list[Found]:
        found = [
            Found(
                title=action.title,
                run=action.run,
                group=action.group,
                icon=action.icon or "command",
                shortcut=action.shortcut,
                keywords=action.keywords,
            )
            for action in self._registry.all()
            if action.is_enabled()
        ]
        for source in self._sources:
            # One broken source must not take the commands with it.
            found.extend(guarded(source)(query) or ())
        return found

    def _search(self, query: str) -> None:
        self._model.replace(rank(query, self._candidates(query)))
        self._choose(0)
        empty = not self._model.rows
        self._nothing.setVisible(empty)
        self.results.setVisible(not empty)
        self._place()

    def _choose(self, number: int) -> None:
        if not self._model.rows:
            return
        number %= len(self._model.rows)
        index = self._model.index(number)
        self.results.setCurrentIndex(index)
        words = str(self._model.data(index, Qt.ItemDataRole.AccessibleTextRole))
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self.field, words))

    def _run_index(self, index: Index) -> None:
        if not index.isValid():
            return
        run = self._model.rows[index.row()].found.run
        self.close_it()
        guarded(run)()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not vars(self):  # Python is taking a closed window apart; on 3.11 an error here would end the program
            return False
        if watched is self._host and event.type() == QEvent.Type.Resize and self.isVisible():
            self.setGeometry(self._host.rect())
            self._place()
        if watched is self.field and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._handle_key(Qt.Key(event.key()))
        return super().eventFilter(watched, event)

    def _handle_key(self, key: Qt.Key) -> bool:
        row = self.results.currentIndex().row()
        moves = {Qt.Key.Key_Down: row + 1, Qt.Key.Key_Up: row - 1}
        pages = {Qt.Key.Key_PageDown: row + _VISIBLE_ROWS, Qt.Key.Key_PageUp: row - _VISIBLE_ROWS}
        if key in moves:
            self._choose(moves[key])
        elif key in pages:
            self._choose(max(0, min(len(self._model.rows) - 1, pages[key])))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._run_index(self.results.currentIndex())
        elif key == Qt.Key.Key_Escape:
            self.close_it()
        else:
            return key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab)
        return True

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self._frame.geometry().contains(event.position().toPoint()):
            self.close_it()

    def _place(self) -> None:
        width = min(theme().px(600), self.width() - 40)
        rows = min(_VISIBLE_ROWS, max(1, len(self._model.rows)))
        height = self.field.sizeHint().height() + rows * theme().px(36) + 38
        self._frame.setGeometry(QRect((self.width() - width) // 2, 64, width, min(height, self.height() - 90)))

    def paintEvent(self, _event: QPaintEvent) -> None:
        veil = QColor(theme().colour("shadow"))
        veil.setAlphaF(0.28 if theme().palette.scheme == "light" else 0.5)
        QPainter(self).fillRect(self.rect(), veil)


class _Frame(QFrame):
    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme().colour("border"), 1))
        painter.setBrush(theme().colour("surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS_CARD, RADIUS_CARD)
