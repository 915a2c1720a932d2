"""`flow.branch`: the first condition that holds decides the way."""

from __future__ import annotations

from typing import Annotated, ClassVar

import polars as pl
from pydantic import BaseModel, Field, field_validator

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.frames.few import Few, FewOutcome, kept
from studio.nodes.parameters import ContactRule, PortId, distinct_ports
from studio.nodes.rules import Rules

ELSE = "else"


class Condition(Parameters):
    """One way out of a branch."""

    id: PortId = Field(title="Short name", description="Of this way; it becomes an output of the step.")
    label: Annotated[str, Field(max_length=100)] = Field(
        default="", title="Shown as", description="What the canvas shows beside this output. Empty: the short name."
    )
    rule: ContactRule = Field(title="Rule", description='Who goes this way, such as has("order").')


class BranchParameters(Parameters):
    """What `flow.branch` can be told."""

    conditions: Annotated[tuple[Condition, ...], Field(min_length=1, max_length=20)] = Field(
        title="Conditions",
        description="From top to bottom; the first that holds decides; else people leave through “everybody else”.",
        json_schema_extra={"widget": "conditions"},
    )

    @field_validator("conditions")
    @classmethod
    def _distinct(cls, conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
        distinct_ports((condition.id for condition in conditions), (ELSE,))
        return conditions


class Branch:
    """Outputs: the id of each condition, then `else`."""

    declaration: ClassVar[Declaration] = Declaration(
        id="flow.branch",
        version=1,
        title="Branch",
        summary="Sends people different ways by rules.",
        group="Flow",
        icon="git-branch",
        role="pure",
        needs=("contacts",),
    )
    Parameters: ClassVar[type[BaseModel]] = BranchParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, BranchParameters)
        self.parameters = parameters
        self._rules = Rules(tuple(condition.rule for condition in parameters.conditions))

    def outputs(self) -> tuple[str, ...]:
        return (*(condition.id for condition in self.parameters.conditions), ELSE)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:
        out: dict[str, pl.DataFrame] = {}
        left = pl.Series([True]).new_from_index(0, batch.height)
        for condition, holds in zip(self.parameters.conditions, self._rules.hold(batch, context), strict=True):
            out[condition.id] = kept(batch, left & holds)
            left = left & ~holds
        out[ELSE] = kept(batch, left)
        return Outcome(out=out)

    def run_few(self, few: Few, context: NodeContext) -> FewOutcome | None:
        answers = self._rules.hold_few(few, context)
        if answers is None:
            return None
        last, ports = len(answers), self.outputs()
        places = [next((place for place in range(last) if answers[place][row]), last) for row in range(few.height)]
        return FewOutcome(out=dict(zip(ports, few.divided(places, len(ports)), strict=True)))
