"""The `Facts` port over a plain frame of events, recounted each time: the oracle of the real projections."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from studio.frames.events import with_detail


class PlainFacts:
    def __init__(self, events: pl.DataFrame) -> None:
        self.every = events

    def _rows(
        self, run_ids: Sequence[str] | None, kinds: Sequence[str] | None, nodes: Sequence[str] | None
    ) -> pl.DataFrame:
        rows = self.every
        for column, wanted in (("run_id", run_ids), ("kind", kinds), ("node_id", nodes)):
            if wanted is not None:
                rows = rows.filter(pl.col(column).is_in(list(wanted)))
        return rows

    def rollup(self, run_ids=None, kinds=None, node_ids=None) -> pl.DataFrame:
        keys = ["run_id", "node_id", "kind", "arms", pl.col("occurred_at").dt.truncate("1h").alias("hour")]
        rows = self._rows(run_ids, kinds, node_ids)
        return rows.group_by(*keys).agg(pl.len().cast(pl.Int64).alias("count"), pl.col("value").fill_null(0).sum())

    def sums(self, by, run_ids=None, kinds=None, node_ids=None, *, since=None, until=None) -> pl.DataFrame:
        rows = with_detail(self._rows(run_ids, kinds, node_ids)).with_columns(
            pl.col(pl.String).fill_null(""), hour=pl.col("occurred_at").dt.truncate("1h")
        )
        if since is not None:
            rows = rows.filter(pl.col("hour") >= since)
        if until is not None:
            rows = rows.filter(pl.col("hour") < until)
        sums = (pl.len().cast(pl.Int64).alias("count"), pl.col("value").fill_null(0).sum())
        return rows.group_by(by).agg(*sums).sort(by) if by else rows.select(*sums)

    def events(self, columns, kinds, run_id=None, *, since=None, until=None) -> pl.LazyFrame:
        rows = self._rows(None if run_id is None else [run_id], kinds, None)
        if since is not None:
            rows = rows.filter(pl.col("occurred_at") >= since)
        if until is not None:
            rows = rows.filter(pl.col("occurred_at") <= until)
        return rows.select(*columns).lazy()

    def people(self, run_id, kinds=None, by=("kind",), node_ids=None) -> dict[tuple[str, ...], set[int]]:
        rows = with_detail(self._rows(None if run_id is None else [run_id], kinds, node_ids))
        groups = rows.with_columns(pl.col(pl.String).fill_null("")).group_by(*by).agg(pl.col("contact_id").unique())
        return {tuple(row[:-1]): set(row[-1]) for row in groups.iter_rows()}

    def records(self, run_id: str, kind: str, node_id: str | None = None) -> pl.DataFrame:
        rows = self._rows([run_id], [kind], [node_id] if node_id else None).sort("occurred_at", "contact_id")
        return rows.select("contact_id", "key", "arms", "occurred_at", "value", "properties")

    def contact_values(self, run_id: str, kind: str, node_id: str | None = None) -> pl.DataFrame:
        rows = self._rows([run_id], [kind], [node_id] if node_id else None)
        return rows.group_by("contact_id", "arms").agg(
            pl.len().alias("count"), pl.col("value").fill_null(0).sum(), pl.col("occurred_at").min().alias("first_at")
        )
