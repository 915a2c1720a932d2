"""A dry run says what would happen, and a run then does it; nothing is written meanwhile."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.terminal import done, studio

MJML = (
    "<mjml><mj-body><mj-section><mj-column><mj-text>Hello</mj-text><mj-text>{{ postal_address }} "
    "<a href='{{ unsubscribe_url }}'>Unsubscribe</a></mj-text></mj-column></mj-section></mj-body></mjml>"
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty people, ten of whom have not agreed."""
    folder = tmp_path_factory.mktemp("dry")
    nodes = [
        {"id": "start", "type": "trigger.manual"},
        {"id": "old", "type": "audience.filter", "parameters": {"rule": "age >= 4"}},
        {"id": "m1", "type": "send.email", "label": "First", "parameters": {"subject": "Hi", "body": MJML}},
        {"id": "wait", "type": "flow.delay", "parameters": {"duration": "P7D"}},
        {"id": "m2", "type": "send.email", "label": "Second", "parameters": {"subject": "Again", "body": MJML}},
    ]
    edges = [["start", "out", "old"], ["old", "pass", "m1"], ["m1", "out", "wait"], ["wait", "out", "m2"]]
    flow = {
        "format": "studio.workflow/1",
        "name": "Dry",
        "settings": {"cost_per_message": {"amount": 0.01, "currency": "EUR"}},
        "nodes": nodes,
        "edges": [{"from": [source, port], "to": [target, "in"]} for source, port, target in edges],
    }
    (folder / "flow.json").write_text(json.dumps(flow))
    for name, rows, consent in (("yes", range(10, 40), True), ("no", range(10), False)):
        (folder / f"{name}.csv").write_text("email,age\n" + "".join(f"p{i}@example.com,{i}\n" for i in rows))
        stated = '[consent]\ntopic = "marketing"\nbasis = "test"\nsource = "a test"\n' if consent else ""
        (folder / f"{name}.toml").write_text(f'key = "email"\nemail = "email"\n[properties]\nage = "age"\n{stated}')
        done("contacts", "import", folder / f"{name}.csv", "--map", folder / f"{name}.toml", workspace=folder / "shop")
    return folder / "shop"


def test_a_dry_run_tells_audience_messages_cost_and_reasons(shop: Path) -> None:
    file = shop.parent / "flow.json"
    before = done("runs", workspace=shop)
    found = done("run", file, "--dry-run", "--as-of", "2026-10-01", workspace=shop)
    assert (found["entered"], found["messages"], found["blocked"], found["cost"]) == (40, 60, 12, 0.6)
    left = {step["node"]: step["left"] for step in found["steps"]}
    assert left["old"] == {"pass": 36, "fail": 4}
    first, second = found["sends"]
    assert (first["messages"], second["messages"]) == (30, 30)
    (held,) = first["blocked"]
    assert (held["reason"], held["count"]) == ("no_consent", 6)
    assert second["first_at"].startswith("2026-10-0")
    assert not first["estimated"]
    assert "40 people would enter and get 60 messages, for 0.60 EUR." in found["finding"]
    assert done("runs", workspace=shop) == before
    assert "held back" in studio("run", file, "--dry-run", workspace=shop, as_json=False).out


def test_a_run_does_what_the_dry_run_said(shop: Path) -> None:
    file = shop.parent / "flow.json"
    dry = done("run", file, "--dry-run", "--as-of", "2026-10-01", workspace=shop)
    real = done("run", file, "--as-of", "2026-10-01", workspace=shop)
    came = {step["node"]: step["in"] for step in real["steps"]}
    assert {step["node"]: step["came"] for step in dry["steps"]} == came


def test_a_workflow_that_cannot_run_is_refused_by_the_dry_run_too(shop: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text('{"format": "studio.workflow/1", "name": "Bad"}')
    said = studio("run", bad, "--dry-run", workspace=shop)
    assert (said.code, said.document["error"]["code"]) == (2, "RUN-INVALID")


def test_steps_are_called_what_the_canvas_calls_them(shop: Path, tmp_path: Path) -> None:
    steps = [{"id": "n1", "type": "trigger.manual"}, {"id": "n2", "type": "flow.exit", "label": "The end"}]
    edges = [{"from": ["n1", "out"], "to": ["n2", "in"]}]
    file = tmp_path / "named.json"
    file.write_text(json.dumps({"format": "studio.workflow/1", "name": "Named", "nodes": steps, "edges": edges}))
    dry = done("run", file, "--dry-run", workspace=shop)
    assert [step["label"] for step in dry["steps"]] == ["Start by hand", "The end"]
    file.write_text(
        json.dumps(
            {
                "format": "studio.workflow/1",
                "name": "Named",
                "nodes": [*steps, steps[0] | {"id": "n3", "type": "flow.delay"}],
                "edges": edges,
            }
        )
    )
    said = studio("run", file, workspace=shop).document["error"]["message"]
    assert said.startswith("“Named” cannot run: “Wait”")
