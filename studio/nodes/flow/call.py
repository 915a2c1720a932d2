"""`flow.call`: people go through another workflow's steps and come back.

When a run begins, the other workflow's steps stand in the place of what follows this one (`domain.subworkflow`); the
step itself lets everybody pass. Absent on purpose: a run of its own for the other workflow, its triggers and settings.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import polars as pl
from pydantic import BaseModel, Field

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters


class CallParameters(Parameters):
    """What `flow.call` can be told."""

    workflow: Annotated[str, Field(min_length=1, max_length=100)] = Field(
        title="Workflow",
        description="The id of another workflow in this workspace, such as w3. Its triggers are left out.",
        json_schema_extra={"widget": "workflow"},
    )


class Call:
    """Output `out`: who has come to any end of the other workflow."""

    declaration: ClassVar[Declaration] = Declaration(
        id="flow.call",
        version=1,
        title="Another workflow",
        summary="Takes people through the steps of another workflow and back.",
        group="Flow",
        icon="workflow",
        role="pure",
    )
    Parameters: ClassVar[type[BaseModel]] = CallParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, CallParameters)
        self.parameters = parameters

    def outputs(self) -> tuple[str, ...]:
        return ("out",)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:  # noqa: ARG002 - the protocol's shape
        return Outcome(out={"out": batch})
