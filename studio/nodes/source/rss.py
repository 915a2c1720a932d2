"""`source.rss`: an issue made of what a feed has brought since the last one, at a fixed time, for an audience.

The articles travel as the list `var.items` (`title`, `url`, `summary`) and the first title as `var.headline`.
Absent on purpose: fetching (the port `Feeds`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import BaseModel, Field, model_validator

from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.domain.reading import Article
from studio.nodes.audience_of import Audience
from studio.nodes.cadence import Cadence, Weekday
from studio.nodes.feeds_of import feeds_of
from studio.nodes.parameters import AudienceName, PositiveDuration, TimeOfDay, refuse
from studio.nodes.turns import Turn, next_turn

_SEEN_MAX = 500


class RssParameters(Parameters):
    """What `source.rss` can be told."""

    feed: Annotated[str, Field(min_length=1, max_length=1_000)] = Field(
        title="Feed",
        description="The web address of an RSS or Atom feed, or a saved one.",
        json_schema_extra={"widget": "file"},
    )
    every: Literal["once", "day", "week", "month"] = Field(
        default="week", title="How often", description="Once, or every day, week or month."
    )
    weekdays: tuple[Weekday, ...] = Field(
        default=("thu",), title="On these weekdays", description="mon, tue, wed, thu, fri, sat, sun. Empty: every day."
    )
    day: Annotated[int, Field(ge=1, le=31)] = Field(
        default=1, title="Day of the month", description="For month: the day; a shorter month takes its last one."
    )
    at: TimeOfDay = Field(
        default="10:00",
        validate_default=True,
        title="At",
        description="The time of day in the time zone of the workflow.",
    )
    items: Annotated[int, Field(ge=1, le=20)] = Field(
        default=5, title="Articles", description="At most so many articles in one issue, the newest first."
    )
    at_least: Annotated[int, Field(ge=1, le=20)] = Field(
        default=1, title="At least", description="With fewer new articles than this the issue is left out."
    )
    watch_for: PositiveDuration = Field(
        default="P90D",
        validate_default=True,
        title="Keep going for",
        description="How long after the start of the run issues still go out.",
    )
    audience: AudienceName = Field(default="everyone", title="Readers")

    @model_validator(mode="after")
    def _has_days(self) -> RssParameters:
        if self.every == "week" and not self.weekdays:
            refuse("NODE-SCHEDULE", "A weekly issue needs a weekday", "Name one or more, such as thu.")
        return self


class Rss:
    """Each issue is an occurrence of its own for every reader."""

    declaration: ClassVar[Declaration] = Declaration(
        id="source.rss",
        version=1,
        title="Articles of a feed",
        summary="Starts with your readers when a feed has news, at the time of your newsletter.",
        group="Start",
        icon="file-text",
        role="source",
        inputs=(),
        needs=("contacts",),
    )
    Parameters: ClassVar[type[BaseModel]] = RssParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, RssParameters)
        self.parameters = parameters

    def outputs(self) -> tuple[str, ...]:
        return ("out",)

    def due(self, cursor: str) -> datetime | None:
        """When the next issue is due."""
        return Turn.read(cursor).at

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:  # noqa: ARG002 - the protocol's shape
        return Outcome(out={"out": batch})

    async def produce(self, cursor: str | None, limit: int, context: NodeContext) -> tuple[pl.DataFrame, str | None]:
        """The next readers of the issue that is due. The feed is read once per issue; it travels in the cursor."""
        audience = Audience(self.parameters.audience)
        if cursor is None:
            first = self._next(context.started_at, context)
            return audience.nobody(), None if first is None else Turn(first, extra=_extra([], [])).text()
        turn = Turn.read(cursor)
        if turn.at > context.now:
            return audience.nobody(), turn.text()
        seen, issue = json.loads(turn.extra).values()
        if turn.after < 0:
            articles = await feeds_of(context).articles(self.parameters.feed, context.now, context.mode)
            issue = self._issue(articles, seen, turn, context)
        if len(issue) < self.parameters.at_least:
            return audience.nobody(), self._following(turn, seen, context)
        entries, last = audience.page(turn.after, limit, context)
        entries = entries.with_columns(
            pl.lit(turn.number, pl.UInt32).alias("occurrence"),
            pl.repeat(_items(issue), pl.len(), dtype=pl.String).alias("var.items"),
            pl.repeat(issue[0]["title"], pl.len(), dtype=pl.String).alias("var.headline"),
        )
        if last is not None:
            return entries, Turn(turn.at, last, turn.number, _extra(seen, issue)).text()
        return entries, self._following(turn, [*(article["id"] for article in issue), *seen], context)

    def _issue(
        self, articles: Sequence[Article], seen: Sequence[str], turn: Turn, context: NodeContext
    ) -> list[dict[str, str]]:
        """The newest articles not yet sent; the first issue looks back as far as to the issue before it would have."""
        back = {"day": 1, "week": 7, "month": 31, "once": 31}[self.parameters.every]
        start = context.now - timedelta(days=back) if turn.number == 0 else context.started_at
        fresh = [
            a
            for a in articles
            if a.id not in seen and (a.published_at is None or start <= a.published_at <= context.now)
        ]
        return [
            {"id": a.id, "title": a.title, "url": a.url, "summary": a.summary} for a in fresh[: self.parameters.items]
        ]

    def _following(self, turn: Turn, seen: Sequence[str], context: NodeContext) -> str | None:
        if self.parameters.every == "once":
            return None
        at = self._next(max(turn.at, context.now) + timedelta(microseconds=1), context)
        return next_turn(turn, at, _extra(seen[:_SEEN_MAX], []))

    def _next(self, start: datetime, context: NodeContext) -> datetime | None:
        parameters = self.parameters
        cadence = Cadence(
            parameters.every,
            parameters.at,
            context.settings.zone,
            parameters.weekdays if parameters.every in ("day", "week") else (),
            parameters.day,
        )
        return cadence.next(start, context.started_at + parameters.watch_for)


def _extra(seen: Sequence[str], issue: Sequence[dict[str, str]]) -> str:
    return json.dumps({"seen": list(seen), "issue": list(issue)})


def _items(issue: Sequence[dict[str, str]]) -> str:
    kept = [{name: article[name] for name in ("title", "url", "summary")} for article in issue]
    return json.dumps(kept, ensure_ascii=False)
