"""The chart "lift over time": one band per look, never wider than before.

Absent on purpose: any other rule than the one that decides; the band leaves zero at the look at which that does: the
ship bound, or the exact evidence in mode “strict”.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from studio.experiments.anytime import ship_lift
from studio.experiments.decision import has_burnt_in
from studio.experiments.lift import Interval, lift
from studio.experiments.moments import Arm, Proportion
from studio.experiments.strict import strict_lift


@dataclass(frozen=True, slots=True)
class Look:
    """Everything known of control and one treatment at a moment, since the start (cumulative)."""

    at: datetime
    control: Arm
    treatment: Arm


class BandPoint(NamedTuple):
    """`low` and `high` are None until enough is known to bound the lift."""

    at: datetime
    lift: float | None
    low: float | None
    high: float | None


def running_band(
    looks: Sequence[Look],
    *,
    planned_total: int,
    alpha: float = 0.05,
    treatments: int = 1,
    strict: bool = False,
    control_share: float = 0.5,
) -> list[BandPoint]:
    """One point per look, in the order given, which is that of time.

    Below is the ship bound at alpha / treatments, above its mirror, both as lifts (`strict`: the ends of `strict_lift`,
    for which `control_share` is planned); each look's band is cut with all earlier ones. A look that contradicts them
    (the effect itself has changed) leaves the band as it was. Looks before the burn-in do not count unless `strict`:
    the approximation is not good enough to narrow later bands.
    """
    points: list[BandPoint] = []
    band: Interval | None = None
    for look in looks:
        control, treatment = look.control.estimate(), look.treatment.estimate()
        if strict and isinstance(look.control, Proportion) and isinstance(look.treatment, Proportion):
            exact = strict_lift(look.control, look.treatment, alpha / treatments, planned_total, control_share)
            band = _cut(band, exact)
        elif has_burnt_in(look.control) and has_burnt_in(look.treatment):
            band = _cut(band, ship_lift(control, treatment, planned_total, alpha / treatments))
        low, high = band if band is not None else (None, None)
        points.append(BandPoint(look.at, lift(control, treatment), low, high))
    return points


def _cut(band: Interval | None, seen: Interval | None) -> Interval | None:
    if band is None or seen is None:
        return seen if band is None else band
    low, high = max(band[0], seen[0]), min(band[1], seen[1])
    return (low, high) if low <= high else band
