"""`trigger.message_activity`: starts when somebody does something with a message: clicks, replies, unsubscribes.

Absent on purpose: what this run's own messages cause; a workflow that starts itself would never end.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import BaseModel, Field

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.nodes.reentry import entries_from, re_entry_of


class MessageActivityParameters(Parameters):
    """What `trigger.message_activity` can be told."""

    activity: Literal["delivered", "opened", "clicked", "replied", "bounced", "complained", "unsubscribed"] = Field(
        default="clicked",
        title="What they do",
        description="delivered, opened, clicked, replied, bounced, complained or unsubscribed.",
    )
    step: Annotated[str, Field(max_length=64)] = Field(
        default="",
        title="Only of this step",
        description="The id of the step that sent the message, such as mail_1. Empty: any message.",
    )
    human_only: bool = Field(
        default=True,
        title="People only",
        description="Whether openings and clicks by machines (previews, scanners) start nothing.",
    )
    re_entry: Literal["never", "every_time", "after_days"] = Field(
        default="never",
        title="Starting again",
        description="Whether a contact may start again.",
        json_schema_extra={
            "words": {"never": "Never", "every_time": "Every time", "after_days": "Some days after the last start"}
        },
    )
    re_entry_days: Annotated[int, Field(ge=1, le=3_650)] = Field(
        default=30,
        title="Start again after",
        description="Where some days have to pass: so many between two starts of the same contact.",
        json_schema_extra={"unit": "days"},
    )


class MessageActivity:
    """Makes entries out of what other runs' messages brought about. The event travels along as `event`."""

    declaration: ClassVar[Declaration] = Declaration(
        id="trigger.message_activity",
        version=1,
        title="When a message is answered",
        summary="Starts when somebody opens, clicks, answers or refuses a message.",
        group="Start",
        icon="inbox",
        role="source",
        inputs=(),
        needs=("events",),
    )
    Parameters: ClassVar[type[BaseModel]] = MessageActivityParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, MessageActivityParameters)
        self.parameters = parameters

    def outputs(self) -> tuple[str, ...]:
        return ("out",)

    def event_kinds(self) -> tuple[str, ...]:
        return (self.parameters.activity,)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:  # noqa: ARG002 - the protocol's shape
        return Outcome(out={"out": batch})

    async def enter(self, events: pl.DataFrame, context: NodeContext) -> pl.DataFrame:
        """Columns as `EventTrigger.enter` says. Events from before the start of the run start nothing."""
        parameters = self.parameters
        chosen = events.filter(
            (pl.col("kind") == parameters.activity)
            & (pl.col("occurred_at") >= context.started_at)
            & pl.col("run_id").ne_missing(context.run_id)
        )
        if parameters.step:
            chosen = chosen.filter(pl.col("node_id") == parameters.step)
        if parameters.human_only and parameters.activity in ("opened", "clicked", "replied"):
            chosen = chosen.filter(pl.col("actor") == "human")
        return entries_from(chosen, "", re_entry_of(parameters, context), context)
