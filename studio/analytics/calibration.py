"""Whether predictions can be believed: how often what happened lay inside the interval that was promised.

Absent on purpose: changing the intervals, which the gallery's learning does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from studio.domain.template import PastOutcome
from studio.experiments.fixed import two_sided_quantile, wilson
from studio.experiments.moments import Proportion


@dataclass(frozen=True, slots=True)
class Promise:
    """One prediction and what came of it."""

    run_id: str
    template: str
    metric: str
    predicted: float
    low: float
    high: float
    level: float
    actual: float
    inside: bool


@dataclass(frozen=True, slots=True)
class Calibration:
    """The record of one metric. `covered` of `promises` lay inside; `level` is what was promised on average.

    `interval` is the 90 % interval of the share inside; `honest`: the promise lies in it. `bias` is the median of
    actual / predicted, None where nothing can be divided.
    """

    metric: str
    promises: int
    covered: int
    level: float
    share: float
    interval: tuple[float, float]
    honest: bool
    bias: float | None


def promises(outcomes: Sequence[PastOutcome]) -> list[Promise]:
    """Every prediction with its actual value, in the order of the outcomes."""
    return [
        Promise(
            outcome.run_id,
            outcome.template,
            metric,
            made.mean,
            made.low,
            made.high,
            made.level,
            outcome.actual[metric],
            made.low <= outcome.actual[metric] <= made.high,
        )
        for outcome in outcomes
        for metric, made in sorted(outcome.predicted.items())
        if metric in outcome.actual
    ]


def calibration(kept: Sequence[Promise]) -> list[Calibration]:
    """The record per metric, by name."""
    records = []
    for metric in sorted({promise.metric for promise in kept}):
        own = [promise for promise in kept if promise.metric == metric]
        covered = sum(promise.inside for promise in own)
        level = math.fsum(promise.level for promise in own) / len(own)
        interval = wilson(Proportion(len(own), covered), two_sided_quantile(0.1))
        ratios = [promise.actual / promise.predicted for promise in own if promise.predicted]
        records.append(
            Calibration(
                metric,
                len(own),
                covered,
                level,
                covered / len(own),
                interval,
                interval[0] <= level <= interval[1],
                median(ratios) if ratios else None,
            )
        )
    return records
