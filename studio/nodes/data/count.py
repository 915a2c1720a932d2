"""`data.count`: how many people came by, in all and by some value, and the sum of a number; shown with the step.

Absent on purpose: keeping single people apart; who came by is in the run's samples and traces.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any, ClassVar

import polars as pl
from pydantic import BaseModel, Field

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.frames.few import is_few
from studio.nodes.parameters import OptionalFormula
from studio.nodes.rules import Formulas

PEOPLE = "people"
SUM = "sum"
MISSING = "without a value"
OTHER = "other values"
MAX_GROUPS = 50
MAX_LABEL = 80


class CountParameters(Parameters):
    """What `data.count` can be told."""

    by: OptionalFormula = Field(
        default="",
        title="By",
        description="Counts each value on its own, such as country. Empty: only how many in all.",
    )
    sum: OptionalFormula = Field(
        default="",
        title="Sum of",
        description='A number to add up, such as var.total or sum("order"). Empty: none.',
    )
    name: Annotated[str, Field(max_length=100)] = Field(
        default="", title="Name", description="What the figures are called in reports. Empty: people."
    )


class Count:
    """Lets everybody pass through `out`; the figures add up over the run."""

    declaration: ClassVar[Declaration] = Declaration(
        id="data.count",
        version=1,
        title="Count people",
        summary="Counts who comes by, and adds up a number.",
        group="Data",
        icon="chart-column",
        role="pure",
        needs=("contacts",),
    )
    Parameters: ClassVar[type[BaseModel]] = CountParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, CountParameters)
        self.parameters = parameters
        self._by = Formulas((parameters.by,) if parameters.by.strip() else ())
        self._sum = Formulas((parameters.sum,) if parameters.sum.strip() else ())

    def outputs(self) -> tuple[str, ...]:
        return ("out",)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:
        return Outcome(out={"out": batch}, figures=self._figures(batch, context))

    def _figures(self, batch: pl.DataFrame, context: NodeContext) -> dict[str, float]:
        word = self.parameters.name.strip() or PEOPLE
        groups, numbers = self._by.texts(batch, context), self._sum.numbers(batch, context)
        figures: dict[str, float] = {word: float(batch.height)}
        if numbers:
            figures[f"{word}, {SUM}"] = float(numbers[0].sum())
        if not groups:
            return figures
        for place, (label, count, *total) in enumerate(_grouped(groups[0], numbers[0] if numbers else None)):
            shown = label if place < MAX_GROUPS else OTHER
            _add(figures, f"{word}: {shown}", count)
            if total:
                _add(figures, f"{word}, {SUM}: {shown}", total[0])
        return figures


def _grouped(groups: pl.Series, numbers: pl.Series | None) -> Iterable[tuple[Any, ...]]:
    """Label, how many, and the sum where there are numbers; the largest group first, then by label."""
    if is_few(groups.to_frame()):
        return _grouped_by_row(groups.to_list(), None if numbers is None else numbers.to_list())
    columns = [groups.str.slice(0, MAX_LABEL).fill_null(MISSING).alias("by")]
    columns += [] if numbers is None else [numbers.alias("sum")]
    sums = [] if numbers is None else [pl.col("sum").sum()]
    found = pl.DataFrame(columns).group_by("by").agg(pl.len().alias("n"), *sums)
    return found.sort(["n", "by"], descending=[True, False]).iter_rows()


def _grouped_by_row(labels: list[str | None], numbers: list[float | None] | None) -> list[tuple[Any, ...]]:
    counts: Counter[str] = Counter()
    sums: Counter[str] = Counter()
    for place, label in enumerate(labels):
        shown = MISSING if label is None else label[:MAX_LABEL]
        counts[shown] += 1
        sums[shown] += 0.0 if numbers is None else numbers[place] or 0.0
    found = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [pair if numbers is None else (*pair, sums[pair[0]]) for pair in found]


def _add(figures: dict[str, float], name: str, amount: float) -> None:
    figures[name] = figures.get(name, 0.0) + float(amount)
