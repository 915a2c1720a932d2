"""The graph as drawn: keeps one item per node, edge, note and group in step with workflow, run and selection.

Absent on purpose: gestures (see `view.py` and `interactions.py`) and changing the workflow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from PySide6.QtCore import QPointF, QRectF, Signal
from PySide6.QtWidgets import QGraphicsScene

from studio.domain.validation import Catalogue
from studio.domain.workflow import Node, Workflow
from studio.ui.canvas import look
from studio.ui.canvas.comparison import Comparison, GhostItem
from studio.ui.canvas.drawing import Drawing
from studio.ui.canvas.edges import EdgeItem, EdgeKey, points_between
from studio.ui.canvas.face import Faces
from studio.ui.canvas.far import FarPicture
from studio.ui.canvas.items import NodeItem
from studio.ui.canvas.lanes import EDGES_MAX, Run, lanes
from studio.ui.canvas.marks import Layer, Marks, uppermost
from studio.ui.canvas.note_items import GroupItem, NoteItem
from studio.ui.canvas.pills import Pills
from studio.ui.canvas.selection import Selection
from studio.ui.canvas.status import NO_EDGE_STATUS, EdgeStatus, NodeStatus

_BORDER = 1_600.0
_EDGE_REACH = 6.0
_LANES_LIVE = 80
"""Of so many edges long ones find their way anew while a step is dragged, of more when it is let go."""


class CanvasScene(QGraphicsScene):
    """`picture_changed` fires when anything came, went, moved or changed its state; `places_changed` not for states.

    `areas_changed(areas)`: what a run changed, for the view to paint; what an edit changes Qt knows by itself.
    """

    areas_changed = Signal(object)
    picture_changed = Signal()
    places_changed = Signal()

    def __init__(self, catalogue: Catalogue, selection: Selection) -> None:
        super().__init__()
        self.setItemIndexMethod(QGraphicsScene.ItemIndexMethod.BspTreeIndex)
        self.drawing = Drawing()
        self.pills = Pills()
        self.far = FarPicture()
        self.nodes: dict[str, NodeItem] = {}
        self.edges: dict[EdgeKey, EdgeItem] = {}
        self.notes: list[NoteItem] = []
        self.groups: list[GroupItem] = []
        self.comparison = Comparison()
        self._marks: dict[Layer, Marks] = {}
        self._ghosts: list[GhostItem] = []
        self.workflow = Workflow(name="")
        self._selection = selection
        self._faces = Faces(catalogue)
        self._moving: dict[EdgeKey, EdgeItem] = {}
        self._touching: dict[str, list[EdgeItem]] = {}
        self._problems: Mapping[str, str] = {}
        self._bounds = QRectF()
        self._marked: tuple[frozenset[str], frozenset[EdgeKey], str | None] = (frozenset(), frozenset(), None)
        selection.changed.connect(self._mark)

    def set_catalogue(self, catalogue: Catalogue) -> None:
        self._faces = Faces(catalogue)

    def set_problems(self, problems: Mapping[str, str]) -> None:
        """Node id → what is wrong with its settings."""
        if problems != self._problems:
            self._problems = dict(problems)
            self.sync(self.workflow)

    def sync(self, workflow: Workflow) -> None:
        """Brings the items in step with a workflow; touches only what differs."""
        self.workflow = workflow
        wanted = {node.id for node in workflow.nodes}
        keys = {(edge.from_, edge.to) for edge in workflow.edges}
        lost = [key for key in self.edges if key not in keys]
        self._remove(lost, [node_id for node_id in self.nodes if node_id not in wanted])
        connected: dict[str, dict[str, None]] = {}
        for edge in workflow.edges:
            connected.setdefault(edge.from_[0], {})[edge.from_[1]] = None
        moved = {node.id for node in workflow.nodes if self._sync_node(node, tuple(connected.get(node.id, ())))}
        if moved:
            self._follow([edge for edge in self.edges.values() if edge.key[0][0] in moved or edge.key[1][0] in moved])
        added = self._add_edges(workflow)
        if moved or added or lost:
            self._find_lanes()
        self._label({*moved, *added, *(key[0][0] for key in lost if key[0][0] in wanted)})
        self._sync_notes_and_groups(workflow)
        if self._marks:
            self._show_marks()
        self._selection.prune(workflow)
        self._mark()
        self._grow()
        self.places_changed.emit()
        self.picture_changed.emit()

    def _remove(self, edges: Iterable[EdgeKey], nodes: Iterable[str]) -> None:
        for key in edges:
            item = self.edges.pop(key)
            self._moving.pop(key, None)
            self._repaint_pill(item)
            self.pills.drop(key)
            self.far.drop_edge(key)
            self.removeItem(item)
            self.drawing.drop_picture(item)
            for node_id in {key[0][0], key[1][0]}:
                self._touching[node_id].remove(item)
        gone = list(nodes)
        for node_id in gone:
            item = self.nodes.pop(node_id)
            self.removeItem(item)
            self.drawing.drop_picture(item)
            self.far.drop_node(node_id)
            self._touching.pop(node_id, None)
        self._faces.forget(gone)

    def _sync_node(self, node: Node, connected: tuple[str, ...]) -> bool:
        """True when the node is new, or its place, size or ports have changed."""
        item = self.nodes.get(node.id)
        face = self._faces.of(self.workflow, node, connected, self._problems.get(node.id, ""))
        changed = shown_anew = item is None
        if item is None:
            item = NodeItem(node.id, face, self.drawing)
            self.nodes[node.id] = item
            self._touching.setdefault(node.id, [])
            self.addItem(item)
        elif item.face is not face:
            changed = item.face.ports != face.ports
            shown_anew = True
            item.set_face(face)
        place = QPointF(*node.position)
        if item.pos() != place:
            item.setPos(place)
            changed = True
        if changed or shown_anew:
            self.far.place_node(item)
        return changed

    def _sync_notes_and_groups(self, workflow: Workflow) -> None:
        for items, wanted in ((self.notes, workflow.notes), (self.groups, workflow.groups)):
            while len(items) > len(wanted):
                self.removeItem(items.pop())
        for index, note in enumerate(workflow.notes):
            if index == len(self.notes):
                self.notes.append(NoteItem(index, note, self.drawing))
                self.addItem(self.notes[-1])
            elif self.notes[index].note != note or self.notes[index].body.topLeft() != QPointF(*note.position):
                self.notes[index].set_note(note)
        for index, group in enumerate(workflow.groups):
            if index == len(self.groups):
                self.groups.append(GroupItem(index, group, self.drawing))
                self.addItem(self.groups[-1])
            self.groups[index].set_group(group)
        self._frame_groups()

    def _frame_groups(self) -> None:
        for item in self.groups:
            item.follow(self.nodes[n].body for n in item.group.nodes if n in self.nodes)
        self.far.set_frames([(g.body, g.colour) for g in self.groups if g.isVisible()], [n.body for n in self.notes])

    def set_comparison(self, comparison: Comparison, names: Mapping[str, str]) -> None:
        """Marks what is different from an earlier state; an empty comparison ends it. `names`: node id → title."""
        for ghost in self._ghosts:
            self.removeItem(ghost)
        self._ghosts = [GhostItem(n, names.get(n.id, n.id), self.drawing) for n in comparison.gone]
        for ghost in self._ghosts:
            self.addItem(ghost)
        self.comparison = comparison
        self.set_marks("comparison", comparison.marks())

    def set_marks(self, layer: Layer, marks: Marks) -> None:
        """Replaces one layer of marks; empty marks end it."""
        if marks.nodes or marks.edges:
            self._marks[layer] = marks
        elif self._marks.pop(layer, None) is None:
            return
        self._show_marks()

    def _show_marks(self) -> None:
        seen = uppermost(self._marks)
        for node_id, item in self.nodes.items():
            item.set_mark(seen.nodes.get(node_id))
        for key, edge in self.edges.items():
            edge.set_mark(seen.edges.get(key))

    def _add_edges(self, workflow: Workflow) -> set[str]:
        touched: set[str] = set()
        for edge in workflow.edges:
            key = edge.from_, edge.to
            source, target = self.nodes.get(edge.from_[0]), self.nodes.get(edge.to[0])
            if key in self.edges or source is None or target is None:
                continue
            item = EdgeItem(edge, source, target, self.drawing)
            self.edges[key] = item
            self._touching[edge.from_[0]].append(item)
            if edge.to[0] != edge.from_[0]:
                self._touching[edge.to[0]].append(item)
            self.addItem(item)
            self._follow([item])
            touched |= {edge.from_[0]}
        return touched

    def _follow(self, edges: Iterable[EdgeItem]) -> None:
        sources: dict[str, None] = {}
        for edge in edges:
            self._repaint_pill(edge)
            edge.follow()
            self.pills.place(edge)
            self.far.place_edge(edge)
            self._repaint_pill(edge)
            sources[edge.key[0][0]] = None
        for node_id in sources:
            self._part_pills(node_id)

    def _find_lanes(self) -> None:
        """Long edges go round the steps in their way."""
        heights: dict[EdgeKey, float] = {}
        if len(self.edges) <= EDGES_MAX:
            number = {node_id: place for place, node_id in enumerate(self.nodes)}
            runs = {
                key: Run(
                    edge.line.p1().toTuple(), edge.line.p2().toTuple(), key[1], (number[key[0][0]], number[key[1][0]])
                )
                for key, edge in self.edges.items()
            }
            heights = lanes(runs, [item.body.getCoords() for item in self.nodes.values()], points_between)
        changed = [edge for key, edge in self.edges.items() if edge.lane != heights.get(key)]
        for edge in changed:
            edge.lane = heights.get(edge.key)
        self._follow(changed)

    def _part_pills(self, node_id: str) -> None:
        """Pills of edges that leave one node must not lie on each other where the edges cross."""
        leaving = [edge for edge in self._touching[node_id] if edge.key[0][0] == node_id and not edge.pill.isEmpty()]
        if len(leaving) < 2:
            return
        # The steepest gives way: it is clear of the others after the shortest way.
        leaving.sort(key=lambda edge: abs(edge.line.dy()))
        taken: list[QRectF] = []
        for edge in leaving:
            before = QRectF(edge.pill)
            edge.part_pill(taken)
            taken.append(edge.pill)
            if edge.pill != before:
                self.update(before.adjusted(-1, -1, 1, 1))
                self.pills.place(edge)
                self._repaint_pill(edge)

    def _label(self, node_ids: Iterable[str]) -> None:
        """Labels of outputs: on the first edge of each, or beside the node while none leaves it."""
        for node_id in node_ids:
            item = self.nodes[node_id]
            ports = item.face.ports
            leaving = [edge for edge in self._touching[node_id] if edge.key[0][0] == node_id]
            for edge in leaving:
                edge.set_label(ports.label(edge.key[0][1]))
                self.pills.place(edge)
                self._repaint_pill(edge)
            self._part_pills(node_id)
            used = {edge.key[0][1] for edge in leaving}
            free = {i: port.label for i, port in enumerate(ports.outputs) if port.label and port.name not in used}
            item.set_free_outputs(free)

    def _repaint_pill(self, edge: EdgeItem) -> None:
        if not edge.pill.isEmpty() and self.drawing.zoom >= look.PILLS_FROM:
            self.update(edge.pill.adjusted(-1, -1, 1, 1))

    def preview_move(self, places: Mapping[str, QPointF], notes: Mapping[int, QPointF] | None = None) -> None:
        """Shows nodes and notes elsewhere while they are being moved; the workflow stays as it is."""
        touched: dict[EdgeKey, EdgeItem] = {}
        for node_id, place in places.items():
            self.nodes[node_id].setPos(place)
            self.far.place_node(self.nodes[node_id])
            touched.update({edge.key: edge for edge in self._touching[node_id]})
        self._follow(touched.values())
        if places and len(self.edges) <= _LANES_LIVE:
            self._find_lanes()
        for index, place in (notes or {}).items():
            self.notes[index].show_at(place)
        if self.groups or notes:
            self._frame_groups()
        self.places_changed.emit()
        self.picture_changed.emit()

    def set_statuses(self, nodes: Mapping[str, NodeStatus | None], edges: Mapping[EdgeKey, EdgeStatus]) -> None:
        """The run's figures of some nodes and edges; None: there is no run."""
        areas: list[QRectF] = []
        for node_id, status in nodes.items():
            item = self.nodes.get(node_id)
            if item is not None:
                before = item.key
                item.set_status(status)
                self.far.place_node(item)
                areas.append(item.painted if item.key != before else item.figures)
        widened: dict[str, None] = {}
        for key, status in edges.items():
            edge = self.edges.get(key)
            if edge is not None and edge.status != status:
                areas += self._take_status(edge, status, widened)
        for node_id in widened:
            self._part_pills(node_id)
        if areas:
            self.areas_changed.emit(areas)
        self.picture_changed.emit()

    def _take_status(self, edge: EdgeItem, status: EdgeStatus, widened: dict[str, None]) -> list[QRectF]:
        """What of the edge is to be painted; notes its source where the pill takes another room now."""
        before, figure = QRectF(edge.pill), edge.figure
        is_new = edge.set_status(status)
        if status.moving:
            self._moving[edge.key] = edge
        else:
            self._moving.pop(edge.key, None)
        self.far.place_edge(edge)
        if edge.pill != before:
            self.pills.place(edge)
            widened[edge.key[0][0]] = None
        areas = [edge.room] if is_new else []
        if self.drawing.zoom >= look.PILLS_FROM and (is_new or edge.figure != figure):
            areas += [pill.adjusted(-1, -1, 1, 1) for pill in (before.united(edge.pill),) if not pill.isEmpty()]
        return areas

    def clear_statuses(self) -> None:
        self.set_statuses(dict.fromkeys(self.nodes), dict.fromkeys(self.edges, NO_EDGE_STATUS))

    def moving_edges(self) -> list[EdgeItem]:
        """Edges along which people are on their way."""
        return list(self._moving.values())

    def retheme(self) -> None:
        self.drawing.forget()
        self.far.forget()
        for item in self.nodes.values():
            item.show_anew()
        for note in self.notes:
            note.show_anew()
        self.update()
        self.picture_changed.emit()

    def node_at(self, place: QPointF) -> NodeItem | None:
        """The topmost node under a point of the scene."""
        reach = QRectF(place.x() - 1, place.y() - 1, 2, 2)
        found = [item for item in self.items(reach) if isinstance(item, NodeItem) and item.body.contains(place)]
        return found[0] if found else None

    def note_at(self, place: QPointF) -> NoteItem | None:
        """The topmost note under a point."""
        return next((note for note in reversed(self.notes) if note.body.contains(place)), None)

    def group_at(self, place: QPointF) -> GroupItem | None:
        """The group whose title is under a point; elsewhere in its frame the canvas is meant."""
        hits = [group for group in self.groups if group.isVisible() and group.title_bar.contains(place)]
        return min(hits, key=lambda group: group.body.width() * group.body.height(), default=None)

    def output_at(self, place: QPointF) -> tuple[NodeItem, str] | None:
        """Node and output near a point."""
        for item in self.items(_around(place, look.PORT_REACH)):
            if isinstance(item, NodeItem) and (port := item.output_at(place)) is not None:
                return item, port
        return None

    def edge_at(self, place: QPointF) -> EdgeItem | None:
        """The nearest edge under the pointer; its pill counts as part of it."""
        for edge in self.pills.within(_around(place, 1)):
            return edge
        near = [item for item in self.items(_around(place, _EDGE_REACH)) if isinstance(item, EdgeItem)]
        best = min(near, key=lambda edge: edge.distance(place), default=None)
        return best if best is not None and best.distance(place) <= _EDGE_REACH else None

    def nodes_within(self, area: QRectF) -> set[str]:
        return {item.node_id for item in self.items(area) if isinstance(item, NodeItem) and area.intersects(item.body)}

    def extent(self) -> QRectF:
        """Around all nodes with the labels beside them, notes and groups; empty without any."""
        bounds = self.far.bounds()
        right = max((item.extent.right() for item in self.nodes.values()), default=bounds.right())
        area = bounds.adjusted(0, 0, right - bounds.right(), 0)
        for item in (*self.groups, *self.notes):
            if item.isVisible():
                area = area.united(item.body)
        return area

    def middles(self) -> dict[str, tuple[float, float]]:
        """Node id → middle of its body."""
        return {node_id: (item.body.center().x(), item.body.center().y()) for node_id, item in self.nodes.items()}

    def set_targets(self, ids: Iterable[str]) -> None:
        """Marks the inputs an edge under way may lead to."""
        wanted = set(ids)
        for node_id, item in self.nodes.items():
            item.set_target(is_target=node_id in wanted)

    def _mark(self) -> None:
        nodes, edges, current = self._marked
        now = self._selection
        for node_id in (nodes ^ now.nodes) | {current, now.current}:
            item = self.nodes.get(node_id) if node_id is not None else None
            if item is not None:
                item.set_marks(selected=node_id in now.nodes, current=node_id == now.current)
        for key in edges ^ now.edges:
            edge = self.edges.get(key)
            if edge is not None:
                edge.set_selected(selected=key in now.edges)
                self._repaint_pill(edge)
        for item, key in (
            *((n, ("note", n.index)) for n in self.notes),
            *((g, ("group", g.index)) for g in self.groups),
        ):
            if item.selected != (key in now.marks):
                item.set_selected(selected=key in now.marks)
        self._marked = now.nodes, now.edges, now.current

    def _grow(self) -> None:
        """Room to scroll beyond the outermost nodes; never shrinks under the reader's eyes."""
        bounds = self.far.bounds()
        wanted = bounds.adjusted(-_BORDER, -_BORDER, _BORDER, _BORDER)
        if not self.sceneRect().contains(wanted):
            self.setSceneRect(self.sceneRect().united(wanted) if not self._bounds.isEmpty() else wanted)
        self._bounds = bounds


def _around(place: QPointF, reach: float) -> QRectF:
    return QRectF(place.x() - reach, place.y() - reach, 2 * reach, 2 * reach)
