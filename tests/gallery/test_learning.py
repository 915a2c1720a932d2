"""Learning from results: pooling, a simulated world with known truth, and judging an order from a log."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from studio.domain.template import PastOutcome, Prediction
from studio.gallery.learning import standing
from studio.gallery.learning_simulation import LearningPolicy, uplift
from studio.gallery.offpolicy import Showing, ShownCard, judge
from studio.gallery.ranking import OUTCOMES, Policy

AT = datetime(2026, 1, 5, tzinfo=UTC)


def outcome(template: str, industry: str, *, good: bool, run: str = "r") -> PastOutcome:
    effect = 0.05 if good else -0.05
    promise = {"incremental_rate": Prediction(0.02, 0.0, 0.05, "test")}
    return PastOutcome(template, industry, run, 1_000, 50, effect, effect - 0.001, effect + 0.001, predicted=promise)


def test_results_here_count_most_then_elsewhere_then_of_all():
    nothing = standing((), "a", "x").mean
    here = standing([outcome("a", "x", good=True)], "a", "x")
    elsewhere = standing([outcome("a", "y", good=True)], "a", "x")
    others = standing([outcome("b", "y", good=True)], "a", "x")
    assert here.mean > elsewhere.mean > others.mean > nothing
    assert others.mean - others.usual == pytest.approx(0)


def test_where_everything_succeeds_success_is_nothing_special():
    runs = [outcome(name, "x", good=True, run=f"{name}{i}") for name in "abcd" for i in range(30)]
    assert standing(runs, "a", "x").mean - standing(runs, "a", "x").usual < 0.06


def test_learning_brings_something_and_relevance_alone_nothing():
    learned = uplift(LearningPolicy(OUTCOMES, Policy().bonus), outcomes=400, correlation=0.5, worlds=30, seed=3)
    alone = uplift(LearningPolicy(0.0, 0.0), outcomes=200, correlation=0.5, worlds=30, seed=3)
    assert learned.mean > 0.04
    assert learned.mean < learned.ceiling
    assert abs(alone.mean) < 0.02


def log(showings: int, *, explore: float, third: float, other: float, seed: int = 1) -> list[Showing]:
    """“a”, “b”, then “c” or, by exploration, one of four others; taken with the probabilities given."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(showings):
        explored = rng.random() < explore
        name = f"x{rng.integers(4)}" if explored else "c"
        taken = rng.random() < (other if explored else third)
        cards = (
            ShownCard("a", 1, 1.0, bool(rng.random() < 0.2)),
            ShownCard("b", 2, 1.0, bool(rng.random() < 0.1)),
            ShownCard(name, 3, explore / 4 if explored else 1 - explore, bool(taken)),
        )
        found.append(Showing(AT + timedelta(hours=number), "1", cards))
    return found


def test_the_estimate_holds_the_truth():
    inside = 0
    for seed in range(20):
        verdict = judge(log(700, explore=0.3, third=0.05, other=0.05, seed=seed), ("a", "b", "c"))
        assert verdict.today is not None
        inside += verdict.today.low <= 0.35 <= verdict.today.high
        assert verdict.today_robust == pytest.approx(verdict.today.mean, abs=0.02)
    assert inside >= 14  # 99 % of what a coverage of 0.9 gives


def test_a_better_third_card_is_found_better():
    verdict = judge(log(6_000, explore=0.5, third=0.02, other=0.2), ("a", "b", "x1"))
    assert verdict.answer == "better"
    assert verdict.in_words().startswith("Yes")
    assert judge(log(6_000, explore=0.5, third=0.2, other=0.02), ("a", "b", "x1")).answer == "worse"


def test_thin_data_are_said_to_be_thin():
    for showings, today in ((log(40, explore=0.1, third=0.1, other=0.1), ("a", "b", "c")), ([], ("a",))):
        verdict = judge(showings, today)
        assert verdict.answer == "too_thin"
        assert verdict.today is None
        assert "too thin" in verdict.in_words()
    never_shown = judge(log(2_000, explore=0.0, third=0.1, other=0.1), ("n", "m", "o"))
    assert never_shown.answer == "too_thin"
    assert never_shown.covered == 0
