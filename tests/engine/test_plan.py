"""Compiling a workflow: who follows whom, switched-off nodes, what listens, and what cannot be run."""

from __future__ import annotations

from datetime import timedelta

import pytest

from studio.domain.errors import Transient, UserFixable
from studio.engine.plan import RetryRule, compile_plan
from tests.engine.bench import START, workflow
from tests.engine.nodes import CATALOGUE, Mail, Pause, Through, declared

OFF = {"enabled": False}
BUSY = Transient("BUSY", "Come back later.")


def plan(nodes: dict, *edges: str):
    return compile_plan(workflow(nodes, *edges), CATALOGUE)


def test_steps_are_in_topological_order_and_know_their_targets() -> None:
    made = plan({"m": ("mail", {}), "k": ("keep", {}), "s": ("people", {})}, "s > k", "k.pass > m")
    assert list(made.steps) == ["s", "k", "m"]
    assert made.steps["k"].targets == {"pass": ("m",)}
    assert made.steps["k"].main_port == "pass"
    assert [step.order for step in made.steps.values()] == [0, 1, 2]


def test_a_switched_off_node_is_stepped_over_by_its_first_port() -> None:
    nodes = {"s": ("people", {}), "k": ("keep", {}, OFF), "m": ("mail", {}), "n": ("mail", {})}
    made = plan(nodes, "s > k", "k.pass > m", "k.fail > n")
    assert set(made.steps) == {"s", "m", "n"}
    assert made.steps["s"].targets == {"out": ("m",)}


def test_several_switched_off_nodes_in_a_row_and_one_without_output() -> None:
    nodes = {"s": ("people", {}), "a": ("through", {}, OFF), "b": ("pause", {}, OFF), "e": ("end", {}, OFF)}
    assert plan(nodes, "s > a", "a > b", "b > e").steps["s"].targets == {"out": ()}


def test_who_listens_to_what() -> None:
    made = plan(
        {
            "cart": ("cart", {"kind": "cart"}),
            "w": ("await", {"kind": "order"}),
            "p": ("pause", {}),
            "g": ("target", {"kind": "paid"}),
        },
        "cart > w",
        "w.timeout > p",
        "p > g",
    )
    assert [step.id for step in made.triggers] == ["cart"]
    assert made.sources == ()
    assert [step.id for step in made.goals] == ["g"]
    assert [step.id for step in made.listeners] == ["w"]
    assert (made.trigger_kinds, made.match_kinds) == (("cart",), ("order", "paid"))


def test_positions_count_the_mails_on_the_longest_way() -> None:
    nodes = {"s": ("people", {}), "k": ("keep", {}), **{f"m{n}": ("mail", {}) for n in range(3)}}
    made = plan(nodes, "s > k", "k.pass > m0", "m0 > m1", "m1 > m2", "k.fail > m2")
    assert [made.steps[f"m{n}"].position for n in range(3)] == [0, 1, 2]


def test_reach_and_fan_out() -> None:
    nodes = {"s": ("people", {}), "a": ("through", {}), "b": ("through", {}), "c": ("through", {})}
    made = plan(nodes, "s > a", "s > b", "b > c")
    assert made.has_fan_out
    assert made.reach(["b", "gone"]) == {"b", "c"}
    assert not plan(nodes, "s > a", "a > b", "b > c").has_fan_out


def test_a_cycle_is_refused() -> None:
    with pytest.raises(UserFixable, match="lead back") as caught:
        plan({"s": ("people", {}), "a": ("through", {}), "b": ("through", {})}, "s > a", "a > b", "b > a")
    assert caught.value.code == "ENGINE-CYCLE"


@pytest.mark.parametrize(
    ("node", "condition", "code"),
    [("s", "country == 'DE'", "ENGINE-CONDITION"), ("a", "country ==", None), ("a", "import os", None)],
)
def test_a_condition_that_cannot_be_asked_is_named(node: str, condition: str, code: str | None) -> None:
    nodes = {"s": ("people", {}), "a": ("through", {})}
    nodes[node] = (*nodes[node], {"condition": condition})
    with pytest.raises(UserFixable) as caught:
        plan(nodes, "s > a")
    (problem,) = caught.value.problems
    assert (problem.node, problem.field) == (node, "condition")
    assert problem.code == (code or problem.code)
    assert problem.message


def test_an_empty_condition_is_none() -> None:
    made = plan({"s": ("people", {}), "a": ("through", {}, {"condition": " "})}, "s > a")
    assert made.steps["a"].condition is None


class _Deaf(Through):
    declaration = declared("deaf", "wait")


class _Dull(Pause):
    declaration = declared("dull", "goal")


class _Mute(Through):
    declaration = declared("mute", "send")


class _Dry(Through):
    declaration = declared("dry", "source")


def test_node_types_that_lack_what_their_role_asks_for_are_named_together() -> None:
    catalogue = {**CATALOGUE, **{f"test.{c.declaration.id[5:]}": c for c in (_Deaf, _Dull, _Mute, _Dry)}}
    flow = workflow({"a": ("deaf", {}), "b": ("dull", {}), "c": ("mute", {}), "d": ("dry", {}), "m": ("mail", {})})
    with pytest.raises(UserFixable) as caught:
        compile_plan(flow, catalogue)
    assert [problem.node for problem in caught.value.problems] == ["a", "b", "c", "d"]
    assert caught.value.code == "ENGINE-NODE"
    assert Mail.declaration.role == "send"


def test_settings_of_a_step() -> None:
    more = {"label": "Wait a bit", "timeout": "PT30S", "retry": {"max": 2, "backoff": "PT10S", "jitter": 0.5}}
    step = plan({"s": ("people", {}, more), "e": ("end", {})}, "s > e").steps["s"]
    assert (step.label, step.timeout_s) == ("Wait a bit", 30.0)
    assert step.retry == RetryRule(max=2, backoff=timedelta(seconds=10), jitter=0.5)
    other = plan({"e": ("end", {})}).steps["e"]
    assert (other.label, other.timeout_s, other.main_port) == ("End", None, None)


def test_retries_double_their_wait_within_the_jitter_and_end() -> None:
    rule = RetryRule(max=3, backoff=timedelta(seconds=10), jitter=0.2)
    waits = [(rule.again_at(START, attempt, 0.5, BUSY) - START).total_seconds() for attempt in (1, 2, 3)]
    assert waits == [10, 20, 40]
    assert rule.again_at(START, 4, 0.5, BUSY) is None
    assert rule.again_at(START, 1, 0.0, BUSY) == START + timedelta(seconds=8)
    assert rule.again_at(START, 1, 1.0, BUSY) == START + timedelta(seconds=12)
    assert rule.again_at(START, 1, 0.5, Transient("X", "x", retry_after_s=300)) == START + timedelta(seconds=300)
    assert RetryRule(max=99, backoff=timedelta(seconds=1), jitter=0).again_at(START, 50, 0, BUSY) == START + timedelta(
        seconds=1_024
    )


@pytest.mark.parametrize(
    ("on", "covered"),
    [
        (("transient",), {"timeout", "busy", "unreachable"}),
        (("timeout", "error"), {"timeout", "error"}),
        (("busy",), {"busy"}),
        ((), set()),
    ],
)
def test_a_policy_covers_the_failures_that_it_names(on: tuple[str, ...], covered: set[str]) -> None:
    rule = RetryRule(max=1, backoff=timedelta(seconds=1), jitter=0, on=frozenset(on))
    errors: dict[str, Exception] = {why: Transient("X", "x", why=why) for why in ("timeout", "busy", "unreachable")}
    errors["error"] = ValueError("the step's own")
    assert {why for why, error in errors.items() if rule.again_at(START, 1, 0.5, error)} == covered
