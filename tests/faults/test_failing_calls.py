"""A full disk, a broken disk, a kill at any write: nothing acknowledged is lost, and nobody gets a mail twice."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.sink import SinkProcess
from tests.faults.syscalls import FAULTS, STRACE
from tests.faults.trial import Bench, Tally, failing_calls

pytestmark = pytest.mark.skipif(STRACE is None, reason="strace is not installed")

SEED = 5


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with SinkProcess() as sink, Bench(sink, tmp_path) as made:
        yield made


def test_a_write_that_fails_loses_nothing_and_repeats_nothing(bench: Bench) -> None:
    total = Tally()
    for plan in itertools.islice(failing_calls(SEED), len(FAULTS)):
        tally = bench.run(plan)
        assert tally.is_clean, f"{plan} came to {tally.as_json()}"
        total.add(tally)
    assert total.ended["killed"] >= 1
    assert total.ended["STORE-DISK-FULL"] + total.ended["STORE-DISK"] >= 1
