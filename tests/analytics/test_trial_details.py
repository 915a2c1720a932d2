"""Revenue, segments, novelty and interactions of a run whose truth is known, recounted by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from studio.analytics.report import experiment_section
from studio.analytics.trial_details import trait_columns, trial_details
from studio.analytics.trials import TrialPlan, trial_result
from studio.experiments.capping import cap_of
from studio.frames.events import as_events
from tests.analytics.plain_facts import PlainFacts

START = datetime(2026, 3, 1, tzinfo=UTC)
NOW = START + timedelta(days=60)
PLAN = TrialPlan(
    run_id="r1",
    node_id="ab",
    name="Subject",
    control="A",
    weights={"A": 0.5, "B": 0.5},
    values={"A": "Hello", "B": "Hi"},
    parameter="subject",
    planned_total=8_000,
    mde=0.02,
)


def event(kind, contact, at, arms, node="ab", value=None):
    return {"kind": kind, "contact_id": contact, "occurred_at": at, "arms": arms, "node_id": node, "value": value}


@pytest.fixture(scope="module")
def people() -> pl.DataFrame:
    """6,000 people: B sells more to new ones only, unsubscribes more; the second split does nothing."""
    rng = np.random.default_rng(11)
    n = 6_000
    frame = pl.DataFrame(
        {
            "contact_id": np.arange(n, dtype=np.uint32),
            "variant": rng.choice(["A", "B"], n),
            "other": rng.choice(["X", "Y"], n),
            "is_new": rng.random(n) < 0.5,
            "spent": rng.gamma(1, 40, n),
            "day": np.sort(rng.uniform(0, 20, n)),
        }
    )
    chance = 0.1 + 0.08 * ((frame["variant"] == "B") & frame["is_new"]).cast(pl.Float64).to_numpy()
    return frame.with_columns(
        pl.Series("bought", rng.random(n) < chance),
        pl.Series("paid", rng.lognormal(2.5, 0.7, n)) + 0.5 * pl.col("spent"),
        pl.Series("left", rng.random(n) < np.where(frame["variant"] == "B", 0.09, 0.03)),
    )


@pytest.fixture(scope="module")
def events(people: pl.DataFrame) -> pl.DataFrame:
    rows = []
    for person in people.iter_rows(named=True):
        at = START + timedelta(days=person["day"])
        arms = f"early={person['other']}|ab={person['variant']}"
        rows.append(event("exposed", person["contact_id"], at, arms))
        if person["bought"]:
            rows.append(event("converted", person["contact_id"], at + timedelta(days=2), arms, "goal", person["paid"]))
        if person["left"]:
            rows.append(event("unsubscribed", person["contact_id"], at + timedelta(hours=3), arms, "m1"))
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return as_events(frame.with_columns(pl.lit("r1").alias("run_id"), event_id=pl.int_range(pl.len())))


@pytest.fixture(scope="module")
def facts(events: pl.DataFrame) -> PlainFacts:
    return PlainFacts(events)


def details(facts, people, **changes):
    traits = people.select("contact_id", pl.when("is_new").then(pl.lit("new")).otherwise(pl.lit("old")).alias("Who"))
    before = people.select("contact_id", pl.col("spent").alias("value"))
    asked = {"traits": traits, "before": before, "other_splits": {"early": ("X", "Y")}, **changes}
    return trial_details(facts, trial_result(facts, PLAN, NOW), "B", **asked)


def rate(people, **wanted):
    return people.filter(**wanted)["bought"].mean()


def test_segments_tell_for_whom_it_works(facts, people):
    found = details(facts, people).segments["Who"]
    by_name = {segment.name: segment for segment in found.segments}
    for name, is_new in (("new", True), ("old", False)):
        expected = rate(people, variant="B", is_new=is_new) / rate(people, variant="A", is_new=is_new) - 1
        assert by_name[name].lift == pytest.approx(expected)
    assert by_name["new"].p_value < 0.01 < by_name["old"].p_value
    assert found.differ_p < 0.01


def test_small_groups_become_others_and_one_group_is_no_division(facts, people):
    many = people.select("contact_id", (pl.col("contact_id") % 40).clip(0, 9).cast(pl.String).alias("group"))
    found = details(facts, people, traits=many).segments["group"]
    assert len(found.segments) == 7
    assert found.segments[-1].name == "Others"
    assert sum(segment.n for segment in found.segments) == people.height
    same = people.select("contact_id", pl.lit("DE").alias("country"))
    assert details(facts, people, traits=same).segments == {}


def test_revenue_is_capped_as_of_the_first_moment_that_may_decide(facts, people):
    found = details(facts, people).revenue
    buyers = people.filter("bought").sort("day")
    moments = [buyers.filter(pl.col("variant") == v)["day"][24] for v in "AB"]
    assert found.cap == pytest.approx(cap_of(buyers.filter(pl.col("day") <= max(moments))["paid"].to_numpy()))
    per_person = {v: people.filter(variant=v).select(pl.col("paid") * pl.col("bought")).to_series() for v in "AB"}
    assert found.lift_plain == pytest.approx(per_person["B"].mean() / per_person["A"].mean() - 1)
    assert found.rate_lift == pytest.approx(rate(people, variant="B") / rate(people, variant="A") - 1)
    sizes = {v: people.filter("bought", variant=v)["paid"].mean() for v in "AB"}
    assert found.value_lift == pytest.approx(sizes["B"] / sizes["A"] - 1)
    assert found.lift_ci[0] < found.lift < found.lift_ci[1]


def test_earlier_purchases_explain_a_part(facts, people):
    found = details(facts, people).revenue
    paid = (people["paid"] * people["bought"]).to_numpy().clip(max=found.cap)
    within = [
        np.corrcoef(paid[mask], people["spent"].to_numpy()[mask])[0, 1] ** 2
        for mask in ((people["variant"] == v).to_numpy() for v in "AB")
    ]
    assert found.explained == pytest.approx(np.mean(within), abs=0.01)
    assert details(facts, people, before=None).revenue.explained is None


def test_steady_effects_and_independent_tests_do_not_warn(facts, people):
    found = details(facts, people)
    assert not found.trend.fades
    assert not found.interactions["early"].warns
    contrast = [rate(people, variant="B", other=other) - rate(people, variant="A", other=other) for other in ("X", "Y")]
    assert found.interactions["early"].contrast == pytest.approx(contrast[1] - contrast[0])
    assert 0 < found.expected < rate(people, variant="B") / rate(people, variant="A") - 1


def test_more_people_who_leave_stop_a_variant(facts, people):
    result = trial_result(facts, PLAN, NOW)
    assert result.variant("B").harmed["unsubscribed"] == people.filter("left", variant="B").height
    assert result.guardrails["B"][0].harmed
    assert result.analysis.decision.verdict == "stop_harm"
    assert any("Unsubscribes" in reason for reason in result.analysis.decision.reasons)


def test_outcomes_are_settled_when_no_conversion_is_to_come(events):
    """Everybody who converts does so after two days, so of the last two days' people a known share is missing."""
    now, window = START + timedelta(days=15), timedelta(days=5)
    known = PlainFacts(events.filter(pl.col("occurred_at") <= now))
    found = trial_result(known, PLAN, now, window)
    past = events.filter(pl.col("occurred_at") <= now - window, kind="exposed")
    late = events.filter(pl.col("occurred_at").is_between(now - timedelta(days=2), now, "right"), kind="exposed")
    bought = events.filter(kind="converted")
    rate = past.join(bought, on="contact_id", how="semi").height / past.height
    happened = sum(v.converted for v in found.variants)
    assert found.settled == pytest.approx(happened / (happened + rate * late.height), abs=1e-9)
    assert 0.7 < found.settled < 0.95
    assert trial_result(known, PLAN, START + timedelta(days=40), window).settled == 1.0
    assert trial_result(known, PLAN, now, timedelta(days=30)).settled == 0.0
    assert trial_result(known, PLAN, now).settled == 1.0


def test_the_split_is_watched(events):
    skewed = events.filter((pl.col("contact_id") % 3 > 0) | (pl.col("arms") != "early=X|ab=A"))
    result = trial_result(PlainFacts(skewed), PLAN, NOW)
    assert result.analysis.srm.method == "sequential"
    assert result.analysis.decision.verdict == "blocked"


def test_traits_that_divide_into_few_parts():
    fields = pl.DataFrame(
        {
            "contact_id": range(40),
            "country": ["DE", "AT"] * 20,
            "same": ["x"] * 40,
            "unlike": [str(n) for n in range(40)],
            "vip": [True, False] * 20,
        }
    )
    found = trait_columns(fields, ["country", "same", "unlike", "vip", "absent"])
    assert found.columns == ["contact_id", "country", "vip"]
    assert found["vip"].dtype == pl.String


def test_carts_and_accounts_are_units_of_their_own():
    """Three contacts; contact 1 has two carts in two variants; contacts 2 and 3 belong to one account."""
    rows = [
        {**event("exposed", 1, START, "ab=A"), "key": "cart-1"},
        {**event("exposed", 1, START, "ab=B"), "key": "cart-2"},
        {**event("exposed", 2, START, "ab=A"), "key": None},
        {**event("exposed", 3, START, "ab=A"), "key": None},
        {**event("converted", 1, START, "ab=B", "goal", 9.0), "key": "cart-2"},
        {**event("converted", 2, START, "ab=A", "goal", 3.0), "key": None},
        {**event("converted", 3, START, "ab=A", "goal", 4.0), "key": None},
    ]
    frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(pl.lit("r1").alias("run_id"))
    facts = PlainFacts(as_events(frame.with_columns(event_id=pl.int_range(pl.len()))))
    by_key = trial_result(facts, replace(PLAN, unit="key"), NOW)
    assert [(v.people, v.converted) for v in by_key.variants] == [(3, 2), (1, 1)]
    assert by_key.crossovers == 0
    assert trial_result(facts, PLAN, NOW).crossovers == 1
    accounts = pl.DataFrame(
        {"contact_id": [2, 3], "account": ["acme", "acme"]}, schema_overrides={"contact_id": pl.UInt32}
    )
    by_account = trial_result(facts, replace(PLAN, unit="account"), NOW, accounts=accounts)
    assert [(v.people, v.converted) for v in by_account.variants] == [(2, 1), (1, 1)]
    assert by_account.variant("A").revenue.mean == 3.5
    found = trial_details(facts, by_account, "B", accounts=accounts)
    assert found.revenue.lift_plain is None or found.revenue.lift_plain > 0


def test_side_effects_are_people_counted_by_hand_and_corrected(people, facts) -> None:
    details = trial_details(facts, trial_result(facts, PLAN, NOW), "B")
    left = next(s for s in details.side_effects if s.kind == "unsubscribed")
    rates = {variant: people.filter(pl.col("variant") == variant)["left"].mean() for variant in ("A", "B")}
    assert (left.control_rate, left.rate) == pytest.approx((rates["A"], rates["B"]))
    assert left.q_value is not None and left.q_value < 0.01
    assert left.lift_ci is not None and left.lift_ci[0] > 0
    alone = replace(PLAN, unit="key")
    assert trial_details(facts, trial_result(facts, alone, NOW), "B").side_effects == ()


def test_the_report_names_the_verdict_and_every_variant(facts) -> None:
    result = trial_result(facts, PLAN, NOW)
    section = experiment_section(result)
    assert section.title == "A/B test: Subject"
    assert section.sentence.startswith("B wins.") == (result.analysis.decision.verdict == "ship")
    assert [row[0] for row in section.rows] == ["A · Hello", "B · Hi"]
    assert section.rows[1][1:3] == (f"{result.variant('B').people:,}", f"{result.variant('B').converted:,}")
    assert section.rows[0][4:] == ("baseline", "–")
    assert "to" in section.rows[1][5]
    assert section.chart.startswith("<svg")
