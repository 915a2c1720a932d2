"""Funnel, return and experiment of one small run, against numbers counted by hand and by NumPy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from studio.analytics.facts import Design
from studio.analytics.funnel import funnel, funnel_by
from studio.analytics.kpis import kpis
from studio.analytics.narrowed import Narrowing, narrowed
from studio.analytics.returns import run_return, with_zeros
from studio.analytics.series import up_to
from studio.analytics.trials import TrialPlan, trial_result
from studio.experiments.moments import Mean
from studio.frames.events import as_events
from tests.analytics.plain_facts import PlainFacts

START = datetime(2026, 3, 1, tzinfo=UTC)
DESIGN = Design(
    goal="goal", goal_kind="order", holdout="hold", splits=("ab",), cost_per_message=0.01, sends=("m1a", "m1b")
)


def run_events(people: int = 4_000, held_every: int = 10, seed: int = 3, effect: float = 0.0) -> pl.DataFrame:
    """A run in which everybody buys with 10 %, treated or not, plus `effect` for variant B."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    for contact in range(people):
        at = START + timedelta(seconds=contact)
        held = contact % held_every == 0
        arms = "hold=held" if held else f"hold=treated|ab={'AB'[contact // 2 % 2]}"
        rows.append({"kind": "entered", "node_id": "start", "arms": "", "contact_id": contact, "occurred_at": at})
        rows.append(
            {
                "kind": "exposed",
                "node_id": "hold",
                "arms": arms.split("|", maxsplit=1)[0],
                "contact_id": contact,
                "occurred_at": at,
            }
        )
        if not held:
            rows.append({"kind": "exposed", "node_id": "ab", "arms": arms, "contact_id": contact, "occurred_at": at})
            node = "m1a" if contact // 2 % 2 == 0 else "m1b"
            rows += [
                {"kind": kind, "node_id": node, "arms": arms, "contact_id": contact, "occurred_at": at}
                for kind in ("sent", "delivered")
            ]
        if rng.random() < 0.10 + (effect if arms.endswith("ab=B") else 0.0):
            for _ in range(int(rng.integers(1, 3))):
                later = at + timedelta(days=float(rng.uniform(1, 60)))
                value = float(np.round(rng.lognormal(3, 0.5), 2))
                rows.append(
                    {
                        "kind": "converted",
                        "node_id": "goal",
                        "arms": arms,
                        "contact_id": contact,
                        "occurred_at": later,
                        "value": value,
                    }
                )
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return as_events(frame.with_columns(pl.lit("r1").alias("run_id"), pl.int_range(pl.len()).alias("event_id")))


def test_the_funnel_counts_people_and_leaves_the_holdout_out() -> None:
    events = run_events()
    steps = funnel(PlainFacts(events), "r1", DESIGN)
    buyers = events.filter((pl.col("kind") == "converted") & ~pl.col("arms").str.contains("held"))[
        "contact_id"
    ].n_unique()
    assert [step.people for step in steps.steps] == [4_000, 3_600, 3_600, 0, 0, buyers]
    assert steps.held == 400
    assert steps.steps[1].share_of_entered == 0.9


def test_a_share_of_the_step_before_counts_only_who_was_at_it() -> None:
    """Some open without clicking, some order without either; eleven of ten would be no share."""
    arms = "hold=treated|ab=B"
    rows = [*(("opened", who) for who in range(1, 11)), ("clicked", 1), ("clicked", 2), ("clicked", 50)]
    more = [
        {"kind": kind, "actor": "human", "node_id": "m1b", "arms": arms, "contact_id": who, "occurred_at": START}
        for kind, who in rows
    ]
    added = pl.DataFrame(more).with_columns(pl.lit("r1").alias("run_id"), pl.int_range(pl.len()).alias("event_id"))
    events = pl.concat([run_events(), as_events(added)])
    buyers = set(events.filter(pl.col("kind") == "converted", pl.col("arms").str.contains("treated"))["contact_id"])
    *_, opened, clicked, converted = funnel(PlainFacts(events), "r1", DESIGN).steps
    assert (opened.people, clicked.people, converted.people) == (10, 3, len(buyers))
    assert clicked.share_of_previous == 0.2
    assert converted.share_of_previous == pytest.approx(len(buyers & {1, 2, 50}) / 3)
    assert converted.people > clicked.people


def test_what_machines_open_and_click_is_nobodys_step() -> None:
    at = START + timedelta(days=1)
    rows = [("opened", "machine", 1), ("opened", "human", 3), ("opened", None, 5), ("clicked", "machine", 3)]
    arms = "hold=treated|ab=B"
    more = [
        {"kind": kind, "actor": actor, "node_id": "m1b", "arms": arms, "contact_id": who, "occurred_at": at}
        for kind, actor, who in rows
    ]
    added = pl.DataFrame(more).with_columns(pl.lit("r1").alias("run_id"), pl.int_range(pl.len()).alias("event_id"))
    facts = PlainFacts(pl.concat([run_events(), as_events(added)]))
    for found in (funnel(facts, "r1", DESIGN), funnel_by(facts, "r1", DESIGN, "ab")[1]):
        assert (found.people("opened"), found.people("clicked")) == (2, 0)


def test_what_was_sent_and_did_not_come_back_is_delivered_where_nobody_says_so() -> None:
    events = run_events().filter(pl.col("kind") != "delivered")
    sent = events.filter(pl.col("kind") == "sent", pl.col("arms").str.contains("ab=B"))
    bounced = sent.head(7).with_columns(pl.lit("bounced").alias("kind"), pl.lit("machine").alias("actor"))
    facts = PlainFacts(pl.concat([events, bounced]))
    assert funnel(facts, "r1", DESIGN).people("delivered") == 3_600 - 7
    a, b = funnel_by(facts, "r1", DESIGN, "ab")
    assert (a.people("sent") - a.people("delivered"), b.people("sent") - b.people("delivered")) == (0, 7)


def test_the_funnel_by_variant_starts_at_exposure() -> None:
    a, b = funnel_by(PlainFacts(run_events()), "r1", DESIGN, "ab")
    assert (a.group, b.group) == ("A", "B")
    assert a.people("entered") + b.people("entered") == 3_600
    assert a.people("sent") == a.people("entered")


def test_return_is_attributed_and_incremental() -> None:
    events = run_events()
    returned = run_return(PlainFacts(events), "r1", DESIGN)
    converted = events.filter(pl.col("kind") == "converted")
    treated = converted.filter(~pl.col("arms").str.contains("held"))
    held = converted.filter(pl.col("arms").str.contains("held"))
    assert returned.revenue == pytest.approx(treated["value"].sum())
    assert returned.cost == pytest.approx(36.0)
    assert returned.roi == pytest.approx((treated["value"].sum() - 36.0) / 36.0)
    assert returned.increment is not None
    assert returned.increment.effect == pytest.approx(treated["value"].sum() / 3_600 - held["value"].sum() / 400)
    # Nobody bought because of a mail, and that is what the increment has to say although 10 % bought.
    assert returned.increment.indistinguishable
    assert returned.buying is not None
    assert returned.buying.indistinguishable
    low, high = returned.incremental_roi[1:]
    assert low < -1 < high or low < 0 < high


def test_without_cost_there_is_no_return_and_without_holdout_no_increment() -> None:
    bare = Design(goal="goal", goal_kind="order", holdout=None)
    returned = run_return(PlainFacts(run_events()), "r1", bare)
    assert (returned.roi, returned.increment, returned.incremental_roi) == (None, None, None)
    assert returned.people == 4_000


@given(st.lists(st.floats(0.01, 1e4), max_size=30), st.integers(0, 50))
def test_moments_with_zeros_are_those_of_the_whole(sums: list[float], zeros: int) -> None:
    got = with_zeros(pl.Series(sums, dtype=pl.Float64), len(sums) + zeros)
    want = Mean.of([*sums, *[0.0] * zeros])
    assert (got.n, got.payers) == (want.n, want.payers)
    assert got.mean == pytest.approx(want.mean, abs=1e-9)
    assert got.var == pytest.approx(want.var, rel=1e-9, abs=1e-9)


def plan(minimum_run: timedelta = timedelta(0)) -> TrialPlan:
    return TrialPlan(
        run_id="r1", node_id="ab", name="Subject", control="A", weights={"A": 0.5, "B": 0.5},
        values={"A": "Hello", "B": "Hi"}, parameter="subject", planned_total=4_000, mde=0.03, minimum_run=minimum_run,
    )  # fmt: skip


def test_an_experiment_without_effect_ships_nothing() -> None:
    result = trial_result(PlainFacts(run_events()), plan(), START + timedelta(days=90))
    assert [v.people for v in result.variants] == [1_800, 1_800]
    assert result.analysis.decision.verdict in ("keep_running", "stop_futile")


def test_a_real_effect_ships_and_the_band_ends_above_zero() -> None:
    events = run_events(people=8_000, held_every=9, effect=0.08)
    result = trial_result(PlainFacts(events), plan(), START + timedelta(days=90))
    converted = events.filter((pl.col("kind") == "converted") & pl.col("arms").str.ends_with("ab=B"))
    assert result.variants[1].converted == converted["contact_id"].n_unique()
    assert result.analysis.decision.verdict == "ship"
    assert result.analysis.decision.variant == "B"
    assert result.band["B"][-1].low > 0
    assert result.crossovers == 0


def test_key_figures_name_their_parts() -> None:
    facts = PlainFacts(run_events())
    figures = {k.name: k for k in kpis(facts, "r1", funnel(facts, "r1", DESIGN), run_return(facts, "r1", DESIGN))}
    assert figures["reach"].value == 3_600
    assert figures["unsubscribed"].value == 0
    assert (figures["unsubscribed"].numerator, figures["unsubscribed"].denominator) == (0, 3_600)
    assert "orders" in figures["revenue"].note


def test_narrowed_facts_are_those_of_the_chosen_people_alone() -> None:
    """Whatever is asked, the answer is that of a log which holds these people only."""
    events = run_events(people=1_200, effect=0.1)
    since = START + timedelta(seconds=600)
    for narrowing in (Narrowing("B"), Narrowing(None, since), Narrowing("A", since)):
        met = events.filter(pl.col("node_id") == "ab", pl.col("arms").str.ends_with(f"ab={narrowing.variant}"))
        late = events.filter(pl.col("kind") == "entered", pl.col("occurred_at") >= since)
        chosen = set(events["contact_id"])
        chosen &= set(met["contact_id"]) if narrowing.variant else chosen
        chosen &= set(late["contact_id"]) if narrowing.entered_since else chosen
        alone = PlainFacts(events.filter(pl.col("contact_id").is_in(chosen)))
        facts = narrowed(PlainFacts(events), "r1", DESIGN, narrowing)
        assert funnel(facts, "r1", DESIGN) == funnel(alone, "r1", DESIGN)
        got, want = run_return(facts, "r1", DESIGN), run_return(alone, "r1", DESIGN)
        assert (got.people, got.held, got.buyers, got.orders) == (want.people, want.held, want.buyers, want.orders)
        assert got.revenue == pytest.approx(want.revenue)
        assert_frame_equal(facts.sums(("hour", "kind"), ["r1"]), alone.sums(("hour", "kind"), ["r1"]))
        assert facts.rollup(["r1"], ["sent"])["count"].sum() == alone.rollup(["r1"], ["sent"])["count"].sum()
    plain = PlainFacts(events)
    assert narrowed(plain, "r1", DESIGN, Narrowing()) is plain


def test_money_says_which_currency_it_is_in() -> None:
    events = run_events(people=300)
    inside = events.with_columns(pl.when(pl.col("kind") == "converted").then(pl.lit("USD")).alias("currency"))
    facts = PlainFacts(inside)
    returned = run_return(facts, "r1", DESIGN)
    assert (returned.currency, returned.mixed) == ("USD", ())
    one = pl.col("event_id") == inside.filter(kind="converted")["event_id"][0]
    facts = PlainFacts(inside.with_columns(pl.when(one).then(pl.lit("GBP")).otherwise("currency").alias("currency")))
    returned = run_return(facts, "r1", DESIGN)
    assert (returned.currency, returned.mixed) == ("USD", ("GBP",))
    figures = kpis(facts, "r1", funnel(facts, "r1", DESIGN), returned)
    assert "GBP" in figures[0].note


def test_a_series_goes_up_to_the_clock_without_the_day_that_is_not_over() -> None:
    days = [START, START + timedelta(days=2)]
    rows = pl.DataFrame({"at": days, "group": ["", ""], "count": [1, 2], "value": [5.0, 7.0]})
    rows = rows.cast({"at": pl.Datetime("us", "UTC")})
    assert up_to(rows, "day", START + timedelta(days=5, hours=3))["count"].to_list() == [1, 0, 2, 0, 0]
    assert up_to(rows, "day", START + timedelta(days=2, hours=3))["count"].to_list() == [1, 0]
    assert up_to(rows, "day", None).is_empty()
