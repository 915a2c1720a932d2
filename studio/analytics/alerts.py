"""Alerts of a run or of what comes from outside: what was out of the ordinary, when, and what most likely caused it.

The likely cause is what the run itself wrote down shortly before, else the step that explains most of the change, else
nothing: an alert never makes one up. Absent on purpose: sending anybody a message about it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from studio.analytics.facts import Facts
from studio.analytics.watching import Measure, Unusual, unusual

HOURLY_FROM = timedelta(days=3)
DAILY_FROM = timedelta(days=28)
LOOK_BACK = 2
"""A cause lies at most so many moments of the series before the alert."""
EXPLAINS = 0.6
"""A step that makes up this share of a change is named as where it happened."""


@dataclass(frozen=True, slots=True)
class Watched:
    """One figure that is watched: events of `kind`, counted, added up, or as a share of those of `of`."""

    name: str
    title: str
    kind: str
    measure: Measure = "count"
    of: str | None = None
    by_people: bool = False
    """What machines did is left out."""


RUN_FIGURES = (
    Watched("sent", "Messages sent", "sent"),
    Watched("delivered", "Delivery rate", "delivered", "rate", of="sent"),
    Watched("bounced", "Bounce rate", "bounced", "rate", of="sent"),
    Watched("opened", "Opens by people", "opened", by_people=True),
    Watched("clicked", "Clicks", "clicked", by_people=True),
    Watched("converted", "Orders", "converted"),
    Watched("unsubscribed", "Unsubscribes", "unsubscribed"),
    Watched("complained", "Complaints", "complained"),
    Watched("entered", "People entering", "entered"),
)
OUTSIDE_FIGURES = (Watched("order", "Orders", "order"), Watched("visited", "Visits", "visited"))


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something a run wrote down about a step."""

    at: datetime
    node_id: str
    message: str
    count: int


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing out of the ordinary. `at` is the instant to look at; `cause` and `node_id` where it most likely came
    from, None when nothing points to one. `expected`, `low`, `high` and `value` are rates in [0, 1] or counts.
    """

    figure: str
    title: str
    at: datetime
    until: datetime
    shape: str
    value: float
    expected: float
    low: float
    high: float
    z: float
    change: float | None
    cause: str | None = None
    node_id: str | None = None


def alerts(
    facts: Facts,
    run_id: str,
    figures: Sequence[Watched] = RUN_FIGURES,
    troubles: Sequence[Trouble] = (),
    labels: Mapping[str, str] | None = None,
) -> list[Alert]:
    """Most striking first. `run_id` "" is what comes from outside. From rollups only; O(hours)."""
    kinds = sorted({kind for figure in figures for kind in (figure.kind, figure.of) if kind})
    sums = facts.sums(("hour", "kind", "node_id", "actor"), [run_id], kinds)
    grid = _grid(sums)
    if grid is None:
        return []
    found = []
    for figure in figures:
        values = _values(sums, grid, figure.kind, figure.by_people)
        totals = None if figure.of is None else _values(sums, grid, figure.of)
        if not values.any() and not figure.of:
            continue
        values = values if totals is None else np.minimum(values, totals)
        first = _warmed_up(sums, grid, figure)
        rest = None if totals is None else totals[first:]
        for one in unusual(values[first:], period=grid.period, measure=figure.measure, totals=rest):
            moved = replace(one, index=one.index + first, until=one.until + first)
            alert = _alert(figure, moved, grid)
            found.append(_explained(alert, moved, sums, grid, figure, troubles, labels or {}))
    return sorted(found, key=lambda alert: -abs(alert.z))


@dataclass(frozen=True, slots=True)
class _Grid:
    """Regular moments: their starts, how far apart, and how many make a period."""

    starts: pl.Series
    step: timedelta
    period: int

    def at(self, index: int) -> datetime:
        return self.starts[index]


def _grid(sums: pl.DataFrame) -> _Grid | None:
    if sums.is_empty():
        return None
    # When nobody comes in any more a run fades out, which is no incident either.
    entering = sums.filter(pl.col("kind") == "entered")
    span = (entering if entering.height else sums).get_column("hour")
    first, last = span.min(), span.max()
    assert isinstance(first, datetime)
    assert isinstance(last, datetime)
    if last - first < HOURLY_FROM:
        return None
    every, step, period = ("1d", timedelta(days=1), 7) if last - first >= DAILY_FROM else ("1h", timedelta(hours=1), 24)
    begin = first.replace(hour=0) if every == "1d" else first
    starts = pl.datetime_range(begin, last, every, time_zone="UTC", eager=True)
    # A day that has begun only is no day: it would look like a fall.
    whole = len(starts) - 1 if every == "1d" and last.hour < 23 else len(starts)
    return _Grid(starts.head(whole), step, period)


def _warmed_up(sums: pl.DataFrame, grid: _Grid, figure: Watched) -> int:
    """Where every step has come to what it usually does: a beginning is no incident, and the last of several messages
    begins days after the first.
    """
    kind = figure.of or figure.kind
    nodes = sums.filter(pl.col("kind") == kind).get_column("node_id").unique().to_list()
    starts = [0]
    for node in nodes:
        values = _values(sums, grid, kind, figure.by_people, node)
        some = values[values > 0]
        if len(some):
            starts.append(int(np.argmax(values >= np.median(some) * 0.75)))
    return max(starts)


def _values(sums: pl.DataFrame, grid: _Grid, kind: str, by_people: bool = False, node: str | None = None) -> np.ndarray:
    rows = sums.filter(pl.col("kind") == kind)
    rows = rows.filter(pl.col("actor") != "machine") if by_people else rows
    rows = rows if node is None else rows.filter(pl.col("node_id") == node)
    places = ((rows.get_column("hour") - grid.starts[0]) / grid.step).floor().cast(pl.Int64).to_numpy()
    values = np.zeros(len(grid.starts))
    inside = (places >= 0) & (places < len(values))
    np.add.at(values, places[inside], rows.get_column("count").to_numpy()[inside])
    return values


def _alert(figure: Watched, one: Unusual, grid: _Grid) -> Alert:
    at = grid.at(one.index)
    way = "rose" if one.z > 0 else "fell"
    size = f" {100 * abs(one.change):.0f}\u00a0%" if one.change is not None and abs(one.change) < 10 else ""
    since = "since" if one.shape == "shift" else "on"
    when = f"{at:%a} {at.day} {at:%b}" + (f", {at:%H:%M}" if grid.step < timedelta(days=1) else "")
    return Alert(
        figure=figure.name,
        title=f"{figure.title} {way}{size} {since} {when}",
        at=at,
        until=grid.at(one.until) + grid.step,
        shape=one.shape,
        value=one.value,
        expected=one.expected,
        low=one.low,
        high=one.high,
        z=one.z,
        change=one.change,
    )


def _explained(
    alert: Alert,
    one: Unusual,
    sums: pl.DataFrame,
    grid: _Grid,
    figure: Watched,
    troubles: Sequence[Trouble],
    labels: Mapping[str, str],
) -> Alert:
    near = [t for t in troubles if alert.at - LOOK_BACK * grid.step <= t.at < alert.until]
    if near:
        worst = max(near, key=lambda trouble: (trouble.count, trouble.at))
        where = labels.get(worst.node_id, worst.node_id)
        return replace(alert, cause=f"{where}: {worst.message} ({worst.count:,} times)", node_id=worst.node_id)
    node = _where(one, sums, grid, figure)
    if node is None:
        return alert
    return replace(alert, cause=f"Most of it at {labels.get(node, node)}.", node_id=node)


def _where(one: Unusual, sums: pl.DataFrame, grid: _Grid, figure: Watched) -> str | None:
    """The node whose own change against the same phase before makes up most of the whole change."""
    nodes = sums.filter(pl.col("kind") == figure.kind).get_column("node_id").unique().sort().to_list()
    if len(nodes) < 2 or one.index < grid.period:
        return None
    changes = {}
    for node in nodes:
        own = _values(sums, grid, figure.kind, figure.by_people, node)
        before = slice(one.index % grid.period, one.index, grid.period)
        usual = float(np.median(own[before]))
        if figure.of is not None:
            # Of a rate it is no change that more or fewer messages went out.
            totals = _values(sums, grid, figure.of, node=node)
            usual = totals[one.index] * float(own[before].sum()) / max(float(totals[before].sum()), 1.0)
        changes[node] = float(own[one.index]) - usual
    whole = sum(changes.values())
    node = max(changes, key=lambda name: changes[name] * np.sign(whole))
    return node if whole and changes[node] / whole >= EXPLAINS else None
