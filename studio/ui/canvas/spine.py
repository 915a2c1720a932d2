"""The way of most people through a workflow: the steps that a tidy layout keeps on one line.

Absent on purpose: places (`layout.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter


def spine_of(part: Sequence[int], pairs: Sequence[tuple[int, int]]) -> list[int]:
    """The longest way through an acyclic part, from its first step to its last; of equals the one drawn first.

    Where it divides over steps that meet again right behind them, the way leads from the dividing step to the meeting
    one: the branches then lie above and below the line, as a test's variants should.
    """
    targets: dict[int, list[int]] = {index: [] for index in part}
    sources: dict[int, set[int]] = {index: set() for index in part}
    for a, b in pairs:
        targets[a].append(b)
        sources[b].add(a)
    depth: dict[int, int] = {}
    for index in reversed(list(TopologicalSorter(sources).static_order())):
        depth[index] = 1 + max((depth[target] for target in targets[index]), default=0)
    at = max((index for index in part if not sources[index]), key=lambda index: depth[index])
    line = [at]
    while targets[at]:
        meeting = _meeting(targets[at], targets, depth)
        at = meeting if meeting is not None else max(targets[at], key=lambda index: depth[index])
        line.append(at)
    return line


def _meeting(branches: Sequence[int], targets: Mapping[int, Sequence[int]], depth: Mapping[int, int]) -> int | None:
    """Where two or more branches meet one step later; None where they do not, or where another branch is the way."""
    longest = max(depth[branch] for branch in branches)
    equal = [branch for branch in branches if depth[branch] == longest]
    if len(equal) < 2:
        return None
    behind = [target for target in targets[equal[0]] if depth[target] == longest - 1]
    return next((t for t in behind if all(t in targets[branch] for branch in equal)), None)
