"""`trigger.date`: starts at, before or after a date that a contact has, such as a birthday or a renewal.

Absent on purpose: dates of events (a booking's arrival); let the event start the workflow and wait until its date.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import BaseModel, Field

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.frames.events import AT
from studio.nodes.audience_of import Audience
from studio.nodes.dates import DatedRule, as_dates, occurrences
from studio.nodes.parameters import AudienceName, PositiveDuration, TimeOfDay
from studio.nodes.turns import Turn
from studio.nodes.zones import zones_of

_LONGEST_SLEEP = timedelta(days=1)
"""After this long people are looked at again whatever dates are known: new ones may have come."""


class DateParameters(Parameters):
    """What `trigger.date` can be told."""

    field: Annotated[str, Field(min_length=1, max_length=100)] = Field(
        title="Date", description="The contact field that holds the date, such as birthday; written 1990-05-17."
    )
    offset_days: Annotated[int, Field(ge=-365, le=3_650)] = Field(
        default=0,
        title="Days before or after",
        description="-7 starts a week before the date, 7 a week after it.",
        json_schema_extra={"unit": "days"},
    )
    at: TimeOfDay = Field(
        default="09:00",
        validate_default=True,
        title="At",
        description="The time of day where the contact lives; where that is unknown, of the workflow.",
    )
    yearly: bool = Field(
        default=False, title="Every year", description="Whether the day counts in every year, like a birthday."
    )
    leap_day: Literal["28_feb", "1_mar"] = Field(
        default="28_feb",
        title="Leap day",
        description="When a yearly 29 February is kept in other years.",
        json_schema_extra={"words": {"28_feb": "28 February", "1_mar": "1 March"}},
    )
    watch_for: PositiveDuration = Field(
        default="P365D",
        validate_default=True,
        title="Keep going for",
        description="How long after the start of the run dates still start people.",
    )
    audience: AudienceName = Field(default="everyone", title="Among")


class Date:
    """Looks at everybody's date, sleeps until the next one, and starts whose moment has come since the last look."""

    declaration: ClassVar[Declaration] = Declaration(
        id="trigger.date",
        version=1,
        title="On a date",
        summary="Starts before, on or after a date of the contact, such as a birthday.",
        group="Start",
        icon="gift",
        role="source",
        inputs=(),
        needs=("contacts",),
    )
    Parameters: ClassVar[type[BaseModel]] = DateParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, DateParameters)
        self.parameters = parameters
        self._rule = DatedRule(
            offset=timedelta(days=parameters.offset_days),
            at=parameters.at,
            is_yearly=parameters.yearly,
            is_leap_day_early=parameters.leap_day == "28_feb",
        )

    def outputs(self) -> tuple[str, ...]:
        return ("out",)

    def due(self, cursor: str) -> datetime | None:
        """When the next date comes, or new people are looked for."""
        return Turn.read(cursor).at

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:  # noqa: ARG002 - the protocol's shape
        return Outcome(out={"out": batch})

    async def produce(self, cursor: str | None, limit: int, context: NodeContext) -> tuple[pl.DataFrame, str | None]:
        """Whose moment lies after the last look and up to now, among the next `limit` contacts. `key`: the date."""
        turn = Turn(context.now, extra=f"{context.started_at.isoformat()}|") if cursor is None else Turn.read(cursor)
        looked, following, begun = (
            datetime.fromisoformat(text) if text else None for text in f"{turn.extra}|".split("|")[:3]
        )
        assert looked is not None, "the first look begins with the run"
        end = context.started_at + self.parameters.watch_for
        # One look has one end, however long its pages take: the next look begins there.
        now = min(begun or context.now, end)
        ids, last = Audience(self.parameters.audience).ids(turn.after, limit, context)
        entries, nearest = self._entering(ids, looked, now, context)
        following = min((moment for moment in (following, nearest) if moment is not None), default=None)
        if last is not None:
            extra = f"{looked.isoformat()}|{following.isoformat() if following else ''}|{now.isoformat()}"
            return entries, Turn(turn.at, last, turn.number, extra).text()
        if now >= end:
            return entries, None
        at = min(following or end, now + _LONGEST_SLEEP, end)
        return entries, Turn(at, number=turn.number + 1, extra=f"{now.isoformat()}|").text()

    def _entering(
        self, ids: pl.Series, after: datetime, now: datetime, context: NodeContext
    ) -> tuple[pl.DataFrame, datetime | None]:
        known = context.contacts.fields(ids, (self.parameters.field,))
        dated = known.select("contact_id", as_dates(pl.col(self.parameters.field)).alias("date"))
        dated = dated.filter(pl.col("date").is_not_null())
        dated = dated.with_columns(zones_of(dated, context).alias("zone"))
        found = occurrences(dated, self._rule, after, now)
        hit = found.filter(pl.col("moment").is_not_null()).select(
            "contact_id", pl.col("moment").dt.strftime("%Y-%m-%d").alias("key"), pl.col("moment").alias("entered_at")
        )
        following = found.get_column("following").min()
        assert following is None or isinstance(following, datetime), "moments are moments"
        return hit.cast({"entered_at": AT}), following
