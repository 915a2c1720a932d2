"""What a run earned, what it cost, what it earned beyond what would have happened anyway, and what was predicted.

Attributed revenue counts every goal event of treated people inside their window. The incremental figure compares
treated people with the holdout and is the one to believe. Absent on purpose: attribution models.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from studio.analytics.facts import Design, Facts, held_arms, is_held, is_treated, treated_arms, united
from studio.domain.template import Prediction
from studio.experiments.holdout import Increment, increment
from studio.experiments.moments import Mean, Proportion


@dataclass(frozen=True, slots=True)
class Return:
    """Money in `currency`; `roi` = (revenue − cost) / cost, None without a cost.

    `people` were treated, `held` held out; `orders` are goal events of treated people, `buyers` different people.
    `increment` compares revenue per person with the holdout (None without one), `buying` the share that buys.
    """

    currency: str
    people: int
    held: int
    buyers: int
    held_buyers: int
    orders: int
    revenue: float
    cost: float | None
    roi: float | None
    increment: Increment | None
    buying: Increment | None
    predicted_roi: Prediction | None = None
    mixed: tuple[str, ...] = ()
    """Currencies that orders were in beside `currency`: their amounts are added up as they stand."""

    @property
    def incremental_roi(self) -> tuple[float, float, float] | None:
        """(value, low, high) of the return on what the run caused, at the increment's level; None without both."""
        if self.increment is None or not self.cost or self.increment.total is None or self.increment.total_ci is None:
            return None
        cost = self.cost
        low, high = self.increment.total_ci
        return ((self.increment.total - cost) / cost, (low - cost) / cost, (high - cost) / cost)


def run_return(facts: Facts, run_id: str, design: Design, predicted: Prediction | None = None) -> Return:
    """The return of one run up to its clock. O(people who converted)."""
    values = facts.contact_values(run_id, "converted")
    held_values = values.filter(is_held(design))
    treated_values = values.filter(is_treated(design))
    people, held = treated_and_held(facts, run_id, design)
    revenue = float(treated_values["value"].sum() or 0.0)
    cost = _cost(facts, run_id, design)
    treated_sums, held_sums = _per_person(treated_values), _per_person(held_values)
    currency, mixed = currencies(facts, run_id, design)
    return Return(
        currency=currency,
        people=people,
        held=held,
        buyers=treated_sums.len(),
        held_buyers=held_sums.len(),
        orders=int(treated_values["count"].sum() or 0),
        revenue=revenue,
        cost=cost,
        roi=(revenue - cost) / cost if cost else None,
        increment=increment(with_zeros(treated_sums, people), with_zeros(held_sums, held)) if held else None,
        buying=increment(_proportion(treated_sums, people), _proportion(held_sums, held)) if held else None,
        predicted_roi=predicted,
        mixed=mixed,
    )


def currencies(facts: Facts, run_id: str, design: Design) -> tuple[str, tuple[str, ...]]:
    """The currency most orders are in, the workflow's where none says; and the others there are."""
    rows = facts.sums(("currency",), [run_id], ["converted"]).filter(pl.col("currency") != "")
    known = rows.sort("count", "currency", descending=[True, False]).get_column("currency").to_list()
    return (known[0], tuple(known[1:])) if known else (design.currency, ())


def treated_and_held(facts: Facts, run_id: str, design: Design) -> tuple[int, int]:
    """Different people who were treated and who were held out; everybody who entered is treated without a holdout."""
    if design.holdout is None:
        return united(facts.people(run_id, ["entered"]).values()), 0
    arms = facts.people(run_id, ["exposed"], by=("arms",), node_ids=[design.holdout])
    held = united(found for (labels,), found in arms.items() if held_arms(design, labels))
    return united(found for (labels,), found in arms.items() if treated_arms(design, labels)), held


def with_zeros(sums: pl.Series, n: int) -> Mean:
    """Mean and variance over `n` people of whom only those in `sums` have a value other than zero.

    The same as `Mean.of` over the sums and n − len(sums) zeros, without making the zeros.
    """
    if n == 0:
        return Mean(0, 0.0, 0.0, payers=0)
    known = min(sums.len(), n)
    mean = float(sums.sum() or 0.0) / n
    if n == 1:
        return Mean(1, mean, 0.0, payers=known)
    squares = float(((sums - mean) ** 2).sum() or 0.0) + (n - known) * mean * mean
    return Mean(n, mean, squares / (n - 1), payers=known)


def _proportion(sums: pl.Series, n: int) -> Proportion:
    return Proportion(n, min(sums.len(), n))


def _per_person(values: pl.DataFrame) -> pl.Series:
    return values.group_by("contact_id").agg(pl.col("value").fill_null(0.0).sum())["value"]


def _cost(facts: Facts, run_id: str, design: Design) -> float | None:
    if design.cost_per_message is None:
        return None
    sent = facts.rollup([run_id], ["sent"])["count"].sum() or 0
    return float(sent) * design.cost_per_message
