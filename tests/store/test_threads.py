"""A window that reads while the engine writes sees whole transactions only."""

from __future__ import annotations

import threading

import polars as pl
import pytest

from studio.store import Store, log
from tests.store.test_events import append, events, minutes

BATCH = 7


def test_readers_see_whole_commits_while_the_log_is_written(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each commit adds seven events, with the tail sealed and segments added all the time."""
    monkeypatch.setattr(log, "TAIL_ROWS_MAX", 3 * BATCH)
    commits, wrong, rounds = 120, [], [0]
    done = threading.Event()

    def read() -> None:
        last = 0
        while not done.is_set():
            counts = store.projections.rollup()["count"].sum()
            people = store.projections.distinct("r1", by=())["contacts"].to_list() or [0]
            scanned = store.projections.scan(["event_id"]).collect()["event_id"].n_unique()
            if counts % BATCH or counts < last or scanned < counts or scanned % BATCH or people[0] % BATCH:
                wrong.append((counts, people, scanned))
            last = counts
            rounds[0] += 1

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for number in range(commits):
            rows = [(7_000 * number + 7 * offset, "sent", minutes(number)) for offset in range(BATCH)]
            frame = events(rows, run_id="r1").with_columns(
                contact_id=pl.Series(range(BATCH * number, BATCH * (number + 1)), dtype=pl.UInt32)
            )
            append(store, frame)
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert wrong == []
    assert rounds[0] > 3
    assert store.projections.rollup()["count"].sum() == BATCH * commits
    assert store.projections.distinct("r1", by=()).item() == BATCH * commits


def test_writers_wait_for_each_other(store: Store) -> None:
    def add(first: int) -> None:
        for number in range(first, first + 20):
            append(store, events([(number, "sent", minutes(1))]))

    writers = [threading.Thread(target=add, args=(1_000 * number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert store.projections.count() == 80
    assert store.log.state().tip == 80
