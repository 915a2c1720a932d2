"""What a commit costs: the smallest checkpoint there is, beside the smallest commit there is.

Absent on purpose: printing (`studio bench engine`).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pysqlite3 import dbapi2

from studio.domain.ports import Checkpoint, RunRow, Work
from studio.domain.run import RunEvent
from studio.store.store import Store

_AT = datetime(2026, 1, 1, tzinfo=UTC)


class _Clock:
    def now(self) -> datetime:
        return _AT


def steps_per_second(folder: Path, steps: int) -> float:
    """One work done, one that follows, and one run event, each in a transaction of its own, one after the other."""
    with Store.open(folder, clock=_Clock()) as store:
        run = RunRow(
            run_id="r1", workflow_id="w", version="v", name="bench", mode="test", seed=1, clock="real",
            state="running", started_at=_AT, at=_AT,
        )  # fmt: skip
        store.runs.start(run, "{}", _checkpoint(0))
        before = time.perf_counter()
        for number in range(1, steps + 1):
            store.runs.commit(_checkpoint(number))
        return steps / (time.perf_counter() - before)


def _checkpoint(number: int) -> Checkpoint:
    at = _AT + timedelta(seconds=number)
    return Checkpoint(
        run_id="r1",
        at=at,
        done=(f"w{number - 1}",) if number else (),
        work=(Work(id=f"w{number}", run_id="r1", node_id="n", kind="arrive", rows=1, batch=b"x" * 400),),
        run_events=(RunEvent("r1", number + 1, at, "n", "step.ran", {"in": 1, "out": {"out": 1}}),),
    )


def commits_per_second(path: Path, commits: int) -> float:
    """One row a transaction, WAL and `synchronous=FULL`, straight through the driver."""
    connection = dbapi2.connect(str(path), isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, data BLOB)")
        before = time.perf_counter()
        for number in range(commits):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO t VALUES (?, ?)", (number, b"x" * 400))
            connection.execute("COMMIT")
        return commits / (time.perf_counter() - before)
    finally:
        connection.close()
