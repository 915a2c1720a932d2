"""The canvas in each of its states, over a real workspace and a real run of it.

A run in trouble, or one that is held, is the real run cut off where a few events more are made up. Absent on purpose:
the other screens (`screen_shots.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QWidget

from studio.connectors import demo_shop
from studio.domain.debugging import parse_breakpoint
from studio.domain.run import RunEvent
from studio.ui.canvas.history import RunHistory
from studio.ui.canvas.inspector_problem import AffectedContact
from studio.ui.canvas.message_window import MessageWindow
from studio.ui.screens.canvas.screen import StudioCanvas
from studio.ui.shell import MainWindow
from studio.workspace.demo import demo_options
from studio.workspace.workspace import Workspace
from tools import screen_shots

State = Callable[[StudioCanvas], object]


@cache
def _runs() -> tuple[Workspace, str, str]:
    """The demo's workspace, its run, and a second run with another subject and a coarser clock."""
    workspace = screen_shots.demo_workspace()
    first = workspace.runs.list()[-1]
    workflow = workspace.runs.workflow_of(first.run_id)
    mail = next(node for node in workflow.nodes if node.type == "send.email")
    changed = mail.model_copy(update={"parameters": {**mail.parameters, "subject": "Your basket is waiting"}})
    nodes = tuple(changed if node.id == mail.id else node for node in workflow.nodes)
    until = demo_shop.START + timedelta(days=screen_shots.RUN_DAYS)
    second = workspace.runs.start(
        workflow.model_copy(update={"nodes": nodes}),
        replace(demo_options(2), until=until, step="PT12H"),
        workflow_id=first.workflow_id,
    )
    workspace.runs.wait(second)
    return workspace, first.run_id, second


def shot(state: State, *, target: str = "workflow", settled: State | None = None) -> Callable[[], QWidget]:
    """Makes the main window with the canvas in this state. `target`: the `workflow` or the `run` in front.

    `settled` goes on once the window has its size.
    """

    def make() -> QWidget:
        workspace, run_id, _ = _runs()
        window = MainWindow(screen_shots.pages(workspace))
        window.set_workspace("Bloom & Barley")
        window.set_status("done", "All systems fine")
        window.set_mode("simulate")
        window.resize(1440, 900)
        workflow_id = workspace.runs.get(run_id).workflow_id
        window.go("canvas", f"run:{run_id}" if target == "run" else f"workflow:{workflow_id}")
        screen_shots.settle()
        page = window.pages.page
        assert isinstance(page, StudioCanvas)
        # What is changed for the picture is not kept: the next one begins with the workflow as it was.
        page.document.journal = None
        window.show()
        QApplication.processEvents()
        state(page)
        screen_shots.settle()
        QApplication.processEvents()
        if settled is not None:
            QTimer.singleShot(0, window, lambda: settled(page))
        return window

    return make


def empty(page: StudioCanvas) -> None:
    page.document.remove([node.id for node in page.workflow.nodes])


def editing(page: StudioCanvas) -> None:
    page.choose(first_step(page, "flow.wait_for", "flow.delay"))


def rule_error(page: StudioCanvas) -> None:
    chosen = first_step(page, "trigger.event")
    page.document.set_parameters(chosen, {**page.workflow.node(chosen).parameters, "filter": "valeu >= 30 an"})
    page.checks.check_now()
    page.choose(chosen)


def tidied(page: StudioCanvas) -> None:
    """Everything, after a tidy layout."""
    page.editor.tidy()
    page.glide.stop()
    page.view.fit()


def notes_and_groups(page: StudioCanvas) -> None:
    mails = [node.id for node in page.workflow.nodes if node.type == "send.email"]
    page.document.group(mails, "The messages", "blue")
    first = page.workflow.node(mails[0]).position
    page.document.add_note("Ask Maria about the wording before Friday.", (first[0] - 260, first[1] - 150))
    page.view.set_zoom(0.8)
    page.choose(mails[0])
    page.selection.clear()


def several(page: StudioCanvas) -> None:
    page.selection.set([node.id for node in page.workflow.nodes[:3]])
    page.show_outline()


def adding(page: StudioCanvas) -> None:
    page.prompts.add_after(first_step(page, "send.email"))


def palette(page: StudioCanvas) -> None:
    page.stage.tools.outline.setChecked(True)
    page.drawer.show_page(page.palette_panel)


def history(page: StudioCanvas) -> None:
    node = page.workflow.nodes[-1]
    page.document.move({node.id: (node.position[0] + 40, node.position[1])})
    page.document.set_label(first_step(page, "send.email"), "First reminder")
    page.show_history()


def finding(page: StudioCanvas) -> None:
    page.stage.find_bar.open()
    page.stage.find_bar.search.setText("mail")


def message(page: StudioCanvas) -> QWidget:
    """The message editor of the first message."""
    page.choose(first_step(page, "send.email"))
    node = page.workflow.node(page.selection.single or "")
    bound = page.workflow.bound(node)
    return MessageWindow(page.document.name_of(node), bound, page.aid, lambda _name, _text: None, page)


def message_on_phone() -> QWidget:
    """As a phone shows it at night."""
    made = message_editor()
    assert isinstance(made, MessageWindow)
    for choice, value in ((made.width_choice, "phone"), (made.scheme_choice, "dark")):
        choice.set_value(value)
        choice.chosen.emit(value)
    return made


def message_editor() -> QWidget:
    """The message editor as a window of its own."""
    window = shot(editing)()
    page = window.pages.page
    made = message(page)
    made.setParent(None)
    # The window's workspace answers what the editor asks, so it lives as long.
    made.setProperty("window", window)
    screen_shots.settle()
    return made


def on_the_phone(page: StudioCanvas, type_id: str, texts: Mapping[str, str]) -> None:
    """A message to a phone, being written."""
    node = page.document.new_node(type_id, (0.0, 400.0))
    page.document.add_node(node.model_copy(update={"parameters": dict(texts)}))
    page.choose(node.id)
    screen_shots.settle()
    page.inspector.settings.phone.look_now()


def sms(page: StudioCanvas) -> None:
    text = "Hi {{ contact.first_name|default('there') }}, your basket waits: https://b.example/b. Reply STOP to end."
    on_the_phone(page, "send.sms", {"body": text, "sender": "BloomBarley"})


def push(page: StudioCanvas) -> None:
    texts = {
        "subject": "Your basket is waiting",
        "body": "{{ contact.first_name|default('Hello') }}, we kept it for you.",
    }
    on_the_phone(page, "send.push", texts)


def live(page: StudioCanvas) -> None:
    """Two fifths of the way."""
    retold(page, 0.4)


def trouble(page: StudioCanvas) -> None:
    """A server refuses some messages."""
    events = retold(page, 0.4)
    node_id = first_step(page, "send.email")
    problem = {
        "code": "MAIL-REFUSED",
        "message": "The mail server answered 450 4.2.1 mailbox busy for 31 addresses and 550 5.1.1 no such user for 8.",
        "hint": "Try the 31 again in a few minutes; put the 8 dead addresses on the suppression list.",
        "count": 39,
        "sample": [11, 12, 13, 14],
        "action": "retry",
        "severity": "error",
    }
    ran = {"in": 0, "out": {}, "failed": 39, "quarantined": 0, "duration_ms": 9_400, "attempt": 2}
    say(page, events, node_id, {"step.ran": ran, "step.problem": problem})
    page.choose(node_id)


def refused(page: StudioCanvas) -> None:
    """Whom it concerns: the real run refused nobody."""
    people = _runs()[0].runs.sample(_runs()[1], first_step(page, "send.email"), "out").head(4)
    answers = ("450 4.2.1", "450 4.2.1", "550 5.1.1", "550 5.1.1")
    states = {"4": ("tried again", "caution"), "5": ("failed", "bad")}
    rows = [
        AffectedContact(str(email), answer, *states[answer[0]])
        for email, answer in zip(people["email"], answers, strict=True)
    ]
    page.set_contacts(first_step(page, "send.email"), "MAIL-REFUSED", rows)


def held(page: StudioCanvas) -> None:
    """A breakpoint holds the run before the first message."""
    node_id = first_step(page, "send.email")
    events = retold(page, 0.3)
    page.debug.breakpoints.set_breakpoints([parse_breakpoint(f"{node_id}>200"), parse_breakpoint("error")])
    page.debug.set_aids(page.debug.breakpoints.breakpoints, frozenset())
    told = {
        "step.state": {"state": "paused"},
        "step.waiting": {"waiting": 512, "next_due": None},
        "run.state": {
            "state": "paused",
            "message": "More than 200 people would get this message.",
            "hint": "Continue when that is right.",
        },
    }
    say(page, events, node_id, told)
    page.debug.open(page.debug.breakpoints)


def replay(page: StudioCanvas) -> None:
    history = page.watch.history
    assert history is not None
    page.timeline.show_instant(history.events[len(history.events) // 3].at)


def log(page: StudioCanvas) -> None:
    page.timeline.tabs.show_page(page.timeline.log)


def data(page: StudioCanvas) -> None:
    page.choose(first_step(page, "exp.split", "audience.eligibility"))
    page.debug.open(page.debug.data)


def schema(page: StudioCanvas) -> None:
    page.debug.data.view.set_value("schema")
    page.debug.data.view.chosen.emit("schema")


def follow(page: StudioCanvas) -> None:
    workspace, run_id, _ = _runs()
    sample = workspace.runs.sample(run_id, first_step(page, "send.email"), "out")
    page.show_follow()
    page.debug.follow.search.setText(str(sample.item(0, "email")))
    page.debug.follow.follow.click()


def compare(page: StudioCanvas) -> None:
    page.debug.open(page.debug.compare)
    screen_shots.settle()
    chip = page.debug.compare.chip
    assert chip is not None
    chip.set_value(_runs()[2])
    chip.chosen.emit(_runs()[2])


def compare_steps(page: StudioCanvas) -> None:
    compare(page)
    screen_shots.settle()
    page.debug.compare.view.set_value("steps")
    page.debug.compare.view.chosen.emit("steps")


def before_and_after(page: StudioCanvas) -> None:
    page.debug.data.view.set_value("changes")
    page.debug.data.view.chosen.emit("changes")


def dry_run(page: StudioCanvas) -> None:
    page.show_dry_run()


STATES: Mapping[str, Callable[[], QWidget]] = {
    "canvas-empty": shot(empty),
    "canvas-editing": shot(editing),
    "canvas-rule-error": shot(rule_error),
    "canvas-notes-groups": shot(notes_and_groups),
    "canvas-tidied": shot(lambda _page: None, settled=tidied),
    "canvas-whole": shot(lambda _page: None, target="run", settled=lambda page: page.view.fit()),
    "canvas-outline": shot(several),
    "canvas-adding": shot(lambda _page: None, settled=adding),
    "canvas-steps": shot(palette),
    "canvas-history": shot(history),
    "canvas-find": shot(lambda _page: None, settled=finding),
    "canvas-message": message_editor,
    "canvas-message-phone": message_on_phone,
    "canvas-sms": shot(sms),
    "canvas-push": shot(push),
    "canvas-live": shot(live, target="run"),
    "canvas-trouble": shot(trouble, target="run", settled=refused),
    "canvas-held": shot(held, target="run"),
    "canvas-replay": shot(replay, target="run"),
    "canvas-log": shot(log, target="run"),
    "canvas-data": shot(data, target="run"),
    "canvas-schema": shot(data, target="run", settled=schema),
    "canvas-follow": shot(follow, target="run"),
    "canvas-compare": shot(lambda _page: None, target="run", settled=compare),
    "canvas-compare-steps": shot(lambda _page: None, target="run", settled=compare_steps),
    "canvas-before-after": shot(data, target="run", settled=before_and_after),
    "canvas-dry-run": shot(dry_run),
}


def first_step(page: StudioCanvas, *types: str) -> str:
    """The first step of the first of these types that the workflow has."""
    return next(node.id for type_id in types for node in page.workflow.nodes if node.type == type_id)


def retold(page: StudioCanvas, share: float) -> list[RunEvent]:
    """Shows the run as it was after this share of its events, going on."""
    whole = page.watch.history
    assert whole is not None
    events = [event for event in whole.events[: int(len(whole.events) * share)] if event.kind != "run.state"]
    running = RunEvent(whole.run_id, events[-1].seq + 1, events[-1].at, None, "run.state", {"state": "running"})
    page.show_run(None)
    history = RunHistory(whole.run_id, page.roles_of(page.workflow))
    history.add([*events, running])
    page.watch.begin(history)
    page.overlay.flush()
    return history.events


def say(page: StudioCanvas, events: list[RunEvent], node_id: str, told: Mapping[str, Mapping[str, object]]) -> None:
    last = events[-1]
    page.add_events(
        [
            RunEvent(last.run_id, last.seq + number, last.at, None if kind == "run.state" else node_id, kind, payload)
            for number, (kind, payload) in enumerate(told.items(), 1)
        ]
    )
    page.overlay.flush()
