"""Exact evidence for conversions: a 2×2 e-process from the counts alone, valid at any size and any look.

For each common rate θ the likelihood ratio of a fixed mixture of better treatments (control below θ, treatment above)
against (θ, θ) is a non-negative supermartingale whenever the treatment is not better and θ lies between the two true
rates. The smallest of these ratios over all θ is therefore an e-process for "not better", in whatever order contacts
arrive. Nine tenths of the mixture are close alternatives, tuned like the asymptotic sequence to the planned total; one
tenth is uniform and makes rates θ far from the data harmless.

Absent on purpose: blocks of the data in order (Turner, Ly, Grünwald 2024), which need every look kept and lose power.

References:
    Turner, Ly, Grünwald, "Generic E-variables for exact sequential k-sample tests that allow for optional stopping",
    JSPI 2024 (the exact sequential 2×2 problem); Ramdas, Ruf, Larsson, Koolen, "Testing exchangeability: fork-convex
    hulls, supermartingales and e-processes", IJAR 2022 (infimum of test martingales over the null).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from studio.experiments.anytime import exp_capped, tuning
from studio.experiments.moments import Proportion

_SCALES = np.geomspace(1e-4, 5.0, 48)
_WEIGHTS = _SCALES * np.exp(-(_SCALES**2) / 2)
_LOG_WEIGHTS = np.log(_WEIGHTS / _WEIGHTS.sum())
_LOG_CLOSE, _LOG_UNIFORM = math.log(0.9), math.log(0.1)
_LOG_ODDS_SCALE_MAX = 1.5
_REACH, _GRID, _ZOOM_GRID = 12.0, 25, 9
_ZOOMS = 2


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


def log_e_better(
    control: Proportion, treatment: Proportion, alpha: float, planned_total: int, control_share: float = 0.5
) -> float:
    """Logarithm of the e-process for "the treatment is better than the control". Both arms must be non-empty."""
    share = min(max(control_share, 0.01), 0.99)
    rate = (control.successes + treatment.successes + 0.5) / (control.n + treatment.n + 1)
    centre = math.log(rate) - math.log1p(-rate)
    error = 1 / math.sqrt((control.n + treatment.n + 1) * rate * (1 - rate))
    own = [_logit(arm) for arm in (control, treatment)]
    grid = np.linspace(min(centre - _REACH * error, *own), max(centre + _REACH * error, *own), _GRID)
    smallest = math.inf
    for _ in range(_ZOOMS + 1):
        values = _log_ratio(control, treatment, grid, tuning(2 * alpha, planned_total), share)
        at = int(values.argmin())
        smallest = min(smallest, float(values[at]))
        grid = np.linspace(grid[max(at - 1, 0)], grid[min(at + 1, grid.size - 1)], _ZOOM_GRID)
    return smallest


def _logit(arm: Proportion) -> float:
    rate = (arm.successes + 0.5) / (arm.n + 1)
    return math.log(rate) - math.log1p(-rate)


def _log_ratio(
    control: Proportion, treatment: Proportion, logits: NDArray[np.float64], r2: float, share: float
) -> NDArray[np.float64]:
    close = _log_close(control, treatment, logits, r2, share)
    uniform = _log_uniform(control, treatment, logits)
    return np.logaddexp(_LOG_CLOSE + close, _LOG_UNIFORM + uniform)


def _log_close(
    control: Proportion, treatment: Proportion, logits: NDArray[np.float64], r2: float, share: float
) -> NDArray[np.float64]:
    """Mixture over log odds ratios, half-normal with the width that suits the planned total at each θ."""
    rate = special.expit(logits)
    information = share * (1 - share) * rate * special.expit(-logits)
    width = np.minimum(np.sqrt(r2 / np.maximum(information, 1e-300)), _LOG_ODDS_SCALE_MAX)
    distance = width[:, None] * _SCALES[None, :]
    down, up = -(1 - share) * distance, share * distance
    logs = (
        control.successes * down
        - control.n * np.log1p(rate[:, None] * np.expm1(down))
        + treatment.successes * up
        - treatment.n * np.log1p(rate[:, None] * np.expm1(up))
    )
    logs += _LOG_WEIGHTS
    # As scipy's logsumexp, whose checks take longer than this sum.
    highest = logs.max(axis=1)
    return highest + np.log(np.exp(logs - highest[:, None]).sum(axis=1))


def _log_uniform(control: Proportion, treatment: Proportion, logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mixture of a control rate uniform below θ and a treatment rate uniform above θ."""
    return _log_uniform_below(control.successes, control.n - control.successes, logits) + _log_uniform_below(
        treatment.n - treatment.successes, treatment.successes, -logits
    )


def _log_uniform_below(hits: int, misses: int, logits: NDArray[np.float64]) -> NDArray[np.float64]:
    log_rate, log_rest = special.log_expit(logits), special.log_expit(-logits)
    mass = special.betainc(hits + 1, misses + 1, special.expit(logits))
    # A mass too small for a float only loses evidence: the other part of the mixture carries the answer.
    log_mass = np.log(np.maximum(mass, 1e-300))
    return log_mass + special.betaln(hits + 1, misses + 1) - log_rate - hits * log_rate - misses * log_rest
