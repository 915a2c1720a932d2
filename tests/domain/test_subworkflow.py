"""A workflow that calls others is written out; what cannot be is refused in words."""

from __future__ import annotations

import json

import pytest

from studio.domain.errors import UserFixable
from studio.domain.subworkflow import written_out
from studio.domain.validation import check
from studio.domain.workflow import Workflow, parse_workflow
from studio.nodes import catalogue


def flow(name: str, nodes: dict[str, tuple[str, dict]], *edges: str) -> Workflow:
    made = [{"id": i, "type": kind, "parameters": parameters} for i, (kind, parameters) in nodes.items()]
    links = []
    for edge in edges:
        source, target = edge.split(" > ")
        links.append({"from": source.split("."), "to": [target, "in"]})
    return parse_workflow(json.dumps({"name": name, "nodes": made, "edges": links}))


DAY = {"duration": "P1D"}
INNER = flow(
    "Inner",
    {
        "t": ("trigger.manual", {}),
        "f": ("audience.filter", {"rule": "age > 3"}),
        "w": ("flow.delay", DAY),
        "x": ("flow.exit", {}),
    },
    "t.out > f",
    "f.pass > w",
    "w.out > x",
)
OUTER = flow(
    "Outer",
    {"s": ("trigger.manual", {}), "c": ("flow.call", {"workflow": "inner"}), "e": ("flow.exit", {})},
    "s.out > c",
    "c.out > e",
)


def library(**known: Workflow):
    def get(name: str) -> Workflow:
        if name not in known:
            raise UserFixable("WORKFLOW-UNKNOWN", f"There is no workflow {name}.")
        return known[name]

    return get


def links(workflow: Workflow) -> set[str]:
    return {f"{e.from_[0]}.{e.from_[1]} > {e.to[0]}" for e in workflow.edges}


def test_the_called_steps_stand_behind_the_call_and_every_end_leads_on() -> None:
    whole = written_out(OUTER, library(inner=INNER), catalogue())
    assert links(whole) == {
        "s.out > c",
        "c.out > c--f",
        "c--f.pass > c--w",
        "c--f.fail > e",
        "c--w.out > e",
    }
    assert check(whole, catalogue()) == []
    assert whole.groups[-1].nodes == ("c--f", "c--w")


def test_a_workflow_that_calls_nothing_is_itself() -> None:
    assert written_out(INNER, library(), catalogue()) is INNER


def test_calls_inside_calls_are_written_out_too() -> None:
    middle = flow(
        "Middle",
        {"t": ("trigger.manual", {}), "c": ("flow.call", {"workflow": "inner"}), "w": ("flow.delay", DAY)},
        "t.out > c",
        "c.out > w",
    )
    outer = OUTER.model_copy(
        update={
            "nodes": tuple(
                n.model_copy(update={"parameters": {"workflow": "middle"}}) if n.id == "c" else n for n in OUTER.nodes
            )
        }
    )
    whole = written_out(outer, library(middle=middle, inner=INNER), catalogue())
    assert {"c--c--f", "c--c--w", "c--w"} <= {node.id for node in whole.nodes}
    assert check(whole, catalogue()) == []


@pytest.mark.parametrize(
    ("nodes", "edges", "code"),
    [
        ({"t": ("trigger.manual", {}), "c": ("flow.call", {"workflow": "inner"})}, ["t.out > c"], "CALL-LOOP"),
        ({"t": ("trigger.manual", {}), "c": ("flow.call", {"workflow": "none"})}, ["t.out > c"], "WORKFLOW-UNKNOWN"),
        ({"t": ("trigger.manual", {})}, [], "CALL-EMPTY"),
        (
            {"t": ("trigger.manual", {}), "g": ("flow.goal", {"event": "order", "window": "P1D"})},
            ["t.out > g"],
            "CALL-GOAL",
        ),
    ],
)
def test_what_cannot_be_called_is_refused(nodes, edges, code: str) -> None:
    with pytest.raises(UserFixable) as caught:
        written_out(OUTER, library(inner=flow("Inner", nodes, *edges)), catalogue())
    assert caught.value.code == code
