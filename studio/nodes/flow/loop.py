"""`flow.loop`: lets people go round through the steps behind `body`, so often or until a rule holds, then on.

How often somebody has gone round travels along as a variable, so that messages inside the loop are told apart.
Absent on purpose: an endless loop; the bound is required.
"""

from __future__ import annotations

import json
from typing import Annotated, ClassVar

import polars as pl
from pydantic import BaseModel, Field

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.domain.workflow import LOOP_BODY, VISITS
from studio.nodes.parameters import ContactRule
from studio.nodes.rules import Rules

DONE = "done"


class LoopParameters(Parameters):
    """What `flow.loop` can be told."""

    most: Annotated[int, Field(ge=1, le=1_000)] = Field(
        title="At most",
        description="Nobody goes round more often than this.",
        json_schema_extra={"unit": "times"},
    )
    until: ContactRule | None = Field(
        default=None,
        title="Until",
        description='Who fits this rule goes on, such as has("order"). Asked each time. Empty: only the number counts.',
    )
    each: Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$|^$")] = Field(
        default="",
        title="For each of",
        description="A variable that holds a list (JSON): once for each item, called “item” in messages. Empty: none.",
    )


class Loop:
    """Outputs: `done` for who is through, `body` for another round. The last step of the body leads back here."""

    declaration: ClassVar[Declaration] = Declaration(
        id="flow.loop",
        version=1,
        title="Repeat",
        summary="Sends people through some steps several times.",
        group="Flow",
        icon="repeat",
        role="pure",
        needs=("contacts",),
    )
    Parameters: ClassVar[type[BaseModel]] = LoopParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, LoopParameters)
        self.parameters = parameters
        self._until = Rules((parameters.until,)) if parameters.until else None

    def outputs(self) -> tuple[str, ...]:
        # The first is where people pass who do not take part: a loop that is switched off must not go round for ever.
        return (DONE, LOOP_BODY)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:
        name = f"{VISITS}{context.node_id}"
        visits = batch.get_column(name) if name in batch.columns else pl.Series([0], dtype=pl.Int64)
        visits = visits.cast(pl.Int64).fill_null(0)
        visits = visits.new_from_index(0, batch.height) if name not in batch.columns else visits
        ends = visits >= self.parameters.most
        item: pl.Series | None = None
        if self.parameters.each:
            item = _item(batch, f"var.{self.parameters.each}", visits)
            ends = ends | item.is_null()
        if self._until is not None:
            ends = ends | self._until.hold(batch, context)[0]
        going = batch.with_columns((visits + 1).alias(name), *(() if item is None else (item.alias("var.item"),)))
        # Outside of the loop the count starts anew: another loop around this one may come back.
        through = batch.with_columns(pl.lit(None, dtype=pl.Int64).alias(name)) if name in batch.columns else batch
        return Outcome(out={LOOP_BODY: going.filter(~ends), DONE: through.filter(ends)})


def _item(batch: pl.DataFrame, name: str, visits: pl.Series) -> pl.Series:
    """Per row the item of its list that is next, as text; null where the list has no more, or is none."""
    if name not in batch.columns:
        return pl.Series("item", [None] * batch.height, dtype=pl.String)
    lists = batch.get_column(name).cast(pl.String)
    items = [_nth(text, visit) for text, visit in zip(lists, visits, strict=True)]
    return pl.Series("item", items, dtype=pl.String)


def _nth(text: str | None, place: int) -> str | None:
    try:
        items = json.loads(text) if text else []
    except ValueError:
        return None
    if not isinstance(items, list) or place >= len(items):
        return None
    item = items[place]
    return item if isinstance(item, str) else json.dumps(item)
