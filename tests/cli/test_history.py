"""Looking back from the command line: one contact's way, a run at an instant, two runs side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.terminal import done, studio


def flow(rule: str) -> dict[str, object]:
    nodes = [
        {"id": "start", "type": "trigger.manual"},
        {"id": "old", "type": "audience.filter", "label": "Old customers", "parameters": {"rule": rule}},
        {"id": "may", "type": "audience.eligibility"},
        {"id": "wait", "type": "flow.delay", "parameters": {"duration": "P2D"}},
        {"id": "end", "type": "flow.exit", "parameters": {"reason": "done"}},
    ]
    edges = [
        {"from": ["start", "out"], "to": ["old", "in"]},
        {"from": ["old", "pass"], "to": ["may", "in"]},
        {"from": ["may", "allowed"], "to": ["wait", "in"]},
        {"from": ["wait", "out"], "to": ["end", "in"]},
    ]
    return {"format": "studio.workflow/1", "name": "Looking back", "nodes": nodes, "edges": edges}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty people, one without consent; two runs, the second with a stricter rule."""
    folder = tmp_path_factory.mktemp("history")
    people = folder / "people.csv"
    agreed = "".join(f"p{i}@example.com,{i},{'yes' if i else ''}\n" for i in range(40))
    people.write_text("email,age,agreed\n" + agreed)
    mapping = folder / "people.toml"
    mapping.write_text(
        'key = "email"\nemail = "email"\n[properties]\nage = "age"\n[consent]\ntopic = "marketing"\n'
        'basis = "test"\nsource = "a test"\n'
    )
    shop = folder / "shop"
    done("contacts", "import", people, "--map", mapping, workspace=shop)
    for name, rule in (("a", "age >= 10"), ("b", "age >= 30")):
        path = folder / f"{name}.workflow.json"
        path.write_text(json.dumps(flow(rule)))
        done("run", path, "--as-of", "2026-10-01", workspace=shop)
    return shop


def test_a_trace_tells_every_step_its_reason_and_what_was_looked_at(shop: Path) -> None:
    trace = done("trace", "r1", "--contact", "p12@example.com", workspace=shop)
    (journey,) = trace["journeys"]
    assert [(v["node"], v["port"]) for v in journey["visits"]] == [
        ("start", "out"),
        ("old", "pass"),
        ("may", "allowed"),
        ("wait", "out"),
        ("end", None),
    ]
    assert journey["visits"][1]["data"] == {"age": "12"}
    assert journey["visits"][3]["verdict"] == "Went on after 2 days."
    assert journey["visits"][4]["verdict"] == "Ended: done."
    assert [event["kind"] for event in journey["events"]] == ["entered", "exited"]
    assert trace["found"]
    assert "Went on" in studio("trace", "r1", "--contact", "p12@example.com", workspace=shop, as_json=False).out


def test_a_trace_says_where_somebody_was_left_out_and_who_is_nobody(shop: Path) -> None:
    trace = done("trace", "r2", "--contact", "p12@example.com", workspace=shop)
    assert [v["port"] for v in trace["journeys"][0]["visits"]] == ["out", "fail"]
    said = studio("trace", "r1", "--contact", "nobody@example.com", workspace=shop)
    assert said.code == 2
    assert said.document["error"]["code"] == "CONTACT-UNKNOWN"


def test_a_replay_shows_the_run_as_it_stood(shop: Path) -> None:
    end = done("replay", "r1", workspace=shop)
    assert end["state"] == "done"
    assert end["seq"] == end["last_seq"]
    counts = {(e["from"][0], e["from"][1]): e["count"] for e in end["edges"]}
    assert counts == {("start", "out"): 40, ("old", "pass"): 30, ("may", "allowed"): 30, ("wait", "out"): 30}
    early = done("replay", "r1", "--at", "2026-10-02", workspace=shop)
    waiting = {node["node"]: node["waiting"] for node in early["nodes"]}
    assert early["state"] == "running"
    assert waiting["wait"] == 30
    first = done("replay", "r1", "--at", "1", workspace=shop)
    assert (first["seq"], first["nodes"]) == (1, [])
    said = studio("replay", "r1", "--at", "2020-01-01", workspace=shop)
    assert (said.code, said.document["error"]["code"]) == (2, "REPLAY-BEFORE")


def test_a_comparison_names_the_changed_rule_first_and_what_followed(shop: Path) -> None:
    compared = done("compare", "r1", "r2", workspace=shop)
    first = compared["differences"][0]
    assert (first["kind"], first["node"], first["what"]) == ("parameter", "old", "rule")
    assert (first["a"], first["b"]) == ("age >= 10", "age >= 30")
    assert any("Old customers" in effect for effect in first["effects"])
    assert "age >= 30" in compared["finding"]
    counts = {(d["node"], d["what"]): (d["a"], d["b"]) for d in compared["differences"] if d["kind"] == "count"}
    assert counts["old", "out pass"] == (0.75, 0.25)
    same = done("compare", "r1", "r1", workspace=shop)
    assert same["differences"] == []
    assert same["finding"] == "The two runs did the same."
