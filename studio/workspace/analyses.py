"""The story of analyses: questions beyond one screen of figures, about a run or about everything that is known.

Absent on purpose: counting (analytics) and drawing (ui).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import polars as pl

from studio.analytics.alerts import OUTSIDE_FIGURES, RUN_FIGURES, Alert, Trouble, alerts
from studio.analytics.answer import Answer, answer
from studio.analytics.attribution import Attribution, attribution, outside_touches, run_attribution, run_touches
from studio.analytics.calibration import Calibration, Promise, calibration, promises
from studio.analytics.cohorts import Customers, Period, cohorts, customers, entry_cohorts
from studio.analytics.exits import Exit, bounces, exits
from studio.analytics.facts import Design, Facts, is_treated, variant_of
from studio.analytics.forecast import Forecast, forecast
from studio.analytics.journeys import Windows
from studio.analytics.latency import step_latency
from studio.analytics.narrowed import Narrowing, narrowed
from studio.analytics.question import Known, complete, read
from studio.analytics.returns import currencies, run_return
from studio.analytics.series import Every, Split, by_link, series, up_to
from studio.analytics.suggestions import Suggestion, suggestions
from studio.analytics.survival import Curve, time_to_goal
from studio.analytics.timing import Heat, heat
from studio.analytics.trials import TrialResult
from studio.domain.clock import Clock
from studio.domain.ports import RunRow
from studio.domain.workflow import parse_workflow
from studio.frames.instances import arm_of
from studio.store.store import Store
from studio.workspace.insights import RunInsight

ORDER = "order"
OUTSIDE = ""
"""The run id of events that no run recorded."""


@dataclass(frozen=True, slots=True)
class Record:
    """What was promised and what came: every promise, and the record per metric."""

    promises: tuple[Promise, ...]
    metrics: tuple[Calibration, ...]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known (`at, group, count, value`), and what comes after it; None when too little is known."""

    known: pl.DataFrame
    forecast: Forecast | None
    every: Every

    def moments(self) -> list[datetime]:
        """The starts of the forecast's periods."""
        if self.forecast is None:
            return []
        step = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}[self.every]
        last = self.known.get_column("at")[-1]
        return [last + step * (place + 1) for place in range(len(self.forecast.mean))]


@dataclass(frozen=True, slots=True)
class Details:
    """What the analytics screen shows beyond the figures. `cohorts`: by week of entering, as `entry_cohorts`."""

    exits: tuple[Exit, ...]
    opens: Heat
    attribution: Attribution
    links: pl.DataFrame
    alerts: tuple[Alert, ...]
    pace: Curve
    cohorts: pl.DataFrame


class AnalysesStory:
    """Analyses of one workspace. A `run_id` of None is about everything from outside runs, or over real runs."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def details(self, run_id: str, narrowing: Narrowing | None = None) -> Details:
        """Exits, heatmap, credit, links, pace, cohorts of the people the narrowing names; alerts of the whole run."""
        design, run = self.design(run_id), self._store.runs.get(run_id)
        facts = narrowed(self._store.projections, run_id, design, narrowing or Narrowing())
        return Details(
            exits=exits(facts, run_id, design),
            opens=self.heat_of(facts, run_id, "opened"),
            attribution=run_attribution(facts, run_id, design, returned=run_return(facts, run_id, design)),
            links=by_link(facts, run_id),
            alerts=tuple(self.alerts(run_id)),
            pace=time_to_goal(facts, run_id, design, run.at),
            cohorts=_by_entry(facts, run_id, design, "week"),
        )

    def exits(self, run_id: str) -> tuple[Exit, ...]:
        """Where people left, by reason."""
        return exits(self._store.projections, run_id, self.design(run_id))

    def bounces(self, run_id: str) -> dict[str, int]:
        """Different people by bounce class."""
        return bounces(self._store.projections, run_id)

    def links(self, run_id: str, node_id: str | None = None) -> pl.DataFrame:
        """`node_id, link, clicks, people`."""
        return by_link(self._store.projections, run_id, None if node_id is None else [node_id])

    def series(
        self,
        kind: str,
        run_id: str | None = None,
        every: Every = "day",
        split: Split | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> pl.DataFrame:
        """`at, group, count, value`; without a run the events from outside."""
        design = None if run_id is None else self.design(run_id)
        run = OUTSIDE if run_id is None else run_id
        facts = self._store.projections
        return series(facts, kind, run_id=run, every=every, split=split, design=design, since=since, until=until)

    def time_to_goal(self, run_id: str, variant: str | None = None) -> Curve:
        """From entry to the goal, of everybody treated or of one variant of the first split."""
        design, run = self.design(run_id), self._store.runs.get(run_id)
        arm = None
        if variant is not None and design.splits:
            arm = arm_of(design.splits[0]).eq_missing(variant)
        return time_to_goal(self._store.projections, run_id, design, run.at, arm)

    def entry_cohorts(self, run_id: str, period: Period = "week") -> pl.DataFrame:
        """`cohort, size, converted, rate, value` by when people entered the run."""
        return _by_entry(self._store.projections, run_id, self.design(run_id), period)

    def customers(self) -> Customers:
        """Everybody who ever ordered, outside of runs."""
        return customers(self._orders())

    def order_currency(self) -> str:
        """The currency most orders from outside are in; EUR where none says."""
        sums = self._store.projections.sums(("currency",), [OUTSIDE], [ORDER])
        known = sums.filter(pl.col("currency") != "").sort("count", descending=True)
        return known.get_column("currency")[0] if known.height else "EUR"

    def cohorts(self, period: Period = "month") -> pl.DataFrame:
        """Customers by the period of their first order; see `analytics.cohorts.cohorts`."""
        return cohorts(self._orders(), period)

    def heat(self, run_id: str | None = None, kind: str = "opened") -> Heat:
        """When people act, each in his own zone; machines are left out."""
        return self.heat_of(self._store.projections, OUTSIDE if run_id is None else run_id, kind)

    def heat_of(self, facts: Facts, run_id: str, kind: str, node_id: str | None = None) -> Heat:
        """`heat` of some facts, at one step where it is named."""
        events = facts.events(("contact_id", "occurred_at", "actor", "node_id"), [kind], run_id)
        if node_id is not None:
            events = events.filter(pl.col("node_id") == node_id)
        human = events.filter(pl.col("actor").fill_null("unknown") != "machine").collect()
        ids = human.get_column("contact_id").unique().sort()
        return heat(human, self._store.contacts.at(self._clock.now()).fields(ids, ["zone"]))

    def latency(self, run_id: str) -> pl.DataFrame:
        """`node_id, pieces, instances, p50_ms, p99_ms, total_ms`."""
        return step_latency(self._store.runs.step_pieces(run_id))

    def attribution(self, run_id: str | None = None, windows: Windows | None = None) -> Attribution:
        """A run's messages, or, without a run, everything that really happened: mail of runs that were not simulated,
        and visits and orders from outside.
        """
        facts = self._store.projections
        if run_id is not None:
            design = self.design(run_id)
            return run_attribution(facts, run_id, design, windows, returned=run_return(facts, run_id, design))
        real = [run for run in self._store.runs.list_runs() if run.mode != "simulate"]
        names = {run.run_id: self._channels(run) for run in real}
        touches = pl.concat([run_touches(facts, list(names), names), outside_touches(facts)])
        orders = self._orders().rename({"occurred_at": "at"})
        return attribution(touches, orders, windows)

    def ask(self, text: str, run_id: str) -> Answer:
        """The answer to a question in words about a run. Raises UserFixable (ASK-…) for one that cannot be read."""
        query = read(text, self.vocabulary(run_id))
        return answer(self._store.projections, run_id, self.design(run_id), query)

    def completions(self, text: str, run_id: str) -> list[str]:
        """How a question that has begun can go on."""
        return complete(text, self.vocabulary(run_id))

    def vocabulary(self, run_id: str) -> Known:
        """What questions about a run may name."""
        run, design = self._store.runs.get(run_id), self.design(run_id)
        variants: list[str] = []
        if design.splits:
            arms = self._store.projections.people(run_id, ["exposed"], ("arms",), [design.splits[0]])
            variants = sorted({name for (arm,) in arms if (name := variant_of(design.splits[0], arm))})
        return Known(run.at, variants, {node: design.labels[node] for node in design.sends})

    def suggestions(self, insight: RunInsight, details: Details, trial: TrialResult | None = None) -> list[Suggestion]:
        """What to do next about a run, the most valuable first."""
        run_id = insight.run.run_id
        sent = self._store.projections.sums(("node_id",), [run_id], ["sent"])
        return suggestions(
            run_id,
            insight.design,
            insight.returned,
            insight.kpis,
            details.attribution,
            details.opens,
            details.exits,
            trial,
            sent,
        )

    def alerts(self, run_id: str | None = None) -> list[Alert]:
        """What was out of the ordinary, most striking first, with the likely cause out of the run's own facts."""
        facts = self._store.projections
        if run_id is None:
            return alerts(facts, OUTSIDE, OUTSIDE_FIGURES)
        labels = self.design(run_id).labels
        return alerts(facts, run_id, RUN_FIGURES, self._troubles(run_id), labels)

    def forecast(
        self, kind: str, run_id: str | None = None, every: Every = "day", horizon: int = 14, *, value: bool = False
    ) -> Outlook:
        """The series up to now, without the moment that is not over yet, and what comes next; counts, or values."""
        rows = self.series(kind, run_id, every)
        until = self._outside_until() if run_id is None else self._store.runs.get(run_id).at
        known = up_to(rows, every, until)
        period = {"hour": 24, "day": 7, "week": 1}[every]
        numbers = known.get_column("value" if value else "count").to_numpy().astype(float)
        return Outlook(known, forecast(numbers, horizon, period=period), every)

    def record(self) -> Record:
        """How well predictions held, over all finished runs."""
        kept = promises(self._store.learning.outcomes())
        return Record(tuple(kept), tuple(calibration(kept)))

    def design(self, run_id: str) -> Design:
        """The design of a run's workflow, in the currency of its orders."""
        design = Design.of(parse_workflow(self._store.runs.document(self._store.runs.get(run_id).version)))
        return replace(design, currency=currencies(self._store.projections, run_id, design)[0])

    def _troubles(self, run_id: str) -> list[Trouble]:
        return [
            Trouble(event.at, event.node_id, str(event.payload.get("message", "")), int(float(str(count))))
            for event in self._store.runs.problems(run_id)
            if event.node_id and (count := event.payload.get("count") or 1)
        ]

    def _outside_until(self) -> datetime | None:
        """The newest event from outside that has happened: what was imported reaches no farther."""
        hours = self._store.projections.sums(("hour",), [OUTSIDE]).get_column("hour")
        past = hours.filter(hours <= self._clock.now())
        return None if past.is_empty() else past.max()  # pyright: ignore[reportReturnType] - a datetime column

    def _channels(self, run: RunRow) -> Mapping[str, str]:
        """All steps of a run are one channel, that of its workflow: across workflows steps do not compare."""
        return dict.fromkeys(self.design(run.run_id).labels, run.name)

    def _orders(self) -> pl.DataFrame:
        return self._store.projections.events(("contact_id", "occurred_at", "value"), [ORDER], OUTSIDE).collect()


def _by_entry(facts: Facts, run_id: str, design: Design, period: Period) -> pl.DataFrame:
    """Everybody who was treated, by when he entered; orders of others are no result of the run."""
    entered, goals = facts.contact_values(run_id, "entered"), facts.contact_values(run_id, "converted")
    if design.holdout is not None:
        treated = facts.contact_values(run_id, "exposed", design.holdout).filter(is_treated(design))
        entered = entered.join(treated, on="contact_id", how="semi")
    return entry_cohorts(entered, goals.filter(is_treated(design)), period)


def windows_of(pairs: Mapping[str, timedelta]) -> Windows:
    """Windows by channel, or by kind of touch where the name is one."""
    standard = Windows()
    kinds = {name: window for name, window in pairs.items() if name in standard.by_kind}
    channels = {name: window for name, window in pairs.items() if name not in standard.by_kind}
    return Windows(by_channel=channels, by_kind={**standard.by_kind, **kinds})
