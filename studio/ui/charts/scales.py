"""From values to pixels, and the round values to label.

References: the 1-2-5 steps of Heckbert, "Nice numbers for graph labels", Graphics Gems, 1990.
Absent on purpose: logarithmic scales; no chart here needs one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from studio.ui.charts.data import X

_HOUR, _DAY = 3600, 86_400
_TIME_STEPS = (_HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR, _DAY, 2 * _DAY, 3 * _DAY, 7 * _DAY, 14 * _DAY, 28 * _DAY)
_CLOCK_SPAN = 2 * _DAY
"""Up to this span in seconds an axis says hours."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps [low, high] to [start, end] pixels; `start` may be the larger (a vertical axis)."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        if self.high == self.low:
            return (self.start + self.end) / 2
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def number_of(x: X) -> float:
    """Moments become seconds since 1970."""
    return x.timestamp() if isinstance(x, datetime) else float(x)


def nice_ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round values inside [low, high], some `about` of them, at least one."""
    if not math.isfinite(low) or not math.isfinite(high) or high <= low:
        return [low]
    raw = (high - low) / max(1, about)
    magnitude = 10 ** math.floor(math.log10(raw))
    step = min((magnitude * factor for factor in (1, 2, 5, 10)), key=lambda size: abs(math.log(size / raw)))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)] or [low]


def time_ticks(start: datetime, end: datetime, about: int = 5) -> list[datetime]:
    """Whole hours or days inside [start, end], counted from the midnight before `start`.

    Where days are written (`time_text`) there is at most one tick a day, so that no label says the same twice.
    """
    span = (end - start).total_seconds()
    least = 0 if span <= _CLOCK_SPAN else _DAY
    step = next((step for step in _TIME_STEPS if step >= least and span / step <= about), None)
    if step is None:
        step = 28 * _DAY * math.ceil(span / (28 * _DAY * about))
    at = start.replace(hour=0, minute=0, second=0, microsecond=0)
    ticks: list[datetime] = []
    while at <= end:
        if at >= start:
            ticks.append(at)
        at += timedelta(seconds=step)
    return ticks


def time_text(at: datetime, span_s: float) -> str:
    """`14:00` within two days, else `3 Oct`; the year only when the axis covers more than one."""
    if span_s <= _CLOCK_SPAN:
        return f"{at:%H:%M}"
    return f"{at.day} {at:%b}" if span_s < 300 * _DAY else f"{at:%b %Y}"


def padded(values: Sequence[float], share: float = 0.08, *, with_zero: bool = False) -> tuple[float, float]:
    """The range of the finite values with some room at both ends; never empty."""
    finite = [value for value in values if math.isfinite(value)]
    if with_zero:
        finite.append(0.0)
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    room = (high - low) * share or abs(high) * share or 1.0
    return (low if with_zero and low == 0 else low - room), high + room
