"""Breakpoints, single steps, parts of a workflow, pinned data, and failed items that are edited: in the engine."""

from __future__ import annotations

import polars as pl
import pytest

from studio.domain.debugging import Aids, Breakpoint, Pin, PinnedRow, parse_breakpoint
from studio.domain.errors import UserFixable
from studio.engine.control import Control
from studio.engine.draft import Sizes
from studio.engine.planting import Planted
from tests.engine.bench import World, workflow
from tests.engine.test_branches import meeting

NODES = {
    "s": ("people", {"count": 40}),
    "k": ("keep", {"of": 4}),
    "t": ("through", {}),
    "m": ("mail", {}),
    "e": ("end", {}),
    "x": ("end", {}),
}
FLOW = workflow(NODES, "s > k", "k.pass > t", "t > m", "m > e", "k.fail > x")
PASSING = [i for i in range(40) if i % 4 == 0]


def begun(*texts: str, flow=FLOW, contact_id: int | None = None, world: World | None = None, **aids) -> World:
    world = world or World()
    points = tuple(parse_breakpoint(text) for text in texts)
    if contact_id is not None:
        points = tuple(Breakpoint(when="contact", contact="p", contact_id=contact_id, node=p.node) for p in points)
    world.begin(flow, aids=Aids(breakpoints=points, **aids).as_json())
    return world


def test_a_breakpoint_before_a_step_holds_everybody_there_until_the_run_goes_on() -> None:
    world = begun("before:m")
    assert world.go() == "paused"
    view = world.view()
    assert view.message == "Stopped before “Mail”. 10 people stand before “Mail”."
    assert (view.step("m").state, view.step("m").arrived, view.step("t").arrived) == ("paused", 0, 10)
    assert not world.mailed()
    assert sorted(world.people("exited", "x")) == [i for i in range(40) if i not in PASSING]
    assert world.go() == "done"
    assert len(world.mailed()) == 10
    assert world.states()["m"] == "done"


def test_what_a_run_does_is_the_same_with_and_without_breakpoints() -> None:
    plain = World()
    plain.run(FLOW)
    for texts in (["before:t"], ["k.pass>3"], ["before:k", "before:t", "before:m", "before:e"], ["m>2"]):
        world = begun(*texts)
        stops = 0
        while (state := world.go()) == "paused":
            stops += 1
        assert (state, stops) == ("done", len(texts))
        mine, its = world.outcome(), plain.outcome()
        assert {**mine, "events": 0} == {**its, "events": 0}
        assert mine["events"] == its["events"]


def test_a_count_stops_once_when_more_have_come() -> None:
    world = begun("m>6", world=World(sizes=Sizes(chunk=8)))
    assert world.go() == "paused"
    # Chunks of 8 people, of which 2 pass: the fourth chunk would make it 8.
    assert world.view().step("m").arrived == 6
    assert world.go() == "done"
    assert len(world.mailed()) == 10


def test_an_empty_port_stops_before_anybody_goes_on() -> None:
    nodes = {**NODES, "k": ("keep", {"of": 400, "remainder": 399})}
    world = begun("empty:k.pass", flow=workflow(nodes, "s > k", "k.pass > t", "t > m", "m > e", "k.fail > x"))
    assert world.go() == "paused"
    assert "when nobody leaves “Keep” through “fits”" in world.view().message
    assert world.people("exited") == []
    assert world.go() == "done"
    assert len(world.people("exited", "x")) == 40


def test_an_empty_source_is_an_empty_port() -> None:
    world = begun("empty:s", flow=workflow({"s": ("people", {"count": 0}), "e": ("end", {})}, "s > e"))
    assert world.go() == "paused"


def test_one_contact_is_held_at_every_step_and_the_others_go_on() -> None:
    world = begun("contact:p", contact_id=8)
    seen = []
    while world.go() == "paused":
        (node_id,) = [step for step, state in world.states().items() if state == "paused"]
        seen.append((node_id, len(world.people("sent"))))
    assert seen == [("k", 0), ("t", 0), ("m", 0), ("e", 10)]


def test_an_error_stops_before_the_others_go_on_and_does_not_fail_the_run() -> None:
    nodes = {**NODES, "t": ("trouble", {"raises": [4]})}
    flow = workflow(nodes, "s > k", "k.pass > t", "t > m", "m > e", "k.fail > x")
    world = begun("error", flow=flow)
    assert world.go() == "paused"
    assert "when any step fails" in world.view().message
    assert not world.mailed()
    assert world.go() == "done"
    assert len(world.mailed()) == 9


def test_a_value_never_seen_before_holds_who_has_it() -> None:
    flow = workflow({"c": ("cart", {"again": True}), "t": ("through", {}), "e": ("end", {})}, "c > t", "t > e")
    world = begun("new:t.key", flow=flow)
    world.happen(("cart", 1, 2, "red"), ("cart", 2, 200, "red"), ("cart", 3, 400, "blue"), ("cart", 4, 600, "red"))
    assert world.go() == "paused"
    assert world.people("exited") == [1, 2]
    assert world.go() == "done"
    assert world.people("exited") == [1, 2, 3, 4]


def test_breakpoints_may_be_set_while_a_run_is_paused() -> None:
    world = begun("before:k")
    assert world.go() == "paused"
    control = Control()
    control.watch([parse_breakpoint("before:m")])
    assert world.go(control=control) == "paused"
    assert world.states()["m"] == "paused"
    control.watch([])
    assert world.go(control=control) == "done"


def test_stepping_by_node_goes_to_one_node_at_a_time() -> None:
    world = begun()
    control = Control()
    arrived = []
    for _ in range(5):
        control.step(by="node")
        assert world.go(control=control, is_stepping=True) == "paused"
        arrived.append({step_id: step.arrived for step_id, step in world.view().steps.items() if step.arrived})
    assert arrived == [
        {"s": 40},
        {"s": 40, "k": 40},
        {"s": 40, "k": 40, "t": 10},
        {"s": 40, "k": 40, "t": 10, "x": 30},
        {"s": 40, "k": 40, "t": 10, "x": 30, "m": 10},
    ]
    assert world.go() == "done"
    plain = World()
    plain.run(FLOW)
    assert world.outcome() == plain.outcome()


def test_a_run_up_to_a_step_does_nothing_behind_it_or_beside_it() -> None:
    world = begun(to_node="t")
    assert world.go() == "done"
    assert world.states() == {"s": "done", "k": "done", "t": "done", "m": "skipped", "e": "skipped", "x": "skipped"}
    assert world.out("t") == {"out": 10}
    assert not world.mailed()


def test_a_run_from_a_step_begins_with_the_people_it_is_given() -> None:
    world = World()
    aids = Aids(from_node="m").as_json()
    entries = pl.DataFrame(
        {"contact_id": [3, 5], "key": [None, "k1"]}, schema={"contact_id": pl.UInt32, "key": pl.String}
    )
    world.begin(FLOW, planted=[Planted("m", None, entries)], aids=aids)
    assert world.go() == "done"
    assert world.mailed() == {("p3", "m"): 1, ("p5", "m"): 1}
    assert world.people("entered") == [3, 5]
    assert world.states()["s"] == "skipped"
    assert world.people("exited", "e") == [3, 5]


def test_no_way_between_from_and_to_is_refused() -> None:
    with pytest.raises(UserFixable) as caught:
        begun(from_node="x", to_node="m")
    assert caught.value.code == "AID-PART"


def test_a_pinned_step_gives_its_rows_and_stops_whoever_comes() -> None:
    world = World()
    pin = Pin(node="t", rows={"out": (PinnedRow(contact="p7", variables={"colour": "red"}),)})
    rows = {"contact_id": [7], "key": [None], "var.colour": ["red"]}
    entries = pl.DataFrame(rows, schema={"contact_id": pl.UInt32, "key": pl.String, "var.colour": pl.String})
    world.begin(FLOW, planted=[Planted("t", "out", entries)], aids=Aids(pins=(pin,)).as_json())
    assert world.go() == "done"
    assert world.mailed() == {("p7", "m"): 1}
    # Contact 7 is in the run already when the source would let him in.
    assert world.view().step("k").arrived == 39
    assert world.out("t") == {"out": 1}


def test_a_pinned_source_lets_in_its_rows_and_nobody_else() -> None:
    world = World()
    pin = Pin(node="s", rows={"out": (PinnedRow(contact="p8"),)})
    entries = pl.DataFrame({"contact_id": [8], "key": [None]}, schema={"contact_id": pl.UInt32, "key": pl.String})
    world.begin(FLOW, planted=[Planted("s", "out", entries)], aids=Aids(pins=(pin,)).as_json())
    assert world.go() == "done"
    assert world.people("entered") == [8]
    assert world.mailed() == {("p8", "m"): 1}


def test_only_chosen_failed_items_are_tried_again_with_what_was_changed() -> None:
    nodes = {"s": ("people", {"count": 8}), "t": ("need", {"name": "third", "value": 0}), "e": ("end", {})}
    world = World()
    world.run(workflow(nodes, "s > t", "t > e"))
    assert world.people("exited") == [0, 3, 6]
    apart = world.runs.quarantined("r1")
    ids = dict(apart.select("contact_id", "instance_id").rows())
    control = Control()
    control.retry("t", only=[ids[1], ids[2]], changes={ids[1]: {"var.third": 0}})
    world.go(control=control)
    assert world.people("exited") == [0, 1, 3, 6]
    step = world.view().step("t")
    assert (step.quarantined, step.problems[0].count) == (4, 4)
    control.retry("t", changes={i: {"var.third": 0} for i in ids.values()})
    assert world.go(control=control) == "done"
    assert world.people("exited") == list(range(8))
    assert world.view().step("t").problems[0].count == 0


@pytest.mark.parametrize(
    "text",
    [
        "before:a",
        "a>5",
        "a.out>5",
        "empty:a",
        "empty:a.out",
        "contact:x@y.z",
        "contact:k,a",
        "error",
        "error:a",
        "new:a.var.b",
    ],
)
def test_breakpoints_are_read_as_they_are_written(text: str) -> None:
    assert str(parse_breakpoint(text)) == text
    assert parse_breakpoint(text).in_words({"a": "A step"})


@pytest.mark.parametrize("text", ["", "a", "before:", "a<5", "new:a", "a>", "contact:"])
def test_what_is_no_breakpoint_is_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(UserFixable) as caught:
        parse_breakpoint(text)
    assert caught.value.code == "BREAKPOINT-TEXT"


@pytest.mark.parametrize("right", ["PT1H", "PT3H"])
@pytest.mark.parametrize("wait_for", ["any", "all"])
def test_branches_meet_as_ever_though_a_breakpoint_holds_before_they_do(wait_for: str, right: str) -> None:
    flow = meeting(wait_for, "PT1H", right)
    plain = World()
    plain.run(flow)
    world = begun("before:j", flow=flow)
    assert world.go() == "paused"
    assert world.view().step("j").arrived == 0
    assert not world.mailed()
    held = 1
    while (state := world.go()) == "paused":
        held += 1
    assert (state, held) == ("done", 2), "each branch is held when its people come"
    assert world.mailed() == plain.mailed()
    assert world.view().step("j").out == plain.view().step("j").out


def test_stepping_by_node_goes_through_a_merging_step() -> None:
    flow = meeting("all", "PT1H", "PT1H")
    plain = World()
    plain.run(flow)
    world = begun(flow=flow)
    for _ in range(20):
        control = Control()
        control.step(by="node")
        if world.go(control=control, is_stepping=True) == "done":
            break
    assert world.mailed() == plain.mailed()
    assert world.view().step("j").out == {"out": 12}
