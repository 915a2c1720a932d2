"""The story of experiments: freezing a plan, reading the result, shipping the winner, taking it back.

Absent on purpose: statistics (`experiments`) and counting (`analytics`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from studio.analytics.facts import Design
from studio.analytics.trial_details import BOUGHT, TrialDetails, trait_columns, trial_details
from studio.analytics.trials import TrialPlan, TrialResult, people_of, trial_result
from studio.domain.clock import Clock
from studio.domain.errors import UserFixable
from studio.domain.ports import RunRow
from studio.domain.workflow import Workflow, parse_workflow
from studio.experiments.families import discoveries
from studio.experiments.planner import Plan, detectable_effect, plan
from studio.experiments.vigil import Vigil
from studio.store.learning import StoredExperiment
from studio.store.store import Store
from studio.workspace.aftercare import promotion_watched, watched
from studio.workspace.trial_history import HistoryEntry, history_of
from studio.workspace.trial_plan import as_plan, as_spec, goal_window, plan_of

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
ALPHA = 0.05
TRAITS = ("country", "language", "device", "segment", "gender", "source")
"""Fields of contacts that people are divided by, where they have them."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One experiment with its result now. `goal` is the kind of event that counts as converted.

    `aftercare`: where the experiment compares a shipped value with the one before it, what that says of the change,
    `watches` being the promotion's id.
    """

    run: RunRow
    template: str | None
    result: TrialResult
    shipped: str | None = None
    goal: str = "order"
    aftercare: Vigil | None = None
    watches: str | None = None
    currency: str = "EUR"


@dataclass(frozen=True, slots=True)
class Shipped:
    """A template parameter that got its winner's value; `undo_id` takes it back."""

    template: str
    parameter: str
    from_value: str
    to_value: str
    undo_id: str


class TrialsStory:
    """Experiments of one workspace."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def planned(self, run: RunRow, workflow: Workflow) -> tuple[StoredExperiment, ...]:
        """The plan of every experiment of a run that is about to start."""
        plans = [plan_of(run, workflow, n) for n in workflow.nodes if n.type == "exp.split" and n.enabled]
        return tuple(
            StoredExperiment(
                id=f"{run.run_id}/{planned.node_id}",
                run_id=run.run_id,
                node_id=planned.node_id,
                spec=as_spec(planned),
                planned_total=planned.planned_total,
                alpha=planned.alpha,
                started_at=run.started_at,
            )
            for planned in plans
        )

    def freeze(self, experiments: Iterable[StoredExperiment]) -> None:
        """Keeps the plans of a run that is in the store; N* never changes afterwards."""
        for experiment in experiments:
            self._store.learning.start_experiment(experiment)

    def list(self) -> tuple[Trial, ...]:
        """All experiments, newest first."""
        return tuple(self.of(e.run_id, e.node_id) for e in reversed(self._store.learning.experiments()))

    def of_run(self, run_id: str) -> tuple[Trial, ...]:
        """All experiments of one run; none when it has none."""
        return tuple(self.of(run_id, e.node_id) for e in self._store.learning.experiments(run_id))

    def of(self, run_id: str, node_id: str | None = None) -> Trial:
        """One experiment of a run (its first when no node is named); UserFixable TRIAL-NONE when it has none."""
        kept = self._kept(run_id, node_id)
        run = self._store.runs.get(run_id)
        workflow = parse_workflow(self._store.runs.document(run.version))
        plan_ = as_plan(kept)
        accounts = self._accounts(run, plan_)
        result = trial_result(self._store.projections, plan_, run.at, goal_window(workflow), accounts)
        template = workflow.template.id if workflow.template else None
        shipped = self._shipped(kept.id, template)
        promotions = self._store.learning.promotions(template) if template else []
        promotion = promotion_watched(result.plan, template, promotions)
        design = Design.of(workflow)
        return Trial(
            run,
            template,
            result,
            shipped,
            design.goal_kind,
            watched(result, promotion) if promotion else None,
            str(promotion.id) if promotion else None,
            design.currency,
        )

    def details(self, run_id: str, node_id: str | None = None, treatment: str | None = None) -> TrialDetails:
        """Revenue, segments, novelty and interactions of one treatment: that decided about, else the one ahead."""
        trial = self.of(run_id, node_id)
        result, run = trial.result, trial.run
        workflow = parse_workflow(self._store.runs.document(run.version))
        accounts = self._accounts(run, result.plan)
        exposed, _ = people_of(self._store.projections, result.plan, accounts)
        ids = exposed["contact_id"].unique().sort()
        before = self._spent_before(run, trial.goal, ids)
        return trial_details(
            self._store.projections,
            result,
            treatment or leading(result),
            traits=self._traits(run, ids, before),
            before=before if before.height else None,
            other_splits=_other_splits(workflow, result.plan.node_id),
            accounts=accounts,
        )

    def history(self, run_id: str, node_id: str | None = None) -> tuple[HistoryEntry, ...]:
        """What happened to the experiment, oldest first: what its data proved when, and what people did."""
        trial, kept = self.of(run_id, node_id), self._kept(run_id, node_id)
        promotions = self._store.learning.promotions(trial.template) if trial.template else []
        return history_of(trial.result, kept, [p for p in promotions if p.experiment_id == kept.id])

    def series(self, known: Sequence[Trial] = ()) -> dict[str, bool]:
        """Experiment id → whether its winner counts as a finding among all experiments of this workspace: at most one
        in twenty of those findings is false, however many experiments there are. `known`: need not be analysed again.
        """
        kept = self._store.learning.experiments()
        done = {(t.result.plan.run_id, t.result.plan.node_id): t.result for t in known}
        results = [done.get((e.run_id, e.node_id)) or self.of(e.run_id, e.node_id).result for e in kept]
        evidence = [
            max((c.anytime.e_value or 0.0 for c in result.analysis.comparisons if (c.effect or 0) > 0), default=0.0)
            / max(len(result.plan.treatments), 1)
            for result in results
        ]
        return dict(zip((e.id for e in kept), discoveries(evidence), strict=True))

    def keep_running(self, run_id: str, node_id: str | None = None) -> None:
        """Notes that a person looked at the decision and went on."""
        kept, trial = self._kept(run_id, node_id), self.of(run_id, node_id)
        told = {"verdict": "kept", "variant": trial.result.analysis.decision.variant, "reasons": []}
        self._store.learning.decide(kept.id, told, self._clock.now())

    def ship(self, run_id: str, node_id: str | None = None) -> Shipped:
        """Writes the winner into the template's parameter.

        Raises:
            UserFixable: TRIAL-NO-WINNER while the rule does not say ship, TRIAL-NO-PARAMETER when nothing is bound.
        """
        trial = self.of(run_id, node_id)
        decision, plan_ = trial.result.analysis.decision, trial.result.plan
        if decision.verdict != "ship" or decision.variant is None:
            raise UserFixable(
                "TRIAL-NO-WINNER",
                f"No variant may be shipped: {decision.reasons[0] if decision.reasons else 'nothing is decided'}",
                where=f"{run_id}, {plan_.node_id}",
                hint="Keep it running, or stop it.",
            )
        if trial.template is None or not plan_.parameter:
            raise UserFixable(
                "TRIAL-NO-PARAMETER",
                "This experiment is not bound to a template's setting.",
                where=f"{run_id}, {plan_.node_id}",
                hint="Name the tested setting in the A/B test node.",
            )
        old, new = plan_.values[plan_.control], plan_.values[decision.variant]
        with self._store.transaction():
            promotion = self._store.learning.promote(
                template=trial.template,
                parameter=plan_.parameter,
                from_value=old,
                to_value=new,
                at=self._clock.now(),
                experiment_id=f"{run_id}/{plan_.node_id}",
                run_id=run_id,
            )
            told = {"verdict": decision.verdict, "variant": decision.variant, "reasons": list(decision.reasons)}
            self._store.learning.decide(f"{run_id}/{plan_.node_id}", told, self._clock.now())
        return Shipped(trial.template, plan_.parameter, old, new, str(promotion.id))

    def undo(self, undo_id: str) -> None:
        """Takes a shipped winner back; the parameter has its former default again."""
        if not undo_id.isdigit():
            raise UserFixable(
                "PROMOTION-UNKNOWN", f"There is no change “{undo_id}”.", hint="See the template's history."
            )
        self._store.learning.undo_promotion(int(undo_id), self._clock.now())

    def plan_new(
        self,
        *,
        baseline: float,
        smallest_lift: float,
        daily: int,
        variants: int = 2,
        control_share: float | None = None,
    ) -> Plan:
        """How many people a test of a rate needs, and how many days; `smallest_lift` is relative (0.2: a fifth more).

        `control_share`: of people who get what there is now, the rest in equal parts; None: all equal.

        Raises:
            UserFixable: EXPERIMENT-PLAN, with every value that does not fit.
        """
        weights = None
        if control_share is not None and variants > 1:
            weights = [control_share, *[(1 - control_share) / (variants - 1)] * (variants - 1)]
        return plan(baseline=baseline, mde_relative=smallest_lift, daily=daily, variants=variants, weights=weights)

    def findable(self, *, baseline: float, people: int, variants: int = 2) -> float | None:
        """The smallest lift that a test of so many people, in equal parts, finds in one look at the end with a chance
        of 80 %; None where no lift is large enough.
        """
        per_variant = people // variants
        if per_variant < 1:
            return None
        effect = detectable_effect(per_variant, baseline=baseline, alpha=ALPHA / max(variants - 1, 1))
        return effect / baseline if math.isfinite(effect) else None

    def _kept(self, run_id: str, node_id: str | None) -> StoredExperiment:
        kept = [e for e in self._store.learning.experiments(run_id) if node_id in (None, e.node_id)]
        if not kept:
            raise UserFixable(
                "TRIAL-NONE",
                "This run has no experiment.",
                where=run_id,
                hint="The list of experiments names those there are; an A/B test step makes one.",
            )
        return kept[0]

    def _accounts(self, run: RunRow, planned: TrialPlan) -> pl.DataFrame | None:
        """`contact_id, account` of everybody exposed, where accounts were drawn."""
        if planned.unit != "account":
            return None
        met = self._store.projections.contact_values(run.run_id, "exposed", planned.node_id)
        fields = self._store.contacts.at(run.at).fields(met["contact_id"].unique(), ["account"])
        return fields.select("contact_id", pl.col("account").cast(pl.String))

    def _spent_before(self, run: RunRow, kind: str, ids: pl.Series) -> pl.DataFrame:
        """`contact_id, value, count` of earlier goal events of these people, none later than the run's start."""
        view = self._store.events.seen_by(run.run_id).at(run.started_at)
        return view.totals(kind, since=BEGINNING, ids=ids).select("contact_id", "value", "count")

    def _traits(self, run: RunRow, ids: pl.Series, before: pl.DataFrame) -> pl.DataFrame:
        view = self._store.contacts.at(run.at)
        wanted = [name for name in TRAITS if name in view.names()]
        traits = trait_columns(view.fields(ids, wanted), wanted)
        if before.is_empty():
            return traits
        bought = (
            pl.when(pl.col("count").fill_null(0) > 0)
            .then(pl.lit("Bought before"))
            .otherwise(pl.lit("First-time buyers"))
        )
        joined = traits.join(before.select("contact_id", "count"), on="contact_id", how="left")
        return joined.select("contact_id", bought.alias(BOUGHT), *[c for c in traits.columns if c != "contact_id"])

    def _shipped(self, experiment_id: str, template: str | None) -> str | None:
        rows = self._store.learning.promotions(template) if template else []
        standing = [row for row in rows if row.experiment_id == experiment_id and row.undone_at is None]
        return str(standing[-1].id) if standing else None


def leading(result: TrialResult) -> str:
    """The treatment decided about, else the one with the highest lift."""
    decision, comparisons = result.analysis.decision, result.analysis.comparisons
    if decision.variant is not None and decision.variant != result.plan.control:
        return decision.variant
    return max(comparisons, key=lambda c: -1e9 if c.lift is None else c.lift).variant


def _other_splits(workflow: Workflow, node_id: str) -> dict[str, tuple[str, str]]:
    """The other tests of the workflow, with the first two variants of each."""
    found: dict[str, tuple[str, str]] = {}
    for node in workflow.nodes:
        if node.type == "exp.split" and node.enabled and node.id != node_id:
            variants = workflow.bound(node)["variants"]
            names = [str(v["id"]) for v in variants if isinstance(v, dict)] if isinstance(variants, Sequence) else []
            if len(names) >= 2:
                found[node.id] = (names[0], names[1])
    return found
