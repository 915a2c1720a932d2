"""The canvas for screen readers: a list of nodes, each with its name, state and place, in reading order.

Made as the binding allows it: a factory that answers for the view and for one small object per node. Absent on purpose:
editing by screen reader on the canvas itself; the outline does that.
"""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QObject, QPoint, QRect
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QAccessibleEvent,
    QAccessibleInterface,
    QAccessibleObject,
)
from PySide6.QtWidgets import QAccessibleWidget

from studio.ui.canvas.navigation import reading_order
from studio.ui.canvas.spoken import node_words, state_words
from studio.ui.canvas.view import CanvasView


class NodeVoice(QObject):
    """What a screen reader holds on to for one node."""

    def __init__(self, view: CanvasView, node_id: str) -> None:
        super().__init__(view)
        self.view = view
        self.node_id = node_id
        self.interface: QAccessibleInterface | None = None


class Voices(QObject):
    """The voices of one view, made when they are first asked for."""

    def __init__(self, view: CanvasView) -> None:
        super().__init__(view)
        self.interface: QAccessibleInterface | None = None
        self._view = view
        self._by_id: dict[str, NodeVoice] = {}

    def order(self) -> list[str]:
        return reading_order(self._view.editor.workflow)

    def of(self, node_id: str) -> NodeVoice:
        voice = self._by_id.get(node_id)
        if voice is None:
            voice = self._by_id[node_id] = NodeVoice(self._view, node_id)
        return voice

    def at(self, number: int) -> NodeVoice | None:
        order = self.order()
        return self.of(order[number]) if 0 <= number < len(order) else None


def voices_of(view: CanvasView) -> Voices:
    return view.findChild(Voices) or Voices(view)


class CanvasInterface(QAccessibleWidget):
    """The view as a list."""

    def __init__(self, view: CanvasView) -> None:
        super().__init__(view, QAccessible.Role.List, "Workflow")
        self._view = view
        self._voices = voices_of(view)

    def childCount(self) -> int:
        return len(self._voices.order())

    def child(self, index: int) -> QAccessibleInterface | None:
        voice = self._voices.at(index)
        return QAccessible.queryAccessibleInterface(voice) if voice is not None else None

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        voice = child.object()
        order = self._voices.order()
        return order.index(voice.node_id) if isinstance(voice, NodeVoice) and voice.node_id in order else -1

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:
        place = self._view.mapToScene(self._view.viewport().mapFromGlobal(QPoint(x, y)))
        node = self._view.editor.scene.node_at(place)
        return QAccessible.queryAccessibleInterface(self._voices.of(node.node_id)) if node is not None else None

    def focusChild(self) -> QAccessibleInterface | None:
        current = self._view.editor.selection.current
        known = current is not None and current in self._view.editor.scene.nodes
        return QAccessible.queryAccessibleInterface(self._voices.of(current)) if known and current else None


class NodeInterface(QAccessibleObject):
    """One node as a list item."""

    def __init__(self, voice: NodeVoice) -> None:
        super().__init__(voice)
        self._voice = voice

    def parent(self) -> QAccessibleInterface | None:
        return QAccessible.queryAccessibleInterface(self._voice.view)

    def child(self, _index: int) -> QAccessibleInterface | None:
        return None

    def childCount(self) -> int:
        return 0

    def indexOfChild(self, _child: QAccessibleInterface) -> int:
        return -1

    def childAt(self, _x: int, _y: int) -> QAccessibleInterface | None:
        return None

    def role(self) -> QAccessible.Role:
        return QAccessible.Role.ListItem

    def text(self, kind: QAccessible.Text) -> str:
        item = self._voice.view.editor.scene.nodes.get(self._voice.node_id)
        if item is None:
            return ""
        if kind == QAccessible.Text.Name:
            workflow = self._voice.view.editor.workflow
            inputs = sum(e.to[0] == self._voice.node_id for e in workflow.edges)
            outputs = sum(e.from_[0] == self._voice.node_id for e in workflow.edges)
            return node_words(item.face, item.status, inputs, outputs)
        if kind == QAccessible.Text.Description:
            return item.face.summary
        return state_words(item.face, item.status) if kind == QAccessible.Text.Value else ""

    def rect(self) -> QRect:
        view = self._voice.view
        item = view.editor.scene.nodes.get(self._voice.node_id)
        if item is None:
            return QRect()
        area = view.mapFromScene(item.body).boundingRect()
        return QRect(view.viewport().mapToGlobal(area.topLeft()), area.size())

    def state(self) -> QAccessible.State:
        view = self._voice.view
        state = QAccessible.State()
        state.focusable = True  # pyright: ignore[reportAttributeAccessIssue] - a bit field
        state.selectable = True  # pyright: ignore[reportAttributeAccessIssue]
        state.selected = self._voice.node_id in view.editor.selection.nodes  # pyright: ignore[reportAttributeAccessIssue]
        state.focused = (  # pyright: ignore[reportAttributeAccessIssue]
            view.hasFocus() and view.editor.selection.current == self._voice.node_id
        )
        state.invisible = self._voice.node_id not in view.editor.scene.nodes  # pyright: ignore[reportAttributeAccessIssue]
        return state


def _make(_key: str, thing: QObject | None) -> QAccessibleInterface | None:
    # Qt keeps only the C++ half of an interface; kept nowhere else the Python half would go away at once.
    if isinstance(thing, CanvasView):
        voices = voices_of(thing)
        voices.interface = CanvasInterface(thing)
        return voices.interface
    if isinstance(thing, NodeVoice):
        thing.interface = NodeInterface(thing)
        return thing.interface
    return None


@cache
def install() -> None:
    """Lets Qt ask for the canvas. Once per program, before a canvas is shown."""
    QAccessible.installFactory(_make)


def tell_focus(view: CanvasView, node_id: str) -> None:
    """A screen reader hears the node that has the keyboard now."""
    if QAccessible.isActive():
        QAccessible.updateAccessibility(QAccessibleEvent(voices_of(view).of(node_id), QAccessible.Event.Focus))


def announce(view: CanvasView, text: str) -> None:
    """A screen reader says a sentence, without moving anything."""
    if QAccessible.isActive():
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(view, text))
