"""What `send.http` is told about answers, and the values as columns that go on with the people.

While nobody is called (simulations, tests, dry runs) each value's example stands for what would be answered. Absent on
purpose: reading an answer (`domain.web_answer`), and calling.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

import polars as pl
from pydantic import AfterValidator, Field, model_validator

from studio.domain.node import Outcome, Parameters, Quarantined
from studio.domain.web_answer import Expected, Kind, Taken, Taking, Value, example, parse_path, taken_of
from studio.frames.changes import CHANGE_SCHEMA
from studio.nodes.parameters import VariableName, refuse, refusing

_DTYPES: dict[Kind, pl.DataType] = {
    "text": pl.String(),
    "number": pl.Float64(),
    "yes_no": pl.Boolean(),
    "date": pl.String(),
}
_NOT_KEPT = ("email", "key", "contact_id")
_UNKNOWN = "the answer is not known"

AnswerPath = Annotated[str, Field(max_length=200), AfterValidator(refusing(parse_path))]
"""A place in a JSON answer; an empty one is the whole answer."""


class AnswerValue(Parameters):
    """One value that is taken out of the answer."""

    name: VariableName = Field(title="Name", description="Later steps and messages know the value as var.<name>.")
    part: Literal["json", "text", "status"] = Field(
        default="json",
        title="Taken from",
        description="json: a place in the answer. text: the whole answer. status: its number, such as 200.",
    )
    path: AnswerPath = Field(
        default="", title="Place", description="Where in the answer it stands, such as customer.plan or items[0].id."
    )
    kind: Literal["text", "number", "yes_no", "date"] = Field(
        default="text", title="Kind", description="What it is; an answer of another kind counts as missing."
    )
    example: Annotated[str, Field(max_length=200)] = Field(
        default="",
        title="Example",
        description="Stands for the answer where nobody is called: in simulations, tests and dry runs.",
    )
    keep: bool = Field(
        default=False,
        title="Also in the contact",
        description="Live runs write the value into the contact's field of this name too.",
    )

    @model_validator(mode="after")
    def _fits(self) -> AnswerValue:
        if self.part != "json" and self.path.strip():
            refuse("WEB-PATH", f"The {self.part} of an answer has no places in it", "Leave the place empty.")
        if self.example.strip():
            refusing(lambda text: example(text, self.kind))(self.example)
        if self.keep and self.name in _NOT_KEPT:
            refuse("NODE-FIELD", f"“{self.name}” cannot be changed by a workflow", "Give the value another name.")
        return self


class ExpectedValue(Parameters):
    """One thing that the answer has to say."""

    path: AnswerPath = Field(default="", title="Place", description="Where in the answer it stands, such as ok.")
    value: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        title="Has to be", description="What stands there when the call has worked, such as true."
    )


def distinct(values: tuple[AnswerValue, ...]) -> tuple[AnswerValue, ...]:
    """Refuses names that are there twice."""
    names = [value.name for value in values]
    for name in names:
        if names.count(name) > 1:
            refuse("NODE-VARIABLE", f"The name “{name}” is there twice", "Give each value its own name.")
    return values


def takings(values: Iterable[AnswerValue]) -> tuple[Taking, ...]:
    """What is asked of an answer."""
    return tuple(Taking(name=v.name, part=v.part, path=parse_path(v.path), kind=v.kind) for v in values)


def expectations(values: Iterable[ExpectedValue]) -> tuple[Expected, ...]:
    """What an answer is held against."""
    return tuple(Expected(path=parse_path(v.path), value=v.value) for v in values)


def answered(batch: pl.DataFrame, answers: Sequence[str | None] | None, values: Sequence[AnswerValue]) -> Outcome:
    """The batch with a column `var.<name>` per value, all through `out`; see `domain.node.Answered`.

    A value that an answer does not hold leaves the variable as it was: null, or what an earlier step gave it.
    """
    if not values or batch.is_empty():
        return Outcome(out={"out": batch})
    if answers is None:
        examples = Taken({v.name: example(v.example, v.kind) for v in values if v.example.strip()})
        return Outcome(out={"out": _with_values(batch, [examples] * batch.height, values)})
    unknown = Taken(missing={value.name: _UNKNOWN for value in values})
    taken = [unknown if answer is None else taken_of(answer) for answer in answers]
    return Outcome(
        out={"out": _with_values(batch, taken, values)},
        changes=_changes(batch, taken, values),
        noted=_noted(batch, taken),
    )


def _with_values(batch: pl.DataFrame, taken: Sequence[Taken], values: Sequence[AnswerValue]) -> pl.DataFrame:
    columns: list[pl.Series] = []
    for value in values:
        name, dtype = f"var.{value.name}", _DTYPES[value.kind]
        column = pl.Series(name, [item.values.get(value.name) for item in taken], dtype=dtype)
        if name in batch.columns and column.null_count():
            before = batch.get_column(name).cast(dtype, strict=False)
            column = column.zip_with(column.is_not_null(), before)
        columns.append(column)
    return batch.with_columns(columns)


def _changes(batch: pl.DataFrame, taken: Sequence[Taken], values: Sequence[AnswerValue]) -> pl.DataFrame | None:
    kept = [value.name for value in values if value.keep]
    rows = [
        (contact_id, "set", name, json.dumps(_whole(item.values[name])))
        for contact_id, item in zip(batch.get_column("contact_id"), taken, strict=True)
        for name in kept
        if name in item.values
    ]
    return pl.DataFrame(rows, schema=CHANGE_SCHEMA, orient="row") if rows else None


def _whole(value: Value) -> Value:
    """Numbers as people write them: 5, not 5.0."""
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) < 2**53
    return int(value) if is_whole else value


def _noted(batch: pl.DataFrame, taken: Sequence[Taken]) -> list[Quarantined]:
    people = batch.select("instance_id", "contact_id").iter_rows()
    return [
        Quarantined(int(instance_id), int(contact_id), "WEB-ANSWER", _words(item))
        for (instance_id, contact_id), item in zip(people, taken, strict=True)
        if item.missing
    ]


def _words(item: Taken) -> str:
    name, why = next(iter(item.missing.items()))
    others = len(item.missing) - 1
    more = f" (and {others} more)" if others else ""
    return f"The call was made, but gave no value for “{name}”{more}: {why}."
