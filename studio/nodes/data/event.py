"""`data.event`: records that something happened, for other workflows, rules and reports to see.

Absent on purpose: what the program itself records (sent, converted …); nobody may make those up.
"""

from __future__ import annotations

import json
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import BaseModel, Field, field_validator

from studio.domain.node import SENT_KINDS, Declaration, NodeContext, Outcome, Parameters
from studio.frames.events import RUN_KINDS
from studio.nodes.parameters import EventKind, refuse
from studio.nodes.recording import contact_events

_NUMBER = r"^[0-9]{1,12}(\.[0-9]{1,4})?$"


class RecordParameters(Parameters):
    """What `data.event` can be told."""

    event: EventKind = Field(title="Event", description="What it is called in the event log, such as became_lead.")
    value: Annotated[str, Field(pattern=rf"{_NUMBER}|^$")] = Field(
        default="", title="Worth", description="An amount that the event is worth, such as 49.90. Empty: none."
    )
    currency: Annotated[str, Field(pattern=r"^([A-Z]{3})?$")] = Field(
        default="", title="Currency", description="Of the worth, such as EUR. Empty: that of the workflow."
    )
    key: Literal["instance", "none"] = Field(
        default="instance",
        title="Key",
        description="Whether the event has the key the person came in with: a cart, a booking.",
        json_schema_extra={"words": {"instance": "The one they came in with", "none": "None"}},
    )
    note: Annotated[str, Field(max_length=200)] = Field(
        default="", title="Note", description="A word about it that reports show. No personal data."
    )

    @field_validator("event")
    @classmethod
    def _is_free(cls, event: str) -> str:
        if event in (*RUN_KINDS, *SENT_KINDS.values()):
            refuse("NODE-EVENT", f"“{event}” is recorded by the program itself", "Choose another name.")
        return event


class Record:
    """Everybody goes out through `out`, with one event each."""

    declaration: ClassVar[Declaration] = Declaration(
        id="data.event",
        version=1,
        title="Record an event",
        summary="Notes that something happened, for rules, reports and other workflows.",
        group="Data",
        icon="activity",
        role="pure",
    )
    Parameters: ClassVar[type[BaseModel]] = RecordParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, RecordParameters)
        self.parameters = parameters

    def outputs(self) -> tuple[str, ...]:
        return ("out",)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:
        parameters = self.parameters
        events = contact_events(batch, parameters.event, context)
        columns: list[pl.Expr] = []
        if parameters.value:
            currency = parameters.currency or context.settings.currency
            columns += [pl.lit(float(parameters.value)).alias("value"), pl.lit(currency).alias("currency")]
        if parameters.key == "none":
            columns.append(pl.lit(None, pl.String).alias("key"))
        if parameters.note:
            columns.append(pl.lit(json.dumps({"note": parameters.note})).alias("properties"))
        return Outcome(out={"out": batch}, events=events.with_columns(columns))
