"""The whole graph as coloured blocks and lines without curves: what is painted when it is far away, and in the minimap.

Kept by colour, so that painting is one call per colour; the finished picture is kept too, and a change of state paints
one block into it. Absent on purpose: text.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen, QPixmap, QTransform

from studio.ui.canvas.edges import EdgeItem, EdgeKey, Way
from studio.ui.canvas.items import NodeItem
from studio.ui.theme import theme

_TOLD = frozenset({"running", "failed", "done"})
_MENDED_MAX = 400


class FarPicture:
    """Blocks and lines by colour name."""

    def __init__(self) -> None:
        self.edition = 0
        """Another number whenever it looks different."""
        self._blocks: dict[str, dict[str, QRectF]] = {}
        self._block_colour: dict[str, str] = {}
        self._lines: dict[str, dict[EdgeKey, Way]] = {}
        self._line_colour: dict[EdgeKey, str] = {}
        self._block_lists: dict[str, list[QRectF]] = {}
        self._line_paths: dict[str, QPainterPath] = {}
        self._kept: QPixmap | None = None
        self._kept_for: tuple[QSize, QTransform, float] | None = None
        self._frames: Sequence[tuple[QRectF, str]] = ()
        self._papers: Sequence[QRectF] = ()
        self._mend_blocks: dict[str, None] = {}
        self._mend_lines: dict[EdgeKey, None] = {}

    def place_node(self, node: NodeItem) -> None:
        """Takes the node's place and state as they now are."""
        colour, body = f"state.{node.state}", node.body
        before = self._block_colour.get(node.node_id)
        if before == colour and self._blocks[colour][node.node_id] == body:
            return
        self.edition += 1
        if before is not None and self._blocks[before][node.node_id] == body:
            self._mend_blocks[node.node_id] = None
        else:
            self._kept = None
        if before is not None and before != colour:
            self._drop_block(node.node_id)
        self._blocks.setdefault(colour, {})[node.node_id] = body
        self._block_colour[node.node_id] = colour
        self._block_lists.pop(colour, None)

    def place_edge(self, edge: EdgeItem) -> None:
        """Takes the edge's ends and state as they now are."""
        state = edge.status.state
        colour = f"state.{state}" if state in _TOLD else "control_border"
        before = self._line_colour.get(edge.key)
        if before == colour and self._lines[colour][edge.key] == edge.way:
            return
        self.edition += 1
        if before is not None and self._lines[before][edge.key] == edge.way:
            self._mend_lines[edge.key] = None
        else:
            self._kept = None
        if before is not None and before != colour:
            self._drop_line(edge.key)
        self._lines.setdefault(colour, {})[edge.key] = edge.way
        self._line_colour[edge.key] = colour
        self._line_paths.pop(colour, None)

    def drop_node(self, node_id: str) -> None:
        if node_id in self._block_colour:
            self._drop_block(node_id)
            del self._block_colour[node_id]
            self._kept = None
            self.edition += 1

    def drop_edge(self, key: EdgeKey) -> None:
        if key in self._line_colour:
            self._drop_line(key)
            del self._line_colour[key]
            self._kept = None
            self.edition += 1

    def set_frames(self, frames: Sequence[tuple[QRectF, str]], papers: Sequence[QRectF]) -> None:
        """Groups with their colours, and notes."""
        if frames != self._frames or papers != self._papers:
            self._frames, self._papers = frames, papers
            self._kept = None
            self.edition += 1

    def forget(self) -> None:
        """The theme has changed."""
        self._kept = None

    def show(self, painter: QPainter, parts: Sequence[QRect], size: QSize, transform: QTransform, ratio: float) -> None:
        """Paints the graph into parts of a viewport; `transform` leads from the scene to it."""
        wanted = size, transform, ratio
        mends = len(self._mend_blocks) + len(self._mend_lines)
        if self._kept_for != wanted:
            # Zooming or panning: a picture kept now would be of no use a frame later.
            self._kept, self._kept_for = None, wanted
            painter.setWorldTransform(transform)
            self.paint(painter)
            return
        if self._kept is None or mends > _MENDED_MAX:
            self._kept = self._whole(size, transform, ratio)
        elif mends:
            self._mend(self._kept, transform)
        self._mend_blocks.clear()
        self._mend_lines.clear()
        painter.resetTransform()
        for left, top, width, height in map(QRect.getRect, parts):
            source = QRectF(left * ratio, top * ratio, width * ratio, height * ratio)
            painter.drawPixmap(QRectF(left, top, width, height), self._kept, source)

    def _whole(self, size: QSize, transform: QTransform, ratio: float) -> QPixmap:
        pixmap = QPixmap(size * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setWorldTransform(transform)
        self.paint(painter)
        painter.end()
        return pixmap

    def _mend(self, pixmap: QPixmap, transform: QTransform) -> None:
        painter = QPainter(pixmap)
        painter.setWorldTransform(transform)
        blocks = dict(self._mend_blocks)
        for key in self._mend_lines:
            colour = self._line_colour.get(key)
            if colour is not None:
                painter.setPen(_line_pen(colour))
                painter.drawPolyline(self._lines[colour][key])
                blocks |= {key[0][0]: None, key[1][0]: None}
        painter.setPen(Qt.PenStyle.NoPen)
        for node_id in blocks:
            colour = self._block_colour.get(node_id)
            if colour is not None:
                painter.setBrush(theme().colour(colour))
                painter.drawRect(self._blocks[colour][node_id])
        painter.end()

    def paint(self, painter: QPainter) -> None:
        """Paints everything in scene coordinates; lines are a pixel wide whatever the zoom."""
        painter.setPen(Qt.PenStyle.NoPen)
        for frame, colour in self._frames:
            painter.setBrush(theme().colour(colour, 0.14))
            painter.drawRect(frame)
        painter.setBrush(theme().colour("state.waiting", 0.3))
        painter.drawRects(list(self._papers))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, lines in self._lines.items():
            if lines:
                painter.setPen(_line_pen(colour))
                painter.drawPath(self._path_of(colour))
        painter.setPen(Qt.PenStyle.NoPen)
        for colour, blocks in self._blocks.items():
            if blocks:
                painter.setBrush(theme().colour(colour))
                if colour not in self._block_lists:
                    self._block_lists[colour] = list(blocks.values())
                painter.drawRects(self._block_lists[colour])

    def bounds(self) -> QRectF:
        """Around all nodes; empty without any."""
        rects = [rect for blocks in self._blocks.values() for rect in blocks.values()]
        if not rects:
            return QRectF()
        left, top = min(rect.left() for rect in rects), min(rect.top() for rect in rects)
        return QRectF(left, top, max(r.right() for r in rects) - left, max(r.bottom() for r in rects) - top)

    def _path_of(self, colour: str) -> QPainterPath:
        path = self._line_paths.get(colour)
        if path is None:
            path = QPainterPath()
            for start, *rest in self._lines[colour].values():
                path.moveTo(start)
                for point in rest:
                    path.lineTo(point)
            self._line_paths[colour] = path
        return path

    def _drop_block(self, node_id: str) -> None:
        colour = self._block_colour[node_id]
        self._blocks[colour].pop(node_id, None)
        self._block_lists.pop(colour, None)

    def _drop_line(self, key: EdgeKey) -> None:
        colour = self._line_colour[key]
        self._lines[colour].pop(key, None)
        self._line_paths.pop(colour, None)


def _line_pen(colour: str) -> QPen:
    pen = QPen(theme().colour(colour), 1)
    pen.setCosmetic(True)
    return pen
