"""The simulated audience against what it is told: rates, truth per arm, latency, decay, persistence, determinism."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, kstest

from studio.connectors.simulator import RATES, SimulatedAudience
from studio.domain.errors import UserFixable
from studio.domain.ports import SimulationContext
from studio.frames.events import EVENT_SCHEMA
from tests.nodes.world import NOW, instances

N = 60_000


def context(**changes: object) -> SimulationContext:
    given: dict[str, object] = {
        "seed": 11,
        "now": NOW,
        "workflow_id": "win-back",
        "position": 0,
        "rates": {},
        "truth": {},
        "goal_kind": "order",
        "currency": "EUR",
    }
    return SimulationContext(**{**given, **changes})


@cache
def two_arms(count: int = N) -> pl.DataFrame:
    """Contacts 1 … count, odd ones in arm A."""
    arm = pl.when(pl.col("contact_id") % 2 == 1).then(pl.lit("split=A")).otherwise(pl.lit("split=B"))
    return instances(range(1, count + 1)).with_columns(("holdout=treated|" + arm).alias("arms"))


def doing(events: pl.DataFrame, kind: str, actor: str = "human") -> set[int]:
    return set(events.filter((pl.col("kind") == kind) & (pl.col("actor") == actor))["instance_id"])


def is_plausible(count: int, trials: int, rate: float) -> bool:
    """Within the central 1 - 1e-6 of the binomial: with fixed seeds this never flickers, and wrong rates fail it."""
    low, high = binom.interval(1 - 1e-6, trials, rate)
    return bool(low <= count <= high)


@pytest.mark.parametrize(("effect", "bounce"), [(1.0, 0.0), (1.25, 0.0), (0.8, 0.2)])
def test_each_arm_converts_at_rate_times_truth(effect: float, bounce: float) -> None:
    sends = two_arms(200_000)
    told = context(rates={"convert": 0.3, "bounce": bounce}, truth={"split=B": effect})
    buyers = doing(SimulatedAudience().react(sends, told), "order")
    for arm, rate in (("split=A", 0.3), ("split=B", 0.3 * effect)):
        members = sends.filter(pl.col("arms").str.ends_with(arm))["instance_id"]
        assert is_plausible(sum(i in buyers for i in members), members.len(), rate)


@given(
    convert=st.floats(0.0, 0.4),
    click=st.floats(0.0, 0.4),
    opened=st.floats(0.0, 0.6),
    effect=st.floats(0.0, 1.5),
    position=st.integers(0, 3),
    seed=st.integers(0, 2**31),
)
@settings(max_examples=12, deadline=None)
def test_every_rate_is_met_whatever_the_others(
    convert: float, click: float, opened: float, effect: float, position: int, seed: int
) -> None:
    rates = {"convert": convert, "click": click, "open": opened, "bounce": 0.1}
    sends = two_arms(8_000).with_columns(pl.lit("split=B").alias("arms"))
    events = SimulatedAudience().react(
        sends, context(rates=rates, truth={"split=B": effect}, position=position, seed=seed)
    )
    opens, clicks = (1.0, 1.0) if position == 0 else (27 / 67, 8.8 / 37)
    limit = 0.9
    assert is_plausible(len(doing(events, "order")), 8_000, min(convert * effect * clicks, limit))
    assert is_plausible(len(doing(events, "clicked")), 8_000, min(click * effect * clicks, limit))
    either = min(max(opened * opens, click * clicks) * effect, limit)
    assert is_plausible(len(doing(events, "opened")), 8_000, either)


def test_keen_people_open_click_and_buy() -> None:
    events = SimulatedAudience().react(two_arms(), context(rates={"convert": 0.02}))
    opened, clicked, bought = (doing(events, kind) for kind in ("opened", "clicked", "order"))
    assert bought < clicked < opened


def test_interest_lasts() -> None:
    audience = SimulatedAudience()
    first = doing(audience.react(two_arms(), context()), "opened")
    second = doing(audience.react(two_arms(), context(position=1)), "opened")
    rest = N - len(first)
    assert len(first & second) / len(first) > 2 * len(second - first) / rest


def test_bounces_last_and_nothing_follows_them() -> None:
    audience = SimulatedAudience()
    events = audience.react(two_arms(), context(rates={"bounce": 0.1}))
    bounced = doing(events, "bounced", "machine")
    assert bounced == doing(
        audience.react(two_arms(), context(rates={"bounce": 0.1}, position=2)), "bounced", "machine"
    )
    assert is_plausible(len(bounced), N, 0.1)
    others = events.filter(pl.col("kind") != "bounced")
    assert not bounced & set(others["instance_id"])
    assert set(others.filter(pl.col("kind") == "delivered")["instance_id"]) | bounced == set(two_arms()["instance_id"])


def test_latency_follows_the_published_curve() -> None:
    events = SimulatedAudience().react(two_arms(), context(rates={"click": 0.2, "convert": 0.0, "machine_open": 0.0}))
    delivered = events.filter(pl.col("kind") == "delivered").select("instance_id", at="occurred_at")
    later = events.join(delivered, on="instance_id").with_columns(
        ((pl.col("occurred_at") - pl.col("at")).dt.total_microseconds() / 3.6e9).alias("hours")
    )
    clicked = later.filter(pl.col("kind") == "clicked")["hours"]
    only_opened = later.filter(
        (pl.col("kind") == "opened") & ~pl.col("instance_id").is_in(list(doing(events, "clicked")))
    )["hours"]
    for hours, share in ((1, 0.3195), (4, 0.5), (26, 0.8253)):
        assert is_plausible(int((clicked <= hours).sum()), clicked.len(), share)
    for hours, share in ((1, 0.1966), (8, 0.5), (26, 0.7326)):
        assert is_plausible(int((only_opened <= hours).sum()), only_opened.len(), share)


def test_everything_happens_in_its_order() -> None:
    events = SimulatedAudience().react(two_arms(20_000), context(rates={"convert": 0.1, "click": 0.2, "open": 0.4}))
    assert events["occurred_at"].min() >= NOW
    human = events.filter((pl.col("actor") == "human") | (pl.col("kind") == "delivered"))
    wide = human.pivot("kind", index="instance_id", values="occurred_at")
    for before, after in (
        ("delivered", "opened"),
        ("opened", "clicked"),
        ("clicked", "order"),
        ("delivered", "unsubscribed"),
    ):
        assert wide.filter(pl.col(before) > pl.col(after)).is_empty()


@given(cuts=st.lists(st.integers(0, 400), max_size=4), shuffle=st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_batching_and_order_change_nothing(cuts: list[int], shuffle: int) -> None:
    audience, told = SimulatedAudience(), context(rates={"convert": 0.2, "organic": 0.1})
    whole = two_arms(400)
    mixed = whole.sample(fraction=1.0, shuffle=True, seed=shuffle)
    ends = [0, *sorted(cuts), 400]
    for call in (audience.react, audience.organic):
        parts = [call(mixed.slice(a, b - a), told) for a, b in pairwise(ends)]
        expected = call(whole, told)
        assert pl.concat(parts).sort("occurred_at", "event_id").equals(expected)


def test_ids_are_distinct_over_kinds_positions_and_causes() -> None:
    audience = SimulatedAudience()
    told = {"rates": {"convert": 0.5, "organic": 0.5, "machine_open": 1.0}}
    parts = [
        audience.react(two_arms(3_000), context(**told)),
        audience.react(two_arms(3_000), context(**told, position=1)),
        audience.organic(two_arms(3_000), context(**told)),
    ]
    assert pl.concat(parts)["event_id"].is_duplicated().sum() == 0


def test_another_seed_is_another_audience() -> None:
    audience = SimulatedAudience()
    assert doing(audience.react(two_arms(), context()), "clicked") != doing(
        audience.react(two_arms(), context(seed=12)), "clicked"
    )


def test_goal_events_carry_worth_currency_and_key() -> None:
    sends = instances([*range(1, N + 1)], keys=[f"cart-{i}" for i in range(1, N + 1)])
    events = SimulatedAudience().react(sends, context(rates={"convert": 0.3, "value": 80.0}))
    assert dict(events.schema) == EVENT_SCHEMA
    orders = events.filter(pl.col("kind") == "order")
    assert set(orders["currency"]) == {"EUR"}
    assert (orders["key"] == "cart-" + orders["contact_id"].cast(pl.String)).all()
    worth = orders["value"].to_numpy()
    error = worth.std() / np.sqrt(len(worth))
    assert abs(worth.mean() - 80.0) < 5 * error
    standard = (np.log(worth / 80.0) + RATES["value_spread"] ** 2 / 2) / RATES["value_spread"]
    assert kstest(standard, "norm").pvalue > 1e-4


def test_organic_goals_need_no_message() -> None:
    audience = SimulatedAudience()
    assert audience.organic(two_arms(), context()).is_empty()
    orders = audience.organic(two_arms(), context(rates={"organic": 0.1, "organic_days": 10.0}))
    assert is_plausible(orders.height, N, 0.1)
    days = (orders["occurred_at"] - NOW).dt.total_microseconds() / 8.64e10
    assert kstest(days.to_numpy() / 10.0, "uniform").pvalue > 1e-4
    held = orders["contact_id"].cast(pl.Int64) % 2
    assert is_plausible(int(held.sum()), orders.height, 0.5)


def test_mail_programs_open_by_themselves() -> None:
    events = SimulatedAudience().react(two_arms(), context(rates={"machine_open": 0.3, "bounce": 0.0}))
    machines = doing(events, "opened", "machine")
    assert is_plausible(len(machines), N, 0.3)
    again = SimulatedAudience().react(two_arms(), context(rates={"machine_open": 0.3, "bounce": 0.0}, position=4))
    assert doing(again, "opened", "machine") == machines


@pytest.mark.parametrize(
    ("changes", "code", "hint"),
    [
        ({"rates": {"clicks": 0.1}}, "SIMULATION-RATE", "Did you mean “click”?"),
        ({"rates": {"click": 5.0}}, "SIMULATION-RATE", "between 0 and 1"),
        ({"rates": {"bounce": 1.0}}, "SIMULATION-RATE", "have to arrive"),
        ({"truth": {"split=B": -1.0}}, "SIMULATION-TRUTH", "1.25"),
    ],
)
def test_refuses_what_cannot_be(changes: dict[str, object], code: str, hint: str) -> None:
    with pytest.raises(UserFixable) as caught:
        SimulatedAudience().react(two_arms(10), context(**changes))
    assert caught.value.code == code
    assert hint in (caught.value.hint or "")


def test_nobody_does_nothing() -> None:
    assert SimulatedAudience().react(two_arms(0), context()).is_empty()
