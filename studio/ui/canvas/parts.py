"""Which rectangles of the viewport are painted anew: few, and none of them cut into strips.

Qt joins what is to be painted into one region of narrow strips and copies every picture through it, which costs several
times the copy alone; a rectangle by itself is copied at full speed. Absent on purpose: painting.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from PySide6.QtCore import QRect
from PySide6.QtGui import QRegion

_EXTRA_PIXELS = 20_000
"""Painting so many pixels more costs about as much as going through one rectangle more."""
_MOST = 32
_WHOLE_SHARE = 0.6

Corners: TypeAlias = tuple[int, int, int, int, int]
"""Left, top, right, bottom, and how many pixels lie between."""


class Parts:
    """What was asked to be painted since the last frame."""

    def __init__(self) -> None:
        self._asked: list[QRect] = []

    def ask(self, rects: Iterable[QRect], room: QRect) -> list[QRect]:
        """Further rectangles that touch the viewport's room; those that Qt must be asked to update."""
        wanted = joined([*self._asked, *rects], room)
        known = set(map(_corners, self._asked))
        self._asked = wanted
        return [rect for rect in wanted if _corners(rect) not in known]

    def forget(self) -> None:
        """What was asked for lies elsewhere now."""
        self._asked = []

    def take(self, region: QRegion) -> list[QRect]:
        """The rectangles of this frame; they cover the region that Qt wants painted. Empty: as Qt has it."""
        asked, self._asked = self._asked, []
        if not asked:
            return []
        covered = QRegion()
        for rect in asked:
            covered += rect
        # Somebody else wants something too (the pointer, a panel that goes away): then it is Qt's frame, for it must
        # learn where items are that came into sight.
        return asked if region.subtracted(covered).isEmpty() else []


def joined(rects: Iterable[QRect], room: QRect) -> list[QRect]:
    """The same pixels in fewer rectangles, none of which overlap much; the whole room when it is most of it."""
    found: list[Corners] = []
    for rect in rects:
        _add(found, _corners(rect))
    if len(found) > _MOST or sum(corners[4] for corners in found) > _WHOLE_SHARE * room.width() * room.height():
        return [QRect(room)]
    return [QRect(left, top, right - left, bottom - top) for left, top, right, bottom, _ in found]


def _add(found: list[Corners], new: Corners) -> None:
    left, top, right, bottom, pixels = new
    index = 0
    while index < len(found):
        one = found[index]
        low_x, high_x = one[0], one[2]
        low_y, high_y = one[1], one[3]
        if left < low_x:  # noqa: PLR1730 - min() and max() are calls, which would cost more than all the rest
            low_x = left
        if top < low_y:  # noqa: PLR1730 - the same
            low_y = top
        if right > high_x:  # noqa: PLR1730 - the same
            high_x = right
        if bottom > high_y:  # noqa: PLR1730 - the same
            high_y = bottom
        both = (high_x - low_x) * (high_y - low_y)
        if both <= pixels + one[4] + _EXTRA_PIXELS:
            # Larger now, it may take in one looked at before.
            found.pop(index)
            left, top, right, bottom, pixels, index = low_x, low_y, high_x, high_y, both, 0
        else:
            index += 1
    found.append((left, top, right, bottom, pixels))


def _corners(rect: QRect) -> Corners:
    left, top, width, height = rect.getRect()
    return left, top, left + width, top + height, width * height
