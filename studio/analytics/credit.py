"""Sharing the credit of orders among the channels that came before them: seven models beside each other.

All models share the same total, that of the orders with at least one touch. None of them says what would have come
anyway; the holdout does. Absent on purpose: choosing one model for the person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from studio.analytics.journeys import Journeys, paths

Model: TypeAlias = Literal["first", "last", "linear", "decay", "position", "markov", "shapley"]
MODELS: tuple[Model, ...] = ("first", "last", "linear", "decay", "position", "markov", "shapley")
HALF_LIFE = timedelta(days=7)
SHAPLEY_MAX = 16
"""Exact Shapley values need 2ⁿ coalitions; of more channels than this, those with the fewest touches are one."""
OTHER = "(other)"
Floats = NDArray[np.float64]


def credit(found: Journeys, models: Sequence[Model] = MODELS, *, half_life: timedelta = HALF_LIFE) -> pl.DataFrame:
    """`model, channel, orders, value, share` (of the value; of the orders where they have no value), by model.

    Channels of a model are ordered by value. Empty without an order that any touch came before.
    """
    schema = {"model": pl.String, "channel": pl.String, "orders": pl.Float64, "value": pl.Float64, "share": pl.Float64}
    parts = [pl.DataFrame(schema=schema)]
    if found.touches.is_empty():
        return parts[0]
    for model in models:
        rows = _by_rule(found, model, half_life) if model in _RULES else _by_removal(found, model)
        total = float(rows.get_column("value").sum())
        whole = pl.col("value") / total if total else pl.col("orders") / pl.col("orders").sum()
        rows = rows.with_columns(pl.lit(model).alias("model"), whole.alias("share"))
        parts.append(rows.sort("value", "orders", "channel", descending=[True, True, False]).select(*schema))
    return pl.concat(parts)


def _by_rule(found: Journeys, model: Model, half_life: timedelta) -> pl.DataFrame:
    weighted = found.touches.with_columns(
        (pl.int_range(pl.len()).over("order") + 1).alias("place"), pl.len().over("order").alias("touches")
    ).with_columns(_RULES[model](half_life).alias("weight"))
    part = pl.col("weight") / pl.col("weight").sum().over("order")
    return (
        weighted.with_columns(part.alias("part"))
        .group_by("channel")
        .agg(
            pl.col("part").sum().alias("orders"), (pl.col("part") * pl.col("value").fill_null(0.0)).sum().alias("value")
        )
    )


def _position() -> pl.Expr:
    """Two fifths to the first, two fifths to the last, the rest in between; halves where nothing lies between."""
    place, touches = pl.col("place"), pl.col("touches")
    is_end = (place == 1) | (place == touches)
    return pl.when(touches <= 2).then(1.0).when(is_end).then(0.4).otherwise(0.2 / (touches.cast(pl.Float64) - 2.0))


def _decay(half_life: timedelta) -> pl.Expr:
    age = (pl.col("order_at") - pl.col("at")).dt.total_microseconds() / (half_life / timedelta(microseconds=1))
    # From the touch nearest to the order, so that old ones do not underflow.
    return pl.lit(0.5).pow(age - age.min().over("order"))


_RULES: Mapping[str, Callable[[timedelta], pl.Expr]] = {
    "first": lambda _: (pl.col("place") == 1).cast(pl.Float64),
    "last": lambda _: (pl.col("place") == pl.col("touches")).cast(pl.Float64),
    "linear": lambda _: pl.lit(1.0),
    "decay": _decay,
    "position": lambda _: _position(),
}


def _by_removal(found: Journeys, model: Model) -> pl.DataFrame:
    ways = paths(found)
    if model == "shapley":
        ways = _fewer_channels(ways)
    channels = sorted({channel for path in ways.get_column("path") for channel in path})
    effects = markov(ways, channels) if model == "markov" else shapley(ways, channels)
    total = effects.sum()
    shares = effects / total if total > 0 else np.full(len(channels), 1 / len(channels))
    orders, value = float(ways.get_column("orders").sum()), float(ways.get_column("value").sum())
    return pl.DataFrame({"channel": channels, "orders": shares * orders, "value": shares * value})


def markov(ways: pl.DataFrame, channels: Sequence[str]) -> Floats:
    """The removal effect of each channel: which part of the orders is lost when whoever comes to it goes nowhere.

    Args:
        ways: as `journeys.paths` gives them.
        channels: in the order of the answer.

    References:
        Anderl, Becker, von Wangenheim & Schumann, "Mapping the customer journey", IJRM 2016 (first-order graph).
    """
    number = {channel: place for place, channel in enumerate(channels)}
    start, won, lost = len(channels), len(channels) + 1, len(channels) + 2
    counts = np.zeros((len(channels) + 1, len(channels) + 3))
    for path, orders, gone in ways.select("path", "orders", "lost").iter_rows():
        steps = [start, *(number[channel] for channel in path)]
        for here, there in pairwise(steps):
            counts[here, there] += orders + gone
        counts[steps[-1], won] += orders
        counts[steps[-1], lost] += gone
    flows = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-300)
    whole = _reaching(flows, start, won)
    effects = np.zeros(len(channels))
    for place in range(len(channels)):
        without = flows.copy()
        without[place] = 0.0
        effects[place] = 1.0 - _reaching(without, start, won) / whole if whole > 0 else 0.0
    return np.maximum(effects, 0.0)


def _reaching(flows: Floats, start: int, won: int) -> float:
    inner = np.eye(start + 1) - flows[:, : start + 1]
    return float(np.linalg.solve(inner, flows[:, won])[start])


def shapley(ways: pl.DataFrame, channels: Sequence[str]) -> Floats:
    """Exact Shapley values of the game in which a coalition is worth the share of people reached by it alone who order.

    v(S) = orders / (orders + lost) over the paths that use channels of S only; v(∅) = 0. Negative values count as
    nothing, because a channel cannot be given less than no credit.

    References:
        Shapley 1953; Dalessandro, Perlich, Stitelman & Provost, "Causally motivated attribution", ADKDD 2012.
    """
    n = len(channels)
    assert n <= SHAPLEY_MAX, "coalitions are counted one by one"
    number = {channel: place for place, channel in enumerate(channels)}
    won, all_ = np.zeros(1 << n), np.zeros(1 << n)
    for path, orders, gone in ways.select("path", "orders", "lost").iter_rows():
        mask = 0
        for channel in path:
            mask |= 1 << number[channel]
        won[mask] += orders
        all_[mask] += orders + gone
    for sums in (won, all_):  # sums over subsets, a bit at a time
        for bit in range(n):
            pairs = sums.reshape(-1, 2, 1 << bit)
            pairs[:, 1] += pairs[:, 0]
    worth = np.divide(won, all_, out=np.zeros(1 << n), where=all_ > 0)
    sizes = np.array([mask.bit_count() for mask in range(1 << n)])
    weights = _weights(n)
    values = np.zeros(n)
    for place in range(n):
        without = np.flatnonzero((np.arange(1 << n) >> place) & 1 == 0)
        gains = worth[without | (1 << place)] - worth[without]
        values[place] = float((weights[sizes[without]] * gains).sum())
    return np.maximum(values, 0.0)


def _weights(n: int) -> Floats:
    """|S|! (n − |S| − 1)! / n! by the size of S."""
    weights = np.empty(n)
    weights[0] = 1.0 / n
    for size in range(1, n):
        weights[size] = weights[size - 1] * size / (n - size)
    return weights


def _fewer_channels(ways: pl.DataFrame) -> pl.DataFrame:
    weight = pl.col("orders") + pl.col("lost")
    touches = ways.select(pl.col("path").alias("channel"), weight.alias("n")).explode("channel")
    ranked = touches.group_by("channel").agg(pl.col("n").sum()).sort("n", "channel", descending=[True, False])
    if ranked.height <= SHAPLEY_MAX:
        return ways
    kept = ranked.get_column("channel").head(SHAPLEY_MAX - 1).to_list()
    named = pl.element().replace_strict(kept, kept, default=OTHER)
    return ways.with_columns(pl.col("path").list.eval(named))
