"""A small world in memory for nodes: people, consents, suppressions and events, seen as they are at one moment."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import polars as pl

from studio.connectors.feeds import Feeds
from studio.connectors.message import build_message
from studio.domain.node import Mode, NodeContext, NodeType, Outcome, Sender, Waits
from studio.domain.reading import Article, Product
from studio.domain.workflow import Settings
from studio.frames.events import AT, EVENT_SCHEMA, as_events, empty_events
from studio.frames.instances import INSTANCE_SCHEMA, instance_ids
from studio.nodes import catalogue

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SENDER = Sender(
    address="shop@example.com",
    reply_to="help@example.com",
    postal_address="Example Ltd, 1 High Street, Springfield",
    unsubscribe_base_url="https://example.com/u",
)


@dataclass
class World:
    """`people`: `contact_id` and any fields; `consents`: `contact_id`, `topic`, `state`, `at`; `suppressions`:
    `contact_id`, `reason`, `at`; `events`: EVENT_SCHEMA.
    """

    people: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"contact_id": pl.UInt32}))
    consents: pl.DataFrame | None = None
    suppressions: pl.DataFrame | None = None
    events: pl.DataFrame = field(default_factory=empty_events)
    sources: dict[str, list[int]] = field(default_factory=dict)

    def context(self, now: datetime = NOW, **changes: object) -> NodeContext:
        given: dict[str, object] = {
            "run_id": "run-1",
            "workflow_id": "Spring Sale",
            "node_id": "node1",
            "node_label": "Node",
            "now": now,
            "started_at": now - timedelta(days=30),
            "until": None,
            "mode": "test",
            "seed": 7,
            "settings": Settings(),
            "contacts": PeopleAt(self, now),
            "events": EventsAt(self.events, now),
            "sender": SENDER,
            "build": build_message,
            "feeds": SimulatedFeeds(),
        }
        return NodeContext(**{**given, **changes})


class SimulatedFeeds(Feeds):
    """Feeds that are made up whatever the mode: nodes under test reach neither files nor the web."""

    async def articles(self, address: str, now: datetime, mode: Mode) -> Sequence[Article]:
        return await super().articles(address, now, "simulate")

    async def products(self, address: str, known: Sequence[str], now: datetime, mode: Mode) -> Sequence[Product]:
        return await super().products(address, known, now, "simulate")


@dataclass
class PeopleAt:
    """ContactView."""

    world: World
    now: datetime

    def ids(self, after: int, limit: int, source: str | None = None) -> pl.Series:
        ids = self.world.people.get_column("contact_id").sort()
        if source is not None:
            ids = ids.filter(ids.is_in(self.world.sources.get(source, [])))
        return ids.filter(ids.cast(pl.Int64) > after).head(limit)

    def names(self) -> tuple[str, ...]:
        builtin = ("key", "email", "name", "language", "zone")
        return (*builtin, *(n for n in self.world.people.columns if n not in (*builtin, "contact_id")))

    def fields(self, ids: pl.Series, names: Sequence[str]) -> pl.DataFrame:
        people = self.world.people
        missing = [pl.lit(None, pl.String).alias(name) for name in names if name not in people.columns]
        people = people.with_columns(missing).select("contact_id", *names)
        return ids.alias("contact_id").to_frame().join(people, on="contact_id", how="left", maintain_order="left")

    def few(self, ids, names):
        found = self.fields(pl.Series("contact_id", ids, dtype=pl.UInt32), names)
        return dict(found.schema), found.to_dicts()

    def consent(self, ids: pl.Series, channel: str, topic: str) -> pl.DataFrame:
        frame = ids.alias("contact_id").to_frame()
        if self.world.consents is None:
            return frame.with_columns(pl.lit("granted").alias("state"))
        last = (
            self.world.consents.filter((pl.col("at") <= self.now) & (pl.col("topic") == topic))
            .sort("at")
            .unique("contact_id", keep="last")
        )
        joined = frame.join(last.select("contact_id", "state"), on="contact_id", how="left", maintain_order="left")
        return joined.with_columns(pl.col("state").fill_null("none"))

    def suppressed(self, ids: pl.Series, channel: str, topic: str) -> pl.DataFrame:
        if self.world.suppressions is None:
            return pl.DataFrame(schema={"contact_id": pl.UInt32, "reason": pl.String})
        rows = self.world.suppressions.filter(pl.col("at") <= self.now)
        return rows.filter(pl.col("contact_id").is_in(ids.implode())).select("contact_id", "reason")


@dataclass
class EventsAt:
    """EventView."""

    events: pl.DataFrame
    now: datetime

    def _of(
        self, kinds: Sequence[str], since: datetime | None, ids: pl.Series | None, run_id: str | None
    ) -> pl.DataFrame:
        rows = self.events.filter(pl.col("kind").is_in(list(kinds)) & (pl.col("occurred_at") <= self.now))
        if since is not None:
            rows = rows.filter(pl.col("occurred_at") >= since)
        if ids is not None:
            rows = rows.filter(pl.col("contact_id").is_in(ids.implode()))
        return rows if run_id is None else rows.filter(pl.col("run_id") == run_id)

    def totals(
        self, kind: str, *, since: datetime | None = None, ids: pl.Series | None = None, run_id: str | None = None
    ) -> pl.DataFrame:
        return (
            self._of((kind,), since, ids, run_id)
            .group_by("contact_id")
            .agg(
                pl.len().cast(pl.UInt32).alias("count"),
                pl.col("occurred_at").min().alias("first_at"),
                pl.col("occurred_at").max().alias("last_at"),
                pl.col("value").sum().alias("value"),
            )
            .sort("contact_id")
        )

    def rows(
        self, kinds: Sequence[str], *, since: datetime, ids: pl.Series | None = None, run_id: str | None = None
    ) -> pl.DataFrame:
        return self._of(kinds, since, ids, run_id).sort("occurred_at", "event_id")

    def instances(self, kind: str, run_id: str) -> pl.Series:
        return self._of((kind,), None, None, run_id).get_column("instance_id").unique()

    def event_ids(self, kind: str, run_id: str) -> pl.Series:
        return self._of((kind,), None, None, run_id).get_column("event_id")


def people(count: int, **columns: Sequence[object]) -> pl.DataFrame:
    """`count` people 1 … with an address and a name, and more fields."""
    ids = range(1, count + 1)
    frame = pl.DataFrame(
        {"contact_id": ids, "email": [f"p{i}@example.com" for i in ids], "name": [f"Person {i}" for i in ids]},
        schema_overrides={"contact_id": pl.UInt32},
    )
    return frame.with_columns(pl.Series(name, values, strict=False) for name, values in columns.items())


def instances(
    contact_ids: Sequence[int],
    *,
    keys: Sequence[str | None] | None = None,
    entered_at: datetime = NOW,
    **columns: Sequence[object],
) -> pl.DataFrame:
    """One instance per contact id, entered at one moment; columns `var.x` are given as `x`."""
    frame = pl.DataFrame(
        {
            "contact_id": list(contact_ids),
            "key": list(keys) if keys is not None else [None] * len(contact_ids),
            "entered_at": [entered_at] * len(contact_ids),
            "arms": [""] * len(contact_ids),
        },
        schema={"contact_id": pl.UInt32, "key": pl.String, "entered_at": AT, "arms": pl.String},
    )
    frame = frame.with_columns(instance_ids("run-1", frame["contact_id"], frame["key"])).select(*INSTANCE_SCHEMA)
    return frame.with_columns(pl.Series(f"var.{name}", values) for name, values in columns.items())


def events(rows: Sequence[dict[str, object]]) -> pl.DataFrame:
    """EVENT_SCHEMA rows; ids count up where none is given."""
    full = [dict.fromkeys(EVENT_SCHEMA) | {"event_id": i + 1} | row for i, row in enumerate(rows)]
    return as_events(pl.DataFrame(full, schema=EVENT_SCHEMA)) if full else empty_events()


def ago(**parts: float) -> datetime:
    return NOW - timedelta(**parts)


def later(**parts: float) -> datetime:
    return NOW + timedelta(**parts)


def node(node_type: str, **parameters: object) -> NodeType:
    """A node of the catalogue, made as the engine makes it."""
    node_class = catalogue()[node_type]
    return node_class(node_class.Parameters.model_validate(parameters))


def ids(frame: pl.DataFrame | None) -> list[int]:
    """The contacts of a frame, in its order; empty for none."""
    return [] if frame is None else frame.get_column("contact_id").to_list()


def ran(made: NodeType, batch: pl.DataFrame, context: NodeContext) -> Outcome:
    """What the node does with a batch."""
    return asyncio.run(made.run(batch, context))


def resumed(made: NodeType, batch: pl.DataFrame, context: NodeContext) -> Outcome:
    """What a waiting node does with a batch that is due."""
    assert isinstance(made, Waits)
    return asyncio.run(made.resume(batch, context))
