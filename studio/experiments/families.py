"""Many questions at once: p-values and e-values corrected for how many were asked.

The primary metric is not corrected here: its treatments share alpha (`spec.level`). Absent on purpose: guardrails,
which a correction would blind.

References:
    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 1979.
    Benjamini, Hochberg, "Controlling the false discovery rate", JRSS B 1995.
    Wang, Ramdas, "False discovery rate control with e-values", JRSS B 2022 (e-BH).
    Dunnett, "A multiple comparison procedure for comparing several treatments with a control", JASA 1955.
    Xu, Ramdas, "Online multiple testing with e-values", AISTATS 2024 (e-LOND).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import special

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(80)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values, in the order given: below alpha means P(any false one among them) ≤ alpha."""
    ordered = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted, running = [1.0] * len(p_values), 0.0
    for rank, index in enumerate(ordered):
        running = max(running, min(1.0, p_values[index] * (len(p_values) - rank)))
        adjusted[index] = running
    return adjusted


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values: of those below alpha, at most the share alpha is false on average (independent or positively
    dependent tests). For exploring, never for shipping."""
    ordered = sorted(range(len(p_values)), key=lambda index: p_values[index], reverse=True)
    adjusted, running, m = [1.0] * len(p_values), 1.0, len(p_values)
    for place, index in enumerate(ordered):
        running = min(running, p_values[index] * m / (m - place))
        adjusted[index] = running
    return adjusted


def e_benjamini_hochberg(e_values: Sequence[float]) -> list[float]:
    """As `benjamini_hochberg`, from e-values, whatever their dependence and however often one looked."""
    return benjamini_hochberg([min(1.0, 1 / e) if e > 0 else 1.0 for e in e_values])


def dunnett(z: Sequence[float], sizes: Sequence[int], control_size: int) -> list[float]:
    """Two-sided p-values of treatments against one control, corrected for their number; `z` in standard errors.

    Normal limit with equal variances, so for large arms. `sizes` are those of all treatments, maybe more than `z`.
    """
    shares = np.array([math.sqrt(size / (size + control_size)) if size else 0.0 for size in sizes])
    rest = np.sqrt(1 - shares * shares)
    shifts = np.outer(_NODES, shares)
    p_values = []
    for value in np.abs(np.asarray(z, dtype=float)):
        inside = special.ndtr((value - shifts) / rest) - special.ndtr((-value - shifts) / rest)
        p_values.append(float(min(1.0, max(0.0, 1 - _WEIGHTS @ inside.prod(axis=1)))))
    return p_values


def discoveries(e_values: Sequence[float], alpha: float = 0.05) -> list[bool]:
    """Which experiments of a series that goes on for ever are findings: at most the share alpha of them false (e-LOND).

    `e_values` in the order the experiments began; each is decided without knowing the later ones.
    """
    found: list[bool] = []
    for number, e_value in enumerate(e_values, start=1):
        # The shares 1 / (t (t + 1)) sum to 1 over a series without end.
        level = alpha / (number * (number + 1)) * (sum(found) + 1)
        found.append(e_value >= 1 / level)
    return found
