"""One adaptive experiment at one look: the answer of `analyze`, with evidence that accounts for the moving shares.

Counts, Bayesian view and fixed tests are those of the people as they are; only the always-valid evidence and the ship
bound, which decide, come from the propensities. Absent on purpose: mode "strict", whose exactness needs fixed shares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from scipy import special

from studio.experiments.analyze import compare
from studio.experiments.band import BandPoint
from studio.experiments.bandit import Contrast, Wave, compare_adaptive, contrast, control_value, merged
from studio.experiments.bayes import chances_of_best
from studio.experiments.decision import MINIMUM_RUN, decide, has_burnt_in
from studio.experiments.lift import Interval, finite
from studio.experiments.moments import Arm
from studio.experiments.result import Analysis, Comparison
from studio.experiments.spec import ExperimentSpec
from studio.experiments.srm import BLOCKED_BELOW, SampleRatio

EXPECTED_MIN = 5.0
WEIGHED = (
    "Shares followed the results, so the lift weighs everybody by the share in force on arrival; "
    "the plain rates alone would mislead."
)


def analyze_adaptive(
    spec: ExperimentSpec,
    waves: Sequence[Wave],
    *,
    now: datetime | None = None,
    minimum_run: timedelta = MINIMUM_RUN,
    settled: Mapping[str, Arm] | None = None,
) -> Analysis:
    """As `analyze`; `spec` holds the same people as the waves together, and its metric is a proportion."""
    comparisons = tuple(_comparison(spec, waves, treatment.id) for treatment in spec.treatments)
    split = waves_split(waves)
    best = chances_of_best([variant.arm for variant in spec.variants]) or [None] * len(spec.variants)
    spec = replace(spec, mode="anytime")
    decision = decide(spec, comparisons, split, now=now, minimum_run=minimum_run, settled=settled)
    return Analysis(
        srm=split,
        comparisons=comparisons,
        bayes_best={variant.id: chance for variant, chance in zip(spec.variants, best, strict=True)},
        decision=replace(decision, reasons=(*decision.reasons, WEIGHED)),
    )


def _comparison(spec: ExperimentSpec, waves: Sequence[Wave], treatment: str) -> Comparison:
    plain = compare(spec, next(variant for variant in spec.treatments if variant.id == treatment))
    found = contrast(waves, spec.control, treatment)
    anytime, ship = compare_adaptive(found, spec.alpha, spec.planned_total, len(spec.treatments))
    base = control_value(waves, spec.control)
    return replace(
        plain,
        effect=None if found is None else found.effect,
        lift=None if found is None or not base else finite(found.effect / base),
        anytime=anytime,
        ship=ship,
    )


def waves_split(waves: Sequence[Wave]) -> SampleRatio:
    """Whether each wave was divided by the shares then in force: chi² over all waves, those of like shares together."""
    statistic, freedom = 0.0, 0
    for wave in _by_shares(waves):
        people = sum(arm.n for arm in wave.arms.values())
        expected = {name: people * share for name, share in wave.shares.items() if share > 0}
        if len(expected) < 2 or min(expected.values()) < EXPECTED_MIN:
            continue
        statistic += sum((wave.arms[name].n - e) ** 2 / e if name in wave.arms else e for name, e in expected.items())
        freedom += len(expected) - 1
    if not freedom:
        return SampleRatio(p_value=None, method="not tested", blocked=False)
    p_value = float(special.chdtrc(freedom, statistic))
    return SampleRatio(p_value=p_value, method="chi2 by wave", blocked=p_value < BLOCKED_BELOW)


def _by_shares(waves: Sequence[Wave]) -> list[Wave]:
    groups: dict[tuple[tuple[str, float], ...], list[Wave]] = {}
    for wave in waves:
        groups.setdefault(tuple(sorted(wave.shares.items())), []).append(wave)
    return [Wave(dict(shares), merged(found)) for shares, found in groups.items()]


def adaptive_band(waves: Sequence[tuple[datetime, Wave]], spec: ExperimentSpec, treatment: str) -> list[BandPoint]:
    """The lift wave by wave with the bounds that decide, each cut with all earlier ones as in `running_band`.

    Bounds of the effect over the control's estimated value, whose own error they leave out.
    """
    points: list[BandPoint] = []
    band: Interval | None = None
    for number, (at, _) in enumerate(waves, start=1):
        known = [wave for _, wave in waves[:number]]
        found, base = contrast(known, spec.control, treatment), control_value(known, spec.control)
        _, ship = compare_adaptive(found, spec.alpha, spec.planned_total, len(spec.treatments))
        arms = merged(known)
        ready = all(name in arms and has_burnt_in(arms[name]) for name in (spec.control, treatment))
        if ready and found is not None and base and ship.lower_bound is not None:
            band = _cut(band, found, ship.lower_bound, base)
        lift = None if found is None or not base else finite(found.effect / base)
        points.append(BandPoint(at, lift, *(band or (None, None))))
    return points


def _cut(band: Interval | None, found: Contrast, bound: float, base: float) -> Interval:
    # A rate cannot fall by more than all of it.
    seen = (max(bound / base, -1.0), (2 * found.effect - bound) / base)
    if band is None:
        return seen
    low, high = max(band[0], seen[0]), min(band[1], seen[1])
    return (low, high) if low <= high else band
