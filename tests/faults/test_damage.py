"""Damaged pages are found before anything is trusted, and the way back is offered; one store has one owner."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from studio.domain.errors import Corrupt, StudioError
from studio.store import Store
from studio.store.owner import NAME as LOCK
from studio.store.restore import restore_backup
from tests.faults import child
from tests.faults.races import Race, run_race
from tests.faults.sink import SinkProcess
from tests.faults.trial import Bench
from tests.store.conftest import NOON, StandingClock

PAGE = 4096


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One with a run in it and a backup, whose last owner was stopped."""
    folder = tmp_path_factory.mktemp("damage") / "shop"
    child.prepare(folder, child.BY_NAME["carts"])
    with Store.open(folder, clock=StandingClock()) as store:
        store.backup()
    (folder / LOCK).write_text("process 1")
    return folder


def test_every_damaged_page_is_found_at_start_and_a_backup_brings_all_back(workspace: Path, tmp_path: Path) -> None:
    chance = random.Random(8)
    whole = (workspace / "studio.db").read_bytes()
    assert len(whole) > 60 * PAGE
    for number in range(len(whole) // PAGE):
        folder = tmp_path / str(number)
        folder.mkdir()
        shutil.copy2(workspace / LOCK, folder / LOCK)
        damaged = bytearray(whole)
        damaged[number * PAGE : (number + 1) * PAGE] = chance.randbytes(PAGE)
        (folder / "studio.db").write_bytes(damaged)
        with pytest.raises(StudioError) as refused:
            Store.open(folder, clock=StandingClock())
        # A first page that cannot be recognised could be any file; every other one says that it is ours.
        assert isinstance(refused.value, Corrupt) or (number, refused.value.code) == (0, "STORE-NOT-WORKSPACE")
    folder = tmp_path / "again"
    shutil.copytree(workspace, folder)
    (folder / "studio.db").write_bytes(damaged)
    with pytest.raises(Corrupt, match="damaged") as refused:
        Store.open(folder, clock=StandingClock())
    assert "Restore the backup of 02 March 2026" in str(refused.value.hint)
    with_backup = next(path.name for path in (folder / "backups").iterdir())
    restore_backup(folder, with_backup, NOON)
    with Store.open(folder, clock=StandingClock()) as store:
        assert store.runs.get(child.RUN_ID).state == "paused"
        assert "restored" in store.runs.held()[child.RUN_ID]
        assert store.events.at(NOON.replace(year=2027)).rows(["cart"], since=NOON).height == 5


def test_of_those_who_start_at_once_one_owns_the_workspace_and_a_copy_sends_nothing(tmp_path: Path) -> None:
    with SinkProcess() as sink, Bench(sink, tmp_path) as bench:
        tally = run_race(bench, Race("newsletter", can_look_up=True, racers=3, name="race"))
    assert tally.is_clean, tally.as_json()
    assert tally.ended == {"owner": 1, "STORE-IN-USE": 2, "copy RUN-HELD": 1}
