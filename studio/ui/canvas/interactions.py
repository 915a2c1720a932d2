"""Gestures of the pointer, one class each: begun by the pointer, told every move, ended or cancelled.

Nothing changes in the workflow before a gesture ends, and then by one command. Absent on purpose: deciding which
gesture a press begins (see `pointer.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsPathItem, QGraphicsRectItem

from studio.ui.canvas import look
from studio.ui.canvas.annotations import NOTE_LEAST
from studio.ui.canvas.edges import EdgeItem, curve_between
from studio.ui.canvas.edits import Position
from studio.ui.canvas.items import NodeItem
from studio.ui.canvas.note_items import NoteItem
from studio.ui.theme import theme

if TYPE_CHECKING:
    from studio.ui.canvas.editor import CanvasEditor
    from studio.ui.canvas.view import CanvasView

_SLACK = 3.0


class Interaction:
    """One gesture under way. Points are in the scene unless said otherwise."""

    cursor = Qt.CursorShape.ArrowCursor

    def move(self, place: QPointF) -> None:
        """The pointer is here now."""

    def finish(self, place: QPointF) -> None:
        """The button was let go, or the thing dropped."""

    def cancel(self) -> None:
        """Escape: as if it had never begun."""


class Pan(Interaction):
    """Moves the paper. Takes points of the viewport, because the scene moves under the pointer."""

    cursor = Qt.CursorShape.ClosedHandCursor

    def __init__(self, view: CanvasView, place: QPointF) -> None:
        self._view = view
        self._last = place

    def move(self, place: QPointF) -> None:
        self._view.pan_by(place - self._last)
        self._last = place


class MoveParts(Interaction):
    """Drags the selected nodes and notes; they stop at grid points when the pointer has left its slack.

    One node that stands alone can be dropped onto an edge: then the edge leads through it.
    """

    cursor = Qt.CursorShape.SizeAllCursor

    def __init__(self, editor: CanvasEditor, place: QPointF) -> None:
        self._editor = editor
        self._start = place
        scene = editor.scene
        self._from = {n: QPointF(scene.nodes[n].pos()) for n in _moving_nodes(editor)}
        self._notes_from = {i: QPointF(scene.notes[i].pos()) for kind, i in editor.selection.marks if kind == "note"}
        self._shift = QPointF()
        self._is_moving = False
        self._edge: EdgeItem | None = None

    def move(self, place: QPointF) -> None:
        shift = place - self._start
        if not self._is_moving and shift.manhattanLength() * self._editor.scene.drawing.zoom < _SLACK:
            return
        lead = next(iter((*self._from.values(), *self._notes_from.values())), None)
        if lead is None:
            return
        self._is_moving = True
        self._shift = QPointF(_snap(lead.x() + shift.x()), _snap(lead.y() + shift.y())) - lead
        self._editor.scene.preview_move(*self._places(self._shift))
        self._mark_edge(self._edge_below(place))

    def finish(self, place: QPointF) -> None:
        self.move(place)
        edge = self._edge
        self._mark_edge(None)
        if not self._is_moving:
            return
        nodes, notes = self._places(self._shift)
        places = {node_id: (p.x(), p.y()) for node_id, p in nodes.items()}
        if edge is not None:
            node_id, place = next(iter(places.items()))
            self._editor.document.insert(node_id, edge.edge, place)
        else:
            self._editor.move(places, notes={index: (p.x(), p.y()) for index, p in notes.items()})

    def cancel(self) -> None:
        self._mark_edge(None)
        if self._is_moving:
            self._editor.scene.preview_move(*self._places(QPointF()))

    def _places(self, shift: QPointF) -> tuple[dict[str, QPointF], dict[int, QPointF]]:
        nodes = {node_id: start + shift for node_id, start in self._from.items()}
        return nodes, {index: start + shift for index, start in self._notes_from.items()}

    def _edge_below(self, place: QPointF) -> EdgeItem | None:
        if len(self._from) != 1 or self._notes_from:
            return None
        edge = self._editor.scene.edge_at(place)
        return edge if edge is not None and self._editor.can_insert(next(iter(self._from))) else None

    def _mark_edge(self, edge: EdgeItem | None) -> None:
        _move_mark(self._edge, edge)
        self._edge = edge


def _moving_nodes(editor: CanvasEditor) -> set[str]:
    """The selected nodes and those of selected groups."""
    groups = editor.workflow.groups
    held = {n for kind, i in editor.selection.marks if kind == "group" for n in groups[i].nodes}
    return {n for n in editor.selection.nodes | held if n in editor.scene.nodes}


def _move_mark(before: EdgeItem | None, now: EdgeItem | None) -> None:
    if before is not now:
        if before is not None:
            before.set_selected(selected=False)
        if now is not None:
            now.set_selected(selected=True)


class ResizeNote(Interaction):
    """Pulls a sticky note larger or smaller by its lower right corner."""

    cursor = Qt.CursorShape.SizeFDiagCursor

    def __init__(self, editor: CanvasEditor, note: NoteItem) -> None:
        self._editor = editor
        self._note = note

    def move(self, place: QPointF) -> None:
        self._note.show_at(self._note.pos(), self._size(place))

    def finish(self, place: QPointF) -> None:
        self._editor.document.resize_note(self._note.index, self._size(place))

    def cancel(self) -> None:
        self._note.set_note(self._note.note)

    def _size(self, place: QPointF) -> Position:
        corner = self._note.pos()
        return (
            max(NOTE_LEAST[0], _snap(place.x() - corner.x())),
            max(NOTE_LEAST[1], _snap(place.y() - corner.y())),
        )


class ConnectFromPort(Interaction):
    """Pulls a new edge out of an output; the inputs it may lead to are marked, the nearest one catches it."""

    cursor = Qt.CursorShape.CrossCursor

    def __init__(self, view: CanvasView, editor: CanvasEditor, source: NodeItem, port: str) -> None:
        self._view = view
        self._editor = editor
        self._from = source.node_id, port
        self._start = source.output_point(port)
        self._targets = editor.targets_of(self._from)
        editor.scene.set_targets(node_id for node_id, _name in self._targets)
        self._thread = QGraphicsPathItem()
        pen = QPen(theme().colour("accent"), 2, Qt.PenStyle.DashLine)
        self._thread.setPen(pen)
        self._thread.setZValue(3)
        editor.scene.addItem(self._thread)

    def move(self, place: QPointF) -> None:
        caught = self._caught(place)
        end = self._editor.scene.nodes[caught[0]].input_point(caught[1]) if caught else place
        path = QPainterPath(self._start)
        path.cubicTo(*curve_between(self._start, end)[1:])
        self._thread.setPath(path)

    def finish(self, place: QPointF) -> None:
        caught = self._caught(place)
        self._clear()
        if caught is not None:
            self._editor.connect_ports(self._from, caught)
        elif self._editor.scene.node_at(place) is None and (place - self._start).manhattanLength() > look.GRID:
            self._view.add_wanted.emit(place, self._from)

    def cancel(self) -> None:
        self._clear()

    def _caught(self, place: QPointF) -> tuple[str, str] | None:
        """The input under the pointer: near the port itself, or anywhere on a node."""
        nodes = self._editor.scene.nodes
        reach = look.PORT_REACH * 1.5
        near = [(t, (nodes[t[0]].input_point(t[1]) - place).manhattanLength()) for t in self._targets]
        hits = [t for t, distance in near if distance <= reach or nodes[t[0]].body.contains(place)]
        return min(hits, key=lambda t: dict(near)[t], default=None)

    def _clear(self) -> None:
        self._editor.scene.set_targets(())
        if self._thread.scene() is not None:
            self._editor.scene.removeItem(self._thread)


class RubberBand(Interaction):
    """Selects what a rectangle touches; with Shift in addition to what is selected."""

    cursor = Qt.CursorShape.CrossCursor

    def __init__(self, editor: CanvasEditor, place: QPointF, *, keep: bool) -> None:
        self._editor = editor
        self._start = place
        self._before = editor.selection.nodes
        self._kept = editor.selection.nodes if keep else frozenset()
        self._band = QGraphicsRectItem()
        pen = QPen(theme().colour("accent"), 1)
        pen.setCosmetic(True)
        self._band.setPen(pen)
        self._band.setBrush(theme().colour("accent", 0.1))
        self._band.setZValue(4)
        editor.scene.addItem(self._band)

    def move(self, place: QPointF) -> None:
        area = QRectF(self._start, place).normalized()
        self._band.setRect(area)
        self._editor.selection.set(self._kept | self._editor.scene.nodes_within(area))

    def finish(self, place: QPointF) -> None:
        self.move(place)
        self._editor.scene.removeItem(self._band)

    def cancel(self) -> None:
        self._editor.scene.removeItem(self._band)
        self._editor.selection.set(self._before)


class DropNode(Interaction):
    """A node type dragged out of the palette: a frame shows where it will stand, an edge below it lights up."""

    cursor = Qt.CursorShape.DragCopyCursor

    def __init__(self, editor: CanvasEditor, type_id: str) -> None:
        self._editor = editor
        self._type_id = type_id
        self._edge: EdgeItem | None = None
        self._ghost = QGraphicsRectItem(0, 0, look.NODE_WIDTH, look.NODE_HEIGHT)
        self._ghost.setPen(QPen(theme().colour("accent"), 2, Qt.PenStyle.DashLine))
        self._ghost.setBrush(theme().colour("accent", 0.08))
        self._ghost.setZValue(3)
        editor.scene.addItem(self._ghost)

    def move(self, place: QPointF) -> None:
        self._ghost.setPos(QPointF(*_corner(place)))
        has_way = bool(self._editor.document.catalogue[self._type_id].declaration.inputs)
        self._mark_edge(self._editor.scene.edge_at(place) if has_way else None)

    def finish(self, place: QPointF) -> None:
        self.move(place)
        edge = self._edge
        self.cancel()
        if edge is not None:
            self._editor.insert(self._type_id, edge.edge)
        else:
            self._editor.add(self._type_id, _corner(place))

    def cancel(self) -> None:
        self._mark_edge(None)
        self._editor.scene.removeItem(self._ghost)

    def _mark_edge(self, edge: EdgeItem | None) -> None:
        _move_mark(self._edge, edge)
        self._edge = edge


def _corner(middle: QPointF) -> Position:
    """Top left corner, on the grid, of a node with its middle at a point."""
    return _snap(middle.x() - look.NODE_WIDTH / 2), _snap(middle.y() - look.NODE_HEIGHT / 2)


def _snap(value: float) -> float:
    return round(value / (look.GRID / 2)) * (look.GRID / 2)
