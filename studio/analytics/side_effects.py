"""What else a treatment changed beside its goal: who opened, clicked, left and complained, of those who met the test.

For exploring: none of it ships or stops anything (guardrails do that by a rule of their own). Absent on purpose: tests
that draw carts or accounts, whose people are not the units, and adaptive ones, where variants differ in when people
came.
"""

from __future__ import annotations

from dataclasses import dataclass

from studio.analytics.facts import Facts, People, united, variant_of
from studio.analytics.trials import TrialPlan, TrialResult
from studio.experiments.anytime import compare_anytime
from studio.experiments.decision import has_burnt_in
from studio.experiments.families import e_benjamini_hochberg
from studio.experiments.lift import Interval, lift
from studio.experiments.moments import Proportion

SIDE_EFFECTS = {"opened": "Opened", "clicked": "Clicked", "unsubscribed": "Unsubscribed", "complained": "Complained"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SideEffect:
    """Different people of the control and the treatment who did something; machines do not count.

    `q_value`: of the outcomes at or below it, at most that share is chance, however often one looks and however the
    outcomes hang together; None while there are too few people. `lift_ci` is not corrected.
    """

    kind: str
    title: str
    control_rate: float | None
    rate: float | None
    lift: float | None
    lift_ci: Interval | None
    q_value: float | None


def side_effects(facts: Facts, result: TrialResult, treatment: str) -> tuple[SideEffect, ...]:
    """Those that happened at all, in the order of SIDE_EFFECTS."""
    plan = result.plan
    if plan.unit != "contact" or plan.adaptive:
        return ()
    found = _people(facts, plan)
    pairs = {
        kind: (_arm(result, plan.control, found, kind), _arm(result, treatment, found, kind)) for kind in SIDE_EFFECTS
    }
    pairs = {kind: pair for kind, pair in pairs.items() if pair[0].successes or pair[1].successes}
    share = max(plan.planned_total * 2 // len(plan.weights), 1)
    evidence = {
        kind: compare_anytime(a.estimate(), b.estimate(), plan.alpha, share)
        for kind, (a, b) in pairs.items()
        if has_burnt_in(a) and has_burnt_in(b)
    }
    corrected = e_benjamini_hochberg([one.e_value or 0.0 for one in evidence.values()])
    q_values = dict(zip(evidence, corrected, strict=True))
    return tuple(
        SideEffect(
            kind=kind,
            title=SIDE_EFFECTS[kind],
            control_rate=a.successes / a.n if a.n else None,
            rate=b.successes / b.n if b.n else None,
            lift=lift(a.estimate(), b.estimate()),
            lift_ci=evidence[kind].lift_ci if kind in evidence else None,
            q_value=q_values.get(kind),
        )
        for kind, (a, b) in pairs.items()
    )


def _people(facts: Facts, plan: TrialPlan) -> dict[tuple[str, str], int]:
    """(variant, kind) → different people."""
    groups: dict[tuple[str, str], list[People]] = {}
    for (kind, actor, arms), people in facts.people(
        plan.run_id, tuple(SIDE_EFFECTS), ("kind", "actor", "arms")
    ).items():
        variant = variant_of(plan.node_id, arms)
        if variant is not None and actor != "machine":
            groups.setdefault((variant, kind), []).append(people)
    return {key: united(found) for key, found in groups.items()}


def _arm(result: TrialResult, variant: str, found: dict[tuple[str, str], int], kind: str) -> Proportion:
    exposed = result.variant(variant).people
    return Proportion(exposed, min(found.get((variant, kind), 0), exposed))
