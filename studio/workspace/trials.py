"""The story of experiments: freezing a plan, reading the result, shipping the winner, taking it back.

Absent on purpose: statistics (`experiments`) and counting (`analytics`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from pydantic import JsonValue

from studio.analytics.facts import Design
from studio.analytics.trials import TrialPlan, TrialResult, trial_result
from studio.domain.clock import Clock
from studio.domain.duration import format_duration, parse_duration
from studio.domain.errors import UserFixable
from studio.domain.ports import RunRow
from studio.domain.workflow import Node, Workflow, parameter_refs, parse_workflow
from studio.experiments.planner import Plan, plan
from studio.store.learning import StoredExperiment
from studio.store.store import Store
from studio.workspace.insights import predictions_of

MDE_RELATIVE = 0.2
"""The smallest relative lift a subject test is planned for, unless the split says otherwise."""
FALLBACK_BASELINE = 0.03


@dataclass(frozen=True, slots=True)
class Trial:
    """One experiment with its result now. `goal` is the kind of event that counts as converted."""

    run: RunRow
    template: str | None
    result: TrialResult
    shipped: str | None = None
    goal: str = "order"


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

    def freeze(self, run: RunRow, workflow: Workflow) -> None:
        """Keeps the plan of every experiment of a run that is about to start; N* never changes afterwards."""
        for node in workflow.nodes:
            if node.type == "exp.split" and node.enabled:
                planned = plan_of(run, workflow, node)
                self._store.learning.start_experiment(
                    StoredExperiment(
                        id=f"{run.run_id}/{node.id}",
                        run_id=run.run_id,
                        node_id=node.id,
                        spec=_as_spec(planned),
                        planned_total=planned.planned_total,
                        alpha=planned.alpha,
                        started_at=run.started_at,
                    )
                )

    def list(self) -> tuple[Trial, ...]:
        """All experiments, newest first."""
        return tuple(self.of(e.run_id, e.node_id) for e in reversed(self._store.learning.experiments()))

    def of(self, run_id: str, node_id: str | None = None) -> Trial:
        """One experiment of a run (its first when no node is named); UserFixable TRIAL-NONE when it has none."""
        kept = [e for e in self._store.learning.experiments(run_id) if node_id in (None, e.node_id)]
        if not kept:
            raise UserFixable("TRIAL-NONE", "This run has no experiment.", where=run_id, hint="Add an A/B test node.")
        run = self._store.runs.get(run_id)
        workflow = parse_workflow(self._store.runs.document(run.version))
        result = trial_result(self._store.projections, _as_plan(kept[0]), run.at)
        template = workflow.template.id if workflow.template else None
        shipped = self._shipped(kept[0].id, template)
        return Trial(run, template, result, shipped, Design.of(workflow).goal_kind)

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

    def plan_new(self, *, baseline: float, smallest_lift: float, daily: int, variants: int = 2) -> Plan:
        """How many people a test of a rate needs, and how many days; `smallest_lift` is relative (0.2: a fifth more).

        Raises:
            UserFixable: EXPERIMENT-PLAN, with every value that does not fit.
        """
        return plan(baseline=baseline, mde_relative=smallest_lift, daily=daily, variants=variants)

    def _shipped(self, experiment_id: str, template: str | None) -> str | None:
        rows = self._store.learning.promotions(template) if template else []
        standing = [row for row in rows if row.experiment_id == experiment_id and row.undone_at is None]
        return str(standing[-1].id) if standing else None


def plan_of(run: RunRow, workflow: Workflow, node: Node) -> TrialPlan:
    """What the experiment is asked and how many people it takes, from the prediction made before it starts."""
    bound = workflow.bound(node)
    variants = [variant for variant in bound["variants"] if isinstance(variant, dict)]  # type: ignore[union-attr]
    predicted = predictions_of(run).get("conversion_rate")
    baseline = min(max(predicted.mean if predicted else FALLBACK_BASELINE, 0.001), 0.5)
    planned = plan(baseline=baseline, mde_relative=MDE_RELATIVE, variants=len(variants))
    weights = {str(v["id"]): float(v.get("weight", 1.0)) for v in variants}
    whole = sum(weights.values())
    return TrialPlan(
        run_id=run.run_id,
        node_id=node.id,
        name=node.label or node.id,
        control=str(variants[0]["id"]),
        weights={variant: weight / whole for variant, weight in weights.items()},
        values={str(v["id"]): str(v.get("value", v["id"])) for v in variants},
        parameter=str(bound.get("parameter") or "") or _parameter_of(node),
        planned_total=planned.n_total,
        mde=baseline * MDE_RELATIVE,
    )


def _as_spec(planned: TrialPlan) -> dict[str, JsonValue]:
    spec = asdict(planned)
    spec["minimum_run"] = format_duration(planned.minimum_run)
    return spec


def _as_plan(kept: StoredExperiment) -> TrialPlan:
    spec = dict(kept.spec)
    spec["minimum_run"] = parse_duration(str(spec["minimum_run"]))
    return TrialPlan(**spec)  # type: ignore[arg-type] - written by `_as_spec`


def _parameter_of(node: Node) -> str | None:
    first = next(iter(parameter_refs(node.parameters.get("variants"))), None)
    return first[1] if first else None
