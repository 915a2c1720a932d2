"""Which events belong to which instances: joins on contact and key, within each instance's own span of time."""

from __future__ import annotations

import polars as pl

from studio.domain.node import NodeContext
from studio.frames.events import AT
from studio.frames.expression import event_property, number_of
from studio.nodes.rules import EventFilter

MATCH_SCHEMA: dict[str, pl.DataType] = {
    "instance_id": pl.UInt64(),
    "event_id": pl.UInt64(),
    "occurred_at": AT,
    "value": pl.Float64(),
    "currency": pl.String(),
}


class EventMatch:
    """What an event must be like to count for an instance."""

    def __init__(self, kind: str, rule: str, *, match_key: bool) -> None:
        self.kind = kind
        self.match_key = match_key
        self.filter = EventFilter(rule)


def matches(
    watched: pl.DataFrame, events: pl.DataFrame, wanted: EventMatch, context: NodeContext, *, value: str = "value"
) -> pl.DataFrame:
    """MATCH_SCHEMA, one row per instance and event that counts, in no order. O(rows of both and of the answer).

    Args:
        watched: `instance_id`, `contact_id`, `key`, `since`, `until`: events after `since`, up to and with `until`,
            count. What happened at the very moment of entry made the instance enter; it does not wait for that.
        events: EVENT_SCHEMA rows.
        wanted: kind, rule, and whether the key must be the same (an instance without a key then matches nothing).
        value: `value` for the event's own, or the name of a property that holds a number.
    """
    chosen = wanted.filter.keep(events.filter(pl.col("kind") == wanted.kind), context)
    worth = pl.col("value") if value == "value" else number_of(event_property(value))
    facts = chosen.select("event_id", "contact_id", "key", "occurred_at", worth.alias("value"), "currency")
    on = ["contact_id", "key"] if wanted.match_key else ["contact_id"]
    joined = watched.join(facts if wanted.match_key else facts.drop("key"), on=on, how="inner")
    inside = (pl.col("occurred_at") > pl.col("since")) & (pl.col("occurred_at") <= pl.col("until"))
    return joined.filter(inside).select(pl.col(name).cast(dtype) for name, dtype in MATCH_SCHEMA.items())


def none_matched() -> pl.DataFrame:
    """What a match that found nothing looks like, with `port`."""
    return pl.DataFrame(schema={**MATCH_SCHEMA, "port": pl.String()})
