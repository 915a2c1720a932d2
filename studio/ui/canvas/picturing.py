"""Paints a part of the graph from the pictures its items keep: one call copies one.

Qt's own way sets a painter up for every item and calls Python for it, which costs more than the copy. Absent on
purpose: which part is painted (`parts.py`), and how an item looks that has no picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QTransform
from PySide6.QtWidgets import QStyleOptionGraphicsItem

from studio.ui.canvas import look
from studio.ui.canvas.edges import EdgeItem
from studio.ui.canvas.items import NodeItem
from studio.ui.canvas.scene import CanvasScene
from studio.ui.theme import theme

_HOW = Qt.ItemSelectionMode.IntersectsItemBoundingRect
_FROM_BELOW = Qt.SortOrder.AscendingOrder
_REACH = 3.0
"""Pixels by which a picture may reach beyond its item, for it lies on whole ones."""


def paint_items(painter: QPainter, area: QRectF, scene: CanvasScene, view: QTransform) -> None:
    """Paints what touches an area of the scene, and the pills.

    The painter's units are the screen's pixels; `view` leads from the scene to Qt's.
    """
    drawing = scene.drawing
    reach = _REACH / drawing.zoom
    wider = area.adjusted(-reach, -reach, reach, reach)
    dx, dy = view.dx(), view.dy()
    now = "pixels"
    # The mode spares Qt the shape of each item, for which it would ask Python.
    for item in scene.items(wider, _HOW, _FROM_BELOW):
        is_edge = isinstance(item, EdgeItem)
        if is_edge or isinstance(item, NodeItem):
            picture = item.picture()
            if picture is not None:
                if now != "pixels":
                    painter.setWorldTransform(drawing.to_pixels)
                    now = "pixels"
                left, top = item.corner(dx, dy)
                painter.drawPixmap(round(left), round(top), picture)
                continue
        if not is_edge:
            painter.setWorldTransform(item.sceneTransform() * view)
            now = "item"
        elif now != "scene":
            # An edge stands at the scene's own corner.
            painter.setWorldTransform(view)
            now = "scene"
        item.paint(painter, _option())
    if now != "pixels":
        painter.setWorldTransform(drawing.to_pixels)
    paint_pills(painter, [area], scene, view)


@cache
def _option() -> QStyleOptionGraphicsItem:
    # Made when there is an application: it asks for a font.
    return QStyleOptionGraphicsItem()


def paint_pills(painter: QPainter, areas: Sequence[QRectF], scene: CanvasScene, view: QTransform) -> None:
    """Paints the pills that touch one of the areas, where they are large enough to be read."""
    if scene.drawing.zoom >= look.PILLS_FROM * theme().text_scale:
        scene.pills.paint(painter, areas, scene.drawing, view)
