"""What past orders say about money: how much one is worth, and how much they differ.

Absent on purpose: reading them; the caller gives the orders that have happened, and none of the future.
"""

from __future__ import annotations

import polars as pl

from studio.gallery.prediction import Economics


def economics_of(orders: pl.LazyFrame) -> Economics | None:
    """From the columns `value` and `currency` of past orders, in the currency most of them are in; None without any."""
    counts = (
        orders.drop_nulls("value")
        .group_by("currency")
        .agg(pl.len().alias("orders"), pl.col("value").mean().alias("mean"), pl.col("value").std().alias("sd"))
    )
    rows = counts.sort("orders", "currency", descending=[True, False], nulls_last=True).head(1).collect()
    if rows.is_empty():
        return None
    row = rows.row(0, named=True)
    return Economics(
        currency=row["currency"] or "EUR", order_value=row["mean"], order_sd=row["sd"], orders=row["orders"]
    )
