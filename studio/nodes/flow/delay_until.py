"""`flow.delay_until`: waits until a date that instance or contact brings along, or some time before or after it.

Absent on purpose: lengths of time without a date (`flow.delay`).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import BaseModel, Field

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.frames.events import AT
from studio.nodes.parameters import Duration, TimeOfDay
from studio.nodes.zones import zones_of

MISSED = "missed"


class DelayUntilParameters(Parameters):
    """What `flow.delay_until` can be told."""

    date: Annotated[str, Field(min_length=1, max_length=110, pattern=r"^(event\.|var\.)?[^.]+$")] = Field(
        title="Date",
        description="event.starts_at for a part of the event it began with, var.x for a variable, or a contact field.",
    )
    before: Duration = Field(
        default="PT0S",
        validate_default=True,
        title="This long before",
        description="Go on so long before the date, such as P2D or PT3H.",
    )
    after: Duration = Field(
        default="PT0S",
        validate_default=True,
        title="This long after",
        description="Go on so long after the date, such as P1D.",
    )
    at: TimeOfDay | None = Field(
        default=None,
        title="At",
        description="On that day at this time where the contact lives. Empty: at the very hour of the date.",
        json_schema_extra={"widget": "time"},
    )


class DelayUntil:
    """Outputs: `out` when the moment has come, `missed` for whom it had passed already, or who has no date."""

    declaration: ClassVar[Declaration] = Declaration(
        id="flow.delay_until",
        version=1,
        title="Wait until a date",
        summary="Waits until a date such as an appointment, or some time before or after it.",
        group="Flow",
        icon="calendar",
        role="wait",
        needs=("contacts",),
    )
    Parameters: ClassVar[type[BaseModel]] = DelayUntilParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, DelayUntilParameters)
        self.parameters = parameters

    def outputs(self) -> tuple[str, ...]:
        return ("out", MISSED)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:
        waiting = batch.with_columns(self._due(batch, context))
        ahead = (pl.col("due_at") > context.now).fill_null(False)
        missed = waiting.filter(~ahead).drop("due_at")
        return Outcome(out={"out": missed.clear(), MISSED: missed}, wait=waiting.filter(ahead))

    async def resume(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:  # noqa: ARG002 - the protocol's shape
        return Outcome(out={"out": batch.drop("due_at", strict=False)})

    def _due(self, batch: pl.DataFrame, context: NodeContext) -> pl.Series:
        texts = self._texts(batch, context)
        zones = zones_of(batch, context)
        pairs = pl.DataFrame({"text": texts, "zone": zones})
        known = pairs.unique().drop_nulls("text")
        moments = [self._moment(text, zone) for text, zone in known.iter_rows()]
        known = known.with_columns(pl.Series("due_at", moments, dtype=AT))
        return pairs.join(known, on=["text", "zone"], how="left", maintain_order="left").get_column("due_at")

    def _texts(self, batch: pl.DataFrame, context: NodeContext) -> pl.Series:
        """The dates as they are written, row for row; null where there is none."""
        name = self.parameters.date
        if name.startswith("event."):
            column = batch.get_column("var.event") if "var.event" in batch.columns else _nothing(batch)
            part = name.removeprefix("event.")
            return pl.Series("text", [_part_of(text, part) for text in column], dtype=pl.String)
        if name.startswith("var."):
            return (batch.get_column(name) if name in batch.columns else _nothing(batch)).cast(pl.String).alias("text")
        ids = batch.get_column("contact_id")
        known = context.contacts.fields(ids.unique().sort(), (name,)).select("contact_id", pl.col(name).alias("text"))
        joined = batch.select("contact_id").join(known, on="contact_id", how="left", maintain_order="left")
        return joined.get_column("text").cast(pl.String)

    def _moment(self, text: str, zone: str) -> datetime | None:
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError:
            return None
        # A date without a zone is meant where the contact lives.
        local = moment.replace(tzinfo=ZoneInfo(zone)) if moment.tzinfo is None else moment.astimezone(ZoneInfo(zone))
        shift: timedelta = self.parameters.after - self.parameters.before
        shifted = (local.astimezone(UTC) + shift).astimezone(ZoneInfo(zone))
        if self.parameters.at is not None:
            shifted = datetime.combine(shifted.date(), self.parameters.at, ZoneInfo(zone))
        return shifted.astimezone(UTC)


def _nothing(batch: pl.DataFrame) -> pl.Series:
    return pl.repeat(None, batch.height, eager=True, dtype=pl.String)


def _part_of(text: str | None, name: str) -> str | None:
    """A part of an event that travels as JSON, its properties included."""
    event = json.loads(text) if text else {}
    properties = event.get("properties")
    value = event.get(name, json.loads(properties).get(name) if isinstance(properties, str) else None)
    return None if value is None else str(value)
