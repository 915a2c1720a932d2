"""Who went which way: what is written is read back, in every form."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.frames.moves import Moved, read_moves, write_moves

AT = datetime(2026, 3, 2, 12, 0, 0, 123_456, tzinfo=UTC)


def moved(contacts: list[int], node: str = "filter", port: str = "pass") -> Moved:
    ids = pl.Series("contact_id", contacts, dtype=pl.UInt32)
    return Moved.of(node, port, pl.DataFrame([ids, (ids.cast(pl.UInt64) * 2**31 + 7).alias("instance_id")]))


@given(
    st.lists(st.lists(st.integers(0, 2**32 - 1), unique=True, max_size=40), max_size=5),
    st.integers(0, 4_000_000_000),
    st.booleans(),
)
def test_joined_records_are_read_back_in_order(batches: list[list[int]], dense_from: int, by_instance: bool) -> None:
    batches = [*batches, list(range(dense_from, dense_from + 30)), list(range(dense_from, dense_from + 90, 3))]
    data = b"".join(
        write_moves(moved(batch, f"n{i}", "ü"), AT, by_instance=by_instance) for i, batch in enumerate(batches)
    )
    found = list(read_moves(data))
    assert [(move.at, move.node_id, move.port) for move in found] == [(AT, f"n{i}", "ü") for i in range(len(batches))]
    for move, batch in zip(found, batches, strict=True):
        expected = [c * 2**31 + 7 for c in batch] if by_instance else batch
        assert sorted(move.numbers.tolist()) == sorted(expected)


@pytest.mark.parametrize("by_instance", [True, False])
def test_a_record_knows_who_was_in_the_batch(by_instance: bool) -> None:
    (move,) = read_moves(write_moves(moved([5, 9, 700]), AT, by_instance=by_instance))
    assert move.has(9, 9 * 2**31 + 7)
    assert not move.has(8, 8 * 2**31 + 7)


def test_a_chunk_of_neighbours_costs_bytes_not_kilobytes_and_a_half_one_bits() -> None:
    everybody = list(range(50_000))
    assert len(write_moves(moved(everybody), AT, by_instance=False)) < 100
    assert len(write_moves(moved(everybody[::2]), AT, by_instance=False)) < 50_000 / 8 + 100
