"""One look at a fixed sample size: Welch, pooled z with Newcombe's interval, lift by Fieller.

Absent on purpose: continuity corrections and one number for the test with another for the display. Valid once, at the
planned size; for looking often there is `anytime`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import special

from studio.experiments.lift import Interval, delta_lift, fieller, finite_interval
from studio.experiments.moments import Arm, Estimate, Proportion, Ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedResult:
    """Two-sided p-value and intervals at 1 − alpha; None where the data do not define one."""

    p_value: float | None
    ci: Interval | None
    lift_ci: Interval | None
    lift_ci_delta: Interval | None
    method: str


def compare_fixed(control: Arm, treatment: Arm, alpha: float) -> FixedResult:
    """The comparison that suits the kind of the two arms, which is the same for both."""
    if isinstance(control, Proportion) and isinstance(treatment, Proportion):
        return compare_proportions(control, treatment, alpha)
    if isinstance(control, Ratio):
        return compare_ratios(control.estimate(), treatment.estimate(), alpha)
    return compare_means(control.estimate(), treatment.estimate(), alpha)


def compare_proportions(control: Proportion, treatment: Proportion, alpha: float) -> FixedResult:
    """Pooled z without continuity correction for p, Newcombe for the difference, Fieller for the lift."""
    quantile = two_sided_quantile(alpha)
    return FixedResult(
        p_value=pooled_p_value(control, treatment),
        ci=newcombe(control, treatment, quantile),
        **_lifts(control.estimate(), treatment.estimate(), quantile),
        method="pooled z, Newcombe interval",
    )


def compare_means(control: Estimate | None, treatment: Estimate | None, alpha: float) -> FixedResult:
    """Welch's t-test and interval; the lift by Fieller at the same quantile, so that both agree about zero.

    References:
        Welch, "The generalization of Student's problem when several different population variances are involved",
        Biometrika 1947.
    """
    method = "Welch t"
    contrast = _contrast(control, treatment)
    if contrast is None or control is None or treatment is None:
        return FixedResult(p_value=None, ci=None, lift_ci=None, lift_ci_delta=None, method=method)
    effect, error = contrast
    freedom = satterthwaite(control, treatment)
    quantile = -float(special.stdtrit(freedom, alpha / 2))
    return FixedResult(
        p_value=min(1.0, 2 * float(special.stdtr(freedom, -abs(effect / error)))),
        ci=finite_interval(effect - quantile * error, effect + quantile * error),
        **_lifts(control, treatment, quantile),
        method=method,
    )


def compare_ratios(control: Estimate | None, treatment: Estimate | None, alpha: float) -> FixedResult:
    """Difference of two ratios with delta variances against the normal; the lift by Fieller."""
    method = "delta z"
    contrast = _contrast(control, treatment)
    if contrast is None:
        return FixedResult(p_value=None, ci=None, lift_ci=None, lift_ci_delta=None, method=method)
    effect, error = contrast
    quantile = two_sided_quantile(alpha)
    return FixedResult(
        p_value=two_sided_p_value(effect / error),
        ci=finite_interval(effect - quantile * error, effect + quantile * error),
        **_lifts(control, treatment, quantile),
        method=method,
    )


def pooled_p_value(control: Proportion, treatment: Proportion) -> float | None:
    """Two-sided p of the pooled z-test; None when nobody or everybody converted, or an arm is empty."""
    n, successes = control.n + treatment.n, control.successes + treatment.successes
    if not control.n or not treatment.n or successes in (0, n):
        return None
    error = math.sqrt(successes / n * ((n - successes) / n) * (1 / control.n + 1 / treatment.n))
    return two_sided_p_value((treatment.successes / treatment.n - control.successes / control.n) / error)


def newcombe(control: Proportion, treatment: Proportion, quantile: float) -> Interval | None:
    """Hybrid score interval of the difference treatment − control; None when an arm is empty.

    References:
        Newcombe, "Interval estimation for the difference between independent proportions", Statistics in Medicine 1998,
        method 10.
    """
    if not control.n or not treatment.n:
        return None
    a, b = control.successes / control.n, treatment.successes / treatment.n
    (a_low, a_high), (b_low, b_high) = wilson(control, quantile), wilson(treatment, quantile)
    effect = b - a
    return effect - math.hypot(b - b_low, a_high - a), effect + math.hypot(b_high - b, a - a_low)


def wilson(arm: Proportion, quantile: float) -> Interval:
    """Score interval of one rate; needs n ≥ 1.

    References:
        Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927.
    """
    n, rate, square = arm.n, arm.successes / arm.n, quantile * quantile
    centre = (rate + square / (2 * n)) / (1 + square / n)
    half = quantile / (1 + square / n) * math.sqrt(rate * (1 - rate) / n + square / (4 * n * n))
    # At 0 and at n the exact ends are 0 and 1; rounding would leave them a hair outside.
    return (0.0 if arm.successes == 0 else centre - half), (1.0 if arm.successes == n else centre + half)


def satterthwaite(control: Estimate, treatment: Estimate) -> float:
    """Degrees of freedom of Welch's test, written with shares so that tiny variances do not vanish when squared."""
    share = control.squared_error / (control.squared_error + treatment.squared_error)
    return 1 / (share * share / (control.n - 1) + (1 - share) * (1 - share) / (treatment.n - 1))


def two_sided_quantile(alpha: float) -> float:
    """The normal quantile at 1 − alpha/2."""
    return -float(special.ndtri(alpha / 2))


def two_sided_p_value(z: float) -> float:
    """From the tail itself: 1 − cdf would be zero beyond 8.3 standard errors."""
    return min(1.0, 2 * float(special.ndtr(-abs(z))))


def _contrast(control: Estimate | None, treatment: Estimate | None) -> tuple[float, float] | None:
    if control is None or treatment is None:
        return None
    error = math.sqrt(control.squared_error + treatment.squared_error)
    return (treatment.value - control.value, error) if error > 0 else None


def _lifts(control: Estimate | None, treatment: Estimate | None, quantile: float) -> dict[str, Interval | None]:
    if control is None or treatment is None:
        return {"lift_ci": None, "lift_ci_delta": None}
    return {
        "lift_ci": fieller(control, treatment, quantile),
        "lift_ci_delta": delta_lift(control, treatment, quantile),
    }
