"""What is different from an earlier state, as the canvas shows it: a mark on each step, and ghosts of what is gone.

Absent on purpose: finding the differences (`studio.domain.difference`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QGraphicsRectItem, QStyleOptionGraphicsItem, QWidget

from studio.domain.difference import Difference, Kind
from studio.domain.workflow import Node, Workflow
from studio.ui.canvas import look
from studio.ui.canvas.drawing import Drawing
from studio.ui.canvas.edges import EdgeKey
from studio.ui.canvas.marks import Mark, Marks, paint_word
from studio.ui.theme import theme

_COLOURS: Mapping[Kind, str] = {
    "added": "state.done",
    "changed": "state.warning",
    "removed": "state.failed",
    "moved": "control_border",
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """`nodes`: what became of each step since; `edges`: edges that came; `gone`: steps of then that are no more."""

    nodes: Mapping[str, Kind] = field(default_factory=dict)
    edges: frozenset[EdgeKey] = frozenset()
    gone: Sequence[Node] = ()

    def marks(self) -> Marks:
        """As the canvas draws them."""
        nodes = {node_id: Mark(kind, _COLOURS[kind]) for node_id, kind in self.nodes.items()}
        return Marks(nodes, dict.fromkeys(self.edges, Mark("added", _COLOURS["added"], dashed=True)))


def compared(before: Workflow, differences: Sequence[Difference]) -> Comparison:
    """What to mark on the canvas that shows the state after; `changed` hides `moved`."""
    nodes: dict[str, Kind] = {}
    edges: set[EdgeKey] = set()
    gone: set[str] = set()
    for one in differences:
        if one.what == "edge" and one.edge is not None and one.kind == "added":
            edges.add(one.edge)
        elif one.what == "node" and one.node is not None:
            if one.kind == "removed":
                gone.add(one.node)
            elif nodes.get(one.node) in (None, "moved"):
                nodes[one.node] = one.kind
    return Comparison(nodes, frozenset(edges), tuple(node for node in before.nodes if node.id in gone))


class GhostItem(QGraphicsRectItem):
    """A step that is no more, where it stood."""

    def __init__(self, node: Node, title: str, drawing: Drawing) -> None:
        super().__init__()
        self.title = title
        self._drawing = drawing
        self._body = QRectF(0, 0, look.NODE_WIDTH, look.NODE_HEIGHT)
        self.setRect(self._body.adjusted(-3, -32, 3, 3))
        self.setPos(QPointF(*node.position))
        self.setZValue(0.8)
        self.setPen(QPen(Qt.PenStyle.NoPen))
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        painter.setPen(QPen(theme().colour("state.failed"), 1.5, Qt.PenStyle.DashLine))
        painter.setBrush(theme().colour("surface", 0.7))
        painter.drawRoundedRect(self._body, look.NODE_RADIUS, look.NODE_RADIUS)
        paint_word(painter, Mark("removed", _COLOURS["removed"]))
        painter.setFont(look.font("subheading", 14))
        painter.setPen(theme().colour("text_secondary"))
        words = look.elided(self.title, look.NODE_WIDTH - 24, "subheading", 14)
        painter.drawText(self._body, Qt.AlignmentFlag.AlignCenter, words)
