"""A figure over time, and what links earned: out of rollups only.

Absent on purpose: distinct people per hour, which would need a set of people for every hour.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

import polars as pl

from studio.analytics.facts import Design, Facts, is_treated, variant_of

Every: TypeAlias = Literal["hour", "day", "week"]
Split: TypeAlias = Literal["node", "variant", "actor", "detail"]
_EVERY: dict[Every, str] = {"hour": "1h", "day": "1d", "week": "1w"}


def series(
    facts: Facts,
    kind: str,
    *,
    run_id: str | None = None,
    every: Every = "day",
    split: Split | None = None,
    design: Design | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> pl.DataFrame:
    """`at` (start of the period, UTC), `group` ("" without a split), `count`, `value`; every period there, ordered.

    `run_id` None: all runs and what came from outside. A split by variant needs the design of the run; with a design
    the orders (`converted`) of people who were not treated are left out.
    """
    column = {"node": "node_id", "variant": "arms", "actor": "actor", "detail": "detail", None: None}[split]
    by = tuple(dict.fromkeys(("hour", "arms", *([] if column is None else [column]))))
    runs = None if run_id is None else [run_id]
    rows = facts.sums(by, runs, [kind], since=since, until=until)  # type: ignore[arg-type]
    if kind == "converted" and design is not None:
        rows = rows.filter(is_treated(design))
    if rows.is_empty():
        return pl.DataFrame(
            schema={"at": rows.schema["hour"], "group": pl.String, "count": pl.Int64, "value": pl.Float64}
        )
    rows = rows.with_columns((pl.lit("") if column is None else pl.col(column)).alias("group"))
    if split == "variant":
        node = design.splits[0] if design is not None and design.splits else ""
        names = {arms: variant_of(node, arms) or "" for arms in rows.get_column("arms").unique()}
        rows = rows.with_columns(pl.col("arms").replace_strict(names, return_dtype=pl.String).alias("group"))
    rows = rows.group_by(pl.col("hour").dt.truncate(_EVERY[every]).alias("at"), "group").agg(
        pl.col("count").sum(), pl.col("value").sum()
    )
    return _every_period(rows, every)


def up_to(rows: pl.DataFrame, every: Every, until: datetime | None) -> pl.DataFrame:
    """A series of one group as it stood at a moment: the period it lies in is not over and left out; periods since the
    last event are zeros.
    """
    if until is None or rows.is_empty():
        return rows.head(0)
    first = rows.get_column("at")[0]
    now = pl.Series([until], dtype=rows.schema["at"]).dt.truncate(_EVERY[every])[0]
    moments = pl.datetime_range(first, now, _EVERY[every], closed="left", time_zone="UTC", eager=True).alias("at")
    filled = moments.to_frame().join(rows, on="at", how="left", maintain_order="left")
    return filled.with_columns(
        pl.col("group").fill_null(""), pl.col("count").fill_null(0), pl.col("value").fill_null(0.0)
    )


def by_link(facts: Facts, run_id: str | None, node_ids: list[str] | None = None) -> pl.DataFrame:
    """`node_id, link, clicks, people`; most clicks first. `link` is "" for clicks that name none."""
    runs = None if run_id is None else [run_id]
    counts = facts.sums(("node_id", "detail"), runs, ["clicked"], node_ids)
    groups = facts.people(run_id, ["clicked"], by=("node_id", "detail"), node_ids=node_ids)
    people = pl.DataFrame(
        [(*key, len(found)) for key, found in groups.items()],
        schema={"node_id": pl.String, "detail": pl.String, "people": pl.Int64},
        orient="row",
    )
    joined = counts.join(people, on=["node_id", "detail"], how="left")
    return joined.select("node_id", pl.col("detail").alias("link"), pl.col("count").alias("clicks"), "people").sort(
        "clicks", "node_id", "link", descending=[True, False, False]
    )


def _every_period(rows: pl.DataFrame, every: Every) -> pl.DataFrame:
    """Periods in which nothing happened are zeros, not gaps: a line drawn over a gap would lie."""
    first, last = rows.get_column("at").min(), rows.get_column("at").max()
    moments = pl.datetime_range(first, last, _EVERY[every], time_zone="UTC", eager=True).alias("at")  # pyright: ignore[reportArgumentType] - datetimes
    grid = moments.to_frame().join(rows.select("group").unique(), how="cross")
    filled = grid.join(rows, on=["at", "group"], how="left")
    return filled.with_columns(pl.col("count").fill_null(0), pl.col("value").fill_null(0.0)).sort("group", "at")
