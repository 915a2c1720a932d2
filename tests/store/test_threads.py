"""A window that reads while the engine writes sees whole transactions only."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest

from studio.domain.ports import EventCursor
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


def test_between_a_commit_and_its_hooks_nothing_old_is_seen(store: Store) -> None:
    """The moment at which the database is ahead of what the log has in memory, held open."""
    append(store, events([(number, "sent", minutes(1)) for number in range(5)], run_id="r1"))
    seen: list[tuple[int, int, int]] = []

    def look() -> tuple[int, int, int]:
        counted = store.projections.rollup()["count"].sum()
        people = len(store.projections.people("r1", by=())[()])
        return counted, people, store.projections.count()

    def look_from_elsewhere() -> None:
        with ThreadPoolExecutor(1) as other:
            seen.append(other.submit(look).result())

    with store.transaction() as connection:
        store.log._database.after(commit=look_from_elsewhere)
        store.log.append(connection, events([(6, "sent", minutes(1))], run_id="r1"))
        look_from_elsewhere()
        store.log.seal(connection)
        look_from_elsewhere()
        assert look() == (6, 6, 6)
    assert seen == [(5, 5, 5), (5, 5, 5), (6, 6, 6)]


def test_what_was_rolled_back_is_not_remembered(store: Store) -> None:
    append(store, events([(1, "order", minutes(1))]))
    _, cursor = store.events.new(EventCursor(), minutes(0), ["order"])
    with pytest.raises(ZeroDivisionError), store.transaction() as connection:
        store.log.append(connection, events([(2, "order", minutes(2))]))
        assert store.events.new(cursor, minutes(9), ["order"])[0]["event_id"].to_list() == [1, 2]
        assert store.projections.count() == 2
        raise ZeroDivisionError
    assert store.projections.count() == 1
    assert store.events.new(cursor, minutes(9), ["order"])[0]["event_id"].to_list() == [1]
    append(store, events([(3, "order", minutes(3))]))
    assert store.events.new(cursor, minutes(9), ["order"])[0]["event_id"].to_list() == [1, 3]


def test_a_seal_in_the_middle_of_a_question_counts_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    append(store, events([(number, "sent", minutes(1)) for number in range(5)], run_id="r1"))
    taken = store.log.state

    def seal_after() -> log.LogState:
        state = taken()
        monkeypatch.setattr(store.log, "state", taken)
        with store.transaction() as connection:
            store.log.append(connection, events([(6, "sent", minutes(1))], run_id="r1"))
            store.log.seal(connection)
        return state

    monkeypatch.setattr(store.log, "state", seal_after)
    assert store.projections.rollup()["count"].sum() == 6
    monkeypatch.setattr(store.log, "state", seal_after)
    assert len(store.projections.people("r1", by=())[()]) == 6


def test_work_goes_on_while_a_backup_is_being_copied(store: Store) -> None:
    with store._database.outside_transactions(), ThreadPoolExecutor(1) as other:
        frame = events([(1, "sent", minutes(1))], run_id="r1")
        other.submit(append, store, frame).result(timeout=5)
    assert store.projections.rollup()["count"].sum() == 1
