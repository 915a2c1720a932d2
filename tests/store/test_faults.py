"""What a failing disk or a kill leaves behind: all of a commit or nothing of it, and nothing acknowledged is lost."""

from __future__ import annotations

import errno
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

from studio.domain.errors import Transient
from studio.domain.ports import Checkpoint, LedgerChange, Work
from studio.domain.run import RunEvent
from studio.store import Store, importing, log
from studio.store.home import home_of
from tests.store.conftest import StandingClock
from tests.store.failing import Points
from tests.store.test_events import events, minutes
from tests.store.test_runs import a_run, everything, first_checkpoint, full_checkpoint, plan

Action = Callable[[Store], object]


def _turn(number: int) -> list[Action]:
    """One more chunk of the run, its sending, and an import."""
    seq, at, first = 10 * number, minutes(number + 10), 100 * number
    chunk = Checkpoint(
        run_id="r1",
        at=at,
        done=[f"piece{number - 1}" if number > 1 else "w-soon"],
        work=[Work(id=f"piece{number}", run_id="r1", node_id="send", kind="send", rows=2, batch=b"batch")],
        events=events([(first + offset, "entered", at) for offset in range(number % 3 * 4)], run_id="r1"),
        outbox=plan(first, 2),
        run_events=[RunEvent("r1", seq, at, "send", "step.ran", {"in": 2})],
    )
    sending = [LedgerChange(outbox_id=f"o{first:04d}", state="sending", count_attempt=True)]
    sent = [LedgerChange(outbox_id=f"o{first:04d}", state="sent")]
    orders = events([(first + 50 + offset, "sent", at) for offset in range(5)])
    return [
        lambda store: store.runs.commit(chunk),
        lambda store: store.runs.change_outbox("r1", at, sending),
        lambda store: store.runs.change_outbox("r1", at, sent, events([(first + 90, "sent", at)], run_id="r1")),
        lambda store: store.import_events([orders], "orders"),
    ]


def scenario() -> list[Action]:
    opening: list[Action] = [
        lambda store: store.runs.start(a_run(), "{}", first_checkpoint()),
        lambda store: store.contacts.upsert_contacts(pl.DataFrame({"key": ["a", "b"], "email": ["a@x", "b@x"]}), "l"),
        lambda store: store.runs.commit(full_checkpoint()),
    ]
    return [*opening, *(action for number in range(1, 4) for action in _turn(number))]


def state(store: Store) -> dict[str, object]:
    known = store.runs.list_runs()
    found = everything(store) if known else {}
    found.pop("files", None)  # named by content; a repeated batch may be cut differently
    rollup = store.projections.rollup().rows()
    return {**found, "people": store.contacts.count(), "rollup": rollup, "sent": sorted(_people(store).items())}


def _people(store: Store) -> dict[tuple[str, ...], list[int]]:
    return {key: sorted(found) for key, found in store.projections.people("r1", by=("kind", "node_id")).items()}


@pytest.fixture
def small_log(monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch)


def shrink(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "SEGMENT_ROWS_MIN", 4)
    monkeypatch.setattr(log, "TAIL_ROWS_MAX", 2)
    monkeypatch.setattr(importing, "SEGMENT_ROWS_MIN", 4)


@contextmanager
def watched(folder: Path) -> Iterator[tuple[Store, Points]]:
    points = Points()
    with Store.open(folder, clock=StandingClock(), connection_class=points.connection_class()) as store:
        points.rest()
        yield store, points


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    """What is there before the first action, after each of them, and so after the last, undisturbed."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        shrink(monkeypatch)
        with watched(tmp_path_factory.mktemp("undisturbed")) as (store, _):
            found = [state(store)]
            for action in scenario():
                action(store)
                found.append(state(store))
    return found


def test_a_failure_at_any_statement_leaves_nothing_of_the_action(
    folder: Path, small_log: None, states: list[dict[str, object]]
) -> None:
    left: set[Path] = set()
    with watched(folder) as (store, points):
        for action, before in zip(scenario(), states, strict=False):
            number, done = 0, False
            while not done:
                number += 1
                points.fail_at(number)
                try:
                    action(store)
                    done = points.reached < number
                    assert done, "an error was swallowed"
                except Transient as error:
                    assert error.code == "STORE-DISK"
                    failed = points.failed
                points.rest()
                if not done:
                    assert state(store) == before
                    known = {segment.path for segment in store.log.state().segments}
                    unknown = set(store.log.folder.iterdir()) - known
                    # After a failed COMMIT nobody knows, so the file stays until the next start decides.
                    assert unknown == left or failed == "COMMIT"
                    left = unknown
            assert number > 2
        assert store.doctor().checks[0].ok
        assert state(store) == states[-1]


def test_a_kill_at_any_statement_loses_nothing_acknowledged(
    folder: Path, tmp_path: Path, small_log: None, states: list[dict[str, object]]
) -> None:
    """A kill leaves the files as they are at that instant, so a copy of them is what the next start finds."""
    copies: list[tuple[int, Path]] = []
    with watched(folder) as (store, points):
        for done, action in enumerate(scenario()):

            def copy(reached: int, done: int = done) -> None:
                if (reached + done) % 6 == 0:
                    target = tmp_path / f"copy{len(copies)}"
                    shutil.copytree(folder, target, ignore=shutil.ignore_patterns("*-shm", "backups"))
                    copies.append((done, target))

            points.reached, points.action = 0, copy
            action(store)
    assert len(copies) > 15
    made = home_of(folder / "studio.db")
    for done, copied in copies:
        with Store.open(copied, clock=StandingClock(), home=lambda _: made) as store:
            found = state(store)
            assert found in states[done : done + 2]
            for action in scenario()[states.index(found) :]:
                action(store)
            assert state(store) == states[-1]


_CHILD = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from studio.store import Store, importing, log
from tests.store.conftest import StandingClock
from tests.store.failing import Points
from tests.store.test_faults import scenario
log.SEGMENT_ROWS_MIN, log.TAIL_ROWS_MAX, importing.SEGMENT_ROWS_MIN = 4, 2, 4
points = Points()
store = Store.open(Path(sys.argv[1]), clock=StandingClock(), connection_class=points.connection_class())
points.rest()
points.action = lambda reached: os.kill(os.getpid(), signal.SIGKILL) if reached == int(sys.argv[2]) else None
for action in scenario():
    action(store)
    os.write(1, b".")
"""


@pytest.mark.parametrize(("number", "code"), [(errno.ENOSPC, "STORE-DISK-FULL"), (errno.EIO, "STORE-DISK")])
def test_a_segment_that_cannot_be_written_is_said_and_cleared_away(
    store: Store, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    many = events([(number, "order", minutes(1)) for number in range(1_500)])

    def fail(_descriptor: int) -> None:
        raise OSError(number, "broken")

    with monkeypatch.context() as broken:
        broken.setattr("os.fsync", fail)
        with pytest.raises(Transient) as error:
            store.import_events([many], "orders")
    assert error.value.code == code
    assert list(store.log.folder.iterdir()) == []
    assert store.import_events([many], "orders").accepted == 1_500


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize("point", [47])
def test_a_killed_process_is_followed_by_a_whole_workspace(
    folder: Path, small_log: None, states: list[dict[str, object]], point: int
) -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", _CHILD, str(folder), str(point), str(root)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    acknowledged = len(done.stdout)
    with Store.open(folder, clock=StandingClock()) as store:
        found = state(store)
        assert found in states[acknowledged : acknowledged + 2]
        assert store.doctor().checks[0].ok
        for action in scenario()[states.index(found) :]:
            action(store)
        assert state(store) == states[-1]
