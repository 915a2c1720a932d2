"""A copy of the workspace and the way back to one, as typed: also when the workspace can no longer be opened."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from studio.store import Store
from tests.cli.terminal import done, studio
from tests.store.conftest import StandingClock


def people(folder: Path) -> int:
    with Store.open(folder, clock=StandingClock()) as store:
        return store.contacts.count()


def add_people(folder: Path, *keys: str) -> None:
    with Store.open(folder, clock=StandingClock()) as store:
        store.contacts.upsert_contacts(pl.DataFrame({"key": list(keys)}), "list")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A workspace with two people."""
    folder = tmp_path / "shop"
    add_people(folder, "anna", "ben")
    return folder


def test_what_was_done_since_a_backup_is_set_aside_and_can_be_had_again(shop: Path) -> None:
    name = done("backup", workspace=shop)["backup"]
    assert [backup["name"] for backup in done("backup", "--list", workspace=shop)["backups"]] == [name]
    add_people(shop, "cleo")
    told = done("restore", name, workspace=shop)
    assert (told["backup"], people(shop), people(Path(told["set_aside"]))) == (name, 2, 3)


def test_a_damaged_workspace_names_the_command_that_brings_it_back(shop: Path) -> None:
    name = done("backup", workspace=shop)["backup"]
    whole = (shop / "studio.db").read_bytes()
    (shop / "studio.db").write_bytes(whole[:4096] + b"\x00" * (len(whole) - 4096))
    (shop / "studio.lock").write_text("process 1")
    refused = studio("runs", workspace=shop)
    assert (refused.code, refused.document["error"]["code"]) == (1, "STORE-CORRUPT")
    assert refused.document["error"]["hint"].endswith(f"studio restore {name}")
    assert done("restore", workspace=shop)["backup"] == name, "the newest, where none is named"
    assert people(shop) == 2


def test_what_there_is_none_of_is_said_with_what_there_is(shop: Path) -> None:
    assert studio("backup", "--list", workspace=shop, as_json=False).out.strip() == "There is no backup."
    none = studio("restore", workspace=shop)
    assert (none.code, none.document["error"]["code"]) == (2, "BACKUP-NONE")
    name = done("backup", workspace=shop)["backup"]
    unknown = studio("restore", "yesterday", workspace=shop).document["error"]
    assert (unknown["code"], unknown["hint"]) == ("BACKUP-UNKNOWN", f"There are: {name}.")


def test_a_workspace_that_is_open_is_left_alone(shop: Path) -> None:
    done("backup", workspace=shop)
    with Store.open(shop, clock=StandingClock()):
        said = studio("restore", workspace=shop)
    assert (said.code, said.document["error"]["code"]) == (2, "STORE-IN-USE")


def test_who_sends_and_own_templates_are_in_it_and_what_is_only_here_stays(shop: Path) -> None:
    (shop / "sending.json").write_text('{"from": "shop@example.invalid"}')
    (shop / "templates" / "mine").mkdir(parents=True)
    (shop / "templates" / "mine" / "template.json").write_text("first")
    (shop / "files" / "reports").mkdir(parents=True)
    (shop / "files" / "reports" / "week.html").write_text("can be made again")
    done("backup", workspace=shop)
    (shop / "sending.json").write_text('{"from": "other@example.invalid"}')
    (shop / "templates" / "mine" / "template.json").write_text("second")
    (shop / "templates" / "new.json").write_text("made since")
    aside = Path(done("restore", workspace=shop)["set_aside"])
    assert "shop@" in (shop / "sending.json").read_text()
    assert "other@" in (aside / "sending.json").read_text()
    assert (shop / "templates" / "mine" / "template.json").read_text() == "first"
    assert (aside / "templates" / "mine" / "template.json").read_text() == "second"
    assert (shop / "templates" / "new.json").read_text() == "made since"
    assert not (aside / "files" / "reports").exists()
