"""kill -9 at any moment, with the real store and a real mail server: everybody is mailed once, nothing is left undone.

What the mail server accepted is the truth; what the ledger says is only compared with it. `make faults` does the same
many more times, at every point there is.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from studio.store.runs import StoredRuns
from tests.faults.long_run import run_trials
from tests.faults.sink import SinkProcess
from tests.faults.trial import Bench, Tally, plans

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there is no SIGKILL")

SEED = 20_260_302
TRIALS = 60
PARTS = 4


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    # What a killed process has written lives on in the system's memory, so a disk in memory shows the same, faster.
    memory = Path("/dev/shm")
    folder = memory / f"faults-{os.getpid()}" if memory.is_dir() else tmp_path_factory.mktemp("faults")
    with SinkProcess() as sink, Bench(sink, folder) as made:
        yield made


@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_many_points_and_resumed(bench: Bench, part: int) -> None:
    total = Tally()
    for plan in itertools.islice(plans(bench, SEED), part * TRIALS // PARTS, (part + 1) * TRIALS // PARTS):
        tally = bench.run(plan)
        assert tally.is_clean, f"{plan} came to {tally.as_json()}"
        total.add(tally)
    # How many changes share a commit depends on the moment, so a point near the end may lie behind it.
    assert total.kills >= TRIALS / PARTS - 2
    assert total.expected == total.accepted > 100


@pytest.mark.slow
def test_killed_at_hundreds_of_points_and_resumed() -> None:
    assert run_trials(500, seed=SEED + 1).is_clean


@pytest.mark.slow
def test_a_message_that_is_sent_twice_or_never_would_be_noticed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge is judged: a ledger that forgets its intents, as many programs' do, does not pass."""
    plan = next(plans(bench, SEED))
    point = bench.names(plan.journey, can_look_up=False).index("after send dot") + 1

    def forget(self: StoredRuns, run_id: str) -> int:
        with self._database.write() as connection:
            return connection.exec_driver_sql("UPDATE outbox SET state = 'planned' WHERE state = 'sending'").rowcount

    monkeypatch.setattr(StoredRuns, "doubt_sending", forget)
    found = Tally()
    for number in range(4):
        found.add(bench.run(replace(plan, can_look_up=False, faults=(point + number,), name=f"forgets{number}")))
    assert found.duplicates > 0
