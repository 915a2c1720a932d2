"""What painting needs at the present zoom: level of detail, pens, and baked pictures of everything that repeats.

Pictures are made at the resolution of the zoom and drawn pixel by pixel, so they are sharp and cost a copy. Absent on
purpose: an item cache, which would have to be painted anew for every node at every zoom step.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap, QTransform

from studio.ui import icons
from studio.ui.canvas import look
from studio.ui.canvas.look import MARGIN, NODE_RADIUS, NODE_WIDTH, Level
from studio.ui.theme import theme
from studio.ui.tokens import STATES

BodyKey: TypeAlias = tuple[str, float, int, int, bool]
"""State, height, inputs, outputs, enabled."""

_SPRITES_MAX = 600
_FRESH_A_FRAME = 4
_OWN_A_FRAME = 200_000
_OWN_ZOOMING = 50_000
_OWN_OVERHEAD = 4_000
_OWN_PIXELS = 12_000_000
_OWN_PIXELS_EACH = 120_000
"""Pixels of items' own pictures: made in one frame and in one of a zoom, kept, and of one picture."""
_STRETCH_LEAST, _STRETCH_MOST = 0.6, 1.6
"""Times its own size a picture may be shown while the zoom changes."""
_NOTHING = QColor(0, 0, 0, 0)
PILL_HEIGHT = 20.0
_PILL_PAD, _PILL_SPACE, _PILL_STEP = 8.0, 5.0, 4.0
_DASH = (4.0, 3.0)
_COLOURED = frozenset({"running", "waiting", "passed", "done", "warning", "failed", "paused"})


class Drawing:
    """Shared by all items of one scene. The view tells it the zoom; a change of theme empties it.

    Pictures are made a few a frame, so that no frame is late: until its turn comes a shared one is the stretched one of
    the zoom before, and an item's own is not there, so that the item paints itself.
    """

    def __init__(self) -> None:
        self.zoom = 1.0
        self.ratio = 1.0
        self.to_pixels = QTransform()
        """In which a painter's units are the screen's pixels, of which there may be several to one of Qt's."""
        self.level: Level = "full"
        self.phase = 0.0
        self.show_focus = False
        self.stale = False
        """True when the last frame showed stretched pictures: the view paints once more."""
        self._left = _FRESH_A_FRAME
        self._own_left = 0
        self._frames_here = 0
        self._own: dict[object, tuple[QPixmap, QRectF, float, str]] = {}
        self._own_pixels = 0
        self._sprites: dict[object, tuple[QPixmap, QRectF, float]] = {}
        self._pens: dict[object, QPen] = {}
        self._text_pens: tuple[QColor, ...] = ()

    def set_zoom(self, zoom: float, ratio: float) -> None:
        self._frames_here = 0
        self.zoom, self.ratio = zoom, ratio
        self.to_pixels = QTransform.fromScale(1 / ratio, 1 / ratio)
        seen = zoom / theme().text_scale
        self.level = next(level for level, least in look.LEVELS if seen >= least)

    def begin_frame(self) -> None:
        self._left = _FRESH_A_FRAME
        self._frames_here += 1
        # While the zoom is still changing a few, which are stretched in the next frames; nobody reads meanwhile.
        self._own_left = _OWN_ZOOMING if self.is_zooming else _OWN_A_FRAME
        self.stale = False

    @property
    def is_zooming(self) -> bool:
        """Whether this frame shows mostly stretched pictures, which are smoothed then."""
        return self._frames_here <= 1

    def forget(self) -> None:
        """The theme has changed."""
        self._drop_own()
        self._sprites.clear()
        self._pens.clear()
        self._text_pens = ()

    def draw_picture(
        self,
        painter: QPainter,
        owner: object,
        area: QRectF,
        paint: Callable[[QPainter], None],
        *,
        can_stretch: bool = True,
    ) -> None:
        """Draws an item from its own picture, which is kept until the item drops it; the item paints itself when its
        picture has to wait. While the zoom changes one of another zoom will do, if it `can_stretch`.
        """
        found = self._own.get(owner)
        if found is not None:
            if found[2] == self.zoom and found[3] == self.level:
                self._copy(painter, area, found[0])
                return
            if self.is_zooming and can_stretch and _STRETCH_LEAST < self.zoom / found[2] < _STRETCH_MOST:
                self.stale = True
                painter.drawPixmap(area, found[0], found[1])
                return
        fresh = self._bake_own(owner, area, paint) if can_stretch or not self.is_zooming else None
        if fresh is not None:
            self._copy(painter, area, fresh)
        else:
            paint(painter)

    def kept(self, owner: object) -> QPixmap | None:
        """An item's own picture, where there is one of this zoom."""
        found = self._own.get(owner)
        return found[0] if found is not None and found[2] == self.zoom and found[3] == self.level else None

    def _copy(self, painter: QPainter, area: QRectF, picture: QPixmap) -> None:
        # At the painter's own scale a picture of this zoom would be resampled, though no pixel changes its size.
        transform = painter.worldTransform()
        place = transform.map(area.topLeft())
        painter.setWorldTransform(self.to_pixels)
        painter.drawPixmap(round(place.x() * self.ratio), round(place.y() * self.ratio), picture)
        painter.setWorldTransform(transform)

    def _bake_own(self, owner: object, area: QRectF, paint: Callable[[QPainter], None]) -> QPixmap | None:
        scale = self.zoom * self.ratio
        pixels = int(area.width() * area.height() * scale * scale)
        if self._own_left < pixels or pixels > _OWN_PIXELS_EACH:
            return None
        self._own_left -= pixels + _OWN_OVERHEAD
        self._own_pixels += pixels
        if self._own_pixels > _OWN_PIXELS:
            self._drop_own()
        was_stale, self.stale = self.stale, False
        pixmap, source = self._baked(area, paint)
        # Made from stretched parts it may be shown once, and stretched; as this zoom's it must not be kept.
        if not self.stale:
            self.stale = was_stale
            self._own[owner] = pixmap, source, self.zoom, self.level
        elif self.is_zooming:
            self._own[owner] = pixmap, source, self.zoom, ""
        return pixmap

    def drop_picture(self, owner: object) -> None:
        """The item looks different now, or is gone."""
        self._own.pop(owner, None)

    def _drop_own(self) -> None:
        self._own.clear()
        self._own_pixels = 0

    def body(self, key: BodyKey) -> tuple[QPixmap, QRectF]:
        """A node's ground with shadow, border, badge and ports, and the part of the picture to draw."""
        found = self._sprites.get(key)
        if found is None or found[2] != self.zoom:
            size = QRectF(0, 0, NODE_WIDTH + 2 * MARGIN, key[1] + 2 * MARGIN)
            found = self._fresh(key, found, size, lambda painter: _paint_body(painter, key))
        return found[0], found[1]

    def tile(self, icon: str, tile: str) -> tuple[QPixmap, QRectF]:
        """The coloured square with the icon of the node type."""
        key = ("tile", icon, tile)
        found = self._sprites.get(key)
        if found is None or found[2] != self.zoom:
            size = QRectF(0, 0, look.TILE, look.TILE)
            found = self._fresh(key, found, size, lambda painter: _paint_tile(painter, icon, tile))
        return found[0], found[1]

    def pill(self, width: float, colour: str) -> tuple[QPixmap, QRectF]:
        """The ground of a pill."""
        key = ("pill", width, colour)
        found = self._sprites.get(key)
        if found is None or found[2] != self.zoom:
            size = QRectF(0, 0, width, PILL_HEIGHT)
            found = self._fresh(key, found, size, lambda painter: _paint_pill(painter, width, colour))
        return found[0], found[1]

    def pen(
        self, colour: str, width: float, *, dashed: bool = False, moving: bool = False, cosmetic: bool = False
    ) -> QPen:
        """`moving` dashes are where `step_dashes` has brought them."""
        key = (colour, width, dashed, cosmetic)
        found = self._pens.get(key)
        if found is None:
            found = QPen(theme().colour(colour), width)
            found.setCapStyle(Qt.PenCapStyle.FlatCap)
            found.setCosmetic(cosmetic)
            if dashed:
                found.setDashPattern(list(_DASH))
            self._pens[key] = found
        if dashed:
            found.setDashOffset(self.phase if moving else 0.0)
        return found

    def text_pens(self) -> tuple[QColor, ...]:
        """Colours of title, summary, footer, and of a footer that needs attention."""
        if not self._text_pens:
            names = ("text", "text_muted", "text_secondary", "bad_text")
            self._text_pens = tuple(theme().colour(name) for name in names)
        return self._text_pens

    def step_dashes(self, distance: float) -> None:
        """Moves the dashes of running edges on; a whole period is where they began."""
        self.phase = (self.phase - distance) % sum(_DASH)

    def _fresh(
        self,
        key: object,
        before: tuple[QPixmap, QRectF, float] | None,
        size: QRectF,
        paint: Callable[[QPainter], None],
    ) -> tuple[QPixmap, QRectF, float]:
        if self._left <= 0 and before is not None:
            self.stale = True
            return before
        self._left -= 1
        if len(self._sprites) >= _SPRITES_MAX:
            self._sprites.clear()
        self._sprites[key] = *self._baked(size, paint), self.zoom
        return self._sprites[key]

    def _baked(self, area: QRectF, paint: Callable[[QPainter], None]) -> tuple[QPixmap, QRectF]:
        scale = self.zoom * self.ratio
        source = QRectF(0, 0, area.width() * scale, area.height() * scale)
        pixmap = QPixmap(int(source.width()) + 2, int(source.height()) + 2)
        pixmap.fill(_NOTHING)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(scale, scale)
        painter.translate(-area.topLeft())
        paint(painter)
        painter.end()
        return pixmap, source


def pill_width(label: str, figure: str) -> float:
    """Of a pill with these words; in steps, so that few different grounds are needed."""
    words = pill_label_width(label, figure) + look.width_of(figure, "caption")
    return math.ceil((words + _PILL_PAD * 2) / _PILL_STEP) * _PILL_STEP


def pill_label_width(label: str, figure: str) -> float:
    """Of the label, with the space to the figure behind it."""
    if not label:
        return 0.0
    return look.width_of(label, "caption") + (_PILL_SPACE if figure else 0)


def state_colour(state: str) -> str:
    """The border colour of a state; states in which nothing happens have the plain border."""
    return f"state.{state}" if state in _COLOURED else "control_border" if state != "idle" else "border"


def _paint_body(painter: QPainter, key: BodyKey) -> None:
    state, height, inputs, outputs, enabled = key
    painter.translate(MARGIN, MARGIN)
    body = QRectF(0, 0, NODE_WIDTH, height)
    _paint_shadow(painter, body)
    colour = theme().colour(state_colour(state))
    if state == "idle" and theme().palette.scheme == "dark":
        # Shadows do not lift a node off a dark canvas; a lighter edge does.
        colour = theme().colour("control_border", 0.6)
    if state in ("running", "failed"):
        halo = QColor(colour)
        halo.setAlphaF(0.24)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(halo)
        painter.drawRoundedRect(body.adjusted(-4, -4, 4, 4), NODE_RADIUS + 4, NODE_RADIUS + 4)
    width = 2.5 if state == "failed" else 1.5 if state in _COLOURED and state != "passed" else 1.0
    pen = QPen(colour, width)
    if not enabled:
        pen = QPen(theme().colour("control_border"), 1, Qt.PenStyle.DashLine)
    painter.setPen(pen)
    painter.setBrush(theme().colour("surface" if enabled else "canvas"))
    inset = width / 2
    painter.drawRoundedRect(body.adjusted(inset, inset, -inset, -inset), NODE_RADIUS - inset, NODE_RADIUS - inset)
    _paint_ports(painter, height, inputs, outputs)
    if not enabled:
        _paint_badge(painter, "state.skipped", "circle-slash")
    elif state != "idle":
        _paint_badge(painter, f"state.{state}", STATES[state].icon, hollow=state == "passed")


def _paint_shadow(painter: QPainter, body: QRectF) -> None:
    dark = theme().palette.scheme == "dark"
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme().colour("shadow", 0.05 if dark else 0.014))
    for grow in range(7):
        ring = body.adjusted(-grow, -grow + 2, grow, grow + 2)
        painter.drawRoundedRect(ring, NODE_RADIUS + grow, NODE_RADIUS + grow)


def _paint_ports(painter: QPainter, height: float, inputs: int, outputs: int) -> None:
    painter.setPen(QPen(theme().colour("control_border"), 1.25))
    painter.setBrush(theme().colour("surface"))
    for count, x in ((inputs, 0.0), (outputs, NODE_WIDTH)):
        for index in range(count):
            place = QPointF(x, look.port_offset(index, count, height))
            painter.drawEllipse(place, look.PORT_RADIUS, look.PORT_RADIUS)


def _paint_badge(painter: QPainter, colour: str, icon: str, *, hollow: bool = False) -> None:
    """`hollow`: the glyph is a ring itself, and nothing is over yet."""
    centre = QPointF(NODE_WIDTH - 4, 3)
    painter.setPen(QPen(theme().colour("canvas"), 2))
    painter.setBrush(theme().colour("surface" if hollow else colour))
    painter.drawEllipse(centre, look.BADGE_RADIUS, look.BADGE_RADIUS)
    _draw_icon(painter, centre, icon, colour if hollow else "on_state", 18 if hollow else 12)


def _paint_tile(painter: QPainter, icon: str, tile: str) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(look.tile_colour(tile)))
    painter.drawRoundedRect(QRectF(0, 0, look.TILE, look.TILE), 8, 8)
    _draw_icon(painter, QPointF(look.TILE / 2, look.TILE / 2), icon, "on_state", 17)


def _draw_icon(painter: QPainter, centre: QPointF, icon: str, colour: str, size: int) -> None:
    scale = painter.worldTransform().m11()
    pixels = max(1, round(size * scale))
    side = pixels / scale
    picture = icons.pixmap(icon, colour, pixels)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    target = QRectF(centre.x() - side / 2, centre.y() - side / 2, side, side)
    painter.drawPixmap(target, picture, QRectF(picture.rect()))


def _paint_pill(painter: QPainter, width: float, colour: str) -> None:
    frame = QRectF(0.5, 0.5, width - 1, PILL_HEIGHT - 1)
    edge = theme().colour(colour, 0.55) if colour.startswith("state.") else theme().colour(colour)
    painter.setPen(QPen(edge, 1))
    painter.setBrush(theme().colour("surface"))
    painter.drawRoundedRect(frame, frame.height() / 2, frame.height() / 2)
