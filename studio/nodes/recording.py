"""Contact events that nodes record. The engine fills in their ids and the run."""

from __future__ import annotations

import polars as pl

from studio.domain.node import NodeContext
from studio.frames.events import AT, as_events


def contact_events(
    batch: pl.DataFrame, kind: str, context: NodeContext, *, properties: pl.DataFrame | None = None
) -> pl.DataFrame:
    """One event of the kind per instance, now, with its key and arms (EVENT_SCHEMA).

    Args:
        batch: the instances.
        kind: one of `frames.events.RUN_KINDS`.
        context: for time and node.
        properties: columns that become the JSON of `properties`, row for row; never person data.
    """
    frame = batch.select("contact_id", "key", "arms", "instance_id").with_columns(
        pl.lit(kind).alias("kind"),
        pl.lit(context.now, dtype=AT).alias("occurred_at"),
        pl.lit(context.node_id).alias("node_id"),
    )
    if properties is not None:
        assert properties.height == batch.height, "properties go row for row with the batch"
        encoded = properties.select(pl.struct(pl.all()).struct.json_encode().alias("properties"))
        frame = frame.with_columns(encoded.to_series())
    return as_events(frame)
