"""How many contacts an experiment needs: a closed form for one look, and what looking all the time costs.

Absent on purpose: data. The plan is made before the first contact and its total (N*) stays as it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from studio.domain.errors import Problem, UserFixable
from studio.experiments.anytime import boundary_one_sided, tuning
from studio.experiments.decision import CONTACTS_MIN, CONVERSIONS_MIN

PATHS = 2_000
_STEPS = 600
_CONTACTS_MAX = 10**12


@dataclass(frozen=True, slots=True, kw_only=True)
class SequentialPlan:
    """Contacts per variant until the ship rule promotes a treatment that has just the planned effect.

    `max_n_per_variant`: enough even for a single look, at the planned power. `median_n_per_variant`: half of such
    experiments have shipped by then. `stops` are the contacts per variant at which each simulated experiment shipped
    (infinite: not within the horizon), ascending.
    """

    median_n_per_variant: int
    max_n_per_variant: int
    stops: tuple[float, ...]

    def chance_by(self, n_per_variant: int) -> float:
        """Chance that an experiment with the planned effect has shipped by this many contacts per variant."""
        return float(np.searchsorted(self.stops, n_per_variant, side="right") / len(self.stops))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`days` is None without contacts per day. `n_total` is the N* to freeze.

    With unequal shares the numbers per variant are those of the smallest variant; `sizes` has all of them.
    """

    n_per_variant: int
    n_total: int
    days: int | None
    sequential: SequentialPlan
    sizes: tuple[int, ...]
    daily: int | None = None

    def people_at(self, n_per_variant: int) -> int:
        """Contacts in all variants when the smallest one has so many."""
        return round(n_per_variant * self.n_total / self.n_per_variant)

    def chance_by_day(self, day: float) -> float | None:
        """Chance that an experiment with the planned effect has shipped by then; None without contacts per day."""
        if self.days is None or self.daily is None:
            return None
        return self.sequential.chance_by(int(day * self.daily * self.n_per_variant / self.n_total))

    def day_of(self, n_per_variant: int) -> float | None:
        """The day on which the smallest variant has so many contacts; None without contacts per day."""
        return None if self.daily is None else self.people_at(n_per_variant) / self.daily

    def as_json(self) -> dict[str, object]:
        """As the contract of the command line names the fields."""
        return {
            "n_per_variant": self.n_per_variant,
            "n_total": self.n_total,
            "days": self.days,
            "sequential": {
                "median_n_per_variant": self.sequential.median_n_per_variant,
                "max_n_per_variant": self.sequential.max_n_per_variant,
            },
        }


def plan(
    *,
    baseline: float,
    mde: float | None = None,
    mde_relative: float | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
    variants: int = 2,
    metric: Literal["proportion", "mean"] = "proportion",
    sd: float | None = None,
    daily: int | None = None,
    covariate_correlation: float = 0.0,
    weights: Sequence[float] | None = None,
    seed: int = 1,
) -> Plan:
    """Contacts per variant to find an effect of `mde` with chance `power`, at alpha / treatments two-sided.

    Args:
        baseline: the control's rate or mean; mde: absolute; mde_relative: share of the baseline. One of the two.
        variants: all arms, the control included.
        sd: standard deviation of one contact's outcome, for a mean.
        daily: contacts that enter per day, all arms together.
        covariate_correlation: of the outcome with a number known before; reduces the variance by its square.
        weights: of the variants on any scale, the control's first; all equal unless said.
        seed: of the simulation behind the median.

    Raises:
        UserFixable: code EXPERIMENT-PLAN, with every problem found.
    """
    problems = _limits(alpha, power, variants, daily, covariate_correlation)
    effect = _effect(baseline, mde, mde_relative, problems)
    before, after = _variances(metric, baseline, effect, sd, problems)
    shares = _shares(variants, weights, problems)
    if problems:
        raise _refusal(problems)
    kept = 1 - covariate_correlation * covariate_correlation
    level, drift = alpha / (variants - 1), _drift(alpha / (variants - 1), power)
    # The treatment with the smallest share needs the most contacts in all.
    exact = drift * drift * kept * (before / shares[0] + after / min(shares[1:])) / effect / effect
    if not exact < _CONTACTS_MAX:
        raise _refusal([_problem("mde", "The effect is too small to be found.", "Choose a larger one.")])
    least = min(shares)
    n = max(math.ceil(exact * least - 1e-9), 2)
    sizes = tuple(math.ceil(n * share / least - 1e-9) for share in shares)
    total = sum(sizes)
    first = max(CONVERSIONS_MIN / baseline if metric == "proportion" else CONTACTS_MIN, 1.0)
    return Plan(
        n_per_variant=n,
        n_total=total,
        days=None if daily is None else math.ceil(total / daily),
        sequential=_sequential(n, first, level, power, shares[0] + min(shares[1:]), seed),
        sizes=sizes,
        daily=daily,
    )


def detectable_effect(
    n_per_variant: int, *, baseline: float, sd: float | None = None, alpha: float = 0.05, power: float = 0.8
) -> float:
    """The smallest absolute increase that n contacts per variant find with chance `power` in a fixed test.

    A rate without `sd`, a mean with it; alpha is per treatment. Infinite when no rate up to 1 is far enough.
    """
    drift = _drift(alpha, power)
    if sd is not None:
        return drift * sd * math.sqrt(2 / n_per_variant)
    # drift² (p(1 − p) + q(1 − q)) = n δ² with q = p + δ is a quadratic in δ.
    square = drift * drift
    a, b, c = n_per_variant + square, square * (2 * baseline - 1), -2 * square * baseline * (1 - baseline)
    effect = (-b + math.sqrt(b * b - 4 * a * c)) / (2 * a)
    return effect if baseline + effect <= 1 else math.inf


def _drift(level: float, power: float) -> float:
    """Standard errors that the effect must measure at the planned size."""
    return -float(special.ndtri(level / 2)) + float(special.ndtri(power))


def _sequential(n: int, first: float, level: float, power: float, share: float, seed: int) -> SequentialPlan:
    """`first`: contacts per variant before which nothing ships. `share`: of the pair in all contacts."""
    drift, r2 = _drift(level, power), tuning(2 * level, 1.0)
    largest = _single_look_size(drift, float(special.ndtri(power)), r2, level, share)
    relative = _stops(level, drift, share, max(largest, 1.0) * 2, seed)
    stops = np.maximum(relative * n, first)
    return SequentialPlan(
        median_n_per_variant=math.ceil(float(np.median(stops))),
        max_n_per_variant=math.ceil(max(largest * n, first)),
        stops=tuple(stops.tolist()),
    )


def _single_look_size(drift: float, reserve: float, r2: float, level: float, share: float) -> float:
    """In units of the fixed size: where the expected z exceeds the boundary by what the power asks for."""
    low, high = 0.01, 100.0
    for _ in range(80):
        middle = math.sqrt(low * high)
        enough = drift * math.sqrt(middle) >= boundary_one_sided(middle * share, r2, level) + reserve
        low, high = (low, middle) if enough else (middle, high)
    return high


@lru_cache(maxsize=32)
def _stops(level: float, drift: float, share: float, horizon: float, seed: int) -> NDArray[np.float64]:
    """Sizes in units of the fixed size at which simulated experiments ship, ascending; infinite for never.

    With the variance per contact constant the evidence is a Brownian motion with drift, whatever the metric.
    """
    sizes = np.geomspace(0.01, horizon, _STEPS)
    spreads = np.sqrt(np.diff(sizes, prepend=0.0))
    steps = np.random.default_rng(seed).standard_normal((PATHS, _STEPS)) * spreads
    z = (drift * sizes + np.cumsum(steps, axis=1)) / np.sqrt(sizes)
    r2 = tuning(2 * level, 1.0)
    crossed = z > np.array([boundary_one_sided(float(size) * share, r2, level) for size in sizes])
    stops = np.where(crossed.any(axis=1), sizes[crossed.argmax(axis=1)], np.inf)
    stops.sort()
    return stops


def _limits(alpha: float, power: float, variants: int, daily: int | None, correlation: float) -> list[Problem]:
    checks = (
        ("alpha", 1e-9 <= alpha < 0.5, "It must be above 0 and below 0.5.", "0.05 is usual."),
        ("power", 0.5 <= power <= 0.999, "It must be between 0.5 and 0.999.", "0.8 is usual."),
        ("variants", 2 <= variants <= 50, "There must be 2 to 50 variants.", "Count the control too."),
        ("daily", daily is None or daily >= 1, "It must be 1 or more.", "Leave it out if unknown."),
        ("covariate_correlation", abs(correlation) < 1, "It must lie between −1 and 1.", "Leave it out if unknown."),
    )
    return [_problem(field, message, hint) for field, right, message, hint in checks if not right]


def _effect(baseline: float, mde: float | None, mde_relative: float | None, problems: list[Problem]) -> float:
    if (mde is None) == (mde_relative is None):
        problems.append(_problem("mde", "Give either mde or mde_relative.", "Such as 0.01 for one point."))
        return math.nan
    effect = abs(baseline) * mde_relative if mde is None and mde_relative is not None else mde or 0.0
    if not 0 < effect < math.inf:
        field = "mde" if mde_relative is None else "mde_relative"
        problems.append(_problem(field, "The effect must be above 0.", "Give the smallest increase that matters."))
    return effect


def _variances(
    metric: str, baseline: float, effect: float, sd: float | None, problems: list[Problem]
) -> tuple[float, float]:
    """Per contact of the control and of a treatment with the effect."""
    if metric == "mean":
        if sd is None or not 0 < sd < math.inf:
            problems.append(_problem("sd", "A mean needs its standard deviation.", "Take it from an earlier period."))
            return math.nan, math.nan
        if not math.isfinite(baseline):
            problems.append(_problem("baseline", "It must be a number.", "Give the mean of an earlier period."))
        return sd * sd, sd * sd
    if not 0 < baseline < 1:
        problems.append(_problem("baseline", "A rate lies between 0 and 1.", "Write 5 % as 0.05."))
        return math.nan, math.nan
    raised = baseline + effect
    if raised > 1:
        problems.append(_problem("mde", f"{baseline:g} + {effect:g} is more than 1.", "Choose a smaller effect."))
    return baseline * (1 - baseline), raised * (1 - raised)


def _shares(variants: int, weights: Sequence[float] | None, problems: list[Problem]) -> list[float]:
    if weights is None:
        return [1 / max(variants, 1)] * max(variants, 2)
    if len(weights) != variants or not all(0 < weight < math.inf for weight in weights):
        hint = f"Give {variants} numbers above 0, the control's first."
        problems.append(_problem("weights", "There must be one weight above 0 for each variant.", hint))
        return [1.0, 1.0]
    return [weight / math.fsum(weights) for weight in weights]


def _problem(field: str, message: str, hint: str) -> Problem:
    return Problem("EXPERIMENT-PLAN", message, hint, field=field)


def _refusal(problems: list[Problem]) -> UserFixable:
    text = "\n".join(str(problem) for problem in problems)
    return UserFixable(
        "EXPERIMENT-PLAN",
        f"No plan can be made from these numbers:\n{text}",
        where=problems[0].field,
        hint="Correct the values named.",
        problems=problems,
    )
