"""What can be done with the run, above the canvas: run, pause, step, stop, retry, undo, tidy, speed of the clock.

Absent on purpose: doing it.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QWidget

from studio.domain.run import RunView
from studio.ui.canvas.document import Document
from studio.ui.canvas.status import failed_count, is_finished
from studio.ui.numbers import count
from studio.ui.widgets import Button, PrimaryButton, SecondaryButton
from studio.ui.widgets.reflow import FlowLayout

CLOCKS = {
    "max": "As fast as possible",
    "86400": "× 86,400 (a day a second)",
    "3600": "× 3,600 (an hour a second)",
    "1440": "× 1,440 (a day a minute)",
    "60": "× 60 (an hour a minute)",
    "real": "Real time",
}


class RunBar(QWidget):
    """Every signal but the last is a wish. `clock_changed(clock)` carries `max`, `real` or a factor, as on the command
    line; `rearranged`: it may need another height.

    Where one line has no room for all, what cannot be used now is left out.
    """

    run_requested = Signal()
    pause_requested = Signal()
    continue_requested = Signal()
    step_requested = Signal()
    stop_requested = Signal()
    retry_requested = Signal()
    tidy_requested = Signal()
    clock_changed = Signal(str)
    rearranged = Signal()

    def __init__(self, document: Document) -> None:
        super().__init__()
        self._stack = document.stack
        self.view: RunView | None = None
        self._read_only = False
        self._may_run = True
        self._room = 0
        self._said: tuple[object, ...] = ()
        self.clock = "max"
        self.run = PrimaryButton("Run", self.run_requested.emit, icon="play")
        self.pause = SecondaryButton("Pause", self._pause_or_continue)
        self.step = SecondaryButton("Step", self.step_requested.emit)
        self.stop = SecondaryButton("Stop", self.stop_requested.emit)
        self.retry = SecondaryButton("Retry failed", self.retry_requested.emit)
        self.undo = SecondaryButton("Undo", document.undo)
        self.redo = SecondaryButton("Redo", document.redo)
        self.tidy = SecondaryButton("Tidy layout", self.tidy_requested.emit)
        self.clock_button = Button("Clock")
        self._fill_clock_menu()
        layout = FlowLayout(6)
        for widget in self.buttons():
            layout.addWidget(widget)
        self.setLayout(layout)
        self.run.setToolTip("Run the workflow (F5)")
        document.stack.indexChanged.connect(self._refresh)
        self.set_clock("max")

    def buttons(self) -> tuple[Button, ...]:
        """From left to right."""
        return (
            self.run,
            self.pause,
            self.step,
            self.stop,
            self.retry,
            self.undo,
            self.redo,
            self.tidy,
            self.clock_button,
        )

    def show_run(self, view: RunView | None) -> None:
        """Which buttons make sense now."""
        self.view = view
        self._refresh()

    def set_read_only(self, read_only: bool) -> None:
        """A past run: nothing of the workflow can be changed."""
        self._read_only = read_only
        self._refresh()

    def set_may_run(self, may_run: bool, why: str = "") -> None:
        """Whether the workflow is in a state to be run; `why` not becomes the tooltip."""
        self._may_run = may_run
        self.run.setToolTip("Run the workflow (F5)" if may_run else why)
        self._refresh()

    def set_clock(self, clock: str) -> None:
        """Shows a speed without announcing it."""
        self.clock = clock
        words = {"max": "Clock: fastest", "real": "Clock: real time"}.get(clock)
        self.clock_button.setText(words or f"Clock × {count(float(clock))}")
        self.rearranged.emit()

    def _fill_clock_menu(self) -> None:
        menu = QMenu(self.clock_button)
        for clock, words in CLOCKS.items():
            menu.addAction(words).triggered.connect(lambda _checked=False, clock=clock: self._choose_clock(clock))
        self.clock_button.set_menu(menu)

    def _choose_clock(self, clock: str) -> None:
        self.set_clock(clock)
        self.clock_changed.emit(clock)

    def _pause_or_continue(self) -> None:
        paused = self.view is not None and self.view.state == "paused"
        (self.continue_requested if paused else self.pause_requested).emit()

    def _refresh(self) -> None:
        view = self.view
        under_way = view is not None and not is_finished(view)
        paused = view is not None and view.state == "paused"
        failed = failed_count(view) if view is not None else 0
        undo, redo = self._stack.undoText(), self._stack.redoText()
        may = self._stack.canUndo(), self._stack.canRedo(), self._may_run, self._read_only
        said = (under_way, paused, is_finished(view), failed, undo, redo, *may)
        if said == self._said:  # several times a second while a run goes on
            return
        self._said = said
        self.run.setText("Run again" if is_finished(view) else "Run")
        self.run.setEnabled(not under_way and self._may_run)
        self.pause.setText("Continue" if paused else "Pause")
        self.pause.setEnabled(under_way)
        self.step.setEnabled(paused)
        self.step.setToolTip(
            "Lets one step work, then holds again" if paused else "Pause the run, then go step by step"
        )
        self.stop.setEnabled(under_way)
        self.retry.setText(f"Retry failed ({count(failed)})" if failed else "Retry failed")
        self.retry.setEnabled(failed > 0)
        self.undo.setEnabled(self._stack.canUndo() and not self._read_only)
        self.undo.setToolTip(f"Undo: {self._stack.undoText()} (Ctrl+Z)" if self._stack.canUndo() else "")
        self.redo.setEnabled(self._stack.canRedo() and not self._read_only)
        self.redo.setToolTip(f"Redo: {self._stack.redoText()} (Ctrl+Shift+Z)" if self._stack.canRedo() else "")
        self.tidy.setEnabled(not self._read_only)
        self._leave_out()
        self.rearranged.emit()

    def give_room(self, width: int) -> int:
        """The height it needs at this width."""
        self._room = width
        self._leave_out()
        return self.layout().heightForWidth(width)

    def _leave_out(self) -> bool:
        before = [button.isHidden() for button in self.buttons()]
        widths = {b: b.sizeHint().width() for b in self.buttons() if b is not self.redo or b.isEnabled()}
        whole = sum(widths.values()) + self.layout().spacing() * (len(widths) - 1)
        is_narrow = 0 < self._room < whole
        for button in self.buttons():
            button.setVisible(button in widths and (button.isEnabled() or not is_narrow))
        return before != [button.isHidden() for button in self.buttons()]
