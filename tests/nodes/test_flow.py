"""Filter, branch, exit and delay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.domain.workflow import Settings
from tests.nodes.world import NOW, World, events, ids, instances, node, people, ran, resumed

SIX = World(people(6, country=["DE", "AT", "DE", None, "CH", "DE"], age=[10, 20, 30, 40, 50, 60]))


def ports(outcome_out: dict[str, pl.DataFrame]) -> dict[str, list[int]]:
    return {port: ids(batch) for port, batch in outcome_out.items()}


def test_filter_divides_in_order_and_keeps_columns() -> None:
    batch = instances([6, 5, 4, 3, 2, 1], keys=list("abcdef"), x=range(6))
    outcome = ran(node("audience.filter", rule='country == "DE"'), batch, SIX.context())
    assert ports(outcome.out) == {"pass": [6, 3, 1], "fail": [5, 4, 2]}
    assert outcome.out["pass"].columns == batch.columns
    assert outcome.out["pass"].equals(batch.filter(pl.col("contact_id").is_in([6, 3, 1])))


def test_filter_asks_variables_and_keys() -> None:
    batch = instances([1, 2, 3], keys=["a", "b", None], tier=["gold", "gold", "tin"])
    outcome = ran(node("audience.filter", rule='var.tier == "gold" and key != "b"'), batch, SIX.context())
    assert ports(outcome.out) == {"pass": [1], "fail": [2, 3]}


def test_no_rule_sees_an_event_later_than_the_clock() -> None:
    log = events(
        [
            {"contact_id": 1, "kind": "order", "occurred_at": NOW},
            {"contact_id": 2, "kind": "order", "occurred_at": NOW + timedelta(microseconds=1)},
        ]
    )
    outcome = ran(
        node("audience.filter", rule='has("order")'), instances([1, 2]), World(SIX.people, events=log).context()
    )
    assert ports(outcome.out) == {"pass": [1], "fail": [2]}


def test_branch_takes_the_first_condition_that_holds() -> None:
    conditions = [
        {"id": "old", "rule": "age >= 40"},
        {"id": "german", "rule": 'country == "DE"'},
        {"id": "never", "rule": "age > 40"},
    ]
    outcome = ran(node("flow.branch", conditions=conditions), instances([1, 2, 3, 4, 5, 6]), SIX.context())
    assert ports(outcome.out) == {"old": [4, 5, 6], "german": [1, 3], "never": [], "else": [2]}


def test_branch_names_its_outputs_after_its_conditions() -> None:
    made = node("flow.branch", conditions=[{"id": "b", "rule": "true"}, {"id": "a", "rule": "true"}])
    assert made.outputs() == ("b", "a", "else")


def test_exit_ends_everybody_with_the_reason() -> None:
    outcome = ran(node("flow.exit", reason="bought"), instances([1, 2]), SIX.context())
    assert ids(outcome.ended) == [1, 2]
    assert outcome.events is not None
    assert set(outcome.events["kind"]) == {"exited"}
    assert set(outcome.events["properties"]) == {'{"reason":"bought"}'}


def due(batch: pl.DataFrame | None) -> list[datetime]:
    assert batch is not None
    return batch["due_at"].to_list()


def test_delay_waits_for_its_duration() -> None:
    made, batch = node("flow.delay", duration="P1DT2H"), instances([1, 2])
    outcome = ran(made, batch, SIX.context())
    assert due(outcome.wait) == [NOW + timedelta(hours=26)] * 2
    assert ids(outcome.out["out"]) == []
    back = resumed(made, outcome.wait, SIX.context(NOW + timedelta(hours=26)))
    assert back.out["out"].equals(batch)


@pytest.mark.parametrize(
    ("now", "zone", "until", "expected"),
    [
        ("2026-03-10T07:00", "Europe/Berlin", "09:00", "2026-03-10T08:00"),
        ("2026-03-10T08:00", "Europe/Berlin", "09:00", "2026-03-10T08:00"),
        ("2026-03-10T08:01", "Europe/Berlin", "09:00", "2026-03-11T08:00"),
        ("2026-03-10T23:30", "America/Los_Angeles", "09:00", "2026-03-11T16:00"),
        ("2026-03-10T12:00", "Pacific/Kiritimati", "09:00", "2026-03-10T19:00"),
        # 29 March: the clocks jump from 02:00 to 03:00, 02:30 does not exist and counts an hour later.
        ("2026-03-28T12:00", "Europe/Berlin", "02:30", "2026-03-29T01:30"),
        ("2026-03-28T12:00", "Europe/Berlin", "09:00", "2026-03-29T07:00"),
        # 25 October: 02:30 comes twice; the first counts, and after it the next day's.
        ("2026-10-24T12:00", "Europe/Berlin", "02:30", "2026-10-25T00:30"),
        ("2026-10-25T00:31", "Europe/Berlin", "02:30", "2026-10-26T01:30"),
    ],
)
def test_delay_until_a_time_of_day_where_the_contact_lives(now: str, zone: str, until: str, expected: str) -> None:
    moment, wanted = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (now, expected))
    world = World(people(1, zone=[zone]))
    outcome = ran(node("flow.delay", until=until), instances([1]), world.context(moment))
    if wanted == moment:
        assert ids(outcome.out["out"]) == [1]
    else:
        assert due(outcome.wait) == [wanted]


def test_delay_can_follow_the_clock_of_the_workflow() -> None:
    world = World(people(2, zone=["Asia/Tokyo", None]))
    settings = Settings(zone="Europe/Berlin")
    for zone, expected in (("workflow", [20, 20]), ("contact", [12, 20])):
        outcome = ran(node("flow.delay", until="21:00", zone=zone), instances([1, 2]), world.context(settings=settings))
        hours = [
            moment.hour for moment in (due(outcome.wait) if outcome.wait is not None and outcome.wait.height else [])
        ]
        assert [NOW.hour] * outcome.out["out"].height + hours == expected


def test_duration_comes_before_the_time_of_day() -> None:
    outcome = ran(node("flow.delay", duration="P1D", until="09:00"), instances([1]), SIX.context())
    assert due(outcome.wait) == [datetime(2026, 3, 12, 9, tzinfo=UTC)]


@given(seed=st.integers(0, 1000), minutes=st.integers(1, 600))
def test_jitter_spreads_within_its_span_and_is_drawn_once(seed: int, minutes: int) -> None:
    batch = instances(range(1, 201))
    made = node("flow.delay", duration="PT1H", jitter=f"PT{minutes}M")
    moments = due(ran(made, batch, SIX.context(seed=seed)).wait)
    assert all(timedelta(hours=1) <= moment - NOW < timedelta(hours=1, minutes=minutes) for moment in moments)
    assert len(set(moments)) > 100
    again = ran(made, batch.reverse(), SIX.context(seed=seed)).wait
    assert due(again) == moments[::-1]


def test_a_delay_of_no_time_lets_through_who_is_due_already() -> None:
    world = World(people(1, zone=["UTC"]))
    outcome = ran(node("flow.delay", until="12:00"), instances([1]), world.context())
    assert (ids(outcome.out["out"]), outcome.out["out"].columns) == ([1], instances([1]).columns)
    assert ids(outcome.wait) == []
