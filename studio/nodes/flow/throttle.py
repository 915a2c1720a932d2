"""`flow.throttle`: lets only so many people on per time, in all or for each key such as the mail provider.

When each key is free again is the step's note, which the engine keeps with the run. Absent on purpose: a queue of its
own; people wait with the moment of their turn.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import BaseModel, Field

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.frames.events import AT

_PER = {"second": timedelta(seconds=1), "minute": timedelta(minutes=1), "hour": timedelta(hours=1)}
_PER["day"] = timedelta(days=1)
_KEYS_MAX = 20_000


class ThrottleParameters(Parameters):
    """What `flow.throttle` can be told."""

    rate: Annotated[int, Field(ge=1, le=10_000_000)] = Field(
        title="At most", description="So many people go on per time.", json_schema_extra={"unit": "people"}
    )
    per: Literal["second", "minute", "hour", "day"] = Field(
        default="hour", title="Per", description="The time in which so many may go on."
    )
    key: Annotated[str, Field(max_length=100)] = Field(
        default="",
        title="For each",
        description=(
            "Counted for each of these by itself: “provider” for the part of the address behind the @, or a "
            "field of the contact by name. Empty: everybody together."
        ),
    )
    burst: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=1,
        title="At once",
        description="So many may go on together before the rate counts; those who follow keep to the rate.",
        json_schema_extra={"unit": "people"},
    )


class Throttle:
    """Lets people on at a steady rate, in the order in which they come (GCRA, as in ATM traffic management)."""

    declaration: ClassVar[Declaration] = Declaration(
        id="flow.throttle",
        version=1,
        title="Not too many at once",
        summary="Lets only so many people on per minute, hour or day, in all or per mail provider.",
        group="Flow",
        icon="timer",
        role="wait",
        needs=("contacts",),
    )
    Parameters: ClassVar[type[BaseModel]] = ThrottleParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, ThrottleParameters)
        self.parameters = parameters

    def outputs(self) -> tuple[str, ...]:
        return ("out",)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:
        now = pl.Series([context.now], dtype=AT).to_physical().item()
        free_at: dict[str, int] = json.loads(context.note) if context.note else {}
        keys = self._keys(batch, context)
        interval = _PER[self.parameters.per] / timedelta(microseconds=1) / self.parameters.rate
        due = np.empty(batch.height, dtype=np.int64)
        for (key,), rows in keys.to_frame("key").with_row_index().partition_by("key", as_dict=True).items():
            places = rows.get_column("index").to_numpy()
            first = max(now, free_at.get(str(key), now))
            turns = first + np.arange(len(places)) * interval
            due[places] = np.maximum(now, turns - (self.parameters.burst - 1) * interval).astype(np.int64)
            free_at[str(key)] = int(first + len(places) * interval)
        waiting = batch.with_columns(pl.Series("due_at", due).cast(AT))
        ready = pl.col("due_at") <= context.now
        note = json.dumps(_latest({key: at for key, at in free_at.items() if at > now}))
        return Outcome(out={"out": waiting.filter(ready).drop("due_at")}, wait=waiting.filter(~ready), note=note)

    async def resume(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:  # noqa: ARG002 - the protocol's shape
        return Outcome(out={"out": batch.drop("due_at", strict=False)})

    def _keys(self, batch: pl.DataFrame, context: NodeContext) -> pl.Series:
        name = self.parameters.key
        if not name:
            return pl.Series("key", [""], dtype=pl.String).new_from_index(0, batch.height)
        field = "email" if name == "provider" else name
        ids = batch.get_column("contact_id")
        known = context.contacts.fields(ids.unique().sort(), (field,))
        texts = batch.select("contact_id").join(known, on="contact_id", how="left", maintain_order="left")
        values = texts.get_column(field).cast(pl.String).fill_null("")
        return values.str.to_lowercase().str.split("@").list.last() if name == "provider" else values


def _latest(free_at: dict[str, int]) -> dict[str, int]:
    """Bounded: of very many keys those that are busy longest."""
    if len(free_at) <= _KEYS_MAX:
        return free_at
    return dict(sorted(free_at.items(), key=lambda item: item[1])[-_KEYS_MAX:])
