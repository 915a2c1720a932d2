"""The first screen: what happened, what needs the person, three ways to start, what is worth doing next.

Absent on purpose: settings of any kind; everything here leads somewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QFileDialog, QWidget

from studio.domain.clock import utc_now
from studio.ui import numbers
from studio.ui import widgets as w
from studio.ui.background import run_in_background
from studio.ui.faults import guarded
from studio.ui.screens.expectations import expectation
from studio.ui.screens.home.figures import newest_run_card
from studio.ui.screens.home.state import (
    HomeState,
    Need,
    ReadyLine,
    RunLine,
    Suggestion,
    greeting,
    headline,
    read_home,
    summary,
)
from studio.ui.screens.loading import Loader
from studio.ui.screens.navigator import Navigator
from studio.ui.screens.place import Place
from studio.ui.shell import Page
from studio.ui.theme import theme
from studio.workspace.workflows import read_workflow
from studio.workspace.workspace import Workspace

if TYPE_CHECKING:
    from studio.workspace.insights import RunInsight

ROOMY = 4
"""With fewer lines than this in “Right now” the newest run gets a chart."""
FILES = "Workflows and lists of contacts (*.json *.csv *.tsv *.txt *.gz *.parquet *.jsonl *.xlsx)"


class HomePage(Page):
    """`now` tells the time for the greeting."""

    help_topic = "home"

    def __init__(self, workspace: Workspace, navigator: Navigator, now: Callable[[], datetime] = utc_now) -> None:
        super().__init__("Home")
        self._workspace, self._navigator, self._now = workspace, navigator, now
        self._known: Mapping[str, RunInsight] = {}
        self.setAcceptDrops(True)
        self._body = w.ScrollColumn(margins=(40, 26, 40, 26), spacing=16)
        self.header = w.PageHeader("Welcome.")
        self._starts = _Starts(self.open_demo, self._start_from_website, self._choose_file)
        self._below = Place(spacing=0)
        self._body.add(self.header)
        self._body.add(self._starts)
        self._body.add(self._below, 1)
        self.pane = w.Pane(self._body)
        self._load = Loader(self.pane, self._read, self.show_state, "Looking around …")
        self.setLayout(w.column(self.pane, spacing=0))

    def entered(self, target: str = "") -> None:  # noqa: ARG002 - the page has one view
        self.refresh()

    def refresh(self) -> None:
        """Reads the workspace again."""
        self._load()

    def show_state(self, state: HomeState) -> None:
        """Fills the screen."""
        self._known = state.insights
        self.header.set_finding(f"{greeting(self._now().astimezone())} {headline(state)}", summary(state))
        focused = self._focused_name()
        # A short list leaves its height to the chart of the newest run.
        is_roomy = state.newest is not None and len(state.runs) + len(state.ready) < ROOMY
        figures = newest_run_card(state.newest, self._navigator, is_roomy=is_roomy)
        left, right = Place(spacing=16), Place(spacing=16)
        left.add(self._right_now(state), 0 if is_roomy else 1)
        left.add(figures, 1 if is_roomy else 0)
        right.add(self._needs_you(state))
        right.add(self._worth_doing(state), 1)
        self._below.fill(w.SideBySide((left, 3), (right, 2), least=400))
        if focused:
            # What was just added is shown with the next events; before that it takes no focus.
            QTimer.singleShot(0, self, lambda: self._focus_again(focused))

    def open_demo(self) -> None:
        self._navigator.open_demo()

    def open_file(self, path: Path) -> None:
        """A workflow goes to the canvas, a list of contacts to the import."""
        if path.suffix.lower() == ".json":
            run_in_background(lambda: self._take_workflow(path), self._navigator.open_workflow, owner=self)
        else:
            self._navigator.go("audience", str(path))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            guarded(self.open_file)(paths[0])

    def _focused_name(self) -> str:
        """What the keyboard is at in the part that is made anew, so that it can be found again."""
        focused = QApplication.focusWidget()
        if isinstance(focused, QAbstractButton) and self._below.isAncestorOf(focused):
            return _name_of(focused)
        return ""

    def _focus_again(self, name: str) -> None:
        for found in self._below.findChildren(QAbstractButton):
            if found.isVisibleTo(self) and _name_of(found) == name:
                found.setFocus(Qt.FocusReason.OtherFocusReason)

    def _read(self) -> HomeState:
        return read_home(self._workspace, self._known)

    def _take_workflow(self, path: Path) -> str:
        return self._workspace.workflows.add(read_workflow(path))

    def _start_from_website(self) -> None:
        self._navigator.go("templates", "address")

    def _choose_file(self) -> None:
        chosen, _filter = QFileDialog.getOpenFileName(self, "Open a workflow or a list of contacts", "", FILES)
        if chosen:
            self.open_file(Path(chosen))

    def _right_now(self, state: HomeState) -> w.Card:
        more = w.LinkButton("All runs", lambda: self._navigator.go("runs"), quiet=True)
        card = w.Card("Right now", *([more] if state.runs else []))
        if not state.runs and not state.ready:
            words = "Open the demo or use a template. What runs shows here how far it is and what it earned."
            card.add(w.EmptyState("Nothing has run yet", words, icon="play"), stretch=1)
            return card
        rows = w.RowList()
        for run in state.runs:
            rows.add(_run_row(run, self._navigator))
        for ready in state.ready:
            rows.add(_ready_row(ready, self._navigator))
        card.add(rows)
        return card

    def _needs_you(self, state: HomeState) -> w.Card:
        card = w.Card("Needs you")
        if not state.needs:
            card.add(_quiet_line("Nothing needs you now."))
            return card
        rows = w.RowList()
        for need in state.needs:
            rows.add(self._need_row(need))
        card.add(rows)
        return card

    def _need_row(self, need: Need) -> QWidget:
        if need.kind == "experiment":
            button = w.SecondaryButton("Review", lambda: self._navigator.go("experiments", need.run_id))
            mark = w.Badge("accent", text="AB", name="experiment")
        else:
            button = w.SecondaryButton("Fix", lambda: self._navigator.open_run(need.run_id))
            mark = w.Badge.for_state("failed")
        button.setAccessibleName(f"{button.text()}: {need.title}")
        return w.ItemRow(need.title, need.words, button, mark=mark)

    def _worth_doing(self, state: HomeState) -> w.Card:
        card = w.Card("Worth doing next")
        if not state.suggestions:
            words = (
                "Every template that suits you is in use."
                if state.business
                else "Tell a little about your business, and templates are ranked for it."
            )
            button = w.SecondaryButton("Describe my business", self._start_from_website)
            card.add(w.Paragraph(words), w.row(button, w.STRETCH))
            return card
        rows = w.RowList()
        for number, suggestion in enumerate(state.suggestions):
            rows.add(self._suggestion_row(suggestion, state.currency, is_first=number == 0))
        card.add(rows, w.Text("Ranked by fit and by what worked here. Intervals are 90 %.", "caption", "muted"))
        return card

    def _suggestion_row(self, suggestion: Suggestion, currency: str, *, is_first: bool) -> QWidget:
        found = expectation(suggestion.recommendation.prediction, currency, suggestion.counts)
        reason = next((reason.text for reason in suggestion.recommendation.reasons), "")
        name = w.Text(suggestion.title, "strong", wrap=False)
        why = w.LinkButton("Look at it", lambda: self._navigator.go("templates", suggestion.recommendation.template))
        why.setAccessibleName(f"Look at {suggestion.title}")
        use = (w.PrimaryButton if is_first else w.SecondaryButton)("Use template", lambda: self._use(suggestion))
        use.setAccessibleName(f"Use template {suggestion.title}")
        head = w.flowing(name, w.Pill(w.BANDS[suggestion.recommendation.band][0]), why)
        words = w.column(head, spacing=3)
        if found is not None:
            gain = w.Text(f"{found.headline}, {found.span}", "secondary", "secondary")
            gain.setToolTip(found.source)
            words.addWidget(gain)
        words.addWidget(w.Text(reason, "secondary", "muted"))
        line = w.row(words, use, spacing=14)
        line.setStretch(0, 1)
        line.setAlignment(use, Qt.AlignmentFlag.AlignVCenter)
        return w.panel(line)

    def _use(self, suggestion: Suggestion) -> None:
        def create() -> str:
            story = self._workspace.templates
            made = story.create(suggestion.recommendation.template, story.context())
            return str(made.workflow_id)

        run_in_background(create, lambda made: self._made(made, suggestion.title), owner=self)

    def _made(self, workflow_id: str, title: str) -> None:
        self._navigator.notify(f"“{title}” is filled in and ready to run")
        self._navigator.open_workflow(workflow_id)


class _Starts(QWidget):
    """Three ways to start, always there."""

    def __init__(
        self, on_demo: Callable[[], object], on_website: Callable[[], object], on_file: Callable[[], object]
    ) -> None:
        super().__init__()
        grid = w.GridFlow(300, spacing=16)
        for number, (title, words, button) in enumerate(
            (
                (
                    "Try it with a demo shop",
                    "A made-up coffee shop in a workspace of its own. Nothing is sent, a month passes in seconds.",
                    w.PrimaryButton("Open the demo", on_demo),
                ),
                (
                    "Start from my website or a few words",
                    "We read the page on this computer, propose workflows and fill them in.",
                    w.SecondaryButton("Enter address", on_website),
                ),
                (
                    "Open or import",
                    "A workflow file or a list of contacts. Or drop a file here.",
                    w.SecondaryButton("Choose file", on_file),
                ),
            ),
            1,
        ):
            card = w.Card(highlighted=number == 1, name=title)
            badge = w.Badge("accent" if number == 1 else "control_border", text=str(number))
            head = w.row(badge, w.Text(title, "subheading"), spacing=10)
            head.setStretch(1, 1)
            card.add(head, w.Paragraph(words), 8)
            card.add(w.STRETCH, w.row(button, w.STRETCH))
            grid.addWidget(card)
        self.setLayout(grid)


def _run_row(run: RunLine, navigator: Navigator) -> QWidget:
    between: QWidget = w.StatePill(run.state)
    if run.progress is not None:
        bar = w.Bar(run.progress, "state.running", name=f"{run.name}: progress")
        between = w.panel(w.column(bar, w.Text(numbers.percent(run.progress), "caption", "muted"), spacing=3))
        between.setFixedWidth(theme().px(130))
    earned = w.Text(numbers.money(run.revenue, run.currency), "strong", wrap=False, align=Qt.AlignmentFlag.AlignRight)
    earned.setMinimumWidth(theme().px(84))
    earned.setAccessibleName(f"Revenue of {run.name}: {earned.text()}")
    show = w.IconButton("chevron-right", f"Open {run.name}", lambda: navigator.open_run(run.run_id), size=16)
    return w.ItemRow(run.name, run.words, between, earned, show, mark=w.Badge.for_state(run.state))


def _ready_row(ready: ReadyLine, navigator: Navigator) -> QWidget:
    show = w.IconButton(
        "chevron-right", f"Open {ready.name}", lambda: navigator.open_workflow(ready.workflow_id), size=16
    )
    return w.ItemRow(ready.name, ready.words, show, mark=w.Badge.for_state("idle"))


def _quiet_line(words: str) -> QWidget:
    line = w.row(w.Badge.for_state("done", 18), w.Text(words, "body", "muted"), spacing=10)
    line.setStretch(1, 1)
    return w.panel(line)


def _name_of(button: QAbstractButton) -> str:
    return button.accessibleName() or button.text()
