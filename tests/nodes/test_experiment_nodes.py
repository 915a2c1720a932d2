"""Splits and holdouts: shares, stability, labels, values and exposures."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import chisquare

from studio.domain.node import Outcome
from studio.frames.instances import arm_of
from tests.nodes.world import NOW, World, ids, instances, later, node, people, ran

AB = [{"id": "A", "value": "Hello"}, {"id": "B", "value": "Goodbye"}]
WORLD = World(people(1))


def arms(outcome: Outcome) -> dict[int, str]:
    """Instance → arms text."""
    rows = pl.concat(list(outcome.out.values()))
    return dict(zip(rows["instance_id"], rows["arms"], strict=True))


def test_shares_follow_the_weights() -> None:
    variants = [{"id": "A", "weight": 1}, {"id": "B", "weight": 2}, {"id": "C", "weight": 7}]
    outcome = ran(node("exp.split", variants=variants), instances(range(50_000)), WORLD.context())
    counts = [outcome.out[name].height for name in "ABC"]
    assert chisquare(counts, [5_000, 10_000, 35_000]).pvalue > 1e-4


def test_everybody_is_labelled_and_exposed_once() -> None:
    batch = instances(range(100)).with_columns(pl.lit("holdout=treated").alias("arms"))
    outcome = ran(node("exp.split", variants=AB, parameter="subject"), batch, WORLD.context(node_id="split"))
    for name in "AB":
        assert set(outcome.out[name]["arms"]) == {f"holdout=treated|split={name}"}
        assert set(outcome.out[name].select(arm_of("split")).to_series()) == {name}
    assert outcome.events is not None
    assert sorted(outcome.events["instance_id"]) == sorted(batch["instance_id"])
    assert set(outcome.events["kind"]) == {"exposed"}
    labels = dict(zip(outcome.events["instance_id"], outcome.events["arms"], strict=True))
    assert labels == arms(outcome)
    assert set(outcome.events["occurred_at"]) == {NOW}


@pytest.mark.parametrize(("unit", "told"), [("contact", 1), ("key", 2), ("account", 1)])
def test_an_exposure_is_known_by_whom_it_is_about_and_the_arm(unit: str, told: int) -> None:
    """Two keys of one person; the run keeps one event per id."""
    split = node("exp.split", variants=AB, unit=unit)
    first, second = (
        ran(split, instances([1], keys=[key]), WORLD.context(node_id="split", now=at)).events
        for key, at in (("k1", NOW), ("k2", later(days=1)))
    )
    again = ran(split, instances([1], keys=["k1"]), WORLD.context(node_id="split", now=later(days=2))).events
    assert first is not None and second is not None and again is not None
    assert len({*first["event_id"], *second["event_id"]}) == told
    assert first.item(0, "event_id") == again.item(0, "event_id")
    others = ran(node("exp.split", variants=[{"id": "C"}, {"id": "D"}]), instances([1]), WORLD.context(node_id="split"))
    assert others.events is not None
    assert others.events.item(0, "event_id") != first.item(0, "event_id")


def test_each_variant_carries_its_value() -> None:
    outcome = ran(node("exp.split", variants=AB, parameter="subject"), instances(range(50)), WORLD.context())
    assert set(outcome.out["A"]["var.subject"]) == {"Hello"}
    assert set(outcome.out["B"]["var.subject"]) == {"Goodbye"}


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([1, 2.5], pl.Float64, [1.0, 2.5]),
        (["a", None], pl.String, ["a", None]),
        ([True, False], pl.Boolean, [True, False]),
        (["a", 3], pl.String, ["a", "3"]),
        ([True, 3], pl.String, ["true", "3"]),
    ],
)
def test_values_have_one_type_whatever_the_batch(
    values: list[object], dtype: pl.DataType, expected: list[object]
) -> None:
    variants = [{"id": name, "value": value} for name, value in zip("AB", values, strict=True)]
    made = node("exp.split", variants=variants, parameter="x")
    for batch in (instances(range(50)), instances([1]), instances([])):
        outcome = ran(made, batch, WORLD.context())
        for name, value in zip("AB", expected, strict=True):
            column = outcome.out[name]["var.x"]
            assert column.dtype == dtype
            assert set(column) <= {value}


@pytest.mark.parametrize("parameters", [{}, {"parameter": "subject"}])
def test_without_parameter_or_values_no_variable_is_set(parameters: dict[str, str]) -> None:
    variants = AB if not parameters else [{"id": "A"}, {"id": "B"}]
    outcome = ran(node("exp.split", variants=variants, **parameters), instances([1, 2]), WORLD.context())
    assert outcome.out["A"].columns == instances([1]).columns


@given(seeds=st.tuples(st.integers(0, 9), st.integers(0, 9)), unit=st.sampled_from(["contact", "key"]))
def test_assignment_depends_on_salt_and_unit_alone(seeds: tuple[int, int], unit: str) -> None:
    made = node("exp.split", variants=AB, salt="s", unit=unit)
    batch = instances(range(60), keys=[f"c{i}" for i in range(60)])
    first, second = (
        arms(ran(made, batch, WORLD.context(seed=seed, run_id=f"run-{seed}", workflow_id=f"w{seed}"))) for seed in seeds
    )
    assert first == second


def test_another_salt_or_workflow_divides_anew() -> None:
    batch = instances(range(400))

    def divided(workflow_id: str = "w", **parameters: str) -> list[int]:
        return ids(
            ran(node("exp.split", variants=AB, **parameters), batch, WORLD.context(workflow_id=workflow_id)).out["A"]
        )

    assert divided() != divided("other")
    assert divided(salt="s") == divided("other", salt="s") != divided(salt="t")


def test_a_person_keeps_the_variant_and_each_key_is_drawn_on_its_own() -> None:
    batch = instances([1] * 200, keys=[f"c{i}" for i in range(200)])
    by_person = ran(node("exp.split", variants=AB), batch, WORLD.context())
    assert sorted(rows.height for rows in by_person.out.values()) == [0, 200]
    by_key = ran(node("exp.split", variants=AB, unit="key"), batch, WORLD.context())
    assert 60 < by_key.out["A"].height < 140


def test_without_a_key_the_contact_is_the_unit() -> None:
    context, batch = WORLD.context(), instances(range(50))
    by_key = ran(node("exp.split", variants=AB, unit="key"), batch, context)
    assert arms(by_key) == arms(ran(node("exp.split", variants=AB), batch, context))
    by_contact = arms(ran(node("exp.split", variants=AB), batch, context))
    mixed = pl.concat([batch, instances([60], keys=["k"])])
    by_key = arms(ran(node("exp.split", variants=AB, unit="key"), mixed, context))
    assert {instance: by_key[instance] for instance in batch["instance_id"]} == by_contact


def test_holdout_leaves_its_share_alone() -> None:
    outcome = ran(node("exp.holdout", share=0.1), instances(range(40_000)), WORLD.context(node_id="hold"))
    assert chisquare([outcome.out["held"].height, outcome.out["out"].height], [4_000, 36_000]).pvalue > 1e-4
    assert set(outcome.out["held"]["arms"]) == {"hold=held"}
    assert set(outcome.out["out"]["arms"]) == {"hold=treated"}
    assert outcome.events is not None
    assert outcome.events.group_by("arms").len().sort("arms")["len"].to_list() == [
        outcome.out["held"].height,
        outcome.out["out"].height,
    ]


def test_a_larger_holdout_keeps_those_held_out_before() -> None:
    batch, context = instances(range(2_000)), WORLD.context()
    small, large = (set(ids(ran(node("exp.holdout", share=share), batch, context).out["held"])) for share in (0.1, 0.2))
    assert small < large


def test_the_same_name_holds_out_the_same_people_everywhere() -> None:
    batch = instances(range(500))
    held = [
        ids(ran(node("exp.holdout", salt="global"), batch, WORLD.context(workflow_id=name, node_id=name)).out["held"])
        for name in ("a", "b")
    ]
    assert held[0] == held[1]


@pytest.mark.parametrize(
    "variants",
    [
        [{"id": "A"}],
        [{"id": "A"}, {"id": "A"}],
        [{"id": "A"}, {"id": "error"}],
        [{"id": "A"}, {"id": "B", "weight": 0}],
        [{"id": "A"}, {"id": "B|C"}],
    ],
)
def test_impossible_variants_are_refused(variants: list[dict[str, object]]) -> None:
    with pytest.raises(ValidationError):
        node("exp.split", variants=variants)


@pytest.mark.parametrize(("kind", "parameters"), [("exp.split", {"variants": AB}), ("exp.holdout", {"share": 0.4})])
def test_everybody_of_an_account_is_drawn_together(kind: str, parameters: dict[str, object]) -> None:
    companies = [f"company {n % 60}" if n % 10 else None for n in range(600)]
    known = pl.DataFrame({"contact_id": range(600), "account": companies}, schema_overrides={"contact_id": pl.UInt32})
    outcome = ran(node(kind, unit="account", **parameters), instances(range(600)), World(known).context())
    drawn = pl.concat([rows.select("contact_id", "arms") for rows in outcome.out.values()]).join(known, on="contact_id")
    per_account = drawn.drop_nulls("account").group_by("account").agg(pl.col("arms").n_unique())
    assert set(per_account["arms"]) == {1}
    assert drawn.filter(pl.col("account").is_null())["arms"].n_unique() == 2
    assert drawn["arms"].n_unique() == 2
