"""Who is recommended what, why, and what results change."""

import math
import zlib
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.domain.template import BusinessContext, Fact, PastOutcome, Prediction
from studio.gallery import reasons
from studio.gallery.archetypes import archetypes
from studio.gallery.business_types import business_types, likelihood
from studio.gallery.catalogue import Catalogue, catalogue
from studio.gallery.context import confirm_type, correct, read_text
from studio.gallery.embedding import find_embedder
from studio.gallery.examples import Example, examples
from studio.gallery.learning import impression
from studio.gallery.lexical import Index, words
from studio.gallery.likeness import compare
from studio.gallery.meaning import vectors_of
from studio.gallery.prediction import Economics
from studio.gallery.promotion import Promoted
from studio.gallery.ranking import Experience, Policy, rank, settled, type_shares
from studio.gallery.weights import band
from tests.gallery.test_context import BUSINESSES

AT = datetime(2026, 3, 2, tzinfo=UTC)


def order(ranking) -> list[str]:
    return [card.template for card in ranking.recommendations]


def card(ranking, template: str):
    """The template's card, whether it stands for its archetype or beside the one that does."""
    every = (*ranking.recommendations, *ranking.alternatives)
    return next(card for card in every if card.template == template)


def outcome(template: str, industry: str, *, good: bool, run: str = "r1") -> PastOutcome:
    """A run that clearly kept, or clearly broke, a promise of two added conversions in a hundred people."""
    effect = 0.03 if good else 0.0
    return PastOutcome(
        template,
        industry,
        run,
        trials=8_000,
        successes=900,
        incremental=effect,
        incremental_low=effect - 0.004,
        incremental_high=effect + 0.004,
        predicted={"incremental_rate": Prediction(0.02, 0.001, 0.05, "test")},
        actual={"revenue_per_recipient": 0.25},
    )


def test_a_coffee_shop_with_an_online_store_gets_cart_recovery_first():
    ranking = rank(read_text(BUSINESSES["coffee"]), catalogue())
    assert "cart-recovery" in order(ranking)[:2]
    assert card(ranking, "cart-recovery").band == "strong"
    assert order(rank(read_text("coffee shop with an online store"), catalogue()))[0] == "cart-recovery"


def test_a_dentist_does_not():
    ranking = rank(read_text(BUSINESSES["dentist"]), catalogue())
    recovery = card(ranking, "cart-recovery")
    assert order(ranking)[0] != "cart-recovery"
    assert recovery.band == "worth_a_look"
    assert recovery.score < 0.3
    assert any("Speaks against it" in reason.text and reason.weight < 0 for reason in recovery.reasons)


def test_who_has_lapsed_customers_gets_win_back_before_the_welcome():
    text = (
        "We are Harbour Books with an online store. Many customers haven't ordered in a year and we want to win back."
    )
    ranked = order(rank(read_text(text), catalogue()))
    assert ranked.index("win-back") < ranked.index("welcome-series")


@pytest.mark.parametrize("who", BUSINESSES)
def test_every_score_is_the_sum_of_its_reasons(who):
    experience = Experience(
        outcomes=[outcome("win-back", "restaurant", good=True), outcome("cart-recovery", "online_shop", good=False)],
        event_kinds=("order",),
    )
    for one in rank(read_text(BUSINESSES[who]), catalogue(), experience=experience).recommendations:
        total = sum(reason.weight for reason in one.reasons)
        assert one.score == pytest.approx(min(1.0, max(0.0, total)))
        assert one.confidence is None or one.band == band(one.confidence)
        assert (one.confidence is None) == any(
            reason.text.startswith(("Earned", "Used", "It ")) for reason in one.reasons
        )
        assert all(reason.text.endswith(".") for reason in one.reasons)


def test_reasons_name_facts_that_the_context_has():
    context = read_text(BUSINESSES["coffee"])
    for one in rank(context, catalogue()).recommendations:
        named = [reason.fact for reason in one.reasons if reason.fact]
        assert named
        assert all(context.fact(name) is not None for name in named)


def test_archetypes_are_distinct_and_all_are_scored():
    ranking = rank(read_text(BUSINESSES["gym"]), catalogue())
    kinds = [one.archetype for one in ranking.recommendations]
    assert len(set(kinds)) == len(kinds)
    assert set(ranking.scores) == {archetype.id for archetype in archetypes()}
    assert all(0 <= score <= 1 for score in ranking.scores.values())


def test_a_confirmed_type_moves_the_ranking():
    context = read_text(BUSINESSES["gym"])
    before = card(rank(context, catalogue()), "cart-recovery").score
    after = card(rank(confirm_type(context, "online_shop"), catalogue()), "cart-recovery").score
    assert after > before + 0.3


def test_a_corrected_fact_moves_the_ranking():
    context = read_text(BUSINESSES["coffee"])
    without = correct(context, "has_cart", False)
    assert (
        card(rank(without, catalogue()), "cart-recovery").score
        < card(rank(context, catalogue()), "cart-recovery").score
    )


def test_facts_alone_are_enough():
    context = BusinessContext(
        (Fact("industry", "Online shop", 0.9, "x"), Fact("has_cart", True, 0.9, "x")), "", ("online_shop",)
    )
    ranking = rank(context, catalogue())
    assert order(ranking)[0] == "cart-recovery"


@pytest.mark.slow
@given(good=st.integers(0, 4), bad=st.integers(0, 4))
def test_each_good_run_raises_a_template_and_each_bad_one_lowers_it(good, bad):
    context = read_text(BUSINESSES["coffee"])
    runs = [outcome("win-back", context.types[0], good=True, run=f"g{i}") for i in range(good)]
    runs += [outcome("win-back", context.types[0], good=False, run=f"b{i}") for i in range(bad)]

    def score(outcomes) -> float:
        return sum(
            reason.weight
            for reason in card(rank(context, catalogue(), experience=Experience(outcomes=outcomes)), "win-back").reasons
        )

    now = score(runs)
    assert score([*runs, outcome("win-back", context.types[0], good=True, run="+")]) > now
    assert score([*runs, outcome("win-back", context.types[0], good=False, run="-")]) < now


def test_results_here_count_more_than_results_in_another_industry():
    context = read_text(BUSINESSES["coffee"])

    def score(industry: str) -> float:
        experience = Experience(outcomes=[outcome("win-back", industry, good=True)])
        return card(rank(context, catalogue(), experience=experience), "win-back").score

    nothing = card(rank(context, catalogue()), "win-back").score
    assert score(context.types[0]) > score("restaurant") > nothing - 0.03


@pytest.mark.parametrize(
    ("good", "said"),
    [
        (True, "Earned €4,000 in 2 runs here: 30 more orders per 1,000 people than among those left alone."),
        (False, "Earned €4,000 in 2 runs here, but no more than people left alone brought by themselves."),
    ],
)
def test_the_reason_says_what_past_runs_earned(good, said):
    context = read_text(BUSINESSES["coffee"])
    runs = [outcome("win-back", context.types[0], good=good, run=run) for run in ("r1", "r2")]
    ranking = rank(context, catalogue(), experience=Experience(outcomes=runs, economics=Economics(currency="EUR")))
    assert said in [reason.text for reason in card(ranking, "win-back").reasons]


def test_missing_events_are_held_against_a_template_only_when_it_is_known():
    context = read_text(BUSINESSES["coffee"])
    unknown = card(rank(context, catalogue()), "cart-recovery").score
    missing = card(rank(context, catalogue(), experience=Experience(event_kinds=("order",))), "cart-recovery")
    there = card(
        rank(context, catalogue(), experience=Experience(event_kinds=("order", "cart_updated"))), "cart-recovery"
    )
    assert there.score == unknown > missing.score
    assert any("cart_updated" in reason.text for reason in missing.reasons)


def test_a_promoted_default_is_told():
    promoted = {"cart-recovery": {"subject": Promoted("Your basket is saved", "Won on 2 March by 25 %.")}}
    ranking = rank(read_text(BUSINESSES["coffee"]), catalogue(), experience=Experience(promoted=promoted))
    assert any("Your basket is saved" in reason.text for reason in card(ranking, "cart-recovery").reasons)


def test_the_same_question_has_the_same_answer():
    context = read_text(BUSINESSES["restaurant"])
    assert rank(context, catalogue(), seed=3) == rank(context, catalogue(), seed=3)


class Bags:
    """A stand-in for a model: texts as bags of words, so that closeness is countable."""

    name = "bags"

    def embed(self, texts):
        rows = np.zeros((len(texts), 512))
        for row, text in zip(rows, texts, strict=True):
            row[[zlib.crc32(word.encode()) % 512 for word in words(text)]] = 1.0
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def test_the_engine_that_answered_is_named_and_a_model_takes_part():
    context = read_text(BUSINESSES["coffee"])
    plain, model = rank(context, catalogue()), rank(context, catalogue(), embedder=Bags())
    assert plain.engine == "word overlap (BM25)"
    assert model.engine == "meaning (bags) and words"
    assert plain.scores != model.scores
    assert order(model)[0] == "cart-recovery"


def test_without_its_packages_there_is_no_model(monkeypatch):
    find_embedder.cache_clear()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert find_embedder() is None
    find_embedder.cache_clear()


def test_the_model_gives_the_shipped_vectors_and_close_texts_are_close():
    model = find_embedder()
    assert model is not None, "the sentence model is part of the locked dependencies"
    own = vectors_of(model)
    texts = [examples()[0].text, "Wir rösten Kaffee und liefern ihn nach Hause.", "We roast coffee for homes."]
    first, german, english = (np.array(vector) for vector in model.embed(texts))
    assert own.examples[0] @ first == pytest.approx(1, abs=1e-3)
    assert german @ english > 0.5 > first @ english
    assert list(model.embed(texts[:1])[0]) == pytest.approx(list(first))


def test_every_example_names_what_there_is_and_no_archetype_is_forgotten():
    kinds, known = {kind.id for kind in business_types()}, {kind.id for kind in archetypes()}
    for one in examples():
        assert one.type in kinds
        assert {*one.first, *one.also} <= known
        assert not set(one.first) & set(one.also)
    assert {name for one in examples() for name in one.first} == known
    assert len({one.text for one in examples()}) == len(examples())


def test_nothing_known_is_said_so():
    ranking = rank(BusinessContext(), catalogue())
    assert not any("kind of business:" in reason.text for one in ranking.recommendations for reason in one.reasons)
    assert all(one.confidence is None for one in ranking.recommendations)


def test_types_are_proposed_by_all_that_can_be_compared_and_a_confirmed_one_stays():
    context = settled(read_text(BUSINESSES["dentist"]))
    assert context.types[0] == "health"
    sure = confirm_type(context, "wellness")
    assert settled(sure) == sure


def test_a_page_whose_data_names_its_kind_is_believed_over_its_words():
    said = BusinessContext((Fact("industry", "Online shop", 0.8, "x"),), "Hello", ("online_shop",))
    shares = type_shares(said, compare("Hello"))
    assert shares["online_shop"] >= 0.8
    assert sum(shares.values()) == pytest.approx(1)


@pytest.mark.parametrize("seed", range(12))
def test_exploration_touches_only_the_last_place_and_logs_its_chance(seed):
    context = read_text(BUSINESSES["coffee"])
    usual = order(rank(context, catalogue()))
    ranking = rank(context, catalogue(), policy=Policy(explore=0.4), seed=seed, top=2)
    assert order(ranking)[0] == usual[0]
    assert ranking.propensities[0] == 1.0
    further = len(usual) - 2
    shown = order(ranking)[1]
    assert shown in usual[1:]
    assert ranking.propensities[1] == pytest.approx(0.6 if shown == usual[1] else 0.4 / further)


def test_an_impression_holds_what_off_policy_estimates_need():
    context = read_text(BUSINESSES["coffee"])
    ranking = rank(context, catalogue(), top=2)
    shown = impression(
        ranking.recommendations,
        context,
        at=AT,
        policy=ranking.policy.version,
        engine=ranking.engine,
        propensities=ranking.propensities,
    )
    assert [(one.template, one.position, one.propensity) for one in shown.slate] == [
        (order(ranking)[0], 1, 1.0),
        (order(ranking)[1], 2, 1.0),
    ]
    assert (
        shown.context_hash
        != impression(
            (), correct(context, "market", "Austria"), at=AT, policy="", engine="", propensities=()
        ).context_hash
    )


def test_an_empty_catalogue_recommends_nothing():
    assert rank(read_text(BUSINESSES["gym"]), Catalogue({})).recommendations == ()


def test_bm25_agrees_with_the_formula_written_out():
    documents = ["coffee beans coffee", "tea leaves", "beans and tea and sugar"]
    found = Index.of(documents).scores("coffee beans")
    tokens = [words(text) for text in documents]
    mean = sum(map(len, tokens)) / 3

    def part(term: str, document: list[str]) -> float:
        df = sum(term in other for other in tokens)
        idf = math.log(1 + (3 - df + 0.5) / (df + 0.5))
        tf = document.count(term)
        return idf * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * len(document) / mean))

    asked = words("coffee beans")
    assert found == pytest.approx([sum(part(term, document) for term in asked) for document in tokens])
    assert found[0] > found[2] > found[1] == 0


def test_a_reason_names_a_business_only_as_far_as_it_is_alike() -> None:
    example = Example("travel", ("win-back",), (), "Hire of bicycles by the hour")
    said = [reasons.of_neighbours((example, share), 0.1).text for share in (0.5, 0.1, 0.01)]
    assert said[0] == "Suits a business much like yours: “Hire of bicycles by the hour”."
    assert "a little like yours" in said[1]
    assert "bicycles" not in said[2]


def test_a_known_fact_that_speaks_against_says_so() -> None:
    fact = Fact("local", True, 0.9, "“Visit us today”")
    assert reasons.of_fact(fact, -0.1).text.startswith("Speaks against it: your business ")
    assert not reasons.of_fact(fact, 0.1).text.startswith("Speaks against it")


def test_a_house_that_once_was_a_brewery_is_none() -> None:
    shares = likelihood("Escape rooms in an old brewery.")
    assert max(shares, key=lambda kind: shares[kind]) == "venue_event"


@pytest.mark.parametrize(("kind", "template"), [("online_shop", "cross-sell"), ("self_serve_software", "expansion")])
def test_which_of_an_archetypes_templates_is_meant_goes_by_the_kind_of_business(kind: str, template: str) -> None:
    context = confirm_type(read_text("We are here for our customers."), kind)
    ranking = rank(context, catalogue())
    assert {"cross-sell", "expansion"} & set(order(ranking)) == {template}
