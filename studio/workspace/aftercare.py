"""After a winner was shipped: new workflows keep some people on the old value, so that a mistake would show.

Absent on purpose: taking anything back by itself; a person decides, and the screen says when to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import JsonValue

from studio.domain.workflow import Node, Workflow
from studio.experiments.moments import Proportion
from studio.experiments.vigil import OLD_SHARE, Vigil, watch
from studio.store.learning import Promotion

if TYPE_CHECKING:
    from studio.analytics.trials import TrialPlan, TrialResult

OLD_LABEL = "Kept on the old one"


def with_old_value(workflow: Workflow, promotions: Sequence[Promotion]) -> Workflow:
    """The workflow with every test of a promoted setting turned into nine tenths winner and one tenth old value.

    Only tests of two variants whose first one is bound to the setting; undone promotions count for nothing.
    """
    old = {p.parameter: p.from_value for p in promotions if p.undone_at is None and p.from_value != p.to_value}
    if not old:
        return workflow
    return workflow.model_copy(update={"nodes": tuple(_kept(node, old) for node in workflow.nodes)})


def _kept(node: Node, old: dict[str, JsonValue]) -> Node:
    parameter, variants = node.parameters.get("parameter"), node.parameters.get("variants")
    if node.type != "exp.split" or parameter not in old or not isinstance(variants, list) or len(variants) != 2:
        return node
    first, second = variants
    if node.parameters.get("allocation") == "adaptive":
        return node
    if not isinstance(first, dict) or not isinstance(second, dict) or first.get("value") != {"$param": parameter}:
        return node
    pair: list[JsonValue] = [
        {**first, "weight": 1 - OLD_SHARE},
        {**second, "weight": OLD_SHARE, "label": OLD_LABEL, "value": old[str(parameter)]},
    ]
    return node.model_copy(update={"parameters": {**node.parameters, "variants": pair}})


def promotion_watched(plan: TrialPlan, template: str | None, promotions: Sequence[Promotion]) -> Promotion | None:
    """The newest standing promotion whose new and old value this experiment compares; None where there is none."""
    for promotion in reversed(promotions):
        is_of_this = (promotion.template, promotion.parameter) == (template, plan.parameter)
        if is_of_this and promotion.undone_at is None and promotion.run_id != plan.run_id:
            values = set(plan.values.values())
            if {str(promotion.from_value), str(promotion.to_value)} <= values:
                return promotion
    return None


def watched(result: TrialResult, promotion: Promotion) -> Vigil:
    """People kept on the old value against people on the new one."""
    arms = {}
    for variant in result.variants:
        arm = Proportion(variant.people, variant.converted)
        arms[variant.value] = arms[variant.value].merge(arm) if variant.value in arms else arm
    old, new = arms[str(promotion.from_value)], arms[str(promotion.to_value)]
    return watch(old, new, planned_total=result.plan.planned_total, alpha=result.plan.alpha)
