"""The window's head: which workspace is open, which others there are, and how the workspace is."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from pytestqt.qtbot import QtBot

from studio.domain.clock import utc_now
from studio.domain.errors import UserFixable
from studio.domain.ports import Checkpoint, RunRow
from studio.ui import app, rescue
from studio.ui.faults import faults
from studio.ui.workspaces import RecentWorkspaces
from studio.workspace.workspace import Workspace
from tests.ui.conftest import PATIENCE_MS


def words(studio: app.Studio) -> str:
    return studio.window.top_bar.status.text()


def add_run(workspace: Workspace, run_id: str, state: str, name: str = "Win back") -> None:
    now = utc_now()
    row = RunRow(
        run_id=run_id,
        workflow_id="w1",
        version="v1",
        name=name,
        mode="simulate",
        seed=1,
        clock="max",
        state="running",
        started_at=now,
        at=now,
    )
    runs = workspace.runs._store.runs
    runs.start(row, '{"name": "Test"}', Checkpoint(run_id=run_id, at=now))
    runs.commit(Checkpoint(run_id=run_id, at=now, state=state))  # type: ignore[arg-type] - one of the run states


def test_the_pill_says_what_is_wrong_until_it_has_been_put_right(qtbot: QtBot, studio: app.Studio) -> None:
    qtbot.waitUntil(lambda: words(studio) == "All systems fine", timeout=PATIENCE_MS)
    add_run(studio.workspace, "r1", "failed")
    studio._feel_pulse()
    qtbot.waitUntil(lambda: words(studio) == "Win back stopped", timeout=PATIENCE_MS)
    add_run(studio.workspace, "r2", "done")
    studio._feel_pulse()
    qtbot.waitUntil(lambda: words(studio) == "All systems fine", timeout=PATIENCE_MS)


def test_another_workspace_takes_the_window_over_and_the_first_is_offered_again(
    qtbot: QtBot, studio: app.Studio, tmp_path: Path
) -> None:
    before = len(app.open_windows())
    studio.open_workspace(tmp_path / "second")
    qtbot.waitUntil(lambda: len(app.open_windows()) > before, timeout=PATIENCE_MS)
    second = app.open_windows()[-1]
    assert second.workspace.folder == tmp_path / "second"
    menu = second.window.top_bar.workspace.menu_of()
    assert menu is not None
    assert menu.actions()[0].text() == "Open first"
    second.window.commands.run("workspace.recent.0")
    qtbot.waitUntil(lambda: app.open_windows()[-1] is not second, timeout=PATIENCE_MS)
    assert app.open_windows()[-1].workspace.folder == tmp_path / "first"


def test_a_folder_with_other_things_in_it_is_refused_and_the_window_stays(
    qtbot: QtBot, studio: app.Studio, tmp_path: Path
) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("Dear", encoding="utf-8")
    with qtbot.waitSignal(faults().reported) as told:
        studio.open_workspace(tmp_path / "letters")
    assert told.args[0].happened == "letters is not a Flowlight Studio workspace."
    assert studio.window.isVisible()
    assert list((tmp_path / "letters").iterdir()) == [tmp_path / "letters" / "dear.txt"]


def test_folders_that_are_gone_are_not_offered(tmp_path: Path) -> None:
    kept = QSettings(str(tmp_path / "kept.ini"), QSettings.Format.IniFormat)
    recent = RecentWorkspaces(kept)
    for name in ("a", "b"):
        Workspace.open(tmp_path / name).close()
        recent.remember(tmp_path / name)
    recent.remember(tmp_path / "never made")
    assert RecentWorkspaces(kept).folders() == [tmp_path / "b", tmp_path / "a"]


@pytest.mark.parametrize(
    ("platform", "expected"), [("xcb", ["It is open elsewhere. Close it there."]), ("offscreen", [])]
)
def test_a_start_that_fails_is_told_where_somebody_sees_it(
    monkeypatch: pytest.MonkeyPatch, platform: str, expected: list[str]
) -> None:
    said: list[str] = []
    monkeypatch.setattr(rescue.QGuiApplication, "platformName", lambda: platform)
    monkeypatch.setattr(rescue.QMessageBox, "critical", lambda _parent, _title, text: said.append(text))
    rescue.tell_without_window(UserFixable("STORE-IN-USE", "It is open elsewhere.", hint="Close it there."))
    assert said == expected
