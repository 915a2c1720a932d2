"""People who wait go on in a new version: nobody is lost, early, or written to twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from studio.domain.errors import UserFixable
from studio.engine.moving import move, preview
from studio.engine.plan import compile_plan
from tests.engine.bench import START, World, workflow
from tests.engine.nodes import CATALOGUE

OLD = {
    "s": ("people", {"count": 6}),
    "k": ("keep", {"of": 2}),
    "m1": ("mail", {}),
    "p": ("pause", {"wait": "P2D"}),
    "q": ("pause", {"wait": "P4D"}),
    "m2": ("mail", {}),
}
EDGES = ("s > k", "k.pass > m1", "m1 > p", "p > m2", "k.fail > q", "q > m2")


def waiting() -> World:
    world = World()
    world.begin(workflow(OLD, *EDGES))
    assert world.go(until=START + timedelta(days=1)) == "waiting"
    return world


def moved(world: World, new, destinations: dict[str, str]) -> dict[str, tuple[int, str]]:
    run = world.runs.get("r1")
    rows = preview(world.runs, run, workflow(OLD, *EDGES), new, destinations)
    world.runs.commit(move(world.runs, run, compile_plan(new, CATALOGUE), rows))
    return {row.node: (row.people, row.fate) for row in rows}


def test_who_waits_keeps_his_moment_and_goes_on_in_the_new_version() -> None:
    world = waiting()
    nodes = {**OLD, "p": ("pause", {"wait": "P9D"}), "new": ("mail", {})}
    told = moved(world, workflow(nodes, *EDGES, "m2 > new"), {})
    assert told == {"p": (3, "changed"), "q": (3, "stays")}
    assert world.go() == "done"
    assert {subject for _, subject in world.mailed()} == {"m1", "m2", "new"}
    assert set(world.mailed().values()) == {1}
    moments = dict(world.contact_events("sent", "m2").select("contact_id", "occurred_at").rows())
    assert moments == {i: START + timedelta(days=2 if i % 2 == 0 else 4) for i in range(6)}
    assert world.runs.get("r1").version == workflow(nodes, *EDGES, "m2 > new").content_hash()


def test_who_stands_at_a_step_that_is_gone_goes_where_it_was_said_or_leaves() -> None:
    nodes = {name: node for name, node in OLD.items() if name not in ("p", "q")}
    new = workflow(nodes, "s > k", "k.pass > m1", "m1 > m2")
    world = waiting()
    assert moved(world, new, {"p": "m2"}) == {"p": (3, "moves"), "q": (3, "leaves")}
    assert world.go() == "done"
    assert world.mailed() == {(f"p{i}", subject): 1 for i in (0, 2, 4) for subject in ("m1", "m2")}
    assert world.people("exited", "q") == [1, 3, 5]


def test_who_has_reached_the_goal_does_not_leave_once_more_with_a_step_that_is_gone() -> None:
    old = {"s": ("people", {"count": 3}), "p": ("pause", {"wait": "P4D"}), "g": ("target", {"window": "P9D"})}
    world = World()
    flow = workflow(old, "s > p", "p > g")
    world.begin(flow)
    world.happen(("order", 1, 60))
    assert world.go(until=START + timedelta(days=1)) == "waiting"
    assert world.people("converted", "g") == [1]
    new = workflow({name: node for name, node in old.items() if name != "p"}, "s > g")
    run = world.runs.get("r1")
    (row,) = rows = preview(world.runs, run, flow, new, {})
    world.runs.commit(move(world.runs, run, compile_plan(new, CATALOGUE), rows))
    assert (row.people, row.fate) == (2, "leaves")
    assert world.people("exited", "p") == [0, 2]


def test_a_destination_there_is_not_is_refused_and_nothing_changes() -> None:
    world = waiting()
    before = world.runs.pending("r1")
    with pytest.raises(UserFixable) as caught:
        moved(world, workflow(OLD, *EDGES), {"p": "nowhere"})
    assert caught.value.code == "MOVE-NODE"
    assert world.runs.pending("r1") == before


def test_a_step_that_people_left_for_good_waits_for_nobody() -> None:
    """Its number of waiting people and its state would otherwise stand for ever."""
    world = waiting()
    moved(world, workflow({k: n for k, n in OLD.items() if k != "p"}, "s > k", "k.fail > q", "q > m2"), {"p": "m2"})
    assert (world.view().step("p").waiting, world.states()["p"]) == (0, "done")
    assert world.view().step("q").waiting == 3


def test_what_a_simulated_audience_does_later_happens_although_the_step_is_gone() -> None:
    nodes = {"s": ("people", {"count": 6}), "m1": ("mail", {}), "p": ("pause", {"wait": "P3D"}), "m2": ("mail", {})}
    old = workflow(nodes, "s > m1", "m1 > p", "p > m2")
    new = workflow({name: node for name, node in nodes.items() if name != "m1"}, "s > p", "p > m2")
    world = World()
    world.begin(old, mode="simulate")
    world.go(until=START + timedelta(minutes=15))
    run = world.runs.get("r1")
    world.runs.commit(move(world.runs, run, compile_plan(new, CATALOGUE), preview(world.runs, run, old, new, {})))
    assert world.go() == "done"
    assert world.people("clicked", "m1") == world.people("clicked", "m2") == [0, 3]
