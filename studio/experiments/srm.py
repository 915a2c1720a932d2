"""Sample-ratio check: did every variant get the share of contacts that it was promised?

Absent on purpose: arms with weight 0. They are not tested and must not count as a degree of freedom.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

BLOCKED_BELOW = 0.001
EXACT_BELOW = 1_000
_TABLES_MAX = 600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRatio:
    """`blocked`: the split is not the one that was ordered, so no comparison of the variants can be trusted."""

    p_value: float | None
    method: str
    blocked: bool


def sample_ratio(counts: Sequence[int], weights: Sequence[float]) -> SampleRatio:
    """Chi² over the arms with weight, exact below 1,000 contacts; p is None with nobody or with one such arm only."""
    kept = [(count, weight) for count, weight in zip(counts, weights, strict=True) if weight > 0]
    tested = [count for count, _ in kept]
    shares = _shares([weight for _, weight in kept])
    n = sum(tested)
    if n == 0 or len(tested) < 2:
        return SampleRatio(p_value=None, method="not tested", blocked=False)
    if n < EXACT_BELOW and math.comb(n + len(tested) - 1, len(tested) - 1) <= _TABLES_MAX:
        p_value = exact_multinomial(tested, shares)
        method = "exact binomial" if len(tested) == 2 else "exact multinomial"
    else:
        p_value, method = chi_square(tested, shares), "chi2"
    return SampleRatio(p_value=p_value, method=method, blocked=p_value < BLOCKED_BELOW)


def chi_square(counts: Sequence[int], weights: Sequence[float]) -> float:
    """Pearson's test over the arms with weight > 0, of which there are two or more."""
    kept = [(count, weight) for count, weight in zip(counts, weights, strict=True) if weight > 0]
    n = sum(count for count, _ in kept)
    shares = _shares([weight for _, weight in kept])
    statistic = sum((count - n * share) ** 2 / (n * share) for (count, _), share in zip(kept, shares, strict=True))
    return float(special.chdtrc(len(kept) - 1, statistic))


def exact_multinomial(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Chance of a split at most as likely as the one seen; enumerates all C(n + k − 1, k − 1) splits."""
    observed = float(_log_mass(np.array([counts], dtype=float), shares)[0])
    total = 0.0
    for splits in _splits(sum(counts), len(counts)):
        logs = _log_mass(splits, shares)
        total += float(np.exp(logs[logs <= observed + 1e-7]).sum())
    return min(1.0, total)


def sequential_p_value(counts: Sequence[int], weights: Sequence[float], concentration: float = 100.0) -> float:
    """For looking as often as one likes: 1 / Bayes factor of a Dirichlet-multinomial against the ordered split.

    P(ever below a) ≤ a when the split is right. Arms with weight 0 are left out.

    References:
        Lindon, Malek, "Anytime-valid inference for multinomial count data", NeurIPS 2022.
    """
    kept = [(count, weight) for count, weight in zip(counts, weights, strict=True) if weight > 0]
    n = sum(count for count, _ in kept)
    log_factor = float(special.gammaln(concentration) - special.gammaln(concentration + n))
    for (count, _), share in zip(kept, _shares([weight for _, weight in kept]), strict=True):
        prior = concentration * share
        log_factor += float(special.gammaln(prior + count) - special.gammaln(prior)) - count * math.log(share)
    return math.exp(min(0.0, -log_factor))


def watched_split(looks: Sequence[Sequence[int]], weights: Sequence[float]) -> SampleRatio:
    """The check for an experiment that is looked at all the time: cumulative counts per look, in order of time.

    Blocked once the evidence of any look was below .001; the chance of that with the right split is below .001 too.
    """
    if sum(weight > 0 for weight in weights) < 2 or not looks or not sum(looks[-1]):
        return SampleRatio(p_value=None, method="not tested", blocked=False)
    p_value = min(sequential_p_value(counts, weights) for counts in looks)
    return SampleRatio(p_value=p_value, method="sequential", blocked=p_value < BLOCKED_BELOW)


def _shares(weights: Sequence[float]) -> list[float]:
    total = math.fsum(weights)
    return [weight / total for weight in weights]


def _log_mass(splits: NDArray[np.float64], shares: Sequence[float]) -> NDArray[np.float64]:
    n = splits[0].sum()
    return special.gammaln(n + 1) + (special.xlogy(splits, shares) - special.gammaln(splits + 1)).sum(axis=1)


def _splits(n: int, arms: int) -> Iterator[NDArray[np.float64]]:
    """All ways to split n contacts over the arms, in blocks with the counts of all but the last two arms fixed."""
    if arms == 2:
        first = np.arange(n + 1, dtype=float)
        yield np.column_stack([first, n - first])
        return
    for head in range(n + 1):
        for rest in _splits(n - head, arms - 1):
            yield np.column_stack([np.full(len(rest), float(head)), rest])
