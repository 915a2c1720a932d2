"""Where long edges run so that they pass between the steps instead of behind them: one level height for each.

Edges that lead to the same step share a height where they can, as lines that flow together. Absent on purpose: drawing
(`edges.py`), and edges that no step stands in the way of.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Mapping, Sequence
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
_BESIDE_A_STEP = 8.0
"""From what must stay clear around a step to the nearest lane."""
_BESIDE = 12.0
"""Between lanes that lead to different steps."""
EDGES_MAX = 300
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
    runs: Mapping[Key, Run], bodies: Sequence[Body], curve: Callable[[Point, Point], Sequence[Point]]
) -> dict[Key, float]:
    """Edge → the height it runs at, for edges that would pass behind a step. `curve`: points of the direct way.

    O(long edges · steps): for at most `EDGES_MAX` edges. `Run.own` are places in `bodies`.
    """
    found: dict[Key, float] = {}
    taken: list[_Taken] = []
    for key, run in sorted(runs.items(), key=lambda item: item[1].end[0] - item[1].start[0]):
        (x1, y1), (x2, y2) = run.start, run.end
        if x2 - x1 < LEAST_LENGTH:
            continue
        between = [b for i, b in enumerate(bodies) if b[2] > x1 and b[0] < x2 and i not in run.own]
        low, high = min(y1, y2) - _CLEAR, max(y1, y2) + _CLEAR
        near = [b for b in between if b[1] < high and b[3] > low]
        if not near or not _passes_behind(curve(run.start, run.end), near):
            continue
        height = _height(run, between, taken)
        if height is not None:
            found[key] = height
            taken.append(_Taken(height, x1, x2, run.ends_at))
    return found


def _passes_behind(points: Sequence[Point], bodies: Sequence[Body]) -> bool:
    """Long edges lead to the right all the way, so the points above a step lie next to each other."""
    across = [x for x, _y in points]
    for left, top, right, bottom in bodies:
        above = points[bisect_right(across, left - _CLEAR) : bisect_left(across, right + _CLEAR)]
        if any(top - _CLEAR < y < bottom + _CLEAR for _x, y in above):
            return True
    return False


def _height(run: Run, between: Sequence[Body], taken: Sequence[_Taken]) -> float | None:
    """The free height with the shortest way up and down; a little rather below than above."""
    (_x1, y1), (_x2, y2) = run.start, run.end
    near = [lane for lane in taken if lane.left < run.end[0] and lane.right > run.start[0]]
    others = [lane.height for lane in near if lane.ends_at != run.ends_at]
    shared = {lane.height for lane in near if lane.ends_at == run.ends_at}
    closed = _closed(between)
    wishes = [*shared]
    for low, high in closed:
        wishes += [high + _BESIDE_A_STEP + _BESIDE * step for step in range(3)]
        wishes += [low - _BESIDE_A_STEP - _BESIDE * step for step in range(3)]
    tops = [low for low, _high in closed]

    def is_free(y: float) -> bool:
        place = bisect_left(tops, y) - 1
        return (place < 0 or y >= closed[place][1]) and all(abs(y - other) >= _BESIDE - 1 for other in others)

    wishes.sort(key=lambda y: abs(y - y1) + abs(y - y2) + 4 * (y < y1) - 60 * (y in shared))
    return next(filter(is_free, wishes), None)


def _closed(bodies: Sequence[Body]) -> list[tuple[float, float]]:
    """The heights at which steps stand, from above to below, those that overlap as one."""
    merged: list[tuple[float, float]] = []
    for low, high in sorted((body[1] - _CLEAR, body[3] + _CLEAR) for body in bodies):
        if merged and low <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(high, merged[-1][1])
        else:
            merged.append((low, high))
    return merged
