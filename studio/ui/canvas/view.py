"""The window onto the graph: zoom, pan, the paper's dots, and what is painted above and below the items.

Far away the items are not asked at all: everything is painted in one go (`far.py`). Absent on purpose: an OpenGL
viewport, which is slower on machines without a graphics card; gestures (`pointer.py`) and commands (`editor.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import ceil, floor

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QRegion,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QGraphicsView, QToolTip

from studio.ui.canvas import look
from studio.ui.canvas.edges import EdgeItem
from studio.ui.canvas.editor import CanvasEditor
from studio.ui.canvas.items import NodeItem
from studio.ui.canvas.paper import Paper
from studio.ui.canvas.parts import Parts
from studio.ui.canvas.picturing import paint_items, paint_pills
from studio.ui.canvas.pointer import Pointer
from studio.ui.numbers import plural
from studio.ui.theme import theme
from studio.ui.tokens import STATES

_BESIDE = 180.0
"""Paper shown around a step that is brought into sight: its neighbours, or what leads there."""
_DASH_MS = 100
_SHARPEN_MS = 90
_PARTS_MAX = 24
_BY_KEY = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)
_DASH_STEP = 0.7
"""A dash period of 7 units in a second: 1 Hz, slow enough for everybody."""


class CanvasView(QGraphicsView):
    """Signals: `opened(node_id)`, `mark_opened(note or group)` on double click; `menu_wanted(global place)` about what
    is selected then; `add_wanted(scene place, (node, output) or None)`; `zoom_changed`; `moved` when another part of
    the scene is in sight.
    """

    opened = Signal(str)
    mark_opened = Signal(object)
    menu_wanted = Signal(QPoint)
    add_wanted = Signal(QPointF, object)
    zoom_changed = Signal(float)
    moved = Signal()

    def __init__(self, editor: CanvasEditor) -> None:
        super().__init__(editor.scene)
        self.editor = editor
        self.insets = (16, 16, 16, 16)
        """Room (left, top, right, bottom) that something else covers; fitting keeps clear of it."""
        self.key_handler: Callable[[QKeyEvent], bool] | None = None
        self._drawing = editor.scene.drawing
        self.pointer = Pointer(self, editor)
        self._exposed = QRegion()
        self._parts = Parts()
        self._paper = Paper()
        self._set_up()
        self.dashes = QTimer(self)
        self.dashes.setInterval(_DASH_MS)
        self.dashes.timeout.connect(self._step_dashes)
        self._sharpen = QTimer(self)
        self._sharpen.setSingleShot(True)
        self._sharpen.setInterval(_SHARPEN_MS)
        self._sharpen.timeout.connect(self.viewport().update)
        editor.scene.areas_changed.connect(self._repaint)
        editor.scene.places_changed.connect(self._places_changed)
        editor.scene.picture_changed.connect(self._animate)
        theme().changed.connect(self._retheme)
        self.set_zoom(1.0)

    def _set_up(self) -> None:
        self.setAccessibleName("Workflow")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.MinimalViewportUpdate)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontAdjustForAntialiasing)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontSavePainterState)
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    @property
    def zoom(self) -> float:
        """Pixels per scene unit; 100 % on screen is `theme().text_scale`."""
        return self._drawing.zoom

    def set_zoom(self, zoom: float, anchor: QPoint | None = None) -> None:
        """Zooms; the scene point under `anchor` (viewport, default its middle) stays where it is."""
        zoom = min(look.ZOOM_MAX * theme().text_scale, max(look.ZOOM_MIN, zoom))
        place = anchor if anchor is not None else self.viewport().rect().center()
        held = self.mapToScene(place)
        self._drawing.set_zoom(zoom, self.devicePixelRatioF())
        self.resetTransform()
        self.scale(zoom, zoom)
        now = self.mapFromScene(held)
        self.pan_by(QPointF(place - now))
        self.zoom_changed.emit(zoom)
        self.moved.emit()

    def zoom_by(self, factor: float, anchor: QPoint | None = None) -> None:
        self.set_zoom(self.zoom * factor, anchor)

    def zoom_full(self) -> None:
        """100 %."""
        self.set_zoom(theme().text_scale)

    def fit(self, area: QRectF | None = None) -> None:
        """Shows the whole graph, or a part, inside the insets; never larger than 100 %."""
        wanted = area if area is not None else self.editor.scene.extent()
        if wanted.isEmpty():
            return
        left, top, right, bottom = self.insets
        room = QRectF(self.viewport().rect()).adjusted(left, top, -right, -bottom)
        wanted = wanted.adjusted(-look.MARGIN, -look.MARGIN, look.MARGIN, look.MARGIN)
        zoom = min(room.width() / wanted.width(), room.height() / wanted.height(), theme().text_scale)
        self.set_zoom(max(look.ZOOM_MIN, zoom))
        self._bring(wanted.center(), room.center())

    def show_start(self, zoom_min: float = look.READABLE_FROM) -> None:
        """Fits when all is readable then; otherwise readable, with the first nodes in sight."""
        self.fit()
        bounds = self.editor.scene.far.bounds()
        if bounds.isEmpty() or self.zoom >= zoom_min * theme().text_scale:
            return
        self.set_zoom(zoom_min * theme().text_scale)
        left, top, right, bottom = self.insets
        room = QRectF(self.viewport().rect()).adjusted(left, top, -right, -bottom)
        height = bounds.center().y()
        if bounds.height() * self.zoom > room.height():
            # Not all of it fits: the beginning is what is read first, with no empty paper beyond the graph's edge.
            start = min(self.editor.scene.nodes.values(), key=lambda item: item.x()).body.center().y()
            half = room.height() / self.zoom / 2 - look.MARGIN
            height = min(max(start, bounds.top() + half), bounds.bottom() - half)
        self._bring(QPointF(bounds.left() - look.MARGIN, height), QPointF(room.left(), room.center().y()))

    def ensure_seen(self, ids: tuple[str, ...]) -> None:
        """Pans so that these nodes are well in sight, with what leads to them and on, when they are not."""
        bodies = [self.editor.scene.nodes[n].body for n in ids if n in self.editor.scene.nodes]
        if not bodies:
            return
        area = bodies[0]
        for body in bodies[1:]:
            area = area.united(body)
        self.ensure_area_seen(area, beside=_BESIDE)

    def ensure_area_seen(self, area: QRectF, *, beside: float = 0.0) -> None:
        """Pans so that a part of the scene is in sight, when it is not; with so many units of paper around it where the
        view has the room.
        """
        left, top, right, bottom = self.insets
        room = QRectF(self.viewport().rect()).adjusted(left, top, -right, -bottom)
        shown = QRectF(self.mapFromScene(area).boundingRect())
        if room.contains(shown):
            return
        across = max(0.0, min(beside * self.zoom, (room.width() - shown.width()) / 2))
        down = max(0.0, min(beside * self.zoom / 4, (room.height() - shown.height()) / 2))
        shown.adjust(-across, -down, across, down)
        dx = _into(shown.left(), shown.right(), room.left(), room.right())
        dy = _into(shown.top(), shown.bottom(), room.top(), room.bottom())
        if dx or dy:
            self.pan_by(QPointF(dx, dy))

    def fit_selection(self) -> None:
        """Shows what is selected as large as it can be read; everything when nothing is."""
        scene, selection = self.editor.scene, self.editor.selection
        bodies = [scene.nodes[n].body for n in selection.nodes if n in scene.nodes]
        bodies += [item.body for item in (*scene.notes, *scene.groups) if item.selected]
        bodies += [QRectF(e.line.p1(), e.line.p2()).normalized() for e in scene.edges.values() if e.selected]
        area = QRectF()
        for body in bodies:
            area = area.united(body)
        self.fit(area if bodies else None)

    def pan_by(self, distance: QPointF) -> None:
        """Moves the paper by pixels."""
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        across.setValue(across.value() - round(distance.x()))
        down.setValue(down.value() - round(distance.y()))
        self.moved.emit()

    def seen(self) -> QRectF:
        """The part of the scene in sight."""
        return self.mapToScene(self.viewport().rect()).boundingRect()

    def centre_on(self, place: QPointF) -> None:
        self._bring(place, QRectF(self.viewport().rect()).center())

    def _bring(self, scene_place: QPointF, viewport_place: QPointF) -> None:
        self.pan_by(viewport_place - QPointF(self.mapFromScene(scene_place)))

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        super().scrollContentsBy(dx, dy)
        self._parts.forget()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        before = event.oldSize()
        if before.isValid():
            # What was in the middle stays there: a panel that opens must not push the graph out of sight.
            change = event.size() - before
            self.pan_by(QPointF(change.width() / 2, change.height() / 2))
        self.moved.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        drawing, region = self._drawing, event.region()
        parts = self._parts.take(region)
        if parts == [self.viewport().rect()]:
            # Maybe after a change of the zoom, and Qt must know where it stands on screen what moves later.
            parts = []
        if drawing.level == "far":
            self._paint_parts(parts or list(region))
            return
        drawing.begin_frame()
        if parts:
            self._paint_parts(parts)
        else:
            self._exposed = region
            super().paintEvent(event)
        if drawing.stale:
            self._sharpen.start()

    def _paint_parts(self, parts: Sequence[QRect]) -> None:
        drawing, view = self._drawing, self.viewportTransform()
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, drawing.level != "far")
        painter.setWorldTransform(drawing.to_pixels)
        if drawing.level == "far":
            self._paint_paper(painter, parts)
            self.editor.scene.far.show(painter, parts, self.viewport().size(), view, drawing.ratio)
            painter.setWorldTransform(view)
            self._paint_far_selection(painter)
        else:
            for part in parts:
                # Parts may overlap: each begins with the paper.
                painter.setClipRect(self._in_pixels(part))
                self._paint_paper(painter, [part])
                paint_items(painter, self.mapToScene(part).boundingRect(), self.editor.scene, view)

    def _repaint(self, areas: Sequence[QRectF]) -> None:
        """Paints parts of the scene anew that are known to look different."""
        view, zoom, room = self.viewportTransform(), self.zoom, self.viewport().rect()
        dx, dy, right, bottom = view.dx(), view.dy(), room.width(), room.height()
        rects: list[QRect] = []
        for area in areas:
            left, top, width, height = area.getRect()
            x, y = left * zoom + dx - 2, top * zoom + dy - 2
            wide, high = width * zoom + 5, height * zoom + 5
            if x < right and y < bottom and x + wide > 0 and y + high > 0:
                rects.append(QRect(floor(x), floor(y), ceil(wide), ceil(high)))
        for rect in self._parts.ask(rects, room):
            self.viewport().update(rect)

    def drawBackground(self, painter: QPainter, _area: QRectF | QRect) -> None:
        # Through a clip of many small parts one large rectangle costs more than the parts.
        few = 0 < self._exposed.rectCount() <= _PARTS_MAX
        painter.setWorldTransform(self._drawing.to_pixels)
        if self._exposed.rectCount() == 1:
            # What Qt clips by is all that is to be painted in this frame.
            painter.setClipRect(self._in_pixels(self._exposed.boundingRect()))
        self._paint_paper(painter, self._exposed if few else [self.viewport().rect()])
        painter.setWorldTransform(self.viewportTransform())
        # Among many small nodes nobody sees a moment of rough edges, but a late frame is felt.
        smooth = self._drawing.is_zooming and self._drawing.level == "full"
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)

    def drawForeground(self, painter: QPainter, area: QRectF | QRect) -> None:
        # A few items far apart are painted often; what lies between them need not be.
        parts = [self.mapToScene(rect).boundingRect() for rect in self._exposed]
        painter.setWorldTransform(self._drawing.to_pixels)
        paint_pills(
            painter,
            parts if 0 < len(parts) <= _PARTS_MAX else [QRectF(area)],
            self.editor.scene,
            self.viewportTransform(),
        )

    def _paint_paper(self, painter: QPainter, parts: Iterable[QRect]) -> None:
        ratio, view = self._drawing.ratio, self.viewportTransform()
        origin = QPoint(round(view.dx() * ratio), round(view.dy() * ratio))
        self._paper.paint(painter, map(self._in_pixels, parts), origin, self._drawing)

    def _in_pixels(self, rect: QRect) -> QRect:
        """A rectangle of the viewport in the screen's pixels."""
        ratio = self._drawing.ratio
        if ratio == 1.0:
            return rect
        left, top, width, height = rect.getRect()
        x, y = floor(left * ratio), floor(top * ratio)
        return QRect(x, y, ceil((left + width) * ratio) - x, ceil((top + height) * ratio) - y)

    def _paint_far_selection(self, painter: QPainter) -> None:
        pen = self._drawing.pen("accent", 2.0, cosmetic=True)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for node_id in self.editor.selection.nodes:
            item = self.editor.scene.nodes.get(node_id)
            if item is not None:
                painter.drawRect(item.body.adjusted(-12, -12, 12, 12))

    def _places_changed(self) -> None:
        # Items that are never asked to paint do not know where they were painted before.
        if self._drawing.level == "far":
            self.viewport().update()

    def _animate(self) -> None:
        moving = bool(self.editor.scene.moving_edges()) and not theme().reduced_motion
        if moving != self.dashes.isActive():
            self.dashes.start() if moving else self.dashes.stop()

    def _step_dashes(self) -> None:
        if self._drawing.level == "far" or not self.isVisible():
            return
        self._drawing.step_dashes(_DASH_STEP)
        self._repaint([edge.room for edge in self.editor.scene.moving_edges()])

    def _retheme(self) -> None:
        self._paper.forget()
        self.editor.scene.retheme()
        self.viewport().update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.pointer.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.pointer.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.pointer.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.pointer.double_click(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.pointer.wheel(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        self.pointer.drag_enter(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self.pointer.drag_move(event)

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        self.pointer.cancel()

    def dropEvent(self, event: QDropEvent) -> None:
        self.pointer.drop(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Mouse:
            self._select_at(self.mapToScene(event.pos()))
            place = event.globalPos()
        else:
            item = self.editor.scene.nodes.get(self.editor.selection.current or "")
            where = self.mapFromScene(item.body.center()) if item is not None else self.viewport().rect().center()
            place = self.viewport().mapToGlobal(where)
        self.menu_wanted.emit(place)

    def _select_at(self, place: QPointF) -> None:
        """What is under the pointer, unless it is selected already; nothing there: nothing."""
        scene, selection = self.editor.scene, self.editor.selection
        node = scene.node_at(place)
        edge = scene.edge_at(place) if node is None else None
        note, group = scene.note_at(place), scene.group_at(place)
        if node is not None:
            if node.node_id not in selection.nodes:
                selection.set([node.node_id])
        elif edge is not None:
            selection.set(edges=[edge.key])
        elif note is not None or group is not None:
            selection.set(marks=[("note", note.index) if note is not None else ("group", group.index)])  # type: ignore[union-attr]
        else:
            selection.clear()

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self.zoom_by(1 + event.value(), event.position().toPoint())
            return True
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self.set_zoom(self.zoom)
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self._tip_at(self.mapToScene(event.pos())), self.viewport())
            return True
        return super().viewportEvent(event)

    def _tip_at(self, place: QPointF) -> str:
        edge = next(iter(self.editor.scene.pills.within(QRectF(place.x() - 1, place.y() - 1, 2, 2))), None)
        if edge is not None:
            return edge_tip(edge)
        node = self.editor.scene.node_at(place)
        return tip_of(node) if node is not None else ""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self.pointer.hold_space(held=True)
        elif event.key() == Qt.Key.Key_Escape and self.pointer.cancel():
            return
        elif self.key_handler is None or not self.key_handler(event):
            event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self.pointer.hold_space(held=False)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab goes from node to node first, and on to the next widget after the last."""
        if self.key_handler is not None:
            key = Qt.Key.Key_Tab if forward else Qt.Key.Key_Backtab
            made = QKeyEvent(QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier)
            if self.key_handler(made):
                return True
        return super().focusNextPrevChild(forward)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._show_focus(shown=event.reason() in _BY_KEY)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.pointer.hold_space(held=False)
        self._show_focus(shown=False)

    def show_keyboard_focus(self) -> None:
        """A key was used: from now on the current node is ringed."""
        self._show_focus(shown=True)

    def _show_focus(self, *, shown: bool) -> None:
        if self._drawing.show_focus != shown:
            self._drawing.show_focus = shown
            item = self.editor.scene.nodes.get(self.editor.selection.current or "")
            if item is not None:
                item.update()


def tip_of(node: NodeItem) -> str:
    """What the tooltip of a node says: name, state, figures, and what is wrong."""
    face, status = node.face, node.status
    lines = [face.title, face.summary]
    if status is not None:
        figures = " · ".join(part for part in (STATES[status.state].word, status.left, status.right) if part.strip("—"))
        lines.append(figures)
    lines += [face.problem] if face.problem else []
    lines += [] if face.enabled else ["switched off"]
    return "\n".join(line for line in lines if line)


def edge_tip(edge: EdgeItem) -> str:
    """What the tooltip of an edge's pill says: from where to where, and how many went along."""
    way = f"{edge.source.face.title} → {edge.target.face.title}"
    through = edge.source.face.ports.label(edge.key[0][1])
    told = [f"through “{through}”"] if through else []
    if edge.status.count is not None:
        told.append(f"{plural(edge.status.count, 'contact')} went along")
    return "\n".join([way, *told])


def _into(low: float, high: float, room_low: float, room_high: float) -> float:
    """How far an interval must move to lie in the room; its beginning wins when it is too long."""
    if low < room_low or high - low > room_high - room_low:
        return room_low - low
    return room_high - high if high > room_high else 0.0
