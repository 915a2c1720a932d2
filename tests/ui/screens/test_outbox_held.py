"""A workspace that was copied says what it holds, and lets it go on when a person says how."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from pytestqt.qtbot import QtBot

from studio.domain.workflow import parse_workflow
from studio.ui.screens.runs.screen import RunsPage
from studio.workspace.runs import RunOptions
from studio.workspace.workspace import Workspace

from .conftest import Trail, button, settle, words


def wait_a_day() -> str:
    nodes = [
        {"id": "start", "type": "trigger.manual"},
        {"id": "wait", "type": "flow.delay", "parameters": {"duration": "P1D"}},
        {"id": "end", "type": "flow.exit"},
    ]
    edges = [{"from": ["start", "out"], "to": ["wait", "in"]}, {"from": ["wait", "out"], "to": ["end", "in"]}]
    return json.dumps({"name": "Later", "nodes": nodes, "edges": edges})


@pytest.fixture
def copied(tmp_path: Path, qtbot: QtBot) -> Iterator[Workspace]:
    """A copy of a workspace in which two test runs wait."""
    with Workspace.open(tmp_path / "shop") as shop:
        people = pl.DataFrame({"key": ["a"], "email": ["a@example.invalid"]})
        shop._store.contacts.upsert_contacts(people, "test")
        for _ in range(2):
            run_id = shop.runs.start(parse_workflow(wait_a_day()), RunOptions(mode="test", clock="real"))
            qtbot.waitUntil(lambda run_id=run_id: shop.runs.view(run_id).step("wait").waiting == 1, timeout=10_000)
    shutil.copytree(tmp_path / "shop", tmp_path / "copy")
    with Workspace.open(tmp_path / "copy") as copy:
        yield copy


def test_a_held_run_says_why_and_is_released_as_told(
    copied: Workspace, trail: Trail, open_page: Callable, qtbot: QtBot
) -> None:
    first, second = copied.runs.held()
    page = open_page(RunsPage(copied, trail), "outbox")
    assert "Nothing of 2 runs is sent: they are held" in words(page)
    assert "This workspace was copied or moved from another place" in words(page)
    page.outbox.held.findChildren(type(page.outbox.state))[0]._pick(second)
    button(page, "Check each first").click()
    settle(qtbot)
    assert list(copied.runs.held()) == [first]
    assert trail.calls == [("go", "runs", second)]
    assert f"Nothing of Later ({first}) is sent: it is held" in words(page)
    button(page, "Send from here").click()
    settle(qtbot)
    assert copied.runs.held() == {}
    assert not page.outbox.held.isVisibleTo(page)
    assert "Press Resume" in trail.said[-1]
    assert copied.runs.get(first).state == "paused", "released, but nothing is begun without a person"
