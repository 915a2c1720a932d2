"""`content.recommend`: finds things that may interest a person, as the list `var.picks` (`name`, `url`) for messages.

Out of the event log alone: what the person looked at last, what others bought together with it, or what sells best.
Things are known by the property `product` of events, their address by `url`. Absent on purpose: a learned model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import BaseModel, Field

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.frames.expression import event_property
from studio.nodes.parameters import EventKind

NONE = "none"


class RecommendParameters(Parameters):
    """What `content.recommend` can be told."""

    strategy: Literal["last_viewed", "co_bought", "top"] = Field(
        default="co_bought",
        title="Choose by",
        description="What each person is shown.",
        json_schema_extra={
            "words": {
                "last_viewed": "What they looked at last",
                "co_bought": "What goes with what they bought",
                "top": "What sells best",
            }
        },
    )
    count: Annotated[int, Field(ge=1, le=8)] = Field(
        default=3, title="How many", description="At most so many things for each person."
    )
    viewed: EventKind = Field(
        default="viewed", title="Event of looking", description="What looking at a thing is called."
    )
    bought: EventKind = Field(default="order", title="Event of buying", description="What buying a thing is called.")
    days: Annotated[int, Field(ge=1, le=3_650)] = Field(
        default=90,
        title="Looking back",
        description="How far back events count.",
        json_schema_extra={"unit": "days"},
    )
    fallback: Literal["top", "none"] = Field(
        default="top",
        title="Otherwise",
        description="When nothing is found for a person.",
        json_schema_extra={
            "words": {
                "top": "What sells best",
                "none": "They leave through “nothing found”",
            }
        },
    )


class Recommend:
    """Outputs: `out` with `var.picks`, `none` for whom there is nothing."""

    declaration: ClassVar[Declaration] = Declaration(
        id="content.recommend",
        version=1,
        title="Recommend",
        summary="Finds things that may interest each person, from what people looked at and bought.",
        group="Messages",
        icon="sparkles",
        role="pure",
        needs=("events",),
    )
    Parameters: ClassVar[type[BaseModel]] = RecommendParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, RecommendParameters)
        self.parameters = parameters

    def outputs(self) -> tuple[str, ...]:
        return ("out", NONE)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:
        picks = self._picks(batch, context)
        with_picks = batch.with_columns(picks.alias("var.picks"))
        has = picks.is_not_null()
        return Outcome(out={"out": with_picks.filter(has), NONE: batch.filter(~has)})

    def _picks(self, batch: pl.DataFrame, context: NodeContext) -> pl.Series:
        parameters = self.parameters
        since = context.now - timedelta(days=parameters.days)
        bought = _things(context.events.rows((parameters.bought,), since=since))
        viewed = _things(context.events.rows((parameters.viewed,), since=since))
        top = _ranked(bought)
        url_of = dict(pl.concat([viewed, bought]).drop_nulls("url").select("product", "url").iter_rows())
        people = batch.get_column("contact_id").unique()
        own = _by_person(bought, people)
        chosen = {
            "last_viewed": lambda: _last_first(viewed, people),
            "co_bought": lambda: _co_bought(bought, own),
            "top": dict,
        }[parameters.strategy]()
        is_top = parameters.strategy == "top" or parameters.fallback == "top"
        texts: dict[int, str | None] = {}
        for person in people:
            names = [*chosen.get(person, ()), *(top if is_top else ())]
            has = set(own.get(person, ()))
            kept = [name for name in dict.fromkeys(names) if name not in has or parameters.strategy == "last_viewed"]
            texts[person] = _list(kept[: parameters.count], url_of)
        ids = batch.get_column("contact_id")
        return ids.replace_strict(list(texts), list(texts.values()), default=None, return_dtype=pl.String)


def _things(events: pl.DataFrame) -> pl.DataFrame:
    """`contact_id`, `product`, `url`, `occurred_at` of the events that name a thing."""
    named = events.select(
        "contact_id", event_property("product").alias("product"), event_property("url").alias("url"), "occurred_at"
    )
    return named.drop_nulls("product")


def _ranked(bought: pl.DataFrame) -> list[str]:
    counts = bought.group_by("product").agg(pl.len().alias("n"))
    return counts.sort(["n", "product"], descending=[True, False]).get_column("product").to_list()


def _by_person(things: pl.DataFrame, people: pl.Series) -> Mapping[int, Sequence[str]]:
    own = things.filter(pl.col("contact_id").is_in(people.implode()))
    return dict(own.group_by("contact_id").agg(pl.col("product").unique().sort()).iter_rows())


def _last_first(viewed: pl.DataFrame, people: pl.Series) -> Mapping[int, Sequence[str]]:
    own = viewed.filter(pl.col("contact_id").is_in(people.implode())).sort("occurred_at", "product", descending=True)
    return dict(own.group_by("contact_id", maintain_order=True).agg(pl.col("product")).iter_rows())


def _co_bought(bought: pl.DataFrame, own: Mapping[int, Sequence[str]]) -> Mapping[int, Sequence[str]]:
    """What buyers of the person's things bought besides, most often first. O(pairs of things per buyer)."""
    baskets = bought.select("contact_id", "product").unique()
    pairs = baskets.join(baskets, on="contact_id", suffix="_other").filter(pl.col("product") != pl.col("product_other"))
    counts = pairs.group_by("product", "product_other").agg(pl.len().alias("n"))
    counts = counts.sort(["product", "n", "product_other"], descending=[False, True, False])
    following: dict[str, dict[str, int]] = {}
    for product, other, n in counts.iter_rows():
        following.setdefault(product, {})[other] = n
    return {person: _most_often([following.get(name, {}) for name in names]) for person, names in own.items()}


def _most_often(found: Sequence[Mapping[str, int]]) -> list[str]:
    total: dict[str, int] = {}
    for counts in found:
        for name, n in counts.items():
            total[name] = total.get(name, 0) + n
    return sorted(total, key=lambda name: (-total[name], name))


def _list(names: Sequence[str], url_of: Mapping[str, str]) -> str | None:
    if not names:
        return None
    return json.dumps([{"name": name, "url": url_of.get(name, "")} for name in names], ensure_ascii=False)
