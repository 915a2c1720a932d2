"""Charts as SVG text, for reports: a line with its band, bars, a heatmap. They need no window and no Qt.

Numbers come in as they are and are written by the caller's words; every bar starts at zero. Absent on purpose: reading
out points, which a page of paper cannot do; each chart stands beside its table.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape
from unicodedata import east_asian_width

WIDTH = 720
LABEL_MAX = 274.0
ACCENT, MUTED, TRACK, TEXT, GRID = "#4f46e5", "#6b7280", "#eceef2", "#1f2430", "#e5e7eb"
_FONT = "font-family='Inter, sans-serif' font-size='12'"
Words = Callable[[float], str]


def line(
    points: Sequence[tuple[datetime, float]],
    band: Sequence[tuple[datetime, float, float, float]],
    write: Words,
    height: int = 230,
) -> str:
    """A measured line, and what was predicted (dashed, at, low, mean, high) with its band. Empty for no point."""
    if len(points) < 2:
        return ""
    first, last = points[0][0], max(points[-1][0], band[-1][0] if band else points[-1][0])
    span = max((last - first).total_seconds(), 1.0)
    top = max([value for _, value in points] + [high for *_, high in band]) or 1.0
    left, right, bottom = 64.0, WIDTH - 96.0, height - 28.0

    def x(at: datetime) -> float:
        return left + (right - left) * (at - first).total_seconds() / span

    def y(value: float) -> float:
        return bottom - (bottom - 12.0) * value / top

    parts = []
    for value in _round_values(top):
        at = y(value)
        parts.append(f"<line x1='{left}' x2='{right:.1f}' y1='{at:.1f}' y2='{at:.1f}' stroke='{GRID}'/>")
        parts.append(_text(left - 8, at + 4, write(value), "end", MUTED))
    if band:
        upper = [f"{x(at):.1f},{y(high):.1f}" for at, _, _, high in band]
        lower = [f"{x(at):.1f},{y(low):.1f}" for at, low, _, _ in reversed(band)]
        parts.append(f"<polygon points='{' '.join((*upper, *lower))}' fill='{MUTED}' fill-opacity='0.15'/>")
        parts.append(_path([(x(at), y(mean)) for at, _, mean, _ in band], MUTED, dashed=True))
        parts.append(_text(right + 8, y(band[-1][2]) + 4, "predicted", "start", MUTED))
    parts.append(_path([(x(at), y(value)) for at, value in points], ACCENT))
    shift = 14 if band and abs(y(points[-1][1]) - y(band[-1][2])) < 14 else 0
    parts.append(_text(x(points[-1][0]) + 8, y(points[-1][1]) + 4 - shift, write(points[-1][1]), "start", ACCENT))
    for at, anchor in ((first, "start"), (last, "end")):
        parts.append(_text(x(at), height - 8, f"{at.day} {at:%b %Y}", anchor, MUTED))
    return _svg(height, parts)


def _round_values(top: float) -> list[float]:
    """Four to nine round values from zero up to `top`."""
    size = 10.0 ** math.floor(math.log10(top))
    step = next(step for step in (size / 10, size / 5, size / 4, size / 2, size) if top / step <= 8)
    return [step * number for number in range(int(top / step + 1e-9) + 1)]


def bars(rows: Sequence[tuple[str, float, str]], whole: float | None = None) -> str:
    """Label, value and words per bar, in the order given. Empty for no row."""
    if not rows:
        return ""
    top = whole or max(value for _, value, _ in rows) or 1.0
    label = min(16 + LABEL_MAX, 16 + max(_wide(name) for name, *_ in rows))
    words = 16 + 6.8 * max(len(text) for *_, text in rows)
    room, parts = WIDTH - label - words, []
    for place, (name, value, text) in enumerate(rows):
        at = place * 30
        parts.append(_text(0, at + 20, _short(name), "start", TEXT))
        parts.append(f"<rect x='{label:.1f}' y='{at + 6}' width='{room:.1f}' height='18' rx='4' fill='{TRACK}'/>")
        if value > 0:
            wide = max(2.0, room * min(value / top, 1.0))
            parts.append(f"<rect x='{label:.1f}' y='{at + 6}' width='{wide:.1f}' height='18' rx='4' fill='{ACCENT}'/>")
        # A hair inside the frame: the font's own side bearing is cut off at the very edge.
        parts.append(_text(WIDTH - 3, at + 20, text, "end", TEXT))
    return _svg(30 * len(rows) + 4, parts)


def intervals(rows: Sequence[tuple[str, float, float | None, float | None, bool]], write: Words, zero: str) -> str:
    """Label, estimate, low, high (None: not known yet) and whether it is the one decided about, a line each, against
    zero, which `zero` names. Empty for no row.
    """
    if not rows:
        return ""
    ends = [end for _, mid, low, high, _ in rows for end in (mid, low, high) if end is not None]
    least, most = min(0.0, *ends), max(0.0, *ends)
    label = min(16 + LABEL_MAX, 16 + max(_wide(name) for name, *_ in rows))
    left, right, span = label + 8, WIDTH - 78.0, (most - least) or 1.0

    def x(value: float) -> float:
        return left + (right - left) * (value - least) / span

    bottom = 30 * len(rows) + 6
    parts = [f"<line x1='{x(0):.1f}' x2='{x(0):.1f}' y1='2' y2='{bottom}' stroke='{MUTED}'/>"]
    for place, (name, mid, low, high, is_decided) in enumerate(rows):
        at, colour = place * 30 + 18, ACCENT if is_decided else MUTED
        parts.append(_text(0, at + 4, _short(name), "start", TEXT))
        if low is not None and high is not None:
            wide = max(2.0, x(high) - x(low))
            parts.append(
                f"<rect x='{x(low):.1f}' y='{at - 6}' width='{wide:.1f}' height='12' rx='3' fill='{colour}' "
                "fill-opacity='0.25'/>"
            )
        parts.append(f"<circle cx='{x(mid):.1f}' cy='{at}' r='4.5' fill='{colour}'/>")
        parts.append(_text(WIDTH - 3, at + 4, write(mid), "end", TEXT))
    parts.append(_text(x(0), bottom + 14, zero, "middle", MUTED))
    return _svg(bottom + 20, parts)


def _short(name: str) -> str:
    """As much of a name as the room for labels holds."""
    if _wide(name) <= LABEL_MAX:
        return name
    kept = name
    while kept and _wide(kept) > LABEL_MAX - 12:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"


def _wide(name: str) -> float:
    """About how many pixels a name takes: letters of East Asia are as wide as high."""
    return sum(12.0 if east_asian_width(letter) in "WF" else 6.6 for letter in name)


def heatmap(rows: Sequence[str], values: Sequence[Sequence[float]]) -> str:
    """Rows by hours of the day, the darker the more. Empty where nothing happened."""
    top = max((value for row in values for value in row), default=0.0)
    if not top:
        return ""
    wide, parts = (WIDTH - 40) / 24, []
    for r, (name, row) in enumerate(zip(rows, values, strict=True)):
        parts.append(_text(0, r * 22 + 15, name, "start", MUTED))
        for c, value in enumerate(row):
            shade = 0.06 + 0.94 * value / top
            place = f"x='{36 + c * wide:.1f}' y='{r * 22}' width='{wide - 2:.1f}' height='19'"
            parts.append(f"<rect {place} rx='3' fill='{ACCENT}' fill-opacity='{shade:.2f}'/>")
    below = len(rows) * 22 + 14
    parts += [_text(36 + (h + 0.5) * wide, below, f"{h:02}:00", "middle", MUTED) for h in (0, 6, 12, 18)]
    return _svg(len(rows) * 22 + 20, parts)


def _svg(height: int, parts: Sequence[str]) -> str:
    size = f"viewBox='0 0 {WIDTH} {height}' width='{WIDTH}' height='{height}'"
    return f"<svg xmlns='http://www.w3.org/2000/svg' {size} {_FONT}>{''.join(parts)}</svg>"


def _text(x: float, y: float, words: str, anchor: str, colour: str) -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' fill='{colour}'>{escape(words)}</text>"


def _path(points: Sequence[tuple[float, float]], colour: str, *, dashed: bool = False) -> str:
    steps = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dash = " stroke-dasharray='4 4'" if dashed else ""
    return f"<polyline points='{steps}' fill='none' stroke='{colour}' stroke-width='2'{dash}/>"
