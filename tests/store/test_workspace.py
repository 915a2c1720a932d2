"""Opening: what is refused in words, who owns a workspace, what an unclean end leaves."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from studio.domain.errors import Corrupt, StudioError, UserFixable
from studio.store import Store, database, opening, schema
from studio.store.segments import SUFFIX
from studio.store.upgrade import configuration
from tests.store.conftest import StandingClock
from tests.store.test_events import append, events, minutes


def test_a_new_workspace_has_its_folders_and_opens_again(folder: Path, clock: StandingClock) -> None:
    with Store.open(folder, clock=clock) as store:
        append(store, events([(1, "order", minutes(1))]))
    assert {path.name for path in folder.iterdir() if path.is_dir()} == {"events", "files", "mail", "backups"}
    with Store.open(folder, clock=clock, create=False) as store:
        assert store.projections.count() == 1


def test_the_tables_are_the_declared_ones(store: Store) -> None:
    with store.transaction() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
        created = sa.inspect(connection).get_table_names()
    assert set(created) == {*schema.metadata.tables, "alembic_version"}
    scripts = ScriptDirectory.from_config(configuration())
    assert tuple(script.revision for script in reversed(list(scripts.walk_revisions()))) == schema.REVISIONS


def test_the_indexes_and_keys_are_the_declared_ones(store: Store) -> None:
    declared = sa.create_engine("sqlite://")
    schema.metadata.create_all(declared)
    query = """
        SELECT name, replace(replace(sql, char(10), ''), char(9), '') FROM sqlite_master
         WHERE sql IS NOT NULL AND type != 'trigger'
    """
    with store.transaction() as ours, declared.connect() as theirs:
        made = {name: sql for name, sql in ours.exec_driver_sql(query) if name != "alembic_version"}
        wanted = dict(tuple(row) for row in theirs.exec_driver_sql(query))
    declared.dispose()
    assert {name: _parts(sql) for name, sql in made.items()} == {name: _parts(sql) for name, sql in wanted.items()}


def _parts(sql: str) -> list[str]:
    """What a table is made of, in any order: a column that came later stands behind the keys."""
    return sorted(part.replace(" ", "").rstrip(")") for part in sql.split(","))


def test_pragmas_hold_on_every_connection(store: Store) -> None:
    with store.transaction() as connection:
        said = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "secure_delete", "foreign_keys", "trusted_schema")
        }
    assert said == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1, "trusted_schema": 0}


def test_an_old_sqlite_is_refused(folder: Path, clock: StandingClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database.dbapi2, "sqlite_version_info", (3, 51, 2))
    with pytest.raises(StudioError, match=r"older than 3\.51\.3"):
        Store.open(folder, clock=clock)


def test_a_missing_workspace_is_not_made_unasked(folder: Path, clock: StandingClock) -> None:
    with pytest.raises(UserFixable, match="no workspace here") as error:
        Store.open(folder, clock=clock, create=False)
    assert error.value.code == "STORE-MISSING"
    assert not folder.exists()


@pytest.mark.parametrize("content", [b"hello, this is a letter to my aunt\n" * 300, b"x"])
def test_a_file_of_something_else_is_refused_and_kept(folder: Path, clock: StandingClock, content: bytes) -> None:
    folder.mkdir()
    (folder / "studio.db").write_bytes(content)
    with pytest.raises(UserFixable) as error:
        Store.open(folder, clock=clock)
    assert error.value.code == "STORE-NOT-WORKSPACE"
    assert (folder / "studio.db").read_bytes() == content


def test_a_database_of_another_program_is_refused_and_kept(folder: Path, clock: StandingClock) -> None:
    folder.mkdir()
    with closing(sqlite3.connect(folder / "studio.db")) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
        other.commit()
    before = (folder / "studio.db").read_bytes()
    with pytest.raises(UserFixable, match="not a Flowlight Studio workspace"):
        Store.open(folder, clock=clock)
    assert (folder / "studio.db").read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["studio.db"]


def test_a_file_where_the_folder_should_be_is_refused(tmp_path: Path, clock: StandingClock) -> None:
    (tmp_path / "shop").write_text("hello")
    with pytest.raises(UserFixable, match="not a Flowlight Studio workspace"):
        Store.open(tmp_path / "shop", clock=clock)


@pytest.mark.parametrize("read_only", [False, True])
def test_a_newer_workspace_is_refused_and_kept(folder: Path, clock: StandingClock, read_only: bool) -> None:
    Store.open(folder, clock=clock).close()
    with closing(sqlite3.connect(folder / "studio.db")) as newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
        newer.commit()
    before = (folder / "studio.db").read_bytes()
    with pytest.raises(UserFixable, match="newer version") as error:
        Store.open(folder, clock=clock, read_only=read_only)
    assert error.value.code == "STORE-NEWER"
    assert error.value.hint is not None
    assert (folder / "studio.db").read_bytes() == before


def test_an_older_workspace_is_backed_up_before_it_is_upgraded(
    folder: Path, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(folder, clock=clock) as store:
        append(store, events([(number, "order", minutes(1)) for number in range(1_500)]))
    monkeypatch.setattr(opening, "REVISIONS", (*schema.REVISIONS, "9999"))
    monkeypatch.setattr("studio.store.store.NEWEST", "9999")
    with pytest.raises(UserFixable, match="older version"):
        Store.open(folder, clock=clock, read_only=True)
    with Store.open(folder, clock=clock) as store:
        [backup] = store.backups()
        assert backup.name.endswith("before-9999")
        assert store.projections.count() == 1_500
    with Store.open(backup.path, clock=clock, create=False) as restored:
        assert restored.projections.count() == 1_500


def test_a_second_process_is_refused_by_name_but_may_read(store: Store) -> None:
    append(store, events([(1, "order", minutes(1))]))
    script = """
import sys, json
from pathlib import Path
from studio.domain.clock import utc_now
from studio.domain.errors import UserFixable
from studio.store import Store
class Now:
    now = staticmethod(utc_now)
try:
    Store.open(Path(sys.argv[1]), clock=Now())
except UserFixable as error:
    said = [error.code, error.message]
with Store.open(Path(sys.argv[1]), clock=Now(), read_only=True) as reader:
    print(json.dumps([*said, reader.projections.count()]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(store.folder)], capture_output=True, text=True, check=True, timeout=60
    )
    code, message, count = json.loads(done.stdout)
    assert (code, count) == ("STORE-IN-USE", 1)
    assert f"process {__import__('os').getpid()}" in message


def test_a_read_only_store_sees_what_the_owner_adds(store: Store, clock: StandingClock) -> None:
    with Store.open(store.folder, clock=clock, read_only=True) as reader:
        assert reader.projections.count() == 0
        append(store, events([(number, "order", minutes(1)) for number in range(3)]))
        assert reader.projections.count() == 3
        append(store, events([(number, "order", minutes(1)) for number in range(10, 1_500)]))
        with store.transaction() as connection:
            store.log.seal(connection)
        assert reader.projections.count() == 1_493
        with pytest.raises(AssertionError):
            reader.contacts.upsert_contacts(pl.DataFrame({"key": ["a"]}), "x")


def test_the_owner_can_open_again_after_closing(folder: Path, clock: StandingClock) -> None:
    store = Store.open(folder, clock=clock)
    with pytest.raises(UserFixable, match="open in another program"):
        Store.open(folder, clock=clock)
    store.close()
    store.close()
    Store.open(folder, clock=clock).close()


def _spoil(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek(4_096 * page + 100)
        file.write(bytes(range(250)) * 4)


def test_damage_is_found_after_an_unclean_end_and_a_backup_offered(folder: Path, clock: StandingClock) -> None:
    with Store.open(folder, clock=clock) as store:
        store.contacts.upsert_contacts(pl.DataFrame({"key": [f"key {n}" for n in range(5_000)]}), "list")
        store.backup()
        pages = (folder / "studio.db").stat().st_size // 4_096
    _spoil(folder / "studio.db", pages // 2)
    (folder / "studio.lock").write_text("process 1")
    with pytest.raises(Corrupt, match="damaged") as error:
        Store.open(folder, clock=clock)
    assert error.value.code == "STORE-CORRUPT"
    assert error.value.hint == "Restore the backup of 02 March 2026, 12:00 UTC: studio restore 20260302T120000Z"
    assert (folder / "studio.lock").read_text() != ""


def test_a_clean_end_is_not_checked_again(folder: Path, clock: StandingClock, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[object] = []
    monkeypatch.setattr("studio.store.store.require_sound", looked.append)
    Store.open(folder, clock=clock).close()
    Store.open(folder, clock=clock).close()
    assert looked == []
    (folder / "studio.lock").write_text("process 1")
    Store.open(folder, clock=clock).close()
    assert len(looked) == 1


def test_files_nobody_knows_are_removed_at_open(folder: Path, clock: StandingClock) -> None:
    with Store.open(folder, clock=clock) as store:
        append(store, events([(number, "order", minutes(1)) for number in range(1_000)]))
        [kept] = store.log.folder.iterdir()
    for name in (f"20260101-abc{SUFFIX}", "20260101-def.tmp"):
        (folder / "events" / name).write_bytes(b"half")
    (folder / "events" / "README.txt").write_text("mine")
    with Store.open(folder, clock=clock, read_only=True) as reader:
        assert not next(check for check in reader.doctor().checks if check.name == "left-overs").ok
    with Store.open(folder, clock=clock):
        assert sorted(path.name for path in (folder / "events").iterdir()) == sorted([kept.name, "README.txt"])


def test_a_backup_is_a_workspace_of_its_own(store: Store, clock: StandingClock) -> None:
    append(store, events([(number, "order", minutes(1)) for number in range(1_200)]))
    append(store, events([(5_000, "order", minutes(1))]))
    backup = store.backup()
    again = store.backup()
    assert [found.name for found in store.backups()] == [again.name, backup.name]
    append(store, events([(6_000, "order", minutes(1))]))
    with Store.open(backup.path, clock=clock) as copy:
        assert copy.projections.count() == 1_201
        append(copy, events([(7_000, "order", minutes(1))]))
    assert store.projections.count() == 1_202


def test_a_backup_without_all_its_events_is_not_made(store: Store) -> None:
    append(store, events([(number, "order", minutes(1)) for number in range(1_200)]))
    [segment] = store.log.folder.iterdir()
    segment.write_bytes(segment.read_bytes()[:-10])
    with pytest.raises(Corrupt, match="missing or cut"):
        store.backup()
    assert store.backups() == []
    assert list((store.folder / "backups").iterdir()) == []


def test_the_doctor_says_what_is_wrong(store: Store) -> None:
    append(store, events([(number, "order", minutes(1)) for number in range(1_200)]))
    store.backup()
    health = store.doctor()
    assert health.ok, [check for check in health.checks if not check.ok]
    assert (health.events, health.segments, health.backups, health.revision) == (1_200, 1, 1, schema.REVISIONS[-1])
    [segment] = store.log.folder.iterdir()
    segment.write_bytes(segment.read_bytes()[:-1] + b"!")
    wrong = [check for check in store.doctor().checks if not check.ok]
    assert [check.name for check in wrong] == ["event files"]
    assert "was changed" in wrong[0].words
    segment.unlink()
    assert "missing" in next(check for check in store.doctor().checks if not check.ok).words
