"""All workflows beside each other over one span of time: messages, orders, money, and the same span before.

Counted from hourly sums only, so that it costs the same however many people there are. A simulated workflow counts
with its newest run: each is another rehearsal of the same days, and adding them up would earn the money twice.
Absent on purpose: different people over several runs, and adding up currencies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import polars as pl

from studio.analytics.facts import Design, Facts, treated_arms
from studio.analytics.findings import amount
from studio.domain.node import Mode
from studio.domain.ports import RunRow

HOUR = timedelta(hours=1)
KINDS = ("sent", "clicked", "converted", "unsubscribed", "bounced", "complained")
Sums = Mapping[tuple[str, str], tuple[int, float]]
"""Number and value of events by run and kind."""


@dataclass(frozen=True, slots=True)
class WorkflowFigures:
    """One workflow in the span. `run_id` is its newest run, `runs` how many are counted; money in `currency`.

    `before` is its revenue in the span of the same length before; None where the overview has no span.
    """

    workflow_id: str
    name: str
    run_id: str
    runs: int
    state: str
    currency: str
    sent: int
    clicked: int
    orders: int
    revenue: float
    cost: float | None
    unsubscribed: int
    bounced: int
    complained: int
    before: float | None = None

    @property
    def roi(self) -> float | None:
        """(revenue − cost) / cost; None without a cost."""
        return (self.revenue - self.cost) / self.cost if self.cost else None


@dataclass(frozen=True, slots=True)
class Overview:
    """Workflows, most revenue first. `since` is None for everything; `until` is when the newest run stands.

    `by_day`: `at, value, count` of orders in `currency`, every day there.
    """

    mode: Mode
    since: datetime | None
    until: datetime | None
    currency: str
    workflows: tuple[WorkflowFigures, ...]
    by_day: pl.DataFrame

    def total(self, figure: str) -> float:
        """The sum of a figure over the workflows in the overview's currency."""
        return sum(float(getattr(row, figure) or 0.0) for row in self.workflows if row.currency == self.currency)

    @property
    def finding(self) -> str:
        """The first line of the screen."""
        if not any(row.sent for row in self.workflows):
            return "No workflow has sent anything in this time"
        best = max(self.workflows, key=lambda row: row.revenue)
        earned, orders = self.total("revenue"), int(self.total("orders"))
        if not orders:
            return "No workflow has brought an order in this time"
        money = amount(earned, self.currency)
        if len([row for row in self.workflows if row.revenue]) < 2:
            return f"{best.name} brought {money} in {orders:,} orders"
        return f"{len(self.workflows)} workflows brought {money}, most of it from {best.name}"


def counted_runs(runs: Sequence[RunRow], mode: Mode) -> list[RunRow]:
    """The runs of a mode that are added up, newest first: of simulated workflows only the newest run."""
    kept = [run for run in runs if run.mode == mode]
    if mode != "simulate":
        return kept
    newest: dict[str, RunRow] = {}
    for run in kept:
        newest.setdefault(run.workflow_id, run)
    return list(newest.values())


def overview(
    facts: Facts, runs: Sequence[RunRow], designs: Mapping[str, Design], mode: Mode, days: int | None = None
) -> Overview:
    """All runs given, added up by workflow. `runs` newest first; `designs` by run; `days` back from the newest moment.

    Costs are those of messages sent in the span; orders count when they happen, whenever their message was sent.
    """
    until = max((run.at for run in runs), default=None)
    since = until - timedelta(days=days) if until is not None and days is not None else None
    ids = [run.run_id for run in runs]
    designs = _as_paid(facts, ids, designs)
    now = _sums(facts, ids, designs, since, None)
    before = None if since is None or days is None else _sums(facts, ids, designs, since - timedelta(days=days), since)
    groups: dict[str, list[RunRow]] = {}
    for run in runs:
        groups.setdefault(run.workflow_id, []).append(run)
    rows = [_figures(group, designs, now, before) for group in groups.values()]
    rows.sort(key=lambda row: (-row.revenue, -row.sent, row.name))
    currency = rows[0].currency if rows else "EUR"
    same = [run.run_id for run in runs if designs[run.run_id].currency == currency]
    return Overview(mode, since, until, currency, tuple(rows), _by_day(facts, same, designs, since, until))


def _as_paid(facts: Facts, run_ids: Sequence[str], designs: Mapping[str, Design]) -> dict[str, Design]:
    """The designs with the currency that most orders of each run are in."""
    found = facts.sums(("run_id", "currency"), run_ids, ["converted"]) if run_ids else None
    if found is None:
        return dict(designs)
    known = found.filter(pl.col("currency") != "").sort("count").select("run_id", "currency").iter_rows()
    currencies = dict(known)
    return {run: replace(design, currency=currencies.get(run, design.currency)) for run, design in designs.items()}


def _sums(
    facts: Facts, run_ids: Sequence[str], designs: Mapping[str, Design], since: datetime | None, until: datetime | None
) -> dict[tuple[str, str], tuple[int, float]]:
    """Events of everybody but, of orders, only those of people who were treated."""
    found: dict[tuple[str, str], tuple[int, float]] = {}
    rows = facts.sums(("run_id", "kind", "arms"), run_ids, KINDS, since=since, until=until)
    for run_id, kind, arms, count, value in rows.iter_rows():
        if kind == "converted" and not treated_arms(designs[run_id], arms):
            continue
        before = found.get((run_id, kind), (0, 0.0))
        found[run_id, kind] = (before[0] + count, before[1] + (value or 0.0))
    return found


def _figures(runs: Sequence[RunRow], designs: Mapping[str, Design], now: Sums, before: Sums | None) -> WorkflowFigures:
    def events(kind: str) -> int:
        return sum(now.get((run.run_id, kind), (0, 0.0))[0] for run in runs)

    def money(sums: Sums) -> float:
        return sum(sums.get((run.run_id, "converted"), (0, 0.0))[1] for run in runs)

    costs = [
        price * now.get((run.run_id, "sent"), (0, 0.0))[0]
        for run in runs
        if (price := designs[run.run_id].cost_per_message) is not None
    ]
    newest = runs[0]
    return WorkflowFigures(
        workflow_id=newest.workflow_id,
        name=newest.name,
        run_id=newest.run_id,
        runs=len(runs),
        state=newest.state,
        currency=designs[newest.run_id].currency,
        sent=events("sent"),
        clicked=events("clicked"),
        orders=events("converted"),
        revenue=money(now),
        cost=sum(costs) if costs else None,
        unsubscribed=events("unsubscribed"),
        bounced=events("bounced"),
        complained=events("complained"),
        before=None if before is None else money(before),
    )


def _by_day(
    facts: Facts,
    run_ids: Sequence[str],
    designs: Mapping[str, Design],
    since: datetime | None,
    until: datetime | None,
) -> pl.DataFrame:
    rows = facts.sums(("run_id", "arms", "hour"), run_ids, ["converted"], since=since) if run_ids else None
    schema = {"at": pl.Datetime("us", "UTC"), "value": pl.Float64(), "count": pl.Int64()}
    if rows is None or rows.is_empty():
        return pl.DataFrame(schema=schema)
    treated = [treated_arms(designs[run_id], arms) for run_id, arms in rows.select("run_id", "arms").iter_rows()]
    days = (
        rows.filter(pl.Series(treated))
        .group_by(pl.col("hour").dt.truncate("1d").alias("at"))
        .agg(pl.col("value").fill_null(0.0).sum(), pl.col("count").sum())
        .sort("at")
    )
    if days.is_empty():
        return pl.DataFrame(schema=schema)
    # Days without an order are zeros, also those since the last one: a line over a gap would lie.
    last = max(until or days["at"][-1], days["at"][-1])
    every = pl.datetime_range(days["at"][0], last, "1d", time_zone="UTC", eager=True).alias("at").to_frame()
    filled = every.join(days, on="at", how="left", maintain_order="left")
    filled = filled.with_columns(pl.col("value").fill_null(0.0), pl.col("count").fill_null(0))
    return filled.select(*schema).cast(schema)
