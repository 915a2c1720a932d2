"""`trigger.list`: starts with everyone who has agreed to a topic.

Absent on purpose: people who sign up while the run is going on; they are an event (`trigger.event`).
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import polars as pl
from pydantic import BaseModel, Field

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.nodes.paging import page


class ListParameters(Parameters):
    """What `trigger.list` can be told."""

    topic: Annotated[str, Field(max_length=100)] = Field(
        default="",
        title="Topic",
        description="People who have agreed to mail about this topic. Empty: the topic of the workflow.",
        json_schema_extra={"widget": "topic"},
    )
    source: Annotated[str, Field(max_length=200)] = Field(
        default="",
        title="Only from",
        description="The name of one import, if only its contacts shall start. Empty: all contacts.",
        json_schema_extra={"widget": "audience"},
    )


class List:
    """Hands out contacts whose last statement on the topic is a consent."""

    declaration: ClassVar[Declaration] = Declaration(
        id="trigger.list",
        version=1,
        title="Subscribers of a topic",
        summary="Starts with everyone who has agreed to get mail about a topic.",
        group="Start",
        icon="list",
        role="source",
        inputs=(),
        needs=("contacts", "consent"),
    )
    Parameters: ClassVar[type[BaseModel]] = ListParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, ListParameters)
        self.parameters = parameters

    def outputs(self) -> tuple[str, ...]:
        return ("out",)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:  # noqa: ARG002 - the protocol's shape
        return Outcome(out={"out": batch})

    async def produce(self, cursor: str | None, limit: int, context: NodeContext) -> tuple[pl.DataFrame, str | None]:
        """The subscribers among the next `limit` contacts; the chunk may be empty although more follows."""
        return page(
            cursor,
            limit,
            lambda after, count: context.contacts.ids(after, count, self.parameters.source or None),
            keep=lambda ids: self._subscribed(ids, context),
        )

    def _subscribed(self, ids: pl.Series, context: NodeContext) -> pl.Series:
        states = context.contacts.consent(ids, "email", self.parameters.topic or context.settings.topic)
        granted = states.filter(pl.col("state") == "granted").get_column("contact_id")
        return ids.filter(ids.is_in(granted.implode()))
