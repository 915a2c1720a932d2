"""Finding the rows that a node cannot handle."""

from __future__ import annotations

import asyncio

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.domain.errors import Corrupt, Rejected, Transient, UserFixable
from studio.engine.attempts import attempt, reason_of


def batch(rows: int) -> pl.DataFrame:
    return pl.DataFrame({"n": range(rows)}, schema={"n": pl.Int64})


def run(rows: int, call, timeout_s: float | None = None):
    calls = []

    async def counted(part):
        calls.append(part.height)
        return await call(part)

    return asyncio.run(attempt(batch(rows), counted, timeout_s)), calls


def failing(bad: set[int], error: Exception | None = None):
    async def call(part):
        if bad.intersection(part.get_column("n")):
            raise error or ValueError("bad row\nmore")
        return part.get_column("n").to_list()

    return call


@given(st.integers(1, 300), st.sets(st.integers(0, 299), max_size=12))
def test_exactly_the_bad_rows_fail_and_all_others_are_handled_once(rows: int, bad: set[int]) -> None:
    bad = {n for n in bad if n < rows}
    attempted, _ = run(rows, failing(bad))
    handled = sorted(n for result in attempted.results for n in result)
    assert handled == sorted(set(range(rows)) - bad)
    assert {n for failure in attempted.failures for n in failure.rows.get_column("n")} == bad
    assert attempted.failed_rows == len(bad)


def test_one_bad_row_among_many_costs_few_calls() -> None:
    _, calls = run(50_000, failing({31_000}))
    assert len(calls) < 2 + 2 * 17


def test_when_all_rows_fail_a_few_samples_say_so() -> None:
    attempted, calls = run(50_000, failing(set(range(50_000))))
    assert len(calls) == 33
    assert attempted.failed_rows == 50_000
    assert attempted.results == []


def test_a_transient_failure_is_not_halved() -> None:
    attempted, calls = run(100, failing({3}, Transient("LATER", "Later.", retry_after_s=9)))
    assert calls == [100]
    ((rows, error),) = attempted.later
    assert (rows.height, error.retry_after_s) == (100, 9)


def test_a_part_may_be_transient_while_another_fails() -> None:
    async def call(part):
        if 7 in part.get_column("n"):
            if part.height > 50:
                raise ValueError("too much")
            raise Transient("LATER", "Later.")
        return part.height

    attempted, _ = run(100, call)
    assert [rows.height for rows, _ in attempted.later] == [50]
    assert attempted.results == [50]


def test_what_is_too_large_is_handled_in_parts() -> None:
    async def call(part):
        if part.height > 30:
            raise MemoryError
        return part.height

    attempted, _ = run(100, call)
    assert (sum(attempted.results), attempted.failures) == (100, [])


def test_corrupt_data_stops_everything() -> None:
    with pytest.raises(Corrupt):
        run(10, failing({1}, Corrupt("STORE", "Contradiction.")))


def test_a_step_that_hangs_is_ended_and_tried_again_later() -> None:
    async def call(part):
        await asyncio.sleep(30)

    attempted, calls = run(100, call, timeout_s=0.01)
    ((rows, error),) = attempted.later
    assert (rows.height, error.code, calls) == (100, "STEP-TIMEOUT", [100])


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (UserFixable("X-1", "Wrong.", hint="Mend it."), "X-1", "Wrong."),
        (Rejected("X-2", "No."), "X-2", "No."),
        (ValueError("first line\nsecond"), "STEP-ERROR", "ValueError: first line"),
        (KeyError(), "STEP-ERROR", "KeyError"),
    ],
)
def test_every_error_has_words(error: Exception, code: str, words: str) -> None:
    found, message, hint = reason_of(error)
    assert found == code
    assert words in message
    assert "second" not in message
    assert hint or code == "X-2"
