"""How the page is divided between canvas, panel below, inspector and drawer, and what stays in sight when that changes.

Absent on purpose: remembering a division from one start to the next.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtWidgets import QSplitter, QWidget

from studio.ui.canvas import look
from studio.ui.canvas.selection import Selection
from studio.ui.canvas.stage import Stage
from studio.ui.theme import theme

_DRAWER_WIDTH = 250
_BELOW_MAX, _BELOW_MAX_LARGE = 0.4, 0.48
"""Of the height, for the panel below the canvas, with text of 100 and of 200 %."""
_TABLES_SHARE, _TABLES_HEIGHT = 0.45, 340
_BELOW_MIN = 120
"""What a banner leaves the panel below, in pixels at 100 % text scale."""


class Room:
    """`across` holds everything, `down` the canvas above the panel below it."""

    def __init__(self, drawer: QWidget, stage: Stage, below: QWidget, inspector: QWidget, selection: Selection) -> None:
        self._stage, self._below, self._inspector, self._selection = stage, below, inspector, selection
        self._is_divided = False
        """Whether the person has said how high the panel below shall be."""
        self._lent = 0
        """How high the panel below was before a banner took some of it."""
        self.down = QSplitter(Qt.Orientation.Vertical)
        self.down.addWidget(stage)
        self.down.addWidget(below)
        self.down.setStretchFactor(0, 1)
        self.down.setCollapsible(0, False)
        self.across = QSplitter(Qt.Orientation.Horizontal)
        for part in (drawer, self.down, inspector):
            self.across.addWidget(part)
        self.across.setStretchFactor(1, 1)
        self.across.setCollapsible(1, False)
        self.down.splitterMoved.connect(self._divided)

    def _divided(self, _place: int, _index: int) -> None:
        self._is_divided = True

    def divide(self, width: int, height: int) -> None:
        """The page comes into sight with this size."""
        beside = self._inspector.sizeHint().width()
        # Room grows with the text, but the canvas keeps the most of it.
        drawer = round(_DRAWER_WIDTH * min(1.4, theme().text_scale))
        self.across.setSizes([drawer, max(400, width - beside), beside])
        share = _BELOW_MAX + (_BELOW_MAX_LARGE - _BELOW_MAX) * (theme().text_scale - 1)
        below = min(self._below.sizeHint().height(), round(height * share))
        self.down.setSizes([height - below, below])

    def give_below(self, *, is_table: bool) -> None:
        """A table needs more lines than the Gantt; whoever has divided the page as they like keeps it so."""
        height, below = sum(self.down.sizes()), self.down.sizes()[1]
        share = _TABLES_SHARE + 0.1 * (theme().text_scale - 1)
        wanted = min(round(height * share), theme().px(_TABLES_HEIGHT))
        if is_table and not self._is_divided and 0 < below < wanted:
            self._set_below(wanted)

    def give_held(self, node_id: str) -> None:
        """A run holds before a step: beside the banner that says so there is room for the step itself."""
        view = self._stage.view
        node = view.editor.scene.nodes.get(node_id)
        _left, top, _right, bottom = view.insets
        wanted = (node.body.height() if node is not None else 0.0) * view.zoom + look.MARGIN
        lack = round(wanted - (self._stage.height() - top - bottom))
        below = self.down.sizes()[1]
        kept = max(min(below, theme().px(_BELOW_MIN)), below - max(0, lack))
        if not self._is_divided and kept < below:
            self._lent = self._lent or below
            self._set_below(kept)

    def give_back(self) -> None:
        """The run goes on."""
        if self._lent and not self._is_divided:
            self._set_below(self._lent)
        self._lent = 0

    def _set_below(self, below: int) -> None:
        self.down.setSizes([sum(self.down.sizes()) - below, below])
        QTimer.singleShot(0, self._stage, self.see_what_was_seen)

    def seen_before(self, lost: QSize) -> tuple[str, ...]:
        """What is looked at, the chosen steps or else the one a run holds at, if all of it could be seen when the page
        was so much larger. The view keeps its middle.
        """
        view, held = self._stage.view, self._stage.held_at
        looked_at = tuple(self._selection.nodes) or ((held,) if held else ())
        bodies = [view.editor.scene.nodes[n].body for n in looked_at if n in view.editor.scene.nodes]
        across, down = max(0, lost.width()) / 2 / view.zoom, max(0, lost.height()) / 2 / view.zoom
        seen = view.seen().adjusted(-across, -down, across, down)
        return looked_at if bodies and all(seen.contains(body) for body in bodies) else ()

    def see_what_was_seen(self) -> None:
        """The canvas has become lower: what is chosen stays in sight, or the height of the graph, or else the step that
        was nearest to the middle.
        """
        view = self._stage.view
        if self._selection.nodes:
            view.ensure_seen(tuple(self._selection.nodes))
            return
        seen = view.seen()
        middle = seen.center()
        bounds = view.editor.scene.far.bounds()
        _left, top, _right, bottom = view.insets
        if bounds.height() * view.zoom > view.height() - top - bottom:
            bodies = [node.body for node in view.editor.scene.nodes.values()]
            bounds = _nearest([body for body in bodies if _overlaps(body, seen)], middle.y()) or bounds
        view.ensure_area_seen(QRectF(middle.x(), bounds.top(), 1.0, bounds.height()))


def _overlaps(body: QRectF, seen: QRectF) -> bool:
    return body.left() < seen.right() and body.right() > seen.left()


def _nearest(bodies: Sequence[QRectF], height: float) -> QRectF | None:
    return min(bodies, key=lambda body: abs(body.center().y() - height), default=None)
