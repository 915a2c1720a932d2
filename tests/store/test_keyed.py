"""Segments and sums made from events laid out by key: the same as if each had been made from the plain rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from studio.frames.events import EVENT_SCHEMA, as_events
from studio.store import keyed
from studio.store.keyed import FEW_KEYS, Keyed
from studio.store.rollups import people, rolled_up
from studio.store.rows import LOG_SCHEMA
from studio.store.segments import write_file

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


def test_links_that_differ_in_what_is_made_for_one_person_are_one_key() -> None:
    links = [f'{{"link":"https://shop.example/{n % 2}?who={n % 5}"}}' for n in range(300)]
    found = Keyed.of(some_events(rows=300).with_columns(pl.Series("properties", links), kind=pl.lit("clicked")))
    assert found.texts is not None
    assert set(found.keys["detail"]) == {"https://shop.example/0", "https://shop.example/1"}
    assert found.keys.height == found.keys.unique().height < found.texts.height
    for place, key in enumerate(found.keys.rows(named=True)):
        own = found.events[found.rows[found.starts[place] : found.starts[place + 1]]]
        assert own["run_id"].eq_missing(pl.Series([key["run_id"]] * own.height, dtype=pl.String)).all()
        assert own["properties"].str.contains(key["detail"], literal=True).all()
        assert own["occurred_at"].is_sorted()


@pytest.mark.parametrize("shifts", [0, 8, 16, 40, 56])
def test_texts_are_told_apart_also_where_parts_of_their_digests_agree(shifts: int) -> None:
    digests = np.array([n % 30 << shifts for n in range(500)], dtype=np.uint64) + np.uint64(7)
    number, places = keyed._told_apart(digests)
    assert number == len(set(digests.tolist())) == len(set(places.tolist()))
    assert len(set(zip(digests.tolist(), places.tolist(), strict=True))) == number
