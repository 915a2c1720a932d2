"""Marks over steps and edges: what changed since an earlier state, a contact's way, where a run holds, what is stale.

A mark is a colour and always a word, because colour alone tells nobody. Of several layers the first that has a mark for
a step shows it. Absent on purpose: deciding what to mark.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter

from studio.domain.workflow import PortRef
from studio.ui.canvas import look
from studio.ui.theme import theme

Layer: TypeAlias = Literal["comparison", "way", "dry", "hold", "stale"]
LAYERS: tuple[Layer, ...] = get_args(Layer)
"""The first that has something to say about a step says it."""


@dataclass(frozen=True, slots=True)
class Mark:
    """`word` stands above a step (edges show the colour only); `colour` is a token."""

    word: str
    colour: str
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Marks:
    """One layer."""

    nodes: Mapping[str, Mark] = field(default_factory=dict)
    edges: Mapping[tuple[PortRef, PortRef], Mark] = field(default_factory=dict)


def uppermost(layers: Mapping[Layer, Marks]) -> Marks:
    """What is seen of all layers."""
    nodes: dict[str, Mark] = {}
    edges: dict[tuple[PortRef, PortRef], Mark] = {}
    for layer in reversed(LAYERS):
        marks = layers.get(layer)
        if marks is not None:
            nodes.update(marks.nodes)
            edges.update(marks.edges)
    return Marks(nodes, edges)


def paint_word(painter: QPainter, mark: Mark) -> None:
    """What the mark says, above the step's upper left corner."""
    # Far away the words stay as large on screen as they can without reaching the next node.
    size = round(max(12.0, min(20.0, 11.0 / painter.worldTransform().m11())))
    words = look.elided(mark.word, look.NODE_WIDTH - 20, "caption", size)
    area = QRectF(6, -size - 10, look.width_of(words, "caption", size) + 14, size + 6)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme().colour(mark.colour))
    painter.drawRoundedRect(area, area.height() / 2, area.height() / 2)
    painter.setFont(look.font("caption", size))
    painter.setPen(theme().colour("on_state"))
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, words)
