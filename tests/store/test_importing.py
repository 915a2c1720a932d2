"""Imports: each event once, the whole of it or nothing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
import pytest

from studio.domain.errors import UserFixable
from studio.domain.ports import EventCursor
from studio.store import Store, importing
from studio.store.importing import ImportReport
from tests.store.test_events import append, events, minutes


def orders(first: int, count: int) -> pl.DataFrame:
    return events([(number, "order", minutes(number % 977)) for number in range(first, first + count)])


def ids(store: Store) -> list[int]:
    return sorted(store.projections.scan(["event_id"]).collect()["event_id"])


@pytest.mark.parametrize("size", [3, 999, 1_000, 5_500])
def test_everything_comes_in_once(store: Store, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(importing, "SEGMENT_ROWS", 2_000)
    parts = [orders(first, min(700, size - first)) for first in range(0, size, 700)]
    assert store.import_events(parts, "orders.csv") == ImportReport(size, 0)
    assert ids(store) == list(range(size))
    again = [orders(0, size // 2), orders(size // 2, size - size // 2 + 7)]
    assert store.import_events(again, "orders.csv") == ImportReport(7, size)
    assert ids(store) == list(range(size + 7))
    assert store.projections.rollup()["count"].sum() == size + 7
    assert store.projections.people("")[("order",)] == store.projections.people("", by=("kind",))[("order",)]


def test_repeats_are_found_inside_the_import_and_in_the_tail(store: Store) -> None:
    append(store, orders(5, 1))
    twice = pl.concat([orders(0, 10), orders(3, 4)])
    assert store.import_events([twice, orders(0, 3)], "a") == ImportReport(9, 8)


def test_a_reader_sees_an_import_as_one_batch(store: Store) -> None:
    append(store, orders(90_000, 3))
    _, cursor = store.events.new(EventCursor(), minutes(100), ())
    store.import_events([orders(0, 1_500)], "a")
    seen, cursor = store.events.new(cursor, minutes(100), ["order"])
    assert sorted(seen["event_id"]) == sorted(n for n in range(1_500) if n % 977 <= 100)
    rest, _ = store.events.new(cursor, minutes(2_000), ["order"])
    assert seen.height + rest.height == 1_500 + 3


@pytest.mark.parametrize("error", [UserFixable("X", "row 7"), KeyboardInterrupt()])
def test_a_failed_import_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    monkeypatch.setattr(importing, "SEGMENT_ROWS", 1_000)

    def frames() -> Iterator[pl.DataFrame]:
        yield orders(0, 2_500)
        raise error

    with pytest.raises(type(error)):
        store.import_events(frames(), "a")
    assert list(store.log.folder.iterdir()) == []
    assert ids(store) == []
    assert store.import_events([orders(0, 10)], "a") == ImportReport(10, 0)


def test_equal_ids_at_other_times_are_still_repeats(store: Store) -> None:
    store.import_events([orders(0, 2_000)], "a")
    moved = orders(0, 5).with_columns(pl.col("occurred_at") + pl.duration(days=900))
    assert store.import_events([moved], "b") == ImportReport(0, 5)


def test_a_large_import_stays_unique(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "SEGMENT_ROWS", 4_000)
    rng = np.random.default_rng(4)
    parts = [rng.integers(0, 15_000, 1_000) for _ in range(30)]
    frames = [events([(int(number), "order", minutes(int(number) % 60)) for number in part]) for part in parts]
    different = len({int(number) for part in parts for number in part})
    assert store.import_events(frames, "a") == ImportReport(different, 30_000 - different)
    assert len(ids(store)) == len(set(ids(store))) == different
