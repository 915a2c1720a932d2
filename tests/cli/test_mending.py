"""Failed items that are edited and tried again alone, and people who go on in a new version, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.terminal import done, studio


def flow(duration: str = "P7D", text: str = "{{ 12 // (contact.age|int) }}", last: str = "end") -> str:
    nodes = [
        {"id": "start", "type": "trigger.manual"},
        {"id": "share", "type": "content.text", "parameters": {"name": "share", "text": text}},
        {"id": "wait", "type": "flow.delay", "label": "A week", "parameters": {"duration": duration}},
        {"id": last, "type": "flow.exit"},
    ]
    edges = [["start", "out", "share"], ["share", "out", "wait"], ["wait", "out", last]]
    links = [{"from": [source, port], "to": [target, "in"]} for source, port, target in edges]
    return json.dumps({"format": "studio.workflow/1", "name": "Mending", "nodes": nodes, "edges": links})


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve people; two have no usable age, so that a text cannot be written for them."""
    folder = tmp_path_factory.mktemp("mending")
    (folder / "flow.json").write_text(flow())
    (folder / "people.csv").write_text(
        "email,age\n" + "".join(f"p{i}@example.com,{max(i - 1, 0)}\n" for i in range(12))
    )
    (folder / "people.toml").write_text('key = "email"\nemail = "email"\n[properties]\nage = "age"\n')
    done("contacts", "import", folder / "people.csv", "--map", folder / "people.toml", workspace=folder / "shop")
    return folder / "shop"


def step(report: dict, node: str) -> dict:
    return next(one for one in report["steps"] if one["node"] == node)


def test_an_edited_item_goes_on_and_the_others_stay(shop: Path) -> None:
    file = shop.parent / "flow.json"
    report = done("run", file, "--as-of", "2026-10-01", "--until", "2026-10-02", workspace=shop)
    run_id = report["run_id"]
    assert step(report, "share")["quarantined"] == 2
    failed = done("failed", run_id, workspace=shop)
    assert sorted(row["contact"] for row in failed) == ["p0@example.com", "p1@example.com"]
    assert all(row["node"] == "share" and row["code"] and row["message"] for row in failed)
    retried = done("retry", run_id, "--node", "share", "--contact", "p0@example.com", "--set", "age=4", workspace=shop)
    assert step(retried, "share")["quarantined"] == 1
    assert [row["contact"] for row in done("failed", run_id, workspace=shop)] == ["p1@example.com"]
    said = studio("retry", run_id, "--node", "share", "--contact", "p5@example.com", "--set", "age=4", workspace=shop)
    assert (said.code, said.document["error"]["code"]) == (2, "FAILED-UNKNOWN")
    said = studio("retry", run_id, "--node", "wait", workspace=shop)
    assert (said.code, said.document["error"]["code"]) == (2, "RETRY-NOTHING")


def test_people_who_wait_are_shown_and_moved_to_a_new_version(shop: Path, tmp_path: Path) -> None:
    file = shop.parent / "flow.json"
    run_id = done("run", file, "--as-of", "2026-10-01", "--until", "2026-10-02", workspace=shop)["run_id"]
    new = tmp_path / "new.json"
    new.write_text(flow("P30D", last="finish"))
    told = done("move", run_id, new, "--preview", workspace=shop)
    rows = {row["node"]: (row["people"], row["fate"]) for row in told["rows"]}
    assert rows["wait"][1] == "changed"
    assert "wait on at a step with new settings" in told["finding"]
    assert done("runs", "show", run_id, workspace=shop)["steps"][-1]["node"] == "end"
    assert done("move", run_id, new, workspace=shop)["rows"] == told["rows"]
    report = done("resume", run_id, "--until", "2026-12-31", workspace=shop)
    assert step(report, "finish")["in"] == rows["wait"][0]
    bad = tmp_path / "bad.json"
    bad.write_text('{"format": "studio.workflow/1", "name": "Bad"}')
    assert studio("move", run_id, bad, workspace=shop).document["error"]["code"] == "MOVE-INVALID"
