"""`exp.split`: divides people at random into variants of an experiment, the same way for ever.

Absent on purpose: judging the result; the experiments screen does that from the recorded exposures.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import BaseModel, Field, field_validator

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.frames.instances import with_arm
from studio.nodes.adaptive import learnt_shares, logged_shares, met_before
from studio.nodes.chance import Unit, assigned
from studio.nodes.parameters import PortId, distinct_ports
from studio.nodes.recording import exposures


class Variant(Parameters):
    """One variant of an experiment."""

    id: PortId = Field(title="Short name", description="Such as A; it becomes an output of the step.")
    label: Annotated[str, Field(max_length=100)] = Field(
        default="", title="Shown as", description="What screens call the variant. Empty: the short name."
    )
    weight: Annotated[float, Field(gt=0, le=1_000_000)] = Field(
        default=1.0, title="Weight", description="How large a part it gets, compared with the other weights."
    )
    value: Annotated[str, Field(max_length=2_000)] | bool | int | float | None = Field(
        default=None,
        title="Value",
        description="What the tested setting is in this variant, such as a subject.",
    )


class SplitParameters(Parameters):
    """What `exp.split` can be told."""

    variants: Annotated[tuple[Variant, ...], Field(min_length=2, max_length=20)] = Field(
        title="Variants",
        description="Two or more; the first is the control the others are compared with.",
        json_schema_extra={"widget": "variants"},
    )
    parameter: Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]{0,63})?$")] = Field(
        default="",
        title="Tested setting",
        description=(
            "The setting of the template that is under test; a winner can be written back to it. "
            "Called subject, for instance, each variant's value is var.subject in messages and rules."
        ),
    )
    salt: Annotated[str, Field(max_length=100)] = Field(
        default="",
        title="Experiment name",
        description=(
            "Who gets which variant depends only on this name and the contact. "
            "Empty: the workflow and this step, so that each experiment divides anew."
        ),
    )
    unit: Unit = Field(
        default="contact",
        title="Divide by",
        description=(
            "A person always gets the same variant; or each cart or order is drawn on its own; or everybody with the "
            "same value in the field “account” gets the same."
        ),
        json_schema_extra={
            "words": {
                "contact": "Person",
                "key": "Cart or order",
                "account": "Account",
            }
        },
    )

    allocation: Literal["fixed", "adaptive"] = Field(
        default="fixed",
        title="Shares",
        description=(
            "Adaptive: more and more people get what works better, and every variant keeps its least share. It earns "
            "more meanwhile and takes longer to prove anything."
        ),
        json_schema_extra={"words": {"fixed": "The weights, all the time", "adaptive": "Adaptive"}},
    )
    least_share: Annotated[float, Field(ge=0.02, le=0.4)] = Field(
        default=0.1,
        title="Least share",
        description="What every variant keeps when shares are adaptive.",
        json_schema_extra={"unit": "share", "widget": "rate"},
    )

    smallest_lift: Annotated[float, Field(ge=0.01, le=5.0)] = Field(
        default=0.2,
        title="Smallest lift worth finding",
        description=(
            "How many people the test plans for follows from it: 0.2 means a fifth more than now. "
            "It is fixed when the workflow starts."
        ),
        json_schema_extra={"unit": "share", "widget": "rate"},
    )
    minimum_days: Annotated[int, Field(ge=0, le=365)] = Field(
        default=7,
        title="Least days",
        description="Nothing ships before so many days, so that a test sees every day of the week.",
    )
    evidence: Literal["anytime", "strict"] = Field(
        default="anytime",
        title="Evidence",
        description=(
            "Strict: exact with the smallest numbers too, and takes about a fifth more people. Adaptive shares are "
            "always read at any time."
        ),
        json_schema_extra={"words": {"anytime": "Safe to read at any time", "strict": "Strict"}},
    )

    @field_validator("variants")
    @classmethod
    def _distinct(cls, variants: tuple[Variant, ...]) -> tuple[Variant, ...]:
        distinct_ports((variant.id for variant in variants), ())
        return variants


class Split:
    """Labels `arms` with the variant, sets `var.<parameter>`, and records that each unit was `exposed`, once."""

    declaration: ClassVar[Declaration] = Declaration(
        id="exp.split",
        version=1,
        title="A/B test",
        summary="Divides people at random into variants.",
        group="Experiments",
        icon="split",
        role="pure",
    )
    Parameters: ClassVar[type[BaseModel]] = SplitParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, SplitParameters)
        self.parameters = parameters

    def outputs(self) -> tuple[str, ...]:
        return tuple(variant.id for variant in self.parameters.variants)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:
        weights = {variant.id: variant.weight for variant in self.parameters.variants}
        properties = None
        if self.parameters.allocation == "adaptive":
            weights = learnt_shares(context, self.outputs(), self.parameters.least_share)
        index = self._drawn(batch, context, list(weights.values()))
        names = index.replace_strict(range(len(weights)), self.outputs(), return_dtype=pl.String)
        if self.parameters.allocation == "adaptive":
            properties = logged_shares(weights, names)
        labelled = self._with_value(with_arm(batch, context.node_id, names), index)
        out = {variant: labelled.filter(names == variant) for variant in self.outputs()}
        by_key = self.parameters.unit == "key"
        return Outcome(out=out, events=exposures(labelled, names, context, by_key=by_key, properties=properties))

    def _drawn(self, batch: pl.DataFrame, context: NodeContext, weights: list[float]) -> pl.Series:
        """The index of each instance's variant. Where shares move, who comes again keeps what was met first."""
        unit = self.parameters.unit
        index = assigned(batch, context, salt=self.parameters.salt, unit=unit, weights=weights)
        if self.parameters.allocation == "fixed":
            return index
        places = {variant: place for place, variant in enumerate(self.outputs())}
        met = met_before(batch, context, unit).replace_strict(places, default=None, return_dtype=pl.Int64)
        return pl.select(pl.coalesce(met.alias("met"), index).alias("variant")).to_series()

    def _with_value(self, batch: pl.DataFrame, index: pl.Series) -> pl.DataFrame:
        values = [variant.value for variant in self.parameters.variants]
        if not self.parameters.parameter or all(value is None for value in values):
            return batch
        # One type for all variants, whatever variant a batch happens to hold: batches are put together later.
        column = pl.Series(values if _one_type(values) else [_text(value) for value in values], strict=False)
        return batch.with_columns(column.gather(index).alias(f"var.{self.parameters.parameter}"))


def _one_type(values: list[str | bool | int | float | None]) -> bool:
    kinds = {
        bool if isinstance(value, bool) else str if isinstance(value, str) else float
        for value in values
        if value is not None
    }
    return len(kinds) == 1


def _text(value: str | bool | int | float | None) -> str | None:
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)
