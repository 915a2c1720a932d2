"""Which gesture a press, a turn of the wheel or a drag over the canvas begins, and who gets the moves that follow.

Absent on purpose: what the gestures do (see `interactions.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QInputDevice, QMouseEvent, QWheelEvent

from studio.ui.canvas.annotations import MarkKey
from studio.ui.canvas.editor import CanvasEditor
from studio.ui.canvas.interactions import ConnectFromPort, DropNode, Interaction, MoveParts, Pan, ResizeNote, RubberBand
from studio.ui.canvas.items import NodeItem

if TYPE_CHECKING:
    from studio.ui.canvas.view import CanvasView

NODE_TYPE_MIME = "application/x-studio-node-type"

_WHEEL_STEP = 1.15


class Pointer:
    """Holds the one gesture under way. Wheel: zoom; with Shift or on a trackpad: pan, pinching zooms there."""

    def __init__(self, view: CanvasView, editor: CanvasEditor) -> None:
        self._view = view
        self._editor = editor
        self._interaction: Interaction | None = None
        self._space = False
        # An undo in the middle of a gesture may take away what the gesture holds on to.
        editor.document.changing.connect(self.cancel)

    @property
    def interaction(self) -> Interaction | None:
        return self._interaction

    def press(self, event: QMouseEvent) -> None:
        if self._interaction is not None:
            return
        button = event.button()
        if button == Qt.MouseButton.MiddleButton or (button == Qt.MouseButton.LeftButton and self._space):
            self._begin(Pan(self._view, event.position()))
        elif button == Qt.MouseButton.LeftButton:
            self._press(self._view.mapToScene(event.position().toPoint()), event.modifiers())

    def _press(self, place: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        adding = bool(modifiers & (Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier))
        scene, selection = self._editor.scene, self._editor.selection
        near = scene.drawing.level != "far"
        node = scene.node_at(place)
        output = scene.output_at(place) if near and not self._editor.read_only else None
        if output is not None:
            self._begin(ConnectFromPort(self._view, self._editor, *output))
        elif node is not None:
            self._press_node(node, place, adding=adding)
        elif near and (edge := scene.edge_at(place)) is not None:
            kept_nodes, kept_edges = (selection.nodes, selection.edges) if adding else (frozenset(), frozenset())
            selection.set(kept_nodes, kept_edges | {edge.key})
        elif near and self._press_mark(place, adding=adding):
            return
        else:
            if not adding:
                selection.clear()
            self._begin(RubberBand(self._editor, place, keep=adding))

    def _press_node(self, node: NodeItem, place: QPointF, *, adding: bool) -> None:
        selection = self._editor.selection
        if adding:
            selection.toggle(node.node_id)
            return
        chosen = selection.nodes if node.node_id in selection.nodes else {node.node_id}
        selection.set(chosen, current=node.node_id)
        if not self._editor.read_only:
            self._begin(MoveParts(self._editor, place))

    def _press_mark(self, place: QPointF, *, adding: bool) -> bool:
        """A note, or a group by its title; False when there is none."""
        note, group = self._editor.scene.note_at(place), self._editor.scene.group_at(place)
        if note is None and group is None:
            return False
        key: MarkKey = ("note", note.index) if note is not None else ("group", group.index if group else 0)
        selection, chosen = self._editor.selection, frozenset({key})
        if adding:
            selection.set(selection.nodes, selection.edges, selection.current, selection.marks ^ chosen)
            return True
        if key not in selection.marks:
            selection.set(marks=chosen)
        if self._editor.read_only:
            return True
        if note is not None and note.is_handle(place):
            self._begin(ResizeNote(self._editor, note))
        else:
            self._begin(MoveParts(self._editor, place))
        return True

    def move(self, event: QMouseEvent) -> None:
        if self._interaction is not None:
            self._interaction.move(self._place_for(self._interaction, event.position()))
            return
        over = self._editor.scene.output_at(self._view.mapToScene(event.position().toPoint()))
        shape = Qt.CursorShape.CrossCursor if over and not self._editor.read_only else Qt.CursorShape.ArrowCursor
        self._view.viewport().setCursor(Qt.CursorShape.OpenHandCursor if self._space else shape)

    def release(self, event: QMouseEvent) -> None:
        if self._interaction is not None:
            done, self._interaction = self._interaction, None
            self._view.viewport().unsetCursor()
            done.finish(self._place_for(done, event.position()))

    def double_click(self, event: QMouseEvent) -> None:
        place = self._view.mapToScene(event.position().toPoint())
        node = self._editor.scene.node_at(place)
        note, group = self._editor.scene.note_at(place), self._editor.scene.group_at(place)
        if node is not None:
            self._view.opened.emit(node.node_id)
        elif note is not None:
            self._view.mark_opened.emit(("note", note.index))
        elif group is not None:
            self._view.mark_opened.emit(("group", group.index))
        elif self._editor.scene.edge_at(place) is None and not self._editor.read_only:
            self._view.add_wanted.emit(place, None)

    def wheel(self, event: QWheelEvent) -> None:
        device = event.device()
        trackpad = device is not None and device.type() == QInputDevice.DeviceType.TouchPad
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if trackpad and not control:
            exact = event.pixelDelta()
            self._view.pan_by(QPointF(exact) if not exact.isNull() else QPointF(event.angleDelta()) / 4)
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._view.pan_by(QPointF(event.angleDelta().y() / 2, 0))
        else:
            turned = event.angleDelta().y() or event.angleDelta().x()
            self._view.zoom_by(_WHEEL_STEP ** (turned / 120), event.position().toPoint())
        event.accept()

    def hold_space(self, *, held: bool) -> None:
        """While Space is held the left button pans."""
        self._space = held
        if held:
            self._view.viewport().setCursor(Qt.CursorShape.OpenHandCursor)
        elif self._interaction is None:
            self._view.viewport().unsetCursor()

    def cancel(self) -> bool:
        """Ends the gesture under way without effect; False when there is none."""
        if self._interaction is None:
            return False
        self._interaction.cancel()
        self._interaction = None
        self._view.viewport().unsetCursor()
        return True

    def drag_enter(self, event: QDragEnterEvent) -> None:
        if self._editor.read_only or not event.mimeData().hasFormat(NODE_TYPE_MIME):
            event.ignore()
            return
        type_id = bytes(event.mimeData().data(NODE_TYPE_MIME).data()).decode()
        if type_id in self._editor.document.catalogue:
            self._interaction = DropNode(self._editor, type_id)
            event.acceptProposedAction()

    def drag_move(self, event: QDragMoveEvent) -> None:
        if isinstance(self._interaction, DropNode):
            self._interaction.move(self._view.mapToScene(event.position().toPoint()))
            event.acceptProposedAction()

    def drop(self, event: QDropEvent) -> None:
        if isinstance(self._interaction, DropNode):
            done, self._interaction = self._interaction, None
            done.finish(self._view.mapToScene(event.position().toPoint()))
            event.acceptProposedAction()
            self._view.setFocus()

    def _begin(self, interaction: Interaction) -> None:
        self._interaction = interaction
        self._view.viewport().setCursor(interaction.cursor)

    def _place_for(self, interaction: Interaction, place: QPointF) -> QPointF:
        return place if isinstance(interaction, Pan) else self._view.mapToScene(place.toPoint())
