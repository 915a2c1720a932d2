"""`trigger.segment`: starts when somebody begins, or ceases, to fit a rule.

The rule is asked of everybody at intervals; who fitted last time travels in the cursor, as a compressed set of contact
numbers. Absent on purpose: noticing a change the moment it happens; events do that (`trigger.event`).
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import BaseModel, Field
from pyroaring import BitMap

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.nodes.audience_of import Audience, entries_of
from studio.nodes.parameters import AudienceName, ContactRule, PositiveDuration
from studio.nodes.reentry import admitted, re_entry_of
from studio.nodes.rules import Rules
from studio.nodes.turns import Turn, next_turn


class SegmentParameters(Parameters):
    """What `trigger.segment` can be told."""

    rule: ContactRule = Field(
        title="Segment", description='Who belongs to it, such as days_since("order") >= 90. Unknown is no.'
    )
    on: Literal["enter", "leave"] = Field(
        default="enter",
        title="Start when",
        description="Somebody begins or ceases to fit the rule.",
        json_schema_extra={"words": {"enter": "Somebody comes in", "leave": "Somebody leaves"}},
    )
    existing: bool = Field(
        default=True,
        title="Those in it already",
        description="Whether who fits the rule when the run begins starts at once.",
    )
    check_every: PositiveDuration = Field(
        default="P1D",
        validate_default=True,
        title="Look every",
        description="How often everybody is looked at, such as P1D or PT6H.",
    )
    watch_for: PositiveDuration = Field(
        default="P90D",
        validate_default=True,
        title="Keep looking for",
        description="How long after the start of the run people still come in.",
    )
    re_entry: Literal["never", "every_time", "after_days"] = Field(
        default="never",
        title="Starting again",
        description="Whether a contact may start again.",
        json_schema_extra={
            "words": {"never": "Never", "every_time": "Every time", "after_days": "Some days after the last start"}
        },
    )
    re_entry_days: Annotated[int, Field(ge=1, le=3_650)] = Field(
        default=30,
        title="Start again after",
        description="Where some days have to pass: so many between two starts of the same contact.",
        json_schema_extra={"unit": "days"},
    )
    audience: AudienceName = Field(default="everyone", title="Among")


class Segment:
    """Compares who fits the rule now with who did at the last look."""

    declaration: ClassVar[Declaration] = Declaration(
        id="trigger.segment",
        version=1,
        title="When a segment changes",
        summary="Starts when somebody begins to fit a rule, or ceases to.",
        group="Start",
        icon="users",
        role="source",
        inputs=(),
        needs=("contacts", "events"),
    )
    Parameters: ClassVar[type[BaseModel]] = SegmentParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, SegmentParameters)
        self.parameters = parameters
        self._rules = Rules((parameters.rule,))

    def outputs(self) -> tuple[str, ...]:
        return ("out",)

    def due(self, cursor: str) -> datetime | None:
        """When everybody is looked at again."""
        return Turn.read(cursor).at

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:  # noqa: ARG002 - the protocol's shape
        return Outcome(out={"out": batch})

    async def produce(self, cursor: str | None, limit: int, context: NodeContext) -> tuple[pl.DataFrame, str | None]:
        """Who has changed sides among the next `limit` contacts; then when to look again."""
        turn = Turn(context.now, extra="|") if cursor is None else Turn.read(cursor)
        before, found = (_members(text) for text in turn.extra.split("|"))
        ids, last = Audience(self.parameters.audience).ids(turn.after, limit, context)
        fitting = ids.filter(self._holds(ids, context))
        found |= BitMap(fitting.to_list())
        entries = self._entering(ids, fitting, before, turn, context)
        if last is not None:
            return entries, Turn(turn.at, last, turn.number, f"{_text(before)}|{_text(found)}").text()
        again = turn.at + self.parameters.check_every
        is_over = again > context.started_at + self.parameters.watch_for
        # A look that comes late (the computer was off) is not made up for: the segment is as it is now.
        return entries, next_turn(turn, None if is_over else max(again, context.now), f"{_text(found)}|")

    def _holds(self, ids: pl.Series, context: NodeContext) -> pl.Series:
        frame = entries_of(ids)
        (holds,) = self._rules.hold(frame, context)
        return holds

    def _entering(
        self, ids: pl.Series, fitting: pl.Series, before: BitMap, turn: Turn, context: NodeContext
    ) -> pl.DataFrame:
        was = pl.Series([contact in before for contact in ids], dtype=pl.Boolean)
        now = ids.is_in(fitting.implode())
        changed = ids.filter(now & ~was) if self.parameters.on == "enter" else ids.filter(was & ~now)
        if turn.number == 0 and not (self.parameters.existing and self.parameters.on == "enter"):
            changed = changed.clear()
        moment = pl.lit(context.now, pl.Datetime("us", "UTC")).alias("entered_at")
        candidates = entries_of(changed).with_columns(moment)
        policy = re_entry_of(self.parameters, context)
        return admitted(candidates, policy, context).select("contact_id", "key", "occurrence")


def _members(text: str) -> BitMap:
    return BitMap.deserialize(base64.b64decode(text)) if text else BitMap()


def _text(members: BitMap) -> str:
    return base64.b64encode(members.serialize()).decode("ascii") if members else ""
