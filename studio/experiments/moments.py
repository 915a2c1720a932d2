"""What an arm of an experiment leaves behind: centred sufficient statistics that merge.

Absent on purpose: raw squares (they lose digits when the mean is large) and rows. The unit is the randomised contact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value per unit and the variance of one unit: all that the normal approximations need. `n` ≥ 1."""

    n: int
    value: float
    variance: float

    @property
    def squared_error(self) -> float:
        """Variance of the value itself."""
        return self.variance / self.n


@dataclass(frozen=True, slots=True)
class Proportion:
    """`successes` conversions among `n` contacts, 0 ≤ successes ≤ n."""

    n: int
    successes: int

    def merge(self, other: Proportion) -> Proportion:
        """The statistics of both groups together."""
        return Proportion(self.n + other.n, self.successes + other.successes)

    def estimate(self) -> Estimate | None:
        """The rate with variance p(1 − p); None without contacts."""
        if self.n == 0:
            return None
        rate = self.successes / self.n
        return Estimate(self.n, rate, self.successes * (self.n - self.successes) / (self.n * self.n))


@dataclass(frozen=True, slots=True)
class Covariate:
    """A number known before the exposure: its mean, its sample variance and its sample covariance with the outcome."""

    mean: float
    var: float
    outcome_cov: float


@dataclass(frozen=True, slots=True)
class Mean:
    """Mean and sample variance (ddof 1; 0 below two contacts) of an outcome; `payers` counts those other than zero."""

    n: int
    mean: float
    var: float
    covariate: Covariate | None = None
    payers: int | None = None

    @classmethod
    def of(cls, values: ArrayLike, covariate: ArrayLike | None = None) -> Mean:
        """From one outcome per contact, and one covariate per contact in the same order."""
        y = np.asarray(values, dtype=float)
        if y.size == 0:
            return cls(0, 0.0, 0.0, payers=0)
        moments = None
        if covariate is not None:
            x = np.asarray(covariate, dtype=float)
            moments = Covariate(float(x.mean()), _sample_cov(x, x), _sample_cov(x, y))
        return cls(int(y.size), float(y.mean()), _sample_cov(y, y), moments, int(np.count_nonzero(y)))

    def merge(self, other: Mean) -> Mean:
        """The statistics of both groups together; a covariate or payers known on one side only are dropped.

        References:
            Chan, Golub, LeVeque, "Algorithms for computing the sample variance", The American Statistician 1983.
        """
        if self.n == 0 or other.n == 0:
            return other if self.n == 0 else self
        sizes = (self.n, other.n)
        covariate = None
        if self.covariate is not None and other.covariate is not None:
            x, z = self.covariate, other.covariate
            x_means, y_means = (x.mean, z.mean), (self.mean, other.mean)
            covariate = Covariate(
                _merged_mean(sizes, x_means),
                _merged_cov(sizes, x_means, x_means, (x.var, z.var)),
                _merged_cov(sizes, x_means, y_means, (x.outcome_cov, z.outcome_cov)),
            )
        means = (self.mean, other.mean)
        payers = None if self.payers is None or other.payers is None else self.payers + other.payers
        return Mean(
            sum(sizes),
            _merged_mean(sizes, means),
            _merged_cov(sizes, means, means, (self.var, other.var)),
            covariate,
            payers,
        )

    def estimate(self) -> Estimate | None:
        """The mean; None for fewer than two contacts, whose spread nobody knows."""
        return Estimate(self.n, self.mean, self.var) if self.n >= 2 else None


@dataclass(frozen=True, slots=True)
class Ratio:
    """Moments of a numerator and a denominator per contact, such as revenue and orders; variances with ddof 1."""

    n: int
    num_mean: float
    num_var: float
    den_mean: float
    den_var: float
    num_den_cov: float

    def merge(self, other: Ratio) -> Ratio:
        """The statistics of both groups together."""
        if self.n == 0 or other.n == 0:
            return other if self.n == 0 else self
        sizes = (self.n, other.n)
        num, den = (self.num_mean, other.num_mean), (self.den_mean, other.den_mean)
        return Ratio(
            sum(sizes),
            _merged_mean(sizes, num),
            _merged_cov(sizes, num, num, (self.num_var, other.num_var)),
            _merged_mean(sizes, den),
            _merged_cov(sizes, den, den, (self.den_var, other.den_var)),
            _merged_cov(sizes, num, den, (self.num_den_cov, other.num_den_cov)),
        )

    def estimate(self) -> Estimate | None:
        """The ratio of the means with the delta variance; None for fewer than two contacts or an empty denominator.

        References:
            Deng, Knoblich, Lu, "Applying the delta method in metric analytics", KDD 2018.
        """
        if self.n < 2 or self.den_mean == 0:
            return None
        ratio = self.num_mean / self.den_mean
        spread = self.num_var - 2 * ratio * self.num_den_cov + ratio * ratio * self.den_var
        variance = max(spread, 0.0) / self.den_mean / self.den_mean
        return Estimate(self.n, ratio, variance) if math.isfinite(ratio) and math.isfinite(variance) else None


Arm: TypeAlias = Proportion | Mean | Ratio


def _sample_cov(x: np.ndarray, y: np.ndarray) -> float:
    return float(((x - x.mean()) * (y - y.mean())).sum() / (x.size - 1)) if x.size > 1 else 0.0


def _merged_mean(sizes: tuple[int, int], means: tuple[float, float]) -> float:
    return means[0] + (means[1] - means[0]) * (sizes[1] / sum(sizes))


def _merged_cov(
    sizes: tuple[int, int], x: tuple[float, float], y: tuple[float, float], covs: tuple[float, float]
) -> float:
    n, m = sizes
    between = (x[1] - x[0]) * (y[1] - y[0]) * (n * m / (n + m))
    return ((n - 1) * covs[0] + (m - 1) * covs[1] + between) / (n + m - 1)
