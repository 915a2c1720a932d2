"""`content.offer`: gives each person a code, as `var.offer_code` and `var.offer_until` for messages and rules.

One code for all, a code per person made out of a secret word and the person, or the next one of a list. Who has been
given a code in this run gets the same one again. Absent on purpose: making codes known to a shop.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import BaseModel, Field, model_validator

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.experiments.assignment import hash64
from studio.frames.expression import event_property
from studio.nodes.parameters import refuse
from studio.nodes.recording import contact_events

OFFERED = "offered"
EXHAUSTED = "exhausted"
_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_LENGTH = 7


class OfferParameters(Parameters):
    """What `content.offer` can be told."""

    kind: Literal["shared", "unique", "list"] = Field(
        default="shared",
        title="Codes",
        description="Which code who gets, one for all or one each.",
        json_schema_extra={
            "words": {
                "shared": "The same for all",
                "unique": "One made for each person",
                "list": "The next one of your list",
            }
        },
    )
    code: Annotated[str, Field(max_length=40, pattern=r"^[^\s]*$")] = Field(
        default="", title="Code", description="The code for all, or how each person’s own begins, such as SPRING-."
    )
    codes: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=60)], ...], Field(max_length=100_000)] = Field(
        default=(), title="List of codes", description="For list: codes made in your shop, each given once."
    )
    secret: Annotated[str, Field(max_length=100)] = Field(
        default="",
        title="Secret word",
        description="For unique: whoever does not know it cannot guess codes. Keep it the same to get the same codes.",
    )
    days: Annotated[int, Field(ge=1, le=3_650)] = Field(
        default=14,
        title="Good for",
        description="How long the code can be used; the date is var.offer_until.",
        json_schema_extra={"unit": "days"},
    )
    most: Annotated[int, Field(ge=1, le=100_000_000)] | None = Field(
        default=None, title="At most", description="How many people get a code in all. Empty: no limit but the list."
    )

    @model_validator(mode="after")
    def _has_codes(self) -> OfferParameters:
        if self.kind == "shared" and not self.code:
            refuse("NODE-OFFER", "There is no code", "Write the code that exists in your shop.")
        if self.kind == "list" and not self.codes:
            refuse("NODE-OFFER", "The list of codes is empty", "Paste the codes from your shop.")
        if len(set(self.codes)) != len(self.codes):
            refuse("NODE-OFFER", "A code is there twice", "Each code can be given once only.")
        return self


class Offer:
    """Outputs: `out` with a code, `exhausted` when there is none left. One `offered` event per code given."""

    declaration: ClassVar[Declaration] = Declaration(
        id="content.offer",
        version=1,
        title="Give a code",
        summary="Gives each person an offer code with an end date.",
        group="Messages",
        icon="percent",
        role="pure",
        needs=("events",),
    )
    Parameters: ClassVar[type[BaseModel]] = OfferParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, OfferParameters)
        self.parameters = parameters

    def outputs(self) -> tuple[str, ...]:
        return ("out", EXHAUSTED)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:
        codes = self._codes(batch, context)
        until = (context.now + timedelta(days=self.parameters.days)).date().isoformat()
        given = batch.with_columns(
            codes.alias("var.offer_code"), pl.repeat(until, pl.len(), dtype=pl.String).alias("var.offer_until")
        )
        has = codes.is_not_null()
        out = given.filter(has)
        # A unique or listed code is a key to money, and no person's secret: the log may hold it, so that it is not
        # given twice.
        told = out.select(pl.col("var.offer_code").alias("code"))
        return Outcome(
            out={"out": out, EXHAUSTED: batch.filter(~has)},
            events=contact_events(out, OFFERED, context, properties=told),
        )

    def _codes(self, batch: pl.DataFrame, context: NodeContext) -> pl.Series:
        """A code per row, null where there is none left."""
        parameters = self.parameters
        if parameters.kind != "list" and parameters.most is None:
            return self._made(batch, context)
        ids = batch.get_column("contact_id")
        before = context.events.rows((OFFERED,), since=context.started_at, run_id=context.run_id)
        before = before.filter(pl.col("node_id") == context.node_id)
        known = before.select("contact_id", event_property("code").alias("code")).unique("contact_id", keep="first")
        given = batch.select("contact_id").join(known, on="contact_id", how="left", maintain_order="left")
        fresh = given.get_column("code").is_null() & ids.is_first_distinct()
        place = fresh.cast(pl.Int64).cum_sum() - 1 + known.height
        most = len(parameters.codes) if parameters.kind == "list" else parameters.most or 0
        if parameters.most is not None:
            most = min(most, parameters.most)
        made = self._of_list(place) if parameters.kind == "list" else self._made(batch, context)
        first = pl.select(pl.when(fresh & (place < most)).then(made).alias("code")).to_series()
        first_of = pl.DataFrame({"contact_id": ids, "first": first}).filter(fresh)
        both = given.join(first_of, on="contact_id", how="left", maintain_order="left")
        return both.select(pl.coalesce("code", "first").alias("code")).to_series()

    def _of_list(self, place: pl.Series) -> pl.Series:
        codes = pl.Series("code", self.parameters.codes, dtype=pl.String)
        within = (place >= 0) & (place < codes.len())
        return codes.gather(place.zip_with(within, pl.Series([None], dtype=pl.Int64)))

    def _made(self, batch: pl.DataFrame, context: NodeContext) -> pl.Series:
        if self.parameters.kind == "shared":
            return pl.repeat(self.parameters.code, batch.height, eager=True, dtype=pl.String)
        salt = json.dumps([self.parameters.secret, context.workflow_id, context.node_id])
        hashed = hash64(salt, batch.get_column("contact_id").cast(pl.UInt64).to_numpy())
        return pl.Series("code", [f"{self.parameters.code}{_word(int(number))}" for number in hashed], dtype=pl.String)


def _word(number: int) -> str:
    """Seven signs that people do not mix up: 31^7, some 27 thousand million codes."""
    signs = [_LETTERS[(number // len(_LETTERS) ** place) % len(_LETTERS)] for place in range(_LENGTH)]
    return "".join(signs)
