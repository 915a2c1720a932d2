"""What nodes see of the event log: the store's view and, on top, what the run has recorded and not yet written.

Absent on purpose: events of others that are on their way; those are seen once they are in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import polars as pl

from studio.domain.reading import EventView

Unwritten = Callable[[Sequence[str]], pl.DataFrame]
"""Events (EVENT_SCHEMA) of some kinds that are not in the store yet, and will not come into it meanwhile."""


class CompleteView:
    """The port `EventView`, complete to the last draft."""

    def __init__(self, view: EventView, unwritten: Unwritten, now: datetime) -> None:
        self._view = view
        self._unwritten = unwritten
        self._now = now

    def totals(
        self, kind: str, *, since: datetime | None = None, ids: pl.Series | None = None, run_id: str | None = None
    ) -> pl.DataFrame:
        """See the port."""
        fresh = self._fresh((kind,), since, ids, run_id)
        written = self._view.totals(kind, since=since, ids=ids, run_id=run_id)
        if fresh.is_empty():
            return written
        counted = fresh.group_by("contact_id").agg(
            pl.len().cast(pl.UInt32).alias("count"),
            pl.col("occurred_at").min().alias("first_at"),
            pl.col("occurred_at").max().alias("last_at"),
            pl.col("value").sum(),
        )
        whole = pl.concat([written, counted.select(written.columns)], how="vertical_relaxed")
        return (
            whole.group_by("contact_id")
            .agg(pl.col("count").sum(), pl.col("first_at").min(), pl.col("last_at").max(), pl.col("value").sum())
            .sort("contact_id")
            .cast(dict(written.schema))  # pyright: ignore[reportArgumentType] - a schema is such a mapping
        )

    def rows(
        self, kinds: Sequence[str], *, since: datetime, ids: pl.Series | None = None, run_id: str | None = None
    ) -> pl.DataFrame:
        """See the port."""
        fresh = self._fresh(kinds, since, ids, run_id)
        written = self._view.rows(kinds, since=since, ids=ids, run_id=run_id)
        if fresh.is_empty():
            return written
        return pl.concat([written, fresh]).sort("occurred_at", "event_id")

    def instances(self, kind: str, run_id: str) -> pl.Series:
        """See the port."""
        fresh = self._fresh((kind,), None, None, run_id).get_column("instance_id").drop_nulls()
        written = self._view.instances(kind, run_id)
        return pl.concat([written, fresh]).unique() if fresh.len() else written

    def event_ids(self, kind: str, run_id: str) -> pl.Series:
        """See the port."""
        fresh = self._fresh((kind,), None, None, run_id).get_column("event_id")
        written = self._view.event_ids(kind, run_id)
        return pl.concat([written, fresh]) if fresh.len() else written

    def _fresh(
        self, kinds: Sequence[str], since: datetime | None, ids: pl.Series | None, run_id: str | None
    ) -> pl.DataFrame:
        fresh = self._unwritten(kinds)
        if fresh.is_empty():
            return fresh
        fresh = fresh.filter(pl.col("occurred_at") <= self._now)
        if since is not None:
            fresh = fresh.filter(pl.col("occurred_at") >= since)
        if ids is not None:
            fresh = fresh.filter(pl.col("contact_id").is_in(ids.implode()))
        return fresh if run_id is None else fresh.filter(pl.col("run_id") == run_id)
