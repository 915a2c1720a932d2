"""An adaptive experiment's people as waves: who was drawn under which shares, out of the exposures that logged them.

Absent on purpose: statistics (`experiments.adaptive`).
"""

from __future__ import annotations

import json
from datetime import datetime

import polars as pl

from studio.experiments.bandit import Wave
from studio.experiments.moments import Proportion
from studio.frames.instances import arm_of


def waves_of(
    exposures: pl.DataFrame, converted: pl.DataFrame, node_id: str, *, until: datetime | None = None
) -> list[tuple[datetime, Wave]]:
    """Waves in order of time, each with the moment of its last exposure; a person counts where he was exposed first.

    Args:
        exposures: as `Facts.exposures` gives them.
        converted: `contact_id, variant`: who converted in which variant.
        until: only people exposed by then.
    """
    known = exposures if until is None else exposures.filter(pl.col("occurred_at") <= until)
    people = (
        known.with_columns(arm_of(node_id).alias("variant"), _shares().alias("shares"))
        .drop_nulls(["variant", "shares"])
        .unique("contact_id", keep="first", maintain_order=True)
        .with_columns(pl.col("shares").rle_id().alias("wave"))
        .join(
            converted.select("contact_id", "variant", pl.lit(value=True).alias("hit")),
            on=["contact_id", "variant"],
            how="left",
        )
    )
    counts = people.group_by("wave", "shares", "variant").agg(
        pl.len().alias("n"), pl.col("hit").fill_null(value=False).sum().alias("hits"), pl.col("occurred_at").max()
    )
    waves: dict[int, tuple[datetime, Wave]] = {}
    for wave, shares, variant, n, hits, at in counts.sort("wave", "variant").iter_rows():
        last, found = waves.get(wave, (at, Wave(json.loads(shares), {})))
        waves[wave] = (max(last, at), Wave(found.shares, {**found.arms, variant: Proportion(n, hits)}))
    return [waves[number] for number in sorted(waves)]


def _shares() -> pl.Expr:
    return pl.col("properties").str.json_path_match("$.shares")
