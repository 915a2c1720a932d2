"""One experiment at one look: every kind of evidence, and the decision.

Absent on purpose: reading files and collecting the statistics.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from studio.experiments.anytime import compare_anytime, ship_bound
from studio.experiments.bayes import RatePrior, chances_of_best, compare_bayes
from studio.experiments.decision import MINIMUM_RUN, decide
from studio.experiments.exact import ExactResult, exact_test
from studio.experiments.fixed import compare_fixed
from studio.experiments.lift import finite, lift
from studio.experiments.moments import Arm, Proportion
from studio.experiments.result import Analysis, Comparison
from studio.experiments.spec import ExperimentSpec, Variant, control_share
from studio.experiments.srm import SampleRatio, sample_ratio
from studio.experiments.strict import StrictResult, compare_strict


def analyze(
    spec: ExperimentSpec,
    *,
    now: datetime | None = None,
    minimum_run: timedelta = MINIMUM_RUN,
    split: SampleRatio | None = None,
    settled: Mapping[str, Arm] | None = None,
    prior: RatePrior | None = None,
) -> Analysis:
    """Compare every treatment with the control and say what to do. Never raises on a spec that `parse_spec` accepts.

    Args:
        now: the moment of the look; without it, or without `started_at`, the minimum run is not asked for.
        minimum_run: how long an experiment runs before it can end well, so that it sees every day of a week.
        split: the check of the split where it was watched over all looks (`srm.watched_split`); else that of one look.
        settled: the arms of those contacts alone whose time to convert has run out, where many may still convert: what
            ships must be proven among them too. None: nobody's outcome is open.
        prior: of the Bayesian view of rates, which decides nothing; None: uniform.
    """
    adjusted = spec.adjusted()
    srm = split or sample_ratio([v.arm.n for v in spec.variants], [v.weight for v in spec.variants])
    comparisons = tuple(compare(adjusted, treatment, prior) for treatment in adjusted.treatments)
    decision = decide(adjusted, comparisons, srm, now=now, minimum_run=minimum_run, settled=settled)
    return Analysis(
        srm=srm,
        comparisons=comparisons,
        bayes_best=_best(adjusted, comparisons, prior),
        decision=decision,
    )


def _best(
    spec: ExperimentSpec, comparisons: tuple[Comparison, ...], prior: RatePrior | None
) -> dict[str, float | None]:
    if len(comparisons) == 1 and comparisons[0].bayes.p_better is not None:
        better = comparisons[0].bayes.p_better
        return {variant.id: 1 - better if variant.id == spec.control else better for variant in spec.variants}
    best = chances_of_best([variant.arm for variant in spec.variants], prior)
    chances = best or [None] * len(spec.variants)
    return {variant.id: chance for variant, chance in zip(spec.variants, chances, strict=True)}


def compare(spec: ExperimentSpec, treatment: Variant, prior: RatePrior | None = None) -> Comparison:
    """All evidence about one treatment against the control of `spec`, whose covariates are already taken out."""
    control = spec.control_variant
    a, b = control.arm.estimate(), treatment.arm.estimate()
    strict, exact = StrictResult(e_value=None, p_value=None), ExactResult(p_value=None, method=None)
    if isinstance(control.arm, Proportion) and isinstance(treatment.arm, Proportion):
        share = control_share(control, treatment)
        strict = compare_strict(control.arm, treatment.arm, spec.level, spec.planned_total, share)
        exact = exact_test(control.arm, treatment.arm)
    return Comparison(
        variant=treatment.id,
        effect=None if a is None or b is None else finite(b.value - a.value),
        lift=lift(a, b),
        fixed=compare_fixed(control.arm, treatment.arm, spec.alpha),
        anytime=compare_anytime(a, b, spec.alpha, spec.planned_total),
        ship=ship_bound(a, b, spec.alpha, spec.planned_total, len(spec.treatments)),
        strict=strict,
        exact=exact,
        bayes=compare_bayes(control.arm, treatment.arm, spec.alpha, prior),
    )
