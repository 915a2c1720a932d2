"""The debugger through the real window: a run that holds, its data, one contact's way, pins, comparing two runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.domain.debugging import parse_breakpoint
from studio.domain.workflow import Workflow, parse_workflow
from studio.ui import app, background
from studio.ui.application import prepare
from studio.ui.canvas.menus import Entry
from studio.ui.screens.canvas.screen import StudioCanvas
from studio.workspace.workspace import Workspace
from tests.cli.terminal import done
from tests.journeys.waiting import calls_that_wait

PATIENCE_MS = 60_000
FLOW = {
    "format": "studio.workflow/1",
    "name": "Old customers",
    "nodes": [
        {"id": "start", "type": "trigger.manual"},
        {"id": "old", "type": "audience.filter", "label": "Old customers", "parameters": {"rule": "age >= 10"}},
        {
            "id": "group",
            "type": "exp.split",
            "label": "Which half?",
            "parameters": {"variants": [{"id": "A"}, {"id": "B"}]},
        },
        {"id": "end", "type": "flow.exit", "parameters": {"reason": "done"}},
    ],
    "edges": [
        {"from": ["start", "out"], "to": ["old", "in"]},
        {"from": ["old", "pass"], "to": ["group", "in"]},
        {"from": ["group", "A"], "to": ["end", "in"]},
        {"from": ["group", "B"], "to": ["end", "in"]},
    ],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty people of ages 0 to 39."""
    folder = tmp_path_factory.mktemp("debugger")
    people, mapping = folder / "people.csv", folder / "people.toml"
    people.write_text("email,age\n" + "".join(f"p{i}@example.com,{i}\n" for i in range(40)))
    mapping.write_text('key = "email"\nemail = "email"\n[properties]\nage = "age"\n')
    done("contacts", "import", people, "--map", mapping, workspace=folder / "shop")
    return folder / "shop"


@pytest.fixture
def studio(qtbot: QtBot, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[app.Studio]:
    prepare()
    waiting = calls_that_wait(monkeypatch)
    opened = app.Studio(Workspace.open(folder), keep_size=False)
    opened.window.resize(1440, 900)
    opened.window.show()
    yield opened
    qtbot.waitUntil(lambda: not background.under_way(), timeout=PATIENCE_MS)
    opened.close()
    opened.window.close()
    opened.window.deleteLater()
    assert waiting == []


@pytest.fixture
def canvas(qtbot: QtBot, studio: app.Studio) -> StudioCanvas:
    workflow: Workflow = parse_workflow(json.dumps(FLOW))
    workflow_id = studio.workspace.workflows.add(workflow)
    studio.open_workflow(workflow_id)
    page = studio.window.pages.page
    assert isinstance(page, StudioCanvas)
    settle(qtbot)
    return page


def settle(qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not background.under_way(), timeout=PATIENCE_MS)
    QApplication.processEvents()


def run(qtbot: QtBot, canvas: StudioCanvas, state: str) -> None:
    before = canvas.run_id
    qtbot.waitUntil(canvas.run_bar.run.isEnabled, timeout=PATIENCE_MS)
    canvas.run_bar.run.click()
    qtbot.waitUntil(lambda: canvas.run_id not in ("", before), timeout=PATIENCE_MS)
    reach(qtbot, canvas, state)


def reach(qtbot: QtBot, canvas: StudioCanvas, state: str) -> None:
    qtbot.waitUntil(lambda: canvas.watch.live is not None and canvas.watch.live.state == state, timeout=PATIENCE_MS)
    settle(qtbot)


def entry(entries: tuple[Entry, ...], words: str) -> Entry:
    lines = [line for one in entries for line in (one, *one.more)]
    return next(line for line in lines if line.words == words)


def test_a_run_holds_where_a_breakpoint_says_shows_its_data_and_goes_on_step_by_step(
    qtbot: QtBot, canvas: StudioCanvas
) -> None:
    canvas.choose("group")
    entry(canvas.menus.entries(), "Hold before this step").run()
    assert canvas.scene.nodes["group"].mark.word == "holds here"
    run(qtbot, canvas, "paused")
    banner = canvas.debug.banner
    qtbot.waitUntil(banner.isVisible, timeout=PATIENCE_MS)
    assert banner.title.text() == "The run holds before “Which half?”"
    assert "30 people stand before" in banner.why.text()
    canvas.choose("old")
    canvas.debug.open(canvas.debug.data)
    qtbot.waitUntil(lambda: canvas.debug.data.table is not None, timeout=PATIENCE_MS)
    assert canvas.debug.data.told.text().replace("\u00a0", " ").startswith("30 sampled rows of 30")
    canvas.debug.data.search.setText("age:39")
    assert [row["contact"] for row in canvas.debug.data.table.rows()] == ["p39@example.com"]
    canvas.debug.data.search.clear()
    banner.next_step.click()
    qtbot.waitUntil(lambda: canvas.watch.live.step("group").arrived == 30, timeout=PATIENCE_MS)
    reach(qtbot, canvas, "paused")
    assert canvas.watch.live.step("end").arrived == 0
    banner.go_on.click()
    reach(qtbot, canvas, "done")
    qtbot.waitUntil(lambda: not banner.isVisible(), timeout=PATIENCE_MS)
    assert canvas.watch.live.step("end").arrived == 30


def test_one_contact_is_followed_and_his_way_lights_up(qtbot: QtBot, canvas: StudioCanvas) -> None:
    run(qtbot, canvas, "done")
    follow = canvas.debug.follow
    canvas.debug.open(follow)
    follow.search.setText("p25@example.com")
    follow.follow.click()
    qtbot.waitUntil(lambda: bool(follow.table.rows()), timeout=PATIENCE_MS)
    assert [line.step for line in follow.table.rows() if line.node_id][1:3] == ["Old customers", "Which half?"]
    marked = {node_id for node_id, item in canvas.scene.nodes.items() if item.mark is not None}
    assert marked == {"start", "old", "group", "end"}
    follow.search.setText("p3@example.com")
    follow.follow.click()
    qtbot.waitUntil(lambda: canvas.scene.nodes["end"].mark is None, timeout=PATIENCE_MS)
    assert canvas.scene.nodes["old"].mark.word == "2 · does not fit"
    follow.end.click()
    assert not any(item.mark for item in canvas.scene.nodes.values())


def test_pinned_data_is_used_instead_of_running_and_an_edit_makes_results_out_of_date(
    qtbot: QtBot, canvas: StudioCanvas
) -> None:
    run(qtbot, canvas, "done")
    canvas.choose("old")
    entry(canvas.menus.entries(), "Pin its data").run()
    settle(qtbot)
    assert canvas.scene.nodes["old"].mark.word == "pinned"
    canvas.document.set_parameters("old", {"rule": "age >= 39"})
    qtbot.waitUntil(lambda: canvas.scene.nodes["group"].mark is not None, timeout=PATIENCE_MS)
    assert canvas.scene.nodes["group"].mark.word == "out of date"
    run(qtbot, canvas, "done")
    assert canvas.watch.live.step("group").arrived == 30, "the pinned people came, not those of the new rule"
    canvas.choose("old")
    canvas.debug.open(canvas.debug.data)
    settle(qtbot)
    data = canvas.debug.data
    qtbot.waitUntil(lambda: data.where is not None, timeout=PATIENCE_MS)
    data.where.set_value("pinned")
    data.where.chosen.emit("pinned")
    data.pinned_rows.table.selectRow(0)
    data.pinned_rows.away.click()
    settle(qtbot)
    data.pinned_rows.change.setText("cart_value = 80")
    data.pinned_rows.all.click()
    settle(qtbot)
    run(qtbot, canvas, "done")
    assert canvas.watch.live.step("group").arrived == 29
    canvas.choose("group")
    qtbot.waitUntil(lambda: data.table is not None and "var.cart_value" in data.table.rows()[0], timeout=PATIENCE_MS)
    assert {row["var.cart_value"] for row in data.table.rows()} == {80}
    canvas.choose("old")
    entry(canvas.menus.entries(), "Unpin its data").run()
    run(qtbot, canvas, "done")
    assert canvas.watch.live.step("group").arrived == 1


def test_two_runs_are_compared_with_the_cause_first(qtbot: QtBot, canvas: StudioCanvas) -> None:
    run(qtbot, canvas, "done")
    first = canvas.run_id
    canvas.document.set_parameters("old", {"rule": "age >= 35"})
    run(qtbot, canvas, "done")
    compare = canvas.debug.compare
    canvas.debug.open(compare)
    settle(qtbot)
    compare.compare_wanted.emit(first)
    qtbot.waitUntil(lambda: bool(compare.table.rows()), timeout=PATIENCE_MS)
    top = compare.table.rows()[0]
    assert (top.kind, top.node) == ("parameter", "old")
    assert "35" in top.words


def test_a_part_of_the_workflow_is_run_up_to_a_step(qtbot: QtBot, canvas: StudioCanvas) -> None:
    canvas.choose("old")
    entry(canvas.menus.entries(), "Run up to here").run()
    qtbot.waitUntil(lambda: bool(canvas.run_id), timeout=PATIENCE_MS)
    reach(qtbot, canvas, "done")
    assert canvas.watch.live.step("old").arrived == 40
    assert canvas.watch.live.step("group").arrived == 0


def test_breakpoints_are_kept_with_the_workflow(qtbot: QtBot, canvas: StudioCanvas, studio: app.Studio) -> None:
    canvas.debug.breakpoints.toggle(parse_breakpoint("empty:old.pass"))
    settle(qtbot)
    kept = studio.workspace.debugging.kept_breakpoints(canvas.workflow_id)
    assert [str(given) for given in kept] == ["empty:old.pass"]
    assert canvas.debug.breakpoints.title() == "Breakpoints (1)"
    canvas.debug.breakpoints.toggle(parse_breakpoint("empty:old.pass"))
    settle(qtbot)
    assert studio.workspace.debugging.kept_breakpoints(canvas.workflow_id) == ()


def test_a_dry_run_says_who_would_come_where_without_a_run(
    qtbot: QtBot, canvas: StudioCanvas, studio: app.Studio
) -> None:
    before = len(studio.workspace.runs.list())
    studio.window.commands.run("canvas.dry-run")
    qtbot.waitUntil(lambda: bool(canvas.debug.dry_run.table.rows()), timeout=PATIENCE_MS)
    lines = {line.node_id: line for line in canvas.debug.dry_run.table.rows()}
    assert (lines["old"].people, lines["group"].people) == (40, 30)
    assert lines["old"].ways == "fits 30, does not fit 10"
    assert canvas.scene.nodes["group"].mark.word.replace("\u00a0", " ") == "30 people"
    assert len(studio.workspace.runs.list()) == before
    canvas.document.set_parameters("old", {"rule": "age >= 39"})
    settle(qtbot)
    assert canvas.debug.dry_run.table.rows() == [], "what was reckoned does not hold for another workflow"


def test_by_keys_alone_from_an_empty_canvas_to_a_run_and_a_mended_mistake(qtbot: QtBot, studio: app.Studio) -> None:
    """Whom the rule let through is counted by the ages in the file: ten to thirty-nine."""
    studio.open_workflow(studio.workspace.workflows.add(Workflow(name="By keys")))
    canvas = studio.window.pages.page
    assert isinstance(canvas, StudioCanvas)
    settle(qtbot)

    def press(key: Qt.Key) -> None:
        QTest.keyClick(studio.window.focusWidget(), key)
        QApplication.processEvents()

    def add(words: str) -> None:
        press(Qt.Key.Key_A)
        QTest.keyClicks(studio.window.focusWidget(), words)
        press(Qt.Key.Key_Return)

    def write_rule(text: str) -> None:
        press(Qt.Key.Key_Return)
        QTest.keyClick(studio.window.focusWidget(), Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        QTest.keyClicks(studio.window.focusWidget(), text)
        press(Qt.Key.Key_Escape)
        if studio.window.focusWidget() is not canvas.view:  # the first one closed the list of names
            press(Qt.Key.Key_Escape)

    def through() -> int:
        before = canvas.run_id
        press(Qt.Key.Key_F5)
        qtbot.waitUntil(lambda: canvas.run_id not in ("", before), timeout=PATIENCE_MS)
        reach(qtbot, canvas, "done")
        return canvas.watch.live.step("exit").arrived

    for words in ("start by hand", "filter"):
        add(words)
    write_rule("agee >= 10")
    add("exit")
    assert [node.id for node in canvas.workflow.nodes] == ["manual", "filter", "exit"]
    press(Qt.Key.Key_Left)
    assert canvas.selection.single == "filter"
    qtbot.waitUntil(lambda: "agee" in canvas.scene.nodes["filter"].face.problem, timeout=PATIENCE_MS)
    assert through() == 0
    assert canvas.selection.single == "filter"
    write_rule("age >= 10")
    qtbot.waitUntil(lambda: not canvas.scene.nodes["filter"].face.problem, timeout=PATIENCE_MS)
    assert through() == 30
