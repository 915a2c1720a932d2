"""Ports, summaries, layout and the ways of the arrow keys: what the canvas works out without drawing."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from studio.domain.node import NodeType
from studio.domain.validation import Catalogue
from studio.domain.workflow import Node, Workflow, topological_order
from studio.nodes import catalogue
from studio.ui.canvas.editor import CanvasEditor
from studio.ui.canvas.layout import COLUMN_GAP, ROW_GAP, tidy
from studio.ui.canvas.navigation import along_edge, leads_to, nearest, next_in_order, reading_order
from studio.ui.canvas.ports import outputs_for, ports_of
from studio.ui.canvas.specimen import specimen, starting_parameters
from studio.ui.canvas.status import EdgeStatus
from studio.ui.canvas.summary import plain, summary
from tests.ui.canvas import cart_recovery

EVERY_TYPE = pytest.mark.parametrize("node_class", list(catalogue().values()), ids=list(catalogue()))


@EVERY_TYPE
def test_every_type_has_settings_it_accepts(node_class: type[NodeType]) -> None:
    values = specimen(node_class.Parameters)
    node_class.Parameters.model_validate(values)
    assert outputs_for(node_class, values) == (node_class(node_class.Parameters.model_validate(values)).outputs(), True)


@EVERY_TYPE
def test_a_new_node_of_every_type_has_the_ports_it_will_have(node_class: type[NodeType]) -> None:
    whole = outputs_for(node_class, specimen(node_class.Parameters))[0]
    assert outputs_for(node_class, {})[0] == whole
    assert len(outputs_for(node_class, starting_parameters(node_class.Parameters))[0]) == len(whole)


def test_one_wrong_variant_hides_only_itself(types: Catalogue) -> None:
    names, right = outputs_for(types["exp.split"], {"variants": [{"id": "A"}, {"id": "no id"}, {"id": "C"}]})
    assert (names, right) == (("A", "C"), False)


def test_outputs_that_edges_use_are_shown_whatever_the_settings_say(types: Catalogue) -> None:
    workflow = cart_recovery.workflow()
    ports = ports_of(workflow, workflow.node("gate"), types, ("allowed", "old"))
    assert ports.output_names == ("allowed", "deferred", "blocked", "old")


def test_the_error_output_shows_when_errors_are_routed(types: Catalogue) -> None:
    workflow = cart_recovery.workflow()
    routed = workflow.node("mail_a").model_copy(update={"on_error": "route"})
    assert ports_of(workflow, routed, types).output_names == ("out", "error")


def test_an_unknown_type_keeps_the_ports_its_edges_name(types: Catalogue) -> None:
    node = Node(id="x", type="send.pigeon")
    assert ports_of(Workflow(name="w"), node, types, ("away",)).output_names == ("away",)


@pytest.mark.parametrize(
    ("type_id", "values", "said"),
    [
        ("flow.delay", {"duration": "P2D"}, "wait for 2 days"),
        ("exp.split", {"variants": [{"id": "A", "weight": 3}, {"id": "B"}]}, "75 / 25"),
        ("exp.holdout", {}, "held out 10 %"),
        ("send.email", {"subject": "Hi {{ contact.first_name|default('you') }}", "body": "x"}, "“Hi ‹first name›”"),
        ("flow.goal", {"event": "order", "window": "P14D"}, "order · within 14 days"),
        ("trigger.event", {"event": "cart_updated"}, "Cart updated"),
        ("trigger.event", {"event": "cart", "filter": "value >= 30"}, "cart · value >= 30"),
        ("flow.wait_for", {"branches": [{"id": "a", "event": "order"}], "timeout": "PT23H"}, "a · at the longest 23"),
    ],
)
def test_a_node_says_in_one_line_what_it_is_set_to(types: Catalogue, type_id: str, values: dict, said: str) -> None:
    assert summary(types[type_id].Parameters, values).replace("\u00a0", " ").startswith(said)


def test_message_fields_are_shown_by_name() -> None:
    assert plain("Your\n {{ var.offer | fill }} waits") == "Your ‹offer› waits"


GRAPHS = st.integers(2, 14).flatmap(
    lambda n: st.tuples(
        st.just(n), st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=22, unique=True)
    )
)


@given(graph=GRAPHS)
def test_tidy_layout_never_overlaps_and_never_changes_its_mind(graph: tuple[int, list[tuple[int, int]]]) -> None:
    count, pairs = graph
    sizes = {f"n{i}": (168.0, 104.0 + 26 * (i % 3)) for i in range(count)}
    links = [(f"n{a}", f"n{b}") for a, b in pairs]
    places = tidy(sizes, links)
    assert places == tidy(sizes, links)
    assert set(places) == set(sizes)
    for (a, (ax, ay)), (b, (bx, by)) in itertools.combinations(places.items(), 2):
        apart = ax + sizes[a][0] <= bx or bx + sizes[b][0] <= ax or ay + sizes[a][1] <= by or by + sizes[b][1] <= ay
        assert apart, f"{a} and {b} overlap"


@given(graph=GRAPHS)
@example(graph=(12, [(0, 1), (0, 2), (0, 3), (1, 11), (0, 4), (0, 11)]))
def test_tidy_layout_leads_from_left_to_right(graph: tuple[int, list[tuple[int, int]]]) -> None:
    count, pairs = graph
    links = [(f"n{a}", f"n{b}") for a, b in pairs if a < b]
    places = tidy({f"n{i}": (168.0, 104.0) for i in range(count)}, links)
    for source, target in links:
        assert places[source][0] + 168.0 + COLUMN_GAP <= places[target][0]


def test_in_a_cycle_only_the_edge_that_leads_back_goes_left() -> None:
    sizes = {f"n{i}": (168.0, 104.0) for i in range(4)}
    for _ in range(20):
        places = tidy(sizes, [("n0", "n1"), ("n1", "n2"), ("n2", "n3"), ("n3", "n0")])
        assert [places[f"n{i}"][0] for i in range(4)] == sorted({x for x, _y in places.values()})


def test_tidy_layout_gives_labels_their_room_and_keeps_outputs_in_order() -> None:
    sizes = dict.fromkeys(("split", "a", "b", "join"), (168.0, 104.0))
    links = [("split", "a"), ("split", "b"), ("a", "join"), ("b", "join")]
    places = tidy(sizes, links, {("split", "b"): 140.0})
    assert places["a"][0] - places["split"][0] >= 168 + 140
    assert places["a"][1] < places["b"][1]
    assert places["b"][1] - places["a"][1] >= 104 + ROW_GAP - 10
    assert places["split"][1] == places["join"][1]


def test_reading_order_follows_the_edges() -> None:
    workflow = cart_recovery.workflow()
    order = reading_order(workflow)
    assert sorted(order) == sorted(node.id for node in workflow.nodes)
    for edge in workflow.edges:
        assert order.index(edge.from_[0]) < order.index(edge.to[0])
    assert next_in_order(workflow, None, 1) == order[0]
    assert next_in_order(workflow, order[-1], 1) is None
    assert next_in_order(workflow, order[0], -1) is None


def test_arrows_lead_to_the_nearest_in_their_direction() -> None:
    places = {"here": (0.0, 0.0), "right": (300.0, 20.0), "near_but_above": (60.0, -200.0), "left": (-50.0, 0.0)}
    assert nearest(places, "here", "right") == "right"
    assert nearest(places, "here", "up") == "near_but_above"
    assert nearest(places, "here", "down") is None


def test_along_edges_goes_forth_and_back_and_between_siblings() -> None:
    workflow = cart_recovery.workflow()
    places = {node.id: (0.0, float(index)) for index, node in enumerate(workflow.nodes)}
    assert along_edge(workflow, places, "subject", "right") == "mail_a"
    assert along_edge(workflow, places, "wait", "left") == "mail_a"
    assert along_edge(workflow, places, "mail_a", "down") == "mail_b"
    assert along_edge(workflow, places, "mail_b", "up") == "mail_a"
    assert along_edge(workflow, places, "end", "right") is None


def test_what_a_node_leads_to_is_what_an_edge_back_would_close_to_a_cycle() -> None:
    workflow = cart_recovery.workflow()
    assert leads_to(workflow, "wait") == {"wait", "goal", "reminder"}
    assert topological_order(workflow)[1] == []


def test_pills_at_the_outputs_of_a_step_lie_clear_of_each_other_with_and_without_figures(editor: CanvasEditor) -> None:
    leaving = [edge for key, edge in editor.scene.edges.items() if key[0][0] in ("gate", "wait", "subject")]
    for figures in (None, 98_765):
        statuses = {edge.key: EdgeStatus(count=figures) for edge in leaving}
        editor.scene.set_statuses({}, statuses)
        for a, b in itertools.combinations(leaving, 2):
            assert not a.pill.intersects(b.pill), (a.key, b.key)


def test_a_list_that_is_wrong_entry_by_entry_and_as_a_whole_leaves_the_outputs_known(types: Catalogue) -> None:
    whole = outputs_for(types["trigger.catalog"], specimen(types["trigger.catalog"].Parameters))[0]
    assert outputs_for(types["trigger.catalog"], {"interest": ["12 h"]}) == (whole, False)
