"""`exp.holdout`: leaves a share of people alone, to see what the workflow really brings.

Held-out people go to the same goal as the others, so that the same window and the same events measure both.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import polars as pl
from pydantic import BaseModel, Field

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.frames.instances import with_arm
from studio.nodes.chance import Unit, assigned
from studio.nodes.recording import exposures

TREATED = "treated"
HELD = "held"


class HoldoutParameters(Parameters):
    """What `exp.holdout` can be told."""

    share: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.1,
        title="Held out",
        description="The share of people who get nothing, for comparison.",
        json_schema_extra={"unit": "share", "widget": "rate"},
    )
    salt: Annotated[str, Field(max_length=100)] = Field(
        default="",
        title="Holdout name",
        description=(
            "Who is held out depends only on this name and the contact: the same name in several workflows holds out "
            "the same people. Empty: the workflow and this step."
        ),
    )
    unit: Unit = Field(
        default="contact",
        title="Divide by",
        description=(
            "A person is always held out or never; or each cart or order is drawn on its own; or everybody with the "
            "same value in the field “account” is held out together."
        ),
        json_schema_extra={
            "words": {
                "contact": "Person",
                "key": "Cart or order",
                "account": "Account",
            }
        },
    )


class Holdout:
    """Labels `arms` with `treated` or `held`, and records one `exposed` event per unit: both groups' denominators."""

    declaration: ClassVar[Declaration] = Declaration(
        id="exp.holdout",
        version=1,
        title="Holdout",
        summary="Leaves a random share of people alone, for comparison.",
        group="Experiments",
        icon="user-x",
        role="pure",
    )
    Parameters: ClassVar[type[BaseModel]] = HoldoutParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, HoldoutParameters)
        self.parameters = parameters

    def outputs(self) -> tuple[str, ...]:
        return ("out", HELD)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:
        share = self.parameters.share
        index = assigned(
            batch, context, salt=self.parameters.salt, unit=self.parameters.unit, weights=[share, 1 - share]
        )
        held = index == 0
        names = pl.select(pl.when(held).then(pl.lit(HELD)).otherwise(pl.lit(TREATED)).alias("arm")).to_series()
        labelled = with_arm(batch, context.node_id, names)
        out = {"out": labelled.filter(~held), HELD: labelled.filter(held)}
        return Outcome(out=out, events=exposures(labelled, names, context, by_key=self.parameters.unit == "key"))
