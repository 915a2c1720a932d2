"""Contact events that nodes record. The engine fills in their ids and the run."""

from __future__ import annotations

import numpy as np
import polars as pl

from studio.domain.node import NodeContext
from studio.experiments.assignment import hash64, stable_keys
from studio.frames.events import AT, as_events


def exposures(
    batch: pl.DataFrame,
    arms: pl.Series,
    context: NodeContext,
    *,
    by_key: bool = False,
    properties: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """One `exposed` event per contact and arm (`by_key`: per contact, key and arm): a digest of these is its id.

    The engine records the first of an id only, so that who comes again is not met twice; who meets another arm, because
    weights were changed meanwhile, is told again.
    """
    ids = batch.get_column("contact_id").cast(pl.UInt64).to_numpy()
    if by_key:
        keys = batch.get_column("key")
        hashed = hash64("key", stable_keys(keys.fill_null("").to_list()))
        ids = np.where(keys.is_null().to_numpy(), ids, hash64("contact", ids) ^ hashed)
    met = hash64("arm", stable_keys(arms.unique(maintain_order=True).to_list()))
    arm = arms.replace_strict(arms.unique(maintain_order=True), pl.Series(met), return_dtype=pl.UInt64).to_numpy()
    digests = hash64(f"{context.run_id}|{context.node_id}|exposed", ids) ^ arm
    events = contact_events(batch, "exposed", context, properties=properties)
    return events.with_columns(pl.Series("event_id", digests, dtype=pl.UInt64))


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
