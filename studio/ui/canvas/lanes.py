"""Where long edges run so that they pass between the steps instead of behind them: one level height for each.

Edges that lead to the same step share a height where they can, as lines that flow together. Absent on purpose: drawing
(`edges.py`), and edges that no step stands in the way of.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

Point: TypeAlias = tuple[float, float]
Body: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom."""
Key = TypeVar("Key", bound=Hashable)

LEAST_LENGTH = 200.0
"""A shorter edge leads to a neighbour; there is nothing between."""
TURN = 72.0
"""How far an edge goes ahead while it changes its height."""
_CLEAR = 12.0
_LANE = 20.0
"""From the rim of a step to the nearest lane."""
_BESIDE = 12.0
"""Between lanes that lead to different steps."""
EDGES_MAX = 400
"""In a larger graph nobody follows a single line by eye, and looking for lanes takes longer than a frame."""


@dataclass(frozen=True, slots=True)
class Run:
    """An edge: where it begins and ends, between which steps, and what it leads to."""

    start: Point
    end: Point
    ends_at: Hashable
    own: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Taken:
    height: float
    left: float
    right: float
    ends_at: Hashable


def lanes(
    runs: Mapping[Key, Run], bodies: Sequence[Body], curve: Callable[[Point, Point], Iterable[Point]]
) -> dict[Key, float]:
    """Edge → the height it runs at, for edges that would pass behind a step. `curve`: points of the direct way.

    O(long edges · steps): for at most `EDGES_MAX` edges. `Run.own` are places in `bodies`.
    """
    found: dict[Key, float] = {}
    taken: list[_Taken] = []
    for key, run in sorted(runs.items(), key=lambda item: item[1].end[0] - item[1].start[0]):
        (x1, _y1), (x2, _y2) = run.start, run.end
        if x2 - x1 < LEAST_LENGTH:
            continue
        between = [b for i, b in enumerate(bodies) if i not in run.own and b[2] > x1 and b[0] < x2]
        if not any(_meets(point, body) for point in curve(run.start, run.end) for body in between):
            continue
        height = _height(run, between, taken)
        if height is not None:
            found[key] = height
            taken.append(_Taken(height, x1, x2, run.ends_at))
    return found


def _meets(point: Point, body: Body) -> bool:
    x, y = point
    left, top, right, bottom = body
    return left - _CLEAR < x < right + _CLEAR and top - _CLEAR < y < bottom + _CLEAR


def _height(run: Run, between: Sequence[Body], taken: Sequence[_Taken]) -> float | None:
    """The free height with the shortest way up and down; a little rather below than above."""
    (_x1, y1), (_x2, y2) = run.start, run.end
    near = [lane for lane in taken if lane.left < run.end[0] and lane.right > run.start[0]]
    others = [lane.height for lane in near if lane.ends_at != run.ends_at]
    wishes = [lane.height for lane in near if lane.ends_at == run.ends_at]
    for body in between:
        wishes += [body[3] + _LANE + _BESIDE * step for step in range(3)]
        wishes += [body[1] - _LANE - _BESIDE * step for step in range(3)]
    free = [
        y
        for y in wishes
        if not any(body[1] - _CLEAR < y < body[3] + _CLEAR for body in between)
        and not any(math.fabs(y - other) < _BESIDE - 1 for other in others)
    ]
    shared = {lane.height for lane in near if lane.ends_at == run.ends_at}
    return min(free, key=lambda y: abs(y - y1) + abs(y - y2) + 4 * (y < y1) - 60 * (y in shared), default=None)
