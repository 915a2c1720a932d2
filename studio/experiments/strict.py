"""Exact evidence for conversions: a 2×2 e-process from the counts alone, valid at any size and any look.

For each common rate θ the likelihood ratio of a fixed mixture of better treatments (control below θ, treatment above)
against (θ, θ) is a non-negative supermartingale whenever the treatment is not better and θ lies between the two true
rates. The smallest of these ratios over all θ is therefore an e-process for "not better", in whatever order contacts
arrive. Nine tenths of the mixture are close alternatives, tuned like the asymptotic sequence to the planned total; one
tenth is uniform and makes rates θ far from the data harmless. Asked for every ratio of the two rates instead of 1, the
same process bounds the lift (`strict_lift`): the truth is rejected in at most `alpha` of all experiments.

Absent on purpose: blocks of the data in order (Turner, Ly, Grünwald 2024), which need every look kept and lose power.

References:
    Turner, Ly, Grünwald, "Generic E-variables for exact sequential k-sample tests that allow for optional stopping",
    JSPI 2024 (the exact sequential 2×2 problem); Ramdas, Ruf, Larsson, Koolen, "Testing exchangeability: fork-convex
    hulls, supermartingales and e-processes", IJAR 2022 (infimum of test martingales over the null).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from studio.experiments.anytime import exp_capped, tuning
from studio.experiments.lift import Interval
from studio.experiments.moments import Proportion

_SCALES = np.geomspace(1e-4, 5.0, 48)
_WEIGHTS = _SCALES * np.exp(-(_SCALES**2) / 2)
_LOG_WEIGHTS = np.log(_WEIGHTS / _WEIGHTS.sum())
_LOG_CLOSE, _LOG_UNIFORM = math.log(0.9), math.log(0.1)
_LOG_ODDS_SCALE_MAX = 1.5
_REACH, _GRID = 12.0, 25
_ZOOMS, _NEAR = 2, np.array([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0])
_LOG_RATIO_MAX = math.log(1e3)
_HALVINGS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class StrictResult:
    """Evidence that the treatment is better than the control; None when not a proportion or an arm is empty."""

    e_value: float | None
    p_value: float | None


def compare_strict(
    control: Proportion, treatment: Proportion, alpha: float, planned_total: int, control_share: float = 0.5
) -> StrictResult:
    """One-sided e-value and p = min(1, 1 / e) for "the treatment is better".

    Args:
        alpha: level per treatment that the alternatives are tuned for.
        control_share: planned share of the control among the two; tunes power only, never validity.
    """
    if not control.n or not treatment.n:
        return StrictResult(e_value=None, p_value=None)
    log_e = log_e_better(control, treatment, alpha, planned_total, control_share)
    return StrictResult(e_value=exp_capped(log_e), p_value=math.exp(min(0.0, -log_e)))


def strict_lift(
    control: Proportion, treatment: Proportion, alpha: float, planned_total: int, control_share: float = 0.5
) -> Interval | None:
    """Every lift that the evidence leaves open, one-sided at `alpha` on either side; None without conversions in both.

    The low end is above 0 exactly when the e-value for "better" reaches 1 / alpha, the high end below 0 when that for
    "worse" does: at each ratio of the rates the same e-process is asked. Exact at any size and any look.
    """
    if not control.successes or not treatment.successes:
        return None
    seen = math.log(treatment.successes / treatment.n) - math.log(control.successes / control.n)

    def proven_above(log_ratio: float) -> bool:
        found = log_e_better(control, treatment, alpha, planned_total, control_share, math.exp(log_ratio))
        return found >= -math.log(alpha)

    def proven_below(log_ratio: float) -> bool:
        found = log_e_better(treatment, control, alpha, planned_total, 1 - control_share, math.exp(-log_ratio))
        return found >= -math.log(alpha)

    low, high = _last_proven(proven_above, seen, -1.0), _last_proven(proven_below, seen, 1.0)
    return math.expm1(low), math.expm1(high)


def _last_proven(is_proven: Callable[[float], bool], seen: float, away: float) -> float:
    """The ratio (its logarithm) nearest to the seen one that is proven to be beyond; 0 first, which decides."""
    if is_proven(0.0):
        inner, outer = seen, 0.0
    else:
        inner, outer = 0.0 if seen * away < 0 else seen, away * _LOG_RATIO_MAX
    for _ in range(_HALVINGS):
        middle = (inner + outer) / 2
        inner, outer = (inner, middle) if is_proven(middle) else (middle, outer)
    return outer


def log_e_better(
    control: Proportion,
    treatment: Proportion,
    alpha: float,
    planned_total: int,
    control_share: float = 0.5,
    ratio: float = 1.0,
) -> float:
    """Logarithm of the e-process for "the treatment's rate is above `ratio` times the control's". No empty arms."""
    share = min(max(control_share, 0.01), 0.99)
    # θ is the control's rate; what the treatment says about it is its own rate over the ratio.
    scaled = min(treatment.successes / ratio, float(treatment.n))
    rate = (control.successes + scaled + 0.5) / (control.n + treatment.n + 1)
    centre = math.log(rate) - math.log1p(-rate)
    error = 1 / math.sqrt((control.n + treatment.n + 1) * rate * (1 - rate))
    own = [_logit(control.successes, control.n), _logit(scaled, treatment.n)]
    grid = np.linspace(min(centre - _REACH * error, *own), max(centre + _REACH * error, *own), _GRID)
    r2 = tuning(2 * alpha, planned_total)
    values = _log_ratio(control, treatment, grid, r2, share, ratio)
    at = int(values.argmin())
    smallest, centre, step = float(values[at]), float(grid[at]), float(grid[1] - grid[0])
    for _ in range(_ZOOMS):
        step /= 4
        near = centre + step * _NEAR
        values = _log_ratio(control, treatment, near, r2, share, ratio)
        at = int(values.argmin())
        if values[at] < smallest:
            smallest, centre = float(values[at]), float(near[at])
    return smallest


def _logit(hits: float, n: int) -> float:
    rate = (hits + 0.5) / (n + 1)
    return math.log(rate) - math.log1p(-rate)


def _log_ratio(
    control: Proportion,
    treatment: Proportion,
    logits: NDArray[np.float64],
    r2: float,
    share: float,
    ratio: float = 1.0,
) -> NDArray[np.float64]:
    """The mixture against (θ, θ · ratio) at each θ. Where that is no rate the treatment has no say, whatever it did."""
    if ratio == 1.0:
        own, has_say = logits, None
    else:
        rates = special.expit(logits) * ratio
        has_say = rates < 1
        own = special.logit(np.where(has_say, rates, 0.5))
    close = _log_close(control, treatment, logits, own, has_say, r2, share)
    uniform = _log_uniform_below(control.successes, control.n - control.successes, logits)
    of_treatment = _log_uniform_below(treatment.n - treatment.successes, treatment.successes, -own)
    uniform += of_treatment if has_say is None else has_say * of_treatment
    return np.logaddexp(_LOG_CLOSE + close, _LOG_UNIFORM + uniform)


def _log_close(
    control: Proportion,
    treatment: Proportion,
    logits: NDArray[np.float64],
    own: NDArray[np.float64],
    has_say: NDArray[np.bool_] | None,
    r2: float,
    share: float,
) -> NDArray[np.float64]:
    """Mixture over log odds ratios, half-normal with the width that suits the planned total at each θ."""
    rate = special.expit(logits)
    information = share * (1 - share) * rate * special.expit(-logits)
    width = np.minimum(np.sqrt(r2 / np.maximum(information, 1e-300)), _LOG_ODDS_SCALE_MAX)
    distance = width[:, None] * _SCALES[None, :]
    down, up = -(1 - share) * distance, share * distance
    own_rate = rate if has_say is None else special.expit(own)
    logs = control.successes * down - control.n * np.log1p(rate[:, None] * np.expm1(down))
    of_treatment = treatment.successes * up - treatment.n * np.log1p(own_rate[:, None] * np.expm1(up))
    logs += of_treatment if has_say is None else has_say[:, None] * of_treatment
    logs += _LOG_WEIGHTS
    # As scipy's logsumexp, whose checks take longer than this sum.
    highest = logs.max(axis=1)
    return highest + np.log(np.exp(logs - highest[:, None]).sum(axis=1))


def _log_uniform_below(hits: int, misses: int, logits: NDArray[np.float64]) -> NDArray[np.float64]:
    log_rate, log_rest = special.log_expit(logits), special.log_expit(-logits)
    mass = special.betainc(hits + 1, misses + 1, special.expit(logits))
    # A mass too small for a float only loses evidence: the other part of the mixture carries the answer.
    log_mass = np.log(np.maximum(mass, 1e-300))
    return log_mass + special.betaln(hits + 1, misses + 1) - log_rate - hits * log_rate - misses * log_rest
