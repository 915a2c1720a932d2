"""The graph as a tree of words: every node with its state, and below it where it comes from and leads to.

For screen readers, and for whoever thinks in lists; it can do what the canvas can. Absent on purpose: places.
"""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHeaderView, QMenu, QTreeWidget, QTreeWidgetItem

from studio.ui.canvas.editor import CanvasEditor
from studio.ui.canvas.navigation import reading_order
from studio.ui.canvas.palette import type_icon
from studio.ui.canvas.spoken import edge_words, state_words
from studio.ui.faults import guarded
from studio.ui.theme import theme

_NODE = Qt.ItemDataRole.UserRole
_EDGE = Qt.ItemDataRole.UserRole + 1
_REFRESH_MS = 150


class Outline(QTreeWidget):
    """Signals as of the canvas' keys: `inspect_wanted`, `add_wanted`, `connect_wanted`, each with a node id."""

    inspect_wanted = Signal(str)
    add_wanted = Signal(str)
    connect_wanted = Signal(str)

    def __init__(self, editor: CanvasEditor) -> None:
        super().__init__()
        self._editor = editor
        self._items: dict[str, QTreeWidgetItem] = {}
        self._shape: object = None
        self._filling = False
        self.setAccessibleName("Outline of the workflow")
        self.setHeaderHidden(True)
        self.setColumnCount(2)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.header().setStretchLastSection(False)
        self.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.setEditTriggers(QTreeWidget.EditTrigger.NoEditTriggers)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setIndentation(theme().px(16))
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        editor.scene.picture_changed.connect(self._changed)
        editor.selection.changed.connect(self._select)
        self.currentItemChanged.connect(self._current_changed)
        self.itemChanged.connect(self._renamed)
        self.customContextMenuRequested.connect(self._show_menu)
        theme().changed.connect(self._rebuild)

    def refresh(self) -> None:
        """Brings the tree in step with the graph and the run."""
        workflow = self._editor.workflow
        shape = (tuple(node.id for node in workflow.nodes), workflow.edges)
        if shape != self._shape:
            self._rebuild()
            return
        self._filling = True
        for node_id, item in self._items.items():
            self._write(item, node_id)
        self._filling = False

    def _changed(self) -> None:
        # Nobody sees a hidden tree; it is brought up to date when it is opened.
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    def showEvent(self, event) -> None:
        super().showEvent(event)
        self.refresh()

    def _rebuild(self) -> None:
        workflow = self._editor.workflow
        self._shape = (tuple(node.id for node in workflow.nodes), workflow.edges)
        names = {n: item.face.title for n, item in self._editor.scene.nodes.items()}
        opened = {n for n, item in self._items.items() if item.isExpanded()}
        self._filling = True
        self.clear()
        self._items = {}
        for node_id in reading_order(workflow):
            if node_id not in self._editor.scene.nodes:
                continue
            item = QTreeWidgetItem()
            item.setData(0, _NODE, node_id)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
            self._items[node_id] = item
            self.addTopLevelItem(item)
            self._write(item, node_id)
        for edge in workflow.edges:
            for node_id, leaving in ((edge.from_[0], True), (edge.to[0], False)):
                if node_id not in self._items:
                    continue
                child = QTreeWidgetItem([edge_words(names, edge, leaving=leaving)])
                child.setData(0, _NODE, edge.to[0] if leaving else edge.from_[0])
                child.setData(0, _EDGE, (edge.from_, edge.to))
                self._items[node_id].addChild(child)
                child.setFirstColumnSpanned(True)
        for node_id in opened & set(self._items):
            self._items[node_id].setExpanded(True)
        self._filling = False
        self._select()

    def _write(self, item: QTreeWidgetItem, node_id: str) -> None:
        shown = self._editor.scene.nodes.get(node_id)
        if shown is None:
            return
        state = state_words(shown.face, shown.status)
        if item.text(0) != shown.face.title:
            item.setText(0, shown.face.title)
            node_class = self._editor.document.catalogue.get(self._editor.workflow.node(node_id).type)
            if node_class is not None:
                item.setIcon(0, type_icon(node_class.declaration, theme().px(18)))
        word = shown.status.word if shown.status is not None else "" if shown.face.enabled else "off"
        if item.text(1) != word:
            item.setText(1, word)
        item.setToolTip(1, state)
        said = ", ".join(part for part in (shown.face.title, state) if part)
        item.setData(0, Qt.ItemDataRole.AccessibleTextRole, said)

    def _select(self) -> None:
        current = self._editor.selection.current or self._editor.selection.single
        item = self._items.get(current or "")
        here = self.currentItem()
        is_edge_of_selection = here is not None and here.data(0, _EDGE) in self._editor.selection.edges
        if is_edge_of_selection or (item is not None and here is not None and here.data(0, _NODE) == current):
            return
        # Nothing selected is no current row: otherwise choosing that row again would select nothing.
        self._filling = True
        self.setCurrentItem(item)
        self._filling = False

    def _current_changed(self, item: QTreeWidgetItem | None, _before: QTreeWidgetItem | None) -> None:
        if item is None or self._filling:
            return
        edge = item.data(0, _EDGE)
        if edge is not None:
            self._editor.selection.set(edges=[edge])
        else:
            self._editor.selection.set([item.data(0, _NODE)])

    def _renamed(self, item: QTreeWidgetItem, column: int) -> None:
        if not self._filling and column == 0 and item.data(0, _EDGE) is None:
            guarded(self._editor.rename)(item.data(0, _NODE), item.text(0))

    @property
    def node_id(self) -> str | None:
        """The node of the current line; for an edge the node at its other end."""
        item = self.currentItem()
        return str(item.data(0, _NODE)) if item is not None else None

    def rename(self) -> None:
        """Lets the person type another name into the current line."""
        item = self.currentItem()
        if item is not None and item.data(0, _EDGE) is None and not self._editor.read_only:
            self.editItem(item, 0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        node_id = self.node_id
        if node_id is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            super().keyPressEvent(event)
            return
        match event.key():
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self._enter(node_id)
            case Qt.Key.Key_A:
                self.add_wanted.emit(node_id)
            case Qt.Key.Key_C:
                self.connect_wanted.emit(node_id)
            case Qt.Key.Key_E:
                self._editor.toggle_enabled()
            case Qt.Key.Key_F2:
                self.rename()
            case Qt.Key.Key_Delete | Qt.Key.Key_Backspace:
                self._editor.delete_selection()
            case _:
                super().keyPressEvent(event)

    def _enter(self, node_id: str) -> None:
        item = self.currentItem()
        if item is not None and item.data(0, _EDGE) is not None and node_id in self._items:
            self.setCurrentItem(self._items[node_id])
        else:
            self.inspect_wanted.emit(node_id)

    def _show_menu(self, place: QPoint) -> None:
        node_id = self.node_id
        if node_id is None:
            return
        menu = QMenu(self)
        entries = (
            ("Settings", lambda: self.inspect_wanted.emit(node_id)),
            ("Add a step after it …", lambda: self.add_wanted.emit(node_id)),
            ("Connect to …", lambda: self.connect_wanted.emit(node_id)),
            ("Rename", self.rename),
            ("Switch on or off", self._editor.toggle_enabled),
            ("Remove", self._editor.delete_selection),
        )
        for words, run in entries:
            menu.addAction(words).triggered.connect(lambda _checked=False, run=run: guarded(run)())
        menu.popup(self.viewport().mapToGlobal(place))
