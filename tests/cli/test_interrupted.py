"""A run whose process was stopped is called interrupted, not running; a run as of a day says that day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from studio.domain.ports import Checkpoint, RunRow
from studio.domain.workflow import parse_workflow
from studio.workspace.workspace import Workspace
from tests.cli.terminal import done, studio

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
FLOW = parse_workflow('{"name": "Empty", "nodes": [], "edges": []}')


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A run that was going on when its process ended, one that waits, and one that is done."""
    folder = tmp_path / "shop"
    with Workspace.open(folder) as workspace:
        for number, state in enumerate(("running", "waiting", "done"), start=1):
            at = MIDNIGHT - timedelta(microseconds=1)
            run = RunRow(
                run_id=f"r{number}", workflow_id="w", version=FLOW.content_hash(), name="Spring", mode="simulate",
                seed=1, clock="max", state=state, started_at=at, at=at,
            )  # fmt: skip
            workspace._store.runs.start(run, FLOW.to_json(), Checkpoint(run_id=run.run_id, at=at))
    return folder


def test_the_list_tells_what_was_cut_off_and_how_to_go_on(shop: Path) -> None:
    rows = done("runs", workspace=shop)
    assert [(row["run_id"], row["interrupted"]) for row in rows] == [("r3", False), ("r2", False), ("r1", True)]
    assert {row["started_at"] for row in rows} == {"2026-03-02T00:00:00Z"}
    said = studio("runs", workspace=shop, as_json=False).out
    assert "interrupted" in said.splitlines()[3]
    assert said.splitlines()[-1].endswith("studio resume RUN")
    assert "2026-03-01" not in said


def test_one_run_says_it_too(shop: Path) -> None:
    assert done("runs", "show", "r1", workspace=shop)["interrupted"] is True
    assert "studio resume r1" in studio("runs", "show", "r1", workspace=shop, as_json=False).out
    assert done("runs", "show", "r3", workspace=shop)["interrupted"] is False
