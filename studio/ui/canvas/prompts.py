"""Asks which: the step to add, to insert, to put in the place of another, and the step to connect to.

Absent on purpose: the asking itself (`picker.py`) and the doing (`editor.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QPoint, QPointF, QRect, Signal

from studio.domain.habits import Habits
from studio.domain.workflow import PortRef
from studio.ui.canvas import look
from studio.ui.canvas.editor import CanvasEditor
from studio.ui.canvas.picker import Pick, Picker
from studio.ui.canvas.suggestions import suggested_picks
from studio.ui.canvas.view import CanvasView
from studio.ui.faults import guarded

_BESIDE = QPoint(14, 0)


class Prompts(QObject):
    """`habits` says what usually follows, and is told first. `inspect_wanted(node_id)`, `rename_wanted(node_id)`:
    wishes of the menu of a node.
    """

    inspect_wanted = Signal(str)
    rename_wanted = Signal(str)

    def __init__(self, view: CanvasView, editor: CanvasEditor, picker: Picker) -> None:
        super().__init__()
        self._view = view
        self._editor = editor
        self._picker = picker
        self.habits = Habits()

    def add_after(self, node_id: str) -> None:
        """Asks for a step to add after a node; an empty id: behind everything, or into the edge that is selected."""
        if self._editor.read_only:
            return
        item = self._editor.scene.nodes.get(node_id)
        if item is None and self._editor.selection.single_edge is not None:
            self.insert_on_edge()
        elif item is None:
            middle = self._view.rect().center()
            self._ask("Add a step", self._picks(None), middle, self._editor.add)
        else:
            self._view.ensure_seen((node_id,))
            where = self._view.mapFromScene(item.body.topRight())
            add = self._editor.add
            self._ask(
                f"Add after {item.face.title}",
                self._picks(node_id),
                where,
                lambda type_id: add(type_id, after=node_id),
                self._view.mapFromScene(item.body).boundingRect(),
            )

    def add_at(self, place: QPointF, source: PortRef | None) -> None:
        """Asks for a step to add at a point of the scene, connected to an output when the edge was pulled from one."""
        spot = place.x(), place.y() - (0.0 if source is None else look.NODE_HEIGHT / 2)
        after, port = source if source is not None else (None, None)
        where = self._view.mapFromScene(place)
        add = self._editor.add
        self._ask("Add a step", self._picks(after, port), where, lambda type_id: add(type_id, spot, after, port))

    def insert_on_edge(self) -> None:
        """Asks for a step to put into the selected edge."""
        key = self._editor.selection.single_edge
        edge = self._editor.scene.edges.get(key) if key is not None else None
        if edge is None or self._editor.read_only:
            return
        where = self._view.mapFromScene(edge.point(0.5))
        title = f"Insert between {edge.source.face.title} and {edge.target.face.title}"
        choices = [pick for pick in self._picks(*edge.key[0]) if self._leads_on(pick.id)]
        self._ask(title, choices, where, lambda type_id: self._editor.insert(type_id, edge.edge))

    def replace(self, node_id: str) -> None:
        """Asks for a kind of step to put in the place of a node."""
        item = self._editor.scene.nodes.get(node_id)
        if item is None or self._editor.read_only:
            return
        before = next((e.from_ for e in self._editor.workflow.edges if e.to[0] == node_id), (None, None))
        own = self._editor.workflow.node(node_id).type
        choices = [pick for pick in self._picks(*before) if pick.id != own]
        where = self._view.mapFromScene(item.body.topRight())
        title = f"Replace {item.face.title} with"
        self._ask(title, choices, where, lambda type_id: self._editor.replace(node_id, type_id))

    def _picks(self, after: str | None, port: str | None = None) -> list[Pick]:
        document = self._editor.document
        type_id = document.workflow.node(after).type if after is not None else None
        if port is None and after is not None:
            port = self._editor.next_output(after)
        return suggested_picks(document.catalogue, self.habits, type_id, port)

    def _leads_on(self, type_id: str) -> bool:
        return self._editor.document.catalogue[type_id].declaration.role != "exit"

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

    def _ask(
        self,
        title: str,
        choices: Sequence[Pick],
        place: QPoint,
        then: Callable[[str], object],
        beside: QRect | None = None,
    ) -> None:
        self._picker.on_picked = guarded(then)
        self._picker.open(title, choices, place + _BESIDE, beside)
