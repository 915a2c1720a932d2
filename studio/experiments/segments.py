"""For whom a treatment works: the same comparison within parts of the audience, corrected for how many parts there are.

A difference in one segment decides nothing: the ship rule asks everybody together. Absent on purpose: finding segments;
the caller names them before looking.

References:
    Cochran, "The combination of estimates from different experiments", Biometrics 1954 (heterogeneity).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from scipy import special

from studio.experiments.anytime import boundary, compare_anytime, ship_quantile, standard_error, tuning
from studio.experiments.decision import has_burnt_in
from studio.experiments.families import holm
from studio.experiments.lift import Interval, finite, lift
from studio.experiments.moments import Arm, Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentResult:
    """One part of the audience. `p_value` is valid at any look and corrected (Holm) over the segments of one split-up.

    `lift_ci` holds at the same, uncorrected level. `enough`: both arms are past the burn-in; before it no p is given.
    """

    name: str
    n: int
    effect: float | None
    lift: float | None
    lift_ci: Interval | None
    p_value: float | None
    enough: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmentation:
    """`differ_p`: chance of segments this different when the effect is the same in all; one look; None below two."""

    segments: tuple[SegmentResult, ...]
    differ_p: float | None


def by_segment(arms: Mapping[str, tuple[Arm, Arm]], *, planned_total: int, alpha: float = 0.05) -> Segmentation:
    """Control and treatment within each segment, in the order given.

    Args:
        arms: segment → control, treatment. Each person is in one segment.
        planned_total: N* of both arms over all segments; each segment gets its share by what it has.
    """
    whole = sum(control.n + treatment.n for control, treatment in arms.values())
    found = [_segment(name, *pair, planned_total, whole, alpha) for name, pair in arms.items()]
    known = [index for index, (_, p_value) in enumerate(found) if p_value is not None]
    corrected = holm([p for _, p in found if p is not None])
    p_values: list[float | None] = [None] * len(found)
    for index, p_value in zip(known, corrected, strict=True):
        p_values[index] = p_value
    segments = tuple(
        SegmentResult(**{**result, "p_value": p_value}) for (result, _), p_value in zip(found, p_values, strict=True)
    )
    return Segmentation(segments=segments, differ_p=_heterogeneity(list(arms.values())))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratified:
    """The effect when every segment counts by its size. `saved`: the part of the variance that this removes."""

    effect: float
    ci: Interval
    lower_bound: float
    saved: float


def stratified(arms: Mapping[str, tuple[Arm, Arm]], *, planned_total: int, alpha: float = 0.05) -> Stratified | None:
    """Treatment − control over all segments, freed of how they happened to fall into the arms; valid at any look.

    As precise as a split that was stratified beforehand, without making the assignment depend on who else is there.
    None where nobody can be compared. Segments with fewer than two contacts in an arm are left out.

    References:
        Miratrix, Sekhon, Yu, "Adjusting treatment effect estimates by post-stratification in randomized experiments",
        JRSS B 2013.
    """
    parts = []
    for control, treatment in arms.values():
        a, b = control.estimate(), treatment.estimate()
        if a is not None and b is not None and min(a.n, b.n) >= 2:
            parts.append((a, b))
    n = sum(a.n + b.n for a, b in parts)
    effect = math.fsum((a.n + b.n) / n * (b.value - a.value) for a, b in parts) if n else 0.0
    variance = math.fsum(((a.n + b.n) / n) ** 2 * (a.squared_error + b.squared_error) for a, b in parts) if n else 0.0
    if not variance > 0:
        return None
    error = math.sqrt(variance)
    half = boundary(n, tuning(alpha, planned_total), alpha) * error
    return Stratified(
        effect=effect,
        ci=(effect - half, effect + half),
        lower_bound=effect - ship_quantile(n, planned_total, alpha) * error,
        saved=1 - variance / _together(parts),
    )


def _together(parts: list[tuple[Estimate, Estimate]]) -> float:
    """Squared error of the plain difference of the same people."""
    whole = 0.0
    for side in (0, 1):
        n = sum(pair[side].n for pair in parts)
        mean = math.fsum(pair[side].n * pair[side].value for pair in parts) / n
        inner = math.fsum(pair[side].n * (pair[side].variance + (pair[side].value - mean) ** 2) for pair in parts) / n
        whole += inner / n
    return whole


def _segment(
    name: str, control: Arm, treatment: Arm, planned_total: int, whole: int, alpha: float
) -> tuple[dict[str, object], float | None]:
    n = control.n + treatment.n
    a, b = control.estimate(), treatment.estimate()
    enough = has_burnt_in(control) and has_burnt_in(treatment)
    anytime = compare_anytime(a, b, alpha, max(1, round(planned_total * n / max(whole, 1))))
    result = {
        "name": name,
        "n": n,
        "effect": None if a is None or b is None else finite(b.value - a.value),
        "lift": lift(a, b),
        "lift_ci": anytime.lift_ci if enough else None,
        "enough": enough,
    }
    return result, anytime.p_value if enough else None


def _heterogeneity(pairs: list[tuple[Arm, Arm]]) -> float | None:
    effects, weights = [], []
    for control, treatment in pairs:
        if not (has_burnt_in(control) and has_burnt_in(treatment)):
            continue
        a, b = control.estimate(), treatment.estimate()
        error = standard_error(a, b)
        if a is not None and b is not None and error is not None:
            effects.append(b.value - a.value)
            weights.append(1 / (error * error))
    if len(effects) < 2:
        return None
    centre = math.fsum(w * e for w, e in zip(weights, effects, strict=True)) / math.fsum(weights)
    spread = math.fsum(w * (e - centre) ** 2 for w, e in zip(weights, effects, strict=True))
    return float(special.chdtrc(len(effects) - 1, spread))
