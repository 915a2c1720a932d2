"""After a winner was shipped: what to expect of it, and whether those kept on the old value say that it was a mistake.

Absent on purpose: the raw lift at stopping. A winner is chosen because it looked good, so it looked better than it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from studio.experiments.anytime import ship_bound, ship_lift, standard_error
from studio.experiments.decision import has_burnt_in
from studio.experiments.lift import Interval, lift
from studio.experiments.moments import Arm

OLD_SHARE = 0.1
"""Of people who keep the old value after a winner was shipped."""
LIFT_SPREAD = 0.3
"""Standard deviation of true lifts over many experiments of marketers: the prior that a winner is shrunk by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vigil:
    """New value against old since the change. `roll_back`: the new value is proven worse, however often one looked."""

    verdict: Literal["roll_back", "holds", "watching"]
    effect: float | None
    lift: float | None
    lift_ci: Interval | None
    reason: str


def watch(old: Arm, new: Arm, *, planned_total: int, alpha: float = 0.05) -> Vigil:
    """People on the old value against people on the new one since it was shipped.

    P(ever rolling back a value that is not worse) ≤ alpha. `planned_total` counts both, as in the experiment.
    """
    a, b = old.estimate(), new.estimate()
    bound = ship_bound(a, b, alpha, planned_total, 1).lower_bound
    if a is None or b is None or bound is None or not (has_burnt_in(old) and has_burnt_in(new)):
        reason = f"{old.n:,} people on the old value and {new.n:,} on the new one are too few to tell."
        return Vigil(verdict="watching", effect=None, lift=lift(a, b), lift_ci=None, reason=reason)
    effect, interval = b.value - a.value, ship_lift(a, b, planned_total, alpha)
    if 2 * effect - bound < 0:
        verdict, reason = "roll_back", "People on the new value do worse than those kept on the old one: take it back."
    elif bound > 0:
        verdict, reason = "holds", "People on the new value do better than those kept on the old one."
    else:
        verdict, reason = "watching", "Those kept on the old value do neither better nor worse so far."
    return Vigil(verdict=verdict, effect=effect, lift=lift(a, b), lift_ci=interval, reason=reason)


def expected_lift(control: Arm, treatment: Arm, band: Interval | None, spread: float = LIFT_SPREAD) -> float | None:
    """What to expect of a shipped winner: the middle of its band, drawn towards zero by how uncertain it is.

    Never more than was seen: a band that was cut at an early, lucky look may have its middle beyond the lift.

    Args:
        band: of the lift, as `band.running_band` leaves it; None: the middle is the lift itself.
        spread: standard deviation of the normal prior on true lifts.

    References:
        Normal shrinkage: Efron, "Tweedie's formula and selection bias", JASA 2011.
    """
    a, b = control.estimate(), treatment.estimate()
    value, error = lift(a, b), standard_error(a, b)
    if value is None or error is None or a is None or b is None:
        return None
    ratio = b.value / a.value
    noise = (b.squared_error + ratio * ratio * a.squared_error) / (a.value * a.value)
    middle = value if band is None else min(value, (band[0] + band[1]) / 2, key=abs)
    shrunk = middle * spread * spread / (spread * spread + noise)
    return shrunk if math.isfinite(shrunk) else None
