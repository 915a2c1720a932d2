"""`flow.goal`: what the workflow is for, watched from the entry of each instance until its window closes.

Absent on purpose: recording conversions and taking people out of the waits they stand in, which the engine does with
what `match` answers.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import BaseModel, Field

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.nodes.matching import EventMatch, matches
from studio.nodes.parameters import EventKind, EventRule, PositiveDuration

REACHED = "reached"


class GoalParameters(Parameters):
    """What `flow.goal` can be told."""

    event: EventKind = Field(title="Event", description="What counts as success, such as order.")
    window: PositiveDuration = Field(
        title="Within",
        description="How long after entering the workflow a success still counts, such as P14D.",
    )
    value: Annotated[str, Field(max_length=100)] = Field(
        default="value",
        title="Worth",
        description="What a success is worth: “value” for the event's own value, or the name of a property.",
    )
    match_key: bool = Field(
        default=False,
        title="Same cart or order only",
        description="Only an event with the same key counts, such as an order of the same cart.",
    )
    filter: EventRule = Field(
        default="",
        title="Only if",
        description="A rule about the event, such as value >= 30. Empty: every event of this kind.",
    )
    action: Literal["exit", "continue"] = Field(
        default="exit",
        title="On success",
        description="Whoever succeeds leaves through “goal reached”, from whatever step; or nothing changes.",
        json_schema_extra={"words": {"exit": "They leave the workflow", "continue": "They go on"}},
    )


class Goal:
    """Outputs: `out` for who comes here and whose window closes without success, `reached` for who succeeds."""

    declaration: ClassVar[Declaration] = Declaration(
        id="flow.goal",
        version=1,
        title="Goal",
        summary="Counts successes, and can take out who succeeds.",
        group="Flow",
        icon="target",
        role="goal",
        needs=("events",),
    )
    Parameters: ClassVar[type[BaseModel]] = GoalParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, GoalParameters)
        self.parameters = parameters
        self._awaited = EventMatch(parameters.event, parameters.filter, match_key=parameters.match_key)

    @property
    def window(self) -> timedelta:
        return self.parameters.window

    def outputs(self) -> tuple[str, ...]:
        return ("out", REACHED)

    def event_kinds(self) -> tuple[str, ...]:
        return (self.parameters.event,)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:
        waiting = batch.with_columns((pl.col("entered_at") + self.window).alias("due_at"))
        closed = pl.col("due_at") <= context.now
        return Outcome(out={"out": waiting.filter(closed).drop("due_at")}, wait=waiting.filter(~closed))

    async def resume(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:  # noqa: ARG002 - the protocol's shape
        return Outcome(out={"out": batch.drop("due_at", strict=False)})

    def match(self, batch: pl.DataFrame, events: pl.DataFrame, context: NodeContext) -> pl.DataFrame:
        """One row per instance and success inside its window; with action exit `port` is `reached` on the first one.

        Columns as in `domain.node.Listens.match`.
        """
        watched = batch.select(
            "instance_id",
            "contact_id",
            "key",
            pl.col("entered_at").alias("since"),
            (pl.col("entered_at") + self.window).alias("until"),
        )
        found = matches(watched, events, self._awaited, context, value=self.parameters.value)
        found = found.sort("occurred_at", "event_id", "instance_id")
        if self.parameters.action == "continue":
            return found.with_columns(pl.lit(None, dtype=pl.String).alias("port"))
        first = pl.col("instance_id").is_first_distinct()
        return found.with_columns(pl.when(first).then(pl.lit(REACHED)).alias("port"))
