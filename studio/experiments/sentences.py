"""The words of a decision: plain sentences for a marketer, made from numbers. Absent on purpose: any rule."""

from __future__ import annotations

from studio.experiments.moments import Arm, Proportion, Ratio
from studio.experiments.result import Comparison
from studio.experiments.spec import ExperimentSpec, Metric, Variant


def value_of(metric: Metric, value: float) -> str:
    """A rate as per cent, any other value with four digits."""
    return f"{100 * value:.2f} %" if metric == "proportion" else f"{value:.4g}"


def change_of(metric: Metric, value: float) -> str:
    """A signed difference: points for rates."""
    return f"{100 * value:+.2f} points" if metric == "proportion" else f"{value:+.4g}"


def describe(spec: ExperimentSpec, treatment: Variant, comparison: Comparison) -> str | None:
    """ "B: 3.00 % against 2.40 % for A, a lift of +24.8 %." None while a value is unknown."""
    a, b = spec.control_variant.arm.estimate(), treatment.arm.estimate()
    if a is None or b is None:
        return None
    lifted = "" if comparison.lift is None else f", a lift of {100 * comparison.lift:+.1f} %"
    values = f"{value_of(spec.metric, b.value)} against {value_of(spec.metric, a.value)}"
    return f"{treatment.id}: {values} for {spec.control}{lifted}."


def gaps(spec: ExperimentSpec, comparisons: tuple[Comparison, ...]) -> list[str]:
    """Why figures are missing; one sentence at least for every comparison in which one is."""
    lines = [line for variant in spec.variants if (line := _unknown(variant))]
    for treatment, comparison in zip(spec.treatments, comparisons, strict=True):
        if spec.control_variant.arm.estimate() is not None and treatment.arm.estimate() is not None:
            lines += _missing(spec, treatment, comparison)
    return lines


def _unknown(variant: Variant) -> str | None:
    arm = variant.arm
    if arm.n == 0:
        return f"{variant.id} has no contacts yet, so it cannot be compared."
    if not isinstance(arm, Proportion) and arm.n == 1:
        return f"{variant.id} has one contact only, so its spread is not known and it cannot be compared."
    if isinstance(arm, Ratio) and arm.estimate() is None:
        return f"The denominator of {variant.id} is zero, so its ratio is not defined."
    return None


def _missing(spec: ExperimentSpec, treatment: Variant, comparison: Comparison) -> list[str]:
    pair = f"{spec.control} and {treatment.id}"
    if comparison.anytime.ci is None or comparison.fixed.p_value is None:
        return [_no_spread(spec.metric, spec.control_variant.arm, treatment.arm, pair)]
    if comparison.lift is None:
        return [f"The value of {spec.control} is zero, so a lift of {treatment.id} is not defined."]
    if comparison.anytime.lift_ci is None or comparison.fixed.lift_ci is None:
        return [f"The lift of {treatment.id} is not identified yet: the value of {spec.control} is too uncertain."]
    return []


def _no_spread(metric: Metric, control: Arm, treatment: Arm, pair: str) -> str:
    if isinstance(control, Proportion) and isinstance(treatment, Proportion):
        if control.successes + treatment.successes == 0:
            return f"Nobody has converted in {pair} yet, so some figures are missing."
        return f"In {pair} everybody in a variant did the same, so some figures are missing."
    noun = "outcome" if metric == "mean" else "ratio"
    return f"The {noun} does not vary in {pair}, so no interval can be given."
