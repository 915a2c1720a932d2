"""Parallel branches, where they meet again, and loops: nobody is lost, doubled, or told the same thing twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from studio.domain.run import RunView, fold
from studio.domain.workflow import topological_order
from studio.engine.draft import Sizes
from tests.engine.bench import START, World, workflow
from tests.engine.memory_store import Killed


def meeting(wait_for: str, left: str = "PT1H", right: str = "PT3H", **more):
    nodes = {
        "s": ("people", {"count": 12}),
        "l": ("pause", {"wait": left}),
        "r": ("pause", {"wait": right}),
        "j": ("flow.merge", {"wait_for": wait_for, **more}),
        "m": ("mail", {}),
        "t": ("end", {}),
    }
    edges = ["s > l", "s > r", "l > j", "r > j", "j > m"]
    return workflow(nodes, *edges, *(["j.timeout > t"] if wait_for == "all" else []))


def sent_at(world: World) -> set:
    return set(world.contact_events("sent").get_column("occurred_at"))


@pytest.mark.parametrize(("wait_for", "hours"), [("any", 1), ("all", 3)])
def test_branches_meet_when_the_first_or_when_all_have_come(wait_for: str, hours: int) -> None:
    world = World(sizes=Sizes(chunk=5))
    assert world.run(meeting(wait_for)) == "done"
    assert world.mailed() == {(f"p{i}", "m"): 1 for i in range(12)}
    assert sent_at(world) == {START + timedelta(hours=hours)}
    step = world.view().step("j")
    assert (step.arrived, step.out, step.waiting) == (24, {"out": 12}, 0)


def test_branches_that_arrive_together_meet_at_once() -> None:
    world = World()
    assert world.run(meeting("all", "PT1H", "PT1H")) == "done"
    assert world.view().step("j").out == {"out": 12}


def test_who_is_not_complete_in_time_goes_another_way_and_comes_too_late_afterwards() -> None:
    world = World()
    assert world.run(meeting("all", "PT1H", "P9D", timeout="P2D")) == "done"
    assert world.people("exited", "t") == list(range(12))
    assert world.mailed() == {}
    assert world.view().step("j").out == {"timeout": 12}


@pytest.mark.parametrize("wait_for", ["any", "all"])
@pytest.mark.parametrize("write", [3, 4, 5, 6])
def test_branches_meet_though_the_process_was_killed_between(wait_for: str, write: int) -> None:
    plain = World()
    plain.run(meeting(wait_for))
    world = World()
    world.begin(meeting(wait_for))
    world.die_at(write)
    with pytest.raises(Killed):
        world.go()
    world.die_at(-1)
    assert world.go() == "done"
    assert world.outcome() == plain.outcome()


def test_a_branch_that_only_some_take_does_not_hold_up_the_first_to_come() -> None:
    nodes = {
        "s": ("people", {"count": 8}),
        "k": ("keep", {"of": 2}),
        "p": ("pause", {"wait": "PT1H"}),
        "j": ("flow.merge", {}),
        "e": ("end", {}),
    }
    world = World()
    assert world.run(workflow(nodes, "s > k", "k.pass > p", "k.fail > j", "p > j", "j > e")) == "done"
    assert world.people("exited") == list(range(8))


ROUND = workflow(
    {
        "s": ("people", {"count": 6}),
        "loop": ("flow.loop", {"most": 3}),
        "m": ("mail", {"blocks": [5]}),
        "p": ("pause", {"wait": "P1D"}),
        "e": ("end", {}),
    },
    "s > loop",
    "loop.body > m",
    "m > p",
    "p > loop",
    "loop.done > e",
)


@pytest.mark.parametrize("mode", ["test", "simulate"])
def test_a_loop_sends_one_message_each_round_and_ends_at_its_bound(mode: str) -> None:
    world = World(sizes=Sizes(chunk=4))
    assert world.run(ROUND, mode=mode) == "done"
    sent = world.contact_events("sent").group_by("contact_id").len().sort("contact_id").rows()
    assert sent == [(i, 3) for i in range(5)]
    assert world.people("exited") == list(range(6))
    moments = sorted(set(world.contact_events("sent").get_column("occurred_at")))
    assert moments == [START + timedelta(days=day) for day in range(3)]
    assert world.view().step("loop").out == {"body": 18, "done": 6}
    if mode == "test":
        assert world.mailed() == {(f"p{i}", "m"): 3 for i in range(5)}
        assert world.runs.outbox("r1").height == 18


@pytest.mark.parametrize("write", [4, 7, 9])
def test_a_loop_goes_on_where_it_was_killed(write: int) -> None:
    plain = World()
    plain.run(ROUND)
    world = World()
    world.begin(ROUND)
    world.die_at(write)
    with pytest.raises(Killed):
        world.go()
    world.die_at(-1)
    while world.go() == "waiting":
        pass
    assert world.mailed() == plain.mailed()


def test_a_loop_inside_a_loop_begins_anew_each_time() -> None:
    nodes = {
        "s": ("people", {"count": 2}),
        "outer": ("flow.loop", {"most": 2}),
        "inner": ("flow.loop", {"most": 3}),
        "m": ("mail", {}),
        "e": ("end", {}),
    }
    edges = ("s > outer", "outer.body > inner", "inner.body > m", "m > inner", "inner.done > outer", "outer.done > e")
    world = World()
    assert world.run(workflow(nodes, *edges)) == "done"
    assert world.mailed() == {("p0", "m"): 6, ("p1", "m"): 6}


def test_people_in_different_rounds_meet_in_a_loop_and_all_get_through() -> None:
    nodes = {
        "s": ("people", {"count": 8}),
        "loop": ("flow.loop", {"most": 3}),
        "k": ("keep", {"of": 2}),
        "p": ("pause", {"wait": "PT1H"}),
        "m": ("through", {}),
        "e": ("end", {}),
    }
    edges = ("s > loop", "loop.body > k", "k.pass > p", "k.fail > m", "p > m", "m > loop", "loop.done > e")
    world = World()
    assert world.run(workflow(nodes, *edges)) == "done"
    assert world.people("exited") == list(range(8))
    assert world.view().step("m").arrived == 24


def test_a_loop_that_is_switched_off_is_passed_by() -> None:
    nodes = {
        "s": ("people", {"count": 3}),
        "loop": ("flow.loop", {"most": 3}, {"enabled": False}),
        "m": ("mail", {}),
        "e": ("end", {}),
    }
    world = World()
    flow = workflow(nodes, "s > loop", "loop.body > m", "m > loop", "loop.done > e")
    assert world.run(flow) == "done"
    assert world.people("exited") == [0, 1, 2]


def test_only_edges_out_of_a_loops_body_may_lead_back() -> None:
    order, cyclic = topological_order(ROUND)
    assert (order[0], order[1], cyclic) == ("s", "loop", [])
    around = workflow({"a": ("through", {}), "b": ("flow.loop", {"most": 1})}, "a > b", "b.done > a")
    assert set(topological_order(around)[1]) == {"a", "b"}


def test_a_step_in_a_loop_shows_the_same_live_and_folded_again() -> None:
    world = World()
    world.run(ROUND)
    assert fold(RunView("r1"), world.runs.run_events("r1")).steps == world.view().steps


def test_branches_that_do_not_lead_into_each_other_run_side_by_side() -> None:
    """Each of the two steps waits for the other to have begun: one after the other they would wait for ever."""
    nodes = {
        "s": ("people", {"count": 3}),
        "a": ("rendezvous", {"parties": 2}, {"timeout": "PT10S"}),
        "b": ("rendezvous", {"parties": 2}, {"timeout": "PT10S"}),
        "e": ("end", {}),
    }
    world = World()
    assert world.run(workflow(nodes, "s > a", "s > b", "a > e", "b > e")) == "done"
    assert world.people("exited") == [0, 1, 2]
    assert world.states() == {"s": "done", "a": "done", "b": "done", "e": "done"}
