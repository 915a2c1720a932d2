"""Questions in words: what is understood, what is refused, and answers beside a plain recount; suggestions and why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.analytics.answer import answer
from studio.analytics.askable import METRICS, Metric
from studio.analytics.attribution import run_attribution
from studio.analytics.exits import Exit
from studio.analytics.facts import Design
from studio.analytics.funnel import funnel
from studio.analytics.kpis import Kpi, kpis
from studio.analytics.question import Known, Query, complete, read
from studio.analytics.returns import run_return
from studio.analytics.suggestions import suggestions
from studio.analytics.timing import Heat
from studio.domain.errors import UserFixable
from studio.frames.events import as_events
from tests.analytics.plain_facts import PlainFacts
from tests.analytics.test_measures import DESIGN, START, run_events

NOW = datetime(2026, 4, 12, 15, 30, tzinfo=UTC)
LABELS = {"mail_1a": "Reminder, subject A", "mail_1b": "Reminder, subject B", "mail_2": "Help", "mail_3": "Offer"}
KNOWN = Known(NOW, ("A", "B"), LABELS)
moments = st.integers(0, 8_000).map(lambda hours: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours))


@given(st.data(), st.sampled_from(METRICS), st.none() | moments, st.none() | st.integers(1, 4_000))
def test_every_query_is_read_back_from_its_own_words(data: st.DataObject, metric: Metric, since, hours) -> None:
    by = data.draw(st.sampled_from([None, *metric.by]))
    variant = data.draw(st.sampled_from([None, "A", "B"])) if "variant" in metric.by else None
    step = data.draw(st.sampled_from([None, *LABELS])) if "step" in metric.by else None
    actor = data.draw(st.sampled_from(["people", "machines", "everybody"])) if metric.reads else None
    actor = "everybody" if by == "actor" else actor
    since = since if metric.spans else None
    until = None if hours is None or not metric.spans else (since or START) + timedelta(hours=hours)
    query = Query(metric, by, variant, step, actor, since, until)
    assert read(query.text(), KNOWN) == query
    assert read(query.text(LABELS), KNOWN) == query


# What people type → the query in the grammar's own words, by the clock of NOW (a Sunday).
ASKED = {
    "what's our open rate?": "open rate",
    "how many people opened": "people who opened",
    "How many people opened last week?": "people who opened since 2026-03-30 until 2026-04-05",
    "how many emails did we send": "messages sent",
    "emails sent to customers": "messages sent",
    "messages": "messages sent",
    "how many emails were opened": "opens",
    "unique clicks": "people who clicked",
    "who clicked": "people who clicked",
    "click rate by email": "click rate by step",
    "which email got the most clicks": "clicks by step",
    "which link was clicked most": "clicks by link",
    "clicks per link": "clicks by link",
    "Compare A and B: click rate": "click rate by variant",
    "conversion rate A vs B": "conversion rate by variant",
    "which variant has the better conversion rate": "conversion rate by variant",
    "number of openers per variant": "people who opened by variant",
    "how much money did we make": "revenue",
    "how much did we earn this month": "revenue since 2026-04-01",
    "revenue last month": "revenue since 2026-03-01 until 2026-03-31",
    "revenue in march": "revenue since 2026-03-01 until 2026-03-31",
    "orders in may": "orders since 2025-05-01 until 2025-05-31",
    "what were sales yesterday": "revenue since 2026-04-11 until 2026-04-11",
    "how many sales did we have": "orders",
    "conversion rate by step": "conversion rate by step",
    "AOV by variant": "average order value by variant",
    "revenue per order": "average order value",
    "revenue per customer": "revenue per buyer",
    "revenue per recipient": "revenue per person",
    "ROI": "return on spend",
    "incremental revenue": "caused revenue",
    "unsubscribes by email": "unsubscribes by step",
    "spam rate": "complaint rate",
    "complaints in the last 30 days": "complaints since 2026-03-13T15:00Z",
    "bounce rate by reason": "bounce rate by reason",
    "delivered rate": "delivery rate",
    "kept back by reason": "kept back by reason",
    "number of people who left by reason": "exits by reason",
    "How many orders did we get per week?": "orders by week",
    "daily buyers since 2026-03-10": "buyers by day since 2026-03-10",
    "hourly opens today": "opens by hour since 2026-04-12",
    "orders between 2026-03-10 and 2026-03-20": "orders since 2026-03-10 until 2026-03-20",
    "opens on march 12": "opens since 2026-03-12 until 2026-03-12",
    "opens on 12th of march 2026": "opens since 2026-03-12 until 2026-03-12",
    "orders on monday": "orders since 2026-04-06 until 2026-04-06",
    "orders since last week": "orders since 2026-03-30",
    "ctr last week": "click rate since 2026-03-30 until 2026-04-05",
    "click rate by step in the last 7 days": "click rate by step since 2026-04-05T15:00Z",
    "conversion rate of variant b last 14 days": "conversion rate for variant B since 2026-03-29T15:00Z",
    "revenue of variant b per week": "revenue by week for variant B",
    "how many customers": "buyers",
    "number of recipients": "reach",
    "how many people are held out": "held out",
    "how many people got an email": "people who got a message",
    "how many people received our newsletter": "people who got a message",
    "percentage of people who clicked": "click rate",
    "% of recipients who bought": "conversion rate",
    "what percentage opened": "open rate",
    "opens including bots": "opens including machines",
    "machine opens": "opens by machines only",
    "opens by human or machine": "opens by actor",
    "clicks for offer": "clicks at step Offer",
    "offer open rate": "open rate at step Offer",
    "open rate of reminder, subject A": "open rate at step Reminder, subject A",
}


def test_people_ask_in_their_own_words() -> None:
    found = {text: read(text, KNOWN).text(LABELS) for text in ASKED}
    assert found == ASKED


# What cannot be answered rightly is refused: code, and what the hint has to name.
REFUSED = {
    "": ("ASK-EMPTY", "example"),
    "how did the campaign do": ("ASK-FIGURE", "open"),
    "revenue and orders": ("ASK-FIGURE", "one figure"),
    "what share of openers clicked": ("ASK-FIGURE", "one figure"),
    "share of clicks by link": ("ASK-FIGURE", "one figure"),
    "clicks to conversion": ("ASK-FIGURE", "one figure"),
    "clciks by step": ("ASK-WORD", "“clicks by step”"),
    "clicks by varient": ("ASK-WORD", "“clicks by variant”"),
    "revenu by week": ("ASK-WORD", "“revenue by week”"),
    "opne rate": ("ASK-WORD", "rate”"),
    "clicks of grandmothers": ("ASK-WORD", "figure"),
    "clicks from germany": ("ASK-WORD", "figure"),
    "how many people did not open": ("ASK-WORD", "those who did"),
    "people who never clicked": ("ASK-WORD", "those who did"),
    "clicks without variant B": ("ASK-WORD", "those who did"),
    "open rate yesterday vs today": ("ASK-WORD", "figure"),
    "orders in week 12": ("ASK-WORD", ""),
    "opens per person": ("ASK-WORD", "figure"),
    "average open rate": ("ASK-WORD", ""),
    "which customers bought most": ("ASK-WORD", ""),
    "will revenue grow next month": ("ASK-WORD", ""),
    "open rate for variant C": ("ASK-WORD", "variant"),
    "orders by step": ("ASK-FIT", "attribution"),
    "revenue per email": ("ASK-FIT", "attribution"),
    "cost per message": ("ASK-FIT", "variant"),
    "return on spend by week": ("ASK-FIT", "whole run"),
    "ROI last week": ("ASK-FIT", "whole run"),
    "deliveries by link": ("ASK-FIT", "step"),
    "bounces by machines": ("ASK-FIT", "opens and clicks"),
    "clicks since 2026-13-40": ("ASK-DATE", "2026-03-14"),
    "clicks on february 30": ("ASK-DATE", "2026-03-14"),
}


def test_what_cannot_be_answered_rightly_is_refused_with_a_way_on() -> None:
    for text, (code, hint) in REFUSED.items():
        with pytest.raises(UserFixable) as error:
            read(text, KNOWN)
        assert error.value.code == code, text
        assert hint.lower() in str(error.value.hint).lower(), text


def test_a_run_without_a_test_has_no_variants_to_ask_for() -> None:
    with pytest.raises(UserFixable) as error:
        read("orders by variant", Known(NOW))
    assert "tests nothing" in str(error.value.hint)


def test_completions_lead_to_questions_that_are_read() -> None:
    assert "click rate" in complete("cli", KNOWN)
    assert "clicks by step" in complete("clicks by s", KNOWN)
    for text in ("", "conv", "orders", "orders by", "clicks by step", "held out", "cost", "open rate"):
        for whole in complete(text, KNOWN, limit=50):
            assert read(whole, KNOWN).metric


def ask_of(events: pl.DataFrame, design: Design = DESIGN):
    known = Known(START + timedelta(days=70), ("A", "B"), {"m1a": "First A", "m1b": "First B"})
    return lambda text: answer(PlainFacts(events), "r1", design, read(text, known))


def test_answers_are_a_recount() -> None:
    events = run_events(people=1_500)
    ask = ask_of(events)
    converted = events.filter(pl.col("kind") == "converted", ~pl.col("arms").str.contains("held"))
    assert ask("orders").number == converted.height
    assert ask("revenue").number == pytest.approx(converted["value"].sum())
    assert ask("average order value").number == pytest.approx(converted["value"].mean())
    assert ask("buyers").number == converted["contact_id"].n_unique()
    assert ask("held out").number == 150
    assert ask("cost").number == pytest.approx(13.5)
    of_b = converted.filter(pl.col("arms").str.ends_with("ab=B"))
    assert ask("orders for variant B").number == of_b.height
    sent = dict(events.filter(pl.col("kind") == "sent").group_by("node_id").len().iter_rows())
    assert dict(ask("messages sent by step").rows) == {"m1a": sent["m1a"], "m1b": sent["m1b"]}
    rates = dict(ask("conversion rate by variant").rows)
    assert rates["B"] == pytest.approx(of_b["contact_id"].n_unique() / sent["m1b"])
    assert dict(ask("conversion rate by step").rows)["m1b"] == rates["B"]
    assert dict(ask("revenue per person by variant").rows)["B"] == pytest.approx(of_b["value"].sum() / sent["m1b"])
    since = START + timedelta(days=20)
    late = converted.filter(pl.col("occurred_at") >= since)
    asked = ask(f"orders by day since {since:%Y-%m-%d}")
    assert (asked.number, asked.chart) == (late.height, "line")
    assert sum(value for _, value in asked.rows) == late.height
    assert ask("click rate").number == 0.0


def test_a_share_is_of_the_people_whose_message_it_was() -> None:
    """Machines are left out unless asked for; who clicks a week later counts in the week of his message."""
    base = {"arms": "hold=treated|ab=A", "node_id": "m1a"}
    rows = [
        {**base, "kind": kind, "contact_id": who, "occurred_at": START + timedelta(days=day), "actor": actor}
        for kind, who, day, actor in [
            *(("sent", who, 0 if who < 5 else 8, None) for who in range(1, 9)),
            *(("bounced", who, 8, "machine") for who in (8,)),
            ("opened", 1, 1, "human"), ("opened", 1, 2, "human"), ("opened", 2, 0, "machine"), ("opened", 5, 9, None),
            ("clicked", 1, 9, "human"), ("clicked", 2, 0, "machine"),
        ]
    ]  # fmt: skip
    ask = ask_of(as_events(pl.DataFrame(rows).with_columns(run_id=pl.lit("r1"), event_id=pl.int_range(pl.len()))))
    assert ask("deliveries").number == 7
    assert ask("open rate").number == pytest.approx(2 / 7)
    assert ask("open rate including machines").number == pytest.approx(3 / 7)
    assert ask("opens").number == 3
    assert dict(ask("opens by actor").rows) == {"human": 2, "machine": 1, "not said": 1}
    assert dict(ask("click rate by week").rows) == pytest.approx({"2026-02-23": 0.25, "2026-03-09": 0.0})
    assert ask("click rate since 2026-03-08").number == 0.0
    assert ask("click-to-open rate").number == pytest.approx(0.5)
    assert "left out" in ask("open rate").note


def advise(events: pl.DataFrame, exits=(), opens=None, figures=None):
    facts = PlainFacts(events)
    returned = run_return(facts, "r1", DESIGN)
    found = run_attribution(facts, "r1", DESIGN)
    figures = figures if figures is not None else kpis(facts, "r1", funnel(facts, "r1", DESIGN), returned)
    heat = opens or Heat(np.zeros((7, 24), dtype=np.int64), 0, "UTC")
    made = suggestions("r1", DESIGN, returned, figures, found, heat, exits)
    return {one.code: one for one in made}, returned


def test_half_of_a_holdout_is_worth_what_the_effect_says() -> None:
    events = run_events(people=6_000, effect=0.2)
    codes, returned = advise(events, [Exit("blocked", "no_consent", "Kept back", 100, 0.1)])
    increment = returned.increment
    assert increment is not None
    assert not increment.indistinguishable
    assert codes["holdout"].value == pytest.approx(returned.held / 2 * increment.effect)
    assert codes["holdout"].low == pytest.approx(returned.held / 2 * increment.anytime_ci[0])
    assert codes["consent"].high == pytest.approx(100 * increment.effect)


def test_nothing_is_advised_without_ground() -> None:
    codes, _ = advise(run_events(people=800))
    assert codes == {}
    over = Kpi("bounced", "Bounces", 0.08, "rate", "limit 3 %", 8, 100, 0.03)
    codes, _ = advise(run_events(people=800), figures=[over])
    assert list(codes) == ["limit.bounced"]
