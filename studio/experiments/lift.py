"""The lift (treatment / control − 1) as a set of values that the data do not contradict.

Absent on purpose: log ratios, which need positive means and miss badly with heavy tails.
"""

from __future__ import annotations

import math
from typing import TypeAlias

from studio.experiments.moments import Estimate

Interval: TypeAlias = tuple[float, float]


def lift(control: Estimate | None, treatment: Estimate | None) -> float | None:
    """Treatment / control − 1; None when the control's value is zero or an arm is unknown."""
    if control is None or treatment is None or control.value == 0:
        return None
    return finite(treatment.value / control.value - 1)


def fieller(control: Estimate, treatment: Estimate, quantile: float) -> Interval | None:
    """All r with |mB − (1+r) mA| ≤ quantile · √(vB + (1+r)² vA); None when that set has no end ("not identified yet").

    Holds r = 0 exactly when the interval of the difference at the same quantile holds 0.

    References:
        Fieller, "Some problems in interval estimation", JRSS B 1954.
    """
    scale = max(abs(control.value), abs(treatment.value), math.sqrt(control.squared_error + treatment.squared_error))
    if scale == 0:
        return None
    a_value, b_value = control.value / scale, treatment.value / scale
    # The variances are divided twice because the square of a tiny scale is zero.
    a_noise = quantile * quantile * (control.squared_error / scale / scale)
    b_noise = quantile * quantile * (treatment.squared_error / scale / scale)
    square = a_value * a_value - a_noise
    if square <= 0:
        return None
    cross = a_value * b_value
    root = math.sqrt(max(b_noise * a_value * a_value + a_noise * b_value * b_value - a_noise * b_noise, 0.0))
    # The larger root directly and the other from their product, so that neither is a difference of near equals.
    large = cross + math.copysign(root, cross)
    ends = (large / square, (b_value * b_value - b_noise) / large if large else 0.0)
    return finite_interval(min(ends) - 1, max(ends) - 1)


def delta_lift(control: Estimate, treatment: Estimate, quantile: float) -> Interval | None:
    """First-order interval of the lift, beside Fieller's for comparison with other tools; None without a control value.

    References:
        Deng, Knoblich, Lu, "Applying the delta method in metric analytics", KDD 2018.
    """
    value = lift(control, treatment)
    if value is None:
        return None
    ratio = treatment.value / control.value
    error = math.sqrt(treatment.squared_error + ratio * ratio * control.squared_error) / abs(control.value)
    return finite_interval(value - quantile * error, value + quantile * error)


def finite(value: float) -> float | None:
    """The value, or None for what is not a number on the line."""
    return float(value) if math.isfinite(value) else None


def finite_interval(low: float, high: float) -> Interval | None:
    """The interval, or None when an end is not a number on the line."""
    return (float(low), float(high)) if math.isfinite(low) and math.isfinite(high) else None
