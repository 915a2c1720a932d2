"""The ship rule: what an experiment's evidence allows one to do now.

P(ever promoting a variant that is not better) ≤ alpha per experiment: asymptotically in mode "anytime", exactly in mode
"strict", for one look at the planned size in mode "fixed". Absent on purpose: the Bayesian view; it does not decide.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from scipy import special

from studio.experiments.anytime import ship_bound
from studio.experiments.families import dunnett
from studio.experiments.guardrail import GuardrailCheck, check_guardrails
from studio.experiments.moments import Arm, Mean, Proportion
from studio.experiments.result import Comparison, Decision
from studio.experiments.sentences import change_of, describe, gaps
from studio.experiments.spec import ExperimentSpec, Variant, control_share
from studio.experiments.srm import SampleRatio
from studio.experiments.strict import compare_strict

MINIMUM_RUN = timedelta(days=7)
CONVERSIONS_MIN = 25
CONTACTS_MIN = 500
FUTILE_AT = 3
"""Times the planned total: whoever has seen that many and proven nothing will not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """One treatment under the rule. `low` to `high` is the ship bound and its mirror."""

    treatment: Variant
    comparison: Comparison
    waits: tuple[str, ...]
    better: bool
    worse: bool
    guardrails: tuple[GuardrailCheck, ...]

    @property
    def effect(self) -> float:
        return self.comparison.effect if self.comparison.effect is not None else 0.0

    @property
    def low(self) -> float | None:
        return self.comparison.ship.lower_bound

    @property
    def high(self) -> float | None:
        return None if self.low is None else 2 * self.effect - self.low

    @property
    def ships(self) -> bool:
        return self.better and not self.waits and all(check.passed for check in self.guardrails)

    @property
    def harms(self) -> bool:
        return self.worse or any(check.harmed for check in self.guardrails)

    def within(self, mde: float) -> bool:
        return not self.waits and self.low is not None and self.high is not None and -mde < self.low <= self.high < mde


def decide(
    spec: ExperimentSpec,
    comparisons: tuple[Comparison, ...],
    srm: SampleRatio,
    *,
    now: datetime | None = None,
    minimum_run: timedelta = MINIMUM_RUN,
    settled: Mapping[str, Arm] | None = None,
) -> Decision:
    """Ship, stop or go on. `comparisons` are those of `spec.treatments`, in their order; for the rest see `analyze`."""
    notes = (*gaps(spec, comparisons), *_retired(spec))
    if srm.blocked:
        return Decision(verdict="blocked", variant=None, reasons=(_split_reason(srm), *notes))
    pairs = zip(spec.treatments, comparisons, strict=True)
    calendar = _minimum_run(spec, now, minimum_run)
    standings = [
        _stand(spec, treatment, comparison, (*calendar, *_unsettled(spec, treatment, settled)))
        for treatment, comparison in pairs
    ]
    decision = (
        _ship(spec, standings)
        or _stop_for_harm(spec, standings)
        or _stop_futile(spec, standings)
        or _keep_running(spec, standings)
    )
    return Decision(verdict=decision.verdict, variant=decision.variant, reasons=(*decision.reasons, *notes))


def _stand(spec: ExperimentSpec, treatment: Variant, comparison: Comparison, calendar: tuple[str, ...]) -> _Standing:
    burn_in = _burn_in(spec, treatment)
    better, worse = _evidence(spec, treatment, comparison, ready=not burn_in)
    return _Standing(
        treatment=treatment,
        comparison=comparison,
        waits=(*burn_in, *calendar),
        better=better,
        worse=worse,
        guardrails=tuple(check_guardrails(spec, treatment.id)),
    )


def _evidence(spec: ExperimentSpec, treatment: Variant, comparison: Comparison, *, ready: bool) -> tuple[bool, bool]:
    """Whether the treatment is proven better, and proven worse, by the evidence that the mode names."""
    if spec.mode == "fixed":
        p_value = _corrected_p_value(spec, comparison)
        proven = _is_complete(spec) and p_value is not None and p_value < spec.alpha
        effect = comparison.effect or 0.0
        return proven and effect > 0, proven and effect < 0
    if spec.mode == "strict":
        e_value = comparison.strict.e_value
        return e_value is not None and e_value >= 1 / spec.level, _is_strictly_worse(spec, treatment)
    low, effect = comparison.ship.lower_bound, comparison.effect
    if low is None or effect is None or not ready:
        # The normal approximation says nothing this early; exact evidence may still stop a broken variant.
        return low is not None and low > 0, _is_strictly_worse(spec, treatment)
    return low > 0, 2 * effect - low < 0


def deciding_p_value(comparison: Comparison) -> float | None:
    """The one p-value that counts in mode "fixed": the exact one where counts are small."""
    return comparison.fixed.p_value if comparison.exact.p_value is None else comparison.exact.p_value


def _corrected_p_value(spec: ExperimentSpec, comparison: Comparison) -> float | None:
    """Corrected for the number of treatments: by Dunnett, or by Bonferroni where the counts are small."""
    p_value = deciding_p_value(comparison)
    others = len(spec.treatments)
    if p_value is None or others == 1:
        return p_value
    if comparison.exact.p_value is not None:
        return min(1.0, p_value * others)
    z = -float(special.ndtri(p_value / 2)) if p_value > 0 else math.inf
    sizes = [other.arm.n for other in spec.treatments]
    return dunnett([z], sizes, spec.control_variant.arm.n)[0]


def _is_strictly_worse(spec: ExperimentSpec, treatment: Variant) -> bool:
    control = spec.control_variant
    if not isinstance(control.arm, Proportion) or not isinstance(treatment.arm, Proportion):
        return False
    share = 1 - control_share(control, treatment)
    reverse = compare_strict(treatment.arm, control.arm, spec.level, spec.planned_total, share)
    return reverse.e_value is not None and reverse.e_value >= 1 / spec.level


def _is_complete(spec: ExperimentSpec) -> bool:
    return spec.total >= spec.planned_total


def has_burnt_in(arm: Arm) -> bool:
    """Whether the arm holds enough for the normal approximation: 25 conversions, or 500 contacts with 25 payers."""
    return not _missing_of("", arm)


def _missing_of(name: str, arm: Arm) -> str | None:
    if isinstance(arm, Proportion):
        # Near 100 % it is those who did not convert that are rare, and the approximation needs 25 of the rare ones.
        hits, misses = arm.successes, arm.n - arm.successes
        if hits < CONVERSIONS_MIN:
            return f"{name} has {hits} of the {CONVERSIONS_MIN} conversions that a verdict needs."
        if misses < CONVERSIONS_MIN:
            return f"{name} has {misses} contacts who did not convert; a verdict needs {CONVERSIONS_MIN}."
        return None
    if arm.n < CONTACTS_MIN:
        return f"{name} has {arm.n} of the {CONTACTS_MIN} contacts that a verdict needs."
    if isinstance(arm, Mean) and arm.payers is not None and arm.payers < CONVERSIONS_MIN:
        return f"{name} has {arm.payers} of the {CONVERSIONS_MIN} paying contacts that a verdict needs."
    return None


def _burn_in(spec: ExperimentSpec, treatment: Variant) -> tuple[str, ...]:
    arms = ((spec.control, spec.control_variant.arm), (treatment.id, treatment.arm))
    return tuple(line for name, arm in arms if (line := _missing_of(name, arm)) is not None)


def _minimum_run(spec: ExperimentSpec, now: datetime | None, minimum_run: timedelta) -> tuple[str, ...]:
    if now is None or spec.started_at is None or now - spec.started_at >= minimum_run:
        return ()
    days = (now - spec.started_at) / timedelta(days=1)
    return (f"It has run for {days:.1f} of at least {minimum_run / timedelta(days=1):g} days.",)


def _unsettled(spec: ExperimentSpec, treatment: Variant, settled: Mapping[str, Arm] | None) -> tuple[str, ...]:
    """A variant that only speeds people up looks better until the others have caught up."""
    if settled is None:
        return ()
    a, b = settled[spec.control], settled[treatment.id]
    bound = ship_bound(a.estimate(), b.estimate(), spec.alpha, spec.planned_total, len(spec.treatments)).lower_bound
    if bound is not None and bound > 0 and has_burnt_in(a) and has_burnt_in(b):
        return ()
    return (f"Many may still convert; among those whose time has run out, {treatment.id} is not proven better yet.",)


def _split_reason(srm: SampleRatio) -> str:
    return (
        f"The variants did not get the shares of contacts that were planned (p = {srm.p_value:.2g}, {srm.method}). "
        "Find the cause, such as a filter behind the split, and start again: no difference can be trusted."
    )


def _retired(spec: ExperimentSpec) -> Iterable[str]:
    return [
        f"{variant.id} has weight 0 and {variant.arm.n:,} contacts; the check of the split leaves it out."
        for variant in spec.variants
        if variant.weight == 0 and variant.arm.n > 0
    ]


def _ship(spec: ExperimentSpec, standings: list[_Standing]) -> Decision | None:
    ready = [standing for standing in standings if standing.ships]
    if not ready:
        return None
    # By what is certain, not by what looks best: the highest raw effect is the luckiest.
    best = max(ready, key=lambda s: -math.inf if s.low is None else s.low)
    reasons = [*_shown(spec, best), _proof(spec, best), *(check.reason for check in best.guardrails)]
    reasons += [f"{s.treatment.id} does worse than {spec.control}." for s in standings if s.worse]
    return Decision(verdict="ship", variant=best.treatment.id, reasons=tuple(reasons))


def _stop_for_harm(spec: ExperimentSpec, standings: list[_Standing]) -> Decision | None:
    harmful = [standing for standing in standings if standing.harms]
    if not harmful:
        return None
    worst = min(harmful, key=lambda s: s.effect)
    name = worst.treatment.id
    reasons = [*_shown(spec, worst)]
    if worst.worse:
        reasons.append(f"{name} does worse than {spec.control} beyond reasonable doubt: stop sending {name}.")
    reasons += [check.reason for check in worst.guardrails if check.harmed]
    return Decision(verdict="stop_harm", variant=name, reasons=tuple(reasons))


def _stop_futile(spec: ExperimentSpec, standings: list[_Standing]) -> Decision | None:
    shown = [line for standing in standings for line in _shown(spec, standing)]
    if spec.mde is not None and all(standing.within(spec.mde) for standing in standings):
        size = change_of(spec.metric, spec.mde).lstrip("+")
        reason = f"Every difference is smaller than {size}, the smallest that matters: there is nothing more to find."
    elif spec.mode == "fixed" and _is_complete(spec) and not any(s.better or s.waits for s in standings):
        reason = f"The planned {spec.planned_total:,} contacts are reached and no difference is proven."
    elif spec.total >= FUTILE_AT * spec.planned_total:
        reason = f"{spec.total:,} contacts are {FUTILE_AT} times the plan or more, and no variant can be shipped."
    else:
        return None
    return Decision(verdict="stop_futile", variant=None, reasons=(*shown, reason))


def _keep_running(spec: ExperimentSpec, standings: list[_Standing]) -> Decision:
    reasons: list[str] = []
    for standing in standings:
        reasons += [*_shown(spec, standing), *_open(spec, standing)]
        reasons += [check.reason for check in standing.guardrails if not check.passed]
    waits = dict.fromkeys(wait for standing in standings for wait in standing.waits)
    if spec.mode == "fixed" and not _is_complete(spec):
        waits[f"Mode fixed decides once, at {spec.planned_total:,} contacts; there are {spec.total:,}."] = None
    return Decision(verdict="keep_running", variant=None, reasons=(*reasons, *waits))


def _shown(spec: ExperimentSpec, standing: _Standing) -> list[str]:
    line = describe(spec, standing.treatment, standing.comparison)
    return [] if line is None else [line]


def _proof(spec: ExperimentSpec, standing: _Standing) -> str:
    name = standing.treatment.id
    if spec.mode == "fixed":
        p_value = deciding_p_value(standing.comparison)
        return f"At the planned size the difference is significant (p = {p_value:.2g}): ship {name}."
    if spec.mode == "strict":
        e_value = standing.comparison.strict.e_value
        return f"The exact evidence is {e_value:.3g} to 1, {1 / spec.level:g} to 1 is needed: ship {name}."
    assert standing.low is not None
    gain = change_of(spec.metric, standing.low)
    return f"Even the cautious estimate is {gain}, and that holds however often you look: ship {name}."


def _open(spec: ExperimentSpec, standing: _Standing) -> list[str]:
    name = standing.treatment.id
    if standing.better:
        return [f"{name} is ahead by enough, but shipping needs more than that:"]
    if spec.mode == "fixed":
        return []
    e_value = standing.comparison.strict.e_value
    if spec.mode == "strict" and e_value is not None:
        return [f"The exact evidence for {name} is {e_value:.3g} to 1; {1 / spec.level:g} to 1 is needed."]
    if standing.low is None or standing.high is None:
        return []
    low, high = change_of(spec.metric, standing.low), change_of(spec.metric, standing.high)
    return [f"The true difference of {name} may be anything from {low} to {high}: not proven yet."]
