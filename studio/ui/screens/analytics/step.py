"""One step of a run: what became of its messages, when people answered, what they clicked, why they left there.

Absent on purpose: the step's settings, which are on the canvas.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import polars as pl
from PySide6.QtCore import Signal

from studio.analytics.narrowed import Narrowing
from studio.domain.run import StepView
from studio.ui import charts as c
from studio.ui import numbers
from studio.ui import widgets as w
from studio.ui.screens.analytics.details import MODEL_WORDS, ExitsCard, HeatCard, LinksCard
from studio.ui.screens.data_menu import data_button
from studio.ui.screens.loading import Loader
from studio.ui.screens.navigator import Navigator
from studio.ui.screens.run_figures import MODE_WORDS
from studio.ui.tokens import STATES
from studio.workspace.overviews import StepInsight
from studio.workspace.workspace import Workspace

HOUR = timedelta(hours=1)
KIND_WORDS = {"sent": "Sent", "opened": "Opened", "clicked": "Clicked"}
PORT_WORDS = {"out": "went on", "timeout": "time ran out", "else": "none of these", "held": "held out"}
_FIGURES = ("sent", "delivered", "opened", "clicked", "unsubscribed", "bounced")


@dataclass(frozen=True, slots=True)
class StepResults:
    """What the view shows at one moment; `view` is the step's place in the run's fold."""

    insight: StepInsight
    view: StepView
    steps: Mapping[str, str]


class StepPane(w.Pane):
    """`select` says which step, `reload` reads it."""

    shown = Signal()

    def __init__(self, workspace: Workspace, navigator: Navigator) -> None:
        column = w.ScrollColumn(margins=(22, 22, 22, 18))
        super().__init__(column)
        self._workspace, self._navigator = workspace, navigator
        self.run_id = self.node_id = self.label = self.run_name = ""
        self.variant: str | None = None
        self.days: int | None = None
        self.steps: Mapping[str, str] = {}
        self._fill(column)
        self.reload: Loader[StepResults] = Loader(self, self._fetch, self._show, "Counting …")

    def _fill(self, column: w.ScrollColumn) -> None:
        self.header = w.PageHeader("", "", w.SecondaryButton("Show on the canvas", self._open))
        self._grid = w.GridFlow(160, spacing=12)
        self.stats: dict[str, w.StatCard] = {}
        self.figures = w.panel(self._grid)
        self.came, self.hours = CameCard(), HoursCard()
        self.heat, self.links, self.exits = HeatCard(), LinksCard(of_one=True), ExitsCard("of those who left here")
        self.credit, self.work = CreditByModelCard(), WorkCard()
        column.add(self.header)
        column.add(self.figures)
        self._sent = w.SideBySide((self.hours, 54), (self.came, 35), (self.credit, 39))
        self._answers = w.SideBySide((self.links, 54), (self.heat, 74))
        column.add(self._sent, 1)
        column.add(self._answers, 0)
        column.add(w.SideBySide((self.exits, 54), (self.work, 74)), 0)

    def select(self, run_id: str, node_id: str) -> None:
        self.run_id, self.node_id = run_id, node_id
        self.label = self.steps.get(node_id, "")

    def _fetch(self) -> StepResults:
        run_id, node_id = self.run_id, self.node_id
        run = self._workspace.runs.get(run_id)
        since = run.at - timedelta(days=self.days) if self.days is not None else None
        insight = self._workspace.overviews.step(run_id, node_id, Narrowing(self.variant, since))
        labels = self._workspace.analyses.design(run_id).labels
        return StepResults(insight, self._workspace.runs.view(run_id).step(node_id), labels)

    def _show(self, results: StepResults) -> None:
        insight = results.insight
        self.label, self.run_name, self.steps = insight.label, insight.run.name, results.steps
        self.header.set_finding(step_finding(insight, results.view), step_note(insight, results.view))
        for part in (self.figures, self._sent, self._answers):
            part.setVisible(insight.is_send)
        if insight.is_send:
            self._show_figures(insight)
            self.came.show_step(insight)
            self.hours.show_step(insight)
            self.heat.show_heat(insight.opens)
            self.links.show_links(insight.links, {insight.node.id: insight.label})
            self.credit.show_step(insight)
        self.exits.show_exits(insight.exits)
        self.work.show_step(insight, results.view)
        self.shown.emit()

    def _show_figures(self, insight: StepInsight) -> None:
        for row in insight.counts:
            if row.kind not in _FIGURES:
                continue
            if row.kind not in self.stats:
                self.stats[row.kind] = w.StatCard(row.title, "")
                self._grid.addWidget(self.stats[row.kind])
            delta = numbers.percent(row.share, 2 if (row.share or 0) < 0.01 else 1) if row.share is not None else ""
            events = numbers.plural(row.events, "message" if row.kind in ("sent", "delivered") else "time")
            note = f"{events}" if row.events != row.people else "different people"
            self.stats[row.kind].set_figures(numbers.count(row.people), delta, delta_tone="muted", note=note)

    def _open(self) -> None:
        self._navigator.open_run(self.run_id)


def step_finding(insight: StepInsight, view: StepView) -> str:
    """What became of it, in a sentence."""
    if not insight.is_send:
        came = numbers.plural(view.arrived, "person", "people")
        held = f", {numbers.count(view.waiting)} wait there" if view.waiting else ""
        return f"{insight.label}: {came} came, {numbers.count(view.left)} went on{held}"
    sent = insight.people("sent")
    if not sent:
        return f"{insight.label} has not been sent to anybody yet"
    opened, clicked = insight.people("opened"), insight.people("clicked")
    return (
        f"{insight.label}: {numbers.count(opened)} of {numbers.plural(sent, 'person', 'people')} opened it, "
        f"{numbers.count(clicked)} clicked"
    )


def step_note(insight: StepInsight, view: StepView) -> str:
    """The run it is a step of, and how it stands."""
    state = STATES[view.state].word.capitalize()
    return f"{insight.run.name} · run {insight.run.run_id}, {MODE_WORDS[insight.run.mode]} · {state}"


class CameCard(w.Card):
    """How many different people came how far with this message."""

    def __init__(self) -> None:
        self.chart = c.Funnel("How far people came with this message")
        super().__init__("How far people came", data_button(self.chart), note="different people")
        self.add(self.chart, stretch=1)

    def show_step(self, insight: StepInsight) -> None:
        self.chart.set_data([c.FunnelStep(s.title, s.people, s.share_of_previous) for s in insight.came])


class HoursCard(w.Card):
    """When it went out and when people answered, added up hour by hour."""

    def __init__(self) -> None:
        self.kind = w.MenuChip(KIND_WORDS, "opened", name="What")
        self.chart = c.LineBand("Over time, added up")
        self.chart.no_data = "Nothing of this kind yet."
        super().__init__("Over time, added up", self.kind, data_button(self.chart))
        self._rows = pl.DataFrame()
        self.chart.setMinimumHeight(170)
        self.add(self.chart, stretch=1)
        self.kind.chosen.connect(lambda _kind: self._fill())

    def show_step(self, insight: StepInsight) -> None:
        self._rows = insight.by_hour
        self._fill()

    def _fill(self) -> None:
        own = self._rows.filter(pl.col("kind") == self.kind.value).sort("hour")
        own = own.with_columns(pl.col("count").cum_sum())
        # What is counted under an hour is known at its end.
        points = [c.Point(hour + HOUR, float(count)) for hour, count in own.select("hour", "count").iter_rows()]
        start = [c.Point(points[0].x - HOUR, 0.0)] if points else []  # type: ignore[operator] - a moment
        self.chart.set_data(c.LineBandData([*start, *points], actual_label=KIND_WORDS[self.kind.value].lower()))


class CreditByModelCard(w.Card):
    """This message's part of the revenue, by every way of sharing it."""

    def __init__(self) -> None:
        self.chart = c.BarList("Share of the revenue credited to this message", whole=1.0)
        self.chart.no_data = "No order came after this message."
        super().__init__("Share of the revenue", data_button(self.chart), note="by way of sharing")
        self._money = w.Text("", "secondary", "muted")
        self.add(self.chart, self._money, w.STRETCH)

    def show_step(self, insight: StepInsight) -> None:
        shares = {model: (share, value) for model, share, value in insight.credit.iter_rows()}
        self.chart.set_data(
            [
                c.BarItem(words, shares[model][0], numbers.percent(shares[model][0]))
                for model, words in MODEL_WORDS.items()
                if model in shares
            ]
        )
        values = [value for _share, value in shares.values()]
        span = (
            numbers.interval(*(numbers.money(end, insight.currency) for end in (min(values), max(values))))
            if values
            else ""
        )
        self._money.setText(f"That is {span}, depending on how it is shared." if values else "")


class WorkCard(w.Card):
    """How people passed: who came, where they went on, who waits, how long it took."""

    def __init__(self) -> None:
        self.chart = c.BarList("Where people went on")
        self.chart.no_data = "Nobody has gone on yet."
        super().__init__("How people passed", data_button(self.chart))
        self.sentence = w.Text("", "body")
        self.latency = w.Text("", "secondary", "muted")
        self.add(self.sentence, self.chart, self.latency, w.STRETCH)

    def show_step(self, insight: StepInsight, view: StepView) -> None:
        failed = view.failed + view.quarantined
        parts = [f"{numbers.count(view.arrived)} came", f"{numbers.count(view.left)} went on"]
        parts += [f"{numbers.count(view.waiting)} wait"] if view.waiting else []
        parts += [f"{numbers.count(failed)} failed"] if failed else []
        early = view.arrived - view.left - view.waiting - failed
        parts += [f"{numbers.count(early)} left before (goal reached, or gone)"] if early > 0 and view.out else []
        self.sentence.setText(", ".join(parts) + ".")
        self.chart.set_data(
            [c.BarItem(PORT_WORDS.get(port, port), float(people)) for port, people in view.out.items() if people]
        )
        if insight.latency is None:
            self.latency.setText("")
            return
        half, most = (numbers.duration(timedelta(milliseconds=max(1.0, value))) for value in insight.latency)
        self.latency.setText(f"The step's own work took {half} for half of them, {most} for 99 of 100; waits apart.")
