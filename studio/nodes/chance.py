"""Chance that is none: numbers drawn by hashing, the same for the same ids whatever the batching, order or machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
import polars as pl

from studio.domain.node import NodeContext
from studio.experiments.assignment import assign, hash64, stable_keys

Unit: TypeAlias = Literal["contact", "key", "account"]
"""What is drawn: a person, a cart or order, or everybody of one account (a field of contacts)."""
ACCOUNT = "account"


def unit_names(batch: pl.DataFrame, context: NodeContext, unit: Unit) -> pl.Series | None:
    """The key or account of each instance, null where it has none; None when contacts are the units."""
    if unit == "contact":
        return None
    if unit == "key":
        return batch.get_column("key")
    ids = batch.get_column("contact_id").unique()
    known = context.contacts.fields(ids, [ACCOUNT]).select("contact_id", pl.col(ACCOUNT).cast(pl.String))
    return batch.select("contact_id").join(known, on="contact_id", how="left", maintain_order="left")[ACCOUNT]


def uniform(context: NodeContext, what: str, ids: pl.Series) -> pl.Series:
    """One number in [0, 1) per id; it depends on the run's seed, the node and `what` is drawn."""
    salt = f"{context.seed}|{context.workflow_id}|{context.node_id}|{what}"
    # The upper 53 bits: as many as a float holds.
    drawn = (hash64(salt, ids.cast(pl.UInt64).to_numpy()) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return pl.Series("uniform", drawn)


def assigned(
    batch: pl.DataFrame, context: NodeContext, *, salt: str, unit: Unit, weights: Sequence[float]
) -> pl.Series:
    """The index of each instance's variant. It depends on the salt (empty: workflow and node) and the unit alone, never
    on the seed or the run: somebody who comes again gets the same. Without a key or an account the contact counts.
    """
    units = batch.get_column("contact_id").cast(pl.UInt64).to_numpy()
    names = unit_names(batch, context, unit)
    if names is not None and names.null_count() < names.len():
        hashed = stable_keys(names.fill_null("").to_list())
        units = np.where(names.is_null().to_numpy(), units, hashed)
    index = assign(salt or f"{context.workflow_id}/{context.node_id}", units, weights)
    return pl.Series("variant", index.astype(np.int64))
