"""Shares that follow what a run has learnt: read from the run's own events, so that replay and resume divide alike.

Absent on purpose: judging the result; `experiments.adaptive` does, from the shares logged with each exposure.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal

import polars as pl

from studio.domain.node import NodeContext
from studio.experiments.bandit import shares
from studio.experiments.moments import Proportion
from studio.frames.instances import arm_of


def learnt_shares(context: NodeContext, variants: Sequence[str], floor: float) -> dict[str, float]:
    """The shares for people who come now: whole hundredths that sum to 1, equal ones while little is known.

    O(exposures and conversions of the run).
    """
    events = context.events.rows(("exposed", "converted"), since=context.started_at, run_id=context.run_id)
    known = events.with_columns(arm_of(context.node_id).alias("variant")).drop_nulls("variant")
    counts = known.group_by("variant").agg(
        pl.col("contact_id").filter(pl.col("kind") == "exposed").n_unique().alias("n"),
        pl.col("contact_id").filter(pl.col("kind") == "converted").n_unique().alias("hits"),
    )
    found = {variant: Proportion(max(n, hits), hits) for variant, n, hits in counts.iter_rows()}
    arms = {variant: found.get(variant, Proportion(0, 0)) for variant in variants}
    return _rounded(shares(arms, floor=min(floor, 0.9 / len(variants))))


def _rounded(exact: dict[str, float]) -> dict[str, float]:
    """Hundredths, so that people of one wave are many enough to be compared; the largest share takes the rest."""
    whole = {name: round(100 * share) for name, share in exact.items()}
    largest = max(whole, key=lambda name: whole[name])
    whole[largest] += 100 - sum(whole.values())
    return {name: count / 100 for name, count in whole.items()}


def met_before(batch: pl.DataFrame, context: NodeContext, unit: Literal["contact", "key"]) -> pl.Series:
    """The variant that each instance's contact or key met first in this run; null for who is new."""
    ids = batch.get_column("contact_id")
    events = context.events.rows(("exposed",), since=context.started_at, ids=ids, run_id=context.run_id)
    on = ["contact_id"] if unit == "contact" else ["contact_id", "key"]
    first = (
        events.filter(pl.col("node_id") == context.node_id)
        .sort("occurred_at")
        .with_columns(arm_of(context.node_id).alias("met"))
        .group_by(on, maintain_order=True)
        .agg(pl.col("met").first())
    )
    return batch.select(on).join(first, on=on, how="left", maintain_order="left", nulls_equal=True).get_column("met")


def logged_shares(now: dict[str, float], names: pl.Series) -> pl.DataFrame:
    """The properties of an exposure: `shares` as JSON text, and the `propensity` of the variant that was drawn."""
    return pl.DataFrame(
        {
            "shares": pl.Series([json.dumps(now, sort_keys=True)] * len(names), dtype=pl.String),
            "propensity": names.replace_strict(now, return_dtype=pl.Float64),
        }
    )
