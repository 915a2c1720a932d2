"""Experiments: which there are, what each found, and shipping a winner into its template.

Absent on purpose: any rule of its own; words, colours and buttons follow the experiment's decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from PySide6.QtWidgets import QStackedWidget, QWidget

from studio.analytics.trial_details import TrialDetails
from studio.domain.run import FINAL_RUN_STATES
from studio.ui import widgets as w
from studio.ui.background import run_in_background
from studio.ui.screens.experiments.cards import BeliefsCard, HealthCard, LiftCard, ReasonsCard, VariantsCard
from studio.ui.screens.experiments.more_cards import HistoryCard, RevenueCard, SegmentsCard, SideEffectsCard
from studio.ui.screens.experiments.planner import Planner
from studio.ui.screens.experiments.words import (
    can_ship,
    choice_title,
    headline,
    safe_line,
    shown_treatment,
    standing,
    state_line,
    trial_id,
    undo_of,
    why_not,
)
from studio.ui.screens.loading import Loader
from studio.ui.screens.navigator import Navigator
from studio.ui.shell import Crumb, Page
from studio.workspace.trial_history import HistoryEntry
from studio.workspace.trials import Shipped, Trial
from studio.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class _More:
    """What is fetched of the experiment and treatment `of` after the finding is on screen."""

    of: tuple[str, str | None]
    details: TrialDetails
    history: tuple[HistoryEntry, ...]
    series: dict[str, bool]


class ExperimentsPage(Page):
    """`target` of `entered`: `run_id` or `run_id/node_id`; empty: the one shown last, else the newest."""

    help_topic = "experiments"

    def __init__(self, workspace: Workspace, navigator: Navigator) -> None:
        super().__init__("Experiments")
        self._workspace = workspace
        self._navigator = navigator
        self._chosen = ""
        self._trials: tuple[Trial, ...] = ()
        self._treatment = ""
        self._is_shipping = False
        self._more: _More | None = None
        self.planner = Planner(workspace.trials, self._close_planner)
        self.pane = w.Pane(self._panes())
        self._loader: Loader[tuple[Trial, ...]] = Loader(
            self.pane, workspace.trials.list, self.show_trials, "Analysing …"
        )
        self.setLayout(w.column(self.pane, spacing=0))

    def _panes(self) -> QWidget:
        side = w.SidePanel("left", 281, margins=(14, 14, 14, 14))
        side.add(w.SectionTitle("Experiments", w.SecondaryButton("Plan new", self.open_planner)))
        self.choices = w.ChoiceList("Experiments")
        self.choices.chosen.connect(self._choose)
        side.add(self.choices, 1)
        self._right = QStackedWidget()
        self._right.addWidget(self._result())
        planning = w.ScrollColumn(margins=(22, 18, 22, 18))
        planning.add(self.planner)
        self._planning = planning
        self._right.addWidget(planning)
        self._parts = w.Panes(("Result", self._right), left=("Experiments", side))
        return self._parts

    def _result(self) -> QWidget:
        self.keep = w.SecondaryButton("Keep running", self._keep_running)
        self.ship = w.PrimaryButton("Ship the winner", self._ship)
        self.take_back = w.SecondaryButton("Take back", self._take_back)
        self.header = w.PageHeader("Experiments", "", self.keep, self.take_back, self.ship)
        self.variants, self.lift, self.beliefs = VariantsCard(), LiftCard(), BeliefsCard()
        self.lift.chosen.connect(self._compare)
        self.health, self.reasons = HealthCard(), ReasonsCard()
        self.segments, self.revenue, self.history = SegmentsCard(), RevenueCard(), HistoryCard()
        self.side_effects = SideEffectsCard()
        column = w.ScrollColumn(margins=(22, 18, 22, 18))
        column.add(self.header)
        column.add(self.variants)
        column.add(w.SideBySide((self.lift, 58), (self.beliefs, 41)), 1)
        column.add(w.SideBySide((self.health, 58), (self.segments, 41)), 1)
        column.add(w.SideBySide((self.reasons, 58), (self.revenue, 41)))
        column.add(w.SideBySide((self.history, 50), (self.side_effects, 49)))
        return column

    def crumbs(self) -> Sequence[Crumb]:
        trial = self.trial
        return [Crumb("Experiments"), Crumb(trial.result.plan.name)] if trial is not None else [Crumb("Experiments")]

    @property
    def trial(self) -> Trial | None:
        """The experiment shown."""
        return next((trial for trial in self._trials if trial_id(trial) == self._chosen), None)

    def entered(self, target: str = "") -> None:
        if target:
            self._chosen, self._treatment = target, ""
            self._close_planner()
        self._loader()

    def refresh(self) -> None:
        """A run may have gone on; nothing is counted again while none does."""
        if any(self._workspace.runs.is_running(trial.run.run_id) for trial in self._trials) or not self._trials:
            self._loader()

    def show_trials(self, trials: tuple[Trial, ...]) -> None:
        """Shows what was found; the one chosen before stays chosen."""
        self._trials = trials
        if not trials:
            self.pane.show_empty(self._nothing())
            self.place_changed.emit()
            return
        if self.trial is None:
            # A run's id stands for its first experiment.
            own = [trial for trial in trials if trial.run.run_id == self._chosen.partition("/")[0]]
            self._chosen = trial_id((own or list(trials))[0])
        self.choices.set_choices(_choices(trials), self._chosen)
        self._show_chosen()

    def _show_chosen(self) -> None:
        trial = self.trial
        if trial is None:
            return
        self.header.set_finding(headline(trial), safe_line(trial))
        self.variants.show_trial(trial, trial.currency)
        self.lift.show_trial(trial, shown_treatment(trial, self._treatment))
        self.beliefs.show_trial(trial)
        self._show_more(trial)
        self._show_buttons(trial)
        self.place_changed.emit()
        self._fetch_more(trial)

    def _show_more(self, trial: Trial) -> None:
        """What is fetched after the finding; what was known of this experiment stays until something newer comes."""
        more = self._more if self._more is not None and self._more.of == self._shown(trial) else None
        details = more.details if more is not None else None
        treatment = shown_treatment(trial, self._treatment)
        self.health.show_trial(trial, details, treatment)
        self.reasons.show_trial(trial, details, more.series if more is not None else {}, treatment)
        self.segments.show_details(details)
        self.side_effects.show_details(details)
        self.revenue.show_details(details, trial.currency)
        self.history.show_history(more.history if more is not None else None)

    def _fetch_more(self, trial: Trial) -> None:
        plan, of, story, known = trial.result.plan, self._shown(trial), self._workspace.trials, self._trials
        run_in_background(
            lambda: _More(
                of,
                story.details(plan.run_id, plan.node_id, of[1]),
                story.history(plan.run_id, plan.node_id),
                story.series(known),
            ),
            self._more_came,
            self._failed,
            owner=self,
        )

    def _more_came(self, more: _More) -> None:
        self._more = more
        if self.trial is not None and self._shown(self.trial) == more.of:
            self._show_more(self.trial)

    def _shown(self, trial: Trial) -> tuple[str, str | None]:
        return trial_id(trial), shown_treatment(trial, self._treatment)

    def _compare(self, treatment: str) -> None:
        """Another treatment is put beside the control, in everything that is about one."""
        self._treatment = treatment
        self._show_chosen()

    def _show_buttons(self, trial: Trial) -> None:
        winner = trial.result.analysis.decision.variant if can_ship(trial) else shown_treatment(trial)
        self.ship.setText(f"Ship {winner} to the template" if winner else "Ship to the template")
        self.ship.setEnabled(can_ship(trial) and not self._is_shipping)
        self.ship.setToolTip(why_not(trial))
        self.ship.setAccessibleDescription(why_not(trial))
        self.ship.setVisible(trial.shipped is None)
        self.take_back.setVisible(undo_of(trial) is not None)
        self.take_back.setToolTip("" if trial.shipped else "The setting gets the value back that it had before")
        self.take_back.setEnabled(not self._is_shipping)
        self.keep.setVisible(can_ship(trial) and trial.run.state not in FINAL_RUN_STATES)

    def _choose(self, chosen: str) -> None:
        self._chosen, self._treatment = chosen, ""
        self._close_planner()
        self._show_chosen()

    def _keep_running(self) -> None:
        if self.trial is None:
            return
        plan = self.trial.result.plan
        run_in_background(
            lambda: self._workspace.trials.keep_running(plan.run_id, plan.node_id), self._kept, self._failed, owner=self
        )

    def _kept(self, _nothing: None) -> None:
        self._navigator.notify("It goes on as it is. You can ship the winner at any time.")
        self._loader()

    def _ship(self) -> None:
        trial = self.trial
        if trial is None or not can_ship(trial):
            return
        plan = trial.result.plan
        self._set_shipping(True)
        run_in_background(
            lambda: self._workspace.trials.ship(plan.run_id, plan.node_id),
            self._shipped,
            self._failed,
            owner=self,
        )

    def _shipped(self, shipped: Shipped) -> None:
        self._set_shipping(False)
        words = f"“{shipped.to_value}” is now the default of the template, in place of “{shipped.from_value}”"
        self._navigator.notify(words, lambda: self._undo(shipped.undo_id))
        self._loader()

    def _take_back(self) -> None:
        undo_id = undo_of(self.trial) if self.trial is not None else None
        if undo_id is not None:
            self._undo(undo_id)

    def _undo(self, undo_id: str) -> None:
        self._set_shipping(True)
        run_in_background(lambda: self._workspace.trials.undo(undo_id), self._undone, self._failed, owner=self)

    def _undone(self, _nothing: None) -> None:
        self._set_shipping(False)
        self._navigator.notify("The template has its former default again")
        self._loader()

    def _failed(self, error: Exception) -> None:
        self._set_shipping(False)
        self.pane.show_error(error, self._loader)

    def _set_shipping(self, is_shipping: bool) -> None:
        self._is_shipping = is_shipping
        if self.trial is not None:
            self._show_buttons(self.trial)

    def open_planner(self) -> None:
        """Plans a new one, from the figures of the one shown."""
        trial = self.trial
        self._right.setCurrentWidget(self._planning)
        self._parts.show_part("Result")
        self.planner.start(*(_as_planned(trial) if trial is not None else (None, None)))

    def _close_planner(self) -> None:
        self._right.setCurrentIndex(0)

    def _nothing(self) -> w.EmptyState:
        return w.EmptyState(
            "No experiments yet",
            "An A/B test step in a workflow makes one when the workflow runs. The template “Cart recovery” brings one.",
            "Choose a template",
            lambda: self._navigator.go("templates"),
            icon="flask-conical",
            second="Open the demo",
            on_second=self._navigator.open_demo,
        )


def _choices(trials: Sequence[Trial]) -> list[w.Choice]:
    """Every experiment in words; where two would read the same, as when a workflow runs again, also when it began."""
    lines = [(choice_title(trial), state_line(trial)) for trial in trials]
    found = []
    for trial, (title, line) in zip(trials, lines, strict=True):
        words, tone = standing(trial)
        began = trial.result.started_at or trial.run.started_at
        told = line if lines.count((title, line)) == 1 else f"{line} · since {began:%d %b %H:%M}"
        found.append(w.Choice(trial_id(trial), title, told, words, tone))
    return found


def _as_planned(trial: Trial) -> tuple[float | None, int | None]:
    """The control's rate and the people per day, to start a new plan from."""
    result = trial.result
    control = next(variant for variant in result.variants if variant.id == result.plan.control)
    if result.started_at is None or result.last_at is None:
        return control.rate, None
    days = max((result.last_at - result.started_at) / timedelta(days=1), 1.0)
    return control.rate, round(sum(variant.people for variant in result.variants) / days)
