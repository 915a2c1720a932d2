"""Customers by when they first bought: how many come back, how soon, and what they are worth so far.

A cohort's periods are counted from its own start; a period that has not ended for the whole cohort is given as not
complete. Absent on purpose: guesses about the future, which are forecasts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import polars as pl

Period: TypeAlias = Literal["week", "month"]
_EVERY: dict[Period, str] = {"week": "1w", "month": "1mo"}


@dataclass(frozen=True, slots=True)
class Customers:
    """Everybody who bought. `repeat_rate`: the share with more than one order; values are per customer."""

    customers: int
    orders: int
    value: float
    repeat_customers: int
    orders_per_customer: float | None
    value_per_customer: float | None
    value_per_order: float | None
    repeat_rate: float | None


def customers(orders: pl.DataFrame) -> Customers:
    """The totals of `contact_id, occurred_at, value`, one row per order. O(orders)."""
    each = orders.group_by("contact_id").agg(pl.len().alias("orders"))
    people, count = each.height, orders.height
    value = float(orders.get_column("value").fill_null(0.0).sum())
    repeat = each.filter(pl.col("orders") > 1).height
    return Customers(
        customers=people,
        orders=count,
        value=value,
        repeat_customers=repeat,
        orders_per_customer=count / people if people else None,
        value_per_customer=value / people if people else None,
        value_per_order=value / count if count else None,
        repeat_rate=repeat / people if people else None,
    )


def cohorts(orders: pl.DataFrame, period: Period = "month") -> pl.DataFrame:
    """`cohort` (its start, UTC), `size`, `offset` (periods after it), `people` who bought then, `orders`, `value`,
    `share` of the cohort that bought then, `value_per_customer` so far, `complete`; by cohort and offset.

    Offset 0 is the period of the first order. Every offset up to the last order is there, also those with nobody.
    """
    schema = {
        "cohort": pl.Datetime("us", "UTC"),
        "size": pl.Int64(),
        "offset": pl.Int64(),
        "people": pl.Int64(),
        "orders": pl.Int64(),
        "value": pl.Float64(),
        "share": pl.Float64(),
        "value_per_customer": pl.Float64(),
        "complete": pl.Boolean(),
    }
    if orders.is_empty():
        return pl.DataFrame(schema=schema)
    starts = orders.with_columns(pl.col("occurred_at").dt.truncate(_EVERY[period]).alias("period"))
    starts = starts.with_columns(pl.col("period").min().over("contact_id").alias("cohort"))
    counted = starts.group_by("cohort", _offset(period)).agg(
        pl.col("contact_id").n_unique().cast(pl.Int64).alias("people"),
        pl.len().cast(pl.Int64).alias("orders"),
        pl.col("value").fill_null(0.0).sum(),
    )
    sizes = starts.group_by("cohort").agg(pl.col("contact_id").n_unique().cast(pl.Int64).alias("size"))
    last = starts.get_column("period").max()
    every = (
        sizes.with_columns(pl.lit(last, pl.Datetime("us", "UTC")).alias("period"))
        .with_columns(_offset(period).alias("last"))
        .with_columns(pl.int_ranges(0, pl.col("last") + 1).alias("offset"))
        .explode("offset")
    )
    table = every.join(counted, on=["cohort", "offset"], how="left").sort("cohort", "offset")
    table = table.with_columns(pl.col("people", "orders").fill_null(0), pl.col("value").fill_null(0.0))
    so_far = pl.col("value").cum_sum().over("cohort", order_by="offset")
    return table.with_columns(
        (pl.col("people") / pl.col("size")).alias("share"),
        (so_far / pl.col("size")).alias("value_per_customer"),
        # The period of the last order may still be going on.
        (pl.col("offset") < pl.col("last")).alias("complete"),
    ).select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def _offset(period: Period) -> pl.Expr:
    later, first = pl.col("period"), pl.col("cohort")
    if period == "week":
        return ((later - first).dt.total_days() // 7).cast(pl.Int64).alias("offset")
    months = (later.dt.year() - first.dt.year()) * 12 + later.dt.month().cast(pl.Int32) - first.dt.month()
    return months.cast(pl.Int64).alias("offset")


def entry_cohorts(entered: pl.DataFrame, converted: pl.DataFrame, period: Period = "week") -> pl.DataFrame:
    """People of a run by when they entered: `cohort`, `size`, `converted`, `rate`, `value`; ordered.

    Args:
        entered: `contact_id, first_at`; one row per person counts, the earliest.
        converted: `contact_id, value`; summed per person.
    """
    start = pl.col("first_at").min().dt.truncate(_EVERY[period]).alias("cohort")
    people = entered.group_by("contact_id").agg(start)
    goals = converted.group_by("contact_id").agg(pl.col("value").fill_null(0.0).sum())
    return (
        people.join(goals, on="contact_id", how="left")
        .group_by("cohort")
        .agg(
            pl.len().cast(pl.Int64).alias("size"),
            pl.col("value").is_not_null().sum().cast(pl.Int64).alias("converted"),
            pl.col("value").sum(),
        )
        .with_columns((pl.col("converted") / pl.col("size")).alias("rate"))
        .select("cohort", "size", "converted", "rate", "value")
        .sort("cohort")
    )
