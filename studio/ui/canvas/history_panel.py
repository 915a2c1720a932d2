"""The History tab of the drawer: what was done in this session, and the states kept, to be compared and restored.

Absent on purpose: reading the states; whoever shows the page hands them in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from studio.ui.canvas.document import Document
from studio.ui.theme import theme
from studio.ui.widgets import LinkButton, SecondaryButton, Tabs, Text
from studio.ui.widgets.layout import row
from studio.ui.widgets.reflow import flowing

_REF = Qt.ItemDataRole.UserRole
_REFRESH_MS = 400


@dataclass(frozen=True, slots=True)
class State:
    """An earlier state as the list shows it. `is_kept`: a person gave it a name, or a run ran it."""

    ref: str
    at: datetime
    words: str
    is_kept: bool = False


class HistoryPanel(QWidget):
    """Signals: `states_wanted` when the list shall be brought up to date, `compare_wanted(ref)` with an earlier state,
    empty to end comparing; `restore_wanted(ref)`, `keep_wanted(name)`, `node_wanted(node_id)`.
    """

    states_wanted = Signal()
    compare_wanted = Signal(str)
    restore_wanted = Signal(str)
    keep_wanted = Signal(str)
    node_wanted = Signal(str)

    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document
        self._ref = ""
        self._filling = False
        self._read_only = False
        self.session = _list("What was done in this session")
        self.states = _list("Earlier states")
        self.differences = _list("What is different from then")
        self.name = QLineEdit()
        self.name.setPlaceholderText("Name this state")
        self.name.setAccessibleName("Name to keep the present state under")
        self.keep = SecondaryButton("Keep", self._keep)
        self.restore = SecondaryButton("Restore this state", lambda: self.restore_wanted.emit(self._ref))
        self.told = Text("", "secondary", "muted")
        self._compared = self._compared_part()
        self.tabs = Tabs("History", {"This session": _padded(self.session), "Earlier": self._earlier_part()})
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.tabs)
        self._timer = QTimer(self, singleShot=True, interval=_REFRESH_MS)
        self._connect()
        self._show_session()

    def _connect(self) -> None:
        self._document.stack.indexChanged.connect(self._edited)
        self._timer.timeout.connect(self.states_wanted)
        self.tabs.currentChanged.connect(lambda _tab: self._timer.start(0))
        self.session.currentRowChanged.connect(self._go_to)
        self.states.currentItemChanged.connect(self._compare)
        self.differences.itemActivated.connect(self._show_different)
        self.differences.itemClicked.connect(self._show_different)
        self.name.returnPressed.connect(self._keep)
        self.name.textChanged.connect(lambda text: self.keep.setEnabled(bool(text.strip())))
        self.keep.setEnabled(False)

    def _earlier_part(self) -> QWidget:
        part = QWidget()
        box = QVBoxLayout(part)
        box.setContentsMargins(10, 10, 10, 10)
        box.setSpacing(8)
        named = row(self.name, self.keep, spacing=6)
        named.setStretch(0, 1)
        box.addLayout(named)
        box.addWidget(self.states, 3)
        box.addWidget(self._compared, 2)
        return part

    def _compared_part(self) -> QWidget:
        part = QWidget()
        box = QVBoxLayout(part)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(6)
        box.addWidget(self.told)
        box.addWidget(self.differences, 1)
        box.addWidget(flowing(self.restore, LinkButton("Stop comparing", self.stop_comparing)))
        part.hide()
        return part

    def set_read_only(self, read_only: bool) -> None:
        self._read_only = read_only
        for widget in (self.restore, self.name, self.session):
            widget.setEnabled(not read_only)

    def set_states(self, states: Sequence[State]) -> None:
        """The earlier states, the last one first; answer to `states_wanted`."""
        self._filling = True
        self.states.clear()
        for state in states:
            item = QListWidgetItem(f"{state.words}\n{state.at.day} {state.at:%b %Y, %H:%M} UTC")
            item.setData(_REF, state.ref)
            if state.is_kept:
                item.setFont(theme().font("strong"))
            item.setToolTip(state.ref)
            self.states.addItem(item)
            if state.ref == self._ref:
                self.states.setCurrentItem(item)
        self._filling = False

    def show_differences(self, ref: str, lines: Sequence[tuple[str, str]]) -> None:
        """(node id or "", words) of each difference between a state and the present one."""
        self._ref = ref
        self.differences.clear()
        for node_id, words in lines:
            item = QListWidgetItem(words)
            item.setData(_REF, node_id)
            self.differences.addItem(item)
        number = len(lines)
        self.told.setText(
            f"{number} {'thing is' if number == 1 else 'things are'} different since then."
            if number
            else "The workflow is as it was then."
        )
        self.restore.setEnabled(bool(number) and not self._read_only)
        self._compared.show()

    def stop_comparing(self) -> None:
        """The canvas shows the present state without marks."""
        if self._ref or self._compared.isVisible():
            self._ref = ""
            self._compared.hide()
            self._filling = True
            self.states.setCurrentItem(None)
            self._filling = False
            self.compare_wanted.emit("")

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show_session()
        self.states_wanted.emit()

    def _edited(self, _index: int) -> None:
        if self.isVisible():
            self._show_session()
            self._timer.start(_REFRESH_MS)

    def _show_session(self) -> None:
        stack = self._document.stack
        self._filling = True
        self.session.clear()
        for number in range(stack.count() + 1):
            item = QListWidgetItem(stack.text(number - 1) if number else "As it was opened")
            if number > stack.index():
                item.setForeground(theme().colour("text_muted"))
                item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{item.text()}, undone")
            self.session.addItem(item)
        self.session.setCurrentRow(stack.index())
        self._filling = False

    def _go_to(self, number: int) -> None:
        if not self._filling and number >= 0 and not self._read_only:
            self._document.go_to(number)

    def _compare(self, item: QListWidgetItem | None) -> None:
        if not self._filling and item is not None:
            self.compare_wanted.emit(item.data(_REF))

    def _show_different(self, item: QListWidgetItem) -> None:
        if item.data(_REF):
            self.node_wanted.emit(item.data(_REF))

    def _keep(self) -> None:
        name = self.name.text().strip()
        if name:
            self.name.clear()
            self.keep_wanted.emit(name)


def _padded(content: QWidget) -> QWidget:
    holder = QWidget()
    box = QVBoxLayout(holder)
    box.setContentsMargins(10, 10, 10, 10)
    box.addWidget(content)
    return holder


def _list(name: str) -> QListWidget:
    made = QListWidget()
    made.setFrameShape(QFrame.Shape.NoFrame)
    made.setAccessibleName(name)
    made.setWordWrap(True)
    made.setSpacing(2)
    made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    made.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    return made
