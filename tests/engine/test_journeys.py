"""Whole journeys on a virtual clock: waiting, events, goals, carts, limits, and what a failing step does."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from studio.domain.errors import Transient
from studio.domain.validation import check
from studio.engine.control import Control
from studio.engine.draft import Sizes
from tests.engine.bench import START, World, workflow
from tests.engine.nodes import CATALOGUE, Cart

DAY = 24 * 60


def ended(world: World, node_id: str) -> list[int]:
    return world.people("exited", node_id)


def test_a_delay_keeps_everybody_for_its_time() -> None:
    world = World()
    flow = workflow(
        {"s": ("people", {"count": 5}), "p": ("pause", {"wait": "PT90M"}), "e": ("end", {})}, "s > p", "p > e"
    )
    assert world.run(flow) == "done"
    moments = set(world.contact_events("exited").get_column("occurred_at"))
    assert moments == {START + timedelta(minutes=90)}
    assert world.states() == {"s": "done", "p": "done", "e": "done"}
    assert world.view().step("p").arrived == 5


def test_nobody_is_early_and_nobody_later_than_the_clocks_step() -> None:
    world = World(people=400)
    nodes = {"s": ("people", {"count": 400}), "p": ("pause", {"wait": "PT1H", "spread": "P2D"}), "e": ("end", {})}
    assert world.run(workflow(nodes, "s > p", "p > e")) == "done"
    left = world.contact_events("exited")
    assert sorted(left.get_column("contact_id")) == list(range(400))
    plain = World(people=400, sizes=Sizes(chunk=1))
    assert plain.run(workflow({**nodes, "s": ("people", {"count": 40})}, "s > p", "p > e")) == "done"
    few = plain.contact_events("exited").select("contact_id", "occurred_at").sort("contact_id")
    same = left.filter(left.get_column("contact_id") < 40).select("contact_id", "occurred_at").sort("contact_id")
    assert few.equals(same)


@pytest.fixture
def cart_flow():
    return workflow(
        {
            "cart": ("cart", {}),
            "w1": ("await", {"timeout": "PT1H"}),
            "m1": ("mail", {}),
            "w2": ("await", {"timeout": "PT23H"}),
            "m2": ("mail", {}),
            "bought": ("end", {}),
            "lost": ("end", {}),
        },
        "cart > w1",
        "w1.timeout > m1",
        "w1.came > bought",
        "m1 > w2",
        "w2.came > bought",
        "w2.timeout > m2",
        "m2 > lost",
    )


def test_cart_recovery_one_instance_per_cart_and_orders_of_the_same_cart_only(cart_flow) -> None:
    world = World()
    world.begin(cart_flow)
    world.happen(
        ("cart", 1, 2, "c1"),
        ("order", 1, 30, "c1"),
        ("cart", 1, 3, "c2"),
        ("order", 1, 4, "other"),
        ("cart", 2, 100, "c3"),
        ("order", 2, 100 + 5 * 60, "c3"),
        ("cart", 2, 101, "c3"),
        ("cart", 2, 3 * DAY, "c3"),
    )
    assert world.go() == "done"
    keys = {key: set() for key in ("entered", "exited")}
    for kind, found in keys.items():
        found |= set(world.contact_events(kind).select("contact_id", "key").rows())
    assert keys["entered"] == {(1, "c1"), (1, "c2"), (2, "c3")}
    assert world.contact_events("entered").height == 3
    assert sorted(world.contact_events("exited", "bought").get_column("key")) == ["c1", "c3"]
    assert world.contact_events("exited", "lost").get_column("key").to_list() == ["c2"]
    assert world.mailed() == {("p1", "m1"): 1, ("p1", "m2"): 1, ("p2", "m1"): 1}


def test_an_order_right_after_the_cart_counts_though_the_clock_stopped_for_neither(cart_flow) -> None:
    """Cart at 12:02 and order at 12:07 are both seen at 12:15: the trigger must come first."""
    world = World()
    world.begin(cart_flow)
    world.happen(("cart", 1, 2, "c1"), ("order", 1, 7, "c1"))
    assert world.go() == "done"
    assert not world.mailed()
    assert ended(world, "bought") == [1]


def test_an_order_at_the_stop_at_which_the_time_is_up_still_counts(cart_flow) -> None:
    world = World()
    world.begin(cart_flow)
    world.happen(("cart", 1, 2, "c1"), ("order", 1, 74, "c1"))
    assert world.go() == "done"
    assert not world.mailed()


def test_history_before_the_start_lets_nobody_in(cart_flow) -> None:
    world = World()
    world.happen(("cart", 1, -10, "old"), ("cart", 1, 10, "new"))
    world.begin(cart_flow)
    assert world.go() == "done"
    assert world.contact_events("entered").get_column("key").to_list() == ["new"]


def test_late_events_are_seen_at_once_and_future_ones_when_the_clock_passes_them(cart_flow) -> None:
    world = World()
    world.begin(cart_flow)
    world.happen(("cart", 1, 600, "future"))
    assert world.go(until=START + timedelta(hours=2)) == "waiting", "somebody is still to come"
    assert world.contact_events("entered").is_empty()
    world.happen(("cart", 2, 30, "late"))
    assert world.go() == "done"
    entered = world.contact_events("entered")
    assert sorted(entered.get_column("key")) == ["future", "late"]
    mailed_at = dict(world.contact_events("sent", "m1").select("key", "occurred_at").rows())
    assert mailed_at["late"] == START + timedelta(hours=3)
    assert mailed_at["future"] == START + timedelta(minutes=600 + 60)


@pytest.mark.parametrize("action", ["exit", "continue"])
def test_a_goal_counts_everything_in_the_window_and_may_end_the_journey(action: str) -> None:
    world = World()
    flow = workflow(
        {
            "s": ("people", {"count": 6}),
            "p": ("pause", {"wait": "P2D"}),
            "m": ("mail", {}),
            "g": ("target", {"window": "P5D", "action": action}),
            "thanks": ("mail", {}),
            "late": ("end", {}),
        },
        "s > p",
        "p > m",
        "m > g",
        "g.reached > thanks",
        "g.out > late",
    )
    world.happen(
        ("order", 1, DAY), ("order", 1, 3 * DAY), ("order", 2, 4 * DAY), ("order", 3, 6 * DAY), ("order", 9, 5)
    )
    assert world.run(flow) == "done"
    assert world.people("converted") == [1, 1, 2]
    assert set(world.contact_events("converted").get_column("value")) == {10.0}
    if action == "exit":
        assert world.mailed() == {
            **{(f"p{i}", "m"): 1 for i in (0, 2, 3, 4, 5)},
            ("p1", "thanks"): 1,
            ("p2", "thanks"): 1,
        }
        assert ended(world, "late") == [0, 3, 4, 5]
        assert world.view().step("p").waiting == world.view().step("g").waiting == 0
    else:
        assert world.mailed() == {(f"p{i}", "m"): 1 for i in range(6)}
        assert ended(world, "late") == list(range(6))


def test_whom_a_filter_let_out_at_once_is_nobody_the_goal_counts() -> None:
    """Nothing was done for him: he neither converts nor comes back to be thanked, also after a restart."""
    world = World()
    flow = workflow(
        {
            "s": ("people", {"count": 4}),
            "k": ("keep", {}),
            "p": ("pause", {"wait": "P1D"}),
            "g": ("target", {"window": "P5D"}),
            "thanks": ("mail", {}),
            "over": ("end", {}),
        },
        "s > k",
        "k.pass > p",
        "p > over",
        "g.reached > thanks",
    )
    world.happen(("order", 0, 60), ("order", 1, 60), ("order", 2, 1_200), ("order", 3, 1_200))
    world.begin(flow)
    world.go(until=START + timedelta(minutes=30))
    assert world.go() == "done"
    assert world.people("converted") == [0, 2]
    assert world.mailed() == {("p0", "thanks"): 1, ("p2", "thanks"): 1}


def test_what_comes_after_a_goal_is_not_ended_by_it() -> None:
    """Who left through `reached` waits, is mailed, and is not taken out as if still before the goal."""
    world = World()
    flow = workflow(
        {
            "s": ("people", {"count": 2}),
            "g": ("target", {"window": "P5D"}),
            "p": ("pause", {"wait": "P1D"}),
            "m": ("mail", {}),
            "p2": ("pause", {"wait": "P1D"}),
            "e": ("end", {}),
        },
        "s > g",
        "g.reached > p",
        "p > m",
        "m > p2",
        "p2 > e",
    )
    world.happen(("order", 1, 60), ("order", 1, 90))
    assert world.run(flow) == "done"
    assert world.mailed() == {("p1", "m"): 1}
    assert ended(world, "e") == [1]
    assert world.people("converted") == [1, 1]


def test_who_left_before_his_message_was_due_does_not_get_it() -> None:
    world = World()
    flow = workflow(
        {"s": ("people", {"count": 3}), "m": ("mail", {"defers": [1], "until": "P1D"}), "g": ("target", {})},
        "s > m",
        "m > g",
    )
    world.happen(("order", 1, 60))
    assert world.run(flow) == "done"
    assert set(world.mailed()) == {("p0", "m"), ("p2", "m")}
    (row,) = world.runs.outbox("r1", states=["blocked"]).to_dicts()
    assert row["reason"] == "left"
    assert world.people("blocked") == [1]


def test_conversions_carry_the_arms_met_after_the_entry() -> None:
    world = World()
    flow = workflow(
        {"s": ("people", {"count": 8}), "p": ("pause", {}), "x": ("split", {}), "g": ("target", {})},
        "s > p",
        "p > x",
        "x.a > g",
        "x.b > g",
    )
    world.happen(*(("order", i, 2 * 60) for i in range(8)), ("order", 0, 30))
    assert world.run(flow) == "done"
    exposed = dict(world.contact_events("exposed").select("contact_id", "arms").rows())
    assert set(exposed.values()) == {"x=a", "x=b"}
    for row in world.contact_events("converted").iter_rows(named=True):
        assert row["arms"] == exposed.get(row["contact_id"], "")
    assert 0 not in exposed, "who left before the split met no arm"


def test_who_comes_to_a_split_again_has_met_it_before_also_after_a_stop() -> None:
    """Two carts at once, a third after a stop: three people on the way, one person in the test."""
    world = World(people=2)
    flow = workflow({"c": ("cart", {}), "x": ("split", {}), "a": ("mail", {}), "b": ("mail", {})}, *_SPLIT)
    world.happen(("cart", 0, 1, "k1"), ("cart", 0, 1, "k2"), ("cart", 0, 90, "k3"), ("cart", 1, 95, "k4"))
    world.begin(flow)
    world.go(until=START + timedelta(hours=1))
    assert world.view().step("x").arrived == 2
    world.go()
    assert world.view().step("x").arrived == 4
    assert world.people("exposed") == [0, 1]
    assert len(world.mailer.accepted) == 4, "each cart has its mail"


_SPLIT = ("c > x", "x.a > a", "x.b > b")


def test_fan_out_lets_one_person_walk_two_ways_but_get_each_message_once() -> None:
    world = World()
    flow = workflow(
        {"s": ("people", {"count": 3}), "a": ("through", {}), "b": ("pause", {}), "m": ("mail", {})},
        "s > a",
        "s > b",
        "a > m",
        "b > m",
        "s > m",
    )
    assert world.run(flow) == "done"
    assert world.mailed() == {(f"p{i}", "m"): 1 for i in range(3)}


@pytest.mark.parametrize("mode", ["test", "simulate"])
def test_who_comes_by_two_ways_goes_on_twice_whether_at_once_or_one_after_the_other(mode: str) -> None:
    """Two letters on both ways before the third; one of them is late on the second way only."""
    for wait in ("PT0S", "PT1H"):
        world = World()
        nodes = {"s": ("people", {"count": 3}), "a": ("mail", {}), "b": ("mail", {}), "p": ("pause", {"wait": wait})}
        flow = workflow(
            nodes | {"m": ("mail", {}), "e": ("end", {})}, "s > a", "s > b", "b > p", "a > m", "p > m", "m > e"
        )
        assert world.run(flow, mode=mode) == "done"
        assert world.view().step("e").arrived in (3, 6)
        assert (world.out("m"), world.view().step("m").sending["sent"]) == ({"out": 6}, 3)
        assert sorted(world.people("sent", "m")) == [0, 1, 2]


def test_nobody_takes_the_other_way_so_it_is_skipped() -> None:
    world = World()
    flow = workflow(
        {
            "s": ("people", {"count": 3}),
            "k": ("keep", {"of": 100, "remainder": 99}),
            "a": ("end", {}),
            "b": ("end", {}),
        },
        "s > k",
        "k.pass > a",
        "k.fail > b",
    )
    assert world.run(flow) == "done"
    assert world.states() == {"s": "done", "k": "done", "a": "skipped", "b": "done"}


@pytest.mark.parametrize("people", [0, 1])
def test_an_empty_audience_is_done(people: int) -> None:
    world = World()
    assert world.run(workflow({"s": ("people", {"count": people}), "m": ("mail", {})}, "s > m")) == "done"
    assert len(world.mailer.accepted) == people


def test_the_limit_keeps_what_is_left_for_later() -> None:
    world = World()
    flow = workflow(
        {"s": ("people", {"count": 3}), "p": ("pause", {"wait": "P9D"}), "e": ("end", {})}, "s > p", "p > e"
    )
    assert world.run(flow, until=START + timedelta(days=2)) == "waiting"
    assert world.view().state == world.runs.get("r1").state == "waiting"
    assert world.runs.get("r1").at == START + timedelta(days=2)
    assert world.states()["p"] == "waiting"
    assert world.go() == "done"
    assert ended(world, "e") == [0, 1, 2]


def test_bad_rows_are_set_apart_with_their_reason_and_the_rest_goes_on() -> None:
    world = World()
    flow = workflow(
        {
            "s": ("people", {"count": 40}),
            "t": ("trouble", {"raises": [3, 17], "refuses": [5], "loses": [9]}),
            "e": ("end", {}),
        },
        "s > t",
        "t > e",
    )
    assert world.run(flow) == "done"
    assert len(ended(world, "e")) == 36
    step = world.view().step("t")
    assert (step.state, step.arrived, step.quarantined, step.left) == ("warning", 40, 4, 36)
    reasons = sorted(world.runs.quarantine.values())
    assert [code for code, _ in reasons] == ["STEP-ERROR"] * 3 + ["TEST-REFUSED"]
    problems = {p.code: p for p in step.problems}
    assert (problems["STEP-ERROR"].count, problems["STEP-ERROR"].action) == (3, "retry")
    assert sorted(problems["STEP-ERROR"].sample) == [3, 9, 17]


@pytest.mark.parametrize(("policy", "port", "state"), [("skip", "out", "warning"), ("route", "error", "warning")])
def test_failures_may_be_skipped_or_routed(policy: str, port: str, state: str) -> None:
    world = World()
    trouble = ("trouble", {"raises": [1], "refuses": [2]}, {"on_error": policy})
    flow = workflow(
        {"s": ("people", {"count": 5}), "t": trouble, "e": ("end", {}), "f": ("end", {})},
        "s > t",
        "t > e",
        "t.error > f",
    )
    assert world.run(flow) == "done"
    step = world.view().step("t")
    assert (step.state, step.quarantined) == (state, 0)
    assert ended(world, "e") == (list(range(5)) if port == "out" else [0, 3, 4])
    assert ended(world, "f") == ([] if port == "out" else [1, 2])
    assert not world.runs.quarantine


def test_routing_without_an_edge_keeps_the_failed_ones() -> None:
    world = World()
    flow = workflow({"s": ("people", {"count": 5}), "t": ("trouble", {"raises": [1]}, {"on_error": "route"})}, "s > t")
    assert world.run(flow) == "done"
    assert world.view().step("t").quarantined == 1


def test_a_step_that_fails_for_most_fails_the_run_and_keeps_everybody() -> None:
    world = World()
    flow = workflow(
        {"s": ("people", {"count": 40}), "t": ("trouble", {"always": True}), "e": ("end", {})}, "s > t", "t > e"
    )
    assert world.run(flow) == "failed"
    view = world.view()
    assert (view.state, view.step("t").state) == ("failed", "failed")
    assert "cannot handle somebody" in view.message
    assert view.step("t").quarantined == 40
    assert world.runs.get("r1").state == "failed"


def test_a_run_in_which_the_only_person_failed_has_failed() -> None:
    world = World()
    flow = workflow(
        {"s": ("people", {"count": 1}), "t": ("trouble", {"raises": [0]}), "e": ("end", {})}, "s > t", "t > e"
    )
    assert world.run(flow) == "failed"
    assert "Trouble" in world.view().message


def test_a_transient_failure_is_tried_again_later_and_succeeds() -> None:
    world = World()
    trouble = ("trouble", {"late_s": 3_000}, {"retry": {"max": 5, "backoff": "PT10M", "jitter": 0}})
    flow = workflow({"s": ("people", {"count": 5}), "t": trouble, "e": ("end", {})}, "s > t", "t > e")
    assert world.run(flow) == "done"
    step = world.view().step("t")
    assert (step.arrived, step.left, step.attempts, step.state) == (5, 5, 4, "done")
    assert ended(world, "e") == list(range(5))


def test_after_the_last_attempt_it_is_a_failure() -> None:
    world = World()
    trouble = ("trouble", {"late_s": 999_999}, {"retry": {"max": 1, "backoff": "PT10M"}})
    flow = workflow({"s": ("people", {"count": 3}), "t": trouble}, "s > t")
    assert world.run(flow) == "failed"
    (problem,) = world.view().step("t").problems
    assert (problem.code, problem.count) == ("TROUBLE-LATE", 3)


def test_what_the_policy_does_not_cover_fails_at_once() -> None:
    world = World()
    trouble = ("trouble", {"late_s": 999_999}, {"retry": {"max": 5, "retry_on": ["timeout"]}})
    flow = workflow({"s": ("people", {"count": 3}), "t": trouble}, "s > t")
    assert world.run(flow) == "failed"
    step = world.view().step("t")
    assert (step.attempts, step.quarantined, world.wall.at) == (1, 3, START)


def test_a_policy_may_cover_the_errors_of_single_people() -> None:
    """Those who fail are tried again together, nobody else waits for them, and the last try is a failure."""
    world = World()
    retry = {"max": 2, "backoff": "PT15M", "jitter": 0, "retry_on": ["error"]}
    trouble = ("trouble", {"raises": [2, 5], "refuses": [7]}, {"retry": retry})
    flow = workflow({"s": ("people", {"count": 12}), "t": trouble, "e": ("end", {})}, "s > t", "t > e")
    assert world.run(flow) == "done"
    step = world.view().step("t")
    assert (step.arrived, step.left, step.quarantined, step.attempts) == (12, 9, 3, 3)
    tries = [event for event in world.runs.run_events("r1") if event.kind == "step.ran" and event.node_id == "t"]
    assert len(tries) == 3
    assert tries[-1].at - tries[0].at == timedelta(minutes=15 + 30)


@pytest.mark.parametrize(
    ("people", "start", "said", "todo"),
    [
        (0, ("people", {"count": 0}), "there are no people in this workspace", "studio contacts import"),
        (9, ("people", {"count": 0}), "“People” found nobody to begin with", "Look at whom it starts with"),
        (9, ("cart", {}), "no “cart” came while “Cart” was listening", "studio events import"),
        (9, ("people", {"count": 2}), "", ""),
    ],
)
@pytest.mark.parametrize("mode", ["simulate", "test"])
def test_a_run_that_nobody_entered_says_why(people: int, start: tuple, said: str, todo: str, mode: str) -> None:
    world = World(people=people)
    assert world.run(workflow({"s": start, "e": ("end", {})}, "s > e"), mode=mode) == "done"
    view = world.view()
    assert said in view.message
    assert todo in view.hint
    assert bool(view.message) == bool(said)


def test_who_cannot_be_woken_is_kept() -> None:
    world = World()
    flow = workflow(
        {"s": ("people", {"count": 5}), "p": ("pause", {"poison": [2]}), "e": ("end", {})}, "s > p", "p > e"
    )
    assert world.run(flow) == "done"
    assert ended(world, "e") == [0, 1, 3, 4]
    assert world.view().step("p").quarantined == 1


def test_a_source_that_fails_says_so_and_goes_on_there_when_resumed() -> None:
    world = World(sizes=Sizes(chunk=10))
    flow = workflow({"s": ("people", {"count": 30, "fails_at": 20}), "e": ("end", {})}, "s > e")
    assert world.run(flow) == "failed"
    assert "unreadable" in world.view().message
    assert len(ended(world, "e")) == 20
    assert world.go() == "failed"
    assert len(ended(world, "e")) == 20


def test_a_source_that_is_late_is_asked_again() -> None:
    world = World(sizes=Sizes(chunk=10))
    people = ("people", {"count": 30, "fails_at": 20, "late_s": 100}, {"retry": {"max": 3, "backoff": "PT1M"}})
    assert world.run(workflow({"s": people, "e": ("end", {})}, "s > e")) == "done"
    assert len(ended(world, "e")) == 30


def test_a_source_that_stays_away_fails_the_run() -> None:
    world = World(sizes=Sizes(chunk=10))
    people = ("people", {"count": 30, "fails_at": 20, "late_s": 10**9}, {"retry": {"max": 1, "backoff": "PT1M"}})
    assert world.run(workflow({"s": people, "e": ("end", {})}, "s > e")) == "failed"


def test_an_event_that_a_trigger_cannot_read_costs_no_other_its_entry() -> None:
    world = World()
    flow = workflow({"c": ("cart", {"broken_key": "bad"}), "e": ("end", {})}, "c > e")
    world.begin(flow)
    world.happen(("cart", 1, 5, "good"), ("cart", 2, 6, "bad"), ("cart", 3, 7, "fine"))
    assert world.go() == "done"
    assert ended(world, "e") == [1, 3]
    (problem,) = world.view().step("c").problems
    assert problem.sample == (2,)
    assert world.states()["c"] == "warning"


def test_an_event_that_a_trigger_cannot_read_now_is_read_when_the_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(*_: object) -> pl.DataFrame:
        raise Transient("STORE-BUSY", "Another program keeps the workspace busy.")

    world = World()
    world.begin(workflow({"c": ("cart", {}), "e": ("end", {})}, "c > e"))
    world.happen(("cart", 1, 5, "a"), ("cart", 2, 6, "b"))
    with monkeypatch.context() as patched, pytest.raises(Transient):
        patched.setattr(Cart, "enter", busy)
        world.go()
    assert world.go() == "done"
    assert ended(world, "e") == [1, 2]


def test_a_switched_off_step_is_passed_by() -> None:
    world = World()
    flow = workflow(
        {"s": ("people", {"count": 3}), "p": ("pause", {"wait": "P9D"}, {"enabled": False}), "e": ("end", {})},
        "s > p",
        "p > e",
    )
    assert world.run(flow) == "done"
    assert world.runs.get("r1").at == START
    assert ended(world, "e") == [0, 1, 2]


def test_a_simulated_run_touches_no_connector_and_no_ledger() -> None:
    world = World()
    flow = workflow(
        {
            "s": ("people", {"count": 30}),
            "m": ("mail", {"blocks": [1], "defers": [2], "raises": [4], "late_s": 600}),
            "w": ("await", {"kind": "clicked", "timeout": "P1D", "match_key": False}),
            "m2": ("mail", {}),
            "g": ("target", {"window": "P4D", "action": "continue"}),
        },
        "s > m",
        "m > w",
        "w.came > m2",
        "w.timeout > m2",
        "m2 > g",
    )
    assert world.run(flow, mode="simulate") == "done"
    assert world.runs.outbox("r1").is_empty()
    assert world.mailer.sessions_opened == 0
    assert world.people("blocked") == [1]
    assert world.people("sent", "m") == [i for i in range(30) if i not in (1, 4)]
    assert dict(world.view().step("m").sending) == {
        "planned": 0, "sent": 28, "failed": 1, "retry": 0, "in_doubt": 0, "blocked": 1,
    }  # fmt: skip
    assert world.out("w") == {"came": 20 - 10, "timeout": 19}
    buyers = list(range(0, 30, 5))
    assert sorted(set(world.people("converted"))) == buyers
    assert world.people("converted") == buyers, "who has bought does not buy for the next message on its way"
    assert world.contact_events("order").get_column("run_id").unique().to_list() == ["r1"]


@pytest.mark.parametrize("mode", ["simulate", "test"])
def test_messages_that_fail_again_are_counted_as_failed_once(mode: str) -> None:
    world = World()
    flow = workflow({"s": ("people", {"count": 8}), "m": ("mail", {"quarantines": [3]})}, "s > m")
    assert world.run(flow, mode=mode) == "done"
    before = world.view().step("m")
    control = Control()
    control.retry()
    assert world.go(control=control) == "done"
    after = world.view().step("m")
    assert dict(after.sending) == dict(before.sending)
    assert (after.sending["sent"], after.sending["failed"], after.failed) == (7, 1, 1)


def test_failed_ones_are_brought_back_where_they_failed() -> None:
    """With the same workflow they fail again; the numbers say so once, not twice."""
    world = World()
    nodes = {
        "s": ("people", {"count": 20}),
        "t": ("trouble", {"raises": [1], "refuses": [2]}),
        "p": ("pause", {"poison": [3]}),
        "e": ("end", {}),
    }
    assert world.run(workflow(nodes, "s > t", "t > p", "p > e")) == "done"
    before = world.view()
    control = Control()
    control.retry()
    assert world.go(control=control) == "done"
    after = world.view()
    for node_id in ("t", "p"):
        step, old = after.step(node_id), before.step(node_id)
        assert (step.arrived, step.left, step.quarantined) == (old.arrived, old.left, old.quarantined)
        assert {p.code: p.count for p in step.problems} == {p.code: p.count for p in old.problems}
        assert step.state == "warning"
    control.retry("nobody failed here")
    assert world.go(control=control) == "done"


def test_a_run_that_is_over_says_so_again_when_resumed() -> None:
    world = World()
    assert world.run(workflow({"s": ("people", {"count": 2}), "e": ("end", {})}, "s > e")) == "done"
    assert world.go() == "done"
    assert world.people("entered") == [0, 1]


@pytest.mark.parametrize("mode", ["test", "simulate"])
def test_a_trigger_may_let_the_same_cart_in_again_and_steps_see_what_was_just_recorded(mode: str) -> None:
    """In a simulation commits are gathered: nodes must see entries and messages that are not in the store yet."""
    world = World()
    flow = workflow(
        {
            "c": ("cart", {"again": True}),
            "m": ("mail", {"most": 2}),
            "p": ("pause", {"wait": "PT10H"}),
            "e": ("end", {}),
        },
        "c > m",
        "m > p",
        "p > e",
    )
    world.begin(flow, mode=mode)
    world.happen(
        ("cart", 1, 5, "c1"), ("cart", 1, 6, "c1"), ("cart", 1, 50, "c1"), ("cart", 1, 70, "c1"), ("cart", 2, 70, "c2")
    )
    assert world.go() == "done"
    assert world.people("entered") == [1, 1, 1, 1, 2]
    assert world.runs.entries("r1").height == 5
    assert world.people("sent") == [1, 1, 2]
    assert world.people("blocked") == [1, 1]
    assert world.people("exited") == [1, 1, 1, 1, 2]


def test_what_a_person_does_is_heard_while_a_run_goes_on() -> None:
    """Wishes taken in the middle: look for events, retry, decide; the leg simply goes on."""
    world = World()
    flow = workflow(
        {"s": ("people", {"count": 4}), "t": ("trouble", {"raises": [1]}), "p": ("pause", {}), "e": ("end", {})},
        "s > t",
        "t > p",
        "p > e",
    )
    world.begin(flow)
    assert world.go(until=START + timedelta(minutes=30)) == "waiting"
    control = Control()
    control.look()
    control.retry("t")
    assert world.go(control=control) == "done"
    assert ended(world, "e") == [0, 2, 3]
    assert world.view().step("t").quarantined == 1


def test_who_does_not_fulfil_the_condition_of_a_step_passes_it_by() -> None:
    world = World()
    flow = workflow(
        {
            "s": ("people", {"count": 9}),
            "m": ("mail", {}, {"condition": "var.third == 1"}),
            "p": ("pause", {"wait": "P1D"}, {"condition": "var.third == 2"}),
            "e": ("end", {}),
            "last": ("end", {}, {"condition": "var.third == 0"}),
        },
        "s > m",
        "m > p",
        "p > e",
        "p > last",
    )
    assert world.run(flow) == "done"
    assert set(world.mailed()) == {("p1", "m"), ("p4", "m"), ("p7", "m")}
    left = dict(world.contact_events("exited", "e").select("contact_id", "occurred_at").rows())
    assert {i for i, at in left.items() if at > START} == {2, 5, 8}
    assert ended(world, "last") == [0, 3, 6]
    assert world.view().step("m").arrived == world.view().step("m").left == 9


def test_who_fits_the_exit_rule_leaves_when_a_wait_is_over_and_before_a_message() -> None:
    nodes = {
        "s": ("people", {"count": 6}),
        "p": ("pause", {"wait": "P1D"}),
        "m1": ("mail", {}),
        "q": ("pause", {"wait": "P1D"}),
        "m2": ("mail", {}),
    }
    world = World()
    world.happen(("order", 1, 60), ("order", 2, 30 * 60))
    world.begin(workflow(nodes, "s > p", "p > m1", "m1 > q", "q > m2", exit='has("order")'))
    assert world.go() == "done"
    assert sorted(who for (who, subject) in world.mailed() if subject == "m1") == ["p0", "p2", "p3", "p4", "p5"]
    assert sorted(who for (who, subject) in world.mailed() if subject == "m2") == ["p0", "p3", "p4", "p5"]
    left = world.contact_events("exited").select("contact_id", "node_id", "properties").rows()
    assert left == [(1, "p", '{"reason": "exit rule"}'), (2, "q", '{"reason": "exit rule"}')]


def test_an_exit_rule_that_cannot_be_read_is_a_problem_of_the_workflow() -> None:
    flow = workflow({"s": ("people", {"count": 1})}, exit="has(")
    assert [problem.field for problem in check(flow, CATALOGUE)] == ["settings.exit"]
