"""The history of a workflow from the command line: what was done, what differs, and the way back."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.domain.workflow import Node, Workflow
from studio.workspace.workspace import Workspace
from tests.cli.terminal import done, studio

FIRST = Workflow(name="Cart", nodes=(Node(id="start", type="trigger.manual", label="Start"),))


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    with Workspace.open(folder) as workspace:
        workflow_id = workspace.workflows.add(FIRST)
        grown = FIRST.model_copy(update={"nodes": (*FIRST.nodes, Node(id="end", type="flow.exit"))})
        workspace.workflows.record(workflow_id, grown, "Add Exit")
    return folder


def test_a_workflow_goes_back_to_what_it_was_and_forth_again(shop: Path) -> None:
    assert [(w["id"], w["name"]) for w in done("workflows", "list", workspace=shop)] == [("w1", "Cart")]
    kept = done("workflows", "keep", "w1", "Before spring", workspace=shop)
    last, grown, first = done("workflows", "history", "w1", workspace=shop)
    assert (last["ref"], last["kind"], last["words"]) == (kept["ref"], "named", "Before spring")
    assert (grown["words"], first["words"]) == ("Add Exit", "As it was")
    [difference] = done("workflows", "diff", "w1", first["ref"], workspace=shop)
    assert (difference["kind"], difference["what"], difference["node"]) == ("added", "node", "end")
    [undone] = done("workflows", "restore", "w1", first["ref"], workspace=shop)
    assert undone["kind"] == "removed"
    assert [n["id"] for n in done("workflows", "show", "w1", workspace=shop)["nodes"]] == ["start"]
    assert len(done("workflows", "show", "w1", kept["ref"], workspace=shop)["nodes"]) == 2


def test_a_ref_there_is_not_is_refused_with_the_remedy(shop: Path) -> None:
    said = studio("workflows", "restore", "w1", "e99", workspace=shop)
    assert (said.code, said.document["error"]["code"]) == (2, "EDIT-UNKNOWN")
    assert studio("workflows", "restore", "w1", "r9", workspace=shop).document["error"]["code"] == "RUN-UNKNOWN"


def test_what_usually_follows_is_learned_from_templates_and_own_workflows(shop: Path) -> None:
    after = done("workflows", "suggest", "send.email", workspace=shop)
    assert {"flow.goal", "flow.wait_for"} <= {one["type_id"] for one in after}
    assert "trigger.manual" in [one["type_id"] for one in done("workflows", "suggest", workspace=shop)]


def test_for_a_person_it_is_told_in_lines(shop: Path) -> None:
    told = studio("workflows", "diff", "w1", "e1", workspace=shop, as_json=False).out
    assert told == "end: added\n"
