"""The canvas with what floats over it: run bar above, tools at the lower left, overview at the lower right.

Absent on purpose: what the buttons do, apart from zooming.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QFrame, QWidget

from studio.ui.canvas.editor import CanvasEditor
from studio.ui.canvas.find_bar import FindBar
from studio.ui.canvas.hold_banner import HoldBanner
from studio.ui.canvas.minimap import Minimap
from studio.ui.canvas.picker import Picker
from studio.ui.canvas.run_bar import RunBar
from studio.ui.canvas.view import CanvasView
from studio.ui.numbers import percent
from studio.ui.theme import theme
from studio.ui.tokens import RADIUS_CONTROL
from studio.ui.widgets import EmptyState, IconButton, Text
from studio.ui.widgets.layout import row

_MARGIN = 14
_TOP = 12
_ABOVE_A_STEP = 26
"""Room for the word above a step, such as how many people a dry run sees there."""
_MINIMAP_SHARE = 5
"""The overview is left out where the canvas is not so many times as high."""
_MINIMAP_LEAST = 92


class Tools(QFrame):
    """Add, outline, zoom. `add_wanted`, `outline_wanted(shown)`."""

    add_wanted = Signal()
    outline_wanted = Signal(bool)

    def __init__(self, view: CanvasView) -> None:
        super().__init__()
        self.add = IconButton("plus", "Add a step (A)", self.add_wanted.emit, size=16)
        self.outline = IconButton("list-tree", "Steps and outline", size=16, checkable=True)
        self.outline.toggled.connect(self.outline_wanted)
        self._zoom = Text("", "secondary", "muted", wrap=False, align=Qt.AlignmentFlag.AlignHCenter)
        self.setLayout(
            row(
                self.add,
                self.outline,
                IconButton("zoom-out", "Smaller (−)", lambda: view.zoom_by(1 / 1.2), size=16),
                self._zoom,
                IconButton("zoom-in", "Larger (+)", lambda: view.zoom_by(1.2), size=16),
                IconButton("maximize", "See everything (Shift+1)", view.fit, size=16),
                spacing=2,
                margins=(5, 4, 5, 4),
            )
        )
        view.zoom_changed.connect(self._show_zoom)
        theme().changed.connect(self._give_room)
        self._give_room()
        self._show_zoom(view.zoom)

    def _give_room(self) -> None:
        self._zoom.setFixedWidth(theme().px(44))

    def _show_zoom(self, zoom: float) -> None:
        self._zoom.setText(percent(zoom / theme().text_scale))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme().colour("border"), 1))
        painter.setBrush(theme().colour("surface"))
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(frame, RADIUS_CONTROL, RADIUS_CONTROL)


class Stage(QWidget):
    """Places the floating parts; the view lies below them and knows how much of it they cover."""

    def __init__(self, editor: CanvasEditor) -> None:
        super().__init__()
        self.view = CanvasView(editor)
        self.view.setParent(self)
        self.run_bar = RunBar(editor.document)
        self.tools = Tools(self.view)
        self.minimap = Minimap(self.view)
        self.empty = EmptyState(
            "This workflow has no steps yet",
            "Begin with what starts it: a file of contacts, an event, or a list of subscribers.",
            "Add a step",
            self.tools.add_wanted.emit,
            icon="workflow",
        )
        for part in (self.empty, self.run_bar, self.tools, self.minimap):
            part.setParent(self)
            part.raise_()
        self.find_bar = FindBar(self.view, self)
        self.find_bar.shown.connect(lambda _shown: self.place())
        self.run_bar.rearranged.connect(self.place)
        self.minimap.resized.connect(self.place)
        self.picker = Picker(self)
        self.picker.closed.connect(self.view.setFocus)
        self._banner: HoldBanner | None = None
        self.setMinimumSize(360, 240)
        theme().changed.connect(self.place)

    def set_empty(self, empty: bool) -> None:
        """Whether there is nothing to draw yet."""
        self.empty.setVisible(empty)
        self.minimap.setVisible(not empty)

    def set_banner(self, banner: HoldBanner) -> None:
        """Floats below the run bar whenever it is visible."""
        self._banner = banner
        banner.setParent(self)
        banner.raise_()
        self.place()

    @property
    def held_at(self) -> str:
        """The step the banner speaks of; empty while no run holds."""
        return self._banner.node_id if self._banner is not None and not self._banner.isHidden() else ""

    def _place_banner(self) -> None:
        if self._banner is not None:
            width = min(self.width() - 2 * _MARGIN, theme().px(960))
            self._banner.give_room(width)
            height = self._banner.layout().heightForWidth(width)
            top = self.run_bar.geometry().bottom() + 10
            self._banner.setGeometry((self.width() - width) // 2, top, width, max(height, 0))
            if not self._banner.isHidden():
                left, _top, right, bottom = self.view.insets
                # Below it there must be room for the word above a step.
                self.view.insets = (left, top + height + 28, right, bottom)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.place()

    def place(self) -> None:
        """Lays the floating parts out, after their words or the size changed."""
        self.view.setGeometry(self.rect())
        width = self.width() - 2 * _MARGIN
        height = self.run_bar.give_room(width)
        self.run_bar.setGeometry(_MARGIN, _TOP, width, height)
        find_width = min(width, theme().px(360))
        self.find_bar.setGeometry(
            self.width() - find_width - _MARGIN, _TOP + height + 8, find_width, self.find_bar.sizeHint().height()
        )
        self.tools.adjustSize()
        self.tools.move(_MARGIN, self.height() - self.tools.height() - _MARGIN)
        is_high = self.height() >= _MINIMAP_SHARE * max(self.minimap.height(), theme().px(_MINIMAP_LEAST))
        has_room = is_high and self.width() >= self.tools.width() + self.minimap.width() + 3 * _MARGIN
        self.minimap.setVisible(has_room and not self.empty.isVisibleTo(self))
        self.minimap.move(
            self.width() - self.minimap.width() - _MARGIN, self.height() - self.minimap.height() - _MARGIN
        )
        size = self.empty.sizeHint()
        self.empty.setGeometry(
            (self.width() - size.width()) // 2, (self.height() - size.height()) // 2, size.width(), size.height()
        )
        covered = _TOP + height + _ABOVE_A_STEP
        if not self.find_bar.isHidden():
            covered += self.find_bar.height() + 8
        below = max(self.tools.height(), 0 if self.minimap.isHidden() else self.minimap.height())
        self.view.insets = (_MARGIN, covered, _MARGIN, _MARGIN + below + 8)
        self._place_banner()
