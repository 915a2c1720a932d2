"""`data.count`: how many people came by, in all and by some value, and the sum of a number; shown with the step.

Absent on purpose: keeping single people apart; who came by is in the run's samples and traces.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, ClassVar, TypeAlias

import polars as pl
from pydantic import BaseModel, Field

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.frames.few import Few, FewOutcome
from studio.frames.row_expression import Value
from studio.nodes.parameters import OptionalFormula
from studio.nodes.rules import Formulas

PEOPLE = "people"
SUM = "sum"
MISSING = "without a value"
OTHER = "other values"
MAX_GROUPS = 50
MAX_LABEL = 80
_Group: TypeAlias = tuple[Any, ...]
"""Label, how many, and the sum where there is one."""


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
        groups, numbers = self._by.texts(batch, context), self._sum.numbers(batch, context)
        total = float(numbers[0].sum()) if numbers else None
        found = _grouped(groups[0], numbers[0] if numbers else None) if groups else ()
        return Outcome(out={"out": batch}, figures=self._figures(batch.height, total, found))

    def run_few(self, few: Few, context: NodeContext) -> FewOutcome | None:
        groups, numbers = self._by.few_texts(few, context), self._sum.few_numbers(few, context)
        if groups is None or numbers is None:
            return None
        total = sum(number or 0.0 for number in numbers[0]) if numbers else None
        found = _few_grouped(groups[0], numbers[0] if numbers else None) if groups else ()
        return FewOutcome(out={"out": few}, figures=self._figures(few.height, total, found))

    def _figures(self, people: int, total: float | None, groups: Iterable[_Group]) -> dict[str, float]:
        word = self.parameters.name.strip() or PEOPLE
        figures: dict[str, float] = {word: float(people)}
        if total is not None:
            figures[f"{word}, {SUM}"] = total
        for place, (label, count, *sums) in enumerate(groups):
            shown = label if place < MAX_GROUPS else OTHER
            _add(figures, f"{word}: {shown}", count)
            if sums:
                _add(figures, f"{word}, {SUM}: {shown}", sums[0])
        return figures


def _grouped(groups: pl.Series, numbers: pl.Series | None) -> Iterable[_Group]:
    """Label, how many, and the sum where there are numbers; the largest group first, then by label."""
    columns = [groups.str.slice(0, MAX_LABEL).fill_null(MISSING).alias("by")]
    columns += [] if numbers is None else [numbers.alias("sum")]
    sums = [] if numbers is None else [pl.col("sum").sum()]
    found = pl.DataFrame(columns).group_by("by").agg(pl.len().alias("n"), *sums)
    return found.sort(["n", "by"], descending=[True, False]).iter_rows()


def _few_grouped(labels: Sequence[Value], numbers: Sequence[float | None] | None) -> list[_Group]:
    counts: Counter[str] = Counter()
    sums: dict[str, float] = {}
    for place, label in enumerate(labels):
        shown = MISSING if label is None else str(label)[:MAX_LABEL]
        counts[shown] += 1
        sums[shown] = sums.get(shown, 0.0) + (0.0 if numbers is None else numbers[place] or 0.0)
    found = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [pair if numbers is None else (*pair, sums[pair[0]]) for pair in found]


def _add(figures: dict[str, float], name: str, amount: float) -> None:
    figures[name] = figures.get(name, 0.0) + float(amount)
