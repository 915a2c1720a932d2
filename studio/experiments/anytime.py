"""Evidence that stays valid however often one looks: the asymptotic confidence sequence of a difference.

Absent on purpose: a memory of earlier looks (`band` intersects those) and a plan made from the data (N* is frozen at
the start).

References:
    Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, "Time-uniform central limit theory and asymptotic confidence
    sequences", Annals of Statistics 2024: theorem 2.2 (two-sided), appendix (one-sided and the best r²).
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from functools import lru_cache

import scipy  # `scipy.special` loads itself when it is first named: steps of a workflow import this module

from studio.experiments.lift import Interval, fieller, finite, finite_interval
from studio.experiments.moments import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class AnytimeResult:
    """Two-sided at 1 − alpha; None where the arms show no spread. `e_value` is capped at the largest float."""

    p_value: float | None
    e_value: float | None
    ci: Interval | None
    lift_ci: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipBound:
    """The one number that decides to ship: the one-sided lower bound of the effect at level `alpha`."""

    lower_bound: float | None
    alpha: float


@lru_cache(maxsize=256)
def tuning(alpha: float, planned_total: float) -> float:
    """The r² that makes a two-sided sequence of level `alpha` narrowest at `planned_total` units; 0 < alpha < 1."""
    return (-float(scipy.special.lambertw(-alpha * alpha / math.e, -1).real) - 1) / planned_total


def boundary(n: float, r2: float, alpha: float) -> float:
    """Two-sided boundary in standard errors at `n` units of both arms together."""
    growth = n * r2 + 1
    return math.sqrt(2 * growth / (n * r2) * math.log(math.sqrt(growth) / alpha))


def boundary_one_sided(n: float, r2: float, alpha: float) -> float:
    """One-sided boundary in standard errors; tune r² for 2·alpha."""
    growth = n * r2 + 1
    return math.sqrt(2 * growth / (n * r2) * math.log1p(math.sqrt(growth) / (2 * alpha)))


def log_e_value(n: float, z: float, r2: float) -> float:
    """Logarithm of the two-sided e-value of a difference of `z` standard errors at `n` units."""
    growth = n * r2 + 1
    return n * r2 * z * z / (2 * growth) - math.log(growth) / 2


def compare_anytime(
    control: Estimate | None, treatment: Estimate | None, alpha: float, planned_total: int
) -> AnytimeResult:
    """Interval, e-value and p-value of treatment − control with N* = `planned_total`."""
    error = standard_error(control, treatment)
    if error is None or control is None or treatment is None:
        return AnytimeResult(p_value=None, e_value=None, ci=None, lift_ci=None)
    n, r2, effect = control.n + treatment.n, tuning(alpha, planned_total), treatment.value - control.value
    width = boundary(n, r2, alpha)
    log_e = log_e_value(n, effect / error, r2)
    return AnytimeResult(
        p_value=math.exp(min(0.0, -log_e)),
        e_value=exp_capped(log_e),
        ci=finite_interval(effect - width * error, effect + width * error),
        lift_ci=fieller(control, treatment, width),
    )


def ship_bound(
    control: Estimate | None, treatment: Estimate | None, alpha: float, planned_total: int, treatments: int
) -> ShipBound:
    """Lower bound that an effect must have above zero to ship, at alpha / treatments."""
    level = alpha / treatments
    error = standard_error(control, treatment)
    if error is None or control is None or treatment is None:
        return ShipBound(lower_bound=None, alpha=level)
    width = ship_quantile(control.n + treatment.n, planned_total, level)
    return ShipBound(lower_bound=finite(treatment.value - control.value - width * error), alpha=level)


def ship_quantile(n: int, planned_total: int, level: float) -> float:
    """One-sided boundary in standard errors with r² tuned for twice the level."""
    return boundary_one_sided(n, tuning(2 * level, planned_total), level)


def ship_lift(
    control: Estimate | None, treatment: Estimate | None, planned_total: int, level: float
) -> Interval | None:
    """The lift between the ship bound and its mirror: the low end is above 0 exactly when the bound is."""
    if standard_error(control, treatment) is None or control is None or treatment is None:
        return None
    return fieller(control, treatment, ship_quantile(control.n + treatment.n, planned_total, level))


def standard_error(control: Estimate | None, treatment: Estimate | None) -> float | None:
    """Of the difference; None when an arm is unknown or nothing varies."""
    if control is None or treatment is None:
        return None
    error = math.sqrt(control.squared_error + treatment.squared_error)
    return error if error > 0 else None


def exp_capped(log_value: float) -> float:
    """e to the power, never infinite."""
    return math.exp(min(log_value, math.log(sys.float_info.max)))
