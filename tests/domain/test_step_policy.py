"""What every step has beside its settings is checked like them: condition, time limit, and when it is tried again."""

from __future__ import annotations

import json

import pytest

from studio.domain.validation import check
from studio.domain.workflow import parse_workflow
from studio.nodes import catalogue


def problems(at: str = "wait", **more: object) -> list[tuple[str | None, str | None, str]]:
    nodes = [
        {"id": "start", "type": "trigger.manual"},
        {"id": "wait", "type": "flow.delay", "parameters": {"duration": "P1D"}},
    ]
    next(node for node in nodes if node["id"] == at).update(more)
    edges = [{"from": ["start", "out"], "to": ["wait", "in"]}]
    workflow = parse_workflow(json.dumps({"name": "w", "nodes": nodes, "edges": edges}))
    return [(problem.node, problem.field, problem.code) for problem in check(workflow, catalogue())]


@pytest.mark.parametrize(
    "more",
    [
        {"condition": 'country == "DE"', "timeout": "PT30S", "retry": {"max": 0, "backoff": "PT0S", "retry_on": []}},
        {"retry": {"retry_on": ["timeout", "busy", "unreachable", "error", "transient"]}},
        {"condition": "  "},
    ],
)
def test_what_can_be_said(more: dict[str, object]) -> None:
    assert problems(**more) == []


@pytest.mark.parametrize(
    ("more", "field", "code"),
    [
        ({"timeout": "soon"}, "timeout", "NODE-DURATION"),
        ({"timeout": "PT0S"}, "timeout", "NODE-DURATION"),
        ({"retry": {"backoff": "5 minutes"}}, "retry.backoff", "NODE-DURATION"),
        ({"retry": {"retry_on": ["busy", "timeouts"]}}, "retry.retry_on[1]", "NODE-RETRY"),
        ({"condition": "foo("}, "condition", "EXPRESSION-NAME"),
    ],
)
def test_what_cannot(more: dict[str, object], field: str, code: str) -> None:
    assert problems(**more) == [("wait", field, code)]


def test_nobody_can_be_asked_where_the_workflow_starts() -> None:
    assert problems("start", condition="age > 3") == [("start", "condition", "ENGINE-CONDITION")]
