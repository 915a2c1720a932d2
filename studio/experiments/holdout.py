"""What a whole workflow added: people who got it against those held out.

Absent on purpose: money and cost; the value is in whatever unit the outcome has.
"""

from __future__ import annotations

from dataclasses import dataclass

from studio.experiments.anytime import compare_anytime
from studio.experiments.fixed import compare_fixed
from studio.experiments.lift import Interval
from studio.experiments.moments import Arm


@dataclass(frozen=True, slots=True, kw_only=True)
class Increment:
    """Per person and for everybody treated. `fixed_ci` holds for one look, `anytime_ci` for any number of looks.

    `indistinguishable` from zero: `anytime_ci` holds zero, or too little is known to say. None where an arm is empty.
    """

    effect: float | None
    total: float | None
    fixed_ci: Interval | None
    anytime_ci: Interval | None
    total_ci: Interval | None
    indistinguishable: bool


def increment(
    treated: Arm, holdout: Arm, treated_n: int | None = None, *, planned_total: int | None = None, alpha: float = 0.05
) -> Increment:
    """Outcome per person above the holdout, and times `treated_n` (everyone in `treated` unless said).

    Args:
        planned_total: people in both groups at the end of the run, for the width of `anytime_ci`; today's number
            unless said, which suits a run whose audience is complete from the start.
        alpha: the intervals hold 1 − alpha.
    """
    people = treated.n if treated_n is None else treated_n
    a, b = holdout.estimate(), treated.estimate()
    anytime = compare_anytime(a, b, alpha, planned_total or max(treated.n + holdout.n, 1)).ci
    effect = None if a is None or b is None else b.value - a.value
    return Increment(
        effect=effect,
        total=None if effect is None else effect * people,
        fixed_ci=compare_fixed(holdout, treated, alpha).ci,
        anytime_ci=anytime,
        total_ci=None if anytime is None else (anytime[0] * people, anytime[1] * people),
        indistinguishable=anytime is None or anytime[0] <= 0 <= anytime[1],
    )
