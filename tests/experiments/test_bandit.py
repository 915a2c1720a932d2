"""Shares, propensity weighting against a recount row by row, and error rates where a plain test fails."""

import math

import numpy as np
import pytest
from scipy import stats

from studio.experiments.bandit import Wave, compare_adaptive, contrast, merged, shares
from studio.experiments.bayes import chances_of_best
from studio.experiments.fixed import pooled_p_value
from studio.experiments.moments import Proportion

EMPTY = Proportion(0, 0)


def test_equal_shares_until_something_is_known():
    assert shares({"A": EMPTY, "B": Proportion(90, 9), "C": EMPTY}) == dict.fromkeys("ABC", 1 / 3)


def test_shares_are_the_chance_to_be_best_over_a_floor():
    arms = {"A": Proportion(500, 20), "B": Proportion(500, 30), "C": Proportion(500, 21)}
    best = chances_of_best(list(arms.values()))
    found = shares(arms, floor=0.1)
    assert list(found.values()) == pytest.approx([0.1 + 0.7 * chance for chance in best])
    assert sum(found.values()) == pytest.approx(1)
    with pytest.raises(ValueError, match="nothing to share out"):
        shares(arms, floor=0.34)


def test_top_two_gives_the_runner_up_its_part():
    arms = {"A": Proportion(5_000, 200), "B": Proportion(5_000, 300), "C": Proportion(5_000, 240)}
    found = shares(arms, floor=0.0, top_two=True)
    assert found["B"] == pytest.approx(0.5, abs=0.01)
    assert found["C"] > 10 * found["A"]
    assert sum(found.values()) == pytest.approx(1)


def grown(rates, waves, people, rng, floor=0.1):
    """Waves of an adaptive experiment with these true rates."""
    names = "ABC"[: len(rates)]
    known, found = dict.fromkeys(names, EMPTY), []
    for _ in range(waves):
        now = shares(known, floor=floor)
        sizes = rng.multinomial(people, list(now.values()))
        arms = {n: Proportion(int(k), int(rng.binomial(k, r))) for n, k, r in zip(names, sizes, rates, strict=True)}
        known = {name: known[name].merge(arms[name]) for name in names}
        found.append(Wave(now, arms))
    return found


def test_the_contrast_is_the_mean_of_pseudo_outcomes_counted_one_by_one():
    waves = grown((0.2, 0.3, 0.25), 5, 150, np.random.default_rng(1))
    rows, before = [], {"A": EMPTY, "C": EMPTY}
    for wave in waves:
        low, high = ((before[n].successes + 0.5) / (before[n].n + 1) for n in "AC")
        for name, arm in wave.arms.items():
            for outcome in [1] * arm.successes + [0] * (arm.n - arm.successes):
                value = high - low
                value += (outcome - high) / wave.shares["C"] if name == "C" else 0
                value -= (outcome - low) / wave.shares["A"] if name == "A" else 0
                rows.append(value)
        before = {n: before[n].merge(wave.arms[n]) for n in before}
    found = contrast(waves, "A", "C")
    assert (found.n, found.effect) == (len(rows), pytest.approx(np.mean(rows)))
    assert found.variance == pytest.approx(np.var(rows, ddof=1))


def test_the_contrast_is_right_on_average_where_the_plain_difference_is_not():
    rng = np.random.default_rng(5)
    weighted, plain = [], []
    for _ in range(150):
        waves = grown((0.3, 0.3), 8, 200, rng, floor=0.05)
        weighted.append(contrast(waves, "A", "B").effect)
        whole = merged(waves)
        rates = {name: arm.successes / arm.n for name, arm in whole.items()}
        plain.append(min(rates.values()))
    assert abs(np.mean(weighted)) < 3 * np.std(weighted) / math.sqrt(150)
    # The variant that started badly is left where it was.
    assert np.mean(plain) < 0.3 - 0.01


def test_no_false_winners_where_a_plain_test_has_many():
    rng = np.random.default_rng(7)
    wrong = naive = 0
    for _ in range(60):
        waves = grown((0.05, 0.05), 30, 300, rng)
        looks = range(8, 31, 2)
        wrong += any(
            (compare_adaptive(contrast(waves[:k], "A", "B"), 0.05, 9_000)[1].lower_bound or -1) > 0 for k in looks
        )
        arms = [merged(waves[:k]) for k in looks]
        naive += any((pooled_p_value(a["A"], a["B"]) or 1) < 0.05 for a in arms)
    assert wrong <= stats.binom.ppf(0.999, 60, 0.05)
    assert naive >= 5


def test_a_better_variant_is_found_and_gets_the_traffic():
    waves = grown((0.05, 0.08), 60, 300, np.random.default_rng(2))
    anytime, ship = compare_adaptive(contrast(waves, "A", "B"), 0.05, 12_000)
    assert ship.lower_bound > 0
    assert anytime.ci[0] < 0.03 < anytime.ci[1]
    assert anytime.e_value > 20
    whole = merged(waves)
    assert whole["B"].n > 3 * whole["A"].n


def test_nothing_known_gives_none():
    assert contrast([], "A", "B") is None
    assert compare_adaptive(None, 0.05, 100)[1].lower_bound is None
    still = [Wave({"A": 0.5, "B": 0.5}, {"A": EMPTY, "B": EMPTY})]
    assert contrast(still, "A", "B") is None
    gone = [Wave({"A": 1.0, "B": 0.0}, {"A": Proportion(10, 1), "B": EMPTY})]
    assert contrast(gone, "A", "B") is None
