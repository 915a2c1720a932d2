"""What one run brought, against what was predicted, what it caused, and what to do next.

Absent on purpose: comparisons of runs with each other; a run's yardstick is its own prediction.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from PySide6.QtCore import QElapsedTimer, Signal

from studio.analytics.alerts import Alert
from studio.analytics.narrowed import Narrowing
from studio.domain.ports import RunRow
from studio.ui import export
from studio.ui import widgets as w
from studio.ui.background import run_in_background
from studio.ui.charts import Chart
from studio.ui.screens.analytics.asking import AskCard
from studio.ui.screens.analytics.cards import CausedCard, FigureCards, FunnelCard, NextCard, RevenueCard, StepsCard
from studio.ui.screens.analytics.details import CreditCard, ExitsCard, HeatCard, LinksCard
from studio.ui.screens.analytics.pace import AlertsCard, CohortsCard, PaceCard, instant
from studio.ui.screens.analytics.reading import Rest, RestReader
from studio.ui.screens.loading import Loader
from studio.ui.screens.navigator import Navigator
from studio.ui.screens.next_steps import NextStep, next_steps
from studio.ui.screens.run_figures import figures, subtitle, title
from studio.workspace.improvements import Applied
from studio.workspace.insights import RunInsight
from studio.workspace.workspace import Workspace

RUNS_OFFERED = 20
_REST = 5
"""Times what fetching took, before it is fetched again: a run that goes on needs the processor more."""


@dataclass(frozen=True, slots=True)
class RunResults:
    """What the screen shows first: the figures, and the runs there are."""

    runs: tuple[RunRow, ...]
    insight: RunInsight
    is_running: bool


class RunPane(w.Pane):
    """One run; `shown` when another one, or its filters, came into sight. Nothing there: says how to begin."""

    shown = Signal()

    def __init__(self, workspace: Workspace, navigator: Navigator, on_step: Callable[[str], object]) -> None:
        column = w.ScrollColumn(margins=(22, 22, 22, 18))
        super().__init__(column)
        self._workspace, self._navigator, self._on_step = workspace, navigator, on_step
        self.run_id = ""
        self.variant: str | None = None
        self.days: int | None = None
        self.results: RunResults | None = None
        self._reader = RestReader(workspace)
        self._rest: Rest | None = None
        self._is_reading = False
        self._since = QElapsedTimer()
        self._cost_ms = self._fetch_ms = 0
        self._fill(column)
        self.reload: Loader[RunResults | None] = Loader(self, self._fetch, self._show, "Counting …")

    def _fill(self, column: w.ScrollColumn) -> None:
        self.figures, self.revenue, self.funnel = FigureCards(), RevenueCard(), FunnelCard()
        self.steps, self.caused, self.next = StepsCard(self._on_step), CausedCard(), NextCard(self._go)
        self.heat, self.credit, self.exits, self.links = HeatCard(), CreditCard(), ExitsCard(), LinksCard()
        self.pace, self.cohorts, self.alerts = PaceCard(), CohortsCard(), AlertsCard(self._show_instant)
        self.header = w.PageHeader(
            "Analytics",
            "",
            w.SecondaryButton("Open run", lambda: self._navigator.open_run(self.run_id)),
            w.SecondaryButton("Ask a question", self.ask),
            w.MenuButton("Export", self._exports()),
            w.MenuButton(
                "Share report",
                [
                    ("As PDF", lambda: self._share("pdf")),
                    ("As one web page", lambda: self._share("html")),
                    ("Regularly …", lambda: self._navigator.go("settings")),
                ],
            ),
        )
        self.asking = AskCard(self._workspace)
        column.add(self.header)
        column.add(self.asking)
        column.add(self.figures)
        column.add(w.SideBySide((self.revenue, 54), (self.funnel, 35), (self.next, 39)), 1)
        self._lower = w.panel(
            w.column(
                w.SideBySide((self.steps, 54), (self.heat, 35), (self.credit, 39)),
                w.SideBySide((self.exits, 54), (self.caused, 35), (self.links, 39)),
                w.SideBySide((self.pace, 54), (self.cohorts, 35), (self.alerts, 39)),
                spacing=12,
            )
        )
        column.add(self._lower, 0)

    def _exports(self) -> list[tuple[str, Callable[[], object]]]:
        def rows(title: str, of: Callable[[], export.Rows]) -> tuple[str, Callable[[], object]]:
            return f"{title} as CSV", lambda: self._export_rows(title, of())

        return [
            ("Figures as CSV", self._export_figures),
            rows("Steps", self.steps.table.data_rows),
            rows("Funnel", self.funnel.chart.data_rows),
            rows("Revenue", self.revenue.chart.data_rows),
            rows("Credit", self.credit.chart.data_rows),
            rows("When people open", self.heat.chart.data_rows),
            rows("Where people left", self.exits.chart.data_rows),
            rows("How long people take", self.pace.chart.data_rows),
            ("Funnel as picture", lambda: self._export_picture("Funnel", self.funnel.chart)),
            ("Revenue as picture", lambda: self._export_picture("Revenue", self.revenue.chart)),
        ]

    def show_run(self, run_id: str) -> None:
        """Shows a run; empty: the one shown last, else the newest."""
        self.run_id = run_id or self.run_id
        self.reload()

    def variants(self) -> Sequence[str]:
        """The arms of the run's first split."""
        if self.results is None or not self.results.insight.design.splits:
            return ()
        insight = self.results.insight
        given = insight.workflow.bound(insight.workflow.node(insight.design.splits[0])).get("variants")
        return [str(arm["id"]) for arm in given if isinstance(arm, dict)] if isinstance(given, list) else ()

    def refresh(self) -> None:
        """The run may have gone on."""
        if not self._since.isValid() or self._since.elapsed() >= _REST * self._cost_ms:
            self.reload()

    def _fetch(self) -> RunResults | None:
        before = time.perf_counter()
        results = self._read()
        self._fetch_ms = round((time.perf_counter() - before) * 1_000)
        return results

    def _read(self) -> RunResults | None:
        runs = self._workspace.runs.list(limit=RUNS_OFFERED)
        run_id = self.run_id or (runs[0].run_id if runs else "")
        if not run_id:
            return None
        narrowing = self.narrowing(run_id)
        insight = self._workspace.insights.of_run(run_id, narrowing)
        if all(run.run_id != run_id for run in runs):
            runs = [insight.run, *runs]
        return RunResults(tuple(runs), insight, self._workspace.runs.is_running(run_id))

    def narrowing(self, run_id: str) -> Narrowing:
        """The people the filters name."""
        since = None
        if self.days is not None:
            since = self._workspace.runs.get(run_id).at - timedelta(days=self.days)
        return Narrowing(self.variant, since)

    def _show(self, results: RunResults | None) -> None:
        before, self.results = self.results, results
        if results is None:
            self.show_empty(self._nothing())
            self.shown.emit()
            return
        insight = results.insight
        self.run_id = insight.run.run_id
        self._cost_ms = self._fetch_ms
        self._since.restart()
        self.header.set_finding(title(insight), subtitle(insight, is_running=results.is_running))
        self.figures.show_insight(insight)
        self.funnel.show_insight(insight)
        self.caused.show_insight(insight)
        known = self._rest if self._rest is not None and self._rest.is_about(insight) else None
        self.revenue.show_insight(insight, known.details.alerts if known is not None else ())
        if known is None:
            self.next.show_waiting()
        self._lower.setVisible(known is not None)
        self._ask_rest(insight)
        if before is None or _place(before) != _place(results):
            self.shown.emit()

    def _ask_rest(self, insight: RunInsight) -> None:
        """One reading at a time; what changes meanwhile is asked for at its end, or with the next look."""
        if not self._is_reading:
            self._is_reading = True
            run_in_background(lambda: self._timed_rest(insight), self._rest_came, self._rest_failed, owner=self)

    def _timed_rest(self, insight: RunInsight) -> tuple[Rest, int]:
        before = time.perf_counter()
        return self._reader.read(insight), round((time.perf_counter() - before) * 1_000)

    def _rest_came(self, came: tuple[Rest, int]) -> None:
        self._is_reading = False
        if self.results is None:
            return
        rest, cost_ms = came
        if not rest.is_about(self.results.insight):
            self._ask_rest(self.results.insight)
            return
        self._rest = rest
        self._cost_ms = self._fetch_ms + cost_ms
        self._since.restart()
        self._show_rest(self.results.insight, rest)

    def _rest_failed(self, error: Exception) -> None:
        self._is_reading = False
        self.show_error(error, retry=self.reload)

    def _show_rest(self, insight: RunInsight, rest: Rest) -> None:
        details, alerts = rest.details, rest.details.alerts
        self.revenue.show_insight(insight, alerts)
        self.steps.show_insight(insight, rest.view, details)
        self.heat.show_heat(details.opens)
        self.credit.show_details(details, insight.returned.currency)
        self.exits.show_exits(details.exits)
        self.links.show_links(details.links, insight.design.labels)
        self.pace.show_curve(details.pace)
        self.cohorts.show_cohorts(details.cohorts)
        self.alerts.show_alerts(alerts)
        self.next.show_steps(next_steps(insight, rest.view, rest.trial, rest.suggestions, alerts, rest.advice))
        self._lower.show()

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

    def _show_instant(self, alert: Alert) -> None:
        self._navigator.open_run(instant(self.run_id, alert))

    def _go(self, step: NextStep) -> None:
        if step.page == "apply":
            self._apply(step.target)
        elif step.page == "run":
            self._navigator.open_run(step.target)
        else:
            self._navigator.go(step.page, step.target)

    def _apply(self, code: str) -> None:
        """Changes the workflow as the advice says, and shows it there; it can be taken back."""
        story, run_id = self._workspace.improvements, self.run_id

        def done(applied: Applied) -> None:
            self._navigator.open_workflow(applied.workflow_id)
            words = f"{applied.words}: it is in the workflow and counts from the next run on."
            self._navigator.notify(words, undo=lambda: self._take_back(applied))

        run_in_background(lambda: story.apply(run_id, code), done, owner=self)

    def _take_back(self, applied: Applied) -> None:
        def done(_none: None) -> None:
            self._navigator.open_workflow(applied.workflow_id)

        run_in_background(lambda: self._workspace.improvements.take_back(applied), done, owner=self)

    def ask(self) -> None:
        """Opens the line for a question."""
        if self.results is not None:
            self.asking.open_for(self.run_id, self.results.insight.returned.currency)

    def _share(self, form: str) -> None:
        """Asks for a file and writes the run's report into it, off the Qt thread."""
        if self.results is None:
            return
        insight = self.results.insight
        kinds = "PDF (*.pdf)" if form == "pdf" else "Web page (*.html)"
        file = export.ask_file(self, "Share report", export.file_name(f"{insight.run.name} report", form), kinds)
        if file is not None:
            target, run_id = file.with_suffix(f".{form}"), insight.run.run_id
            run_in_background(
                lambda: self._workspace.sharing.write(run_id, target),
                lambda written: self._navigator.notify(f"Saved {written.name}"),
                owner=self,
            )

    def _export_figures(self) -> None:
        if self.results is not None:
            insight = self.results.insight
            raw = {kpi.title: kpi.value for kpi in insight.kpis}
            rows = [[f.title, raw[f.title], f.note] for f in figures(insight)]
            self._export_rows("Figures", export.Rows(["figure", "value", "note"], rows))

    def _export_rows(self, title: str, rows: export.Rows) -> None:
        file = export.save_csv(self, f"{self.run_id} {title}", rows)
        if file is not None:
            self._navigator.notify(f"Saved {file.name}")

    def _export_picture(self, title: str, chart: Chart) -> None:
        file = export.save_png(self, f"{self.run_id} {title}", chart.to_image())
        if file is not None:
            self._navigator.notify(f"Saved {file.name}")


def _place(results: RunResults) -> tuple[str, ...]:
    return (results.insight.run.run_id, repr(results.insight.narrowing), *(run.run_id for run in results.runs))
