"""`exp.decide`: nothing is decided too early, what is decided stays, and each method says what it promises."""

from __future__ import annotations

import json
from datetime import timedelta

import polars as pl
import pytest
from pydantic import ValidationError

from studio.domain.node import Outcome
from studio.domain.validation import check
from studio.domain.workflow import parse_workflow
from studio.frames.events import as_events
from studio.nodes import catalogue
from studio.nodes.exp.decide import DecideParameters, verdict_of
from tests.nodes.world import NOW, World, instances, node, people, ran

AB = [{"id": "A"}, {"id": "B"}]
CLEAR, NONE = {"A": 40, "B": 140}, {"A": 60, "B": 62}


def past(
    exposed: dict[str, int], hits: dict[str, int], *, kind: str = "converted", days: float = 9, more: tuple = ()
) -> pl.DataFrame:
    """Events of people who met the test some days ago; the first of each variant had success."""
    rows, contact = [], 100_000
    for variant, count in exposed.items():
        for number in range(count):
            contact += 1
            row = {"contact_id": contact, "arms": f"split={variant}", "run_id": "run-1"}
            at = NOW - timedelta(days=days)
            rows.append({**row, "node_id": "split", "kind": "exposed", "occurred_at": at})
            if number < hits[variant]:
                rows.append({**row, "node_id": "goal", "kind": kind, "occurred_at": at + timedelta(hours=1)})
            rows += [{**row, "node_id": "m", "kind": extra, "occurred_at": at} for extra in more if variant == "B"]
    return as_events(pl.DataFrame(rows).with_columns(pl.int_range(pl.len()).alias("event_id")))


def decided(events: pl.DataFrame | None, note: str = "", **parameters: object) -> Outcome:
    world = World(people(1)) if events is None else World(people(1), events=events)
    made = node("exp.decide", **{"test": "split", "variants": AB, "planned": 4_000, **parameters})
    return ran(made, instances(range(6)), world.context(node_id="decide", note=note))


def port(outcome: Outcome) -> str:
    ((name, batch),) = ((name, batch) for name, batch in outcome.out.items() if batch.height)
    assert batch.height == 6
    return name


@pytest.mark.parametrize("method", ["proof", "planned", "likely", "ahead"])
def test_a_clear_winner_is_found_by_every_method_and_told_to_later_steps(method: str) -> None:
    outcome = decided(past({"A": 2_000, "B": 2_000}, CLEAR), method=method)
    assert port(outcome) == "B"
    assert outcome.out["B"].get_column("var.winner").unique().to_list() == ["B"]
    verdict = verdict_of(outcome.note or "")
    assert verdict is not None
    assert (verdict.variant, verdict.at) == ("B", NOW)


@pytest.mark.parametrize(("method", "goes"), [("proof", "undecided"), ("likely", "undecided"), ("ahead", "B")])
def test_where_there_is_no_difference_only_the_method_that_promises_nothing_decides(method: str, goes: str) -> None:
    assert port(decided(past({"A": 2_000, "B": 2_000}, NONE), method=method)) == goes


@pytest.mark.parametrize(
    ("events", "more"),
    [
        (None, {}),
        (past({"A": 2_000, "B": 2_000}, CLEAR, days=2), {}),
        (past({"A": 400, "B": 400}, {"A": 8, "B": 60}), {}),
        (past({"A": 2_000, "B": 2_000}, CLEAR), {"method": "planned", "planned": 10_000}),
        (past({"A": 2_000, "B": 2_000}, CLEAR), {"test": "other"}),
        (past({"A": 2_000, "B": 2_000}, CLEAR), {"metric": "clicked"}),
    ],
    ids=["nobody yet", "too soon", "too few", "before the planned size", "another test", "another metric"],
)
def test_nothing_is_decided_too_early(events: pl.DataFrame | None, more: dict[str, object]) -> None:
    outcome = decided(events, **more)
    assert port(outcome) == "undecided"
    assert outcome.note is None


def test_what_is_decided_stays_decided() -> None:
    first = decided(past({"A": 2_000, "B": 2_000}, CLEAR))
    turned = past({"A": 2_000, "B": 2_000}, {"A": 300, "B": 140})
    assert port(decided(turned, note=first.note or "")) == "B"


def test_a_treatment_that_does_harm_leaves_the_control() -> None:
    assert port(decided(past({"A": 2_000, "B": 2_000}, {"A": 140, "B": 40}))) == "A"


def test_a_winner_that_drives_people_away_is_none() -> None:
    events = past({"A": 2_000, "B": 2_000}, CLEAR, more=("unsubscribed",))
    outcome = decided(events)
    assert port(outcome) == "undecided"
    assert [problem.code for problem in outcome.problems] == ["TEST-HARM"]
    assert port(decided(events, guardrails=[])) == "B"


def test_people_who_are_not_divided_as_planned_decide_nothing_and_the_step_says_so() -> None:
    outcome = decided(past({"A": 2_000, "B": 1_500}, {"A": 40, "B": 120}))
    assert port(outcome) == "undecided"
    assert [problem.code for problem in outcome.problems] == ["TEST-SPLIT"]
    weights = [{"id": "A", "weight": 4}, {"id": "B", "weight": 3}]
    assert port(decided(past({"A": 2_000, "B": 1_500}, {"A": 40, "B": 120}), variants=weights)) == "B"


@pytest.mark.parametrize(
    "wrong",
    [{"variants": AB[:1]}, {"variants": [{"id": "undecided"}, {"id": "B"}]}, {"test": "a b"}, {"alpha": 0}],
)
def test_what_may_not_be_asked(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DecideParameters.model_validate({"test": "split", "variants": AB, **wrong})


@pytest.mark.parametrize(
    ("test", "variants", "said"),
    [
        ("ab", AB, []),
        ("aB", AB, [("TEST-UNKNOWN", "parameters.test")]),
        ("ab", [{"id": "A"}, {"id": "C"}], [("TEST-VARIANT", "parameters.variants")]),
    ],
)
def test_a_test_or_variant_that_is_not_there_is_told_before_the_run(
    test: str, variants: list[dict[str, str]], said: list[tuple[str, str]]
) -> None:
    nodes = [
        {"id": "start", "type": "trigger.manual"},
        {"id": "ab", "type": "exp.split", "parameters": {"variants": AB}},
        {"id": "choose", "type": "exp.decide", "parameters": {"test": test, "variants": variants}},
    ]
    edges = [{"from": ["start", "out"], "to": ["ab", "in"]}, {"from": ["ab", "A"], "to": ["choose", "in"]}]
    workflow = parse_workflow(json.dumps({"name": "w", "nodes": nodes, "edges": edges}))
    assert [(problem.code, problem.field) for problem in check(workflow, catalogue())] == said
