"""Parameters as files bring them: durations, times, rules and ports, and how a slip is said."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from pydantic import ValidationError

from studio.domain.validation import check
from studio.domain.workflow import Edge, Node, Workflow
from studio.nodes import catalogue
from tests.nodes.world import node


def problems(node_type: str, **parameters: object) -> list[tuple[str, str | None, str, str]]:
    step = Node(id="n", type=node_type, parameters=parameters)
    found = check(Workflow(name="w", nodes=(Node(id="t", type="trigger.manual"), step)), catalogue())
    return [(p.code, p.field, p.message, p.hint) for p in found if p.code != "NODE-UNREACHED"]


def test_durations_and_times_are_read() -> None:
    parameters = node("flow.delay", duration="P1DT2H", until="09:30").parameters
    assert (parameters.duration, parameters.until) == (timedelta(hours=26), time(9, 30))
    assert parameters.model_dump(mode="json") == {
        "duration": "P1DT2H",
        "until": "09:30",
        "zone": "contact",
        "jitter": "PT0S",
    }


@pytest.mark.parametrize(
    ("node_type", "parameters", "code", "field", "says"),
    [
        ("flow.delay", {"duration": "2 days"}, "NODE-DURATION", "parameters.duration", "not a duration"),
        ("flow.delay", {"duration": 5}, "NODE-DURATION", "parameters.duration", "not a duration"),
        ("flow.delay", {"until": "25:00"}, "NODE-TIME", "parameters.until", "not a time of day"),
        ("flow.delay", {}, "NODE-DELAY", "parameters", "not wait at all"),
        (
            "flow.goal",
            {"event": "order", "window": "PT0S"},
            "NODE-DURATION",
            "parameters.window",
            "longer than no time",
        ),
        ("flow.goal", {"event": "two words", "window": "P1D"}, "NODE-PARAMETER", "parameters.event", "pattern"),
        ("audience.filter", {"rule": 'coun("order") > 1'}, "EXPRESSION-NAME", "parameters.rule", "no function “coun”"),
        ("audience.filter", {"rule": ""}, "NODE-PARAMETER", "parameters.rule", "at least 1"),
        ("trigger.event", {"event": "cart", "filter": "var.x == 1"}, "EXPRESSION-NAME", "parameters.filter", "“var.”"),
        ("exp.holdout", {"share": 1.0}, "NODE-PARAMETER", "parameters.share", "less than 1"),
        ("trigger.manual", {"sample": 0}, "NODE-PARAMETER", "parameters.sample", "greater than 0"),
    ],
)
def test_slips_are_placed_and_explained(
    node_type: str, parameters: dict[str, object], code: str, field: str, says: str
) -> None:
    ((found_code, found_field, message, _),) = problems(node_type, **parameters)
    assert (found_code, found_field) == (code, field)
    assert says in message


def test_hints_of_rules_come_through() -> None:
    ((_, _, message, hint),) = problems("audience.filter", rule='coun("order") > 1')
    assert hint == "Did you mean “count”?"
    assert message.endswith("\n  ^")


def test_all_slips_of_a_step_are_found_at_once() -> None:
    found = problems("flow.wait_for", branches=[{"id": "a", "event": "x", "filter": "1"}], timeout="soon", alredy="x")
    assert [field for _, field, *_ in found] == [
        "parameters.branches.0.filter",
        "parameters.timeout",
        "parameters.alredy",
    ]
    assert found[2][3] == "Did you mean “already”?"


@pytest.mark.parametrize(
    ("node_type", "parameters"),
    [
        ("flow.branch", {"conditions": [{"id": "else", "rule": "true"}]}),
        ("flow.branch", {"conditions": [{"id": "a", "rule": "true"}, {"id": "a", "rule": "true"}]}),
        ("flow.branch", {"conditions": [{"id": "a b", "rule": "true"}]}),
        ("flow.branch", {"conditions": []}),
        ("flow.wait_for", {"branches": [{"id": "timeout", "event": "x"}], "timeout": "P1D"}),
        ("flow.wait_for", {"branches": [{"id": "error", "event": "x"}], "timeout": "P1D"}),
    ],
)
def test_ports_are_distinct_words(node_type: str, parameters: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        node(node_type, **parameters)


def test_of_nodes_that_are_cut_off_only_the_first_is_named() -> None:
    steps = [Node(id=name, type="flow.delay", parameters={"duration": "P1D"}) for name in ("a", "b", "c")]
    edges = (Edge.model_validate({"from": [one, "out"], "to": [next_one, "in"]}) for one, next_one in ("ab", "bc"))
    whole = Workflow(name="w", nodes=(Node(id="t", type="trigger.manual"), *steps), edges=tuple(edges))
    found = [p for p in check(whole, catalogue()) if p.code == "NODE-UNREACHED"]
    assert [p.node for p in found] == ["a"]


def test_a_field_that_is_not_there_or_not_known_is_said_in_plain_words() -> None:
    found = {p[1]: p[2] for p in problems("audience.filter", what=1)}
    assert found == {"parameters.rule": "This field is missing.", "parameters.what": "There is no such field."}
