"""Which rectangles of the viewport are painted anew: few, and none of them cut into strips.

Qt joins what is to be painted into one region of narrow strips and copies every picture through it, which costs several
times the copy alone; a rectangle by itself is copied at full speed. Absent on purpose: painting.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QPainter, QPixmap, QRegion

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
        """Further rectangles of a viewport; those that Qt must be asked to update."""
        wanted = joined([*self._asked, *(rect for rect in rects if rect.intersects(room))], room)
        known = set(map(_corners, self._asked))
        self._asked = wanted
        return [rect for rect in wanted if _corners(rect) not in known]

    def take(self, region: QRegion) -> list[QRect]:
        """The rectangles of this frame; they cover the region that Qt wants painted. Empty: as Qt has it."""
        asked, self._asked = self._asked, []
        if not asked or region.rectCount() == 1:
            return []
        covered = QRegion()
        for rect in asked:
            covered += rect
        # Somebody else wants something too (the pointer, a panel that goes away): then it is Qt's frame.
        return asked if region.subtracted(covered).isEmpty() else []


def joined(rects: Iterable[QRect], room: QRect) -> list[QRect]:
    """The same pixels in fewer rectangles, none of which overlap much; the whole room when it is most of it."""
    found: list[Corners] = []
    for rect in rects:
        _add(found, _corners(rect))
    if len(found) > _MOST or sum(corners[4] for corners in found) > _WHOLE_SHARE * room.width() * room.height():
        return [QRect(room)]
    return [QRect(left, top, right - left, bottom - top) for left, top, right, bottom, _ in found]


def tile_over(painter: QPainter, area: QRect, tile: QPixmap, origin: QPoint) -> None:
    """Covers an area with copies of an opaque picture, one of which begins at `origin`.

    Qt's own way, a brush, shares a large area out to threads and waits for them, which takes long while others work.
    """
    width, height = tile.width(), tile.height()
    top = area.top()
    while top <= area.bottom():
        down = (top - origin.y()) % height
        high = min(height - down, area.bottom() - top + 1)
        left = area.left()
        while left <= area.right():
            across = (left - origin.x()) % width
            wide = min(width - across, area.right() - left + 1)
            painter.drawPixmap(left, top, tile, across, down, wide, high)
            left += wide
        top += high


def _add(found: list[Corners], new: Corners) -> None:
    index = 0
    while index < len(found):
        left, top, right, bottom, pixels = found[index]
        left, top = min(left, new[0]), min(top, new[1])
        right, bottom = max(right, new[2]), max(bottom, new[3])
        both = (right - left) * (bottom - top)
        if both <= pixels + new[4] + _EXTRA_PIXELS:
            # Larger now, it may take in one looked at before.
            found.pop(index)
            new, index = (left, top, right, bottom, both), 0
        else:
            index += 1
    found.append(new)


def _corners(rect: QRect) -> Corners:
    left, top, width, height = rect.getRect()
    return left, top, left + width, top + height, width * height
