"""Questions in words: what is understood, what is refused, and answers beside a plain recount; suggestions and why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.analytics.answer import answer
from studio.analytics.attribution import run_attribution
from studio.analytics.exits import Exit
from studio.analytics.funnel import funnel
from studio.analytics.kpis import Kpi, kpis
from studio.analytics.question import DIMENSIONS, METRICS, Known, Query, complete, read
from studio.analytics.returns import run_return
from studio.analytics.suggestions import suggestions
from studio.analytics.timing import Heat
from studio.domain.errors import UserFixable
from tests.analytics.plain_facts import PlainFacts
from tests.analytics.test_measures import DESIGN, START, run_events

NOW = datetime(2026, 4, 12, 15, 30, tzinfo=UTC)
KNOWN = Known(NOW, ("A", "B"), {"mail_1": "Reminder, subject A", "mail_2": "Offer"})
moments = st.integers(0, 8_000).map(lambda hours: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours))


@given(
    st.sampled_from(METRICS),
    st.sampled_from([None, *DIMENSIONS]),
    st.sampled_from([None, "A", "B"]),
    st.sampled_from([None, "mail_1", "mail_2"]),
    st.sampled_from([None, True, False]),
    st.none() | moments,
    st.none() | moments,
)
def test_every_query_is_read_back_from_its_own_words(metric, by, variant, step, human, since, until) -> None:
    query = Query(metric, by, variant, step, human, since, until)
    assert read(query.text(), KNOWN) == query


@pytest.mark.parametrize(
    ("text", "name", "by", "since", "until"),
    [
        ("How many orders did we get per week?", "orders", "week", None, None),
        ("click rate by step in the last 7 days", "click rate", "step", NOW - timedelta(days=7), None),
        ("revenue in March", "revenue", None, datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)),
        (
            "what were sales yesterday",
            "revenue",
            None,
            datetime(2026, 4, 11, tzinfo=UTC),
            datetime(2026, 4, 12, tzinfo=UTC),
        ),
        ("daily clicks since 2026-03-10", "clicks", "day", datetime(2026, 3, 10, tzinfo=UTC), None),
    ],
)
def test_people_ask_in_their_own_words(text: str, name: str, by: str | None, since, until) -> None:
    query = read(text, KNOWN)
    assert (query.metric.name, query.by, query.since, query.until) == (name, by, since, until)


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("", "ASK-EMPTY", "example"),
        ("clciks by step", "ASK-FIGURE", "clicks"),
        ("clicks by varient", "ASK-WORD", "variant"),
        ("clicks since 2026-13-40", "ASK-DATE", "2026-03-14"),
        ("clicks of grandmothers", "ASK-WORD", "figure"),
    ],
)
def test_what_is_not_understood_is_said_with_the_nearest_word(text: str, code: str, hint: str) -> None:
    with pytest.raises(UserFixable) as error:
        read(text, KNOWN)
    assert error.value.code == code
    assert hint in str(error.value.hint)


def test_completions_lead_to_questions_that_are_read() -> None:
    assert "click rate" in complete("cli", KNOWN)
    assert "clicks by step" in complete("clicks by s", KNOWN)
    for text in ("", "conv", "orders", "orders by", "clicks by step"):
        for whole in complete(text, KNOWN):
            assert read(whole, KNOWN).metric


def test_answers_are_a_recount() -> None:
    events = run_events(people=1_500)
    facts = PlainFacts(events)
    known = Known(START + timedelta(days=70), ("A", "B"), {"m1a": "First A", "m1b": "First B"})

    def ask(text: str):
        return answer(facts, "r1", DESIGN, read(text, known))

    converted = events.filter(pl.col("kind") == "converted", ~pl.col("arms").str.contains("held"))
    assert ask("orders").number == converted.height
    assert ask("revenue").number == pytest.approx(converted["value"].sum())
    assert ask("buyers").number == converted["contact_id"].n_unique()
    of_b = converted.filter(pl.col("arms").str.ends_with("ab=B"))
    assert ask("orders for variant B").number == of_b.height
    sent = dict(events.filter(pl.col("kind") == "sent").group_by("node_id").len().iter_rows())
    assert dict(ask("messages sent by step").rows) == {"m1a": sent["m1a"], "m1b": sent["m1b"]}
    rates = dict(ask("conversion rate by variant").rows)
    assert rates["B"] == pytest.approx(of_b["contact_id"].n_unique() / sent["m1b"])
    since = START + timedelta(days=20)
    late = converted.filter(pl.col("occurred_at") >= since)
    asked = ask(f"orders by day since {since:%Y-%m-%d}")
    assert (asked.number, asked.chart) == (late.height, "line")
    assert sum(value for _, value in asked.rows) == late.height
    assert ask("click rate").number == 0.0
    assert ask("open rate for variant C".replace("variant C", "variant A")).number == 0.0


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
