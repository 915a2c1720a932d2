"""A contact's way as marks on the canvas: its steps numbered in order, its edges in the accent colour.

Absent on purpose: the words of the way (`follow_panel.py`).
"""

from __future__ import annotations

from collections.abc import Mapping

from studio.analytics.paths import Journey, Visit
from studio.domain.port_words import port_words, ways_of
from studio.domain.workflow import Workflow
from studio.ui.canvas.marks import Mark, Marks

_COLOUR = "accent"
_BAD = "state.failed"
_STANDING = "state.waiting"


def way_marks(journey: Journey, workflow: Workflow) -> Marks:
    """A step passed twice shows the last time."""
    ways = ways_of(workflow)
    nodes = {
        visit.node: Mark(f"{place} · {_short(visit, ways.get(visit.node))}", _colour(visit))
        for place, visit in _numbered(journey)
    }
    left = {(visit.node, visit.port) for visit in journey.visits if visit.port is not None}
    edges = {
        (edge.from_, edge.to): Mark("", _COLOUR)
        for edge in workflow.edges
        if edge.from_ in left and edge.to[0] in nodes
    }
    return Marks(nodes, edges)


def _numbered(journey: Journey) -> list[tuple[int, Visit]]:
    return list(enumerate(journey.visits, start=1))


def _short(visit: Visit, labels: Mapping[str, str] | None) -> str:
    if visit.message is not None:
        return visit.message.state.replace("_", " ")
    if visit.left_at is None:
        return "here now"
    return port_words(visit.port or "", labels) or "passed"


def _colour(visit: Visit) -> str:
    if visit.message is not None and visit.message.state in ("failed", "in_doubt"):
        return _BAD
    return _STANDING if visit.left_at is None else _COLOUR
