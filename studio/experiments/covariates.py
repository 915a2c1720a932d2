"""CUPED: takes out of an outcome what was known of people before the exposure, so that the same people tell more.

Absent on purpose: covariates measured after the exposure; the caller must not give any.

References:
    Deng, Xu, Kohavi, Walker, "Improving the sensitivity of online controlled experiments", WSDM 2013.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from studio.experiments.moments import Covariate, Mean, Ratio


@dataclass(frozen=True, slots=True)
class RatioCovariate:
    """Mean and sample variance of a number known before, and its sample covariances with numerator and denominator."""

    mean: float
    var: float
    num_cov: float
    den_cov: float


def pooled_slope(arms: Sequence[Mean]) -> float | None:
    """How much of the outcome goes with one unit of the covariate, from covariances within arms; None if one lacks it.

    One slope for all arms, so that the adjustment cannot take up the effect.
    """
    known = [(arm, arm.covariate) for arm in arms if arm.covariate is not None]
    freedom = math.fsum((arm.n - 1) * x.var for arm, x in known if arm.n > 1)
    if len(known) < len(arms) or not freedom > 0:
        return None
    return math.fsum((arm.n - 1) * x.outcome_cov for arm, x in known if arm.n > 1) / freedom


def adjust(arms: Sequence[Mean], slope: float | None = None) -> list[Mean]:
    """Arms with the part of the outcome removed that the covariate predicts; unchanged when one arm has no covariate.

    Args:
        slope: from `pooled_slope` of an earlier look, which keeps a sequence of looks valid; None: of these data,
            which differs from it by order 1/n and suits one look.
    """
    own = pooled_slope(arms)
    if own is None:
        return list(arms)
    slope = own if slope is None else slope
    known = [(arm, arm.covariate) for arm in arms if arm.covariate is not None]
    centre = math.fsum(arm.n * x.mean for arm, x in known) / sum(arm.n for arm, _ in known)
    return [
        Mean(
            arm.n,
            arm.mean - slope * (x.mean - centre),
            max(arm.var - 2 * slope * x.outcome_cov + slope * slope * x.var, 0.0),
            payers=arm.payers,
        )
        for arm, x in known
    ]


def variance_reduction(arms: Sequence[Mean]) -> float | None:
    """The part of the variance within arms that the adjustment removes, 0 to 1; None without covariate or spread."""
    if pooled_slope(arms) is None:
        return None
    before = math.fsum((arm.n - 1) * arm.var for arm in arms)
    after = math.fsum((arm.n - 1) * arm.var for arm in adjust(arms))
    return 1 - after / before if before > 0 else None


def linearised(arm: Ratio, covariate: RatioCovariate) -> Mean | None:
    """A ratio as the mean of one number per contact, with its covariate: `adjust` takes it from there.

    The number is ratio + (numerator − ratio · denominator) / mean denominator. None where the ratio is not defined.

    References:
        Deng, Knoblich, Lu, "Applying the delta method in metric analytics", KDD 2018.
    """
    estimate = arm.estimate()
    if estimate is None:
        return None
    cov = (covariate.num_cov - estimate.value * covariate.den_cov) / arm.den_mean
    return Mean(arm.n, estimate.value, estimate.variance, Covariate(covariate.mean, covariate.var, cov))
