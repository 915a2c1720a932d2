"""Cursors over the log: each event once, never early, in the order of time, whatever arrives when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.domain.ports import EventCursor
from studio.frames.events import AT, EVENT_SCHEMA, as_events
from studio.store import Store, log, upcoming
from studio.store.events import LoggedEvents
from tests.store.conftest import NOON, StandingClock

KINDS = ("order", "cart", "visit")


def events(rows: list[tuple[int, str, datetime]], **columns: object) -> pl.DataFrame:
    frame = pl.DataFrame(
        {
            "event_id": pl.Series([row[0] for row in rows], dtype=pl.UInt64),
            "kind": pl.Series([row[1] for row in rows], dtype=pl.String),
            "occurred_at": pl.Series([row[2] for row in rows], dtype=AT),
            "contact_id": pl.Series([row[0] % 7 for row in rows], dtype=pl.UInt32),
            "value": pl.Series([float(row[0] % 10) for row in rows], dtype=pl.Float64),
        }
    )
    return as_events(frame.with_columns(**{name: pl.lit(value) for name, value in columns.items()}))


def append(store: Store, frame: pl.DataFrame) -> int:
    with store.transaction() as connection:
        return store.log.append(connection, frame)


def minutes(count: float) -> datetime:
    return NOON + timedelta(minutes=count)


@pytest.fixture
def small_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "SEGMENT_ROWS_MIN", 6)
    monkeypatch.setattr(log, "TAIL_ROWS_MAX", 9)
    monkeypatch.setattr(upcoming, "WINDOW_ROWS_MAX", 8)


def test_an_event_comes_back_with_every_column(store: Store) -> None:
    given_events = as_events(
        pl.DataFrame(
            {
                "event_id": pl.Series([2**64 - 1, 5], dtype=pl.UInt64),
                "occurred_at": pl.Series([minutes(0), minutes(1)], dtype=AT),
                "kind": ["order", "order"],
                "contact_id": pl.Series([2**32 - 1, 1], dtype=pl.UInt32),
                "value": [1.5, None],
                "currency": ["EUR", None],
                "key": ["cart 1", None],
                "run_id": ["r1", None],
                "node_id": ["send", None],
                "arms": ["split=A", None],
                "instance_id": pl.Series([2**63 + 1, None], dtype=pl.UInt64),
                "actor": ["human", None],
                "properties": ['{"a":1}', None],
            }
        )
    )
    append(store, given_events)
    found, _ = store.events.new(EventCursor(), minutes(5), ["order"])
    assert found.equals(given_events)
    assert dict(found.schema) == EVENT_SCHEMA
    with store.transaction() as connection:
        store.log.seal(connection)
    assert store.events.new(EventCursor(), minutes(5), ["order"])[0].equals(given_events)


def test_an_imported_event_in_the_future_is_seen_when_the_clock_passes_it(store: Store) -> None:
    append(store, events([(1, "order", minutes(0)), (2, "order", minutes(30))]))
    first, cursor = store.events.new(EventCursor(), minutes(10), ["order"])
    assert first["event_id"].to_list() == [1]
    assert store.events.next_at(cursor, ["order"]) == minutes(30)
    nothing, cursor = store.events.new(cursor, minutes(29), ["order"])
    assert nothing.is_empty()
    second, cursor = store.events.new(cursor, minutes(30), ["order"])
    assert second["event_id"].to_list() == [2]
    assert store.events.next_at(cursor, ["order"]) is None


def test_a_late_event_is_seen_at_once(store: Store) -> None:
    append(store, events([(1, "order", minutes(5))]))
    _, cursor = store.events.new(EventCursor(), minutes(10), ["order"])
    append(store, events([(2, "order", minutes(1)), (3, "visit", minutes(1))]))
    assert store.events.next_at(cursor, ["order"]) == minutes(1)
    late, cursor = store.events.new(cursor, minutes(10), ["order"])
    assert late["event_id"].to_list() == [2]
    assert store.events.new(cursor, minutes(10), ["order"])[0].is_empty()


def test_a_reader_that_starts_now_gets_no_history(store: Store) -> None:
    append(store, events([(1, "order", minutes(0)), (2, "order", minutes(20))]))
    nothing, cursor = store.events.new(EventCursor(), minutes(10), ())
    assert nothing.is_empty()
    found, _ = store.events.new(cursor, minutes(60), ["order"])
    assert found["event_id"].to_list() == [2]


def test_a_clock_that_stands_before_the_cursor_loses_nothing(store: Store) -> None:
    append(store, events([(1, "order", minutes(5))]))
    cursor = EventCursor(0, minutes(10))
    append(store, events([(2, "order", minutes(7))]))
    nothing, same = store.events.new(cursor, minutes(6), ["order"])
    assert nothing.is_empty()
    assert same == cursor


def test_the_same_events_are_kept_once(store: Store) -> None:
    few = events([(number, "order", minutes(number)) for number in range(20)])
    many = events([(number, "order", minutes(number)) for number in range(10, 2_000)])
    assert append(store, few) == 20
    assert append(store, few) == 0
    assert append(store, many) == 1_980
    assert append(store, many) == 0
    assert append(store, events([(5, "order", minutes(5)), (1_999, "order", minutes(1_999))])) == 0
    with store.transaction() as connection:
        store.log.seal(connection)
    assert append(store, few) == 0
    found, _ = store.events.new(EventCursor(), minutes(5_000), ["order"])
    assert sorted(found["event_id"]) == list(range(2_000))


def test_an_aborted_append_leaves_no_trace(store: Store) -> None:
    append(store, events([(1, "order", minutes(1))]))
    with pytest.raises(ZeroDivisionError), store.transaction() as connection:
        store.log.append(connection, events([(number, "order", minutes(1)) for number in range(100, 1_500)]))
        store.log.append(connection, events([(2, "order", minutes(1))]))
        raise ZeroDivisionError
    assert list(store.log.folder.iterdir()) == []
    assert append(store, events([(3, "order", minutes(1))])) == 1
    found, cursor = store.events.new(EventCursor(), minutes(1), ["order"])
    assert found["event_id"].to_list() == [1, 3]
    assert cursor.seq == 2


def test_events_of_an_aborted_append_come_in_later(store: Store) -> None:
    many = events([(number, "order", minutes(1)) for number in range(1_500)])
    with pytest.raises(ZeroDivisionError), store.transaction() as connection:
        assert store.log.append(connection, many) == 1_500
        assert store.log.append(connection, many.head(10)) == 0
        assert store.log.append(connection, many) == 0
        raise ZeroDivisionError
    assert append(store, many) == 1_500
    assert append(store, many) == 0


def test_totals_stop_at_the_views_moment(store: Store) -> None:
    append(store, events([(1, "order", minutes(0)), (8, "order", minutes(10)), (15, "order", minutes(20))]))
    append(store, events([(2, "order", minutes(5)), (9, "visit", minutes(5))], run_id="r1"))
    totals = store.events.at(minutes(10)).totals("order")
    assert totals.rows() == [(1, 2, minutes(0), minutes(10), 9.0), (2, 1, minutes(5), minutes(5), 2.0)]
    assert store.events.at(minutes(10)).totals("order", since=minutes(5))["count"].to_list() == [1, 1]
    assert store.events.at(minutes(10)).totals("order", run_id="r1")["contact_id"].to_list() == [2]
    only = pl.Series([2, 3], dtype=pl.UInt32)
    assert store.events.at(minutes(10)).totals("order", ids=only)["contact_id"].to_list() == [2]


def test_rows_and_instances_stop_at_the_views_moment(store: Store) -> None:
    append(store, events([(3, "cart", minutes(3)), (1, "cart", minutes(1)), (2, "visit", minutes(2))]))
    append(store, events([(4, "cart", minutes(4))], run_id="r1", instance_id=2**64 - 1))
    append(store, events([(5, "cart", minutes(50))], run_id="r1", instance_id=7))
    view = store.events.at(minutes(4))
    assert view.rows(["cart", "visit"], since=minutes(2))["event_id"].to_list() == [2, 3, 4]
    assert view.rows(["cart"], since=minutes(0), run_id="r1")["event_id"].to_list() == [4]
    assert view.rows(["cart"], since=minutes(0), ids=pl.Series([3], dtype=pl.UInt32))["event_id"].to_list() == [3]
    assert view.instances("cart", "r1").to_list() == [2**64 - 1]
    assert view.instances("cart", "r2").to_list() == []


_batches = st.lists(
    st.one_of(
        st.lists(st.tuples(st.sampled_from(KINDS), st.integers(-5, 60)), min_size=1, max_size=12),
        st.integers(0, 15),
    ),
    max_size=25,
)


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("shop"), clock=StandingClock()) as opened:
        yield opened


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_batches, two_readers=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_every_event_exactly_once_and_never_before_its_time(
    shared_store: Store, small_log: None, steps: list[list[tuple[str, int]] | int], two_readers: bool, seed: int
) -> None:
    """A list is a batch that arrives (kind, minute), a number moves the clock on and lets the readers look.

    All examples share one log; each has kinds of its own.
    """
    first_id = 1_000 * (shared_store.log.state().tip + 1)
    ids = iter(np.random.default_rng(seed).permutation(400) + first_id)
    names = {kind: f"{kind}{first_id}" for kind in KINDS}
    readers: dict[tuple[str, ...], EventCursor] = {(names["cart"], names["order"]): EventCursor()}
    if two_readers:
        readers[(names["order"],)] = EventCursor()
    given_events: dict[int, tuple[str, datetime]] = {}
    seen: dict[tuple[str, ...], list[int]] = {kinds: [] for kinds in readers}
    clock = 0
    for step in [*steps, 100]:
        if isinstance(step, list):
            batch = [(int(next(ids)), names[kind], minutes(at)) for kind, at in step]
            given_events |= {event_id: (kind, at) for event_id, kind, at in batch}
            append(shared_store, events(batch))
            continue
        clock += step
        for kinds, cursor in readers.items():
            unseen = [at for i, (kind, at) in given_events.items() if kind in kinds and i not in seen[kinds]]
            assert shared_store.events.next_at(cursor, kinds) == min(unseen, default=None)
            found, readers[kinds] = shared_store.events.new(cursor, minutes(clock), kinds)
            assert found["occurred_at"].is_sorted()
            assert found.filter(pl.col("occurred_at") > minutes(clock)).is_empty()
            seen[kinds].extend(found["event_id"])
            due = {i for i, (kind, at) in given_events.items() if kind in kinds and at <= minutes(clock)}
            assert sorted(seen[kinds]) == sorted(due)


def test_moments_are_kept_to_the_microsecond(store: Store) -> None:
    at = datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    append(store, events([(1, "order", at)]))
    assert store.events.next_at(EventCursor(), ["order"]) == at
    assert store.events.new(EventCursor(), at - timedelta(microseconds=1), ["order"])[0].is_empty()
    assert store.events.new(EventCursor(), at, ["order"])[0].height == 1


def test_a_run_does_not_see_what_another_only_simulated(store: Store) -> None:
    rows = events(
        [(1, "order", minutes(1)), (2, "order", minutes(2)), (3, "order", minutes(3)), (4, "order", minutes(4))]
    )
    runs = pl.Series("run_id", [None, "real", "pretended", "own"], dtype=pl.String)
    append(store, rows.with_columns(runs))
    own = LoggedEvents(store.log, lambda: frozenset({"pretended", "own"})).seen_by("own")
    assert own.at(minutes(9)).totals("order")["count"].sum() == 3
    seen, _ = own.new(EventCursor(0, minutes(0)), minutes(9), ["order"])
    assert seen["run_id"].to_list() == [None, "real", "own"]
    assert store.events.at(minutes(9)).totals("order")["count"].sum() == 4


def test_rare_kinds_are_answered_from_memory_as_from_files(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from studio.store import events as module

    rng = np.random.default_rng(5)
    kinds = ["bounced", "sent", "sent", "sent", "clicked"]
    answers: list[list[pl.DataFrame]] = [[], []]
    for part in range(4):
        rows = 1_200 if part % 2 else 30
        frame = pl.DataFrame(
            {
                "event_id": rng.integers(0, 2**63, rows, dtype=np.uint64),
                "occurred_at": [minutes(int(m)) for m in rng.integers(0, 600, rows)],
                "kind": rng.choice(kinds, rows),
                "contact_id": rng.integers(1, 50, rows).astype(np.uint32),
            }
        )
        store.import_events([as_events(frame)], source=f"part {part}")
        for place, limit in enumerate((30_000, -1)):
            monkeypatch.setattr(module, "RARE_AMONG_MAX", limit)
            view = store.events.at(minutes(300))
            for wanted in (("bounced",), ("bounced", "clicked")):
                for since, ids in ((minutes(-9), None), (minutes(100), pl.Series([3, 4, 5], dtype=pl.UInt32))):
                    answers[place].append(view.rows(wanted, since=since, ids=ids))
    assert len(answers[0]) == 16
    assert all(memory.equals(files) for memory, files in zip(*answers, strict=True))
    assert sum(memory.height for memory in answers[0]) > 100


def test_a_few_people_are_answered_from_the_tail_as_by_columns(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from studio.store import events as module

    rng = np.random.default_rng(3)
    monkeypatch.setattr(log, "RECENT_ROWS_MAX", 40)
    for part in range(3):
        numbers = list(range(100 * part, 100 * part + 30))
        rows = [(n, str(rng.choice(KINDS)), minutes(int(rng.integers(0, 60)))) for n in numbers]
        append(store, events(rows, run_id=(None, "r1", "r2")[part]))
        held = store.log.state()
    assert held.settled.height == 60
    assert len(held.recent) == 30
    some = pl.Series([2, 5], dtype=pl.UInt32)
    compared = 0
    for kinds in (("order",), ("cart", "visit"), ("bounced",)):
        for since in (minutes(-1), minutes(20)):
            for run_id in (None, "", "r1"):
                for hidden in (frozenset[str](), frozenset({"r2"})):
                    view = module.LoggedView(store.log, minutes(45), hidden)
                    found = view.rows(kinds, since=since, ids=some, run_id=run_id)
                    with monkeypatch.context() as columns:
                        columns.setattr(module, "FEW", 0)
                        assert found.equals(view.rows(kinds, since=since, ids=some, run_id=run_id))
                    compared += found.height
    assert compared > 30


def test_what_is_appended_here_is_known_without_reading_as_it_would_be_read(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(store, events([(1, "cart", minutes(1))]))
    known = store.log.state()
    reads: list[int] = []
    monkeypatch.setattr(store.log, "_refreshed", lambda *_: reads.append(1))
    append(store, events([(2**63 + 5, "order", minutes(2)), (3, "order", minutes(1))]))
    handed_on = store.log.state()
    assert not reads and handed_on.tip > known.tip
    monkeypatch.undo()
    with store.transaction() as connection:
        read = store.log.state_in(connection, known)
    assert handed_on.recent == read.recent and handed_on.tip == read.tip


@pytest.mark.parametrize("value", [float("nan"), 1.5])
def test_what_the_database_gives_back_otherwise_or_held_already_is_read(store: Store, value: float) -> None:
    append(store, events([(1, "cart", minutes(1))]))
    known = store.log.state()
    append(store, events([(1, "cart", minutes(1)), (2, "order", minutes(2))], value=value))
    seen = store.log.state().recent
    with store.transaction() as connection:
        assert seen == store.log.state_in(connection, known).recent
    assert store.log.state().recent[-1][4] is None or value == value


def test_what_is_rolled_back_is_not_handed_on(store: Store) -> None:
    append(store, events([(1, "cart", minutes(1))]))
    known = store.log.state()
    with pytest.raises(ZeroDivisionError), store.transaction() as connection:
        store.log.append(connection, events([(2, "order", minutes(2))]))
        raise ZeroDivisionError
    assert store.log.state().recent == known.recent
    append(store, events([(3, "order", minutes(3))]))
    assert [row[0] for row in store.log.state().recent] == [1, 3]
