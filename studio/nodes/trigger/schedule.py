"""`trigger.schedule`: starts with an audience at a time, once or again and again, by one clock or everybody's own.

Absent on purpose: several times of day; a second step of this kind gives them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Annotated, ClassVar, Literal
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import BaseModel, Field, model_validator

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.nodes.audience_of import Audience, entries_of
from studio.nodes.cadence import Cadence, Every, Month, Weekday, Which
from studio.nodes.local_start import TICK, LocalStart, Look
from studio.nodes.parameters import AudienceName, PositiveDuration, TimeOfDay, refuse
from studio.nodes.turns import Turn, next_turn
from studio.nodes.zones import zones_of

_LATE = timedelta(hours=1)
"""Later than this a moment counts as missed."""
_LONGEST_SLEEP = timedelta(days=1)
"""After this long people are looked at again: somebody may have come who lives elsewhere."""


class ScheduleParameters(Parameters):
    """What `trigger.schedule` can be told."""

    every: Every = Field(default="once", title="How often", description="Once, or every day, week, month or year.")
    interval: Annotated[int, Field(ge=1, le=99)] = Field(
        default=1,
        title="Every how many",
        description="2 is every second day, week, month or year, counted from the first date.",
    )
    weekdays: tuple[Weekday, ...] = Field(
        default=(),
        title="On these weekdays",
        description="For day and week; for month and year with first to last. Empty: every day.",
    )
    which: Which = Field(
        default="date",
        title="Which day of the month",
        description="For month and year: a date, or the first to fourth or the last of the weekdays above, so the last "
        "of monday to friday is the last working day.",
    )
    day: Annotated[int, Field(ge=1, le=31)] = Field(
        default=1,
        title="Day of the month",
        description="For a date: the day; a month that has no such day takes its last one.",
    )
    months: tuple[Month, ...] = Field(
        default=(), title="In these months", description="Only then; empty: in every month. A year needs one or more."
    )
    at: TimeOfDay = Field(
        default="09:00", validate_default=True, title="At", description="The time of day, such as 09:00."
    )
    zone: Literal["workflow", "contact"] = Field(
        default="workflow",
        title="By whose clock",
        description="The workflow's time zone for all, or everybody's own; who has none follows the workflow's.",
    )
    first_date: date | None = Field(
        default=None, title="First date", description="Nothing starts before it (2026-11-27). Empty: the run's start."
    )
    last_date: date | None = Field(default=None, title="Last date", description="Nothing starts after it.")
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
        description="How long after the start of the run, or the first date, this step still starts people.",
    )
    audience: AudienceName = Field(default="everyone", title="Audience")

    @model_validator(mode="after")
    def _has_days(self) -> ScheduleParameters:
        if self.every == "week" and not self.weekdays:
            refuse("NODE-SCHEDULE", "A weekly start needs a weekday", "Name one or more, such as mon.")
        if self.every == "year" and not self.months:
            refuse("NODE-SCHEDULE", "A yearly start needs a month", "Name one or more, such as nov.")
        if self.first_date and self.last_date and self.last_date < self.first_date:
            refuse("NODE-SCHEDULE", "The last date lies before the first", "Swap them, or leave one empty.")
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
        if self.parameters.zone == "contact":
            return self._by_own_clocks(cursor, limit, context)
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

    def _by_own_clocks(self, cursor: str | None, limit: int, context: NodeContext) -> tuple[pl.DataFrame, str | None]:
        parameters = self.parameters
        audience = Audience(parameters.audience)
        turn = Turn(context.now) if cursor is None else Turn.read(cursor)
        if turn.at > context.now:
            return audience.nobody(), turn.text()
        start = self._local_start(context)
        if turn.after < 0:  # one look has one end, however long its pages take
            after = Look.read(turn.extra).upto if turn.extra else start.begin - TICK
            look = Look(after, min(turn.at if parameters.missed == "all" else context.now, start.end))
        else:
            look = Look.read(turn.extra)
        ids, last = audience.ids(turn.after, limit, context)
        zones = zones_of(ids.cast(pl.UInt32).to_frame("contact_id"), context)
        hit, following = start.starting(zones, look)
        moments = (look.following, following, start.following(context.settings.zone, look))
        look = replace(look, following=min((m for m in moments if m is not None), default=None))
        entries = entries_of(ids.filter(hit)).with_columns(pl.lit(turn.number, pl.UInt32).alias("occurrence"))
        if last is not None:
            return entries, replace(turn, after=last, extra=look.text()).text()
        if look.following is None:
            return entries, None
        return entries, next_turn(turn, min(look.following, look.upto + _LONGEST_SLEEP), look.text())

    def _local_start(self, context: NodeContext) -> LocalStart:
        parameters = self.parameters
        return LocalStart(
            cadence=lambda zone: self._cadence(zone, context),
            begin=context.started_at,
            end=self._end(context),
            times=1 if parameters.every == "once" else parameters.times,
            oldest=context.now - _LATE if parameters.missed == "skip" else None,
        )

    def _is_past(self, turn: Turn, context: NodeContext) -> bool:
        return self.parameters.missed == "skip" and context.now - turn.at > _LATE

    def _skipped(self, turn: Turn, context: NodeContext) -> str | None:
        if turn.at > context.now:
            return turn.text()
        moment = self._next(context.now, context)
        return None if moment is None else Turn(moment, number=turn.number).text()

    def _next(self, start: datetime, context: NodeContext) -> datetime | None:
        cadence = self._cadence(context.settings.zone, context)
        return cadence.next(start, self._end(context))

    def _end(self, context: NodeContext) -> datetime:
        first = self.parameters.first_date
        begin = context.started_at
        if first is not None:  # a date far off shall not lie behind the end
            begin = max(begin, datetime.combine(first, time(), ZoneInfo(context.settings.zone)))
        return begin + self.parameters.watch_for

    def _cadence(self, zone: str, context: NodeContext) -> Cadence:
        parameters = self.parameters
        began = context.started_at.astimezone(ZoneInfo(context.settings.zone)).date()
        return Cadence(
            parameters.every,
            parameters.at,
            zone,
            parameters.weekdays,
            parameters.day,
            frozenset(parameters.skip_dates),
            parameters.which,
            parameters.months,
            parameters.interval,
            parameters.first_date or (began if parameters.interval > 1 else None),
            parameters.last_date,
        )
