"""Adaptive splits: shares follow the run's own outcomes, are logged with each exposure, and nobody changes variant."""

from __future__ import annotations

import json
from datetime import timedelta

import polars as pl
import pytest
from scipy.stats import chisquare

from studio.analytics.adaptive_trials import waves_of
from studio.experiments.bandit import shares
from studio.experiments.moments import Proportion
from studio.frames.events import as_events
from studio.frames.instances import arm_of
from tests.nodes.world import NOW, World, instances, node, people, ran

AB = [{"id": "A"}, {"id": "B"}]


def past(exposed: dict[str, int], converted: dict[str, int]) -> pl.DataFrame:
    """Events of people who were here yesterday, numbered from 100,000."""
    rows, contact = [], 100_000
    for variant, count in exposed.items():
        for number in range(count):
            contact += 1
            row = {"contact_id": contact, "arms": f"split={variant}", "run_id": "run-1", "node_id": "split"}
            rows.append({**row, "kind": "exposed", "occurred_at": NOW - timedelta(days=1)})
            if number < converted[variant]:
                rows.append({**row, "kind": "converted", "node_id": "goal", "occurred_at": NOW - timedelta(hours=2)})
    return as_events(pl.DataFrame(rows).with_columns(pl.int_range(pl.len()).alias("event_id")))


def split(world: World, who, **parameters):
    made = node("exp.split", variants=AB, allocation="adaptive", **parameters)
    return ran(made, instances(who), world.context(node_id="split"))


def test_more_get_what_works_better_over_the_least_share():
    world = World(people(1), events=past({"A": 600, "B": 600}, {"A": 20, "B": 45}))
    outcome = split(world, range(4_000), least_share=0.2)
    expected = shares({"A": Proportion(600, 20), "B": Proportion(600, 45)}, floor=0.2)
    counts = [outcome.out[name].height for name in "AB"]
    assert chisquare(counts, [4_000 * round(expected[name], 2) for name in "AB"]).pvalue > 1e-4
    assert expected["A"] < 0.25


def test_equal_shares_while_little_is_known():
    outcome = split(World(people(1)), range(2_000))
    logged = json.loads(outcome.events["properties"][0])
    assert json.loads(logged["shares"]) == {"A": 0.5, "B": 0.5}
    assert logged["propensity"] == 0.5


def test_each_exposure_logs_its_propensity():
    world = World(people(1), events=past({"A": 600, "B": 600}, {"A": 20, "B": 45}))
    outcome = split(world, range(500))
    events = outcome.events.with_columns(arm_of("split").alias("variant"))
    for variant, text in events.select("variant", "properties").iter_rows():
        logged = json.loads(text)
        assert logged["propensity"] == json.loads(logged["shares"])[variant]


def test_who_comes_again_keeps_what_was_met_first():
    world = World(people(1), events=past({"A": 600, "B": 600}, {"A": 20, "B": 45}))
    known = world.events.filter(pl.col("kind") == "exposed").with_columns(arm_of("split").alias("variant"))
    outcome = split(world, known["contact_id"].to_list())
    again = pl.concat(list(outcome.out.values())).with_columns(arm_of("split").alias("now"))
    joined = again.join(known.select("contact_id", "variant"), on="contact_id")
    assert joined.height == 1_200
    assert (joined["now"] == joined["variant"]).all()


def test_other_runs_teach_nothing():
    foreign = past({"A": 600, "B": 600}, {"A": 20, "B": 45}).with_columns(pl.lit("run-0").alias("run_id"))
    outcome = split(World(people(1), events=foreign), range(100))
    assert json.loads(json.loads(outcome.events["properties"][0])["shares"]) == {"A": 0.5, "B": 0.5}


def test_the_log_gives_the_waves_back():
    first = split(World(people(1)), range(300)).events
    world = World(people(1), events=past({"A": 600, "B": 600}, {"A": 20, "B": 45}))
    second = split(world, range(200, 700)).events.with_columns(pl.col("occurred_at") + timedelta(hours=1))
    exposures = pl.concat([first, second]).select("contact_id", "arms", "occurred_at", "properties")
    bought = exposures.head(40).select("contact_id", arm_of("split").alias("variant")).unique()
    waves = waves_of(exposures, bought, "split")
    assert [sum(arm.n for arm in wave.arms.values()) for _, wave in waves] == [300, 400]
    assert waves[0][1].shares == {"A": 0.5, "B": 0.5}
    assert waves[1][1].shares["B"] > 0.6
    assert sum(arm.successes for arm in waves[0][1].arms.values()) == 40
    assert [at for at, _ in waves] == [NOW, NOW + timedelta(hours=1)]
    assert waves_of(exposures, bought, "split", until=NOW) == waves[:1]


@pytest.mark.parametrize("unit", ["contact", "key"])
def test_an_empty_batch(unit):
    outcome = split(World(people(1)), [], unit=unit)
    assert [outcome.out[name].height for name in "AB"] == [0, 0]
