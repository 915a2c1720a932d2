"""Analytics: what one run brought, against what was predicted, what it caused, and what to do next.

Absent on purpose: comparisons of runs with each other; a run's yardstick is its own prediction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QElapsedTimer
from PySide6.QtWidgets import QWidget

from studio.domain.errors import UserFixable
from studio.domain.ports import RunRow
from studio.domain.run import RunView, fold
from studio.domain.template import Recommendation
from studio.ui import export
from studio.ui import widgets as w
from studio.ui.charts import Chart
from studio.ui.screens.analytics_cards import CausedCard, FigureCards, FunnelCard, NextCard, RevenueCard, StepsCard
from studio.ui.screens.loading import Loader
from studio.ui.screens.navigator import Navigator
from studio.ui.screens.next_steps import NextStep, next_steps
from studio.ui.screens.run_figures import figures, subtitle, title
from studio.ui.shell import Crumb, Page
from studio.workspace.insights import RunInsight
from studio.workspace.trials import Trial
from studio.workspace.workspace import Workspace

RUNS_OFFERED = 20
SUGGESTIONS = 2
_REST = 5
"""Times what fetching took, before it is fetched again: a run that goes on needs the processor more."""


@dataclass(frozen=True, slots=True)
class RunResults:
    """What the screen shows at one moment."""

    runs: tuple[RunRow, ...]
    insight: RunInsight
    view: RunView
    trial: Trial | None
    suggestions: tuple[tuple[str, Recommendation], ...]
    is_running: bool


class AnalyticsPage(Page):
    """One run's figures; `target` of `entered` is its id, empty: the one shown last, else the newest."""

    help_topic = "analytics"

    def __init__(self, workspace: Workspace, navigator: Navigator) -> None:
        super().__init__("Analytics")
        self._workspace = workspace
        self._navigator = navigator
        self._run_id = ""
        self._suggested: tuple[str, tuple[tuple[str, Recommendation], ...]] = ("", ())
        self._shown: RunResults | None = None
        self._view = RunView("")
        self._since = QElapsedTimer()
        self._cost_ms = 0
        self.pane = w.Pane(self._content())
        self._loader: Loader[RunResults | None] = Loader(self.pane, self._fetch, self._show, "Counting …")
        self.setLayout(w.column(self.pane, spacing=0))

    def _content(self) -> QWidget:
        exports = [
            ("Figures as CSV", self._export_figures),
            ("Steps as CSV", lambda: self._export_rows("By step", self.steps.table.data_rows())),
            ("Funnel as CSV", lambda: self._export_rows("Funnel", self.funnel.chart.data_rows())),
            ("Revenue as CSV", lambda: self._export_rows("Revenue", self.revenue.chart.data_rows())),
            ("Funnel as picture", lambda: self._export_picture("Funnel", self.funnel.chart)),
            ("Revenue as picture", lambda: self._export_picture("Revenue", self.revenue.chart)),
        ]
        self.header = w.PageHeader(
            "Analytics",
            "",
            w.SecondaryButton("Open run", lambda: self._navigator.open_run(self._run_id)),
            w.MenuButton("Export", exports),
        )
        self.figures, self.revenue, self.funnel = FigureCards(), RevenueCard(), FunnelCard()
        self.steps, self.caused, self.next = StepsCard(), CausedCard(), NextCard(self._go)
        column = w.ScrollColumn(margins=(22, 22, 22, 18))
        column.add(self.header)
        column.add(self.figures)
        column.add(w.SideBySide((self.revenue, 54), (self.funnel, 35), (self.next, 39)), 1)
        column.add(w.SideBySide((self.steps, 90), (self.caused, 39)), 0)
        return column

    def crumbs(self) -> Sequence[Crumb]:
        if self._shown is None:
            return [Crumb("Analytics")]
        return [Crumb("Analytics"), Crumb(self._shown.insight.run.name)]

    def extras(self) -> Sequence[QWidget]:
        if self._shown is None or len(self._shown.runs) < 2:
            return ()
        names = {run.run_id: f"{run.name} · {run.run_id}" for run in self._shown.runs}
        chip = w.MenuChip(names, self._run_id, name="Run")
        chip.chosen.connect(self.entered)
        return (chip,)

    def entered(self, target: str = "") -> None:
        self._run_id = target or self._run_id
        self._loader()

    def refresh(self) -> None:
        """The run may have gone on."""
        if not self._since.isValid() or self._since.elapsed() >= _REST * self._cost_ms:
            self._loader()

    def _fetch(self) -> RunResults | None:
        runs = self._workspace.runs.list(limit=RUNS_OFFERED)
        run_id = self._run_id or (runs[0].run_id if runs else "")
        if not run_id:
            return None
        insight = self._workspace.insights.of_run(run_id)
        if all(run.run_id != run_id for run in runs):
            runs = [insight.run, *runs]
        return RunResults(
            tuple(runs),
            insight,
            self._view_of(run_id),
            self._trial(run_id, insight),
            self._suggestions(insight),
            self._workspace.runs.is_running(run_id),
        )

    def _view_of(self, run_id: str) -> RunView:
        """The run as it stands; only events since the last look are read."""
        before = self._view if self._view.run_id == run_id else RunView(run_id)
        self._view = fold(before, self._workspace.runs.events(run_id, before.seq))
        return self._view

    def _trial(self, run_id: str, insight: RunInsight) -> Trial | None:
        if not insight.design.splits:
            return None
        try:
            return self._workspace.trials.of(run_id)
        except UserFixable as error:
            # A run made before its experiment was planned has none; that is no reason to show no figures.
            if error.code != "TRIAL-NONE":
                raise
            return None

    def _suggestions(self, insight: RunInsight) -> tuple[tuple[str, Recommendation], ...]:
        """Templates worth trying after this one; asked once per run, since ranking them costs more than counting."""
        key = f"{insight.run.run_id} {insight.run.state}"
        if self._suggested[0] != key:
            own = insight.workflow.template.id if insight.workflow.template else None
            context = self._workspace.templates.context()
            ranked = self._workspace.templates.recommend(context).recommendations if context.facts else ()
            cards = [card for card in ranked if card.template != own][:SUGGESTIONS]
            named = tuple((self._workspace.templates.get(card.template).name["en"], card) for card in cards)
            self._suggested = (key, named)
        return self._suggested[1]

    def _show(self, results: RunResults | None) -> None:
        before, self._shown = self._shown, results
        if results is None:
            self.pane.show_empty(self._nothing())
            self.place_changed.emit()
            return
        insight = results.insight
        self._run_id = insight.run.run_id
        self._cost_ms = round(insight.answered_ms)
        self._since.restart()
        self.header.set_finding(title(insight), subtitle(insight, is_running=results.is_running))
        self.figures.show_insight(insight)
        self.revenue.show_insight(insight)
        self.funnel.show_insight(insight)
        self.steps.show_insight(insight, results.view)
        self.caused.show_insight(insight)
        self.next.show_steps(next_steps(insight, results.view, results.trial, results.suggestions))
        if before is None or _place(before) != _place(results):
            self.place_changed.emit()

    def _nothing(self) -> w.EmptyState:
        return w.EmptyState(
            "No figures yet",
            "A run shows here what it earned, for whom, and what it caused. Choose a template and run it, "
            "or look at the demo shop.",
            "Choose a template",
            lambda: self._navigator.go("templates"),
            icon="chart-column",
            second="Open the demo",
            on_second=self._navigator.open_demo,
        )

    def _go(self, step: NextStep) -> None:
        if step.page == "run":
            self._navigator.open_run(step.target)
        else:
            self._navigator.go(step.page, step.target)

    def _export_figures(self) -> None:
        if self._shown is not None:
            insight = self._shown.insight
            raw = {kpi.title: kpi.value for kpi in insight.kpis}
            rows = [[f.title, raw[f.title], f.note] for f in figures(insight)]
            self._export_rows("Figures", export.Rows(["figure", "value", "note"], rows))

    def _export_rows(self, title: str, rows: export.Rows) -> None:
        file = export.save_csv(self, f"{self._run_id} {title}", rows)
        if file is not None:
            self._navigator.notify(f"Saved {file.name}")

    def _export_picture(self, title: str, chart: Chart) -> None:
        file = export.save_png(self, f"{self._run_id} {title}", chart.to_image())
        if file is not None:
            self._navigator.notify(f"Saved {file.name}")


def _place(results: RunResults) -> tuple[str, ...]:
    return (results.insight.run.run_id, *(run.run_id for run in results.runs))
