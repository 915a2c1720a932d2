"""Which touches came before an order: the paths that attribution shares the credit along.

A touch counts for an order when it lies within its channel's window before it. Absent on purpose: sharing the credit
(`credit`), and any notion of what caused an order, which only a holdout can tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import polars as pl

from studio.frames.events import AT

DEFAULT_WINDOW = timedelta(days=5)
TOUCH_WINDOWS: Mapping[str, timedelta] = {"clicked": timedelta(days=5), "opened": timedelta(days=5)}
"""How long a touch of a kind counts, unless its channel says otherwise. A click and an open of a mail: five days, the
default of large mail tools; deliveries do not count."""

TOUCH_SCHEMA: dict[str, pl.DataType] = {
    "contact_id": pl.UInt32(),
    "at": AT,
    "channel": pl.String(),
    "kind": pl.String(),
}
ORDER_SCHEMA: dict[str, pl.DataType] = {"contact_id": pl.UInt32(), "at": AT, "value": pl.Float64()}


@dataclass(frozen=True, slots=True)
class Windows:
    """How long before an order a touch may lie: by channel, else by kind of touch, else `other`."""

    by_channel: Mapping[str, timedelta] = field(default_factory=dict)
    by_kind: Mapping[str, timedelta] = field(default_factory=lambda: dict(TOUCH_WINDOWS))
    other: timedelta = DEFAULT_WINDOW

    def longest(self) -> timedelta:
        """No touch counts longer than this."""
        return max(self.other, *self.by_channel.values(), *self.by_kind.values())

    def expression(self) -> pl.Expr:
        """The window of each touch, over `channel` and `kind`."""
        chosen = pl.lit(self.other, pl.Duration("us"))
        for column, windows in (("kind", self.by_kind), ("channel", self.by_channel)):
            for name, window in windows.items():
                chosen = pl.when(pl.col(column) == name).then(pl.lit(window, pl.Duration("us"))).otherwise(chosen)
        return chosen


@dataclass(frozen=True, slots=True)
class Journeys:
    """`touches`: `order, contact_id, channel, at, order_at, value`, one row per touch that counts for an order, in the
    order of time within an order. `lost`: `contact_id, channel, at`, touches that led to no order within their window.
    `unattributed`: number and value of orders without any touch.
    """

    touches: pl.DataFrame
    lost: pl.DataFrame
    unattributed_orders: int
    unattributed_value: float

    @property
    def orders(self) -> int:
        """Orders with at least one touch."""
        return self.touches.get_column("order").n_unique()


def journeys(touches: pl.DataFrame, orders: pl.DataFrame, windows: Windows | None = None) -> Journeys:
    """Joins touches (TOUCH_SCHEMA) with the orders (ORDER_SCHEMA) they lie before. O(touches × orders per person)."""
    windows = windows or Windows()
    numbered = orders.sort("at", "contact_id", "value").with_row_index("order")
    marked = touches.with_row_index("touch").with_columns(windows.expression().alias("window"))
    pairs = marked.lazy().join(
        numbered.lazy().select("order", "contact_id", pl.col("at").alias("order_at"), "value"), on="contact_id"
    )
    counted = (
        pairs.filter(pl.col("at") <= pl.col("order_at"), pl.col("order_at") - pl.col("at") <= pl.col("window"))
        .sort("order", "at", "touch")
        .select("touch", "order", "contact_id", "channel", "at", "order_at", "value")
        .collect()
    )
    lost = marked.join(counted.select("touch").unique(), on="touch", how="anti")
    without = numbered.join(counted.select("order").unique(), on="order", how="anti")
    return Journeys(
        counted.drop("touch"),
        lost.select("contact_id", "channel", "at").sort("contact_id", "at", "channel"),
        without.height,
        float(without.get_column("value").fill_null(0.0).sum()),
    )


def paths(found: Journeys) -> pl.DataFrame:
    """`path` (list of channels in order of time), `orders`, `value`, `lost`: a row per distinct path.

    Most orders first. `lost`: how many people went that path and ordered nothing.
    """
    won = (
        found.touches.lazy()
        .group_by("order", maintain_order=True)
        .agg(pl.col("channel").alias("path"), pl.col("value").first())
        .group_by("path")
        .agg(pl.len().cast(pl.Int64).alias("orders"), pl.col("value").fill_null(0.0).sum())
    )
    lost = (
        found.lost.lazy()
        .group_by("contact_id", maintain_order=True)
        .agg(pl.col("channel").alias("path"))
        .group_by("path")
        .agg(pl.len().cast(pl.Int64).alias("lost"))
    )
    both = won.join(lost, on="path", how="full", coalesce=True).with_columns(
        pl.col("orders", "lost").fill_null(0), pl.col("value").fill_null(0.0)
    )
    return both.sort("orders", "lost", pl.col("path").list.join("\x1f"), descending=[True, True, False]).collect()
