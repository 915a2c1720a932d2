"""Going back to a backup: nothing is thrown away, and nothing is sent by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.domain.errors import Corrupt, UserFixable
from studio.domain.ports import LedgerChange
from studio.store import Store
from studio.store.restore import restore_backup
from tests.store.conftest import NOON, StandingClock
from tests.store.test_events import append, events, minutes
from tests.store.test_runs import a_run, first_checkpoint, full_checkpoint


@pytest.fixture
def backed_up(folder: Path, clock: StandingClock) -> str:
    """A workspace with a backup, and more done since; its name."""
    with Store.open(folder, clock=clock) as store:
        store.runs.start(a_run(), "{}", first_checkpoint())
        store.runs.commit(full_checkpoint())
        store.runs.change_outbox("r1", NOON, [LedgerChange(outbox_id="o0001", state="sending")])
        store.runs.change_outbox("r1", NOON, [LedgerChange(outbox_id="o0001", state="sent")])
        store.runs.change_outbox("r1", NOON, [LedgerChange(outbox_id="o0002", state="sending")])
        append(store, events([(number, "order", minutes(1)) for number in range(100, 1_300)]))
        backup = store.backup()
        append(store, events([(number, "order", minutes(2)) for number in range(2_000, 3_300)]))
        store.runs.change_outbox("r1", NOON, [LedgerChange(outbox_id="o0003", state="sending")])
    return backup.name


def test_the_backup_takes_the_place_and_nothing_is_thrown_away(
    folder: Path, clock: StandingClock, backed_up: str
) -> None:
    kept = restore_backup(folder, backed_up, minutes(5))
    with Store.open(folder, clock=clock) as store:
        assert store.projections.count() == 1_205
        assert store.runs.outbox("r1")["state"].to_list() == ["sent", "in_doubt", "held", "held", "held"]
        assert [check.name for check in store.doctor().checks if not check.ok] == ["sending"]
        assert [backup.name for backup in store.backups()] == [backed_up]
    with Store.open(kept, clock=clock, create=False) as before:
        assert before.projections.count() == 2_505
        assert before.runs.outbox("r1")["state"].to_list()[2] == "sending"
    again = restore_backup(folder, backed_up, minutes(5))
    assert again != kept


def test_a_damaged_workspace_is_replaced(folder: Path, clock: StandingClock, backed_up: str) -> None:
    (folder / "studio.db").write_bytes(b"nothing of use" * 500)
    for path in (folder / "events").iterdir():
        path.unlink()
    restore_backup(folder, backed_up, minutes(5))
    with Store.open(folder, clock=clock) as store:
        assert store.projections.scan(["event_id"]).collect().height == 1_205


def test_a_damaged_backup_changes_nothing(folder: Path, clock: StandingClock, backed_up: str) -> None:
    backup = folder / "backups" / backed_up
    segment = next(iter((backup / "events").iterdir()))
    segment.unlink()
    with pytest.raises(Corrupt, match="backup is damaged"):
        restore_backup(folder, backed_up, minutes(5))
    (backup / "studio.db").write_bytes(b"nothing of use" * 500)
    with pytest.raises(Corrupt, match="backup is damaged"):
        restore_backup(folder, backed_up, minutes(5))
    with Store.open(folder, clock=clock) as store:
        assert store.projections.count() == 2_505


def test_what_cannot_be_restored_is_said(folder: Path, clock: StandingClock, backed_up: str) -> None:
    with pytest.raises(UserFixable, match="no backup 1999"):
        restore_backup(folder, "1999", minutes(5))
    with Store.open(folder, clock=clock), pytest.raises(UserFixable, match="open in another program"):
        restore_backup(folder, backed_up, minutes(5))
