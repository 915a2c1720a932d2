"""The answer to a question: one number, and a row per group where one was asked for.

Counts and money come from rollups; different people from sets, or, within a span of time, from the raw events. Absent
on purpose: understanding the question (`question`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

from studio.analytics.facts import Design, Facts, is_treated, variant_of
from studio.analytics.question import By, Query
from studio.frames.events import with_detail

GROUPS_MAX = 500
_COLUMN: dict[By, str] = {
    "hour": "hour",
    "day": "hour",
    "week": "hour",
    "step": "node_id",
    "variant": "arms",
    "link": "detail",
    "reason": "detail",
    "actor": "actor",
}
_EVERY = {"hour": "1h", "day": "1d", "week": "1w"}


@dataclass(frozen=True, slots=True)
class Answer:
    """`number` answers without groups; `rows` are (group, value), in time's order or largest first. A rate's `number`
    and rows are fractions, None where nobody was there to divide by. `chart` says how it is best drawn.
    """

    query: Query
    number: float | None
    unit: Literal["count", "money", "rate"]
    rows: tuple[tuple[str, float | None], ...]
    chart: Literal["number", "line", "bars"]
    currency: str


def answer(facts: Facts, run_id: str, design: Design, query: Query) -> Answer:
    """The answer about one run."""
    metric = query.metric
    if metric.figure == "rate":
        assert metric.of is not None
        upper, lower = (_people(facts, run_id, design, query, kind) for kind in (metric.kind, metric.of))
        rows = {group: _share(upper.get(group, 0.0), base) for group, base in lower.items()}
        whole = [
            _people(facts, run_id, design, query, kind, whole=True).get("", 0.0) for kind in (metric.kind, metric.of)
        ]
        number = _share(*whole)
    else:
        counted = _people if metric.figure == "people" else _sums
        found = counted(facts, run_id, design, query, metric.kind)
        rows = dict(found)
        number = counted(facts, run_id, design, query, metric.kind, whole=True).get("", 0.0)
    is_time = query.by in _EVERY
    ordered = sorted(rows.items()) if is_time else sorted(rows.items(), key=lambda row: (-(row[1] or 0.0), row[0]))
    named = tuple((_named(group, query.by, design), value) for group, value in ordered[:GROUPS_MAX])
    return Answer(
        query=query,
        number=number,
        unit="rate" if metric.figure == "rate" else "money" if metric.figure == "value" else "count",
        rows=named if query.by else (),
        chart="number" if query.by is None else "line" if is_time else "bars",
        currency=design.currency,
    )


def _sums(
    facts: Facts, run_id: str, design: Design, query: Query, kind: str, *, whole: bool = False
) -> dict[str, float]:
    nodes = None if query.step is None else [query.step]
    span = {"since": query.since, "until": query.until}
    rows = facts.sums(("hour", "node_id", "arms", "actor", "detail"), [run_id], [kind], nodes, **span)
    rows = _chosen(rows, design, query, kind)
    column = "value" if query.metric.figure == "value" else "count"
    grouped = rows.group_by(_group(None if whole else query.by, design)).agg(pl.col(column).sum().alias("n"))
    return {str(group): float(n) for group, n in grouped.iter_rows()}


def _people(
    facts: Facts, run_id: str, design: Design, query: Query, kind: str, *, whole: bool = False
) -> dict[str, float]:
    columns = ("contact_id", "occurred_at", "kind", "node_id", "arms", "actor", "properties")
    found = facts.events(columns, [kind], run_id, since=query.since, until=query.until).collect()
    rows = with_detail(found).with_columns(
        pl.col("node_id", "arms", "actor").fill_null(""), pl.col("occurred_at").dt.truncate("1h").alias("hour")
    )
    if query.until is not None:
        rows = rows.filter(pl.col("occurred_at") < query.until)
    if query.step is not None:
        rows = rows.filter(pl.col("node_id") == query.step)
    rows = _chosen(rows, design, query, kind)
    grouped = rows.group_by(_group(None if whole else query.by, design)).agg(pl.col("contact_id").n_unique().alias("n"))
    return {str(group): float(n) for group, n in grouped.iter_rows()}


def _chosen(rows: pl.DataFrame, design: Design, query: Query, kind: str) -> pl.DataFrame:
    if kind == "converted":
        # Orders of people nothing was done for are no result of the run; every other figure leaves them out, too.
        rows = rows.filter(is_treated(design))
    if query.human is not None:
        rows = rows.filter((pl.col("actor") != "machine") if query.human else (pl.col("actor") == "machine"))
    if query.variant is not None:
        names = [arms for arms in rows.get_column("arms").unique() if _variant(design, arms) == query.variant]
        rows = rows.filter(pl.col("arms").is_in(names))
    return rows


def _group(by: By | None, design: Design) -> pl.Expr:
    if by is None:
        return pl.lit("").alias("group")
    if by in _EVERY:
        return (
            pl.col("hour")
            .dt.truncate(_EVERY[by])
            .dt.strftime("%Y-%m-%d %H:%M" if by == "hour" else "%Y-%m-%d")
            .alias("group")
        )
    if by == "variant":
        return pl.col("arms").map_elements(lambda arms: _variant(design, arms), return_dtype=pl.String).alias("group")
    return pl.col(_COLUMN[by]).alias("group")


def _variant(design: Design, arms: str) -> str:
    return (variant_of(design.splits[0], arms) or "") if design.splits else ""


def _named(group: str, by: By | None, design: Design) -> str:
    if by == "step":
        return design.labels.get(group, group)
    return group or {"variant": "not in the test", "link": "any link"}.get(by or "", "not said")


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
