"""Segments and sums made from events laid out by key: the same as if each had been made from the plain rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from studio.frames.events import EVENT_SCHEMA, as_events
from studio.store.keyed import Keyed
from studio.store.rollups import people, rolled_up
from studio.store.rows import LOG_SCHEMA
from studio.store.segments import FEW_KEYS, write_file

START = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)


def some_events(*, rows: int = 60) -> pl.DataFrame:
    """Out of order, over six hours, with nulls and empty texts side by side."""
    number = list(range(rows))
    return as_events(
        pl.DataFrame(
            {
                "event_id": pl.Series([(7 * n) % 61 + 1 for n in number], dtype=pl.UInt64),
                "occurred_at": [START + timedelta(minutes=37 * n % 360) for n in number],
                "kind": [("clicked", "sent")[n % 2] for n in number],
                "contact_id": pl.Series([n % 5 for n in number], dtype=pl.UInt32),
                "value": [None if n % 3 else 0.5 * n for n in number],
                "run_id": [(None, "", "r")[n % 3] for n in number],
                "actor": [None if n % 2 else "human" for n in number],
                "properties": ['{"link":"shop"}' if n % 2 == 0 else None for n in number],
            }
        )
    )


@pytest.mark.parametrize("rows", [1, 60, 60 * FEW_KEYS])
def test_a_segment_holds_texts_as_they_were(tmp_path: Path, rows: int) -> None:
    events = some_events(rows=rows)
    written = write_file(tmp_path, Keyed.of(events))
    kept = pl.read_parquet(written.path)
    assert dict(kept.schema) == LOG_SCHEMA
    assert_frame_equal(kept.select(*EVENT_SCHEMA), events.sort("occurred_at", "event_id"))
    assert set(written.kinds) == set(events["kind"])
    assert set(written.runs) == set(events["run_id"].fill_null(""))


def test_sums_and_people_are_those_of_the_rows() -> None:
    events = some_events(rows=400)
    by = ("run_id", "kind", "actor", "hour")
    hour = pl.col("occurred_at").dt.truncate("1h").alias("hour")
    rows = events.with_columns(pl.col("run_id", "actor").fill_null(""), hour)
    expected = rows.group_by(by).agg(pl.len().cast(pl.Int64).alias("count"), pl.col("value").sum()).sort(by)
    found = rolled_up(events).group_by(by).agg(pl.col("count").sum(), pl.col("value").sum()).sort(by)
    assert_frame_equal(found, expected)
    who = {key[0]: set() for key in people(events)}
    for key, contacts in people(events).items():
        who[key[0]] |= set(contacts)
    assert who == {run: set(rows.filter(pl.col("run_id") == run)["contact_id"]) for run in ("", "r")}
