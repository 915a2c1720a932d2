"""Revenue without the tyranny of a few: values above a cap count as the cap.

The cap is the 99.9th percentile of what payers of all arms together paid, taken once at the first look that may decide,
and kept. Absent on purpose: dropping anybody, and a cap per arm, which would hide an effect on large orders.

References:
    Dixon, "Simplified estimation from censored normal samples", Annals of Mathematical Statistics 1960 (winsorising).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

PERCENTILE = 99.9
FEW = 0.01
MUCH = 0.5


def cap_of(values: ArrayLike, percentile: float = PERCENTILE) -> float | None:
    """The percentile of the values other than zero, of all arms together; None without any."""
    paid = np.asarray(values, dtype=float)
    paid = paid[paid != 0]
    return float(np.percentile(paid, percentile)) if paid.size else None


def top_share(values: ArrayLike) -> float | None:
    """The part of the sum that the highest-paying 1 % of payers (at least one) bring; None without a positive sum."""
    paid = np.sort(np.asarray(values, dtype=float))
    paid = paid[paid > 0]
    total = float(paid.sum())
    if not total > 0:
        return None
    return float(paid[-max(1, int(np.ceil(FEW * paid.size))) :].sum()) / total


def is_carried_by_few(values: ArrayLike) -> bool:
    """Whether the top 1 % of payers carry more than half: then the mean says more about them than about the variant."""
    share = top_share(values)
    return share is not None and share > MUCH
