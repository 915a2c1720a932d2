"""`trigger.manual`: starts with people who are already in the workspace, when somebody presses Run."""

from __future__ import annotations

from typing import Annotated, ClassVar

import polars as pl
from pydantic import BaseModel, Field

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.nodes.chance import uniform
from studio.nodes.paging import page
from studio.nodes.parameters import AudienceName

EVERYONE = "everyone"


class ManualParameters(Parameters):
    """What `trigger.manual` can be told."""

    audience: AudienceName = Field(default=EVERYONE, title="Audience")
    limit: Annotated[int, Field(ge=1, le=100_000_000)] | None = Field(
        default=None,
        title="At most",
        description="Stop after this many contacts. Empty: no limit.",
        json_schema_extra={"unit": "contacts"},
    )
    sample: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None,
        title="Random share",
        description="Take only this share of the audience, drawn the same way for the same seed. Empty: all of it.",
        json_schema_extra={"unit": "share", "widget": "rate"},
    )


class Manual:
    """Hands out the audience once, in the order of contact ids."""

    declaration: ClassVar[Declaration] = Declaration(
        id="trigger.manual",
        version=1,
        title="Start by hand",
        summary="Starts with everyone, or with one import, when you press Run.",
        group="Start",
        icon="play",
        role="source",
        inputs=(),
        needs=("contacts",),
    )
    Parameters: ClassVar[type[BaseModel]] = ManualParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, ManualParameters)
        self.parameters = parameters

    def outputs(self) -> tuple[str, ...]:
        return ("out",)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:  # noqa: ARG002 - the protocol's shape
        return Outcome(out={"out": batch})

    async def produce(self, cursor: str | None, limit: int, context: NodeContext) -> tuple[pl.DataFrame, str | None]:
        """The next part of the audience, at most `limit` rows; it may be empty although more follows (a sample)."""
        source = None if self.parameters.audience == EVERYONE else self.parameters.audience
        return page(
            cursor,
            limit,
            lambda after, count: context.contacts.ids(after, count, source),
            at_most=self.parameters.limit,
            keep=lambda ids: self._sampled(ids, context),
        )

    def _sampled(self, ids: pl.Series, context: NodeContext) -> pl.Series:
        share = self.parameters.sample
        if share is None:
            return ids
        return ids.filter(uniform(context, "sample", ids) < share)
