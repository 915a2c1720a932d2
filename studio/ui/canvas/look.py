"""Sizes and colours of the drawn graph: what a node looks like, whatever it is.

Sizes are scene units: pixels at 100 % zoom and 100 % text; larger text is a larger zoom, so nothing grows by itself.
Absent on purpose: the states' colours and the type scale, which are tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Literal, TypeAlias

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontMetricsF, QStaticText

from studio.ui import tokens
from studio.ui.theme import theme
from studio.ui.tokens import Scheme, TextRole

NODE_WIDTH = 168.0
NODE_HEIGHT = 104.0
NODE_RADIUS = 12.0
PORT_PITCH = 26.0
PORT_RADIUS = 4.0
PORT_REACH = 13.0
"""How near to a port the pointer must be to mean it."""
MARGIN = 18.0
"""Room around a node for shadow, badge and ring."""
STUB_WIDTH = 128.0
TILE = 30.0
TILE_LEFT = 12.0
TEXT_LEFT = 52.0
PAD = 12.0
BADGE_RADIUS = 10.0
HEADER_TOP, HEADER_BOTTOM = 11.0, 67.0
PROGRESS_TOP, PROGRESS_HEIGHT = 71.0, 4.0
FOOTER_TOP = 80.0

Level: TypeAlias = Literal["full", "compact", "title", "far"]
LEVELS: Sequence[tuple[Level, float]] = (("full", 0.8), ("compact", 0.5), ("title", 0.3), ("far", 0.0))
"""How much is shown, from which zoom on; far away the whole graph is painted in one go as coloured blocks."""
READABLE_FROM = 0.85
"""A workflow is opened at least this large: below it the words on the nodes are hard to read."""
PILLS_FROM = 0.58
ZOOM_MIN, ZOOM_MAX = 0.05, 2.5

GRID = 20.0
LINE_BREAK = "\u2028"
_NO_WRAP = 4_000.0

_TILES: Mapping[Scheme, Mapping[str, str]] = {
    "light": {
        "Start": "#4f6079",
        "Audience": "#5a5f73",
        "Data": "#0b7285",
        "Experiments": "#8146c4",
        "Flow": "#8f6400",
        "Messages": "#2c62d6",
        "goal": "#0f8168",
        "exit": "#5a5f73",
    },
    "dark": {
        "Start": "#8ca0bd",
        "Audience": "#9ea4b8",
        "Data": "#5cc3d6",
        "Experiments": "#bd93f0",
        "Flow": "#d3a13f",
        "Messages": "#7ea5ff",
        "goal": "#3fc0a0",
        "exit": "#9ea4b8",
    },
}
_OTHER_GROUP = "Audience"


def tile_colour(tile: str) -> str:
    """The icon tile's colour by the palette group of a node type, or `goal` and `exit`."""
    colours = _TILES[theme().palette.scheme]
    return colours.get(tile, colours[_OTHER_GROUP])


def node_height(outputs: int) -> float:
    """High enough that outputs stand a pitch apart."""
    return max(NODE_HEIGHT, outputs * PORT_PITCH + 22.0)


def port_offset(index: int, count: int, height: float) -> float:
    """Distance of a port from the node's top."""
    return height / 2 + (index - (count - 1) / 2) * PORT_PITCH


@cache
def font(role: TextRole, size: int = 0) -> QFont:
    """A text role's font at 100 %, or at another pixel size."""
    made = theme().font(role)
    # Words are painted on screen or into a picture first; both must look the same.
    made.setStyleStrategy(QFont.StyleStrategy.NoSubpixelAntialias)
    made.setPixelSize(size or tokens.TYPE[role].size)
    return made


@cache
def metrics(role: TextRole, size: int = 0) -> QFontMetricsF:
    return QFontMetricsF(font(role, size))


@cache
def ascent(role: TextRole, size: int = 0) -> float:
    """From the top of a line to the foot of its letters."""
    return metrics(role, size).ascent()


@lru_cache(maxsize=8192)
def width_of(text: str, role: TextRole, size: int = 0) -> float:
    """How wide a short text is. Figures come again and again, so it is remembered."""
    return metrics(role, size).horizontalAdvance(text)


def elided(text: str, width: float, role: TextRole, size: int = 0) -> str:
    """The text, shortened with “…” to fit into a width."""
    if width_of(text, role, size) <= width:
        return text
    measure = metrics(role, size)
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if measure.horizontalAdvance(text[:middle].rstrip() + "…") <= width:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "…"


def fitting(text: str, width: float, role: TextRole) -> str:
    """As many of the parts between “ · ” as fit; of the first one what fits."""
    parts = text.split(" · ")
    while len(parts) > 1 and metrics(role).horizontalAdvance(" · ".join(parts)) > width:
        parts.pop()
    return elided(" · ".join(parts), width, role)


def wrapped(text: str, width: float, role: TextRole, size: int = 0, lines: int = 2) -> tuple[str, ...]:
    """The text in at most so many lines, broken at spaces; the last one is shortened."""
    measure = metrics(role, size)
    found: list[str] = []
    words = text.split()
    while words and len(found) < lines - 1:
        taken = 1
        while taken < len(words) and measure.horizontalAdvance(" ".join(words[: taken + 1])) <= width:
            taken += 1
        found.append(elided(" ".join(words[:taken]), width, role, size))
        words = words[taken:]
    if words:
        found.append(elided(" ".join(words), width, role, size))
    return tuple(found)


def static_text(lines: tuple[str, ...], role: TextRole, size: int = 0) -> QStaticText:
    """Text that is laid out once and painted often, in lines broken already."""
    text = QStaticText(LINE_BREAK.join(lines))
    text.setTextFormat(Qt.TextFormat.PlainText)
    # Without a width the line breaks are dropped.
    text.setTextWidth(_NO_WRAP)
    text.setPerformanceHint(QStaticText.PerformanceHint.AggressiveCaching)
    text.prepare(font=font(role, size))
    return text
