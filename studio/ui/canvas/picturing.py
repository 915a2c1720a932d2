"""Paints a part of the graph from the pictures its items keep: one call copies one.

Qt's own way sets a painter up for every item and calls Python for it, which costs more than the copy. Absent on
purpose: which part is painted (`parts.py`), and how an item looks that has no picture.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QTransform
from PySide6.QtWidgets import QStyleOptionGraphicsItem

from studio.ui.canvas import look
from studio.ui.canvas.edges import EdgeItem
from studio.ui.canvas.items import NodeItem
from studio.ui.canvas.scene import CanvasScene
from studio.ui.theme import theme

_REACH = 3.0
"""Pixels by which a picture may reach beyond its item, for it lies on whole ones."""


def paint_items(painter: QPainter, area: QRectF, scene: CanvasScene, view: QTransform) -> None:
    """Paints what touches an area of the scene, and the pills.

    The painter's units are the screen's pixels; `view` leads from the scene to Qt's.
    """
    drawing = scene.drawing
    reach = _REACH / drawing.zoom
    wider = area.adjusted(-reach, -reach, reach, reach)
    # The mode spares Qt the shape of each item, for which it would ask Python.
    how = Qt.ItemSelectionMode.IntersectsItemBoundingRect
    for item in scene.items(wider, how, Qt.SortOrder.AscendingOrder):
        if isinstance(item, NodeItem | EdgeItem) and item.stamp(painter, view):
            continue
        painter.setWorldTransform(item.sceneTransform() * view)
        item.paint(painter, QStyleOptionGraphicsItem())
        painter.setWorldTransform(drawing.to_pixels)
    paint_pills(painter, [area], scene, view)


def paint_pills(painter: QPainter, areas: Sequence[QRectF], scene: CanvasScene, view: QTransform) -> None:
    """Paints the pills that touch one of the areas, where they are large enough to be read."""
    if scene.drawing.zoom >= look.PILLS_FROM * theme().text_scale:
        scene.pills.paint(painter, areas, scene.drawing, view)
