"""Analytics: all workflows, one workflow, one step, and the filters that stay while somebody goes from one to another.

The target of `entered` is empty (what was shown last), `all` (every workflow), a run's id, or `run/step`. Absent on
purpose: what each of them shows (`overview`, `run`, `step`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from PySide6.QtWidgets import QStackedWidget, QWidget

from studio.domain.node import Mode
from studio.ui import widgets as w
from studio.ui.background import run_in_background
from studio.ui.screens.analytics.overview import OverviewPane
from studio.ui.screens.analytics.run import RunPane
from studio.ui.screens.analytics.step import StepPane
from studio.ui.screens.navigator import Navigator
from studio.ui.screens.run_figures import MODE_WORDS
from studio.ui.shell import Crumb, Page
from studio.workspace.overviews import Filters
from studio.workspace.workspace import Workspace

ALL = "all"
CRUMB_MAX = 22
SPANS: Mapping[str, str] = {"": "All time", "7": "Last 7 days", "14": "Last 14 days", "30": "Last 30 days"}
ENTRIES: Mapping[str, str] = {
    "": "Everybody",
    "7": "Entered in the last 7 days",
    "14": "Entered in the last 14 days",
    "30": "Entered in the last 30 days",
}


class AnalyticsPage(Page):
    """Three views of one stack; crumbs lead up, rows and chips lead down and sideways."""

    help_topic = "analytics"

    def __init__(self, workspace: Workspace, navigator: Navigator) -> None:
        super().__init__("Analytics")
        self._workspace = workspace
        self.overview = OverviewPane(workspace, navigator, lambda run_id: navigator.go("analytics", run_id))
        self.run = RunPane(workspace, navigator, self._open_step)
        self.step = StepPane(workspace, navigator)
        self._go_all = lambda: navigator.go("analytics", ALL)
        self._go_run = lambda: navigator.go("analytics", self.run.run_id)
        self._navigator = navigator
        self._stack = QStackedWidget()
        for pane in (self.overview, self.run, self.step):
            self._stack.addWidget(pane)
            pane.shown.connect(self.place_changed)
        self._stack.setCurrentWidget(self.run)
        self.setLayout(w.column(self._stack, spacing=0))
        self._take(workspace.overviews.filters())

    def entered(self, target: str = "") -> None:
        run_id, _, node_id = target.partition("/")
        if target == ALL:
            self._stack.setCurrentWidget(self.overview)
        elif node_id:
            self.step.select(run_id, node_id)
            self._stack.setCurrentWidget(self.step)
        elif run_id:
            self._stack.setCurrentWidget(self.run)
        if run_id and run_id != ALL:
            self.run.run_id = run_id
        self._load()
        self.place_changed.emit()

    def refresh(self) -> None:
        """Something may have gone on."""
        shown = self._stack.currentWidget()
        if shown is self.run:
            self.run.refresh()
        else:
            self._load()

    def crumbs(self) -> Sequence[Crumb]:
        if self._stack.currentWidget() is self.overview:
            return [Crumb("Analytics"), Crumb("All workflows")]
        results, above = self.run.results, Crumb("All workflows", self._go_all)
        if self._stack.currentWidget() is self.step:
            return [above, Crumb(_short(self.step.run_name), self._go_run), Crumb(self.step.label or "Step")]
        return [above] if results is None else [above, Crumb(_short(results.insight.run.name))]

    def extras(self) -> Sequence[QWidget]:
        shown = self._stack.currentWidget()
        if shown is self.overview:
            return self._overview_chips()
        if shown is self.step:
            return self._step_chips()
        return self._run_chips()

    def _overview_chips(self) -> list[QWidget]:
        when = w.MenuChip(SPANS, _known(self.overview.days, SPANS), name="Span of time")
        when.chosen.connect(lambda days: self._filter(days=int(days) if days else None))
        seen = self.overview.seen
        if seen is None or len(self.overview.modes) < 2:
            return [when]
        words = {mode: f"{MODE_WORDS[mode].capitalize()} runs" for mode in self.overview.modes}
        mode = w.MenuChip(words, seen.mode, name="Runs")
        mode.chosen.connect(lambda chosen: self._filter(mode=cast("Mode", chosen)))
        return [when, mode]

    def _run_chips(self) -> list[QWidget]:
        results = self.run.results
        if results is None:
            return []
        own = [run for run in results.runs if run.workflow_id == results.insight.run.workflow_id]
        if len(own) < 2:
            return self._people_chips()
        names = {run.run_id: f"Run {run.run_id}, {run.started_at.day} {run.started_at:%b}" for run in own}
        chip = w.MenuChip(names, self.run.run_id, name="Run")
        chip.chosen.connect(self.entered)
        return [chip, *self._people_chips()]

    def _step_chips(self) -> list[QWidget]:
        chip = w.MenuChip(self.step.steps, self.step.node_id, name="Step") if self.step.steps else None
        if chip is None:
            return self._people_chips()
        chip.chosen.connect(lambda node_id: self.entered(f"{self.step.run_id}/{node_id}"))
        return [chip, *self._people_chips()]

    def _people_chips(self) -> list[QWidget]:
        when = w.MenuChip(ENTRIES, _known(self.run.days, ENTRIES), name="Who")
        when.chosen.connect(lambda days: self._filter(days=int(days) if days else None))
        variants = self.run.variants()
        if not variants:
            return [when]
        names = {"": "All variants", **{name: f"Variant {name}" for name in variants}}
        chosen = self.run.variant or ""
        chip = w.MenuChip(names, chosen if chosen in names else "", name="Variant")
        chip.chosen.connect(lambda name: self._narrow(name or None))
        return [when, chip]

    def _narrow(self, variant: str | None) -> None:
        self.run.variant = self.step.variant = variant
        self._load()

    def _filter(self, *, days: int | None = -1, mode: Mode | None = None) -> None:
        """A span of time or a mode was chosen; it stays, also until the next time the workspace is opened."""
        kept = Filters(mode or self.overview.mode, self.overview.days if days == -1 else days)
        self._take(kept)
        run_in_background(lambda: self._workspace.overviews.keep_filters(kept), lambda _none: None, owner=self)
        self._load()

    def _take(self, filters: Filters) -> None:
        self.overview.mode = filters.mode
        self.overview.days = self.run.days = self.step.days = filters.days

    def _open_step(self, node_id: str) -> None:
        self._navigator.go("analytics", f"{self.run.run_id}/{node_id}")

    def _load(self) -> None:
        shown = self._stack.currentWidget()
        if isinstance(shown, OverviewPane | RunPane | StepPane):
            shown.reload()


def _short(name: str) -> str:
    """A name as one crumb among others."""
    return name if len(name) <= CRUMB_MAX else f"{name[: CRUMB_MAX - 1].rstrip()}…"


def _known(days: int | None, choices: Mapping[str, str]) -> str:
    return str(days) if str(days) in choices else ""
