"""`flow.switch`: one value decides the way, such as a country or a plan. Rules are `flow.branch`'s."""

from __future__ import annotations

from typing import Annotated, ClassVar

import polars as pl
from pydantic import BaseModel, Field, model_validator

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.frames.few import Few, FewOutcome
from studio.frames.row_expression import WHITE, Value, lowered
from studio.nodes.parameters import Formula, PortId, distinct_ports, refuse
from studio.nodes.rules import Formulas

ELSE = "else"


class Case(Parameters):
    """One way out of a switch."""

    id: PortId = Field(title="Short name", description="Of this way; it becomes an output of the step.")
    values: Annotated[str, Field(min_length=1, max_length=2_000)] = Field(
        title="Values", description="Who has one of these values goes this way. Put commas between them: DE, AT, CH."
    )
    label: Annotated[str, Field(max_length=100)] = Field(
        default="", title="Shown as", description="What the canvas shows beside this output. Empty: the short name."
    )

    @property
    def options(self) -> tuple[str, ...]:
        """The values one by one."""
        return tuple(value for part in self.values.split(",") if (value := part.strip()))


class SwitchParameters(Parameters):
    """What `flow.switch` can be told."""

    value: Formula = Field(title="Value", description="What is looked at: a field such as country, or var.plan.")
    cases: Annotated[tuple[Case, ...], Field(min_length=1, max_length=50)] = Field(
        title="Cases",
        description="Who fits none of them, or has no value, goes out through “everybody else”.",
        json_schema_extra={"widget": "conditions"},
    )
    match_case: bool = Field(
        default=False,
        title="Capitals matter",
        description="Off: DE and de are the same. On: only exactly the same text fits.",
    )

    @model_validator(mode="after")
    def _each_value_once(self) -> SwitchParameters:
        distinct_ports((case.id for case in self.cases), (ELSE,))
        seen: set[str] = set()
        for case in self.cases:
            for value in case.options:
                known = value if self.match_case else value.lower()
                if known in seen:
                    refuse("NODE-SWITCH", f"The value “{value}” is in two places", "Leave it in one case only.")
                seen.add(known)
        return self


class Switch:
    """Outputs: the id of each case, then `else`."""

    declaration: ClassVar[Declaration] = Declaration(
        id="flow.switch",
        version=1,
        title="Switch",
        summary="Sends people different ways by one value.",
        group="Flow",
        icon="route",
        role="pure",
        needs=("contacts",),
    )
    Parameters: ClassVar[type[BaseModel]] = SwitchParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, SwitchParameters)
        self.parameters = parameters
        self._value = Formulas((parameters.value,))
        pairs = [(value, place) for place, case in enumerate(parameters.cases) for value in case.options]
        self._values = [value if parameters.match_case else value.lower() for value, _ in pairs]
        self._places = [place for _, place in pairs]
        self._known = dict(zip(self._values, self._places, strict=True))

    def outputs(self) -> tuple[str, ...]:
        return (*(case.id for case in self.parameters.cases), ELSE)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:
        (found,) = self._value.texts(batch, context)
        given = found.str.strip_chars()
        given = given if self.parameters.match_case else given.str.to_lowercase()
        last = len(self.parameters.cases)
        places = given.replace_strict(self._values, self._places, default=last, return_dtype=pl.UInt8)
        places = places.fill_null(last)
        return Outcome(out={port: batch.filter(places == place) for place, port in enumerate(self.outputs())})

    def run_few(self, few: Few, context: NodeContext) -> FewOutcome | None:
        found = self._value.few_texts(few, context)
        if found is None:
            return None
        ports = self.outputs()
        places = [self._place(text) for text in found[0]]
        return FewOutcome(out=dict(zip(ports, few.divided(places, len(ports)), strict=True)))

    def _place(self, text: Value) -> int:
        """The place of a value's way among the outputs."""
        last = len(self.parameters.cases)
        if not isinstance(text, str):
            return last
        given = text.strip(WHITE)
        return self._known.get(given if self.parameters.match_case else lowered(given), last)
