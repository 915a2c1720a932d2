"""Time to goal, cohorts, weekday and hour, latency, exits, series, calibration: each against a plain recount."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight

from studio.analytics.calibration import calibration, promises
from studio.analytics.cohorts import cohorts, customers, entry_cohorts
from studio.analytics.exits import bounces, exits
from studio.analytics.facts import Design
from studio.analytics.latency import step_latency
from studio.analytics.series import by_link, series
from studio.analytics.survival import kaplan_meier, time_to_goal
from studio.analytics.timing import heat
from studio.domain.template import PastOutcome, Prediction
from studio.frames.events import AT, as_events
from tests.analytics.plain_facts import PlainFacts
from tests.analytics.test_measures import DESIGN, START, run_events

spans = st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=60)


@settings(max_examples=60, deadline=None)
@given(spans)
def test_the_curve_is_that_of_statsmodels(rows: list[tuple[int, bool]]) -> None:
    durations, reached = np.array([float(r[0]) for r in rows]), np.array([r[1] for r in rows])
    got = kaplan_meier(durations, reached)
    want = SurvfuncRight(durations, reached.astype(int))
    assert got.hours == pytest.approx(want.surv_times)
    assert got.reached == pytest.approx(1 - want.surv_prob, abs=1e-12)
    assert got.at_risk.tolist() == want.n_risk.tolist()
    inner = (want.surv_prob > 0) & (want.surv_prob < 1)
    spread = (
        1.6448536269514722 * want.surv_prob_se / np.abs(want.surv_prob * np.log(np.where(inner, want.surv_prob, 0.5)))
    )
    assert got.high[inner] == pytest.approx((1 - want.surv_prob ** np.exp(spread))[inner], abs=1e-9)
    assert ((got.low <= got.reached + 1e-12) & (got.reached <= got.high + 1e-12)).all()


def test_censoring_is_not_failure() -> None:
    curve = kaplan_meier(np.array([1.0, 2.0, 3.0, 4.0]), np.array([True, False, True, False]))
    assert curve.reached.tolist() == pytest.approx([0.25, 0.625])
    assert (curve.share_at(2.5), curve.share_at(0.5), curve.share_at(99)) == (0.25, 0.0, None)
    assert (curve.quantile(0.5), curve.quantile(0.9)) == (3.0, None)
    assert kaplan_meier(np.zeros(0), np.zeros(0, dtype=bool)).watched == 0


def test_time_to_goal_counts_treated_people_from_entry_to_first_order() -> None:
    events = run_events(people=800).with_columns(pl.col("contact_id").cast(pl.UInt64).alias("instance_id"))
    now = START + timedelta(days=20)
    events = events.filter(pl.col("occurred_at") <= now)
    curve = time_to_goal(PlainFacts(events), "r1", DESIGN, now)
    treated = set(events.filter(pl.col("kind") == "sent")["contact_id"])
    first: dict[int, datetime] = {}
    for contact, at in events.filter(pl.col("kind") == "converted").select("contact_id", "occurred_at").iter_rows():
        first[contact] = min(at, first.get(contact, at))
    assert curve.watched == len(treated)
    assert curve.converted == len(treated & first.keys())
    hours = sorted((first[c] - START - timedelta(seconds=c)) / timedelta(hours=1) for c in treated & first.keys())
    assert curve.hours == pytest.approx(sorted(set(np.floor(np.array(hours) * 3_600) / 3_600)), abs=1e-3)


def test_a_closed_goal_window_ends_the_watching() -> None:
    design = Design(goal="goal", goal_kind="order", holdout=None, goal_window=timedelta(days=5))
    events = run_events(people=50).with_columns(pl.col("contact_id").cast(pl.UInt64).alias("instance_id"))
    events = events.filter(pl.col("kind") == "entered")
    curve = time_to_goal(PlainFacts(events), "r1", design, START + timedelta(days=30))
    assert curve.longest_watched_hours == pytest.approx(120.0)


def some_orders(seed: int = 1, count: int = 300) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    days = rng.integers(0, 400, count)
    return pl.DataFrame(
        {
            "contact_id": pl.Series(rng.integers(1, 60, count), dtype=pl.UInt32),
            "occurred_at": pl.Series([START + timedelta(days=int(day)) for day in days], dtype=AT),
            "value": np.round(rng.lognormal(3, 1, count), 2),
        }
    )


def test_cohorts_are_a_recount_by_person() -> None:
    orders = some_orders()
    by_person: dict[int, list[tuple[datetime, float]]] = {}
    for contact, at, value in orders.select("contact_id", "occurred_at", "value").iter_rows():
        by_person.setdefault(contact, []).append((at, value))
    table = cohorts(orders)
    for cohort, size, offset, people, count, value, share, so_far, complete in table.iter_rows():
        month = lambda at: at.year * 12 + at.month  # noqa: E731
        mine = [p for p in by_person.values() if month(min(p)[0]) == month(cohort)]
        then = [(k, v) for k, p in enumerate(mine) for at, v in p if month(at) == month(cohort) + offset]
        assert (size, people, count) == (len(mine), len({k for k, _ in then}), len(then))
        assert value == pytest.approx(sum(v for _, v in then))
        assert share == pytest.approx(people / size)
        until = [v for p in mine for at, v in p if month(at) <= month(cohort) + offset]
        assert so_far == pytest.approx(sum(until) / size)
        assert complete == (month(cohort) + offset < month(orders["occurred_at"].max()))
    totals = customers(orders)
    assert (totals.customers, totals.orders) == (len(by_person), orders.height)
    assert totals.repeat_rate == pytest.approx(sum(len(p) > 1 for p in by_person.values()) / len(by_person))
    assert table["size"].sum() > 0
    assert cohorts(orders, "week").filter(pl.col("offset") == 0)["size"].sum() == len(by_person)
    assert cohorts(orders.clear()).is_empty()


def test_entry_cohorts_count_people_once() -> None:
    entered = pl.DataFrame(
        {"contact_id": [1, 1, 2, 3], "first_at": [START, START + timedelta(days=9), START, START + timedelta(days=9)]}
    )
    converted = pl.DataFrame({"contact_id": [1, 1], "value": [2.0, 3.0]})
    rows = entry_cohorts(entered.with_columns(pl.col("first_at").cast(AT)), converted).rows()
    assert [row[1:] for row in rows] == [(2, 1, 0.5, 5.0), (1, 0, 0.0, 0.0)]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 60 * 24 * 300)), max_size=40))
def test_the_heat_is_in_each_persons_own_zone(rows: list[tuple[int, int]]) -> None:
    zones = {1: "Europe/Berlin", 2: "Asia/Kolkata", 3: None, 4: "Not/AZone"}
    events = pl.DataFrame(
        [(contact, START + timedelta(minutes=minute)) for contact, minute in rows],
        schema={"contact_id": pl.UInt32, "occurred_at": AT},
        orient="row",
    )
    frame = pl.DataFrame(list(zones.items()), schema={"contact_id": pl.UInt32, "zone": pl.String}, orient="row")
    got = heat(events, frame, fallback="America/New_York")
    want: Counter[tuple[int, int]] = Counter()
    for contact, minute in rows:
        zone = zones[contact] if contact < 3 else "America/New_York"
        local = (START + timedelta(minutes=minute)).astimezone(ZoneInfo(str(zone)))
        want[local.weekday(), local.hour] += 1
    assert {(d, h): n for d, row in enumerate(got.counts.tolist()) for h, n in enumerate(row) if n} == dict(want)
    assert got.unknown == sum(contact >= 3 for contact, _ in rows)
    assert (got.best() is None) == (not rows)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 5), st.integers(0, 9)), min_size=1, max_size=30))
def test_percentiles_are_over_instances(pieces: list[tuple[str, int, int]]) -> None:
    frame = pl.DataFrame(
        [(node, instances, float(ms)) for node, instances, ms in pieces],
        schema={"node_id": pl.String, "instances": pl.Int64, "duration_ms": pl.Float64},
        orient="row",
    )
    for node, count, instances, p50, p99, _total in step_latency(frame).iter_rows():
        each = sorted(float(ms) for of, n, ms in pieces if of == node for _ in range(n))
        assert (count, instances) == (sum(of == node for of, *_ in pieces), len(each))
        assert p50 == np.percentile(each, 50, method="inverted_cdf")
        assert p99 == np.percentile(each, 99, method="inverted_cdf")


def leaving() -> pl.DataFrame:
    rows = [("entered", c, None, None) for c in range(1, 11)]
    rows += [("blocked", 1, '{"reason":"no_consent"}', None), ("blocked", 2, '{"reason":"no_consent"}', None)]
    rows += [("bounced", 3, '{"class":"hard"}', None), ("exited", 4, '{"reason":"finished"}', None)]
    rows += [("converted", 5, None, None), ("unsubscribed", 5, None, None), ("bounced", 6, None, None)]
    rows += [
        ("clicked", 5, '{"link":"shop"}', "m1"),
        ("clicked", 5, '{"link":"shop"}', "m1"),
        ("clicked", 7, None, "m1"),
    ]
    frame = pl.DataFrame(rows, schema=["kind", "contact_id", "properties", "node_id"], orient="row")
    return as_events(
        frame.with_columns(
            pl.lit("r1").alias("run_id"),
            pl.lit("").alias("arms"),
            pl.lit(START).alias("occurred_at"),
            pl.int_range(pl.len()).alias("event_id"),
        )
    )


def test_exits_by_reason_and_who_is_left() -> None:
    facts = PlainFacts(leaving())
    rows = {(e.kind, e.reason): e.people for e in exits(facts, "r1", Design(None, "order", None))}
    assert rows == {
        ("blocked", "no_consent"): 2, ("bounced", ""): 1, ("bounced", "hard"): 1, ("converted", ""): 1,
        ("exited", "finished"): 1, ("unsubscribed", ""): 1, ("", ""): 4,
    }  # fmt: skip
    assert bounces(facts, "r1") == {"unknown": 1, "hard": 1}
    assert by_link(facts, "r1").rows() == [("m1", "shop", 2, 1), ("m1", "", 1, 1)]


def test_the_holdout_is_a_way_out_of_its_own() -> None:
    rows = exits(PlainFacts(run_events(400)), "r1", DESIGN)
    assert next(e.people for e in rows if e.reason == "held") == 40
    assert sum(e.people for e in rows) == 400


def test_a_series_has_no_gaps() -> None:
    facts = PlainFacts(run_events(400))
    table = series(facts, "converted", run_id="r1", split="variant", design=DESIGN)
    assert set(table["group"]) == {"A", "B"}
    days = table.filter(pl.col("group") == "A")["at"]
    assert days.diff().drop_nulls().unique().to_list() == [timedelta(days=1)]
    events = run_events(400).filter(pl.col("kind") == "converted", ~pl.col("arms").str.contains("held"))
    assert table["count"].sum() == events.height
    assert set(series(facts, "exposed", run_id="r1", split="variant", design=DESIGN)["group"]) == {"", "A", "B"}
    assert table["value"].sum() == pytest.approx(events["value"].sum())
    assert series(facts, "nothing", run_id="r1").is_empty()


def test_calibration_counts_who_kept_the_promise() -> None:
    def outcome(number: int, actual: float) -> PastOutcome:
        return PastOutcome(
            "t", "shop", f"r{number}", 10, 1, predicted={"roi": Prediction(2, 1, 3, "s")}, actual={"roi": actual}
        )

    kept = promises([*(outcome(n, 2.5) for n in range(9)), outcome(9, 9.0)])
    [record] = calibration(kept)
    assert (record.promises, record.covered, record.honest, record.bias) == (10, 9, True, 1.25)
    [poor] = calibration(promises([outcome(n, 9.0) for n in range(10)]))
    assert (poor.share, poor.honest) == (0.0, False)
    assert calibration([]) == []
