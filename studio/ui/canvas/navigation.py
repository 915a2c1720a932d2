"""Where the arrow keys lead: to the nearest node in a direction, along an edge, or on in reading order.

Absent on purpose: Qt; positions are middles of nodes in the plane, y downwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from studio.domain.workflow import Workflow, topological_order

Direction: TypeAlias = Literal["left", "right", "up", "down"]
Place: TypeAlias = tuple[float, float]

_SIDEWAYS_COST = 2.0


def reading_order(workflow: Workflow) -> list[str]:
    """Every node id once: along the edges from the sources on, what lies on a cycle last."""
    order, cyclic = topological_order(workflow)
    return [*order, *cyclic]


def next_in_order(workflow: Workflow, current: str | None, step: int) -> str | None:
    """The node `step` places on in reading order; None past either end, so that Tab can leave the canvas."""
    order = reading_order(workflow)
    if not order:
        return None
    if current not in order:
        return order[0 if step > 0 else -1]
    place = order.index(current) + step
    return order[place] if 0 <= place < len(order) else None


def nearest(places: Mapping[str, Place], current: str, direction: Direction) -> str | None:
    """The nearest node in a direction: what lies off the straight line counts double. None when there is none."""
    x, y = places[current]
    found: tuple[float, str] | None = None
    for node_id, (other_x, other_y) in places.items():
        ahead, aside = _turned(other_x - x, other_y - y, direction)
        if node_id == current or ahead <= 0 or aside > ahead * _SIDEWAYS_COST:
            continue
        cost = ahead + aside * _SIDEWAYS_COST
        if found is None or (cost, node_id) < found:
            found = cost, node_id
    return found[1] if found else None


def _turned(dx: float, dy: float, direction: Direction) -> tuple[float, float]:
    ahead = {"left": -dx, "right": dx, "up": -dy, "down": dy}[direction]
    return ahead, abs(dy if direction in ("left", "right") else dx)


def along_edge(workflow: Workflow, places: Mapping[str, Place], current: str, direction: Direction) -> str | None:
    """Right: the first node an edge leads to; left: the first it comes from; up and down: what shares a source."""
    if direction == "right":
        return _topmost(places, [e.to[0] for e in workflow.edges if e.from_[0] == current])
    if direction == "left":
        return _topmost(places, [e.from_[0] for e in workflow.edges if e.to[0] == current])
    parents = {e.from_[0] for e in workflow.edges if e.to[0] == current}
    siblings = {e.to[0] for e in workflow.edges if e.from_[0] in parents and e.to[0] in places} - {current}
    y = places[current][1]
    above = direction == "up"
    there = [node_id for node_id in siblings if (places[node_id][1] < y) == above and places[node_id][1] != y]
    return min(there, key=lambda node_id: (abs(places[node_id][1] - y), node_id), default=None)


def _topmost(places: Mapping[str, Place], ids: list[str]) -> str | None:
    return min((n for n in ids if n in places), key=lambda node_id: (places[node_id][1], node_id), default=None)


def leads_to(workflow: Workflow, start: str) -> set[str]:
    """Every node that can be reached from `start`, itself included."""
    targets: dict[str, list[str]] = {}
    for edge in workflow.edges:
        targets.setdefault(edge.from_[0], []).append(edge.to[0])
    seen, todo = {start}, [start]
    while todo:
        for target in targets.get(todo.pop(), ()):
            if target not in seen:
                seen.add(target)
                todo.append(target)
    return seen


def comes_from(workflow: Workflow, end: str) -> set[str]:
    """Every node from which `end` can be reached, itself included."""
    sources: dict[str, list[str]] = {}
    for edge in workflow.edges:
        sources.setdefault(edge.to[0], []).append(edge.from_[0])
    seen, todo = {end}, [end]
    while todo:
        for source in sources.get(todo.pop(), ()):
            if source not in seen:
                seen.add(source)
                todo.append(source)
    return seen
