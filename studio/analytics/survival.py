"""How long people take to a goal, counting those who have not reached it yet for as long as they were watched.

Absent on purpose: hazard models; one curve with its band answers what marketers ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from studio.analytics.facts import Design, Facts, is_treated
from studio.experiments.fixed import two_sided_quantile

Floats = NDArray[np.float64]
HOUR_S = 3_600.0


@dataclass(frozen=True, slots=True)
class Curve:
    """The Kaplan–Meier estimate after each moment at which somebody reached the goal; times in hours, rising.

    `reached` is 1 − S(t), the share that has reached the goal by then among those watched that long. `watched` and
    `converted` count whatever was timed: instances of a run.
    """

    hours: Floats
    reached: Floats
    low: Floats
    high: Floats
    at_risk: NDArray[np.int64]
    watched: int
    converted: int
    longest_watched_hours: float

    def share_at(self, hours: float) -> float | None:
        """The share that has got there after so many hours; None beyond what anybody was watched for."""
        if not self.watched or hours > self.longest_watched_hours:
            return None
        place = int(np.searchsorted(self.hours, hours, side="right"))
        return float(self.reached[place - 1]) if place else 0.0

    def quantile(self, share: float) -> float | None:
        """After how many hours this share has got there; None while it has not."""
        found = np.flatnonzero(self.reached >= share - 1e-12)
        return float(self.hours[found[0]]) if len(found) else None


def kaplan_meier(durations: Floats, reached: NDArray[np.bool_], alpha: float = 0.1) -> Curve:
    """The curve of times (hours, one per person) of which some ended with the goal and the others are still open.

    The band holds at each single time with 1 − alpha, on the log(−log) scale, so that it stays within [0, 1].

    References:
        Kaplan & Meier, JASA 1958; Greenwood 1926 for the variance; Kalbfleisch & Prentice 2002, section 1.4.
    """
    people = len(durations)
    if not people:
        none = np.zeros(0)
        return Curve(none, none, none, none, np.zeros(0, dtype=np.int64), 0, 0, 0.0)
    times, counts = np.unique(durations[reached], return_counts=True)
    at_risk = people - np.searchsorted(np.sort(durations), times, side="left")
    surviving = np.cumprod(1.0 - counts / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(counts / (at_risk * (at_risk - counts).astype(np.float64)))
        spread = two_sided_quantile(alpha) * np.sqrt(greenwood) / np.abs(np.log(surviving))
        low, high = 1.0 - surviving ** np.exp(-spread), 1.0 - surviving ** np.exp(spread)
    # Nobody is left after the last one: the variance is not defined there, the estimate is 1.
    low, high = np.where(np.isfinite(low), low, 0.0), np.where(np.isfinite(high), high, 1.0)
    return Curve(
        times, 1.0 - surviving, low, high, at_risk, people, int(counts.sum()), float(durations.max(initial=0.0))
    )


def time_to_goal(facts: Facts, run_id: str, design: Design, now: datetime, arm: pl.Expr | None = None) -> Curve:
    """From entry to the first goal event of each treated instance, up to the run's clock. O(instances).

    Whoever enters twice (two carts) is two instances. One that has not got there is watched until now, or until its
    window closed. `arm` narrows which count, over `arms`.
    """
    columns = ("instance_id", "occurred_at", "arms")
    first = pl.col("occurred_at").min()
    goals = facts.events(columns, ["converted"], run_id).group_by("instance_id").agg(first.alias("reached_at"))
    entered = facts.events(columns, ["entered"], run_id).group_by("instance_id").agg(first.alias("entered_at"))
    wanted = [condition for condition in (is_treated(design) if design.holdout else None, arm) if condition is not None]
    if wanted:
        met = facts.events(columns, ["exposed"], run_id).filter(*wanted)
        entered = entered.join(met.select("instance_id"), on="instance_id", how="semi")
    rows = entered.join(goals, on="instance_id", how="left").filter(pl.col("entered_at") <= now)
    watched = pl.lit(now) - pl.col("entered_at")
    if design.goal_window is not None:
        watched = pl.min_horizontal(watched, pl.lit(design.goal_window, pl.Duration("us")))
    spans = rows.select(
        pl.coalesce(pl.col("reached_at") - pl.col("entered_at"), watched).dt.total_seconds().alias("s"),
        pl.col("reached_at").is_not_null().alias("reached"),
    ).collect()
    hours = np.maximum(spans.get_column("s").to_numpy().astype(np.float64), 0.0) / HOUR_S
    return kaplan_meier(hours, spans.get_column("reached").to_numpy())


def in_words(hours: float | None) -> str:
    """`3 hours`, `2.5 days`; a dash for none."""
    if hours is None:
        return "–"
    length = timedelta(hours=hours)
    if length < timedelta(hours=1):
        return f"{length.total_seconds() / 60:.0f} minutes"
    return f"{hours:.0f} hours" if hours < 48 else f"{hours / 24:.1f}".removesuffix(".0") + " days"
