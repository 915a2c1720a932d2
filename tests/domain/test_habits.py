"""What usually follows is what most workflows do, at that very output first."""

from __future__ import annotations

from studio.domain.habits import Habits, learn_habits
from studio.domain.workflow import Edge, Node, Workflow


def chain(*types: str, ports: tuple[str, ...] = ()) -> Workflow:
    nodes = tuple(Node(id=f"n{i}", type=type_id) for i, type_id in enumerate(types))
    names = ports or ("out",) * (len(types) - 1)
    links = [((f"n{i}", port), (f"n{i + 1}", "in")) for i, port in enumerate(names)]
    return Workflow(name="x", nodes=nodes, edges=tuple(Edge.model_validate({"from": a, "to": b}) for a, b in links))


def test_the_more_workflows_do_it_the_earlier_it_stands() -> None:
    habits = learn_habits([chain("t", "mail", "wait"), chain("t", "mail", "wait"), chain("t", "mail", "exit")])
    assert [(one.type_id, one.workflows) for one in habits.after("mail")] == [("wait", 2), ("exit", 1)]
    assert [one.type_id for one in habits.starts()] == ["t"]
    assert habits.workflows == 3


def test_what_follows_at_this_output_comes_before_what_follows_elsewhere() -> None:
    often = [chain("wait", "mail", ports=("timeout",)) for _ in range(3)]
    habits = learn_habits([*often, chain("wait", "exit", ports=("paid",))])
    assert [one.type_id for one in habits.after("wait", "paid")] == ["exit", "mail"]
    assert [one.type_id for one in habits.after("wait", "timeout")] == ["mail", "exit"]


def test_a_long_workflow_has_one_vote() -> None:
    long = chain(*("mail", "exit") * 20)
    assert learn_habits([long]).after("mail")[0].workflows == 1


def test_nothing_is_known_of_what_was_never_seen() -> None:
    assert Habits().after("mail", "out") == []
    assert learn_habits([]).starts() == []
