"""`flow.merge`: brings parallel branches together again: the first to arrive goes on, or all are waited for.

Absent on purpose: counting who came by which way, which the engine does for every node that `Joins`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Literal

import polars as pl
from pydantic import BaseModel, Field

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.frames.events import AT
from studio.nodes.parameters import PositiveDuration

TIMEOUT = "timeout"


class MergeParameters(Parameters):
    """What `flow.merge` can be told."""

    wait_for: Literal["any", "all"] = Field(
        default="any",
        title="Wait for",
        description="Who comes first by one branch goes on and later arrivals end; or until all have arrived.",
        json_schema_extra={"words": {"any": "The first to arrive", "all": "All branches"}},
    )
    timeout: PositiveDuration = Field(
        default="P30D",
        validate_default=True,
        title="At the longest",
        description="Where all are waited for: who is not complete by then goes out through “time is up”.",
    )


class Merge:
    """Outputs: `out`; with “all” also `timeout`. What branches carry is put together; the one that came last wins."""

    declaration: ClassVar[Declaration] = Declaration(
        id="flow.merge",
        version=1,
        title="Merge branches",
        summary="Brings branches that run side by side together again.",
        group="Flow",
        icon="git-merge",
        role="wait",
    )
    Parameters: ClassVar[type[BaseModel]] = MergeParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, MergeParameters)
        self.parameters = parameters

    @property
    def joins_all(self) -> bool:
        """Whether every branch has to arrive."""
        return self.parameters.wait_for == "all"

    @property
    def patience(self) -> timedelta:
        """How long one branch waits for the others."""
        return self.parameters.timeout

    def outputs(self) -> tuple[str, ...]:
        return ("out", TIMEOUT) if self.joins_all else ("out",)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:
        """What becomes of people who came by a single branch, where nothing has to be waited for."""
        nobody = batch.clear().with_columns(pl.lit(context.now, dtype=AT).alias("due_at"))
        return Outcome(out={"out": batch}, wait=nobody)

    async def resume(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:  # noqa: ARG002 - the protocol's shape
        return Outcome(out={TIMEOUT if self.joins_all else "out": batch.drop("due_at", strict=False)})
