"""What an experiment of a workflow is asked, fixed before its first person: control, weights, size, smallest effect.

Absent on purpose: results.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

from pydantic import JsonValue

from studio.analytics.trials import TrialPlan, Unit
from studio.domain.duration import format_duration, parse_duration
from studio.domain.ports import RunRow
from studio.domain.workflow import Node, Workflow, parameter_refs
from studio.experiments.planner import plan
from studio.store.learning import StoredExperiment
from studio.workspace.insights import predictions_of

MDE_RELATIVE = 0.2
"""The smallest relative lift a subject test is planned for, unless the split says otherwise."""
MINIMUM_DAYS = 7
FALLBACK_BASELINE = 0.03


def plan_of(run: RunRow, workflow: Workflow, node: Node) -> TrialPlan:
    """What the experiment is asked and how many people it takes, from the prediction made before it starts."""
    bound = workflow.bound(node)
    variants = [variant for variant in bound["variants"] if isinstance(variant, dict)]  # type: ignore[union-attr]
    predicted = predictions_of(run).get("conversion_rate")
    baseline = min(max(predicted.mean if predicted else FALLBACK_BASELINE, 0.001), 0.5)
    weights = {str(v["id"]): float(v.get("weight", 1.0)) for v in variants}
    # A rate cannot rise above one.
    smallest = min(_number(bound.get("smallest_lift"), MDE_RELATIVE), 0.95 / baseline - 1)
    adaptive = bound.get("allocation") == "adaptive"
    planned = plan(baseline=baseline, mde_relative=smallest, variants=len(variants), weights=list(weights.values()))
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
        mde=baseline * smallest,
        mode="strict" if bound.get("evidence") == "strict" and not adaptive else "anytime",
        minimum_run=timedelta(days=_number(bound.get("minimum_days"), MINIMUM_DAYS)),
        adaptive=adaptive,
        unit=_unit(bound.get("unit")),
    )


def as_spec(planned: TrialPlan) -> dict[str, JsonValue]:
    """The plan as the store keeps it."""
    spec = asdict(planned)
    spec["minimum_run"] = format_duration(planned.minimum_run)
    return spec


def as_plan(kept: StoredExperiment) -> TrialPlan:
    """The plan `as_spec` was given."""
    spec = dict(kept.spec)
    spec["minimum_run"] = parse_duration(str(spec["minimum_run"]))
    return TrialPlan(**spec)  # type: ignore[arg-type] - written by `as_spec`


def _parameter_of(node: Node) -> str | None:
    first = next(iter(parameter_refs(node.parameters.get("variants"))), None)
    return first[1] if first else None


def _number(value: JsonValue, otherwise: float) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else otherwise


def _unit(value: JsonValue) -> Unit:
    return "key" if value == "key" else "account" if value == "account" else "contact"


def goal_window(workflow: Workflow) -> timedelta | None:
    """How long a person has to reach the workflow's goal; None without a goal."""
    goals = [node for node in workflow.nodes if node.type == "flow.goal" and node.enabled]
    value = workflow.bound(goals[0]).get("window") if goals else None
    return parse_duration(value) if isinstance(value, str) else None
