"""The Bayesian view beside the tests: chance to be better, expected loss, credible interval. Not adjusted for peeking.

Absent on purpose: Monte Carlo (the same counts give the same digits for ever) and any part in the decision.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, TypeAlias

import numpy as np
import scipy  # `scipy.special` loads itself when it is first named: steps of a workflow import this module
from numpy.typing import NDArray

from studio.experiments.lift import Interval
from studio.experiments.moments import Arm, Proportion

Array: TypeAlias = NDArray[np.float64]

_STEPS = np.array([0.75, 1.5, 2.25, 3, 4, 5, 6.5, 8, 11, 15, 20, 30, 40])
_OFFSETS = np.concatenate([-_STEPS[::-1], [0.0], _STEPS])
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_STEP, _STEP_FEW, _FEW, _EVEN_MAX = 0.5, 0.3, 25, 400
"""Of the even grid, in widths; finer where few counts make a posterior far from normal."""
_ITERATIONS_MAX = 80


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

    def reach(self) -> tuple[float, float]:
        """Ends on the scale u beyond which there is no mass that a float would notice."""
        ...

    def density(self, u: Array) -> Array:
        """Up to a constant, never overflowing."""
        ...

    def below(self, u: Array) -> Array:
        """Chance of a value below."""
        ...


@dataclass(frozen=True, slots=True)
class BetaPosterior:
    """Beta(hits + 1, misses + 1), that is a uniform prior, for whole numbers; both above −1. u is the log odds."""

    hits: float
    misses: float

    @property
    def mean(self) -> float:
        return (self.hits + 1) / (self.hits + self.misses + 2)

    def location(self) -> tuple[float, float]:
        a, b = self.hits + 1, self.misses + 1
        return math.log(a / b), math.sqrt(1 / a + 1 / b)

    def reach(self) -> tuple[float, float]:
        centre, width = self.location()
        # A bell near its centre; far out it falls like e^(a u) on the left and e^(-b u) on the right.
        return centre - 8 * width - 38 / (self.hits + 1), centre + 8 * width + 38 / (self.misses + 1)

    def density(self, u: Array) -> Array:
        a, total = self.hits + 1, self.hits + self.misses + 2
        # Measured from the peak: the log density itself is of the order of n and would lose the digits that matter.
        x = u - self.location()[0]
        return np.exp(
            a * x - total * np.where(x < 30, np.log1p(self.mean * np.expm1(np.minimum(x, 30))), _far(x, a, total))
        )

    def below(self, u: Array) -> Array:
        return scipy.special.betainc(self.hits + 1, self.misses + 1, scipy.special.expit(u))

    def above(self, u: Array) -> Array:
        return scipy.special.betainc(self.misses + 1, self.hits + 1, scipy.special.expit(-u))


def _far(x: Array, a: float, total: float) -> Array:
    return x + math.log(a / total)


@dataclass(frozen=True, slots=True)
class NormalPosterior:
    """A flat prior seen through a large sample; u is the value itself. `error` > 0."""

    mean: float
    error: float

    def location(self) -> tuple[float, float]:
        return self.mean, self.error

    def reach(self) -> tuple[float, float]:
        return self.mean - 9 * self.error, self.mean + 9 * self.error

    def density(self, u: Array) -> Array:
        return np.exp(-(((u - self.mean) / self.error) ** 2) / 2)

    def below(self, u: Array) -> Array:
        return scipy.special.ndtr((u - self.mean) / self.error)


PRIOR_MAX = 200.0


@dataclass(frozen=True, slots=True)
class RatePrior:
    """What earlier runs of the same kind say of a rate, worth `contacts` contacts (at most 200: the data must win)."""

    rate: float
    contacts: float

    def __post_init__(self) -> None:
        rarer = min(self.rate, 1 - self.rate) * self.contacts
        if not (rarer >= 1 and self.contacts <= PRIOR_MAX):
            raise ValueError(f"a prior needs one conversion, one other and at most {PRIOR_MAX:g} contacts")


def compare_bayes(control: Arm, treatment: Arm, alpha: float, prior: RatePrior | None = None) -> BayesResult:
    """Beta(1, 1) posteriors for proportions unless a prior is given, a flat normal one for means and ratios.

    The interval holds 1 − alpha.
    """
    if isinstance(control, Proportion) and isinstance(treatment, Proportion):
        a, b = beta_posterior(control, prior), beta_posterior(treatment, prior)
        p_better, loss = _better_and_loss(a, b)
        return BayesResult(p_better=p_better, expected_loss=loss, ci=difference_interval(a, b, alpha))
    left, right = control.estimate(), treatment.estimate()
    if left is None or right is None:
        return BayesResult(p_better=None, expected_loss=None, ci=None)
    effect, error = right.value - left.value, math.sqrt(left.squared_error + right.squared_error)
    if error == 0:
        return BayesResult(p_better=None, expected_loss=None, ci=None)
    z, half = effect / error, -float(scipy.special.ndtri(alpha / 2)) * error
    return BayesResult(
        p_better=float(scipy.special.ndtr(z)), expected_loss=error * _normal_loss(z), ci=(effect - half, effect + half)
    )


def chances_of_best(arms: Sequence[Arm], prior: RatePrior | None = None) -> list[float] | None:
    """Chance of each arm to have the highest value, in order; None when an arm's value is not known."""
    proportions = [beta_posterior(arm, prior) for arm in arms if isinstance(arm, Proportion)]
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


def beta_posterior(arm: Proportion, prior: RatePrior | None = None) -> BetaPosterior:
    """From a uniform prior, or from the given one."""
    if prior is None:
        return BetaPosterior(arm.successes, arm.n - arm.successes)
    hits, misses = prior.rate * prior.contacts - 1, (1 - prior.rate) * prior.contacts - 1
    return BetaPosterior(arm.successes + hits, arm.n - arm.successes + misses)


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


def _better_and_loss(control: BetaPosterior, treatment: BetaPosterior) -> tuple[float, float]:
    """P(treatment > control), and the mean of max(control − treatment, 0) as ∫ P(treatment < x < control) dx.

    Neither is a difference of near equals.
    """
    u, du = _grid([control, treatment])
    below = [posterior.below(u) for posterior in (control, treatment)]
    masses = [posterior.density(u) * du for posterior in (control, treatment)]
    worse, better = (float(masses[i] @ below[1 - i]) / float(masses[i].sum()) for i in (0, 1))
    slope = scipy.special.expit(u) * scipy.special.expit(-u)
    return better / (better + worse), float((below[1] * control.above(u) * slope) @ du)


def difference_interval(control: BetaPosterior, treatment: BetaPosterior, alpha: float) -> Interval:
    """Equal-tailed credible interval of treatment − control at 1 − alpha."""
    low, high = (_difference_quantile(control, treatment, chance) for chance in (alpha / 2, 1 - alpha / 2))
    return low, high


def _difference_quantile(control: BetaPosterior, treatment: BetaPosterior, chance: float) -> float:
    """By Newton's method, halving the bracket wherever a step would leave it.

    From the normal approximation corrected for skewness: large samples then take a single step.

    References:
        Cornish, Fisher, "Moments and cumulants in the specification of distributions", Revue de l'Institut
        International de Statistique 1938.
    """
    error = math.sqrt(_spread(control) + _spread(treatment))
    low, high = -1.0, 1.0
    z = float(scipy.special.ndtri(chance))
    skewness = (_third_moment(treatment) - _third_moment(control)) / error**3
    z += (z * z - 1) * skewness / 6
    at = min(max(treatment.mean - control.mean + z * error, -0.999), 0.999)
    for _ in range(_ITERATIONS_MAX):
        below, density = _difference_below(control, treatment, at)
        low, high = (at, high) if below < chance else (low, at)
        step = (below - chance) / density if density > 0 else math.inf
        is_inside = low < at - step < high
        following = at - step if is_inside else (low + high) / 2
        # The error after a step is about the square of the step.
        if (is_inside and abs(step) < 1e-5 * error) or high - low < 1e-15:
            return following
        at = following
    return at


def _difference_below(control: BetaPosterior, treatment: BetaPosterior, difference: float) -> tuple[float, float]:
    """P(treatment − control ≤ difference) and its slope, summed over the narrower of the two."""
    if _spread(control) <= _spread(treatment):
        x, mass = _masses(control, -difference)
        wider, at = treatment, _clipped(x + difference)
    else:
        x, mass = _masses(treatment, difference)
        wider, at = BetaPosterior(control.misses, control.hits), _clipped(1 - x + difference)
    below = scipy.special.betainc(wider.hits + 1, wider.misses + 1, at)
    slopes = np.exp(
        scipy.special.xlogy(wider.hits, at)
        + scipy.special.xlog1py(wider.misses, -at)
        - float(scipy.special.betaln(wider.hits + 1, wider.misses + 1))
    )
    inside = (at > 0) & (at < 1)
    return float(below @ mass), float((slopes * inside) @ mass)


def _masses(posterior: BetaPosterior, bend: float) -> tuple[Array, Array]:
    """Rates and their chances; no panel lies across the rate at which the other arm would leave the range 0 to 1."""
    at = bend if bend > 0 else 1 + bend
    low, high = posterior.reach()
    corner = float(scipy.special.logit(at)) if 0 < at < 1 else math.inf
    return _masses_between(posterior, corner if low < corner < high else None)


@lru_cache(maxsize=32)
def _masses_between(posterior: BetaPosterior, corner: float | None) -> tuple[Array, Array]:
    u, du = _grid([posterior], corner)
    mass = posterior.density(u) * du
    return scipy.special.expit(u), mass / mass.sum()


def _spread(posterior: BetaPosterior) -> float:
    return posterior.mean * (1 - posterior.mean) / (posterior.hits + posterior.misses + 3)


def _third_moment(posterior: BetaPosterior) -> float:
    """Around the mean."""
    total = posterior.hits + posterior.misses + 2
    return 2 * (1 - 2 * posterior.mean) / (total + 2) * _spread(posterior)


def _clipped(x: Array) -> Array:
    return np.clip(x, 0.0, 1.0)


def _grid(posteriors: Sequence[Posterior], bend: float | None = None) -> tuple[Array, Array]:
    """Nodes and weights on the scale u: even steps where a few of them do, panels otherwise.

    `bend`: where what is summed has a corner.

    References:
        Trefethen, Weideman, "The exponentially convergent trapezoidal rule", SIAM Review 2014.
    """
    ends = [posterior.reach() for posterior in posteriors]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    width = min(posterior.location()[1] for posterior in posteriors)
    step = width * (_STEP_FEW if any(_is_skewed(posterior) for posterior in posteriors) else _STEP)
    if high - low <= _EVEN_MAX * step and (bend is None or not low < bend < high):
        u = np.arange(low, high + step, step)
        return u, np.full(u.size, step)
    return _panels(posteriors, bend)


def _is_skewed(posterior: Posterior) -> bool:
    return isinstance(posterior, BetaPosterior) and min(posterior.hits, posterior.misses) < _FEW


def _panels(posteriors: Sequence[Posterior], bend: float | None) -> tuple[Array, Array]:
    """Gauss nodes and weights in panels that follow every posterior's width, so that a narrow one beside a wide one is
    not stepped over; `bend` becomes an end of panels too."""
    offsets = [centre + width * _OFFSETS for centre, width in (posterior.location() for posterior in posteriors)]
    ends = np.unique(np.concatenate(offsets if bend is None else [*offsets, np.array([bend])]))
    half, middle = np.diff(ends) / 2, (ends[1:] + ends[:-1]) / 2
    return (middle[:, None] + half[:, None] * _NODES).ravel(), (half[:, None] * _WEIGHTS).ravel()


def _normal_loss(z: float) -> float:
    """Mean of max(−X, 0) for X normal around z with variance 1."""
    mills = math.sqrt(math.pi / 2) * float(scipy.special.erfcx(z / math.sqrt(2)))
    if z < 0:
        return max(math.exp(-z * z / 2) / math.sqrt(2 * math.pi) - z * float(scipy.special.ndtr(-z)), 0.0)
    return max(math.exp(-z * z / 2) / math.sqrt(2 * math.pi) * (1 - z * mills), 0.0)
