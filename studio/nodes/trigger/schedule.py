"""`trigger.schedule`: starts with an audience at a fixed time, once or again and again.

Absent on purpose: each contact's own zone; put a time window behind this step for that.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import BaseModel, Field, model_validator

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.nodes.audience_of import Audience
from studio.nodes.cadence import Cadence, Every, Weekday
from studio.nodes.parameters import AudienceName, PositiveDuration, TimeOfDay, refuse
from studio.nodes.turns import Turn, next_turn


class ScheduleParameters(Parameters):
    """What `trigger.schedule` can be told."""

    every: Every = Field(default="once", title="How often", description="once, or every day, week or month.")
    weekdays: tuple[Weekday, ...] = Field(
        default=(),
        title="On these weekdays",
        description="For day and week: mon, tue, wed, thu, fri, sat, sun. Empty: every day.",
    )
    day: Annotated[int, Field(ge=1, le=31)] = Field(
        default=1,
        title="Day of the month",
        description="For month: the day; a month that has no such day takes its last one.",
    )
    at: TimeOfDay = Field(
        default="09:00",
        validate_default=True,
        title="At",
        description="The time of day in the time zone of the workflow.",
    )
    skip_dates: tuple[date, ...] = Field(
        default=(), title="Not on", description="Dates on which nothing starts, such as holidays (2026-12-25)."
    )
    missed: Literal["skip", "once", "all"] = Field(
        default="once",
        title="If it was missed",
        description="When the computer was off at the time: skip it, start once afterwards, or make up for all.",
    )
    times: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        default=None, title="At most", description="Stop after this many times. Empty: no limit but the next one."
    )
    watch_for: PositiveDuration = Field(
        default="P90D",
        validate_default=True,
        title="Keep going for",
        description="How long after the start of the run this step still starts people.",
    )
    audience: AudienceName = Field(default="everyone", title="Audience")

    @model_validator(mode="after")
    def _has_days(self) -> ScheduleParameters:
        if self.every == "week" and not self.weekdays:
            refuse("NODE-SCHEDULE", "A weekly start needs a weekday", "Name one or more, such as mon.")
        return self


class Schedule:
    """Hands out the whole audience at each moment; each time is an occurrence of its own."""

    declaration: ClassVar[Declaration] = Declaration(
        id="trigger.schedule",
        version=1,
        title="At a time",
        summary="Starts with everyone at a date and time, once or regularly.",
        group="Start",
        icon="calendar",
        role="source",
        inputs=(),
        needs=("contacts",),
    )
    Parameters: ClassVar[type[BaseModel]] = ScheduleParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, ScheduleParameters)
        self.parameters = parameters

    def outputs(self) -> tuple[str, ...]:
        return ("out",)

    def due(self, cursor: str) -> datetime | None:
        """When the time behind the cursor has come."""
        return Turn.read(cursor).at

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:  # noqa: ARG002 - the protocol's shape
        return Outcome(out={"out": batch})

    async def produce(self, cursor: str | None, limit: int, context: NodeContext) -> tuple[pl.DataFrame, str | None]:
        """The next part of the audience when its time has come; before that nobody, and the cursor says when."""
        audience = Audience(self.parameters.audience)
        if cursor is None:
            first = self._next(context.started_at, context)
            return audience.nobody(), None if first is None else Turn(first).text()
        turn = Turn.read(cursor)
        if turn.at > context.now or (self._is_past(turn, context) and turn.after < 0):
            return audience.nobody(), self._skipped(turn, context)
        entries, last = audience.page(turn.after, limit, context)
        entries = entries.with_columns(pl.lit(turn.number, pl.UInt32).alias("occurrence"))
        if last is not None:
            return entries, turn.went_on(last).text()
        return entries, self._following(turn, context)

    def _following(self, turn: Turn, context: NodeContext) -> str | None:
        if self.parameters.every == "once" or turn.number + 1 == self.parameters.times:
            return None
        after = turn.at if self.parameters.missed == "all" else max(turn.at, context.now)
        return next_turn(turn, self._next(after + timedelta(microseconds=1), context))

    def _is_past(self, turn: Turn, context: NodeContext) -> bool:
        return self.parameters.missed == "skip" and context.now - turn.at > timedelta(hours=1)

    def _skipped(self, turn: Turn, context: NodeContext) -> str | None:
        if turn.at > context.now:
            return turn.text()
        moment = self._next(context.now, context)
        return None if moment is None else Turn(moment, number=turn.number).text()

    def _next(self, start: datetime, context: NodeContext) -> datetime | None:
        parameters = self.parameters
        cadence = Cadence(
            parameters.every,
            parameters.at,
            context.settings.zone,
            parameters.weekdays,
            parameters.day,
            frozenset(parameters.skip_dates),
        )
        return cadence.next(start, context.started_at + parameters.watch_for)
