"""`data.set_fields`: values that are worked out for each person and go with them, as `var.<name>`.

Absent on purpose: changing the contact itself (`data.update`); a value here belongs to this way through the workflow.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import polars as pl
from pydantic import BaseModel, Field, field_validator

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.frames.few import Few, FewOutcome, with_series
from studio.nodes.parameters import Formula, VariableName, refuse
from studio.nodes.rules import Formulas


class SetField(Parameters):
    """One value."""

    name: VariableName = Field(title="Name", description="Later steps and messages know the value as var.<name>.")
    value: Formula = Field(
        title="Value",
        description='What it is worth, such as score * 2, lower(country) or sum("order", days=90).',
    )


class SetFieldsParameters(Parameters):
    """What `data.set_fields` can be told."""

    fields: Annotated[tuple[SetField, ...], Field(min_length=1, max_length=20)] = Field(
        title="Values",
        description="Worked out at once, from what was known before this step.",
        json_schema_extra={"widget": "conditions"},
    )

    @field_validator("fields")
    @classmethod
    def _distinct(cls, fields: tuple[SetField, ...]) -> tuple[SetField, ...]:
        names = [field.name for field in fields]
        for name in names:
            if names.count(name) > 1:
                refuse("NODE-VARIABLE", f"The name “{name}” is there twice", "Give each value its own name.")
        return fields


class SetFields:
    """Everybody goes out through `out`, with the new values; a value that cannot be told is missing."""

    declaration: ClassVar[Declaration] = Declaration(
        id="data.set_fields",
        version=1,
        title="Set values",
        summary="Works out values for each person, for later steps to use.",
        group="Data",
        icon="braces",
        role="pure",
        needs=("contacts",),
    )
    Parameters: ClassVar[type[BaseModel]] = SetFieldsParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, SetFieldsParameters)
        self.parameters = parameters
        self._formulas = Formulas(tuple(field.value for field in parameters.fields))

    def outputs(self) -> tuple[str, ...]:
        return ("out",)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:
        values = self._formulas.values(batch, context)
        named = [value.alias(f"var.{field.name}") for field, value in zip(self.parameters.fields, values, strict=True)]
        return Outcome(out={"out": with_series(batch, named)})

    def run_few(self, few: Few, context: NodeContext) -> FewOutcome | None:
        found = self._formulas.few_values(few, context)
        if found is None:
            return None
        named = zip(self.parameters.fields, found, strict=True)
        return FewOutcome(out={"out": few.with_columns((f"var.{field.name}", *value) for field, value in named)})
