"""What advice changes in a workflow: everything else stays, and the result can run."""

from __future__ import annotations

import pytest

from studio.domain.errors import UserFixable
from studio.domain.improving import choose_hour_for_half, hold_out_less, leave_out_for_half
from studio.domain.validation import check
from studio.domain.workflow import Edge, Node, Workflow
from studio.nodes import catalogue


def edge(start: str, port: str, end: str) -> Edge:
    return Edge.model_validate({"from": (start, port), "to": (end, "in")})


FLOW = Workflow(
    name="Two mails",
    nodes=(
        Node(id="start", type="trigger.manual"),
        Node(id="holdout", type="exp.holdout", parameters={"share": 0.2}),
        Node(id="first", type="send.email", label="First", parameters={"subject": "Hello", "text": "Hello"}),
        Node(id="second", type="send.email", label="Second", parameters={"subject": "Again", "text": "Again"}),
        Node(id="goal", type="flow.goal", parameters={"event": "order", "window": "P7D"}),
    ),
    edges=(
        edge("start", "out", "holdout"),
        edge("holdout", "out", "first"),
        edge("holdout", "held", "goal"),
        edge("first", "out", "second"),
        edge("second", "out", "goal"),
    ),
)


def ways(workflow: Workflow) -> set[tuple[str, str, str]]:
    return {(e.from_[0], e.from_[1], e.to[0]) for e in workflow.edges}


def test_half_of_the_people_go_round_the_message() -> None:
    changed = leave_out_for_half(FLOW, "second")
    assert ways(changed) - ways(FLOW) == {
        ("first", "out", "without_second"),
        ("without_second", "with", "second"),
        ("without_second", "without", "goal"),
    }
    assert ways(FLOW) - ways(changed) == {("first", "out", "second")}
    assert changed.nodes[: len(FLOW.nodes)] == FLOW.nodes


def test_half_of_the_people_get_it_at_another_hour() -> None:
    changed = choose_hour_for_half(FLOW, "first", 22)
    assert {("hour_first", "any", "first"), ("hour_first", "best", "at_first"), ("at_first", "out", "first")} < ways(
        changed
    )
    window = changed.node("at_first").parameters
    assert (window["start"], window["end"]) == ("22:00", "01:00")


def test_half_as_many_are_held_out() -> None:
    changed = hold_out_less(FLOW, "holdout")
    assert changed.node("holdout").parameters["share"] == 0.1
    assert changed.edges == FLOW.edges


@pytest.mark.parametrize(
    "changed",
    [leave_out_for_half(FLOW, "second"), choose_hour_for_half(FLOW, "first", 13), hold_out_less(FLOW, "holdout")],
)
def test_what_comes_of_it_can_run(changed: Workflow) -> None:
    known = catalogue()
    assert check(FLOW, known) == check(changed, known)


def test_it_is_not_done_twice_and_not_to_what_is_gone() -> None:
    with pytest.raises(UserFixable, match="already") as again:
        leave_out_for_half(leave_out_for_half(FLOW, "second"), "second")
    with pytest.raises(UserFixable, match="any more") as gone:
        choose_hour_for_half(FLOW, "third", 9)
    assert (again.value.code, gone.value.code) == ("ADVICE-DONE", "ADVICE-GONE")
