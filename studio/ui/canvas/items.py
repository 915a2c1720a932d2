"""A node on the canvas: one top-level item that paints itself by level of detail.

It is told what to show and knows neither document nor run; words are laid out when first seen. Absent on purpose:
child items, effects, Qt's item cache and `__slots__` (a slotted base class of graphics items crashes the binding).
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPixmap
from PySide6.QtWidgets import QGraphicsRectItem, QStyleOptionGraphicsItem, QWidget

from studio.ui.canvas import look
from studio.ui.canvas.drawing import Drawing
from studio.ui.canvas.face import NodeFace
from studio.ui.canvas.look import MARGIN, NODE_RADIUS, NODE_WIDTH
from studio.ui.canvas.marks import Mark, paint_word
from studio.ui.canvas.node_words import FullWords, TitleWords, header_middle, words_for
from studio.ui.canvas.status import NodeStatus
from studio.ui.theme import theme


class NodeItem(QGraphicsRectItem):
    """A node. Its rectangle includes the room for shadow and badge; `body` is what the eye takes for the node."""

    def __init__(self, node_id: str, face: NodeFace, drawing: Drawing) -> None:
        super().__init__()
        self.node_id = node_id
        self.face = face
        self.status: NodeStatus | None = None
        self.selected = False
        self.current = False
        self.is_target = False
        self.mark: Mark | None = None
        self._drawing = drawing
        self._stubs: Mapping[float, str] = {}
        self._words: FullWords | TitleWords | None = None
        self._words_level = ""
        self._told = False
        self.setPen(QPen(Qt.PenStyle.NoPen))
        self.setZValue(1)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.set_face(face)

    def set_face(self, face: NodeFace) -> None:
        """Shows another title, summary, icon or ports."""
        self.face = face
        self.height = look.node_height(max(len(face.ports.outputs), len(face.ports.inputs)))
        self._tile_at = QRectF(look.TILE_LEFT, header_middle(self.height) - look.TILE / 2, look.TILE, look.TILE)
        self._body_at = QRectF(-MARGIN, -MARGIN, NODE_WIDTH + 2 * MARGIN, self.height + 2 * MARGIN)
        self._take_room()
        self._words = None
        self.set_status(self.status)
        self.update()

    def set_free_outputs(self, labels: Mapping[int, str]) -> None:
        """Labels of outputs (by place) that no edge leaves, so that they can be told apart beforehand."""
        count = len(self.face.ports.outputs)
        stubs = {look.port_offset(index, count, self.height): label for index, label in labels.items()}
        if stubs != self._stubs:
            self._stubs = stubs
            self._take_room()
            self.show_anew()

    def set_status(self, status: NodeStatus | None) -> None:
        """Takes the run's figures; None: no run, the footer names the type instead. The caller has it painted."""
        self.status = status
        self._told = False
        state = status.state if status is not None else "warning" if self.face.problem else "idle"
        ports = self.face.ports
        self.key = state, self.height, len(ports.inputs), len(ports.outputs), self.face.enabled
        self._drawing.drop_picture(self)

    def set_marks(self, *, selected: bool, current: bool) -> None:
        self.selected, self.current = selected, current
        self.update()

    def set_target(self, *, is_target: bool) -> None:
        """Whether an edge under way may lead here."""
        if self.is_target != is_target:
            self.is_target = is_target
            self.update()

    def set_mark(self, mark: Mark | None) -> None:
        """A word above the node and a frame around it, while there is something to say about it."""
        if self.mark != mark:
            self.mark = mark
            self._take_room()
            self.update()

    def show_anew(self) -> None:
        """Lays the words out again and drops the picture."""
        self._words = None
        self._drawing.drop_picture(self)
        self.update()

    def _take_room(self) -> None:
        right = look.STUB_WIDTH if self._stubs else MARGIN
        self._room = QRectF(-MARGIN, -MARGIN, NODE_WIDTH + MARGIN + right, self.height + 2 * MARGIN)
        # The mark's word stands above the node.
        self.setRect(self._room if self.mark is None else self._room.adjusted(0, -14, 0, 0))

    @property
    def state(self) -> str:
        return self.key[0]

    @property
    def body(self) -> QRectF:
        """In scene coordinates."""
        place = self.pos()
        return QRectF(place.x(), place.y(), NODE_WIDTH, self.height)

    @property
    def painted(self) -> QRectF:
        """What it is painted within, in scene coordinates."""
        return self.rect().translated(self.pos())

    @property
    def figures(self) -> QRectF:
        """Where progress and figures stand, in scene coordinates: what changes while the state does not."""
        return self.body.adjusted(0, look.HEADER_BOTTOM + self.height - look.NODE_HEIGHT, 0, 0)

    @property
    def extent(self) -> QRectF:
        """The body and the labels beside it, in scene coordinates."""
        widest = max((look.metrics("caption").horizontalAdvance(label) for label in self._stubs.values()), default=-12)
        return self.body.adjusted(0, 0, min(look.STUB_WIDTH, widest + 12), 0)

    def output_point(self, port: str) -> QPointF:
        """Where an output stands in the scene; the middle of the right side for one there is not."""
        return self.pos() + QPointF(NODE_WIDTH, self._port_y(self.face.ports.output_names, port))

    def input_point(self, port: str) -> QPointF:
        """Where an input stands in the scene."""
        return self.pos() + QPointF(0, self._port_y(self.face.ports.inputs, port))

    def _port_y(self, names: tuple[str, ...], port: str) -> float:
        index, total = (names.index(port), len(names)) if port in names else (0, 1)
        return look.port_offset(index, total, self.height)

    def output_at(self, place: QPointF) -> str | None:
        """The output near a point of the scene."""
        for name in self.face.ports.output_names:
            if QLineF(self.output_point(name), place).length() <= look.PORT_REACH:
                return name
        return None

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        # Frames lie under the node, for its badge must not be crossed by them.
        if self.selected or self.current or self.mark is not None:
            self._paint_frames(painter)
        self._drawing.draw_picture(painter, self, self._room, self._paint_node)
        if self.mark is not None:
            paint_word(painter, self.mark)
        if self.is_target:
            self._paint_targets(painter)

    def picture(self) -> QPixmap | None:
        """The whole of what it paints, where it is kept and nothing else is to be painted."""
        drawing = self._drawing
        if self.selected or self.mark is not None or self.is_target or (self.current and drawing.show_focus):
            return None
        return drawing.kept(self)

    def corner(self, dx: float, dy: float) -> tuple[float, float]:
        """Where its picture lies, in the screen's pixels; the scene begins at (dx, dy) of Qt's."""
        zoom, ratio = self._drawing.zoom, self._drawing.ratio
        # As Qt reckons it: a place in the middle between two pixels must fall to the same one.
        margin = MARGIN * zoom
        return (self.x() * zoom + dx - margin) * ratio, (self.y() * zoom + dy - margin) * ratio

    def _paint_node(self, painter: QPainter) -> None:
        drawing, face = self._drawing, self.face
        if self._words is None or self._words_level != drawing.level:
            self._words = words_for(drawing.level, face, self.height, self._stubs)
            self._words_level = drawing.level
            self._told = False
        if not self._told:
            self._words.set_status(self.status)
            self._told = True
        painter.drawPixmap(self._body_at, *drawing.body(self.key))
        if not face.enabled:
            painter.setOpacity(0.55)
        painter.drawPixmap(self._tile_at, *drawing.tile(face.icon, face.tile))
        self._words.paint(painter, drawing)
        painter.setOpacity(1.0)

    def _paint_frames(self, painter: QPainter) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        body = QRectF(0, 0, NODE_WIDTH, self.height)
        if self.selected:
            painter.setPen(self._drawing.pen("accent", 2.0))
            painter.drawRoundedRect(body.adjusted(-4, -4, 4, 4), NODE_RADIUS + 4, NODE_RADIUS + 4)
        if self.current and self._drawing.show_focus:
            painter.setPen(self._drawing.pen("text", 2.0))
            painter.drawRoundedRect(body.adjusted(-8, -8, 8, 8), NODE_RADIUS + 8, NODE_RADIUS + 8)
        if self.mark is not None:
            painter.setPen(self._drawing.pen(self.mark.colour, 2.5, dashed=self.mark.dashed))
            painter.drawRoundedRect(body.adjusted(-2, -2, 2, 2), NODE_RADIUS + 2, NODE_RADIUS + 2)

    def _paint_targets(self, painter: QPainter) -> None:
        painter.setPen(self._drawing.pen("accent", 2.0))
        painter.setBrush(theme().colour("accent_soft"))
        for name in self.face.ports.inputs:
            place = QPointF(0, self._port_y(self.face.ports.inputs, name))
            painter.drawEllipse(place, look.PORT_RADIUS + 4, look.PORT_RADIUS + 4)
