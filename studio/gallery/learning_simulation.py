"""A simulated world in which what learning brings can be known: 12 industries, 36 templates, success by chance.

True success: 35 % for a usual template, with effects of the template and of (industry, template), each of deviation 0.5
on the logit scale. Eight templates by relevance are the pool; three are shown; people pick the first, second, third
with 60, 25, 15 %. `correlation`: of relevance with the true logit within an industry. Absent on purpose: seasons, and
people who learn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from studio.gallery.learning import pooled, usual_success

Floats = NDArray[np.float64]

INDUSTRIES, TEMPLATES, POOL, SHOWN = 12, 36, 8, 3
PICKED = (0.6, 0.25, 0.15)
_BASE = float(logit(0.35))
_EFFECT = 0.5
_LAST = 100
"""Outcomes at the end over which the uplift is taken."""
RELEVANCE = 0.1
"""What one deviation of relevance is worth in a score; among a business's first eight cards it is about that."""


@dataclass(frozen=True, slots=True)
class LearningPolicy:
    """How much results weigh against relevance, and the bonus of the untried. Both 0: relevance alone."""

    outcomes: float
    bonus: float


@dataclass(frozen=True, slots=True)
class Uplift:
    """Relative gain of success over relevance alone in the last outcomes: mean, 10th and 90th percentile over worlds.

    `ceiling`: mean gain of somebody who knows the truth and shows the best three of the pool.
    """

    mean: float
    low: float
    high: float
    ceiling: float


def uplift(policy: LearningPolicy, *, outcomes: int, correlation: float, worlds: int = 60, seed: int = 0) -> Uplift:
    """Simulates `outcomes` showings in each world. O(outcomes), vectorised over worlds."""
    rng = np.random.default_rng([seed, outcomes, round(100 * correlation)])
    effects = _EFFECT * (rng.normal(size=(worlds, 1, TEMPLATES)) + rng.normal(size=(worlds, INDUSTRIES, TEMPLATES)))
    truth = expit(_BASE + effects)
    relevance = _relevance(effects, correlation, rng)
    pool = np.argsort(-relevance, axis=2)[:, :, :POOL]
    usual = _expected(np.take_along_axis(truth, pool, axis=2)[:, :, :SHOWN]).mean(axis=1)
    best = -np.sort(-np.take_along_axis(truth, pool, axis=2), axis=2)[:, :, :SHOWN]
    found = _learning(policy, truth, relevance, pool, outcomes, rng)
    gain = found / usual - 1
    low, high = np.quantile(gain, [0.1, 0.9])
    ceiling = (_expected(best).mean(axis=1) / usual - 1).mean()
    return Uplift(float(gain.mean()), float(low), float(high), float(ceiling))


def _relevance(effects: Floats, correlation: float, rng: np.random.Generator) -> Floats:
    known = (effects - effects.mean(axis=2, keepdims=True)) / effects.std(axis=2, keepdims=True)
    return correlation * known + (1 - correlation**2) ** 0.5 * rng.normal(size=effects.shape)


def _learning(
    policy: LearningPolicy,
    truth: Floats,
    relevance: Floats,
    pool: NDArray[np.int64],
    outcomes: int,
    rng: np.random.Generator,
) -> Floats:
    """Mean expected success of what is picked in the last outcomes, per world."""
    worlds = np.arange(len(truth))
    wins, runs = np.zeros_like(truth), np.zeros_like(truth)
    untried = pooled(np.float64(0.5), (0.0, 0.0), (0.0, 0.0))[1]
    last = np.zeros(len(truth))
    for turn in range(outcomes):
        industry = rng.integers(INDUSTRIES, size=len(truth))
        cards = pool[worlds, industry]
        own = tuple(np.take_along_axis(table[worlds, industry], cards, axis=1) for table in (wins, runs))
        whole = tuple(np.take_along_axis(table.sum(axis=1), cards, axis=1) for table in (wins, runs))
        usual = usual_success(wins.sum(axis=(1, 2)), runs.sum(axis=(1, 2)))[:, None]
        mean, deviation = pooled(usual, (whole[0] - own[0], whole[1] - own[1]), own)
        score = RELEVANCE * np.take_along_axis(relevance[worlds, industry], cards, axis=1)
        score = score + policy.outcomes * (mean - usual) + policy.bonus * deviation / untried
        shown = np.take_along_axis(cards, np.argsort(-score, axis=1)[:, :SHOWN], axis=1)
        if turn >= outcomes - _LAST:
            last += _expected(truth[worlds[:, None], industry[:, None], shown])
        picked = shown[worlds, rng.choice(SHOWN, size=len(truth), p=PICKED)]
        runs[worlds, industry, picked] += 1
        wins[worlds, industry, picked] += rng.random(len(truth)) < truth[worlds, industry, picked]
    return last / min(_LAST, outcomes)


def _expected(shown: Floats) -> Floats:
    """Expected success of a slate, its cards on the last axis in the order shown."""
    return shown @ np.array(PICKED)
