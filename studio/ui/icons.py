"""Lucide's icons in the colours of the tokens, drawn sharp at any size and kept.

Absent on purpose: icon fonts, and any icon that is not a file in `resources/icons`.
"""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from studio import resources
from studio.ui.theme import theme

_FALLBACK = "circle-question-mark"
_RATIOS = (1.0, 2.0)


def names() -> tuple[str, ...]:
    """Every icon there is, sorted."""
    return tuple(sorted(path.stem for path in resources.path("icons").glob("*.svg")))


@lru_cache(maxsize=256)
def svg(name: str, colour: str, stroke: float = 2.0) -> bytes:
    """The icon's drawing with strokes of a colour (`#rrggbb`) and a width in 24ths of its size.

    A name that ends in `!` fills the shape (`play!`).
    """
    # A node type from a plug-in may name an icon we do not have; a question mark beats a window that fails.
    file = resources.path("icons") / f"{name.removesuffix('!')}.svg"
    text = (file if file.is_file() else resources.path("icons", f"{_FALLBACK}.svg")).read_text(encoding="utf-8")
    text = text.replace("currentColor", colour)
    if name.endswith("!"):
        text = text.replace('fill="none"', f'fill="{colour}"')
    return text.replace('stroke-width="2"', f'stroke-width="{stroke:g}"').encode()


@lru_cache(maxsize=1024)
def _rendered(name: str, colour: str, size: int, ratio: float, stroke: float) -> QPixmap:
    pixmap = QPixmap(round(size * ratio), round(size * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(svg(name, colour, stroke))).render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap


def pixmap(name: str, colour: str | QColor = "text_secondary", size: int = 18, *, ratio: float = 1.0) -> QPixmap:
    """`colour` is a token, `#rrggbb` or a QColor; `size` in device-independent pixels."""
    shade = colour if isinstance(colour, QColor) else theme().colour(colour)
    return _rendered(name, shade.name(), size, ratio, _stroke(size))


def icon(name: str, colour: str | QColor = "text_secondary", size: int = 18, *, gap: int = 0) -> QIcon:
    """For buttons and menus. It keeps the colours of the moment: set it again when the theme changes.

    `gap`: empty room behind it, where words follow closely.
    """
    made = QIcon()
    for ratio in _RATIOS:
        made.addPixmap(_with_gap(pixmap(name, colour, size, ratio=ratio), gap))
        made.addPixmap(_with_gap(pixmap(name, "text_disabled", size, ratio=ratio), gap), QIcon.Mode.Disabled)
    return made


def _with_gap(drawn: QPixmap, gap: int) -> QPixmap:
    if not gap:
        return drawn
    ratio = drawn.devicePixelRatio()
    wider = QPixmap(drawn.width() + round(gap * ratio), drawn.height())
    wider.setDevicePixelRatio(ratio)
    wider.fill(Qt.GlobalColor.transparent)
    painter = QPainter(wider)
    painter.drawPixmap(0, 0, drawn)
    painter.end()
    return wider


def draw(painter: QPainter, centre: QPointF, name: str, colour: str | QColor, size: int) -> None:
    """Paints an icon centred on a point, sharp on the painter's device."""
    device = painter.device()
    ratio = device.devicePixelRatio() if device is not None else 1.0
    drawn = pixmap(name, colour, size, ratio=ratio)
    painter.drawPixmap(QPointF(centre.x() - size / 2, centre.y() - size / 2), drawn)


def size_of(pixels: int) -> QSize:
    return QSize(pixels, pixels)


def _stroke(size: int) -> float:
    # Small glyphs need a heavier line to keep about 1.5 pixels; large ones a finer one.
    return 3.0 if size <= 12 else 2.25 if size <= 16 else 1.9
