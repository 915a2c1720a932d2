"""A copy of a workspace sends nothing until a person says that it may; one that is moved just goes on."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from studio.domain.errors import UserFixable
from studio.domain.ports import Checkpoint, LedgerChange
from studio.store import Store
from studio.store.home import home_of
from studio.store.restore import restore_backup
from tests.store.conftest import NOON, StandingClock
from tests.store.test_runs import a_run, plan

STATES = ("planned", "sending", "retry", "sent", "failed", "resend_approved")


@pytest.fixture
def shop(folder: Path) -> Path:
    """A workspace with a real run in the middle of its sending, a simulated one, and one that is done."""
    with Store.open(folder, clock=StandingClock()) as store:
        for run_id, mode, state in (("r1", "live", "running"), ("r2", "simulate", "running"), ("r3", "test", "done")):
            outbox = plan(100, len(STATES)) if run_id == "r1" else None
            checkpoint = Checkpoint(run_id=run_id, at=NOON, outbox=outbox, state=state)
            store.runs.start(a_run(run_id, mode=mode), "{}", checkpoint)
        ids = store.runs.outbox("r1").get_column("outbox_id")
        for outbox_id, state in zip(ids, STATES, strict=True):
            if state != "planned":
                store.runs.change_outbox("r1", NOON, [LedgerChange(outbox_id=outbox_id, state=state)])
    return folder


def states(store: Store) -> list[str]:
    return store.runs.outbox("r1").get_column("state").to_list()


def test_a_copy_is_held_and_the_original_is_not(shop: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(shop, copy)
    with Store.open(copy, clock=StandingClock()) as store:
        assert states(store) == ["held", "in_doubt", "held", "sent", "failed", "held"]
        assert list(store.runs.held()) == ["r1"]
        assert (store.runs.get("r1").state, store.runs.get("r2").state) == ("paused", "running")
        check = next(check for check in store.doctor().checks if check.name == "sending")
        assert not check.ok
        assert "r1" in check.words
    with Store.open(copy, clock=StandingClock()) as store:
        assert list(store.runs.held()) == ["r1"], "it stays so until somebody decides"
    with Store.open(shop, clock=StandingClock()) as store:
        assert states(store) == list(STATES)
        assert store.runs.held() == {}


def test_a_folder_that_is_moved_goes_on(shop: Path, tmp_path: Path) -> None:
    shop.rename(tmp_path / "moved")
    with Store.open(tmp_path / "moved", clock=StandingClock()) as store:
        assert states(store) == list(STATES)


def test_another_computer_is_another_home(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = home_of(shop / "studio.db")
    monkeypatch.setattr("studio.store.home.computer", lambda: "another")
    assert home_of(shop / "studio.db") != before
    with Store.open(shop, clock=StandingClock()) as store:
        assert list(store.runs.held()) == ["r1"]


def test_released_to_send_what_was_planned_is_planned_again(shop: Path) -> None:
    with Store.open(shop, clock=StandingClock(), home=lambda _: "elsewhere") as store:
        assert store.runs.release("r1", "send") == 3
        assert states(store) == ["planned", "in_doubt", "planned", "sent", "failed", "planned"]
        assert store.runs.held() == {}
        with pytest.raises(UserFixable) as error:
            store.runs.release("r1", "send")
        assert error.value.code == "RUN-NOT-HELD"


def test_released_to_doubt_each_message_is_to_be_looked_up(shop: Path) -> None:
    with Store.open(shop, clock=StandingClock(), home=lambda _: "elsewhere") as store:
        store.runs.release("r1", "doubt")
        assert states(store) == ["in_doubt", "in_doubt", "in_doubt", "sent", "failed", "in_doubt"]


def test_a_restored_backup_is_held_and_says_why(shop: Path) -> None:
    with Store.open(shop, clock=StandingClock()) as store:
        name = store.backup().name
    restore_backup(shop, name, NOON + timedelta(days=1))
    with Store.open(shop, clock=StandingClock()) as store:
        assert states(store) == ["held", "in_doubt", "held", "sent", "failed", "held"]
        assert "restored from a backup" in store.runs.held()["r1"]
