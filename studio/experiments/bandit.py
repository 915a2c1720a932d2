"""An experiment whose shares follow what is being learnt, every propensity logged, with an inference that stays valid.

Shares are the chance of each variant to be the best (Thompson sampling, by quadrature, so without chance of its own),
over a floor. A plain test on such data finds winners that are none, because a variant that starts badly is hardly seen
again; here every outcome counts by the inverse of its propensity. Absent on purpose: state; waves come from the log.

References:
    Thompson, "On the likelihood that one unknown probability exceeds another", Biometrika 1933.
    Russo, "Simple Bayesian algorithms for best arm identification", COLT 2016 (top-two).
    Hadad, Hirshberg, Zhan, Wager, Athey, "Confidence intervals for policy evaluation in adaptive experiments",
    PNAS 2021.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from studio.experiments.anytime import (
    AnytimeResult,
    ShipBound,
    boundary,
    exp_capped,
    log_e_value,
    ship_quantile,
    tuning,
)
from studio.experiments.bayes import chances_of_best
from studio.experiments.lift import finite, finite_interval
from studio.experiments.moments import Proportion

FLOOR = 0.1
WARM_UP = 100
"""People per variant before shares move at all."""


@dataclass(frozen=True, slots=True)
class Wave:
    """People who were assigned under the same shares: `shares` (they sum to 1) and arms by variant, none below zero."""

    shares: Mapping[str, float]
    arms: Mapping[str, Proportion]


@dataclass(frozen=True, slots=True)
class Contrast:
    """The effect of one treatment as a mean of `n` pseudo-outcomes with variance `variance`."""

    n: int
    effect: float
    variance: float

    @property
    def error(self) -> float:
        return math.sqrt(self.variance / self.n)


def shares(arms: Mapping[str, Proportion], *, floor: float = FLOOR, top_two: bool = False) -> dict[str, float]:
    """The shares for the people who come next.

    Args:
        arms: all outcomes known so far.
        floor: the least share of each variant; below 1 / number of variants. 10 % keeps the inference sharp.
        top_two: for finding the best rather than for earning meanwhile: half goes to the runner-up.

    Raises:
        ValueError: a floor that leaves nothing to share out.
    """
    count = len(arms)
    if not 0 <= floor * count < 1:
        raise ValueError(f"a floor of {floor:g} for each of {count} variants leaves nothing to share out")
    best = chances_of_best(list(arms.values()))
    if best is None or min(arm.n for arm in arms.values()) < WARM_UP:
        return dict.fromkeys(arms, 1 / count)
    if top_two:
        best = _top_two(best)
    return {name: floor + (1 - count * floor) * chance for name, chance in zip(arms, best, strict=True)}


def _top_two(best: Sequence[float]) -> list[float]:
    """Half by the chance to be best, half by the chance to be best among the others."""
    found = []
    for index, chance in enumerate(best):
        # Drawn second: another one came first, and this one was drawn when that one was left out.
        second = sum(other * chance / (1 - other) for at, other in enumerate(best) if at != index and other < 1)
        found.append(0.5 * chance + 0.5 * second)
    whole = sum(found)
    return [share / whole for share in found]


def contrast(waves: Sequence[Wave], control: str, treatment: str) -> Contrast | None:
    """The effect of treatment − control by augmented inverse propensity weighting; None without people.

    Each wave's means are those of the waves before it, so that nothing in a wave knows its own outcomes. Everybody
    counts, also who got a third variant. Waves without a share for one of the two teach nothing and are left out.
    """
    n, total, square = 0, 0.0, 0.0
    known = {control: Proportion(0, 0), treatment: Proportion(0, 0)}
    for wave in waves:
        pair = (wave.shares.get(control, 0.0), wave.shares.get(treatment, 0.0))
        if min(pair) > 0:
            people, first, second = _pseudo(wave, control, treatment, _rate(known[control]), _rate(known[treatment]))
            n, total, square = n + people, total + first, square + second
        for name, before in known.items():
            known[name] = before.merge(wave.arms.get(name, Proportion(0, 0)))
    if n < 2:
        return None
    mean = total / n
    return Contrast(n, mean, max(square / n - mean * mean, 0.0) * n / (n - 1))


def _pseudo(wave: Wave, control: str, treatment: str, low: float, high: float) -> tuple[int, float, float]:
    """People of the wave, and sum and sum of squares of their pseudo-outcomes (0/1 outcomes take two values each)."""
    people = sum(arm.n for arm in wave.arms.values())
    base = high - low
    total = square = 0.0
    counted = 0
    for name, mean, sign in ((control, low, -1), (treatment, high, 1)):
        arm, share = wave.arms.get(name, Proportion(0, 0)), wave.shares[name]
        for count, outcome in ((arm.successes, 1.0), (arm.n - arm.successes, 0.0)):
            value = base + sign * (outcome - mean) / share
            total, square = total + count * value, square + count * value * value
        counted += arm.n
    others = people - counted
    return people, total + others * base, square + others * base * base


def control_value(waves: Sequence[Wave], control: str) -> float | None:
    """The control's own rate by inverse propensity weighting, normalised; None without people in it."""
    weights = values = 0.0
    for wave in waves:
        arm, share = wave.arms.get(control, Proportion(0, 0)), wave.shares.get(control, 0.0)
        if share > 0:
            weights, values = weights + arm.n / share, values + arm.successes / share
    return values / weights if weights > 0 else None


def _rate(arm: Proportion) -> float:
    return (arm.successes + 0.5) / (arm.n + 1)


def compare_adaptive(
    found: Contrast | None, alpha: float, planned_total: int, treatments: int = 1
) -> tuple[AnytimeResult, ShipBound]:
    """Interval, evidence and ship bound of a contrast, valid at any look; None where nothing varies.

    `planned_total` counts all variants. The lift has no interval: the control's own value is not part of the contrast.
    """
    level = alpha / treatments
    if found is None or not found.variance > 0:
        return AnytimeResult(p_value=None, e_value=None, ci=None, lift_ci=None), ShipBound(
            lower_bound=None, alpha=level
        )
    r2 = tuning(alpha, planned_total)
    half = boundary(found.n, r2, alpha) * found.error
    log_e = log_e_value(found.n, found.effect / found.error, r2)
    bound = found.effect - ship_quantile(found.n, planned_total, level) * found.error
    return (
        AnytimeResult(
            p_value=math.exp(min(0.0, -log_e)),
            e_value=exp_capped(log_e),
            ci=finite_interval(found.effect - half, found.effect + half),
            lift_ci=None,
        ),
        ShipBound(lower_bound=finite(bound), alpha=level),
    )


def merged(waves: Sequence[Wave]) -> dict[str, Proportion]:
    """All waves together, by variant in order of appearance: what is shown, not what is tested."""
    whole: dict[str, Proportion] = {}
    for wave in waves:
        for name, arm in wave.arms.items():
            whole[name] = whole.get(name, Proportion(0, 0)).merge(arm)
    return whole
