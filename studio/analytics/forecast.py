"""What comes next if things go on as they did: a damped trend with a season, and bands that were earned.

The bands are quantiles of the errors that the same method made when it forecast the past, at each distance ahead; they
assume no distribution. Absent on purpose: events nobody told the program about.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEVEL = 0.9
_GRID = np.array(list(product((0.05, 0.15, 0.35, 0.7), (0.0, 0.05, 0.2), (0.05, 0.2, 0.5), (0.85, 0.98))))
"""Candidates for the weight of the newest value in level, trend and season, and the damping of the trend."""
_LEAST_ERRORS = 8


@dataclass(frozen=True, slots=True)
class Forecast:
    """Expected values and their bands for the next moments; `level` is how often the band should hold the value.

    `tried` is the number of past forecasts behind the band at the first distance.
    """

    mean: Floats
    low: Floats
    high: Floats
    level: float
    tried: int


def forecast(
    values: Floats, horizon: int, *, period: int, level: float = LEVEL, least: float | None = 0.0
) -> Forecast | None:
    """The next `horizon` values; None for less than three periods (or 12 values), where nothing honest can be said.

    Args:
        values: one per regular moment, the newest last.
        horizon: how many moments ahead.
        period: moments of a season; 1 for none.
        level: of the band.
        least: what the value cannot fall below; None for no bound.

    References:
        Gardner & McKenzie, "Forecasting trends in time series", Management Science 1985 (damped trend); Vovk,
        Gammerman & Shafer 2005 for the bands (split conformal).
    """
    values = np.asarray(values, dtype=np.float64)
    if len(values) < max(3 * period, 12) or horizon < 1:
        return None
    weights = _best(values, period)
    past = _states(values, period, weights)
    ahead = _ahead(past[-1], weights[0, 3], horizon, period, len(values))
    first = max(2 * period, 8)
    errors = _errors(values, past, weights[0, 3], horizon, period, first)
    widths = _widths(errors, level)
    low, high = ahead - widths, ahead + widths
    if least is not None:
        ahead, low, high = (np.maximum(part, least) for part in (ahead, low, high))
    return Forecast(ahead, low, high, level, len(values) - first)


@dataclass(frozen=True, slots=True)
class _State:
    """Level, trend and season after one value; arrays have one entry (or a row of phases) per candidate."""

    level: Floats
    trend: Floats
    season: Floats


def _states(values: Floats, period: int, weights: Floats) -> list[_State]:
    """The states before the first and after each value. O(values × candidates)."""
    alpha, beta, gamma, phi = weights.T
    count = len(weights)
    start = values[: 2 * period] if period > 1 else values[:4]
    level = np.full(count, float(np.mean(start)))
    phases = np.array([np.mean(start[phase::period]) for phase in range(period)]) - np.mean(start)
    season = np.tile(phases if period > 1 else np.zeros(1), (count, 1))
    trend = np.zeros(count)
    states = [_State(level, trend, season)]
    for place, value in enumerate(values):
        phase = place % period
        usual = season[:, phase]
        before = level + phi * trend
        level = alpha * (value - usual) + (1 - alpha) * before
        trend = beta * (level - states[-1].level) + (1 - beta) * phi * trend
        if period > 1:
            season = season.copy()
            season[:, phase] = gamma * (value - level) + (1 - gamma) * usual
        states.append(_State(level, trend, season))
    return states


def _best(values: Floats, period: int) -> Floats:
    """The candidate whose forecasts one ahead were nearest, by absolute error after two periods; one row."""
    states = _states(values, period, _GRID)
    phi = _GRID[:, 3]
    off = [
        np.abs(value - (state.level + phi * state.trend + state.season[:, place % period]))
        for place, (value, state) in enumerate(zip(values, states, strict=False))
        if place >= 2 * period
    ]
    return _GRID[[int(np.mean(off, axis=0).argmin())]]


def _ahead(state: _State, phi: float, horizon: int, period: int, place: int) -> Floats:
    damped = np.cumsum(phi ** np.arange(1, horizon + 1))
    phases = state.season[0, (place + np.arange(horizon)) % period]
    return state.level[0] + damped * state.trend[0] + phases


def _errors(values: Floats, states: list[_State], phi: float, horizon: int, period: int, first: int) -> list[Floats]:
    """Absolute errors by distance ahead, of forecasts made at every past moment from `first` on."""
    errors: list[list[float]] = [[] for _ in range(horizon)]
    for place in range(first, len(values)):
        reach = min(horizon, len(values) - place)
        off = np.abs(values[place : place + reach] - _ahead(states[place], phi, reach, period, place))
        for distance in range(reach):
            errors[distance].append(float(off[distance]))
    return [np.array(known) for known in errors]


def _widths(errors: list[Floats], level: float) -> Floats:
    """Half widths by distance: the conformal quantile of what was wrong at it; never narrower farther ahead.

    Where too few forecasts reach that far, the last width grows with the root of the distance.
    """
    widths: list[float] = []
    for distance, known in enumerate(errors):
        if len(known) >= _LEAST_ERRORS:
            rank = min(int(np.ceil((len(known) + 1) * level)), len(known))
            width = float(np.sort(known)[rank - 1])
        else:
            width = (
                widths[-1] * float(np.sqrt((distance + 1) / distance)) if widths else float(np.max(known, initial=0))
            )
        widths.append(max(width, widths[-1] if widths else 0.0))
    return np.array(widths)
