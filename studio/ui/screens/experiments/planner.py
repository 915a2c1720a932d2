"""Planning an experiment before its first contact: how many people it takes, and how long.

Absent on purpose: making the experiment; that is the A/B test step of a workflow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSignalBlocker, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QSlider

from studio.domain.errors import UserFixable
from studio.experiments.decision import MINIMUM_RUN
from studio.experiments.planner import Plan
from studio.ui import charts as c
from studio.ui import numbers
from studio.ui import widgets as w
from studio.ui.background import run_in_background
from studio.ui.faults import explain
from studio.ui.screens.data_menu import data_button
from studio.workspace.trials import TrialsStory

SETTLE_MS = 120
BASELINE, SMALLEST_LIFT, DAILY = 3.0, 20.0, 500
LIFTS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)
SLIDER_LOW, SLIDER_HIGH = 3.0, 100.0
STEPS = 200
WEEKS = (1, 2, 4, 8)
CHART_POINTS = 60


@dataclass(frozen=True, slots=True)
class _Answer:
    """The plan asked for, the same question for other lifts (None where a rate cannot rise so far), and the other way
    round: weeks and the smallest lift they find.
    """

    plan: Plan
    others: Sequence[tuple[float, Plan | None]]
    weeks: Sequence[tuple[int, float | None]]


class Planner(w.Card):
    """A slider for the smallest lift worth having; people and days out. Escape closes it."""

    def __init__(self, trials: TrialsStory, on_close: Callable[[], object]) -> None:
        super().__init__("Plan a test", w.SecondaryButton("Close", on_close))
        self._trials = trials
        self._on_close = on_close
        self._number = 0
        self.baseline = w.DecimalField(BASELINE, 0.01, 99.0, decimals=2, suffix=" %")
        self.smallest = w.DecimalField(SMALLEST_LIFT, 0.1, 1_000.0, decimals=1, suffix=" %")
        self.daily = w.NumberField(DAILY, 1, 100_000_000, suffix=" people")
        self.variants = w.NumberField(2, 2, 20)
        self.share = w.NumberField(50, 1, 99, suffix=" %")
        fields = w.GridFlow(165, spacing=14, columns_max=5)
        for label, control, hint in (
            ("Rate today", self.baseline, "Of those who get it, how many do it"),
            ("Smallest lift worth having", self.smallest, "As a share of today's rate"),
            ("People per day", self.daily, "All variants together"),
            ("Variants", self.variants, "With the one you have now"),
            ("Keep what you have now", self.share, "Share who get it meanwhile"),
        ):
            fields.addWidget(w.Field(label, control, hint))
            control.valueChanged.connect(self._changed)
        self.variants.valueChanged.connect(self._share_evenly)
        self.smallest.valueChanged.connect(self._follow)
        self.slider = self._make_slider()
        self.answer = w.Text("", "heading")
        self.detail = w.Paragraph("")
        self.chart = c.LineBand("When would we know?", write=numbers.percent)
        self.chart.setMinimumHeight(230)
        self.table: w.Table[_Line] = w.Table("How long by lift", _columns(), fit_rows=True)
        ends = w.row(w.Text("Find small lifts, slowly", "caption", "muted"), w.STRETCH,
                     w.Text("Find large lifts only, soon", "caption", "muted"))  # fmt: skip
        chart, table = (
            w.Card("When would we know?", data_button(self.chart), note="chance to be decided, by day"),
            w.Card("How long does it take?", data_button(self.table)),
        )
        chart.add(self.chart, stretch=1)
        table.add(self.table, w.STRETCH)
        self.add(
            w.panel(fields),
            8,
            w.Text("How small a lift should it find?", "strong"),
            self.slider,
            w.panel(ends),
            8,
            self.answer,
            self.detail,
            8,
        )
        self.add(w.SideBySide((chart, 55), (table, 45)), w.STRETCH)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self.plan)

    def _make_slider(self) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(0, STEPS)
        slider.setPageStep(STEPS // 10)
        slider.setMinimumHeight(26)
        slider.setAccessibleName("Smallest lift worth having")
        slider.setValue(_place_of(SMALLEST_LIFT))
        slider.valueChanged.connect(lambda place: self.smallest.setValue(_lift_at(place)))
        return slider

    def _follow(self, lift: float) -> None:
        with QSignalBlocker(self.slider):
            self.slider.setValue(_place_of(lift))

    def _share_evenly(self, variants: int) -> None:
        self.share.setValue(round(100 / variants))

    def start(self, rate: float | None, daily: int | None) -> None:
        """Comes to the front; `rate` and `daily` are those of the experiment looked at last, where they are known."""
        if rate:
            self.baseline.setValue(100 * rate)
        if daily:
            self.daily.setValue(daily)
        self.slider.setFocus(Qt.FocusReason.OtherFocusReason)
        self.plan()

    def plan(self) -> None:
        """Asks for the plan of what the fields hold."""
        self._settle.stop()
        self._number += 1
        number = self._number
        if not self.answer.text():
            self.answer.setText("Working it out …")
        lift, ask, findable = self.smallest.value() / 100, self._question(), self._findable()
        run_in_background(
            lambda: _Answer(
                ask(lift),
                [(other, _or_none(ask, other)) for other in LIFTS],
                [(weeks, findable(weeks)) for weeks in WEEKS],
            ),
            lambda answer: self._show(number, answer),
            lambda error: self._refuse(number, error),
            owner=self,
        )

    def _question(self) -> Callable[[float], Plan]:
        rate, daily, variants = self.baseline.value() / 100, self.daily.value(), self.variants.value()
        share = self.share.value() / 100 if self.share.value() != round(100 / variants) else None
        return lambda lift: self._trials.plan_new(
            baseline=rate, smallest_lift=lift, daily=daily, variants=variants, control_share=share
        )

    def _findable(self) -> Callable[[int], float | None]:
        rate, daily, variants = self.baseline.value() / 100, self.daily.value(), self.variants.value()
        return lambda weeks: self._trials.findable(baseline=rate, people=7 * weeks * daily, variants=variants)

    def _changed(self) -> None:
        self._settle.start()

    def _show(self, number: int, answer: _Answer) -> None:
        if number != self._number:
            return
        plan = answer.plan
        days = numbers.plural(plan.days or 0, "day")
        self.answer.setText(f"{numbers.count(plan.n_total)} people, {days}")
        usual = plan.people_at(plan.sequential.median_n_per_variant)
        where = "in the smallest variant" if len(set(plan.sizes)) > 1 else "per variant"
        self.detail.setText(
            f"{numbers.count(plan.n_per_variant)} people {where} find a lift of "
            f"{numbers.percent(self.smallest.value() / 100)} with a chance of {numbers.percent(0.8)} in one look at "
            "the end. Read at any time, half of the tests with such a lift have shipped after "
            f"{numbers.count(usual)} people, that is {_days(_median_days(plan))}; none ships before its seventh day. "
            f"{_within(answer.weeks)}To run it, put an A/B test step into a workflow."
        )
        self.chart.set_data(chance_chart(plan))
        self.table.set_rows([_Line(lift, other) for lift, other in answer.others])

    def _refuse(self, number: int, error: Exception) -> None:
        if number == self._number:
            fault = explain(error)
            self.answer.setText("No plan can be made from these figures")
            self.detail.setText(fault.to_do or fault.happened)
            self.chart.set_data(c.LineBandData(()))
            self.table.set_rows([])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._on_close()
        else:
            super().keyPressEvent(event)


def _within(weeks: Sequence[tuple[int, float | None]]) -> str:
    """What a fixed time is enough for, with equal shares."""
    known = [f"{numbers.plural(number, 'week')}: {numbers.percent(lift)}" for number, lift in weeks if lift is not None]
    return f"The smallest lift one look would find after {', after '.join(known)}. " if known else ""


@dataclass(frozen=True, slots=True)
class _Line:
    lift: float
    plan: Plan | None


def _columns() -> list[w.Column[_Line]]:
    return [
        w.Column(
            title="Smallest lift", value=lambda r: r.lift, text=lambda r: numbers.percent(r.lift), width="stretch"
        ),
        w.Column(title="People", value=lambda r: r.plan.n_total if r.plan else None, numeric=True),
        w.Column(
            title="Usually known",
            value=lambda r: _median_days(r.plan) if r.plan else None,
            text=lambda r: _days(_median_days(r.plan)) if r.plan else numbers.NOTHING,
            numeric=True,
            help="Half of the tests with such a lift have shipped by then",
        ),
        w.Column(
            title="One look at",
            value=lambda r: _single_look(r.plan) if r.plan else None,
            text=lambda r: _days(_single_look(r.plan)) if r.plan else numbers.NOTHING,
            numeric=True,
            help="When all planned people are in",
        ),
    ]


def chance_chart(plan: Plan) -> c.LineBandData:
    """The chance that a test with the planned effect has shipped, by day, from the seventh on."""
    last = plan.day_of(plan.sequential.max_n_per_variant)
    if last is None:
        return c.LineBandData(())
    first = MINIMUM_RUN.days
    end = max(last * 1.25, first + 1.0)
    days = [end * n / CHART_POINTS for n in range(CHART_POINTS + 1)]
    points = [c.Point(day, (plan.chance_by_day(day) or 0.0) if day >= first else 0.0) for day in days]
    half = max(_median_days(plan) or 0.0, first)
    marker = c.Marker(half, f"Half of them by day {math.ceil(half)}", colour="accent")
    return c.LineBandData(points, markers=[marker] if half <= end else [], actual_label="decided")


def _median_days(plan: Plan) -> float | None:
    median = plan.day_of(plan.sequential.median_n_per_variant)
    return None if median is None else max(median, float(MINIMUM_RUN.days))


def _single_look(plan: Plan) -> float | None:
    return None if plan.days is None else max(plan.days, MINIMUM_RUN.days)


def _days(days: float | None) -> str:
    return numbers.NOTHING if days is None else numbers.plural(math.ceil(days), "day")


def _or_none(ask: Callable[[float], Plan], lift: float) -> Plan | None:
    try:
        return ask(lift)
    except UserFixable:
        return None


def _place_of(lift: float) -> int:
    """Where a lift in per cent lies on the slider: equal ways for equal factors."""
    share = math.log(max(lift, SLIDER_LOW) / SLIDER_LOW) / math.log(SLIDER_HIGH / SLIDER_LOW)
    return round(STEPS * min(share, 1.0))


def _lift_at(place: int) -> float:
    value = SLIDER_LOW * (SLIDER_HIGH / SLIDER_LOW) ** (place / STEPS)
    return round(value) if value >= 10 else round(value, 1)
