"""The Bayesian view beside the tests: chance to be better, expected loss, credible interval. Not adjusted for peeking.

Absent on purpose: Monte Carlo (the same counts give the same digits for ever) and any part in the decision.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

from studio.experiments.lift import Interval
from studio.experiments.moments import Arm, Proportion

Array: TypeAlias = NDArray[np.float64]

_STEPS = np.array([0.75, 1.5, 2.25, 3, 4, 5, 6.5, 8, 11, 15, 20, 30, 40])
_OFFSETS = np.concatenate([-_STEPS[::-1], [0.0], _STEPS])
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_BISECTIONS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class BayesResult:
    """`expected_loss` is what shipping the treatment costs on average, in the metric's unit; `ci` is of the effect."""

    p_better: float | None
    expected_loss: float | None
    ci: Interval | None


class Posterior(Protocol):
    """What is believed of one arm's value, on a scale ("u") where the density is smooth and bell-shaped."""

    def location(self) -> tuple[float, float]:
        """Centre and width on the scale u."""
        ...

    def density(self, u: Array) -> Array:
        """Up to a constant, never overflowing."""
        ...

    def below(self, u: Array) -> Array:
        """Chance of a value below."""
        ...


@dataclass(frozen=True, slots=True)
class BetaPosterior:
    """Beta(hits + 1, misses + 1), that is a uniform prior; u is the log odds."""

    hits: int
    misses: int

    @property
    def mean(self) -> float:
        return (self.hits + 1) / (self.hits + self.misses + 2)

    def location(self) -> tuple[float, float]:
        a, b = self.hits + 1, self.misses + 1
        return math.log(a / b), math.sqrt(1 / a + 1 / b)

    def density(self, u: Array) -> Array:
        a, total = self.hits + 1, self.hits + self.misses + 2
        # Measured from the peak: the log density itself is of the order of n and would lose the digits that matter.
        x = u - self.location()[0]
        return np.exp(
            a * x - total * np.where(x < 30, np.log1p(self.mean * np.expm1(np.minimum(x, 30))), _far(x, a, total))
        )

    def below(self, u: Array) -> Array:
        return special.betainc(self.hits + 1, self.misses + 1, special.expit(u))

    def above(self, u: Array) -> Array:
        return special.betainc(self.misses + 1, self.hits + 1, special.expit(-u))


def _far(x: Array, a: int, total: int) -> Array:
    return x + math.log(a / total)


@dataclass(frozen=True, slots=True)
class NormalPosterior:
    """A flat prior seen through a large sample; u is the value itself. `error` > 0."""

    mean: float
    error: float

    def location(self) -> tuple[float, float]:
        return self.mean, self.error

    def density(self, u: Array) -> Array:
        return np.exp(-(((u - self.mean) / self.error) ** 2) / 2)

    def below(self, u: Array) -> Array:
        return special.ndtr((u - self.mean) / self.error)


def compare_bayes(control: Arm, treatment: Arm, alpha: float) -> BayesResult:
    """Beta(1, 1) posteriors for proportions, a flat normal one for means and ratios; the interval holds 1 − alpha."""
    if isinstance(control, Proportion) and isinstance(treatment, Proportion):
        a, b = beta_posterior(control), beta_posterior(treatment)
        return BayesResult(
            p_better=best_chances([a, b])[1], expected_loss=expected_loss(a, b), ci=difference_interval(a, b, alpha)
        )
    left, right = control.estimate(), treatment.estimate()
    if left is None or right is None:
        return BayesResult(p_better=None, expected_loss=None, ci=None)
    effect, error = right.value - left.value, math.sqrt(left.squared_error + right.squared_error)
    if error == 0:
        return BayesResult(p_better=None, expected_loss=None, ci=None)
    z, half = effect / error, -float(special.ndtri(alpha / 2)) * error
    return BayesResult(
        p_better=float(special.ndtr(z)), expected_loss=error * _normal_loss(z), ci=(effect - half, effect + half)
    )


def chances_of_best(arms: Sequence[Arm]) -> list[float] | None:
    """Chance of each arm to have the highest value, in order; None when an arm's value is not known."""
    proportions = [beta_posterior(arm) for arm in arms if isinstance(arm, Proportion)]
    if len(proportions) == len(arms):
        return best_chances(proportions)
    estimates = [estimate for arm in arms if (estimate := arm.estimate()) is not None and estimate.squared_error > 0]
    if len(estimates) < len(arms):
        return None
    errors = [math.sqrt(estimate.squared_error) for estimate in estimates]
    # Widths that floats cannot tell from zero beside the values, or beside a wider arm, would leave no grid.
    smallest = max(1e-9 * max(errors), 1e-13 * max(abs(estimate.value) for estimate in estimates))
    return best_chances(
        [
            NormalPosterior(estimate.value, max(error, smallest))
            for estimate, error in zip(estimates, errors, strict=True)
        ]
    )


def beta_posterior(arm: Proportion) -> BetaPosterior:
    """From a uniform prior."""
    return BetaPosterior(arm.successes, arm.n - arm.successes)


def best_chances(posteriors: Sequence[Posterior]) -> list[float]:
    """Chance of each to be the highest; they sum to 1."""
    u, du = _grid(posteriors)
    below = [posterior.below(u) for posterior in posteriors]
    chances = []
    for index, posterior in enumerate(posteriors):
        mass = posterior.density(u) * du
        others = [chance for other, chance in enumerate(below) if other != index]
        chances.append(float((mass * np.prod(others, axis=0)).sum() / mass.sum()))
    total = sum(chances)
    return [chance / total for chance in chances]


def expected_loss(control: BetaPosterior, treatment: BetaPosterior) -> float:
    """Mean of max(control − treatment, 0), as ∫ P(treatment < x < control) dx: no difference of near equals."""
    u, du = _grid([control, treatment])
    slope = special.expit(u) * special.expit(-u)
    return float((treatment.below(u) * control.above(u) * slope * du).sum())


def difference_interval(control: BetaPosterior, treatment: BetaPosterior, alpha: float) -> Interval:
    """Equal-tailed credible interval of treatment − control at 1 − alpha, by bisection of its distribution."""
    low, high = (_difference_quantile(control, treatment, chance) for chance in (alpha / 2, 1 - alpha / 2))
    return low, high


def _difference_quantile(control: BetaPosterior, treatment: BetaPosterior, chance: float) -> float:
    low, high = -1.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        is_low = _difference_below(control, treatment, middle) < chance
        low, high = (middle, high) if is_low else (low, middle)
    return (low + high) / 2


def _difference_below(control: BetaPosterior, treatment: BetaPosterior, difference: float) -> float:
    """P(treatment − control ≤ difference), summed over the narrower of the two."""
    if _spread(control) <= _spread(treatment):
        x, mass = _masses(control, -difference)
        return float((special.betainc(treatment.hits + 1, treatment.misses + 1, _clipped(x + difference)) * mass).sum())
    x, mass = _masses(treatment, difference)
    return float((special.betainc(control.misses + 1, control.hits + 1, _clipped(1 - x + difference)) * mass).sum())


def _masses(posterior: BetaPosterior, bend: float) -> tuple[Array, Array]:
    """Rates and their chances; no panel lies across the rate at which the other arm would leave the range 0 to 1."""
    at = bend if bend > 0 else 1 + bend
    u, du = _grid([posterior], float(special.logit(at)) if 0 < at < 1 else None)
    mass = posterior.density(u) * du
    return special.expit(u), mass / mass.sum()


def _spread(posterior: BetaPosterior) -> float:
    return posterior.mean * (1 - posterior.mean) / (posterior.hits + posterior.misses + 3)


def _clipped(x: Array) -> Array:
    return np.clip(x, 0.0, 1.0)


def _grid(posteriors: Sequence[Posterior], bend: float | None = None) -> tuple[Array, Array]:
    """Gauss nodes and weights in panels that follow every posterior's width, so that a narrow one beside a wide one is
    not stepped over; `bend` becomes an end of panels too."""
    offsets = [centre + width * _OFFSETS for centre, width in (posterior.location() for posterior in posteriors)]
    ends = np.unique(np.concatenate(offsets if bend is None else [*offsets, np.array([bend])]))
    half, middle = np.diff(ends) / 2, (ends[1:] + ends[:-1]) / 2
    return (middle[:, None] + half[:, None] * _NODES).ravel(), (half[:, None] * _WEIGHTS).ravel()


def _normal_loss(z: float) -> float:
    """Mean of max(−X, 0) for X normal around z with variance 1."""
    mills = math.sqrt(math.pi / 2) * float(special.erfcx(z / math.sqrt(2)))
    if z < 0:
        return max(math.exp(-z * z / 2) / math.sqrt(2 * math.pi) - z * float(special.ndtr(-z)), 0.0)
    return max(math.exp(-z * z / 2) / math.sqrt(2 * math.pi) * (1 - z * mills), 0.0)
