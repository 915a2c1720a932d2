"""A run of the very workflow that stands on the canvas leaves it there: undo and what is chosen are not lost."""

from __future__ import annotations

import polars as pl
from pytestqt.qtbot import QtBot

from studio.ui import app, background
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
