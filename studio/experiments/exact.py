"""Exact tests of two proportions for small counts: Boschloo, and Fisher where Boschloo's table would not fit.

Absent on purpose: `scipy.stats.boschloo_exact`. It needs seconds for two groups of 500, where the same supremum over
a grid needs milliseconds; the tests hold the two against each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from studio.experiments.moments import Proportion

TABLE_CELLS_MAX = 600_000
CONTACTS_MAX = 2_000
"""Above either Fisher answers. Any two groups of together 1,000 fit."""
_TIE = 1 + 1e-10
_GRID = 300
_ZOOMS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactResult:
    """Two-sided exact p-value; None when the counts are large enough for the pooled z-test, or an arm is empty."""

    p_value: float | None
    method: str | None


def exact_test(control: Proportion, treatment: Proportion) -> ExactResult:
    """Boschloo when the smallest expected cell is below 5 or there are fewer than 1,000 contacts together."""
    n, successes = control.n + treatment.n, control.successes + treatment.successes
    if not control.n or not treatment.n:
        return ExactResult(p_value=None, method=None)
    smallest = min(control.n, treatment.n) * min(successes, n - successes) / n
    if n >= 1_000 and smallest >= 5:
        return ExactResult(p_value=None, method=None)
    if successes in (0, n):
        # Every table of this margin is this one, so nothing speaks against equality.
        return ExactResult(p_value=1.0, method="boschloo")
    if n <= CONTACTS_MAX and (min(control.n, treatment.n) + 1) * (n + 1) <= TABLE_CELLS_MAX:
        return ExactResult(p_value=boschloo(control, treatment), method="boschloo")
    return ExactResult(p_value=fisher(control, treatment), method="fisher")


def boschloo(first: Proportion, second: Proportion) -> float:
    """Twice the smaller one-sided p: the largest chance, over all common rates, of a Fisher p as small as observed.

    O(n_min · n) time and memory. Both arms must be non-empty.

    References:
        Boschloo, "Raised conditional level of significance for the 2×2-table when testing the equality of two
        probabilities", Statistica Neerlandica 1970.
    """
    if first.n > second.n:
        first, second = second, first
    masses = _conditional_masses(first.n, second.n)
    lower = np.cumsum(masses, axis=0)
    upper = np.cumsum(masses[::-1], axis=0)[::-1]
    total = first.successes + second.successes
    one_sided = (
        _largest_chance(tail <= tail[first.successes, total] * _TIE, first.n, second.n) for tail in (lower, upper)
    )
    return min(1.0, 2 * min(one_sided))


def fisher(first: Proportion, second: Proportion) -> float:
    """Two-sided p given both margins, by summing all tables at most as likely as the one observed.

    References:
        Fisher, "The logic of inductive inference", JRSS 1935.
    """
    total, n = first.successes + second.successes, first.n + second.n
    if min(first.n, n - first.n) > min(total, n - total):
        # The distribution is symmetric in the two margins; the shorter one gives fewer terms.
        first, total = Proportion(total, first.successes), first.n
    low, high = max(0, total - (n - first.n)), min(first.n, total)
    k = np.arange(low, high, dtype=float)
    # Ratios of neighbours instead of factorials, which lose digits for a billion contacts.
    steps = np.log(total - k) + np.log(first.n - k) - np.log(k + 1) - np.log(n - total - first.n + k + 1)
    logs = np.concatenate([[0.0], np.cumsum(steps)])
    masses = np.exp(logs - logs.max())
    observed = masses[first.successes - low]
    return min(1.0, float(masses[masses <= observed * (1 + 1e-7)].sum() / masses.sum()))


def _conditional_masses(n: int, m: int) -> NDArray[np.float64]:
    """Hypergeometric mass of x successes in the first group given t in both: shape (n + 1, n + m + 1)."""
    x, t = np.arange(n + 1)[:, None], np.arange(n + m + 1)[None, :]
    possible = (x <= t) & (t - x <= m)
    rest = np.clip(t - x, 0, m)
    logs = _log_choose(n)[:, None] + _log_choose(m)[rest] - _log_choose(n + m)[None, :]
    return np.where(possible, np.exp(logs), 0.0)


def _log_choose(n: int) -> NDArray[np.float64]:
    k = np.arange(n + 1)
    return special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)


def _largest_chance(extreme: NDArray[np.bool_], n: int, m: int) -> float:
    """Supremum over the common rate of the chance of the tables marked; `extreme` is indexed (x, x + y)."""
    x = np.arange(n + 1)
    marked = np.stack([extreme[i, i : i + m + 1] for i in x])
    # For each x the marked y are one end of the range (Barnard's convexity): a count per row tells which.
    counts, from_start = marked.sum(axis=1), marked[:, 0]
    # Even on the scale where every rate is known equally well, so that peaks near 0 and 1 are not stepped over.
    rates = np.sin(np.linspace(0, np.pi / 2, _GRID + 1)[1:-1]) ** 2
    best = 0.0
    for _ in range(_ZOOMS):
        first, second = _masses(n, rates), np.cumsum(_masses(m, rates), axis=1)
        second = np.concatenate([np.zeros((rates.size, 1)), second], axis=1)
        tail = np.where(from_start, second[:, counts], second[:, -1:] - second[:, m + 1 - counts])
        chances = (first * tail).sum(axis=1)
        best = max(best, float(chances.max()))
        at = int(chances.argmax())
        low, high = rates[max(at - 1, 0)], rates[min(at + 1, rates.size - 1)]
        rates = np.linspace(low, high, 21)
    return best


def _masses(n: int, rates: NDArray[np.float64]) -> NDArray[np.float64]:
    k = np.arange(n + 1)[None, :]
    return np.exp(_log_choose(n)[None, :] + special.xlogy(k, rates[:, None]) + special.xlog1py(n - k, -rates[:, None]))
