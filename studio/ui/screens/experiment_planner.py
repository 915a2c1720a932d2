"""Planning an experiment before its first contact: how many people it takes, and how long.

Absent on purpose: making the experiment; that is the A/B test step of a workflow.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent

from studio.experiments.planner import Plan
from studio.ui import numbers
from studio.ui import widgets as w
from studio.ui.background import run_in_background
from studio.ui.faults import explain
from studio.workspace.trials import TrialsStory

SETTLE_MS = 250
BASELINE, SMALLEST_LIFT, DAILY = 3.0, 20.0, 500


class Planner(w.Card):
    """Three figures in, people and days out. Escape closes it."""

    def __init__(self, trials: TrialsStory, on_close: Callable[[], object]) -> None:
        super().__init__("Plan a test", w.SecondaryButton("Close", on_close))
        self._trials = trials
        self._on_close = on_close
        self._number = 0
        self.baseline = w.DecimalField(BASELINE, 0.01, 99.0, decimals=2, suffix=" %")
        self.smallest = w.DecimalField(SMALLEST_LIFT, 0.1, 1_000.0, decimals=1, suffix=" %")
        self.daily = w.NumberField(DAILY, 1, 100_000_000, suffix=" people")
        self.variants = w.NumberField(2, 2, 20)
        fields = w.GridFlow(200, spacing=16, columns_max=4)
        for label, control, hint in (
            ("Rate today", self.baseline, "Of those who get it, how many do it"),
            ("Smallest lift worth having", self.smallest, "More of the same, as a share of today's rate"),
            ("People per day", self.daily, "All variants together"),
            ("Variants", self.variants, "With the one you have now"),
        ):
            fields.addWidget(w.Field(label, control, hint))
            control.valueChanged.connect(self._changed)
        self.answer = w.Text("", "heading")
        self.detail = w.Paragraph("")
        self.add(w.panel(fields), 8, self.answer, self.detail, w.STRETCH)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self.plan)

    def start(self, rate: float | None, daily: int | None) -> None:
        """Comes to the front; `rate` and `daily` are those of the experiment looked at last, where they are known."""
        if rate:
            self.baseline.setValue(100 * rate)
        if daily:
            self.daily.setValue(daily)
        self.baseline.setFocus(Qt.FocusReason.OtherFocusReason)
        self.plan()

    def plan(self) -> None:
        """Asks for the plan of what the fields hold."""
        self._settle.stop()
        self._number += 1
        number = self._number
        if not self.answer.text():
            self.answer.setText("Working it out …")
        rate, lift, daily = self.baseline.value() / 100, self.smallest.value() / 100, self.daily.value()
        variants = self.variants.value()
        run_in_background(
            lambda: self._trials.plan_new(baseline=rate, smallest_lift=lift, daily=daily, variants=variants),
            lambda plan: self._show(number, plan),
            lambda error: self._refuse(number, error),
            owner=self,
        )

    def _changed(self) -> None:
        self._settle.start()

    def _show(self, number: int, plan: Plan) -> None:
        if number != self._number:
            return
        days = numbers.plural(plan.days or 0, "day")
        self.answer.setText(f"{numbers.count(plan.n_total)} people, {days}")
        usual = plan.sequential.median_n_per_variant * self.variants.value()
        self.detail.setText(
            f"{numbers.count(plan.n_per_variant)} people per variant find a lift of "
            f"{numbers.percent(self.smallest.value() / 100)} with a chance of 80 % in one look at the end. "
            "Read at any time, half of the tests with such a lift have shipped after "
            f"{numbers.count(usual)} people; no test ships before its seventh day. "
            "To run it, put an A/B test step into a workflow."
        )

    def _refuse(self, number: int, error: Exception) -> None:
        if number == self._number:
            fault = explain(error)
            self.answer.setText("No plan can be made from these figures")
            self.detail.setText(fault.to_do or fault.happened)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._on_close()
        else:
            super().keyPressEvent(event)
