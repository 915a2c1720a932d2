"""A run of an older version in the window: who waits is told, and goes on in the current one when that is agreed."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import polars as pl
from pytestqt.qtbot import QtBot

from studio.domain.workflow import Workflow, parse_workflow
from studio.ui import app, background
from studio.ui.screens.canvas.screen import StudioCanvas
from studio.workspace.runs import RunOptions

START = datetime(2026, 10, 1, tzinfo=UTC)


def waiting(duration: str) -> Workflow:
    nodes = [
        {"id": "start", "type": "trigger.manual"},
        {"id": "wait", "type": "flow.delay", "parameters": {"duration": duration}},
        {"id": "end", "type": "flow.exit"},
    ]
    edges = [{"from": ["start", "out"], "to": ["wait", "in"]}, {"from": ["wait", "out"], "to": ["end", "in"]}]
    return parse_workflow(json.dumps({"name": "W", "nodes": nodes, "edges": edges}))


def test_waiting_people_go_on_in_the_current_version(qtbot: QtBot, studio: app.Studio) -> None:
    workspace = studio.workspace
    workspace._store.contacts.upsert_contacts(pl.DataFrame({"key": ["a", "b"]}), "test")
    workflow_id = workspace.workflows.add(waiting("P7D"))
    options = RunOptions(as_of=START, until=START.replace(day=2))
    run_id = workspace.runs.start(workspace.workflows.get(workflow_id), options, workflow_id=workflow_id)
    assert workspace.runs.wait(run_id) == "waiting"
    studio.open_run(run_id)
    canvas = studio.window.pages.page
    assert isinstance(canvas, StudioCanvas)
    offered = {action.id: action for action in canvas.actions_here()}["canvas.move"]
    qtbot.waitUntil(lambda: canvas.run_id == run_id and not background.under_way(), timeout=20_000)
    assert not offered.is_enabled()
    workspace.workflows.save(workflow_id, waiting("P30D"))
    canvas.open_run(run_id)
    qtbot.waitUntil(offered.is_enabled, timeout=20_000)
    said: list[str] = []
    canvas._move._toast = lambda text, button="", act=None: (said.append(text), act and act())
    offered.run()
    qtbot.waitUntil(lambda: len(said) == 2, timeout=20_000)
    assert said[0] == "2 wait on at a step with new settings."
    assert workspace.runs.get(run_id).version == waiting("P30D").content_hash()
