"""`trigger.event`: starts one instance for each event of a kind, such as one per abandoned cart.

Absent on purpose: reading the event log; the engine shows new events, each once.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import BaseModel, Field

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.frames.few import Few, kept
from studio.nodes.parameters import Duration, EventKind, EventRule
from studio.nodes.reentry import RE_ENTRY_WORDS, entries_from, few_entries_from, re_entry_of
from studio.nodes.rules import EventFilter


class EventParameters(Parameters):
    """What `trigger.event` can be told."""

    event: EventKind = Field(
        title="Event", description="What has to happen, as it is called in the event log, such as cart."
    )
    filter: EventRule = Field(
        default="",
        title="Only if",
        description="A rule about the event, such as value >= 30. Empty: every event of this kind.",
    )
    instance_key: Annotated[str, Field(max_length=100)] = Field(
        default="key",
        title="One per",
        description=(
            "A contact enters once for each: “key” means the key of the event (a cart or order number), "
            "otherwise give the name of a property. Empty: only the contact counts."
        ),
    )
    re_entry: Literal["never", "every_time", "one_per_key", "after_days", "after_exit"] = Field(
        default="one_per_key",
        title="Starting again",
        description="Whether a contact may start again. Earlier runs of the same workflow count too.",
        json_schema_extra={"words": dict(RE_ENTRY_WORDS)},
    )
    re_entry_days: Annotated[int, Field(ge=1, le=3_650)] = Field(
        default=30,
        title="Start again after",
        description="Where some days have to pass: so many between two starts of the same contact.",
        json_schema_extra={"unit": "days"},
    )
    late: Duration = Field(
        default="P1D",
        validate_default=True,
        title="Latest arrival",
        description="An event that becomes known later than this after it happened starts nothing.",
    )


class Event:
    """Makes entries out of events. The event itself travels along and is `event` in messages."""

    declaration: ClassVar[Declaration] = Declaration(
        id="trigger.event",
        version=1,
        title="When something happens",
        summary="Starts once for each event of a kind, such as an abandoned cart.",
        group="Start",
        icon="zap",
        role="source",
        inputs=(),
        needs=("events",),
    )
    Parameters: ClassVar[type[BaseModel]] = EventParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, EventParameters)
        self.parameters = parameters
        self._filter = EventFilter(parameters.filter)

    def outputs(self) -> tuple[str, ...]:
        return ("out",)

    def event_kinds(self) -> tuple[str, ...]:
        return (self.parameters.event,)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:  # noqa: ARG002 - the protocol's shape
        return Outcome(out={"out": batch})

    async def enter(self, events: pl.DataFrame, context: NodeContext) -> pl.DataFrame:
        """Entries for the events that pass the filter, are recent enough and may start by the re-entry policy.

        Columns: `contact_id`, `key`, `entered_at` (when the event happened), `occurrence`, `var.event` (it, as JSON).
        Events from before the start of the run start nothing.
        """
        parameters = self.parameters
        earliest = max(context.started_at, context.now - parameters.late)
        is_it = events.get_column("kind") == parameters.event
        chosen = kept(events, is_it & (events.get_column("occurred_at") >= earliest))
        chosen = self._filter.keep(chosen, context)
        return entries_from(chosen, parameters.instance_key, re_entry_of(parameters, context), context)

    def enter_few(self, events: Few, context: NodeContext) -> Few | None:
        parameters = self.parameters
        earliest = max(context.started_at, context.now - parameters.late)
        chosen = self._filter.keep_few(
            Few(
                events.dtypes,
                [row for row in events.rows if row["kind"] == parameters.event and row["occurred_at"] >= earliest],
            ),
            context,
        )
        if chosen is None:
            return None
        return few_entries_from(chosen, parameters.instance_key, re_entry_of(parameters, context), context)
