"""The story of looking around: all workflows beside each other, and one step on its own; the filters somebody chose.

Absent on purpose: counting (analytics) and drawing (ui).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast, get_args

import polars as pl

from studio.analytics.attribution import run_attribution
from studio.analytics.exits import Exit, exits_at
from studio.analytics.facts import Design
from studio.analytics.forecast import Forecast, forecast
from studio.analytics.funnel import FunnelStep
from studio.analytics.latency import step_latency
from studio.analytics.narrowed import Narrowing, narrowed
from studio.analytics.overview import Overview, counted_runs, overview
from studio.analytics.series import by_link
from studio.analytics.step import StepCount, step_by_hour, step_counts, step_funnel
from studio.analytics.timing import Heat
from studio.domain.errors import UserFixable
from studio.domain.node import Mode
from studio.domain.ports import RunRow
from studio.domain.workflow import Node, parse_workflow
from studio.store.store import Store
from studio.workspace.analyses import AnalysesStory

MODES: tuple[Mode, ...] = get_args(Mode)
REALEST: tuple[Mode, ...] = ("live", "test", "simulate")
HORIZON_DAYS = 14
_SETTING = "analytics.filters"


@dataclass(frozen=True, slots=True)
class Filters:
    """What somebody chose on the analytics screen: runs of which mode (None: the most real there are), days back."""

    mode: Mode | None = None
    days: int | None = None


@dataclass(frozen=True, slots=True)
class StepInsight:
    """One step of a run. `latency`: p50 and p99 in milliseconds, None while it has not worked.

    `by_hour`: `kind, hour, count`; `links`: `node_id, link, clicks, people`; `credit`: `model, share, value`.
    """

    run: RunRow
    node: Node
    label: str
    is_send: bool
    currency: str
    counts: tuple[StepCount, ...]
    came: tuple[FunnelStep, ...]
    exits: tuple[Exit, ...]
    by_hour: pl.DataFrame
    links: pl.DataFrame
    credit: pl.DataFrame
    opens: Heat
    latency: tuple[float, float] | None

    def people(self, kind: str) -> int:
        """Different people of one kind of `analytics.step.TITLES`."""
        return next(row.people for row in self.counts if row.kind == kind)


class OverviewsStory:
    """What stands above and below one run."""

    def __init__(self, store: Store, analyses: AnalysesStory) -> None:
        self._store = store
        self._analyses = analyses
        self._designs: dict[str, Design] = {}

    def overview(self, mode: Mode | None = None, days: int | None = None) -> Overview:
        """All workflows with runs of a mode (None: live ones, else tests, else simulations)."""
        runs = self._store.runs.list_runs()
        there = {run.mode for run in runs}
        mode = mode or next((one for one in REALEST if one in there), "simulate")
        counted = counted_runs(runs, mode)
        designs = {run.run_id: self._design(run) for run in counted}
        return overview(self._store.projections, counted, designs, mode, days)

    def modes(self) -> tuple[Mode, ...]:
        """The modes of which there are runs, the most real first."""
        there = {run.mode for run in self._store.runs.list_runs()}
        return tuple(mode for mode in REALEST if mode in there)

    def outlook(self, seen: Overview) -> Forecast | None:
        """What orders bring in the next days if things go on; None where too little is known or nothing goes on."""
        if all(row.state in ("done", "failed", "stopped") for row in seen.workflows):
            return None
        # The newest day is not over yet.
        values = seen.by_day.get_column("value").head(max(0, seen.by_day.height - 1)).to_numpy()
        return forecast(values, HORIZON_DAYS, period=7)

    def step(self, run_id: str, node_id: str, narrowing: Narrowing | None = None) -> StepInsight:
        """Everything about one step of a run. Raises UserFixable (STEP-NONE) for a step the run does not have."""
        run = self._store.runs.get(run_id)
        workflow = parse_workflow(self._store.runs.document(run.version))
        design = self._design(run)
        node = next((one for one in workflow.nodes if one.id == node_id), None)
        if node is None:
            known = ", ".join(design.labels)
            raise UserFixable(
                "STEP-NONE", f"The run has no step “{node_id}”.", where=run_id, hint=f"There are: {known}"
            )
        facts = narrowed(self._store.projections, run_id, design, narrowing or Narrowing())
        label = design.labels[node_id]
        credit = run_attribution(facts, run_id, design).credit.filter(pl.col("channel") == label)
        pieces = step_latency(self._store.runs.step_pieces(run_id)).filter(pl.col("node_id") == node_id)
        latency = pieces.select("p50_ms", "p99_ms").row(0) if pieces.height else None
        return StepInsight(
            run=run,
            node=node,
            label=label,
            is_send=node_id in design.sends,
            currency=design.currency,
            counts=step_counts(facts, run_id, node_id),
            came=step_funnel(facts, run_id, node_id),
            exits=exits_at(facts, run_id, node_id),
            by_hour=step_by_hour(facts, run_id, node_id),
            links=by_link(facts, run_id, [node_id]),
            credit=credit.select("model", "share", "value"),
            opens=self._analyses.heat_of(facts, run_id, "opened", node_id),
            latency=latency,
        )

    def filters(self) -> Filters:
        """What was chosen last in this workspace."""
        kept = self._store.library.setting(_SETTING)
        if not isinstance(kept, Mapping):
            return Filters()
        mode, days = kept.get("mode"), kept.get("days")
        known = cast("Mode", mode) if mode in MODES else None
        return Filters(known, days if isinstance(days, int) and days > 0 else None)

    def keep_filters(self, filters: Filters) -> None:
        """Keeps what was chosen, for the next time the workspace is opened."""
        self._store.library.set_setting(_SETTING, {"mode": filters.mode, "days": filters.days})

    def _design(self, run: RunRow) -> Design:
        if run.version not in self._designs:
            self._designs[run.version] = Design.of(parse_workflow(self._store.runs.document(run.version)))
        return self._designs[run.version]
