"""`flow.time_window`: lets people on only on certain days and at certain hours, where they live.

Absent on purpose: a memory; who comes back too late to a window (the computer was off) waits for the next one.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, ClassVar, Literal
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import BaseModel, Field, model_validator

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.frames.events import AT
from studio.nodes.chance import uniform
from studio.nodes.parameters import Duration, TimeOfDay, refuse
from studio.nodes.zones import zones_of

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OUTSIDE = "outside"


class TimeWindowParameters(Parameters):
    """What `flow.time_window` can be told."""

    days: Annotated[tuple[Day, ...], Field(min_length=1, max_length=7)] = Field(
        default=DAYS,
        title="On",
        description="Days of the week on which the window opens.",
        json_schema_extra={"widget": "weekdays"},
    )
    start: TimeOfDay = Field(
        default="09:00",
        validate_default=True,
        title="From",
        description="When it opens, such as 09:00.",
    )
    end: TimeOfDay = Field(
        default="18:00",
        validate_default=True,
        title="Until",
        description="When it closes. Earlier than “From” means on the next day.",
    )
    zone: Literal["contact", "workflow"] = Field(
        default="contact",
        title="Whose clock",
        description="Where the contact lives (or, if unknown, the workflow's zone), or always the workflow's zone.",
    )
    otherwise: Literal["wait", "leave"] = Field(
        default="wait",
        title="Outside the window",
        description="Until it opens next; or go out through “outside the hours” at once.",
        json_schema_extra={"words": {"wait": "Wait", "leave": "Leave"}},
    )
    spread: Duration = Field(
        default="PT0S",
        validate_default=True,
        title="Spread over",
        description="Who had to wait goes on at random within this time after it opens, not all at one second.",
    )

    @model_validator(mode="after")
    def _opens(self) -> TimeWindowParameters:
        if self.start == self.end and len(set(self.days)) == len(DAYS):
            refuse("NODE-WINDOW", "This window is always open", "Choose days, or two different times.")
        return self


class TimeWindow:
    """Outputs: `out`; and `outside` when nobody is to wait."""

    declaration: ClassVar[Declaration] = Declaration(
        id="flow.time_window",
        version=1,
        title="Only at certain hours",
        summary="Lets people on only on chosen days and hours, in their own time zone.",
        group="Flow",
        icon="calendar",
        role="wait",
        needs=("contacts",),
    )
    Parameters: ClassVar[type[BaseModel]] = TimeWindowParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, TimeWindowParameters)
        self.parameters = parameters
        self._days = frozenset(DAYS.index(day) for day in parameters.days)

    def outputs(self) -> tuple[str, ...]:
        return ("out",) if self.parameters.otherwise == "wait" else ("out", OUTSIDE)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:
        nobody = batch.clear().with_columns(pl.lit(context.now, dtype=AT).alias("due_at"))
        if batch.is_empty():
            return Outcome(out=dict.fromkeys(self.outputs(), batch), wait=nobody)
        zones = zones_of(batch, context, own=self.parameters.zone == "contact")
        windows = {zone: next_window(zone, context.now, self._days, self.parameters) for zone in zones.unique()}
        opens = zones.replace_strict(list(windows), [w[0] for w in windows.values()], return_dtype=AT)
        is_open = opens <= context.now
        inside, others = batch.filter(is_open), batch.filter(~is_open)
        if self.parameters.otherwise == "leave":
            return Outcome(out={"out": inside, OUTSIDE: others}, wait=nobody)
        closes = zones.replace_strict(list(windows), [w[1] for w in windows.values()], return_dtype=AT)
        due = self._spread(others, opens.filter(~is_open), closes.filter(~is_open), context)
        return Outcome(out={"out": inside}, wait=others.with_columns(due.alias("due_at")))

    async def resume(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:
        """Who comes back outside of the window, because nothing ran when it was open, waits for the next one."""
        return await self.run(batch.drop("due_at", strict=False), context)

    def _spread(self, batch: pl.DataFrame, opens: pl.Series, closes: pl.Series, context: NodeContext) -> pl.Series:
        if not self.parameters.spread or batch.is_empty():
            return opens
        share = uniform(context, "spread", batch.get_column("instance_id"))
        frame = pl.DataFrame({"opens": opens, "closes": closes, "share": share})
        most = pl.min_horizontal(pl.lit(self.parameters.spread), pl.col("closes") - pl.col("opens"))
        micros = (most.dt.total_microseconds() * pl.col("share")).cast(pl.Int64)
        return frame.select((pl.col("opens") + micros.cast(pl.Duration("us"))).alias("due_at")).to_series()


def next_window(
    zone: str, now: datetime, days: frozenset[int], parameters: TimeWindowParameters
) -> tuple[datetime, datetime]:
    """The window that is open at a moment in a zone, or the next one: when it opens and closes, in UTC.

    A local time that a change of clocks skips counts as the moment an hour later. `days`: 0 is Monday.
    """
    info = ZoneInfo(zone)
    today = now.astimezone(info).date()
    for ahead in range(-1, 9):
        day = today + timedelta(days=ahead)
        if day.weekday() in days:
            opens, closes = _window(day, parameters.start, parameters.end, info)
            if now < closes:
                return opens, closes
    raise AssertionError("every week has such a day")


def _window(day: date, start: time, end: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    last = day if end > start else day + timedelta(days=1)
    return _moment(day, start, zone), _moment(last, end, zone)


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)
