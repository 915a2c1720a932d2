"""Set values, switch and count."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.nodes.world import World, ids, instances, node, people, ran

SIX = World(people(6, country=["DE", "at", "DE", None, "CH", " De "], age=[10, 20, 30, None, 50, 60]))
ALL = [1, 2, 3, 4, 5, 6]


def test_values_are_worked_out_from_what_was_known_before() -> None:
    fields = [
        {"name": "twice", "value": "age * 2"},
        {"name": "land", "value": "lower(country)"},
        {"name": "x", "value": "var.x + 1"},
        {"name": "was", "value": "var.x"},
        {"name": "adult", "value": "age >= 18"},
    ]
    outcome = ran(node("data.set_fields", fields=fields), instances(ALL, x=range(6)), SIX.context())
    out = outcome.out["out"]
    assert ids(out) == ALL
    assert out["var.twice"].to_list() == [20, 40, 60, None, 100, 120]
    assert out["var.land"].to_list() == ["de", "at", "de", None, "ch", " de "]
    assert out["var.x"].to_list() == [1, 2, 3, 4, 5, 6]
    assert out["var.was"].to_list() == [0, 1, 2, 3, 4, 5]
    assert out["var.adult"].to_list() == [False, True, True, None, True, True]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ([{"name": "event", "value": "1"}], "set by the program"),
        ([{"name": "a", "value": "1"}, {"name": "a", "value": "2"}], "there twice"),
        ([{"name": "a", "value": "agee("}], "no function"),
        ([{"name": "a", "value": '"x" * 2'}], "reckons with numbers"),
        ([{"name": "A b", "value": "1"}], "pattern"),
        ([], "at least 1"),
    ],
)
def test_values_that_cannot_be_are_refused(fields: list[dict[str, str]], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        node("data.set_fields", fields=fields)


def test_switch_goes_by_the_value_written_out() -> None:
    cases = [{"id": "german", "values": "DE, AT"}, {"id": "swiss", "values": "ch"}]
    outcome = ran(node("flow.switch", value="country", cases=cases), instances(ALL), SIX.context())
    assert {port: ids(batch) for port, batch in outcome.out.items()} == {
        "german": [1, 2, 3, 6],
        "swiss": [5],
        "else": [4],
    }


def test_switch_can_mind_capitals_and_numbers() -> None:
    exact = node("flow.switch", value="country", match_case=True, cases=[{"id": "a", "values": "DE"}])
    assert ids(ran(exact, instances(ALL), SIX.context()).out["a"]) == [1, 3]
    ages = node("flow.switch", value="age", cases=[{"id": "a", "values": "10, 60"}, {"id": "b", "values": "30"}])
    outcome = ran(ages, instances(ALL), SIX.context())
    assert (ids(outcome.out["a"]), ids(outcome.out["b"]), ids(outcome.out["else"])) == ([1, 6], [3], [2, 4, 5])


def test_a_value_may_stand_in_one_case_only() -> None:
    cases = [{"id": "a", "values": "DE"}, {"id": "b", "values": "x, de"}]
    with pytest.raises(ValueError, match="in two places"):
        node("flow.switch", value="country", cases=cases)
    node("flow.switch", value="country", cases=cases, match_case=True)


def test_count_adds_up_by_value() -> None:
    outcome = ran(node("data.count", by="country", sum="age"), instances(ALL), SIX.context())
    assert ids(outcome.out["out"]) == ALL
    assert outcome.figures == {
        "people": 6,
        "people, sum": 170,
        "people: DE": 2,
        "people, sum: DE": 40,
        "people: at": 1,
        "people, sum: at": 20,
        "people: CH": 1,
        "people, sum: CH": 50,
        "people:  De ": 1,
        "people, sum:  De ": 60,
        "people: without a value": 1,
        "people, sum: without a value": 0,
    }


@given(st.lists(st.integers(0, 200), min_size=1, max_size=300))
def test_count_is_bounded_and_loses_nobody(ages: list[int]) -> None:
    world = World(people(len(ages), age=ages))
    figures = ran(node("data.count", by="age"), instances(range(1, len(ages) + 1)), world.context()).figures
    groups = {name: count for name, count in figures.items() if name.startswith("people: ")}
    assert sum(groups.values()) == figures["people"] == len(ages)
    assert len(groups) <= 51
    biggest = pl.Series(ages).value_counts().get_column("count").max()
    assert max(groups.values()) >= (biggest if isinstance(biggest, int) else 0)
