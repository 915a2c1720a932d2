"""`flow.wait_for`: waits until something happens, or until the time is up.

The model of a waiting node: what has happened since the person entered is asked once on arrival (`run`), what happens
later is shown by the engine (`match`), and who is still here when the time is up comes back (`resume`).
Absent on purpose: any memory of its own; arrival is `due_at` minus the timeout.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import BaseModel, Field, field_validator

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.nodes.matching import EventMatch, matches, none_matched
from studio.nodes.parameters import EventKind, EventRule, PortId, PositiveDuration, distinct_ports

TIMEOUT = "timeout"


class Awaited(Parameters):
    """One thing that may happen while waiting."""

    id: PortId = Field(title="Short name", description="Of this way; it becomes an output of the step.")
    label: Annotated[str, Field(max_length=100)] = Field(
        default="", title="Shown as", description="What the canvas shows beside this output. Empty: the short name."
    )
    event: EventKind = Field(title="Event", description="What has to happen, such as order or clicked.")
    filter: EventRule = Field(
        default="",
        title="Only if",
        description="A rule about the event, such as value >= 30. Empty: every event of this kind.",
    )
    match_key: bool = Field(
        default=False,
        title="Same cart or order only",
        description="Only an event with the same key counts, such as an order of the same cart.",
    )


class WaitForParameters(Parameters):
    """What `flow.wait_for` can be told."""

    branches: Annotated[tuple[Awaited, ...], Field(min_length=1, max_length=10)] = Field(
        title="Wait for",
        description="What may happen; the earliest event decides, and of two at the same moment the upper branch.",
        json_schema_extra={"widget": "awaited"},
    )
    timeout: PositiveDuration = Field(
        title="At the longest",
        description="How long to wait, such as 23 hours. Then people go out through “time is up”.",
    )
    already: Literal["since_entry", "from_now"] = Field(
        default="since_entry",
        title="What counts",
        description="Also what happened between entering the workflow and this step, or only what comes.",
        json_schema_extra={
            "words": {"since_entry": "Everything since they came in", "from_now": "Only what happens from now on"}
        },
    )

    @field_validator("branches")
    @classmethod
    def _distinct(cls, branches: tuple[Awaited, ...]) -> tuple[Awaited, ...]:
        distinct_ports((branch.id for branch in branches), (TIMEOUT,))
        return branches


class WaitFor:
    """Outputs: the id of each branch, then `timeout`."""

    declaration: ClassVar[Declaration] = Declaration(
        id="flow.wait_for",
        version=1,
        title="Wait for an event",
        summary="Waits until something happens, or until the time is up.",
        group="Flow",
        icon="hourglass",
        role="wait",
        needs=("events",),
    )
    Parameters: ClassVar[type[BaseModel]] = WaitForParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, WaitForParameters)
        self.parameters = parameters
        self._awaited = tuple(
            EventMatch(branch.event, branch.filter, match_key=branch.match_key) for branch in parameters.branches
        )

    def outputs(self) -> tuple[str, ...]:
        return (*(branch.id for branch in self.parameters.branches), TIMEOUT)

    def event_kinds(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(branch.event for branch in self.parameters.branches))

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:
        waiting = batch.with_columns(
            pl.lit(context.now + self.parameters.timeout, dtype=pl.Datetime("us", "UTC")).alias("due_at")
        )
        gone = none_matched()
        earlier = batch.filter(pl.col("entered_at") < context.now)
        if self.parameters.already == "since_entry" and earlier.height:
            since = earlier.get_column("entered_at").min()
            assert isinstance(since, datetime), "every instance has entered"
            ids = earlier.get_column("contact_id").unique()
            gone = self.match(waiting, context.events.rows(self.event_kinds(), since=since, ids=ids), context)
        ports = batch.join(gone.select("instance_id", "port"), on="instance_id", how="left", maintain_order="left")
        out = {branch.id: ports.filter(pl.col("port") == branch.id).drop("port") for branch in self.parameters.branches}
        return Outcome(out=out, wait=waiting.filter(ports.get_column("port").is_null()))

    async def resume(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:  # noqa: ARG002 - the protocol's shape
        return Outcome(out={TIMEOUT: batch.drop("due_at", strict=False)})

    def match(self, batch: pl.DataFrame, events: pl.DataFrame, context: NodeContext) -> pl.DataFrame:
        """At most one row per instance: the earliest event that counts, up to `due_at`.

        Columns as in `domain.node.Listens.match`.
        """
        arrived = pl.col("due_at") - self.parameters.timeout
        since = pl.col("entered_at") if self.parameters.already == "since_entry" else arrived
        watched = batch.select(
            "instance_id", "contact_id", "key", since.alias("since"), pl.col("due_at").alias("until")
        )
        found = [
            matches(watched, events, awaited, context).with_columns(
                pl.lit(branch.id).alias("port"), pl.lit(rank).alias("rank")
            )
            for rank, (branch, awaited) in enumerate(zip(self.parameters.branches, self._awaited, strict=True))
        ]
        return (
            pl.concat(found)
            .sort("occurred_at", "rank", "event_id")
            .unique("instance_id", keep="first", maintain_order=True)
            .drop("rank")
        )
