"""Whether an effect is what it seems: does it wear off, and do two experiments disturb each other?

Both only warn. Absent on purpose: any part in the decision.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from studio.experiments.anytime import standard_error
from studio.experiments.fixed import two_sided_p_value, two_sided_quantile
from studio.experiments.lift import Interval
from studio.experiments.moments import Arm

WARN_BELOW = 0.01
PER_COHORT_MIN = 10


@dataclass(frozen=True, slots=True)
class Cohort:
    """People first exposed together, `day` days after the experiment began; cohorts share nobody."""

    day: float
    control: Arm
    treatment: Arm


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """`slope`: change of the effect per day, with `ci` at 95 %. `fades`: an early advantage shrinks (novelty)."""

    slope: float
    ci: Interval
    p_value: float
    fades: bool
    grows: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """How much more the treatment does among those who also got the other experiment's treatment."""

    contrast: float
    p_value: float
    warns: bool


def trend(cohorts: Sequence[Cohort]) -> Trend | None:
    """The effect over the days of exposure, weighted by what each cohort knows; None below three usable cohorts.

    References:
        Weighted least squares with known variances: Draper, Smith, "Applied regression analysis", 1998, chapter 9.
    """
    points = [(cohort.day, *found) for cohort in cohorts if (found := _effect(cohort.control, cohort.treatment))]
    if len(points) < 3:
        return None
    weights = [1 / (error * error) for _, _, error in points]
    whole = math.fsum(weights)
    centre = math.fsum(w * day for w, (day, _, _) in zip(weights, points, strict=True)) / whole
    spread = math.fsum(w * (day - centre) ** 2 for w, (day, _, _) in zip(weights, points, strict=True))
    if not spread > 0:
        return None
    slope = math.fsum(w * (day - centre) * effect for w, (day, effect, _) in zip(weights, points, strict=True)) / spread
    mean = math.fsum(w * effect for w, (_, effect, _) in zip(weights, points, strict=True)) / whole
    error = 1 / math.sqrt(spread)
    p_value, half = two_sided_p_value(slope / error), two_sided_quantile(0.05) * error
    return Trend(
        slope=slope,
        ci=(slope - half, slope + half),
        p_value=p_value,
        fades=p_value < WARN_BELOW and slope * mean < 0,
        grows=p_value < WARN_BELOW and slope * mean > 0,
    )


def interaction(alone: tuple[Arm, Arm], together: tuple[Arm, Arm]) -> Interaction | None:
    """The treatment's effect among people of the other experiment's treatment, minus that among its control.

    Args:
        alone: control and treatment among people who got the other experiment's control.
        together: the same among those who got the other experiment's treatment.

    References:
        The 2×2 factorial contrast: Box, Hunter, Hunter, "Statistics for experimenters", 2005, chapter 5.
    """
    first, second = _effect(*alone), _effect(*together)
    if first is None or second is None:
        return None
    contrast = second[0] - first[0]
    p_value = two_sided_p_value(contrast / math.hypot(first[1], second[1]))
    return Interaction(contrast=contrast, p_value=p_value, warns=p_value < WARN_BELOW)


def _effect(control: Arm, treatment: Arm) -> tuple[float, float] | None:
    a, b = control.estimate(), treatment.estimate()
    error = standard_error(a, b)
    if a is None or b is None or error is None or min(control.n, treatment.n) < PER_COHORT_MIN:
        return None
    return b.value - a.value, error
