"""A small list to pick from by typing: the step to add, the port to connect to.

Absent on purpose: drag and groups, which the palette has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QFrame,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from studio.ui.shell.fuzzy import Match, match, match_words
from studio.ui.theme import theme
from studio.ui.tokens import RADIUS_CARD
from studio.ui.widgets import SearchField, Text

_WIDTH, _HEIGHT = 290, 320
_MARGIN = 8
_NOTE = Qt.ItemDataRole.UserRole + 1

Index: TypeAlias = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Pick:
    """One thing to pick. `words` are further ones it can be found by."""

    id: str
    title: str
    note: str = ""
    words: str = ""
    icon: QIcon | None = None


class _WithNote(QStyledItemDelegate):
    """The grey note at the right end of a line."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().paint(painter, option, index)
        painter.save()
        painter.setFont(theme().font("caption"))
        painter.setPen(theme().colour("text_muted"))
        area = option.rect.adjusted(0, 0, -8, 0)
        side = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(area, side, str(index.data(_NOTE) or ""))
        painter.restore()


class Picker(QFrame):
    """Floats over the canvas. `picked(id)`, and `on_picked` of the present opening; `closed` when it goes, picked or
    not.
    """

    picked = Signal(str)
    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.on_picked: Callable[[str], object] | None = None
        self._choices: Sequence[Pick] = ()
        self.title = Text("", "strong")
        self.search = SearchField("Type to find")
        self.list = QListWidget()
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setIconSize(QSize(theme().px(18), theme().px(18)))
        self.list.setItemDelegate(_WithNote(self.list))
        self.nothing = Text("Nothing fits.", "secondary", "muted")
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 10, 12, 10)
        box.setSpacing(8)
        for widget in (self.title, self.search, self.list, self.nothing):
            box.addWidget(widget)
        self.search.textChanged.connect(self._narrow)
        self.search.installEventFilter(self)
        self.list.itemClicked.connect(lambda _item: self._take())
        self.hide()

    def open(self, title: str, choices: Sequence[Pick], place: QPoint, beside: QRect | None = None) -> None:
        """Shows the choices near a place of the parent, not over `beside`; the keyboard goes to the search."""
        self._choices = choices
        self.title.setText(title)
        self.list.setAccessibleName(title)
        self.search.clear()
        self._narrow()
        room = self.parentWidget().rect().adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        frame = QRect(place, QSize(theme().px(_WIDTH), theme().px(_HEIGHT)).boundedTo(room.size()))
        frame.moveRight(min(frame.right(), room.right()))
        frame.moveBottom(min(frame.bottom(), room.bottom()))
        if beside is not None and frame.intersects(beside):
            # No room at its right: at its left, so that what is asked about stays in sight.
            frame.moveRight(beside.left() - _MARGIN)
        frame.moveTopLeft(QPoint(max(frame.left(), room.left()), max(frame.top(), room.top())))
        self.setGeometry(frame)
        self.show()
        self.raise_()
        self.search.setFocus(Qt.FocusReason.OtherFocusReason)

    def close_picker(self) -> None:
        if self.isVisible():
            self.hide()
            self.closed.emit()

    def _narrow(self) -> None:
        query = self.search.text()
        hits = [(_match(query, pick), number, pick) for number, pick in enumerate(self._choices)]
        found = [(hit.score, -number, pick) for hit, number, pick in hits if hit is not None]
        found.sort(key=lambda entry: entry[:2], reverse=True)
        self.list.clear()
        for _score, _number, pick in found:
            item = QListWidgetItem(pick.title)
            item.setData(_NOTE, pick.note)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{pick.title}, {pick.note}" if pick.note else pick.title)
            if pick.icon is not None:
                item.setIcon(pick.icon)
            item.setData(Qt.ItemDataRole.UserRole, pick.id)
            item.setToolTip(pick.words)
            self.list.addItem(item)
        self.list.setCurrentRow(0)
        self.nothing.setVisible(not found)
        self.list.setVisible(bool(found))

    def _take(self) -> None:
        item = self.list.currentItem()
        if item is not None:
            chosen = str(item.data(Qt.ItemDataRole.UserRole))
            self.close_picker()
            self.picked.emit(chosen)
            if self.on_picked is not None:
                self.on_picked(chosen)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not vars(self):  # Python is taking a closed window apart; on 3.11 an error here would end the program
            return False
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._key(event)
        if event.type() == QEvent.Type.FocusOut and not self.list.underMouse():
            self.close_picker()
        return super().eventFilter(watched, event)

    def _key(self, event: QKeyEvent) -> bool:
        key = event.key()
        if key == Qt.Key.Key_Escape:
            self.close_picker()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._take()
        elif key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            move = 1 if key == Qt.Key.Key_Down else -1
            self.list.setCurrentRow(max(0, min(self.list.count() - 1, self.list.currentRow() + move)))
        else:
            return False
        return True

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme().colour("border"), 1))
        painter.setBrush(theme().colour("surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS_CARD, RADIUS_CARD)


def _match(query: str, pick: Pick) -> Match | None:
    return match(query, pick.title) or match_words(query, f"{pick.title} {pick.note} {pick.words}")
