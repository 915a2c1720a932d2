"""Guardrails: what must not get worse while something else gets better.

Each is tested at the full alpha on its own: correcting for their number would make harm harder to see. Absent on
purpose: a guess which direction is harm.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from studio.experiments.anytime import ship_lift
from studio.experiments.spec import ExperimentSpec, Guardrail


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailCheck:
    """`passed`: harm beyond the margin is excluded. `harmed`: it is proven. Neither: not known yet, see `reason`."""

    name: str
    passed: bool
    harmed: bool
    reason: str


def check_guardrails(spec: ExperimentSpec, variant_id: str) -> Iterator[GuardrailCheck]:
    """One check per guardrail, by the one-sided sequences of the lift at alpha."""
    for guardrail in spec.guardrails:
        control, treatment = guardrail.arm(spec.control).estimate(), guardrail.arm(variant_id).estimate()
        interval = ship_lift(control, treatment, spec.planned_total, spec.alpha)
        if interval is None:
            unknown = f"too little data to rule out a change of {variant_id} beyond {_margin(guardrail)}."
            reason = f"{guardrail.name}: {unknown}"
            yield GuardrailCheck(name=guardrail.name, passed=guardrail.until_proven, harmed=False, reason=reason)
        else:
            yield _judge(guardrail, variant_id, *interval)


def _judge(guardrail: Guardrail, variant_id: str, low: float, high: float) -> GuardrailCheck:
    no_drop, no_rise = low > -guardrail.margin, high < guardrail.margin
    dropped, rose = high < -guardrail.margin, low > guardrail.margin
    passed = {"decrease": no_drop, "increase": no_rise, "either": no_drop and no_rise}[guardrail.harm]
    harmed = {"decrease": dropped, "increase": rose, "either": False}[guardrail.harm]
    change = f"{guardrail.name}: the change of {variant_id} lies between {100 * low:+.1f} % and {100 * high:+.1f} %"
    if harmed:
        reason = f"{change}, worse than the {_margin(guardrail)} allowed."
    elif passed:
        reason = f"{change}, within the {_margin(guardrail)} allowed."
    else:
        reason = f"{change}; {_margin(guardrail)} is allowed.{_hint(guardrail, moved=dropped or rose)}"
    passed = (passed or guardrail.until_proven) and not harmed
    return GuardrailCheck(name=guardrail.name, passed=passed, harmed=harmed, reason=reason)


def _hint(guardrail: Guardrail, *, moved: bool) -> str:
    if guardrail.harm == "either" and moved:
        return " Say which direction is worse (harm: increase or decrease) if this one is welcome."
    return ""


def _margin(guardrail: Guardrail) -> str:
    return f"{100 * guardrail.margin:g} %"
