"""What finished runs teach about templates, and what is written down when templates are shown.

A run succeeds to the degree that it probably kept at least half of its promise. Pooled over all templates, per template
and then per (industry, template), success shifts the next ranking. Absent on purpose: learning from opens, and Thompson
sampling over the whole list, which costs more than it brings below about a thousand outcomes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import numpy as np
import scipy  # `scipy.special` loads itself when it is first named
from numpy.typing import NDArray

from studio.domain.template import BusinessContext, PastOutcome, Recommendation

NEUTRAL = 0.5
ALL_STRENGTH = 10.0
"""Pseudo-runs behind “any template succeeds half the time”."""
TEMPLATE_STRENGTH = 20.0
"""Pseudo-runs behind “it does as all do”."""
INDUSTRY_STRENGTH = 12.0
"""Pseudo-runs behind “it does here as it does elsewhere”."""
PROMISE_KEPT = 0.5
_Z90 = 1.6448536269514722

Numbers = TypeVar("Numbers", float, NDArray[np.float64])


@dataclass(frozen=True, slots=True)
class Standing:
    """How a template has done: mean and deviation of its success probability, and its runs in this industry.

    `usual` is the success probability of any template here; results speak for a template as far as `mean` exceeds it.
    """

    mean: float
    deviation: float
    usual: float
    runs: tuple[PastOutcome, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """One card as it was shown. `propensity`: probability that the policy put this template at this position."""

    template: str
    position: int
    score: float
    propensity: float


@dataclass(frozen=True, slots=True)
class Impression:
    """One showing of recommendations; without it nobody can tell later whether ranking got better."""

    at: datetime
    policy: str
    engine: str
    context_hash: str
    slate: tuple[Shown, ...]


def success(outcome: PastOutcome) -> float:
    """Probability in [0, 1] that the run kept at least half of what was predicted; 0.5 when nothing can be told.

    With a holdout it is judged by the incremental share of people (its interval taken as a 90 % one), without one by
    the share that converted. A run without a prediction is asked for more than nothing.
    """
    if outcome.incremental is not None:
        promise = outcome.predicted.get("incremental_rate")
        needed = PROMISE_KEPT * promise.mean if promise else 0.0
        low, high = outcome.incremental_low, outcome.incremental_high
        error = (high - low) / (2 * _Z90) if low is not None and high is not None else 0.0
        if error <= 0:
            return NEUTRAL
        return float(scipy.special.ndtr((outcome.incremental - needed) / error))
    promise = outcome.predicted.get("conversion_rate")
    if promise is None or outcome.trials <= 0:
        return NEUTRAL
    needed = min(max(PROMISE_KEPT * promise.mean, 1e-9), 1 - 1e-9)
    return float(1 - scipy.special.betainc(outcome.successes + 1, outcome.trials - outcome.successes + 1, needed))


def standing(outcomes: Sequence[PastOutcome], template: str, industry: str) -> Standing:
    """Success of a template in an industry, shrunk to the template's elsewhere, which is shrunk to that of all."""
    own = tuple(outcome for outcome in outcomes if outcome.template == template and outcome.industry == industry)
    elsewhere = [outcome for outcome in outcomes if outcome.template == template and outcome.industry != industry]
    counted = [(float(sum(map(success, runs))), float(len(runs))) for runs in (outcomes, elsewhere, own)]
    usual = usual_success(*counted[0])
    mean, deviation = pooled(usual, counted[1], counted[2])
    return Standing(mean, deviation, usual, own)


def usual_success(successes: Numbers, runs: Numbers) -> Numbers:
    """Success probability of any template, from all runs."""
    return (NEUTRAL * ALL_STRENGTH + successes) / (ALL_STRENGTH + runs)


def pooled(usual: Numbers, elsewhere: tuple[Numbers, Numbers], own: tuple[Numbers, Numbers]) -> tuple[Numbers, Numbers]:
    """Mean and deviation of a success probability over three levels, from (successes, runs) elsewhere and here.

    The levels' strengths are fixed (Gelman et al., Bayesian Data Analysis, 3rd ed. 2013, section 5.1): with a few
    dozen runs there is nothing to estimate them from. `studio bench learning` shows what they bring.
    """
    template = (usual * TEMPLATE_STRENGTH + elsewhere[0]) / (TEMPLATE_STRENGTH + elsewhere[1])
    weight = INDUSTRY_STRENGTH + own[1]
    mean = (template * INDUSTRY_STRENGTH + own[0]) / weight
    return mean, (mean * (1 - mean) / (weight + 1)) ** 0.5


def impression(
    recommendations: Sequence[Recommendation],
    context: BusinessContext,
    *,
    at: datetime,
    policy: str,
    engine: str,
    propensities: Sequence[float],
) -> Impression:
    """The record of one showing, positions from 1 in the order shown. `propensities`: one for each recommendation."""
    slate = tuple(
        Shown(item.template, position, item.score, propensity)
        for position, (item, propensity) in enumerate(zip(recommendations, propensities, strict=True), start=1)
    )
    return Impression(at, policy, engine, context_hash(context), slate)


def context_hash(context: BusinessContext) -> str:
    """16 hex digits of the facts and the types, not of the text: the same understanding has the same hash."""
    facts = sorted((fact.name, json.dumps(fact.value, sort_keys=True)) for fact in context.facts)
    return hashlib.sha256(json.dumps([facts, context.types]).encode()).hexdigest()[:16]
