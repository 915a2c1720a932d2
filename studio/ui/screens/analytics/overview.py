"""All workflows beside each other: what they brought together, which of them, day by day, and whether predictions held.

Absent on purpose: fetching by itself; the page says when.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from PySide6.QtCore import Signal

from studio.analytics.calibration import Calibration
from studio.analytics.forecast import Forecast
from studio.analytics.overview import Overview, WorkflowFigures
from studio.domain.node import Mode
from studio.ui import charts as c
from studio.ui import numbers
from studio.ui import widgets as w
from studio.ui.screens.data_menu import data_button
from studio.ui.screens.loading import Loader
from studio.ui.screens.navigator import Navigator
from studio.ui.screens.run_figures import moment
from studio.ui.tokens import STATES
from studio.workspace.workspace import Workspace

METRIC_WORDS = {
    "revenue_per_recipient": "Revenue per person",
    "conversion_rate": "Share that buys",
    "orders_per_1000": "Orders per 1,000 people",
    "open_rate": "Open rate",
    "click_rate": "Click rate",
    "roi": "Return on spend",
}
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Around:
    """What the overview shows at one moment; `seen` is None while nothing ever ran."""

    seen: Overview | None
    modes: tuple[Mode, ...]
    outlook: Forecast | None
    record: tuple[Calibration, ...]


class OverviewPane(w.Pane):
    """`on_run` opens a workflow's newest run."""

    shown = Signal()

    def __init__(self, workspace: Workspace, navigator: Navigator, on_run: Callable[[str], object]) -> None:
        column = w.ScrollColumn(margins=(22, 22, 22, 18))
        super().__init__(column)
        self._workspace, self._navigator = workspace, navigator
        self.mode: Mode | None = None
        self.days: int | None = None
        self.seen: Overview | None = None
        self.modes: Sequence[Mode] = ()
        self._fill(column, on_run)
        self.reload: Loader[Around] = Loader(self, self._fetch, self._show, "Counting …")

    def _fill(self, column: w.ScrollColumn, on_run: Callable[[str], object]) -> None:
        self.header = w.PageHeader("All workflows", "")
        self._grid = w.GridFlow(160, spacing=12)
        self.stats = {title: w.StatCard(title, "") for title in ("Revenue", "Return on spend", "Orders", "Messages")}
        self.stats |= {title: w.StatCard(title, "") for title in ("Unsubscribed", "Complaints")}
        for card in self.stats.values():
            self._grid.addWidget(card)
        self.days_card, self.share_card = DaysCard(), ShareCard()
        self.workflows, self.record = WorkflowsCard(on_run), RecordCard()
        column.add(self.header)
        column.add(w.panel(self._grid))
        column.add(w.SideBySide((self.days_card, 80), (self.share_card, 48)), 1)
        column.add(w.SideBySide((self.workflows, 80), (self.record, 48)), 0)

    def _fetch(self) -> Around:
        story = self._workspace.overviews
        modes = story.modes()
        if not modes:
            return Around(None, (), None, ())
        seen = story.overview(self.mode if self.mode in modes else None, self.days)
        return Around(seen, modes, story.outlook(seen), self._workspace.analyses.record().metrics)

    def _show(self, around: Around) -> None:
        self.seen, self.modes = around.seen, around.modes
        if around.seen is None:
            words = "What your workflows bring together stands here after the first run."
            start = ("Choose a template", lambda: self._navigator.go("templates"))
            self.show_empty(w.EmptyState("No figures yet", words, *start, icon="chart-column"))
        else:
            self.header.set_finding(around.seen.finding, overview_note(around.seen))
            self._show_figures(around.seen)
            self.days_card.show_days(around.seen, around.outlook)
            self.share_card.show_workflows(around.seen)
            self.workflows.show_workflows(around.seen)
            self.record.show_record(around.record)
        self.shown.emit()

    def _show_figures(self, seen: Overview) -> None:
        money, sent = seen.currency, seen.total("sent")
        before = sum(row.before or 0.0 for row in seen.workflows) if seen.since is not None else None
        change = numbers.signed(numbers.percent(seen.total("revenue") / before - 1)) if before else ""
        note = f"{numbers.money(before, money)} in the time before" if before is not None else "since the beginning"
        tone = "good" if before and seen.total("revenue") >= before else "muted"
        self.stats["Revenue"].set_figures(
            numbers.money(seen.total("revenue"), money), change, delta_tone=tone, note=note
        )
        cost = seen.total("cost")
        times = numbers.decimal((seen.total("revenue") - cost) / cost, 1) + f"{numbers.NBSP}×" if cost else "–"
        note = f"cost {numbers.money(cost, money, 2)}" if cost else "no cost per message is set"
        self.stats["Return on spend"].set_figures(times, note=note)
        per = numbers.money(seen.total("revenue") / seen.total("orders"), money, 2) if seen.total("orders") else "–"
        self.stats["Orders"].set_figures(numbers.count(seen.total("orders")), note=f"worth {per} each")
        clicks = numbers.count(seen.total("clicked"))
        self.stats["Messages"].set_figures(numbers.count(sent), note=f"{clicks} clicks")
        for title, figure in (("Unsubscribed", "unsubscribed"), ("Complaints", "complained")):
            share = numbers.percent(seen.total(figure) / sent, 2) if sent else "–"
            self.stats[title].set_figures(share, note=f"{numbers.count(seen.total(figure))} of {numbers.count(sent)}")


def overview_note(seen: Overview) -> str:
    """Which runs and which time the figures are of."""
    what = {"live": "Live runs", "test": "Test runs", "simulate": "Simulated: the newest run of each workflow"}[
        seen.mode
    ]
    if seen.until is None:
        return what
    if seen.since is None:
        return f"{what} · up to {moment(seen.until)}"
    return f"{what} · {moment(seen.since)} to {moment(seen.until)}"


class DaysCard(w.Card):
    """Revenue day by day, and what comes next if things go on."""

    def __init__(self) -> None:
        self._currency = "EUR"
        self._note = w.Text("", "secondary", "muted", wrap=False)
        self.chart = c.LineBand("Revenue by day", write=self._write, from_zero=True)
        self.chart.no_data = "No order in this time."
        super().__init__("Revenue by day", self._note, data_button(self.chart))
        self.add(self.chart, stretch=1)

    def show_days(self, seen: Overview, outlook: Forecast | None) -> None:
        self._currency = seen.currency
        data = days_chart(seen, outlook)
        self._note.setText(f"and what to expect, {data.band_label}" if data.predicted else "")
        self.chart.set_data(data)

    def _write(self, value: float) -> str:
        return numbers.compact_money(value, self._currency)


def days_chart(seen: Overview, outlook: Forecast | None) -> c.LineBandData:
    """Days as they were, the newest left out while it goes on and a forecast follows."""
    rows = list(seen.by_day.select("at", "value").iter_rows())
    if outlook is None or not rows:
        return c.LineBandData([c.Point(at, value) for at, value in rows], actual_label="last day")
    known = [c.Point(at, value) for at, value in rows[:-1]]
    start = known[-1]
    ahead = [c.BandPoint(start.x, start.y, start.y, start.y)]
    # The chain begins at the last known day, so that line and band meet.
    for place, (low, mid, high) in enumerate(zip(outlook.low, outlook.mean, outlook.high, strict=True), 1):
        ahead.append(c.BandPoint(rows[-2][0] + place * DAY, float(low), float(mid), float(high)))
    label = f"{numbers.percent(outlook.level)} band"
    return c.LineBandData(known, ahead, actual_label="", predicted_label="expected", band_label=label)


class ShareCard(w.Card):
    """Which workflow brought how much of it."""

    def __init__(self) -> None:
        self.chart = c.BarList("Revenue by workflow")
        self.chart.no_data = "No workflow has brought an order in this time."
        super().__init__("Where it came from", data_button(self.chart))
        self.add(self.chart, w.STRETCH)

    def show_workflows(self, seen: Overview) -> None:
        rows = [row for row in seen.workflows if row.revenue and row.currency == seen.currency][:8]
        self.chart.set_data([c.BarItem(r.name, r.revenue, numbers.money(r.revenue, r.currency)) for r in rows])


class WorkflowsCard(w.Card):
    """One line per workflow; Enter or a double click opens its newest run."""

    def __init__(self, on_run: Callable[[str], object]) -> None:
        self.table: w.Table[WorkflowFigures] = w.Table("Workflows", _columns(), fit_rows=True)
        super().__init__("Workflows", data_button(self.table), note="open one with Enter or a double click")
        self.table.row_opened.connect(lambda row: on_run(row.run_id))
        self.add(self.table, w.STRETCH)

    def show_workflows(self, seen: Overview) -> None:
        self.table.set_rows(seen.workflows)


def _columns() -> list[w.Column[WorkflowFigures]]:
    def people(title: str, figure: str) -> w.Column[WorkflowFigures]:
        return w.Column(title=title, value=lambda row: getattr(row, figure), numeric=True)

    return [
        w.Column(
            title="Workflow",
            value=lambda r: r.name,
            width="stretch",
            dot=lambda r: f"state.{r.state}",
            bold=lambda _r: True,
        ),
        w.Column(title="State", value=lambda r: STATES[r.state].word),
        people("Sent", "sent"),
        people("Clicks", "clicked"),
        people("Orders", "orders"),
        w.Column(
            title="Revenue",
            value=lambda r: r.revenue,
            text=lambda r: numbers.money(r.revenue, r.currency),
            numeric=True,
        ),
        w.Column(
            title="Before",
            value=lambda r: r.before,
            text=lambda r: numbers.money(r.before, r.currency) if r.before is not None else numbers.NOTHING,
            numeric=True,
            tone=lambda _r: "muted",
            help="In the span of the same length before",
        ),
        w.Column(
            title="Return",
            value=lambda r: r.roi,
            text=lambda r: numbers.NOTHING if r.roi is None else f"{numbers.decimal(r.roi, 1)}{numbers.NBSP}×",
            numeric=True,
            help="Revenue less cost, per unit of cost",
        ),
    ]


class RecordCard(w.Card):
    """Whether what templates promised came true, over all finished runs."""

    def __init__(self) -> None:
        columns: list[w.Column[Calibration]] = [
            w.Column(title="Figure", value=lambda r: METRIC_WORDS.get(r.metric, r.metric), width="stretch"),
            w.Column(title="Predictions", value=lambda r: r.promises, numeric=True),
            w.Column(title="Held", value=lambda r: r.share, text=lambda r: numbers.percent(r.share), numeric=True),
            w.Column(title="Promised", value=lambda r: r.level, text=lambda r: numbers.percent(r.level), numeric=True),
        ]
        self.table: w.Table[Calibration] = w.Table("Did predictions hold?", columns, fit_rows=True)
        super().__init__("Did predictions hold?", data_button(self.table))
        self.sentence = w.Text("", "secondary", "muted")
        self.add(self.sentence, self.table, w.STRETCH)

    def show_record(self, record: Sequence[Calibration]) -> None:
        self.table.set_rows(record)
        self.table.setVisible(bool(record))
        self.sentence.setText(record_words(record))


def record_words(record: Sequence[Calibration]) -> str:
    """The record in a sentence."""
    made = sum(row.promises for row in record)
    if not made:
        return "Each finished run is compared with what its template promised; none has finished yet."
    kept = sum(row.covered for row in record)
    off = [METRIC_WORDS.get(row.metric, row.metric).lower() for row in record if not row.honest]
    said = f"{numbers.count(kept)} of {numbers.plural(made, 'prediction')} came true, within the interval given."
    return f"{said} Too sure of itself: {', '.join(off)}." if off else said
