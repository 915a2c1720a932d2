"""The cards of one experiment: variants, lift as the data came in, beliefs, health, and why the rule says what it says.

Absent on purpose: words and figures (`words`) and fetching.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from studio.analytics.trial_details import TrialDetails
from studio.ui import charts as c
from studio.ui import numbers
from studio.ui import widgets as w
from studio.ui.screens.data_menu import data_button
from studio.ui.screens.experiments.details_words import expectation
from studio.ui.screens.experiments.health import HealthLine, goal_words, health_lines
from studio.ui.screens.experiments.words import (
    VariantRow,
    among_tests,
    beliefs,
    lift_chart,
    reasons_about,
    shown_treatment,
    variant_rows,
)
from studio.workspace.trials import Trial

LIFT_TITLE = "Lift of {treatment} over {control}, as the data came in"


class VariantsCard(w.Card):
    """One line per variant; colour, lift and band follow the decision."""

    def __init__(self) -> None:
        super().__init__(padding=1, name="Variants")
        self._columns_for: tuple[str, str] | None = None
        self.table: w.Table[VariantRow] | None = None

    def show_trial(self, trial: Trial, currency: str = "EUR") -> None:
        # The counted thing and the currency stand in the columns, so another experiment may need another table.
        if self._columns_for != (trial.goal, currency) or self.table is None:
            if self.table is not None:
                self.body.removeWidget(self.table)
                self.table.deleteLater()
            self._columns_for = (trial.goal, currency)
            self.table = w.Table("Variants", _columns(goal_words(trial).capitalize(), currency), fit_rows=True)
            self.add(self.table)
        self.table.set_rows(variant_rows(trial))


def _columns(goal: str, currency: str) -> list[w.Column[VariantRow]]:
    return [
        w.Column(
            title="Variant",
            value=lambda r: r.name,
            dot=lambda r: r.colour,
            width="stretch",
            bold=lambda r: r.tone == "good",
        ),
        w.Column(title="People", value=lambda r: r.people, numeric=True, help="Different people who met the variant"),
        w.Column(title=goal, value=lambda r: r.converted, numeric=True, help="Different people who reached the goal"),
        w.Column(title="Rate", value=lambda r: r.rate, text=lambda r: numbers.percent(r.rate, 2), numeric=True),
        w.Column(
            title="Lift",
            value=lambda r: r.lift,
            text=lambda r: "baseline" if r.is_control else numbers.signed(numbers.percent(r.lift, 1)),
            tone=lambda r: "muted" if r.is_control else r.tone,
            numeric=True,
        ),
        w.Column(
            title="Always-valid band",
            value=lambda r: r.band,
            numeric=True,
            help="Holds the true lift however often you look; the rule ships when all of it is above zero",
        ),
        w.Column(
            title="Chance best",
            value=lambda r: r.best,
            text=lambda r: chance(r.best),
            numeric=True,
            help="From a uniform prior. It does not decide",
        ),
        w.Column(
            title="Revenue / person",
            value=lambda r: r.revenue,
            text=lambda r: numbers.money(r.revenue, currency, 2),
            numeric=True,
        ),
    ]


def chance(share: float | None) -> str:
    """`> 99 %` and `< 1 %` at the ends, where figures would feign certainty."""
    if share is None:
        return numbers.NOTHING
    if share > 0.99:
        return f">{numbers.NBSP}99{numbers.NBSP}%"
    return f"<{numbers.NBSP}1{numbers.NBSP}%" if share < 0.01 else numbers.percent(share)


class LiftCard(w.Card):
    """The lift of one treatment with its band, look by look; where there are several, `chosen(treatment)`."""

    chosen = Signal(str)

    def __init__(self) -> None:
        self.chart = c.BandOverTime("Lift, as the data came in")
        self._choice = QHBoxLayout()
        self.treatment: w.MenuChip | None = None
        self._offered: tuple[str, ...] = ()
        super().__init__("Lift, as the data came in", w.panel(self._choice), data_button(self.chart))
        self._choice.setContentsMargins(0, 0, 0, 0)
        self.chart.no_data = "Too little is known to bound the lift yet."
        self.add(self.chart, stretch=1)

    def _offer(self, trial: Trial, treatment: str | None) -> None:
        """A chip with the treatments, built anew for each experiment."""
        if self.treatment is not None:
            self._choice.removeWidget(self.treatment)
            self.treatment.deleteLater()
            self.treatment = None
        if len(trial.result.plan.treatments) > 1:
            names = {variant: f"Variant {variant}" for variant in trial.result.plan.treatments}
            self.treatment = w.MenuChip(names, treatment, name="Compared with the control")
            self.treatment.chosen.connect(self.chosen)
            self._choice.addWidget(self.treatment)

    def show_trial(self, trial: Trial, treatment: str | None = None) -> None:
        treatment = treatment or shown_treatment(trial)
        if self.treatment is None or self._offered != trial.result.plan.treatments:
            self._offer(trial, treatment)
            self._offered = trial.result.plan.treatments
        elif treatment is not None:
            self.treatment.set_value(treatment)
        title = LIFT_TITLE.format(treatment=treatment or "the variants", control=trial.result.plan.control)
        assert self.title is not None
        self.title.title.setText(title)
        self.setAccessibleName(title)
        self.chart.title = title
        self.chart.setAccessibleName(title)
        self.chart.set_data(lift_chart(trial, treatment))


class BeliefsCard(w.Card):
    """What may be believed of each rate."""

    def __init__(self) -> None:
        self.chart = c.Densities("What we believe about each rate", write=lambda value: numbers.percent(value, 1))
        super().__init__("What we believe about each rate", data_button(self.chart))
        self.chart.no_data = "Nobody has met this test yet."
        self.add(self.chart, stretch=1)

    def show_trial(self, trial: Trial) -> None:
        self.chart.set_data(beliefs(trial))


class HealthCard(w.Card):
    """Whether the test itself may be trusted."""

    def __init__(self) -> None:
        super().__init__("Health of this test")
        self._rows = w.RowList(spacing=8)
        self.lines: Sequence[HealthLine] = ()
        self.add(self._rows, w.STRETCH)

    def show_trial(self, trial: Trial, details: TrialDetails | None = None, treatment: str | None = None) -> None:
        self.lines = health_lines(trial, details, treatment or shown_treatment(trial))
        self._rows.clear()
        for line in self.lines:
            finding = w.ElidingLabel(line.finding, "body", "muted", align=Qt.AlignmentFlag.AlignRight)
            box = w.row(w.Badge.for_state(line.state, 16), w.Text(line.title, wrap=False), finding)
            box.setStretch(2, 1)
            shown = _named(w.panel(box), f"{line.title}: {line.finding}")
            shown.setToolTip(line.why)
            self._rows.add(shown)


class ReasonsCard(w.Card):
    """Why the rule says what it says, in its own sentences."""

    def __init__(self) -> None:
        super().__init__("Why")
        self._rows = w.RowList()
        self.reasons: Sequence[str] = ()
        self.add(self._rows, w.STRETCH)

    def show_trial(
        self,
        trial: Trial,
        details: TrialDetails | None = None,
        series: Mapping[str, bool] | None = None,
        treatment: str | None = None,
    ) -> None:
        self.reasons = reasons_about(trial, treatment or shown_treatment(trial))
        shown = [*self.reasons]
        if trial.aftercare is not None:
            shown.insert(0, trial.aftercare.reason)
        if details is not None:
            wins = trial.result.analysis.decision.verdict == "ship"
            shown += [line] if (line := expectation(details, decided=wins)) else []
        shown += [line] if (line := among_tests(trial, series or {})) else []
        self._rows.clear()
        for reason in shown:
            self._rows.add(w.Paragraph(reason))


def _named(widget: QWidget, name: str) -> QWidget:
    widget.setAccessibleName(name)
    return widget
