"""`data.update`: changes what is known of a person: a field, a tag, a consent.

In a simulation nothing is changed; what the step sets also travels on as `var.<field>`, so that later steps see it in
every mode. Absent on purpose: values worked out per person (`data.set_fields`), and mail addresses, which imports own.
"""

from __future__ import annotations

import json
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import BaseModel, Field, model_validator

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.frames.changes import CHANGE_SCHEMA
from studio.nodes.parameters import refuse
from studio.nodes.recording import contact_events

UPDATED = "updated"
_NOT_HERE = ("email", "key", "contact_id")
_CONSENT = ("grant", "withdraw")


class Change(Parameters):
    """One thing that becomes different."""

    action: Literal["set", "increment", "append", "remove", "grant", "withdraw"] = Field(
        default="set",
        title="What to do",
        description="To a field, a number, a tag or a consent.",
        json_schema_extra={
            "words": {
                "set": "Set a field",
                "increment": "Add to a number",
                "append": "Add a tag",
                "remove": "Remove a tag",
                "grant": "Note a consent",
                "withdraw": "Withdraw a consent",
            }
        },
    )
    field: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\s.:|=]+$")] = Field(
        title="Field", description="The contact field, such as stage or tags; for a consent its topic."
    )
    value: Annotated[str, Field(max_length=500)] | bool | int | float = Field(
        default="", title="Value", description="What to set, add or remove; for a consent what it rests on."
    )
    channel: Literal["email", "sms", "push"] = Field(
        default="email", title="Channel", description="For a consent: what kind of message it is about."
    )

    @model_validator(mode="after")
    def _fits(self) -> Change:
        if self.field in _NOT_HERE:
            refuse(
                "NODE-FIELD", f"“{self.field}” cannot be changed by a workflow", "Import the contacts again instead."
            )
        if self.action == "increment" and (isinstance(self.value, (str, bool))):
            refuse("NODE-FIELD", "Only a number can be added", "Write a number such as 10 or -5.")
        if self.action == "grant" and not str(self.value).strip():
            refuse("NODE-CONSENT", "A consent needs a proof", "Say what it rests on, such as: confirmed by link.")
        return self


class UpdateParameters(Parameters):
    """What `data.update` can be told."""

    changes: Annotated[tuple[Change, ...], Field(min_length=1, max_length=20)] = Field(
        title="Changes",
        description="What becomes different about each person, one after the other.",
        json_schema_extra={"widget": "conditions"},
    )


class Update:
    """Everybody goes out through `out`; each change is one `updated` event without its value."""

    declaration: ClassVar[Declaration] = Declaration(
        id="data.update",
        version=1,
        title="Update contact",
        summary="Sets a field, a tag or a consent of each person.",
        group="Data",
        icon="pencil",
        role="pure",
        needs=("contacts",),
    )
    Parameters: ClassVar[type[BaseModel]] = UpdateParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, UpdateParameters)
        self.parameters = parameters

    def outputs(self) -> tuple[str, ...]:
        return ("out",)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:
        changes = pl.concat([self._rows(change, batch) for change in self.parameters.changes])
        what = ", ".join(f"{change.action} {change.field}" for change in self.parameters.changes)
        told = batch.select(pl.repeat(what, pl.len(), dtype=pl.String).alias("what"))
        events = contact_events(batch, UPDATED, context, properties=told)
        return Outcome(out={"out": batch.with_columns(self._carried())}, changes=changes, events=events)

    def _rows(self, change: Change, batch: pl.DataFrame) -> pl.DataFrame:
        is_consent = change.action in _CONSENT
        named = {
            "action": change.action,
            "field": f"{change.channel}:{change.field}" if is_consent else change.field,
            "value": str(change.value) if is_consent else json.dumps(change.value),
        }
        rows = batch.select("contact_id", *(pl.repeat(v, pl.len(), dtype=pl.String).alias(k) for k, v in named.items()))
        return rows.select(*CHANGE_SCHEMA)

    def _carried(self) -> list[pl.Expr]:
        return [
            pl.repeat(change.value, pl.len()).alias(f"var.{change.field}")
            for change in self.parameters.changes
            if change.action == "set" and change.field.isidentifier() and change.field not in ("event", "reached")
        ]
