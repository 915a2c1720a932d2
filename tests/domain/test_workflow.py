"""The workflow file: round trip, content hash, bound parameters, structure."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.domain.errors import UserFixable
from studio.domain.workflow import Edge, Node, TemplateRef, Workflow, parse_workflow, topological_order

IDS = st.lists(st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True), min_size=1, max_size=12, unique=True)


@st.composite
def acyclic(draw: st.DrawFn) -> Workflow:
    ids = draw(IDS)
    pairs = [(a, b) for i, a in enumerate(ids) for b in ids[i + 1 :]]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    shuffled = draw(st.permutations(ids))
    return Workflow(
        name="w",
        nodes=tuple(Node(id=node_id, type="flow.exit", position=(1.5, 2)) for node_id in shuffled),
        edges=tuple(Edge(from_=(a, "out"), to=(b, "in")) for a, b in chosen),
    )


@given(acyclic())
def test_file_round_trip_is_identity(workflow: Workflow) -> None:
    assert parse_workflow(workflow.to_json()) == workflow
    assert parse_workflow(workflow.to_json()).to_json() == workflow.to_json()


@given(acyclic())
def test_order_points_forward(workflow: Workflow) -> None:
    order, cyclic = topological_order(workflow)
    assert not cyclic
    assert sorted(order) == sorted(node.id for node in workflow.nodes)
    assert all(order.index(edge.from_[0]) < order.index(edge.to[0]) for edge in workflow.edges)


@given(acyclic(), st.data())
def test_a_back_edge_is_found(workflow: Workflow, data: st.DataObject) -> None:
    if not workflow.edges:
        return
    edge = data.draw(st.sampled_from(workflow.edges))
    looped = workflow.model_copy(update={"edges": (*workflow.edges, Edge(from_=edge.to, to=edge.from_))})
    _, cyclic = topological_order(looped)
    assert {edge.from_[0], edge.to[0]} <= set(cyclic)


def test_moving_a_node_keeps_the_version_and_changing_a_value_does_not() -> None:
    node = Node(id="a", type="flow.delay", parameters={"for": "PT1H"})
    workflow = Workflow(name="w", nodes=(node,))
    moved = Workflow(name="w", nodes=(node.model_copy(update={"position": (9, 9), "note": "here"}),))
    changed = Workflow(name="w", nodes=(node.model_copy(update={"parameters": {"for": "PT2H"}}),))
    assert moved.content_hash() == workflow.content_hash() != changed.content_hash()


def test_parameters_are_bound_at_any_depth() -> None:
    node = Node(id="a", type="x", parameters={"v": [{"value": {"$param": "subject"}}], "plain": {"k": 1}})
    template = TemplateRef(id="t", parameters={"subject": "Hello"})
    workflow = Workflow(name="w", template=template, nodes=(node,))
    assert workflow.bound(node) == {"v": [{"value": "Hello"}], "plain": {"k": 1}}


def test_an_unbound_parameter_names_node_field_and_remedy() -> None:
    node = Node(id="mail", type="x", parameters={"subject": {"$param": "subjct"}})
    with pytest.raises(UserFixable) as caught:
        Workflow(name="w", nodes=(node,)).bound(node)
    assert caught.value.where == "mail, subject"
    assert "subjct" in caught.value.message
    assert caught.value.hint


def test_every_problem_of_a_file_is_reported_with_its_path() -> None:
    text = json.dumps({"format": "studio.workflow/1", "name": 3, "nodes": [{"id": "a", "typ": "x"}], "extra": 1})
    with pytest.raises(UserFixable) as caught:
        parse_workflow(text)
    assert {problem.field for problem in caught.value.problems} == {"name", "nodes[0].type", "nodes[0].typ", "extra"}


def test_text_that_is_no_json_is_said_so() -> None:
    with pytest.raises(UserFixable, match="not a workflow file"):
        parse_workflow("{nodes: ")


def test_a_goal_without_an_event_of_its_own_watches_for_the_workflows() -> None:
    document = {
        "format": "studio.workflow/1",
        "name": "w",
        "settings": {"goal": "order"},
        "nodes": [
            {"id": "plain", "type": "flow.goal", "parameters": {"window": "P7D"}},
            {"id": "own", "type": "flow.goal", "parameters": {"window": "P7D", "event": "booking"}},
            {"id": "wait", "type": "flow.delay", "parameters": {"duration": "P1D"}},
        ],
        "edges": [],
    }
    workflow = parse_workflow(json.dumps(document), where="w")
    assert [workflow.bound(workflow.node(name)).get("event") for name in ("plain", "own", "wait")] == [
        "order",
        "booking",
        None,
    ]
