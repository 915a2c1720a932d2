"""The `Facts` port over a plain frame of events, recounted each time: the oracle of the real projections."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl


class PlainFacts:
    def __init__(self, events: pl.DataFrame) -> None:
        self.events = events

    def _rows(
        self, run_ids: Sequence[str] | None, kinds: Sequence[str] | None, nodes: Sequence[str] | None
    ) -> pl.DataFrame:
        rows = self.events
        for column, wanted in (("run_id", run_ids), ("kind", kinds), ("node_id", nodes)):
            if wanted is not None:
                rows = rows.filter(pl.col(column).is_in(list(wanted)))
        return rows

    def rollup(self, run_ids=None, kinds=None, node_ids=None) -> pl.DataFrame:
        keys = ["run_id", "node_id", "kind", "arms", pl.col("occurred_at").dt.truncate("1h").alias("hour")]
        rows = self._rows(run_ids, kinds, node_ids)
        return rows.group_by(*keys).agg(pl.len().cast(pl.Int64).alias("count"), pl.col("value").fill_null(0).sum())

    def people(self, run_id, kinds=None, by=("kind",), node_ids=None) -> dict[tuple[str, ...], set[int]]:
        rows = self._rows([run_id], kinds, node_ids)
        groups = rows.with_columns(pl.col("arms").fill_null("")).group_by(*by).agg(pl.col("contact_id").unique())
        return {tuple(row[:-1]): set(row[-1]) for row in groups.iter_rows()}

    def contact_values(self, run_id: str, kind: str, node_id: str | None = None) -> pl.DataFrame:
        rows = self._rows([run_id], [kind], [node_id] if node_id else None)
        return rows.group_by("contact_id", "arms").agg(
            pl.len().alias("count"), pl.col("value").fill_null(0).sum(), pl.col("occurred_at").min().alias("first_at")
        )
