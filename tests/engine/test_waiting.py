"""Who waits where, and how waiting people are cut into pieces of work."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from studio.engine.facts import REACHED
from studio.engine.idset import IdSet
from studio.engine.waiting import WaitingRoom, first_due, is_out, split_by_due
from studio.frames.events import AT
from tests.engine.bench import START


def batch(*people: int, minutes: tuple[float, ...] | None = None, **columns) -> pl.DataFrame:
    moments = [START + timedelta(minutes=m) for m in (minutes or [0] * len(people))]
    return pl.DataFrame(
        {"instance_id": people, "contact_id": people, "due_at": moments, **columns},
        schema_overrides={"instance_id": pl.UInt64, "contact_id": pl.UInt32, "due_at": AT},
    )


@given(
    st.lists(st.integers(0, 3_000), max_size=200),
    st.sampled_from([0, 15, 60]),
    st.integers(1, 70),
)
def test_pieces_hold_everybody_once_and_are_due_one_after_the_other(
    minutes: list[int], step: int, rows_max: int
) -> None:
    frame = batch(*range(len(minutes)), minutes=tuple(minutes))
    pieces = split_by_due(frame, timedelta(minutes=step), rows_max)
    assert sorted(i for piece in pieces for i in piece.get_column("instance_id")) == list(range(len(minutes)))
    assert all(0 < piece.height <= rows_max for piece in pieces)
    firsts = [first_due(piece) for piece in pieces]
    assert firsts == sorted(firsts)
    assert len(pieces) <= 65 + len(minutes) / rows_max


@given(st.lists(st.integers(0, 600), min_size=1, max_size=100))
def test_pieces_of_a_stepping_clock_fall_due_at_one_stop_each(minutes: list[int]) -> None:
    for piece in split_by_due(batch(*range(len(minutes)), minutes=tuple(minutes)), timedelta(minutes=15), 1_000):
        stops = {-(-(at - START) // timedelta(minutes=15)) for at in piece.get_column("due_at")}
        assert len(stops) == 1


def test_a_room_gives_back_what_is_left_of_a_piece_of_work() -> None:
    room = WaitingRoom()
    assert (room.count, room.next_due) == (0, None)
    room.add("w1", batch(1, 2, 3, minutes=(5, 6, 7)))
    room.add("w2", batch(4, 5, minutes=(1, 9), **{"var.x": ["a", "b"]}))
    assert (room.count, room.next_due) == (5, START + timedelta(minutes=1))
    room.leave(IdSet(pl.Series([2, 99], dtype=pl.UInt64)))
    assert room.work_of(pl.Series([3, 5], dtype=pl.UInt64)) == ["w1", "w2"]
    assert sorted(room.pop(["w1"]).get_column("instance_id")) == [1, 3]
    assert room.count == 2
    assert room.of_contacts(pl.Series([5, 7], dtype=pl.UInt32)).get_column("var.x").to_list() == ["b"]


def test_who_has_passed_a_goal_is_not_taken_out_by_it_again() -> None:
    room = WaitingRoom()
    room.add("w", batch(1, 2, **{REACHED: [None, "goal"]}))
    gone = IdSet(pl.Series([1, 2], dtype=pl.UInt64))
    assert room.leave(gone).get_column("instance_id").to_list() == [1]
    assert room.count == 1
    rows = batch(1, 2, 3, **{REACHED: [None, "goal", None]})
    assert is_out(rows, gone).to_list() == [True, False, False]
    assert is_out(batch(2, 3), gone).to_list() == [True, False]


def test_an_empty_room_answers() -> None:
    room = WaitingRoom()
    nobody = pl.Series([], dtype=pl.UInt64)
    assert room.leave(IdSet()).is_empty()
    assert room.of_contacts(nobody).is_empty()
    assert room.work_of(nobody) == []


@given(st.lists(st.sets(st.integers(0, 2**64 - 1), max_size=8), max_size=5), st.lists(st.integers(0, 2**64 - 1)))
def test_an_id_set_is_a_set(parts: list[set[int]], asked: list[int]) -> None:
    held, plain = IdSet(), set()
    for part in parts:
        held.add(pl.Series(sorted(part), dtype=pl.UInt64))
        plain |= part
    asked += list(plain)
    assert bool(held) == bool(plain)
    assert held.mask(pl.Series(asked, dtype=pl.UInt64)).to_list() == [one in plain for one in asked]
