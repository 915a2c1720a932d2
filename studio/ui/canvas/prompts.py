"""Asks which: the step to add, the step to connect to, and what the right mouse button offers.

Absent on purpose: the asking itself (`picker.py`) and the doing (`editor.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from PySide6.QtCore import QObject, QPoint, QPointF, Signal
from PySide6.QtWidgets import QMenu

from studio.domain.workflow import PortRef
from studio.ui.canvas import look
from studio.ui.canvas.editor import CanvasEditor
from studio.ui.canvas.palette import picks
from studio.ui.canvas.picker import Pick, Picker
from studio.ui.canvas.view import CanvasView
from studio.ui.faults import guarded

Entry: TypeAlias = tuple[str, Callable[[], object], bool]
"""Words, what it does, and whether it changes the workflow."""

_BESIDE = QPoint(14, 0)


class Prompts(QObject):
    """`inspect_wanted(node_id)`, `rename_wanted(node_id)` from the menu of a node."""

    inspect_wanted = Signal(str)
    rename_wanted = Signal(str)

    def __init__(self, view: CanvasView, editor: CanvasEditor, picker: Picker) -> None:
        super().__init__()
        self._view = view
        self._editor = editor
        self._picker = picker

    def add_after(self, node_id: str) -> None:
        """Asks for a step to add after a node; an empty id: behind everything."""
        if self._editor.read_only:
            return
        item = self._editor.scene.nodes.get(node_id)
        choices = picks(self._editor.document.catalogue, with_input=item is not None)
        if item is None:
            middle = self._view.rect().center()
            self._ask("Add a step", choices, middle, self._editor.add)
        else:
            where = self._view.mapFromScene(item.body.topRight())
            add = self._editor.add
            self._ask(f"Add after {item.face.title}", choices, where, lambda type_id: add(type_id, after=node_id))

    def add_at(self, place: QPointF, source: PortRef | None) -> None:
        """Asks for a step to add at a point of the scene, connected to an output when the edge was pulled from one."""
        choices = picks(self._editor.document.catalogue, with_input=source is not None)
        spot = place.x(), place.y() - (0.0 if source is None else look.NODE_HEIGHT / 2)
        after, port = source if source is not None else (None, None)
        where = self._view.mapFromScene(place)
        self._ask("Add a step", choices, where, lambda type_id: self._editor.add(type_id, spot, after, port))

    def connect_from(self, node_id: str) -> None:
        """Asks where an edge from a node shall lead: every free way from each of its outputs."""
        item = self._editor.scene.nodes.get(node_id)
        if item is None or self._editor.read_only:
            return
        ways: list[tuple[PortRef, PortRef]] = []
        choices: list[Pick] = []
        for port in item.face.ports.outputs:
            for target in self._editor.targets_of((node_id, port.name)):
                note = f"from “{port.label}”" if port.label else ""
                choices.append(Pick(str(len(ways)), self._editor.scene.nodes[target[0]].face.title, note))
                ways.append(((node_id, port.name), target))
        where = self._view.mapFromScene(item.body.topRight())
        title = f"Connect {item.face.title} to"
        self._ask(title, choices, where, lambda key: self._editor.connect_ports(*ways[int(key)]))

    def _ask(self, title: str, choices: Sequence[Pick], place: QPoint, then: Callable[[str], object]) -> None:
        self._picker.on_picked = guarded(then)
        self._picker.open(title, choices, place + _BESIDE)

    def show_menu(self, node_id: str, place: QPoint) -> None:
        """The menu of a node, or of the empty canvas; `place` on the screen."""
        menu = QMenu(self._view)
        for words, run, changes in self.entries(node_id):
            made = menu.addAction(words)
            made.setEnabled(not (changes and self._editor.read_only))
            made.triggered.connect(lambda _checked=False, run=run: guarded(run)())
        menu.popup(place)

    def entries(self, node_id: str) -> Sequence[Entry]:
        """What the menu holds."""
        if not node_id:
            return (
                ("Add a step …", lambda: self.add_after(""), True),
                ("Paste", self._editor.paste, True),
                ("Tidy layout", self._editor.tidy, True),
                ("See everything", self._view.fit, False),
            )
        return (
            ("Settings", lambda: self.inspect_wanted.emit(node_id), False),
            ("Add a step after it …", lambda: self.add_after(node_id), True),
            ("Connect to …", lambda: self.connect_from(node_id), True),
            ("Rename", lambda: self.rename_wanted.emit(node_id), True),
            ("Copy", self._editor.copy, False),
            ("Duplicate", self._editor.duplicate, True),
            ("Switch on or off", self._editor.toggle_enabled, True),
            ("Remove", self._editor.delete_selection, True),
        )
