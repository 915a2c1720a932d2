"""Debugging from the command line: breakpoints, steps, parts of a workflow, samples, pinned and stale data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.terminal import done, studio


def flow(rule: str = "age >= 10") -> dict[str, object]:
    nodes = [
        {"id": "start", "type": "trigger.manual"},
        {"id": "old", "type": "audience.filter", "label": "Old customers", "parameters": {"rule": rule}},
        {"id": "may", "type": "audience.eligibility"},
        {"id": "end", "type": "flow.exit", "parameters": {"reason": "done"}},
    ]
    edges = [
        {"from": ["start", "out"], "to": ["old", "in"]},
        {"from": ["old", "pass"], "to": ["may", "in"]},
        {"from": ["may", "allowed"], "to": ["end", "in"]},
    ]
    return {"format": "studio.workflow/1", "name": "Debugging", "nodes": nodes, "edges": edges}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("debugging")
    people = folder / "people.csv"
    people.write_text("email,age\n" + "".join(f"p{i}@example.com,{i}\n" for i in range(40)))
    mapping = folder / "people.toml"
    mapping.write_text(
        'key = "email"\nemail = "email"\n[properties]\nage = "age"\n[consent]\ntopic = "marketing"\n'
        'basis = "test"\nsource = "a test"\n'
    )
    (folder / "flow.json").write_text(json.dumps(flow()))
    done("contacts", "import", people, "--map", mapping, workspace=folder / "shop")
    return folder / "shop"


@pytest.fixture
def file(shop: Path) -> Path:
    return shop.parent / "flow.json"


def counts(report: dict) -> dict[str, tuple[int, str]]:
    return {step["node"]: (step["in"], step["state"]) for step in report["steps"]}


def test_a_run_holds_at_a_breakpoint_goes_step_by_step_and_on(shop: Path, file: Path) -> None:
    held = done("run", file, "--break", "before:may", workspace=shop)
    run_id = held["run_id"]
    assert held["status"] == "paused"
    assert held["message"] == "Stopped before “May we write?”. 30 people stand before “May we write?”."
    assert counts(held)["may"] == (0, "paused")
    shown = done("breakpoints", run_id, workspace=shop)
    assert shown == [{"breakpoint": "before:may", "words": "before “may”"}]
    assert done("breakpoints", run_id, "end>5", workspace=shop)[0]["breakpoint"] == "end>5"
    stepped = done("step", run_id, workspace=shop)
    assert (stepped["status"], counts(stepped)["may"][0], counts(stepped)["end"][0]) == ("paused", 30, 0)
    held = done("resume", run_id, workspace=shop)
    assert "for more than 5 people" in held["message"]
    assert done("resume", run_id, workspace=shop)["status"] == "done"


def test_breakpoints_that_fit_nothing_are_refused_all_at_once(shop: Path, file: Path) -> None:
    said = studio("run", file, "--break", "before:nowhere", "--to", "neverland", workspace=shop)
    assert said.code == 2
    assert [p["field"] for p in said.document["error"]["problems"]] == ["before:nowhere", "--to"]
    assert studio("run", file, "--break", "perhaps", workspace=shop).document["error"]["code"] == "BREAKPOINT-TEXT"
    said = studio("run", file, "--break", "contact:nobody", workspace=shop)
    assert said.document["error"]["code"] == "CONTACT-UNKNOWN"


def test_samples_show_what_came_and_what_left(shop: Path, file: Path) -> None:
    run_id = done("run", file, "--to", "old", workspace=shop)["run_id"]
    data = done("samples", run_id, "--node", "old", workspace=shop)
    assert {name: shown["count"] for name, shown in data["tables"].items()} == {
        "in": 40,
        "out.pass": 30,
        "out.fail": 10,
    }
    ages = {int(row["age"]) for row in data["tables"]["out.pass"]["rows"]}
    assert ages == set(range(10, 40))
    assert {"contact", "email", "age"} <= {column["name"] for column in data["tables"]["in"]["columns"]}
    only = done("samples", run_id, "--node", "old", "--port", "fail", workspace=shop)
    assert list(only["tables"]) == ["out.fail"]


def test_samples_of_an_instant_hold_who_had_come_by_then(shop: Path, tmp_path: Path) -> None:
    nodes = [
        {"id": "start", "type": "trigger.manual"},
        {"id": "old", "type": "audience.filter", "parameters": {"rule": "age >= 10"}},
        {"id": "short", "type": "flow.delay", "parameters": {"duration": "P1D"}},
        {"id": "long", "type": "flow.delay", "parameters": {"duration": "P3D"}},
        {"id": "end", "type": "flow.exit"},
    ]
    edges = [("start", "out", "old"), ("old", "pass", "short"), ("old", "fail", "long")]
    edges += [("short", "out", "end"), ("long", "out", "end")]
    file = tmp_path / "two.workflow.json"
    written = [{"from": [a, port], "to": [b, "in"]} for a, port, b in edges]
    file.write_text(json.dumps({"format": "studio.workflow/1", "name": "Two", "nodes": nodes, "edges": written}))
    run_id = done("run", file, "--as-of", "2026-03-01", workspace=shop)["run_id"]

    def ages(at: object, place: str, node: str = "end") -> tuple[int, set[int]]:
        table = done("samples", run_id, "--node", node, "--at", at, workspace=shop)["tables"][place]
        return table["count"], {int(row["age"]) for row in table["rows"]}

    assert ages("2026-03-01T12:00:00Z", "in") == (0, set())
    assert ages("2026-03-02T12:00:00Z", "in") == (30, set(range(10, 40)))
    assert ages("2026-03-04T12:00:00Z", "in") == (40, set(range(40)))
    assert ages("2026-03-02T12:00:00Z", "in", "long") == (10, set(range(10)))
    assert ages("2026-03-02T12:00:00Z", "out.out", "long") == (0, set())
    assert ages(1, "in", "old") == (0, set()), "nothing but its start had happened"


def test_a_run_from_a_step_takes_the_data_of_an_earlier_one(shop: Path, file: Path) -> None:
    before = done("run", file, "--to", "old", workspace=shop)
    assert counts(before)["may"] == (0, "skipped")
    after = done("run", file, "--from", "may", "--from-run", before["run_id"], workspace=shop)
    assert after["status"] == "done"
    assert counts(after) == {"start": (0, "skipped"), "old": (0, "skipped"), "may": (30, "done"), "end": (30, "done")}
    said = studio("run", file, "--from", "may", "--from-run", before["run_id"], "--to", "start", workspace=shop)
    assert said.code == 2


def test_pinned_data_stands_for_a_step(shop: Path, file: Path, tmp_path: Path) -> None:
    pin = tmp_path / "pin.json"
    pin.write_text(json.dumps({"node": "old", "rows": {"pass": [{"contact": "p3@example.com"}]}}))
    report = done("run", file, "--pin", pin, workspace=shop)
    assert counts(report)["end"][0] == 1
    pin.write_text('{"node": "old"}')
    assert studio("run", file, "--pin", pin, workspace=shop).document["error"]["code"] == "PIN-FORM"


def test_pinned_people_do_not_get_lost_at_an_output_that_is_gone(shop: Path, file: Path, tmp_path: Path) -> None:
    pin = tmp_path / "pin.json"
    pin.write_text(json.dumps({"node": "old", "rows": {"away": [{"contact": "p3@example.com"}]}}))
    error = studio("run", file, "--pin", pin, workspace=shop).document["error"]
    assert error["code"] == "AIDS"
    assert "“Old customers” leave it by “away”" in error["message"]


def test_results_go_stale_behind_what_was_edited(shop: Path, file: Path, tmp_path: Path) -> None:
    run_id = done("run", file, workspace=shop)["run_id"]
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(flow("age >= 20")))
    found = done("stale", changed, run_id, workspace=shop)
    assert {node: how["state"] for node, how in found.items()} == {
        "start": "fresh",
        "old": "stale",
        "may": "stale",
        "end": "stale",
    }
    assert found["may"]["why"] == "“Old customers” before it was edited since."
    assert {how["state"] for how in done("stale", file, run_id, workspace=shop).values()} == {"fresh"}
