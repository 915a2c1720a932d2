"""Shares that follow what a run has learnt: read from the run's own events, so that replay and resume divide alike.

Absent on purpose: judging the result; `experiments.adaptive` does, from the shares logged with each exposure.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import polars as pl

from studio.domain.node import NodeContext
from studio.experiments.bandit import shares
from studio.experiments.moments import Proportion
from studio.frames.instances import arm_of
from studio.nodes.chance import Unit, unit_names


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


def met_before(batch: pl.DataFrame, context: NodeContext, unit: Unit) -> pl.Series:
    """The variant that each instance's contact, key or account met first in this run; null for who is new."""
    events = context.events.rows(("exposed",), since=context.started_at, run_id=context.run_id)
    events = events.filter(pl.col("node_id") == context.node_id).sort("occurred_at")
    met = events.select(_unit(events, context, unit), arm_of(context.node_id).alias("met"))
    first = met.group_by("unit", maintain_order=True).agg(pl.col("met").first())
    now = batch.select(_unit(batch, context, unit))
    return now.join(first, on="unit", how="left", maintain_order="left").get_column("met")


def _unit(rows: pl.DataFrame, context: NodeContext, unit: Unit) -> pl.Series:
    contacts = rows.get_column("contact_id").cast(pl.String).alias("unit")
    names = unit_names(rows, context, unit)
    # A contact without a key or an account is a unit of its own, whatever keys look like.
    return contacts if names is None else ("name:" + names).fill_null(contacts).alias("unit")


def logged_shares(now: dict[str, float], names: pl.Series) -> pl.DataFrame:
    """The properties of an exposure: `shares` as JSON text, and the `propensity` of the variant that was drawn."""
    return pl.DataFrame(
        {
            "shares": pl.Series([json.dumps(now, sort_keys=True)] * len(names), dtype=pl.String),
            "propensity": names.replace_strict(now, return_dtype=pl.Float64),
        }
    )
