"""The story of insight: what a run brought, in one sentence and in figures, against what was predicted.

Absent on purpose: counting (analytics) and drawing (ui).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from studio.analytics.facts import Design, Facts, RunFacts
from studio.analytics.findings import finding
from studio.analytics.funnel import Funnel, funnel, funnel_by
from studio.analytics.kpis import Kpi, by_step, kpis, revenue_by_hour, treated_by_hour
from studio.analytics.narrowed import Narrowing, narrowed
from studio.analytics.returns import Return, run_return
from studio.domain.ports import RunRow
from studio.domain.template import Prediction
from studio.domain.workflow import Workflow, parse_workflow
from studio.store.store import Store

EVERYBODY = Narrowing()


@dataclass(frozen=True, slots=True)
class RunInsight:
    """All figures of one run at its clock.

    `revenue`: `hour, value, count` of treated people's goal events; `treated`: `hour, people`, each person once.
    `steps`: figures per send step.
    `predicted`: what the template's card said when the run was started.
    """

    run: RunRow
    workflow: Workflow
    design: Design
    finding: str
    funnel: Funnel
    returned: Return
    kpis: tuple[Kpi, ...]
    predicted: Mapping[str, Prediction]
    revenue: pl.DataFrame
    treated: pl.DataFrame
    steps: pl.DataFrame
    events: int
    last_event_at: datetime | None
    answered_ms: float
    narrowing: Narrowing = EVERYBODY


@dataclass(frozen=True, slots=True)
class RunBrief:
    """A run in a list: how often it was entered, and what treated people's orders were worth."""

    entered: int
    revenue: float
    currency: str


class InsightsStory:
    """Figures of one workspace."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of_run(self, run_id: str, narrowing: Narrowing = EVERYBODY) -> RunInsight:
        """Everything the analytics screen shows of a run. From rollups and the run's own converted people; with a
        narrowing from the raw events of the people it names.
        """
        before = time.perf_counter()
        run = self._store.runs.get(run_id)
        workflow = parse_workflow(self._store.runs.document(run.version))
        design = Design.of(workflow)
        facts: Facts = RunFacts(narrowed(self._store.projections, run_id, design, narrowing), run_id)
        predicted = predictions_of(run)
        steps = funnel(facts, run_id, design)
        returned = run_return(facts, run_id, design, predicted.get("roi"))
        totals = facts.rollup([run_id])
        return RunInsight(
            run=run,
            workflow=workflow,
            design=design,
            finding=finding(run.name, returned, predicted),
            funnel=steps,
            returned=returned,
            kpis=kpis(facts, run_id, steps, returned),
            predicted=predicted,
            revenue=revenue_by_hour(facts, run_id, design),
            treated=treated_by_hour(facts, run_id, design),
            steps=by_step(facts, run_id, design),
            events=int(totals["count"].sum() or 0),
            last_event_at=totals["hour"].max(),  # pyright: ignore[reportArgumentType] - a datetime column
            answered_ms=(time.perf_counter() - before) * 1_000,
            narrowing=narrowing,
        )

    def brief(self, run_id: str) -> RunBrief:
        """The two figures a list of runs shows, from rollups only."""
        design, facts = self._design(run_id), self._store.projections
        entered = facts.rollup([run_id], ["entered"])["count"].sum() or 0
        revenue = revenue_by_hour(facts, run_id, design)["value"].sum() or 0.0
        return RunBrief(int(entered), float(revenue), design.currency)

    def funnel(self, run_id: str, narrowing: Narrowing = EVERYBODY) -> Funnel:
        """The run's funnel."""
        design = self._design(run_id)
        return funnel(narrowed(self._store.projections, run_id, design, narrowing), run_id, design)

    def funnels(self, run_id: str) -> tuple[Funnel, ...]:
        """One funnel per variant of the run's first experiment; the whole one when it has none."""
        design = self._design(run_id)
        if not design.splits:
            return (funnel(self._store.projections, run_id, design),)
        return funnel_by(self._store.projections, run_id, design, design.splits[0])

    def _design(self, run_id: str) -> Design:
        return Design.of(parse_workflow(self._store.runs.document(self._store.runs.get(run_id).version)))


def predictions_of(run: RunRow) -> dict[str, Prediction]:
    """What was predicted when the run was started, by metric."""
    kept = run.options.get("predicted")
    if not isinstance(kept, Mapping):
        return {}
    return {metric: Prediction(**values) for metric, values in kept.items()}  # type: ignore[arg-type]
