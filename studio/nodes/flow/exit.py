"""`flow.exit`: the end of the way, with a reason."""

from __future__ import annotations

from typing import Annotated, ClassVar

import polars as pl
from pydantic import BaseModel, Field

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.nodes.recording import contact_events


class ExitParameters(Parameters):
    """What `flow.exit` can be told."""

    reason: Annotated[str, Field(max_length=200)] = Field(
        default="finished", title="Reason", description="Why people leave here; reports show it."
    )


class Exit:
    """Ends every instance that arrives and records one `exited` event each."""

    declaration: ClassVar[Declaration] = Declaration(
        id="flow.exit",
        version=1,
        title="Exit",
        summary="People leave the workflow here.",
        group="Flow",
        icon="log-out",
        role="exit",
    )
    Parameters: ClassVar[type[BaseModel]] = ExitParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, ExitParameters)
        self.parameters = parameters

    def outputs(self) -> tuple[str, ...]:
        return ()

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:
        reasons = batch.select(pl.repeat(self.parameters.reason, pl.len(), dtype=pl.String).alias("reason"))
        return Outcome(ended=batch, events=contact_events(batch, "exited", context, properties=reasons))
