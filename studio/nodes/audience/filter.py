"""`audience.filter`: divides people by one rule."""

from __future__ import annotations

from typing import ClassVar

import polars as pl
from pydantic import BaseModel, Field

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.frames.few import Few, FewOutcome, kept
from studio.nodes.parameters import ContactRule
from studio.nodes.rules import Rules


class FilterParameters(Parameters):
    """What `audience.filter` can be told."""

    rule: ContactRule = Field(
        title="Rule",
        description='Who passes, such as country == "DE" and days_since("order") >= 120. Unknown is no.',
    )


class Filter:
    """Through `pass` goes who fits the rule; everybody else, also where it cannot be told, through `fail`."""

    declaration: ClassVar[Declaration] = Declaration(
        id="audience.filter",
        version=1,
        title="Filter",
        summary="Lets people pass who fit a rule.",
        group="Audience",
        icon="filter",
        role="pure",
        needs=("contacts",),
    )
    Parameters: ClassVar[type[BaseModel]] = FilterParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, FilterParameters)
        self.parameters = parameters
        self._rules = Rules((parameters.rule,))

    def outputs(self) -> tuple[str, ...]:
        return ("pass", "fail")

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:
        (holds,) = self._rules.hold(batch, context)
        return Outcome(out={"pass": kept(batch, holds), "fail": kept(batch, ~holds)})

    def run_few(self, few: Few, context: NodeContext) -> FewOutcome | None:
        answers = self._rules.hold_few(few, context)
        if answers is None:
            return None
        passing, failing = few.divided([0 if holds else 1 for holds in answers[0]], 2)
        return FewOutcome(out={"pass": passing, "fail": failing})
