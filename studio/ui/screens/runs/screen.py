"""Runs: all of them with how they stand, going on with one, and the outbox.

Absent on purpose: what happened inside a run; the canvas shows that.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from studio.domain.run import FINAL_RUN_STATES
from studio.ui import numbers
from studio.ui import widgets as w
from studio.ui.background import run_in_background
from studio.ui.screens.loading import Loader
from studio.ui.screens.navigator import Navigator
from studio.ui.screens.next_steps import OUTBOX
from studio.ui.screens.outbox.screen import Outbox
from studio.ui.screens.runs.rows import MODES, RunLine, briefly, filtered, summary
from studio.ui.shell import Page
from studio.ui.tokens import STATES
from studio.workspace.insights import RunBrief
from studio.workspace.workspace import Workspace

RUNS_SHOWN = 500


class RunsPage(Page):
    """`target` of `entered`: a run's id, or `outbox`."""

    help_topic = "runs"

    def __init__(self, workspace: Workspace, navigator: Navigator) -> None:
        super().__init__("Runs")
        self._workspace = workspace
        self._navigator = navigator
        self._lines: list[RunLine] = []
        self._briefs: dict[str, RunBrief] = {}
        self._wanted = ""
        self._is_acting = False
        self.outbox = Outbox(workspace, navigator)
        self.header = self._make_header()
        self.pane = w.Pane(self._list())
        self._loader: Loader[list[RunLine]] = Loader(self.pane, self._fetch, self._show, "Reading the runs …")
        self.tabs = w.Tabs("Runs", {"Runs": self.pane, "Outbox": self.outbox})
        self.tabs.currentChanged.connect(lambda _index: self._load())
        body = w.column(self.header, self.tabs, spacing=14, margins=(22, 22, 22, 18))
        body.setStretch(1, 1)
        self.setLayout(body)

    def _make_header(self) -> w.PageHeader:
        self.open = w.PrimaryButton("Open", self._open)
        self.figures = w.SecondaryButton("Analytics", self._open_figures)
        self.resume = w.SecondaryButton("Resume", lambda: self._act("goes on", self._resume))
        self.retry = w.SecondaryButton("Retry failed", lambda: self._act("tries the failed ones again", self._retry))
        self.stop = w.SecondaryButton("Stop", lambda: self._act("stops; it can be resumed", self._stop))
        self.buttons = (self.figures, self.resume, self.retry, self.stop, self.open)
        return w.PageHeader("Runs", "", *self.buttons)

    def _list(self) -> QWidget:
        groups = {"all": "All states", "open": "Still open", "done": "Done", "failed": "Failed"}
        self.group = w.MenuChip(groups, name="State")
        self.mode = w.MenuChip({"all": "All modes", **MODES}, name="Mode")
        self.search = w.SearchField("Search runs")
        self.search.setMaximumWidth(260)
        for chip in (self.group, self.mode):
            chip.chosen.connect(lambda _key: self._show_filtered())
        self.search.textChanged.connect(lambda _text: self._show_filtered())
        self.table: w.Table[RunLine] = w.Table("Runs", self._columns())
        self.table.row_chosen.connect(lambda _row: self._show_buttons())
        self.table.row_opened.connect(lambda line: self._navigator.open_run(line.run.run_id))
        self.nothing = w.Text("No run matches.", "body", "muted")
        bar = w.row(self.group, self.mode, self.search, self.nothing, w.STRETCH)
        card = w.Card(padding=1, name="Runs")
        card.add(self.table, stretch=1)
        box = w.column(bar, spacing=12, margins=(0, 12, 0, 0))
        box.addWidget(card, 1)
        return w.panel(box)

    def _columns(self) -> list[w.Column[RunLine]]:
        return [
            w.Column(
                title="State",
                value=lambda r: r.state,
                dot=lambda r: f"state.{r.look}",
                icon=lambda r: STATES[r.look].icon,
                tone=lambda r: r.tone,
            ),
            w.Column(title="Workflow", value=lambda r: r.run.name, width="stretch", bold=lambda _r: True),
            w.Column(title="Run", value=lambda r: r.run.run_id),
            w.Column(title="Mode", value=lambda r: MODES[r.run.mode]),
            w.Column(title="Entered", value=lambda r: r.brief.entered, numeric=True, help="How often it was entered"),
            w.Column(
                title="Started",
                value=lambda r: r.run.started_at,
                text=lambda r: briefly(r.run.started_at),
            ),
            w.Column(title="Clock", value=lambda r: r.clock),
            w.Column(
                title="Ran for",
                value=lambda r: r.ran.total_seconds(),
                text=lambda r: numbers.duration(r.ran),
                numeric=True,
                help="On the run's own clock",
            ),
            w.Column(
                title="Revenue",
                value=lambda r: r.brief.revenue,
                text=lambda r: numbers.money(r.brief.revenue, r.brief.currency),
                numeric=True,
            ),
        ]

    def entered(self, target: str = "") -> None:
        if target == OUTBOX:
            self.tabs.show_page(self.outbox)
        elif target:
            self._wanted = target
            self.tabs.show_page(self.pane)
        self._load()

    def refresh(self) -> None:
        """Runs may have gone on."""
        self._load()

    def _load(self) -> None:
        self._show_buttons()
        if self.tabs.currentWidget() is self.outbox:
            self.outbox.refresh()
        else:
            self._loader()

    def _fetch(self) -> list[RunLine]:
        runs = self._workspace.runs
        failed = runs.failed_items()
        return [
            RunLine(r, self._brief(r.run_id, r.state), runs.is_running(r.run_id), failed.get(r.run_id, 0))
            for r in runs.list(RUNS_SHOWN)
        ]

    def _brief(self, run_id: str, state: str) -> RunBrief:
        """A run's figures; those of one that has ended stay as they are, but a retry may reopen it."""
        kept = self._briefs.get(run_id)
        if kept is not None and state in FINAL_RUN_STATES:
            return kept
        brief = self._workspace.insights.brief(run_id)
        if state in FINAL_RUN_STATES:
            self._briefs[run_id] = brief
        else:
            self._briefs.pop(run_id, None)
        return brief

    def _show(self, lines: list[RunLine]) -> None:
        changed = lines != self._lines
        self._lines = lines
        if not lines:
            self.header.set_finding("Runs")
            self.pane.show_empty(self._nothing())
            return
        self.header.set_finding(f"{numbers.plural(len(lines), 'run')}, {summary(lines)}")
        if changed or self._wanted:
            self._show_filtered()

    def _show_filtered(self) -> None:
        chosen = self._wanted or (self.table.current_row.run.run_id if self.table.current_row is not None else "")
        lines = filtered(self._lines, group=self.group.value, mode=self.mode.value, text=self.search.text())
        self.table.set_rows(lines)
        self.nothing.setVisible(not lines)
        self._wanted = ""
        numbered = {line.run.run_id: number for number, line in enumerate(self.table.rows())}
        if chosen in numbered or lines:
            self.table.selectRow(numbered.get(chosen, 0))
        self._show_buttons()

    def _show_buttons(self) -> None:
        line = self.table.current_row if self._lines else None
        for button in self.buttons:
            button.setVisible(bool(self._lines) and self.tabs.currentWidget() is self.pane)
        self.open.setEnabled(line is not None)
        self.figures.setEnabled(line is not None)
        free = None if self._is_acting else line
        self.resume.setEnabled(free is not None and free.can_resume)
        self.retry.setEnabled(free is not None and free.can_retry)
        failed = line.failed if line is not None else 0
        self.retry.setText(f"Retry failed ({numbers.count(failed)})" if failed else "Retry failed")
        self.stop.setEnabled(free is not None and free.can_stop)

    def _open(self) -> None:
        if self.table.current_row is not None:
            self._navigator.open_run(self.table.current_row.run.run_id)

    def _open_figures(self) -> None:
        if self.table.current_row is not None:
            self._navigator.go("analytics", self.table.current_row.run.run_id)

    def _resume(self, run_id: str) -> None:
        self._workspace.runs.resume(run_id, is_attended=True)

    def _retry(self, run_id: str) -> None:
        self._workspace.runs.retry(run_id, is_attended=True)

    def _stop(self, run_id: str) -> None:
        self._workspace.runs.stop(run_id)

    def _act(self, words: str, act: Callable[[str], None]) -> None:
        line = self.table.current_row
        if line is None:
            return
        self._is_acting = True
        self._show_buttons()
        name = f"{line.run.name} ({line.run.run_id})"

        def done(_nothing: None) -> None:
            self._is_acting = False
            self._briefs.pop(line.run.run_id, None)
            self._navigator.notify(f"{name} {words}")
            self._loader()
            self._show_buttons()

        run_in_background(lambda: act(line.run.run_id), done, self._failed, owner=self)

    def _failed(self, error: Exception) -> None:
        self._is_acting = False
        self.pane.show_error(error, self._loader)

    def _nothing(self) -> w.EmptyState:
        return w.EmptyState(
            "No runs yet",
            "A run is one start of a workflow. Choose a template, then press Run; you can watch it here.",
            "Choose a template",
            lambda: self._navigator.go("templates"),
            icon="history",
            second="Open the demo",
            on_second=self._navigator.open_demo,
        )
