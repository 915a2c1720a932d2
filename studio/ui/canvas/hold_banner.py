"""Floats over the canvas while a run is held: where and why, and what each button will do.

Absent on purpose: holding and going on (engine).
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame

from studio.domain.run import RunView
from studio.ui.numbers import plural
from studio.ui.theme import theme
from studio.ui.tokens import RADIUS_CONTROL
from studio.ui.widgets import LinkButton, PrimaryButton, SecondaryButton, Text
from studio.ui.widgets.layout import column, panel
from studio.ui.widgets.reflow import Beside, flowing

_WORDS = 400
"""How narrow they may get beside the buttons, in pixels at 100 % text scale."""
_UNBOUND = 16_777_215
_DOES = ("to the next breakpoint", "one step works", "one chunk of people passes")


class HoldBanner(QFrame):
    """Signals are wishes: `continue_wanted`, `step_wanted(by)` with `node` or `chunk`, `data_wanted(node_id)`,
    `breakpoints_wanted`.
    """

    continue_wanted = Signal()
    step_wanted = Signal(str)
    data_wanted = Signal(str)
    breakpoints_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.node_id = ""
        self.title = Text("", "strong")
        self.why = Text("", "secondary", "secondary")
        self.go_on = PrimaryButton("Continue", self.continue_wanted.emit)
        self.next_step = SecondaryButton("Next step", lambda: self.step_wanted.emit("node"))
        self.next_chunk = SecondaryButton("Next chunk", lambda: self.step_wanted.emit("chunk"))
        self.data = LinkButton("See the data here", lambda: self.data_wanted.emit(self.node_id))
        self.breakpoints = LinkButton("Breakpoints", self.breakpoints_wanted.emit)
        self.effects = Text(f"Continue: {_DOES[0]}. Next step: {_DOES[1]}. Next chunk: {_DOES[2]}.", "caption", "muted")
        said = column(self.title, self.why, self.effects, spacing=3)
        self._acts = flowing(self.go_on, self.next_step, self.next_chunk, self.data, self.breakpoints, spacing=6)
        self.setLayout(column(panel(Beside(panel(said), self._acts, least=_WORDS)), margins=(16, 10, 16, 10)))
        for button, does in zip((self.go_on, self.next_step, self.next_chunk), _DOES, strict=True):
            button.setToolTip(does)
        self.hide()

    def show_run(self, view: RunView | None, names: dict[str, str]) -> None:
        """Shows itself while the run is paused. `names`: node id → what the canvas calls it."""
        held = view is not None and view.state == "paused"
        if held and view is not None:
            standing = next((step for step in view.steps.values() if step.state == "paused"), None)
            self.node_id = standing.node_id if standing is not None else ""
            name = names.get(self.node_id, self.node_id)
            self.title.setText(f"The run holds before “{name}”" if name else "The run holds")
            many = (
                f"{plural(standing.waiting, 'person waits', 'people wait')} there. "
                if standing and standing.waiting
                else ""
            )
            self.why.setText(f"{many}{view.message} {view.hint}".strip())
            self.why.setVisible(bool(self.why.text()))
            self.data.setVisible(bool(name))
        self.setVisible(held)

    def give_room(self, width: int) -> None:
        """Before it is laid out at this width: where the buttons go below the words, what they do is said by their
        tooltips alone, and all of them stand in one line.
        """
        beside = max(sum(b.sizeHint().width() + 6 for b in (self.go_on, self.next_step, self.next_chunk)), 1)
        is_narrow = width < theme().px(_WORDS) + beside + 50
        self._acts.setMaximumWidth(_UNBOUND if is_narrow else beside)
        self.effects.setVisible(not is_narrow)
        self.breakpoints.setVisible(not is_narrow)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme().colour("state.paused"), 1.5))
        painter.setBrush(theme().colour("surface"))
        frame = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.drawRoundedRect(frame, RADIUS_CONTROL, RADIUS_CONTROL)
