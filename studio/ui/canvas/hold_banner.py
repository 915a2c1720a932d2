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
from studio.ui.widgets import STRETCH, LinkButton, PrimaryButton, SecondaryButton, Text
from studio.ui.widgets.layout import column, row


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
        self.effects = Text(
            "Continue: to the next breakpoint. Next step: one step works. Next chunk: one chunk of people passes.",
            "caption",
            "muted",
        )
        said = column(self.title, self.why, self.effects, spacing=3)
        buttons = row(self.go_on, self.next_step, self.next_chunk, spacing=6)
        links = row(STRETCH, self.data, self.breakpoints, spacing=10)
        acts = column(buttons, links, STRETCH, spacing=6)
        whole = row(spacing=16, margins=(16, 10, 16, 10))
        whole.addLayout(said, 1)
        whole.addLayout(acts)
        self.setLayout(whole)
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

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme().colour("state.paused"), 1.5))
        painter.setBrush(theme().colour("surface"))
        frame = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.drawRoundedRect(frame, RADIUS_CONTROL, RADIUS_CONTROL)
