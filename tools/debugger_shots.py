"""More states of the canvas: what a person gets to see while building and looking into a run.

Absent on purpose: the states of a run under way and of its tables (`canvas_shots.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from PySide6.QtWidgets import QWidget

from studio.domain.debugging import Breakpoint
from studio.ui.canvas.history_panel import State
from studio.ui.canvas.message_window import MessageWindow
from studio.ui.screens.canvas.screen import StudioCanvas
from studio.ui.shell import MainWindow
from tools import screen_shots
from tools.canvas_shots import first_step, message_editor, retold, say, shot


def _nothing(_page: StudioCanvas) -> None:
    """The page as it is opened."""


def under_way(page: StudioCanvas) -> None:
    """A message is going out, and the next step of the chosen way is queued."""
    events = retold(page, 0.3)
    node_id = first_step(page, "send.email")
    say(page, events, node_id, {"step.state": {"state": "running"}, "step.sending": {"planned": 198, "sent": 140}})
    page.view.ensure_seen((node_id,))


def over(page: StudioCanvas, state: str, message: str = "", hint: str = "") -> None:
    events = retold(page, 1.0)
    say(page, events, "", {"run.state": {"state": state, "message": message, "hint": hint}})


def warned(page: StudioCanvas) -> None:
    """Green but wrong: a step let far fewer people through than usual."""
    events = retold(page, 0.5)
    node_id = first_step(page, "audience.eligibility")
    problem = {
        "code": "NORM-SHARE-allowed",
        "message": "21% of the people left through “allowed”; usually it is 93%.",
        "hint": "Check the rules and the consent of the people who came.",
        "severity": "warning",
    }
    say(page, events, node_id, {"step.problem": problem, "step.state": {"state": "warning"}})
    page.choose(node_id)


def pinned(page: StudioCanvas) -> None:
    node_id = first_step(page, "audience.eligibility")
    page.debug.set_aids((Breakpoint(when="before", node=first_step(page, "send.email")),), frozenset({node_id}))
    page.choose(node_id)


def breakpoints(page: StudioCanvas) -> None:
    """Set, and no run yet."""
    pinned(page)
    page.debug.open(page.debug.breakpoints)
    page.debug.breakpoints.when.set_value("new_value")
    page.debug.breakpoints.when.chosen.emit("new_value")


def earlier(page: StudioCanvas) -> None:
    """An earlier state beside the present one."""
    mail = first_step(page, "send.email")
    page.document.set_label(mail, "First reminder")
    page.document.remove([first_step(page, "flow.exit")])
    page.show_history()
    panel = page.history_panel
    panel.tabs.setCurrentIndex(1)
    screen_shots.settle()
    start = screen_shots.MORNING
    panel.set_states(
        [
            State("e3", start + timedelta(hours=3), "Remove a step", is_kept=False),
            State("e2", start + timedelta(hours=2), "Rename Reminder, subject A", is_kept=False),
            State("before the sale", start, "before the sale", is_kept=True),
        ]
    )
    panel.compare_wanted.emit(page._newest_edit(page.workflow_id))


def commands(page: StudioCanvas) -> None:
    window = page.window()
    assert isinstance(window, MainWindow)
    window.command_palette.open("add s")


def toasts(page: StudioCanvas) -> None:
    window = page.window()
    assert isinstance(window, MainWindow)
    window.toast("The run of Cart recovery is done: 2,225 messages sent", button="See it", on_button=lambda: None)
    window.toast("39 messages were refused by the mail server", button="Show", on_button=lambda: None, tone="bad")


def inspector_tab(title: str) -> Callable[[StudioCanvas], None]:
    def state(page: StudioCanvas) -> None:
        page.choose(first_step(page, "exp.split", "send.email"))
        page.inspector.open_tab(title)

    return state


def switched_off(page: StudioCanvas) -> None:
    node_id = first_step(page, "exp.holdout", "send.email")
    page.selection.set([node_id])
    page.editor.toggle_enabled()


def outline(page: StudioCanvas) -> None:
    page.choose(first_step(page, "send.email"))
    page.show_outline()
    page.outline.expandAll()


def plain_text() -> QWidget:
    made = message_editor()
    assert isinstance(made, MessageWindow)
    made.part_choice.set_value("text")
    made.part_choice.chosen.emit("text")
    return made


def dark_desktop() -> QWidget:
    made = message_editor()
    assert isinstance(made, MessageWindow)
    made.scheme_choice.set_value("dark")
    made.scheme_choice.chosen.emit("dark")
    return made


STATES: Mapping[str, Callable[[], QWidget]] = {
    "canvas-under-way": shot(_nothing, target="run", settled=under_way),
    "canvas-done": shot(lambda page: over(page, "done"), target="run"),
    "canvas-failed": shot(
        lambda page: over(page, "failed", "The disk is full.", "Make room, then resume the run."), target="run"
    ),
    "canvas-stopped": shot(lambda page: over(page, "stopped"), target="run"),
    "canvas-warned": shot(warned, target="run"),
    "canvas-pinned": shot(pinned, target="run"),
    "canvas-breakpoints": shot(breakpoints),
    "canvas-earlier": shot(_nothing, settled=earlier),
    "canvas-commands": shot(_nothing, settled=commands),
    "canvas-toasts": shot(_nothing, target="run", settled=toasts),
    "canvas-off": shot(switched_off),
    "canvas-tree": shot(outline, target="run"),
    "canvas-help": shot(inspector_tab("Help")),
    "canvas-samples": shot(inspector_tab("Data"), target="run"),
    "canvas-no-problem": shot(inspector_tab("Problem"), target="run"),
    "canvas-message-text": plain_text,
    "canvas-message-dark": dark_desktop,
}
