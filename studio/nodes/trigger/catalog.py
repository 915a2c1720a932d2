"""`trigger.catalog`: starts when a product gets cheaper, comes back or runs low, for those who showed interest in it.

The product list is read again and again; what it said last time travels in the cursor. Who showed interest is asked of
the event log by the property `product`. Absent on purpose: guessing interest in products that nobody named.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal, TypeAlias

import polars as pl
from pydantic import BaseModel, Field

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.domain.reading import Product
from studio.frames.events import AT
from studio.frames.expression import event_property
from studio.nodes.feeds_of import feeds_of
from studio.nodes.parameters import EventKind, PositiveDuration
from studio.nodes.turns import Turn, next_turn

_Known: TypeAlias = dict[str, tuple[float | None, int | None]]


class CatalogParameters(Parameters):
    """What `trigger.catalog` can be told."""

    change: Literal["price_drop", "back_in_stock", "low_stock"] = Field(
        default="price_drop",
        title="When a product",
        description="What has to happen to it.",
        json_schema_extra={
            "words": {"price_drop": "Becomes cheaper", "back_in_stock": "Is there again", "low_stock": "Is nearly gone"}
        },
    )
    feed: Annotated[str, Field(min_length=1, max_length=1_000)] = Field(
        title="Product list",
        description="A file or web address: CSV or JSON with product, price, stock, and name and url if you have them.",
        json_schema_extra={"widget": "file"},
    )
    percent: Annotated[float, Field(ge=0.01, le=0.95)] = Field(
        default=0.1,
        title="Cheaper by",
        description="Of one that becomes cheaper: at least this share of the price before.",
        json_schema_extra={"unit": "share", "widget": "rate"},
    )
    stock: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=5,
        title="Left",
        description="Of one that is nearly gone: so many or fewer, and not none.",
        json_schema_extra={"unit": "pieces"},
    )
    interest: Annotated[tuple[EventKind, ...], Field(min_length=1, max_length=10)] = Field(
        default=("viewed", "cart_updated", "wished"),
        title="Interest is",
        description="Events that name the product and show interest in it.",
    )
    days: Annotated[int, Field(ge=1, le=730)] = Field(
        default=30,
        title="Within",
        description="How far back interest counts.",
        json_schema_extra={"unit": "days"},
    )
    bought: EventKind = Field(
        default="order", title="Not who had", description="Who has had such an event for the product since is left out."
    )
    check_every: PositiveDuration = Field(
        default="P1D",
        validate_default=True,
        title="Look every",
        description="How often the list is read, such as P1D or PT6H.",
    )
    watch_for: PositiveDuration = Field(
        default="P90D",
        validate_default=True,
        title="Keep looking for",
        description="How long after the start of the run the list is read.",
    )


@dataclass(frozen=True, slots=True)
class _Changed:
    product: Product
    old_price: float | None


class Catalog:
    """One instance per person and product (the key); the change travels along as `event`."""

    declaration: ClassVar[Declaration] = Declaration(
        id="trigger.catalog",
        version=1,
        title="When a product changes",
        summary="Starts when something people looked at gets cheaper, comes back or runs low.",
        group="Start",
        icon="tag",
        role="source",
        inputs=(),
        needs=("events",),
    )
    Parameters: ClassVar[type[BaseModel]] = CatalogParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, CatalogParameters)
        self.parameters = parameters

    def outputs(self) -> tuple[str, ...]:
        return ("out",)

    def due(self, cursor: str) -> datetime | None:
        """When the list is read again."""
        return Turn.read(cursor).at

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:  # noqa: ARG002 - the protocol's shape
        return Outcome(out={"out": batch})

    async def produce(self, cursor: str | None, limit: int, context: NodeContext) -> tuple[pl.DataFrame, str | None]:  # noqa: ARG002 - a list changes a little at a time
        """Everybody concerned by what has changed since the last look. The first look only remembers."""
        turn = Turn(context.now, extra="{}") if cursor is None else Turn.read(cursor)
        since = context.now - timedelta(days=self.parameters.days)
        interested = _interest(context.events.rows(self.parameters.interest, since=since))
        names = interested.get_column("product").unique().sort().to_list()
        products = await feeds_of(context).products(self.parameters.feed, names, context.now, context.mode)
        before: _Known = {name: tuple(values) for name, values in json.loads(turn.extra).items()}
        changed = [one for product in products if (one := self._change(product, before)) is not None]
        bought = _interest(context.events.rows((self.parameters.bought,), since=since))
        entries = _entries(interested, bought, changed, self.parameters.change, context)
        now_known = json.dumps({product.product: (product.price, product.stock) for product in products})
        again = turn.at + self.parameters.check_every
        is_over = again > context.started_at + self.parameters.watch_for
        return entries, next_turn(turn, None if is_over else max(again, context.now), now_known)

    def _change(self, product: Product, before: Mapping[str, tuple[float | None, int | None]]) -> _Changed | None:
        if product.product not in before:
            return None
        price, stock = before[product.product]
        match self.parameters.change:
            case "price_drop":
                is_so = price is not None and product.price is not None
                is_so = is_so and product.price <= price * (1 - self.parameters.percent)  # type: ignore[operator]
            case "back_in_stock":
                is_so = stock == 0 and bool(product.stock)
            case "low_stock":
                most = self.parameters.stock
                is_so = product.stock is not None and 0 < product.stock <= most and (stock is None or stock > most)
        return _Changed(product, price) if is_so else None


def _interest(events: pl.DataFrame) -> pl.DataFrame:
    """`contact_id`, `product`, `at`: the last time of each pair."""
    named = events.select("contact_id", event_property("product").alias("product"), "occurred_at")
    return named.drop_nulls().group_by("contact_id", "product").agg(pl.col("occurred_at").max().alias("at"))


def _entries(
    interested: pl.DataFrame, bought: pl.DataFrame, changed: Sequence[_Changed], change: str, context: NodeContext
) -> pl.DataFrame:
    rows: dict[str, str] = {}
    for one in changed:
        event = {
            "kind": change,
            "occurred_at": context.now.isoformat(),
            "value": one.product.price,
            "currency": context.settings.currency,
            "product": one.product.name,
            "old_price": one.old_price,
            "stock": one.product.stock,
            "url": one.product.url,
        }
        text = json.dumps({key: value for key, value in event.items() if value is not None}, ensure_ascii=False)
        rows[one.product.product] = text
        rows.setdefault(one.product.name, text)
    known = pl.DataFrame(
        {"product": list(rows), "var.event": list(rows.values())}, schema={"product": pl.String, "var.event": pl.String}
    )
    found = interested.join(known, on="product", how="inner")
    found = found.join(bought, on=["contact_id", "product"], how="left", suffix="_bought")
    found = found.filter(pl.col("at_bought").is_null() | (pl.col("at_bought") < pl.col("at"))).sort(
        "contact_id", "product"
    )
    day = f"@{context.now:%Y-%m-%d}"
    # The same product may get cheaper again: each time is an occurrence of its own.
    key = (pl.col("product") + day).alias("key")
    return found.select("contact_id", key, pl.lit(context.now, AT).alias("entered_at"), "var.event")
