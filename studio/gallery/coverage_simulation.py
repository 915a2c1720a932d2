"""A simulated world in which it is known whether a predicted interval was right: templates whose true rates differ.

Rates differ by a normal spread of their logits; of each template so many people are counted. Absent on purpose:
real runs, whose record the program shows (`analytics`), and the screen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from studio.gallery.posterior import RatePrior, fit_rates

RATE = 0.03
RUNS = 30
_DRAWS = 1_500
_Z90 = 1.6448536269514722


@dataclass(frozen=True, slots=True)
class Coverage:
    """Share of the truths inside their 90 % interval, and how wide intervals were: `known` for the rate of a run that
    was counted, `new` for the count of the next run. `wilson`: known rates, each by its own run alone.
    """

    known: float
    new: float
    width: float
    wilson: float
    wilson_width: float


def coverage(people: int, spread: float, *, worlds: int = 60, seed: int = 1) -> Coverage:
    """How often intervals hold the truth with so many people per run. `spread`: of the runs' rates, as logits."""
    rng = np.random.default_rng([seed, people, round(1_000 * spread)])
    known, wilson, widths, wilson_widths, new = [], [], [], [], []
    for _ in range(worlds):
        truth = 1 / (1 + np.exp(-(math.log(RATE / (1 - RATE)) + spread * rng.normal(size=RUNS + 1))))
        counts = rng.binomial(people, truth)
        posterior = fit_rates(RatePrior(RATE, 100), [(int(count), people) for count in counts[:RUNS]])
        for count, rate in zip(counts[:RUNS], truth[:RUNS], strict=True):
            low, high = np.quantile(posterior.draw_known(int(count), people, rng, _DRAWS), (0.05, 0.95))
            known.append(low <= rate <= high)
            widths.append(high - low)
            low, high = _wilson(int(count), people)
            wilson.append(low <= rate <= high)
            wilson_widths.append(high - low)
        low, high = np.quantile(rng.binomial(people, posterior.draw_new(rng, _DRAWS)), (0.05, 0.95))
        new.append(low <= counts[RUNS] <= high)
    return Coverage(*(float(np.mean(values)) for values in (known, new, widths, wilson, wilson_widths)))


def _wilson(count: int, people: int) -> tuple[float, float]:
    """Wilson's score interval (1927), of one run alone."""
    share, square = count / people, _Z90**2
    middle = (share + square / (2 * people)) / (1 + square / people)
    half = _Z90 / (1 + square / people) * math.sqrt(share * (1 - share) / people + square / (4 * people**2))
    return middle - half, middle + half
