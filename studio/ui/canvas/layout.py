"""Tidy layout: from left to right along the edges, size aware, the same picture every time for the same workflow.

The library decides ranks; places are worked out here from the sizes of nodes and labels. What stood above something
before stands above it afterwards, unless that costs crossings, and as little as possible moves away from where it was:
the reader finds everything again. Absent on purpose: keeping single nodes where a person has put them.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from graphlib import TopologicalSorter
from typing import TypeAlias

import fast_sugiyama

from studio.ui.canvas.spine import spine_of

Size: TypeAlias = tuple[float, float]
Place: TypeAlias = tuple[float, float]
Link: TypeAlias = tuple[str, str]

ROW_GAP = 40.0
COLUMN_GAP = 60.0
_SPACING = 100
_SWEEPS = 8
_SNAP = 10
_FIRM = 1e6
"""How much more the spine's wish counts than that of others in its column."""


@dataclass(frozen=True, slots=True)
class _Placed:
    """A node's column, and its wish for a vertical place, in units of one row."""

    column: int
    row: float


def tidy(
    sizes: Mapping[str, Size],
    links: Sequence[Link],
    gaps: Mapping[Link, float] | None = None,
    before: Mapping[str, Place] | None = None,
) -> dict[str, Place]:
    """Top left corner of every node. `sizes` in drawing order; `gaps` is the room that an edge's label needs; `before`
    is where the reader knows the nodes to be.

    Links must name nodes in `sizes`. Parts that are not connected stand below each other.
    """
    known = tuple((node_id, before[node_id]) for node_id in sizes if node_id in before) if before else ()
    return dict(_tidy(tuple(sizes.items()), tuple(links), tuple((gaps or {}).items()), known))


@lru_cache(maxsize=64)
def _tidy(
    sized: tuple[tuple[str, Size], ...],
    links: tuple[Link, ...],
    gap_items: tuple[tuple[Link, float], ...],
    known: tuple[tuple[str, Place], ...],
) -> dict[str, Place]:
    """Kept, because the library breaks ties by chance: one workflow must not be drawn in two ways in one session."""
    sizes, gaps, before = dict(sized), dict(gap_items), dict(known)
    ids = list(sizes)
    number = {node_id: index for index, node_id in enumerate(ids)}
    heights = {number[node_id]: y + sizes[node_id][1] / 2 for node_id, (_x, y) in before.items()}
    pairs = _acyclic(len(ids), list(dict.fromkeys((number[a], number[b]) for a, b in links if a != b)))
    parts = _connected(len(ids), pairs)
    if heights:
        parts.sort(key=lambda part: min(heights.get(index, 0.0) for index in part))
    places: dict[str, Place] = {}
    top = 0.0
    for part in parts:
        inside = set(part)
        part_pairs = [pair for pair in pairs if pair[0] in inside]
        placed = _ranked(part, part_pairs, heights)
        columns = _columns(placed, part_pairs, heights)
        spine = spine_of(part, part_pairs)
        part_places, bottom = _spread(columns, placed, part_pairs, spine, [sizes[i] for i in ids], ids, gaps, top)
        places.update({ids[index]: place for index, place in part_places.items()})
        top = bottom + ROW_GAP * 1.5
    shift_x, shift_y = _least_shift(places, before)
    return {node_id: (places[node_id][0] + shift_x, places[node_id][1] + shift_y) for node_id in ids}


def _least_shift(places: Mapping[str, Place], before: Mapping[str, Place]) -> Place:
    """What the whole picture is moved by, so that half of the nodes lie on either side of where they were."""
    if not before:
        return 0.0, 0.0
    across = statistics.median(before[n][0] - places[n][0] for n in before)
    down = statistics.median(before[n][1] - places[n][1] for n in before)
    return float(round(across / _SNAP) * _SNAP), float(round(down / _SNAP) * _SNAP)


def _acyclic(count: int, pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The links with those turned round that lead back, in the order nodes are drawn: a workflow that is being edited
    or was made by hand may hold a cycle, and the library breaks cycles by chance.
    """
    targets: dict[int, list[int]] = {}
    for source, target in pairs:
        targets.setdefault(source, []).append(target)
    done: set[int] = set()
    back: set[tuple[int, int]] = set()
    for start in range(count):
        path: dict[int, Iterator[int]] = {} if start in done else {start: iter(targets.get(start, ()))}
        while path:
            node = next(reversed(path))
            target = next(path[node], None)
            if target is None:
                done.add(node)
                del path[node]
            elif target in path:
                back.add((node, target))
            elif target not in done:
                path[target] = iter(targets.get(target, ()))
    return list(dict.fromkeys((b, a) if (a, b) in back else (a, b) for a, b in pairs))


def _connected(count: int, pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    parent = list(range(count))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for a, b in pairs:
        first, second = sorted((root(a), root(b)))
        parent[second] = first
    groups: dict[int, list[int]] = {}
    for index in range(count):
        groups.setdefault(root(index), []).append(index)
    return list(groups.values())


def _ranked(part: Sequence[int], pairs: Sequence[tuple[int, int]], heights: Mapping[int, float]) -> dict[int, _Placed]:
    if not pairs:
        order = sorted(part, key=lambda index: (heights.get(index, 0.0), index))
        return {index: _Placed(0, float(row)) for row, index in enumerate(order)}
    layouts = fast_sugiyama.from_edges(
        pairs, vertex_spacing=_SPACING, ranking_type="minimize", dummy_vertices=True, dummy_size=1.0
    )
    positions = {index: place for index, place in layouts.to_dict().items() if index in set(part)}
    highest = max(y for _x, y in positions.values())
    placed = {index: _Placed(round((highest - y) / _SPACING), x / _SPACING) for index, (x, y) in positions.items()}
    return _upright(_forward(placed, pairs), pairs, heights)


def _forward(placed: Mapping[int, _Placed], pairs: Sequence[tuple[int, int]]) -> dict[int, _Placed]:
    """Every node behind all that lead to it: the library (0.5) now and then leaves both ends of a link in one rank."""
    before: dict[int, list[int]] = {index: [] for index in placed}
    for source, target in pairs:
        before[target].append(source)
    columns: dict[int, int] = {}
    for index in TopologicalSorter(before).static_order():
        columns[index] = max([placed[index].column, *(columns[source] + 1 for source in before[index])])
    return {index: _Placed(columns[index], place.row) for index, place in placed.items()}


def _upright(
    placed: Mapping[int, _Placed], pairs: Sequence[tuple[int, int]], heights: Mapping[int, float]
) -> dict[int, _Placed]:
    """The library does not know which of two mirror pictures is meant: the one as it was before, and where nothing was
    before the one in which outputs drawn first lead upwards.
    """
    agree = 0
    first_seen: dict[int, list[int]] = {}
    for source, target in pairs:
        for sibling in first_seen.get(source, ()):
            above, below = placed[sibling], placed[target]
            if above.column == below.column:
                agree += _sign(below.row - above.row) * _wanted(sibling, target, heights)
        first_seen.setdefault(source, []).append(target)
    if agree >= 0:
        return dict(placed)
    last = max(place.row for place in placed.values())
    return {index: _Placed(place.column, last - place.row) for index, place in placed.items()}


def _wanted(first: int, second: int, heights: Mapping[int, float]) -> int:
    """1 when the first of two shall stand above the second, −1 for below."""
    if first in heights and second in heights and heights[first] != heights[second]:
        return _sign(heights[second] - heights[first])
    return 1


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def _columns(
    placed: Mapping[int, _Placed], pairs: Sequence[tuple[int, int]], heights: Mapping[int, float]
) -> dict[int, list[int]]:
    """Column → nodes from top to bottom: as before or as drawn, where that costs no crossing."""
    columns: dict[int, list[int]] = {}
    for index in sorted(placed, key=lambda i: (placed[i].column, placed[i].row, i)):
        columns.setdefault(placed[index].column, []).append(index)
    near: dict[int, list[int]] = {index: [] for index in placed}
    turn: dict[tuple[int, int], int] = {}
    for order, (a, b) in enumerate(pairs):
        near[a].append(b)
        near[b].append(a)
        turn[a, b] = order
    rank = {index: place for line in columns.values() for place, index in enumerate(line)}
    for line in columns.values():
        for _ in line:
            for above, below in list(itertools.pairwise(line)):
                if _is_turned(above, below, near, turn, heights) and _crossings(above, below, near, rank, placed) >= 0:
                    place = line.index(above)
                    line[place : place + 2] = [below, above]
                    rank[above], rank[below] = rank[below], rank[above]
    return columns


def _is_turned(
    above: int,
    below: int,
    near: Mapping[int, list[int]],
    turn: Mapping[tuple[int, int], int],
    heights: Mapping[int, float],
) -> bool:
    """Whether two neighbours of a column would better change places, as far as the reader is concerned."""
    if above in heights and below in heights and heights[above] != heights[below]:
        return heights[above] > heights[below]
    return _drawn_later(above, below, near, turn)


def _drawn_later(above: int, below: int, near: Mapping[int, list[int]], turn: Mapping[tuple[int, int], int]) -> bool:
    shared = [p for p in near[above] if (p, above) in turn and (p, below) in turn]
    return bool(shared) and all(turn[p, above] > turn[p, below] for p in shared)


def _crossings(
    above: int, below: int, near: Mapping[int, list[int]], rank: Mapping[int, int], placed: Mapping[int, _Placed]
) -> int:
    """How many crossings are saved when the two neighbours of a column change places."""
    return sum(
        (rank[a] > rank[b]) - (rank[a] < rank[b])
        for a in near[above]
        for b in near[below]
        if placed[a].column == placed[b].column
    )


def _spread(
    columns: Mapping[int, list[int]],
    placed: Mapping[int, _Placed],
    pairs: Sequence[tuple[int, int]],
    spine: Sequence[int],
    sizes: Sequence[Size],
    ids: Sequence[str],
    gaps: Mapping[Link, float],
    top: float,
) -> tuple[dict[int, Place], float]:
    lefts = _column_lefts(columns, placed, pairs, sizes, ids, gaps)
    middles = _middles(columns, placed, pairs, spine, sizes)
    middles = {index: round(middle / _SNAP) * _SNAP for index, middle in middles.items()}
    highest = min(middles[i] - sizes[i][1] / 2 for i in placed)
    places = {
        index: (round(lefts[placed[index].column]), round(middles[index] - sizes[index][1] / 2 - highest + top))
        for index in placed
    }
    bottom = max(places[i][1] + sizes[i][1] for i in placed)
    return {index: (float(x), float(y)) for index, (x, y) in places.items()}, float(bottom)


def _column_lefts(
    columns: Mapping[int, Sequence[int]],
    placed: Mapping[int, _Placed],
    pairs: Sequence[tuple[int, int]],
    sizes: Sequence[Size],
    ids: Sequence[str],
    gaps: Mapping[Link, float],
) -> dict[int, float]:
    room: dict[int, float] = {}
    for a, b in pairs:
        column = placed[a].column
        room[column] = max(room.get(column, COLUMN_GAP), gaps.get((ids[a], ids[b]), 0.0))
    lefts: dict[int, float] = {}
    left = 0.0
    for column in range(max(columns) + 1):
        lefts[column] = left
        widest = max((sizes[i][0] for i in columns.get(column, ())), default=0.0)
        left += widest + room.get(column, COLUMN_GAP)
    return lefts


def _middles(
    columns: Mapping[int, Sequence[int]],
    placed: Mapping[int, _Placed],
    pairs: Sequence[tuple[int, int]],
    spine: Sequence[int],
    sizes: Sequence[Size],
) -> dict[int, float]:
    """Vertical middles: the spine on one line, every other node towards the mean of its neighbours, never nearer to the
    next one than the gap.
    """
    tallest = max(sizes[i][1] for i in placed)
    middles = {index: place.row * (tallest + ROW_GAP) for index, place in placed.items()}
    line = statistics.median(middles[index] for index in spine)
    middles.update(dict.fromkeys(spine, line))
    neighbours: dict[int, tuple[list[int], list[int]]] = {index: ([], []) for index in placed}
    for a, b in pairs:
        neighbours[b][0].append(a)
        neighbours[a][1].append(b)
    fixed = frozenset(spine)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        for column in sorted(columns, reverse=not forward):
            row = columns[column]
            wishes = [
                line if i in fixed else _wish(i, neighbours[i][0 if forward else 1], middles, placed) for i in row
            ]
            weights = [_FIRM if i in fixed else 1.0 for i in row]
            middles.update(zip(row, _apart(wishes, [sizes[i][1] for i in row], weights), strict=True))
    return middles


def _wish(index: int, near: Sequence[int], middles: Mapping[int, float], placed: Mapping[int, _Placed]) -> float:
    """Where a node's neighbours want it; the nearer column counts more, so that chains run straight."""
    if not near:
        return middles[index]
    weights = [1 / max(1, abs(placed[i].column - placed[index].column)) ** 2 for i in near]
    return sum(w * middles[i] for w, i in zip(weights, near, strict=True)) / sum(weights)


def _apart(wishes: Sequence[float], heights: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Middles in the given order, a gap apart, as near to the wishes as that allows (pool adjacent violators)."""
    offsets = [0.0]
    for above, below in itertools.pairwise(heights):
        offsets.append(offsets[-1] + (above + below) / 2 + ROW_GAP)
    pools: list[tuple[float, float, int]] = []
    for wish, offset, own in zip(wishes, offsets, weights, strict=True):
        mean, weight, size = wish - offset, own, 1
        while pools and pools[-1][0] > mean:
            other, other_weight, count = pools.pop()
            mean = (mean * weight + other * other_weight) / (weight + other_weight)
            weight, size = weight + other_weight, size + count
        pools.append((mean, weight, size))
    bases = [mean for mean, _weight, size in pools for _ in range(size)]
    return [base + offset for base, offset in zip(bases, offsets, strict=True)]
