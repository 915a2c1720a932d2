"""A run of the very workflow that stands on the canvas leaves it there: undo and what is chosen are not lost."""

from __future__ import annotations

import polars as pl
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from studio.domain.workflow import Workflow
from studio.ui import app, background
from studio.ui.faults import faults
from studio.ui.screens.canvas.screen import StudioCanvas
from studio.workspace.runs import RunOptions
from tests.ui.test_version_move import START, waiting


def test_starting_a_run_keeps_undo_and_what_is_chosen(qtbot: QtBot, studio: app.Studio) -> None:
    workspace = studio.workspace
    workspace._store.contacts.upsert_contacts(pl.DataFrame({"key": ["a"]}), "test")
    workflow_id = workspace.workflows.add(waiting("P7D"))
    studio.open_workflow(workflow_id)
    canvas = studio.window.pages.page
    assert isinstance(canvas, StudioCanvas)
    qtbot.waitUntil(lambda: canvas.workflow_id == workflow_id and not background.under_way(), timeout=20_000)
    canvas.document.set_name("Renamed")
    canvas.selection.set({"wait"})
    qtbot.waitUntil(lambda: workspace.workflows.get(workflow_id).name == "Renamed", timeout=20_000)
    options = RunOptions(as_of=START, until=START.replace(day=2))
    run_id = workspace.runs.start(canvas.workflow, options, workflow_id=workflow_id)
    workspace.runs.wait(run_id)
    canvas.open_run(run_id)
    qtbot.waitUntil(lambda: canvas.run_id == run_id and not background.under_way(), timeout=20_000)
    assert canvas.selection.single == "wait"
    canvas.document.undo()
    assert canvas.workflow.name == "W"


def test_two_clicks_on_run_are_one_run(qtbot: QtBot, studio: app.Studio) -> None:
    workspace = studio.workspace
    workspace._store.contacts.upsert_contacts(pl.DataFrame({"key": ["a"]}), "test")
    workflow_id = workspace.workflows.add(waiting("P7D"))
    studio.open_workflow(workflow_id)
    canvas = studio.window.pages.page
    assert isinstance(canvas, StudioCanvas)
    qtbot.waitUntil(lambda: canvas.workflow_id == workflow_id and not background.under_way(), timeout=20_000)
    said: list[str] = []
    faults().reported.connect(lambda fault: said.append(fault.happened))
    canvas.run_bar.run.click()
    QTest.keyClick(canvas.view, Qt.Key.Key_F5)
    canvas.run_bar.run.click()
    qtbot.waitUntil(lambda: bool(canvas.run_id) and not background.under_way(), timeout=20_000)
    workspace.runs.wait(canvas.run_id)
    assert [run.run_id for run in workspace.runs.list()] == [canvas.run_id]
    assert said == []


def test_f5_is_the_run_button(qtbot: QtBot, studio: app.Studio) -> None:
    workflow_id = studio.workspace.workflows.add(Workflow(name="Empty"))
    studio.open_workflow(workflow_id)
    canvas = studio.window.pages.page
    assert isinstance(canvas, StudioCanvas)
    qtbot.waitUntil(lambda: canvas.workflow_id == workflow_id and not background.under_way(), timeout=20_000)
    wanted: list[bool] = []
    canvas.run_requested.connect(lambda: wanted.append(True))
    QTest.keyClick(canvas.view, Qt.Key.Key_F5)
    assert wanted == [], "an empty workflow cannot be run"
    canvas.editor.add("trigger.manual")
    QTest.keyClick(canvas.view, Qt.Key.Key_F5)
    assert wanted == [True]
    qtbot.waitUntil(lambda: not background.under_way(), timeout=20_000)
