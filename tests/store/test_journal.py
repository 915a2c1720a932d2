"""The journal of edits: what was done last is on disk, what is typed is one entry, old entries go, named ones stay."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from studio.domain.errors import UserFixable
from studio.domain.workflow import Workflow, parse_workflow
from studio.store import Store, journal
from tests.store.conftest import StandingClock

FIRST = Workflow(name="Win-back")


def record(store: Store, name: str, words: str = "Rename", session: str | None = None) -> None:
    text = FIRST.model_copy(update={"name": name}).model_dump_json(by_alias=True)
    store.journal.record("w1", text, name=name, template=None, words=words, session=session)


@pytest.fixture
def library(store: Store) -> Store:
    store.library.save_workflow("w1", FIRST.to_json())
    return store


def test_an_edit_saves_the_workflow_and_keeps_what_it_was(library: Store) -> None:
    record(library, "A")
    record(library, "B")
    assert parse_workflow(library.library.workflow("w1").document).name == "B"
    last, middle, first = library.journal.edits("w1")
    assert [edit.words for edit in (first, middle, last)] == ["As it was", "Rename", "Rename"]
    names = [parse_workflow(library.journal.document("w1", edit.id)).name for edit in (first, middle, last)]
    assert names == ["Win-back", "A", "B"]


def test_what_is_typed_in_one_go_is_one_entry(library: Store) -> None:
    for text in ("C", "Ca", "Car"):
        record(library, text, session="1/label")
    record(library, "Cart", session="2/label")
    assert len(library.journal.edits("w1")) == 3
    kept = library.journal.edits("w1")[1]
    assert parse_workflow(library.journal.document("w1", kept.id)).name == "Car"


def test_only_unnamed_edits_are_let_go(library: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "EDITS_MAX", 3)
    record(library, "Launch")
    named = library.journal.name("w1", "Spring launch")
    for number in range(6):
        record(library, f"N{number}", session="1/label" if number == 0 else None)
    edits = library.journal.edits("w1", limit=99)
    assert [edit.name for edit in edits] == [None, None, None, "Spring launch"]
    assert parse_workflow(library.journal.document("w1", named.id)).name == "Launch"


def test_what_is_not_there_is_said_in_words(library: Store) -> None:
    with pytest.raises(UserFixable, match="no workflow w7"):
        library.journal.record("w7", "{}", name="x", template=None, words="x")
    with pytest.raises(UserFixable, match="no edit 99"):
        library.journal.document("w1", 99)
    with pytest.raises(UserFixable, match="no workflow w7"):
        library.journal.name("w7", "x")


def test_a_named_state_is_not_replaced_by_what_is_typed_next(library: Store) -> None:
    record(library, "A", session="1/label")
    library.journal.name("w1", "Kept")
    record(library, "AB", session="1/label")
    assert [edit.name for edit in library.journal.edits("w1")] == [None, "Kept", None, None]


_CHILD = """
import os, sys
from pathlib import Path
from studio.store import Store
from studio.domain.workflow import Workflow
from tests.store.conftest import StandingClock
store = Store.open(Path(sys.argv[1]), clock=StandingClock())
workflow = Workflow(name="Win-back")
store.library.save_workflow("w1", workflow.to_json())
for number in range(3):
    text = workflow.model_copy(update={"name": f"N{number}"}).model_dump_json(by_alias=True)
    store.journal.record("w1", text, name=f"N{number}", template=None, words="Rename")
os.kill(os.getpid(), 9)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_a_kill_right_after_an_edit_loses_nothing(tmp_path: Path, clock: StandingClock) -> None:
    child = subprocess.run(
        [sys.executable, "-c", _CHILD, str(tmp_path / "w")], cwd=Path.cwd(), env=os.environ, check=False
    )
    assert child.returncode == -9
    with Store.open(tmp_path / "w", clock=clock) as store:
        assert parse_workflow(store.library.workflow("w1").document).name == "N2"
        assert len(store.journal.edits("w1")) == 4
