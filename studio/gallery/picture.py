"""A small picture of a workflow, drawn from its own graph: boxes by what a step is, lines where people go.

Absent on purpose: words (the picture is smaller than any that could be read) and Qt; it is SVG.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from studio.domain.workflow import Workflow

STEP = (200.0, 78.0)
_MARGIN = 24.0
_COLOURS: Mapping[str, tuple[str, str]] = {
    "trigger": ("#4f6079", "#8ca0bd"),
    "source": ("#4f6079", "#8ca0bd"),
    "audience": ("#5a5f73", "#9ea4b8"),
    "exp": ("#8146c4", "#bd93f0"),
    "flow": ("#8f6400", "#d3a13f"),
    "send": ("#2c62d6", "#7ea5ff"),
    "content": ("#2c62d6", "#7ea5ff"),
    "web": ("#2c62d6", "#7ea5ff"),
    "data": ("#0b7285", "#5cc3d6"),
}
"""By the group of the node type: on light, on dark."""
_LINE = ("#9aa1b1", "#6b7280")


def svg(workflow: Workflow, *, dark: bool = False) -> str:
    """The picture as a whole SVG document; its title says what is drawn, for screen readers."""
    places = {node.id: node.position for node in workflow.nodes}
    if not places:
        return '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"/>'
    left, top = min(x for x, _ in places.values()), min(y for _, y in places.values())
    right = max(x for x, _ in places.values()) - left + STEP[0]
    bottom = max(y for _, y in places.values()) - top + STEP[1]
    box = f"{-_MARGIN:g} {-_MARGIN:g} {right + 2 * _MARGIN:g} {bottom + 2 * _MARGIN:g}"
    lines = [_line(places[edge.from_[0]], places[edge.to[0]], (left, top), dark=dark) for edge in workflow.edges]
    boxes = [_box(node.type, node.position, (left, top), dark=dark) for node in workflow.nodes]
    title = f"{workflow.name}: {len(workflow.nodes)} steps"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{''.join(lines)}{''.join(boxes)}</svg>\n"
    )


def _box(kind: str, place: tuple[float, float], origin: tuple[float, float], *, dark: bool) -> str:
    colour = _COLOURS.get(kind.split(".", maxsplit=1)[0], _LINE)[dark]
    x, y = place[0] - origin[0], place[1] - origin[1]
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{STEP[0]:g}" height="{STEP[1]:g}" rx="14" '
        f'fill="{colour}" fill-opacity="0.16" stroke="{colour}" stroke-width="5"/>'
    )


def _line(a: tuple[float, float], b: tuple[float, float], origin: tuple[float, float], *, dark: bool) -> str:
    x0, y0 = a[0] - origin[0] + STEP[0], a[1] - origin[1] + STEP[1] / 2
    x1, y1 = b[0] - origin[0], b[1] - origin[1] + STEP[1] / 2
    bend = max((x1 - x0) / 2, 30.0)
    path = f"M{x0:g} {y0:g} C{x0 + bend:g} {y0:g} {x1 - bend:g} {y1:g} {x1:g} {y1:g}"
    return f'<path d="{path}" fill="none" stroke="{_LINE[dark]}" stroke-width="5"/>'
