"""How nodes and edges are said: for screen readers, the outline and announcements.

Absent on purpose: Qt.
"""

from __future__ import annotations

from collections.abc import Mapping

from studio.domain.port_words import Ways, port_words
from studio.domain.workflow import Edge
from studio.ui.canvas.face import NodeFace
from studio.ui.canvas.status import NodeStatus
from studio.ui.numbers import NOTHING, plural


def node_words(face: NodeFace, status: NodeStatus | None, inputs: int, outputs: int) -> str:
    """“Email A, running, 4,318 / 5,951, 73 %, 1 input, 1 output”."""
    parts = [face.title, state_words(face, status)]
    parts += [plural(inputs, "input"), plural(outputs, "output")]
    return ", ".join(part for part in parts if part)


def state_words(face: NodeFace, status: NodeStatus | None) -> str:
    """State and figures in words; empty for a step that is merely there."""
    parts: list[str] = []
    if not face.enabled:
        parts.append("switched off")
    if face.problem:
        parts.append(f"needs attention: {face.problem}")
    if status is not None:
        parts += [status.word, *(text for text in (status.left, status.right) if text != NOTHING)]
    return ", ".join(parts)


def edge_words(names: Mapping[str, str], edge: Edge, ways: Ways, *, leaving: bool) -> str:
    """“to Wait 2 days, through “Short subject””, or “from A/B test, through “Short subject””."""
    other = edge.to[0] if leaving else edge.from_[0]
    port = port_words(edge.from_[1], ways.get(edge.from_[0]))
    through = f", through “{port}”" if port else ""
    return f"{'to' if leaving else 'from'} {names.get(other, other)}{through}"
