"""What looking all the time costs: thousands of simulated experiments, each looked at hundreds of times.

The ship rule is applied as it stands: the bound that decides, the burn-in, revenue capped at the first look that may
decide. Absent on purpose: the calendar (the minimum run) and guardrails, which only delay, and any other rule than the
naive one it is measured against. `decision` is the rule; the tests hold this against it look by look.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

from studio.experiments.anytime import tuning
from studio.experiments.capping import cap_of
from studio.experiments.decision import CONTACTS_MIN, CONVERSIONS_MIN

RUNS, LOOKS, SEED = 2_000, 200, 1
Array: TypeAlias = NDArray[np.float64]
DrawValues: TypeAlias = Callable[[np.random.Generator, int], Array]


@dataclass(frozen=True, slots=True)
class Counts:
    """Cumulative sums at each look of many experiments; every array is (runs, looks), `n` counts one arm.

    `is_rate`: the outcome is 0 or 1, so that hits, sums and squares are the same.
    """

    n: Array
    hits: tuple[Array, Array]
    sums: tuple[Array, Array]
    squares: tuple[Array, Array]
    is_rate: bool = False

    def enough(self) -> NDArray[np.bool_]:
        """Where both arms are past the burn-in."""
        payers = (self.hits[0] >= CONVERSIONS_MIN) & (self.hits[1] >= CONVERSIONS_MIN)
        if self.is_rate:
            others = (self.n - self.hits[0] >= CONVERSIONS_MIN) & (self.n - self.hits[1] >= CONVERSIONS_MIN)
            return payers & others
        return payers & (self.n >= CONTACTS_MIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """Over all experiments: how many ever shipped, and the contacts per arm by which half of them had (None: fewer)."""

    runs: int
    shipped: int
    median_n: int | None

    @property
    def rate(self) -> float:
        return self.shipped / self.runs

    @property
    def upper(self) -> float:
        """95 % upper bound of the true rate (Clopper and Pearson, Biometrika 1934, one-sided)."""
        if self.shipped == self.runs:
            return 1.0
        return float(special.betaincinv(self.shipped + 1, self.runs - self.shipped, 0.95))


def conversions(
    rates: tuple[float, float], step: int, *, runs: int = RUNS, looks: int = LOOKS, seed: int = SEED
) -> Counts:
    """Experiments of two rates, `step` contacts per arm between two looks."""
    rng = np.random.default_rng(seed)
    hits = rng.binomial(step, rates, (runs, looks, 2)).cumsum(axis=1).astype(float)
    pair = (hits[..., 0], hits[..., 1])
    n = np.broadcast_to(step * np.arange(1.0, looks + 1), (runs, looks))
    return Counts(n, pair, pair, pair, is_rate=True)


def revenues(
    payer_rate: float,
    draw: DrawValues,
    step: int,
    *,
    is_capped: bool = True,
    runs: int = RUNS,
    looks: int = LOOKS,
    seed: int = SEED,
) -> Counts:
    """Experiments of equal arms: a share of contacts pays what `draw` says, the others nothing."""
    rng = np.random.default_rng(seed)
    payers = rng.binomial(step, payer_rate, (runs, looks, 2))
    sums, squares = np.zeros(payers.shape), np.zeros(payers.shape)
    for run in range(runs):
        values = draw(rng, int(payers[run].sum()))
        if is_capped:
            values = _capped(values, payers[run])
        # The trailing zero gives an empty last cell a place to start from.
        padded = np.append(values, 0.0)
        starts = np.concatenate([[0], payers[run].ravel().cumsum()[:-1]])
        filled = payers[run].ravel() > 0
        sums[run].ravel()[filled] = np.add.reduceat(padded, starts[filled])
        squares[run].ravel()[filled] = np.add.reduceat(padded * padded, starts[filled])
    n = np.broadcast_to(step * np.arange(1.0, looks + 1), (runs, looks))
    hits, sums, squares = payers.cumsum(axis=1).astype(float), sums.cumsum(axis=1), squares.cumsum(axis=1)
    return Counts(n, _pair(hits), _pair(sums), _pair(squares))


def ever_shipped(counts: Counts, planned_total: int, alpha: float = 0.05, *, or_harmed: bool = False) -> Verdicts:
    """The ship rule at every look, for one treatment: `ship.lower_bound` above zero after the burn-in.

    `or_harmed` counts a stop for harm too, which is the same bound mirrored.
    """
    effect, error, _ = _contrast(counts)
    boundary = _boundary_one_sided(2 * counts.n, tuning(2 * alpha, planned_total), alpha)
    return _verdicts(counts, counts.enough() & ((np.abs(effect) if or_harmed else effect) > boundary * error))


def ever_significant(counts: Counts, alpha: float = 0.05) -> Verdicts:
    """The naive rule: treatment ahead and p < alpha (two-sided, as shown everywhere) at whichever look."""
    effect, error, pooled = _contrast(counts)
    spread = pooled if counts.is_rate else error
    return _verdicts(counts, (spread > 0) & (effect > -special.ndtri(alpha / 2) * spread))


def _verdicts(counts: Counts, crossed: NDArray[np.bool_]) -> Verdicts:
    runs = crossed.shape[0]
    shipped = crossed.any(axis=1)
    at = np.where(shipped, counts.n[np.arange(runs), crossed.argmax(axis=1)], np.inf)
    median = float(np.sort(at)[(runs - 1) // 2])
    return Verdicts(runs=runs, shipped=int(shipped.sum()), median_n=None if np.isinf(median) else round(median))


def _contrast(counts: Counts) -> tuple[Array, Array, Array]:
    """Difference of the means, its standard error, and the pooled one of the z-test of rates."""
    n, (a, b), (a_squares, b_squares) = counts.n, counts.sums, counts.squares
    freedom = n if counts.is_rate else n - 1
    variances = [
        np.maximum(square - total * total / n, 0) / freedom for total, square in ((a, a_squares), (b, b_squares))
    ]
    rate = (a + b) / (2 * n)
    pooled = np.sqrt(np.maximum(rate * (1 - rate), 0) * 2 / n) if counts.is_rate else np.zeros(1)
    return (b - a) / n, np.sqrt((variances[0] + variances[1]) / n), pooled


def _boundary_one_sided(n: Array, r2: float, alpha: float) -> Array:
    growth = n * r2 + 1
    return np.sqrt(2 * growth / (n * r2) * np.log1p(np.sqrt(growth) / (2 * alpha)))


def _capped(values: Array, payers: NDArray[np.integer]) -> Array:
    """Capped as of the first look that may decide; `payers` is (looks, arms), `values` follow it look by look."""
    known = payers.cumsum(axis=0)
    ready = np.flatnonzero(known.min(axis=1) >= CONVERSIONS_MIN)
    if not ready.size:
        return values
    cap = cap_of(values[: int(known[ready[0]].sum())])
    return values if cap is None else np.minimum(values, cap)


def _pair(both: Array) -> tuple[Array, Array]:
    return both[..., 0], both[..., 1]
