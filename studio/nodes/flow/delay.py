"""`flow.delay`: waits for a length of time, then, if asked, for a time of day where the contact lives."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Literal

import polars as pl
from pydantic import BaseModel, Field, model_validator

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.nodes.chance import uniform
from studio.nodes.parameters import Duration, TimeOfDay, refuse
from studio.nodes.zones import next_time_of_day, zones_of


class DelayParameters(Parameters):
    """What `flow.delay` can be told."""

    duration: Duration = Field(
        default="PT0S",
        validate_default=True,
        title="Wait for",
        description="How long, such as PT1H or P7D. A day is 24 hours.",
    )
    until: TimeOfDay | None = Field(
        default=None,
        title="Then until",
        description="After that, wait for this time of day, such as 09:00. Empty: go on at once.",
        json_schema_extra={"widget": "time"},
    )
    zone: Literal["contact", "workflow"] = Field(
        default="contact",
        title="Whose clock",
        description="Time of day where the contact lives (or, if unknown, of the workflow), or always of the workflow.",
    )
    jitter: Duration = Field(
        default="PT0S",
        validate_default=True,
        title="Spread over",
        description="Spread people at random over this time, so that they do not all go on at the same second.",
    )

    @model_validator(mode="after")
    def _waits(self) -> DelayParameters:
        if not self.duration and self.until is None and not self.jitter:
            refuse("NODE-DELAY", "This step would not wait at all", "Give a duration such as P1D, or a time of day.")
        return self


class Delay:
    """Keeps people until their own time has come."""

    declaration: ClassVar[Declaration] = Declaration(
        id="flow.delay",
        version=1,
        title="Wait",
        summary="Waits for a time before the next step.",
        group="Flow",
        icon="clock",
        role="wait",
    )
    Parameters: ClassVar[type[BaseModel]] = DelayParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, DelayParameters)
        self.parameters = parameters

    def outputs(self) -> tuple[str, ...]:
        return ("out",)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:
        waiting = batch.with_columns(self._due(batch, context))
        ready = pl.col("due_at") <= context.now
        return Outcome(out={"out": waiting.filter(ready).drop("due_at")}, wait=waiting.filter(~ready))

    async def resume(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:  # noqa: ARG002 - the protocol's shape
        return Outcome(out={"out": batch.drop("due_at", strict=False)})

    def _due(self, batch: pl.DataFrame, context: NodeContext) -> pl.Series:
        base = context.now + self.parameters.duration
        if self.parameters.until is None:
            due = pl.repeat(base, batch.height, eager=True, dtype=pl.Datetime("us", "UTC"))
        else:
            zones = zones_of(batch, context, own=self.parameters.zone == "contact")
            due = next_time_of_day(zones, base, self.parameters.until)
        if self.parameters.jitter:
            spread = self.parameters.jitter / timedelta(microseconds=1)
            drawn = uniform(context, "jitter", batch.get_column("instance_id")) * spread
            due = due + drawn.cast(pl.Int64).cast(pl.Duration("us"))
        return due.alias("due_at")
