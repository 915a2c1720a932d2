"""Where steps stand when they are lined up or spread evenly: rectangles in, new corners out.

Absent on purpose: laying out a whole graph (`layout.py`), Qt.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, width, height."""
Place: TypeAlias = tuple[float, float]
Side: TypeAlias = Literal["left", "centre", "right", "top", "middle", "bottom"]

SIDES: Mapping[Side, str] = {
    "left": "Align left edges",
    "centre": "Align centres",
    "right": "Align right edges",
    "top": "Align top edges",
    "middle": "Align middles",
    "bottom": "Align bottom edges",
}


def align(boxes: Mapping[str, Box], side: Side) -> dict[str, Place]:
    """New top left corners; the outermost box decides, for centres and middles the mean of the outermost two."""
    across = side in ("left", "centre", "right")
    start, length = (0, 2) if across else (1, 3)
    low = min(box[start] for box in boxes.values())
    high = max(box[start] + box[length] for box in boxes.values())

    def moved(box: Box) -> float:
        if side in ("left", "top"):
            return low
        return high - box[length] if side in ("right", "bottom") else (low + high - box[length]) / 2

    return {key: (moved(box), box[1]) if across else (box[0], moved(box)) for key, box in boxes.items()}


def distribute(boxes: Mapping[str, Box], *, across: bool) -> dict[str, Place]:
    """New top left corners with equal gaps; the first and the last stay. Fewer than three stay where they are."""
    start, length = (0, 2) if across else (1, 3)
    order = sorted(boxes, key=lambda key: (boxes[key][start], key))
    if len(order) < 3:
        return {key: box[:2] for key, box in boxes.items()}
    first, last = boxes[order[0]], boxes[order[-1]]
    room = last[start] + last[length] - first[start] - sum(box[length] for box in boxes.values())
    gap = room / (len(order) - 1)
    found: dict[str, Place] = {}
    at = first[start]
    for key in order:
        box = boxes[key]
        found[key] = (at, box[1]) if across else (box[0], at)
        at += box[length] + gap
    return found
