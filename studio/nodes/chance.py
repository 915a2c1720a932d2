"""Chance that is none: numbers drawn by hashing, the same for the same ids whatever the batching, order or machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import polars as pl

from studio.domain.node import NodeContext
from studio.experiments.assignment import assign, hash64, stable_keys


def uniform(context: NodeContext, what: str, ids: pl.Series) -> pl.Series:
    """One number in [0, 1) per id; it depends on the run's seed, the node and `what` is drawn."""
    salt = f"{context.seed}|{context.workflow_id}|{context.node_id}|{what}"
    # The upper 53 bits: as many as a float holds.
    drawn = (hash64(salt, ids.cast(pl.UInt64).to_numpy()) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return pl.Series("uniform", drawn)


def assigned(
    batch: pl.DataFrame, context: NodeContext, *, salt: str, unit: Literal["contact", "key"], weights: Sequence[float]
) -> pl.Series:
    """The index of each instance's variant. It depends on the salt (empty: workflow and node) and the unit alone, never
    on the seed or the run: somebody who comes again gets the same. Without a key the contact counts.
    """
    units = batch.get_column("contact_id").cast(pl.UInt64).to_numpy()
    keys = batch.get_column("key")
    if unit == "key" and keys.null_count() < keys.len():
        hashed = stable_keys(keys.fill_null("").to_list())
        units = np.where(keys.is_null().to_numpy(), units, hashed)
    index = assign(salt or f"{context.workflow_id}/{context.node_id}", units, weights)
    return pl.Series("variant", index.astype(np.int64))
