"""The graph as a tree of words: every node with its state, where it comes from and leads to; groups and notes.

For screen readers, and for whoever thinks in lists; it can do what the canvas can, by the same keys and the same menu.
Absent on purpose: places.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHeaderView, QTreeWidget, QTreeWidgetItem

from studio.domain.port_words import ways_of
from studio.ui.canvas.annotations import MarkKey
from studio.ui.canvas.edges import EdgeKey
from studio.ui.canvas.editor import CanvasEditor
from studio.ui.canvas.navigation import reading_order
from studio.ui.canvas.palette import type_icon
from studio.ui.canvas.spoken import edge_words, state_words
from studio.ui.faults import guarded
from studio.ui.theme import theme
from studio.ui.widgets import wrap_lines

_NODE = Qt.ItemDataRole.UserRole
_EDGE = Qt.ItemDataRole.UserRole + 1
_MARK = Qt.ItemDataRole.UserRole + 2
_OF_TREE = frozenset(
    (
        *(Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End),
        *(Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_Space),
        *(Qt.Key.Key_Plus, Qt.Key.Key_Minus, Qt.Key.Key_Escape),
    )
)
"""Keys by which the tree itself is walked; every other one means what it means on the canvas."""
_REFRESH_MS = 150


class Outline(QTreeWidget):
    """`inspect_wanted(node_id)`, `write_wanted(note or group)` on Enter; `menu_wanted(place on the screen)` about what
    is selected. `key_handler` is what the canvas does with keys.
    """

    inspect_wanted = Signal(str)
    write_wanted = Signal(object)
    menu_wanted = Signal(QPoint)

    def __init__(self, editor: CanvasEditor) -> None:
        self._timer: QTimer | None = None
        super().__init__()
        self._editor = editor
        self._items: dict[str, QTreeWidgetItem] = {}
        self._shape: object = None
        self._filling = False
        self.key_handler: Callable[[QKeyEvent], bool] | None = None
        self.setAccessibleName("Outline of the workflow")
        self.setHeaderHidden(True)
        self.setHeaderLabels(["Step", "State"])
        self.setSelectionMode(QTreeWidget.SelectionMode.ExtendedSelection)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.header().setStretchLastSection(False)
        self.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.setEditTriggers(QTreeWidget.EditTrigger.NoEditTriggers)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setIndentation(16)
        wrap_lines(self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        editor.scene.picture_changed.connect(self._changed)
        editor.selection.changed.connect(self._select)
        self.itemSelectionChanged.connect(self._selection_changed)
        self.itemChanged.connect(self._renamed)
        self.customContextMenuRequested.connect(self._show_menu)

    def refresh(self) -> None:
        """Brings the tree in step with the graph and the run."""
        shape = self._shape_now()
        if shape != self._shape:
            self._rebuild()
            return
        self._filling = True
        for node_id, item in self._items.items():
            self._write(item, node_id)
        self._filling = False

    def _changed(self) -> None:
        # Nobody sees a hidden tree; it is brought up to date when it is opened.
        if self.isVisible() and self._timer is not None and not self._timer.isActive():
            self._timer.start()

    def showEvent(self, event) -> None:
        super().showEvent(event)
        self.refresh()

    def changeEvent(self, event: QEvent) -> None:
        # By event, not by the theme's signal: Qt sends it to living widgets only.
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._shape = None
            self._changed()

    def _rebuild(self) -> None:
        workflow = self._editor.workflow
        self._shape = self._shape_now()
        names = {n: item.face.title for n, item in self._editor.scene.nodes.items()}
        opened = {n for n, item in self._items.items() if item.isExpanded()}
        self._filling = True
        self.setIconSize(QSize(theme().px(18), theme().px(18)))
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
        ways = ways_of(workflow)
        for edge in workflow.edges:
            for node_id, leaving in ((edge.from_[0], True), (edge.to[0], False)):
                if node_id not in self._items:
                    continue
                child = QTreeWidgetItem([edge_words(names, edge, ways, leaving=leaving)])
                child.setData(0, _NODE, edge.to[0] if leaving else edge.from_[0])
                child.setData(0, _EDGE, (edge.from_, edge.to))
                self._items[node_id].addChild(child)
                child.setFirstColumnSpanned(True)
        for kind, texts in (("group", [g.title for g in workflow.groups]), ("note", [n.text for n in workflow.notes])):
            for index, text in enumerate(texts):
                self.addTopLevelItem(self._mark_item(kind, index, text))
        for node_id in opened & set(self._items):
            self._items[node_id].setExpanded(True)
        self._filling = False
        self._select()

    def _shape_now(self) -> object:
        workflow = self._editor.workflow
        return tuple(node.id for node in workflow.nodes), workflow.edges, workflow.notes, workflow.groups

    def _mark_item(self, kind: str, index: int, text: str) -> QTreeWidgetItem:
        words = " ".join(text.split())
        item = QTreeWidgetItem([words, kind])
        item.setData(0, _MARK, (kind, index))
        said = f"{kind.capitalize()}: {words}"
        if kind == "group":
            inside = [n for n in self._editor.workflow.groups[index].nodes if n in self._editor.scene.nodes]
            said += f", with {', '.join(self._editor.scene.nodes[n].face.title for n in inside)}"
        item.setData(0, Qt.ItemDataRole.AccessibleTextRole, said)
        item.setToolTip(0, said)
        return item

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
        if self._filling:
            return
        selection = self._editor.selection
        current = selection.current or selection.single
        item, here = self._items.get(current or ""), self.currentItem()
        self._filling = True
        if selection.is_empty:
            # Nothing selected is no current row: otherwise choosing that row again would select nothing.
            self.setCurrentItem(None)
        elif item is not None and (here is None or here.data(0, _NODE) != current or here.data(0, _EDGE) is not None):
            self.setCurrentItem(item)
        for node_id, line in self._items.items():
            if line.isSelected() != (node_id in selection.nodes):
                line.setSelected(node_id in selection.nodes)
        self._filling = False

    def _selection_changed(self) -> None:
        if self._filling:
            return
        chosen, here = self.selectedItems(), self.currentItem()
        nodes = [item.data(0, _NODE) for item in chosen if item.data(0, _EDGE) is None and item.data(0, _MARK) is None]
        edges = [_as_edge(item.data(0, _EDGE)) for item in chosen if item.data(0, _EDGE) is not None]
        marks = [_as_mark(item.data(0, _MARK)) for item in chosen if item.data(0, _MARK) is not None]
        current = here.data(0, _NODE) if here is not None and here.data(0, _NODE) in nodes else None
        self._filling = True
        self._editor.selection.set(nodes, edges, current, marks)
        self._filling = False

    def _renamed(self, item: QTreeWidgetItem, column: int) -> None:
        if not self._filling and column == 0 and item.data(0, _EDGE) is None:
            guarded(self._editor.rename)(item.data(0, _NODE), item.text(0))

    @property
    def node_id(self) -> str | None:
        """The node of the current line; for an edge the node at its other end; None for notes and groups."""
        item = self.currentItem()
        return str(item.data(0, _NODE)) if item is not None and item.data(0, _NODE) else None

    def rename(self) -> None:
        """Lets the person type another name into the current line."""
        item = self.currentItem()
        if item is None or self._editor.read_only:
            return
        if item.data(0, _MARK) is not None:
            self.write_wanted.emit(_as_mark(item.data(0, _MARK)))
        elif item.data(0, _EDGE) is None:
            self.editItem(item, 0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_F2:
            self.rename()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentItem() is not None:
            self._enter()
        elif key in _OF_TREE or self.key_handler is None or not self.key_handler(event):
            super().keyPressEvent(event)

    def _enter(self) -> None:
        item, node_id = self.currentItem(), self.node_id
        if item.data(0, _MARK) is not None:
            self.write_wanted.emit(_as_mark(item.data(0, _MARK)))
        elif item.data(0, _EDGE) is not None and node_id in self._items:
            self.setCurrentItem(self._items[node_id])
        elif node_id is not None:
            self.inspect_wanted.emit(node_id)

    def _show_menu(self, place: QPoint) -> None:
        if self.currentItem() is not None:
            self.menu_wanted.emit(self.viewport().mapToGlobal(place))


def _as_edge(kept: object) -> EdgeKey:
    """Qt gives tuples back as lists."""
    (source, output), (target, entry) = kept  # type: ignore[misc] - as it was put in
    return (source, output), (target, entry)


def _as_mark(kept: object) -> MarkKey:
    kind, index = kept  # type: ignore[misc] - as it was put in
    return kind, index
