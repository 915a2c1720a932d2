"""Finds what is out of the ordinary in a regular series: single moments, and levels that moved.

A series is what it usually is (a slow level plus the time of day or week) and noise; what the noise does not explain is
an alert. Everything is by medians, so that an incident does not hide itself. Absent on purpose: what caused it
(`causes`) and thresholds that somebody has to choose: they follow from how many false alarms one wants.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter
from scipy.special import ndtri

Floats = NDArray[np.float64]
Measure: TypeAlias = Literal["count", "rate", "amount"]
Shape: TypeAlias = Literal["spike", "shift"]

FALSE_ALARMS = 1.0
POINTS_PER_MONTH = 720
"""At most so many false alarms in a month of hours."""
_MAD = 1.4826
_HEAVIER = 1.13
"""Residuals of a fit by medians look a little smaller than the noise is; measured on series of noise alone."""
_SLACK = 0.75
"""The cumulative sum forgives this much of a standard deviation at each point: it looks for shifts of 1.5 and more."""
_SHIFT_AT = 10.0
_SHIFT_LEAST = 1.6
"""Levels that moved by less are left to trends."""
_CAPPED = 4.0
_LEAST_PERIODS = 3


@dataclass(frozen=True, slots=True)
class Unusual:
    """One thing out of the ordinary. `index` is where it is, of a shift where the new level begins; `until` is where it
    was certain. `expected` with `low` and `high` is what was to be expected there; `z` is in standard deviations.
    """

    index: int
    until: int
    shape: Shape
    value: float
    expected: float
    low: float
    high: float
    z: float

    @property
    def change(self) -> float | None:
        """Value against expectation, −0.38 for 38 % less; None where nothing was expected."""
        return self.value / self.expected - 1 if self.expected else None


@dataclass(frozen=True, slots=True)
class Usual:
    """What a series usually is, on the scale on which its noise is even: level, season, and one standard deviation."""

    scaled: Floats
    level: Floats
    season: Floats
    spread: Floats

    @property
    def expected(self) -> Floats:
        return self.level + self.season


def threshold(points: int, false_alarms: float = FALSE_ALARMS, per: int = POINTS_PER_MONTH) -> float:
    """How many standard deviations a single point may be off: so that noise gives `false_alarms` in `per` points.

    Half of the budget is for levels that move, and short series know their own noise less well. Never under 4.
    """
    budget = false_alarms / per / 2
    normal = float(-ndtri(budget / 2))
    return max(4.0, normal * (1 + 50 / max(points, 30)) + 1.0)


def unusual(
    values: Floats,
    *,
    period: int,
    measure: Measure = "count",
    totals: Floats | None = None,
    false_alarms: float = FALSE_ALARMS,
) -> list[Unusual]:
    """What is out of the ordinary, in order of time. Empty for less than three periods. O(n · period).

    Args:
        values: one per regular moment; a rate's successes, with `totals` the attempts.
        period: moments per day or week.
        measure: how noise behaves. count: grows with the root of the value; rate: binomial at each moment's total;
            amount: the same size everywhere.
    """
    values = np.asarray(values, dtype=np.float64)
    if len(values) < max(_LEAST_PERIODS * period, 12):
        return []
    scale = _Scale(measure, None if totals is None else np.asarray(totals, dtype=np.float64))
    usual = usually(scale.to_even(values), period, scale.least())
    z = (usual.scaled - usual.expected) / usual.spread
    limit = threshold(len(values), false_alarms)
    found = [
        _unusual(i, i, "spike", values, z[i], usual.expected[i], usual.spread[i], limit, scale)
        for i in _spikes(z, limit)
    ]
    found += _shifts(values, usual, period, limit, scale)
    return sorted(found, key=lambda one: (one.index, one.shape))


def usually(scaled: Floats, period: int, least: Floats | float = 0.0) -> Usual:
    """Level by a running median over two periods, season by the median of each phase, three times: the level anew
    without the season, then both without what stands out. `least` is the smallest standard deviation that can be.
    """
    season = np.zeros_like(scaled)
    kept, level = scaled, scaled
    for turn in range(3):
        level = _running_median(kept - season, 2 * period + 1)
        season = _season(kept - level, period)
        off = scaled - level - season
        spread = _MAD * float(np.median(np.abs(off - np.median(off)))) * _HEAVIER
        spread = np.maximum(spread, least) if spread or np.any(least) else np.full(1, np.finfo(float).tiny)
        # Not before the season is out of the level: its ends are wrong while it is in.
        if turn:
            kept = np.where(np.abs(off) > 4 * spread, level + season, scaled)
    return Usual(scaled, level, season, np.broadcast_to(np.asarray(spread, dtype=np.float64), scaled.shape))


def _spikes(z: Floats, limit: float) -> Iterator[int]:
    """Points beyond the limit, and runs of two and more on one side of three quarters of it (their farthest point)."""
    far = np.abs(z) > limit
    near = np.abs(z) > 0.75 * limit
    side = np.sign(z)
    at = 0
    while at < len(z):
        if not near[at]:
            at += 1
            continue
        end = at + 1
        while end < len(z) and near[end] and side[end] == side[at]:
            end += 1
        if end - at >= 2 or far[at]:
            # Each point that is far off by itself is its own alert; a run of near ones is one.
            own = [i for i in range(at, end) if far[i]]
            yield from own or [at + int(np.abs(z[at:end]).argmax())]
        at = end


def _shifts(values: Floats, usual: Usual, period: int, limit: float, scale: _Scale) -> Iterator[Unusual]:
    """Cumulative sums both ways against the median of what came before, begun anew after each shift.

    A shift bends the slope that is taken out first, so that the slope is taken again without it until both agree.

    References:
        Page, "Continuous inspection schemes", Biometrika 1954.
    """
    trended = usual.scaled - usual.season
    found: list[tuple[int, int, float, float]] = []
    slope = 0.0
    for _ in range(3):
        before = [step[0] for step in found]
        slope = _slope(trended, period, before)
        found = list(_steps(trended - slope * np.arange(len(trended)), usual.spread, period))
        if [step[0] for step in found] == before:
            break
    for begun, known, z, base in found:
        expected = base + slope * begun + usual.season[begun]
        yield _unusual(begun, known, "shift", values, z, expected, usual.spread[begun], limit, scale)


def _steps(level: Floats, spread: Floats, period: int) -> Iterator[tuple[int, int, float, float]]:
    """Where each shift began, where it was certain, its size in standard deviations, and the level before it."""
    start, least = 0, max(2 * period, 28)
    while start + least < len(level):
        base = float(np.median(level[start : start + least]))
        step = _first_shift((level - base) / spread, start + least)
        if step is None:
            return
        begun, known, z = step
        if abs(z) >= _SHIFT_LEAST:
            yield begun, known, z, float(np.median(level[start:begun]))
        start = begun


def _first_shift(z: Floats, first: int) -> tuple[int, int, float] | None:
    """Where it began, where it was certain, and its size; `z` against the level before."""
    steps = np.clip(z[first:], -_CAPPED, _CAPPED).tolist()
    up = down = 0.0
    up_from = down_from = 0
    for place, value in enumerate(steps):
        up, down = up + value - _SLACK, down - value - _SLACK
        if up <= 0:
            up, up_from = 0.0, place + 1
        if down <= 0:
            down, down_from = 0.0, place + 1
        if up > _SHIFT_AT or down > _SHIFT_AT:
            begun = first + (up_from if up > _SHIFT_AT else down_from)
            return begun, first + place, float(np.median(z[begun : first + place + 1]))
    return None


def _unusual(
    index: int,
    until: int,
    shape: Shape,
    values: Floats,
    z: float,
    expected: float,
    spread: float,
    limit: float,
    scale: _Scale,
) -> Unusual:
    back = [scale.back(expected + off * spread) for off in (0.0, -limit, limit)]
    shown = scale.shown(values, index, until)
    return Unusual(index, until, shape, shown, back[0], back[1], back[2], float(z))


class _Scale:
    """Between values and the scale on which their noise is even."""

    def __init__(self, measure: Measure, totals: Floats | None) -> None:
        assert measure != "rate" or totals is not None, "a rate needs its totals"
        self._measure = measure
        self._totals = totals

    def to_even(self, values: Floats) -> Floats:
        """Anscombe's root for counts (variance 1 for a Poisson), Freeman–Tukey's angle for rates."""
        if self._measure == "count":
            return 2 * np.sqrt(np.maximum(values, 0) + 0.375)
        if self._measure == "rate":
            assert self._totals is not None
            n = np.maximum(self._totals, 1)
            low, high = np.arcsin(np.sqrt(values / (n + 1))), np.arcsin(np.sqrt((values + 1) / (n + 1)))
            return low + high
        return values

    def least(self) -> Floats | float:
        """The standard deviation that chance alone gives, on the even scale."""
        if self._measure == "count":
            return 1.0
        if self._measure == "rate":
            assert self._totals is not None
            return 1 / np.sqrt(np.maximum(self._totals, 1) + 0.5)
        return 0.0

    def back(self, even: float) -> float:
        """A value on the even scale, as what is shown: a count, a rate, an amount."""
        if self._measure == "count":
            return max(max(even, 0.0) ** 2 / 4 - 0.375, 0.0)
        if self._measure == "rate":
            return math.sin(min(max(even / 2, 0.0), math.pi / 2)) ** 2
        return even

    def shown(self, values: Floats, index: int, until: int) -> float:
        """What stands from a place to another, on average, as it is shown."""
        span = slice(index, until + 1)
        if self._measure == "rate":
            assert self._totals is not None
            total = float(self._totals[span].sum())
            return float(values[span].sum()) / total if total else 0.0
        return float(np.mean(values[span]))


def _running_median(values: Floats, window: int) -> Floats:
    """Centred; at the ends the series is mirrored."""
    half = min(window, len(values) - 1) // 2
    return median_filter(values, size=2 * half + 1, mode="mirror")


def _season(off: Floats, period: int) -> Floats:
    if period <= 1:
        return np.zeros_like(off)
    rows = -(-len(off) // period)
    table = np.full(rows * period, np.inf)
    table[: len(off)] = off
    # What is missing of the last row is sorted behind what is there.
    ordered = np.sort(table.reshape(rows, period), axis=0)
    known = np.where(np.arange(period) < (len(off) - 1) % period + 1, rows, rows - 1)
    phase = np.arange(period)
    phases = (ordered[(known - 1) // 2, phase] + ordered[known // 2, phase]) / 2
    return np.tile(phases - np.median(phases), rows)[: len(off)]


def _slope(level: Floats, period: int, shifts: list[int]) -> float:
    """The lasting slope: the median change over a fifth of the series, of pairs with no known shift between them.

    References:
        Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 1968, of which this is a part.
    """
    lag = max(len(level) // 5 // period * period, period)
    changes = level[lag:] - level[:-lag]
    whole = np.ones(len(changes), dtype=bool)
    for at in shifts:
        whole[max(at - lag, 0) : at] = False
    return float(np.median(changes[whole] if whole.sum() >= lag else changes)) / lag
