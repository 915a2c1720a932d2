"""Roll-back when it is due and rarely when not; what to expect of a winner, against the truth it was drawn from."""

import numpy as np
import pytest
from scipy import stats

from studio.experiments.moments import Mean, Proportion
from studio.experiments.vigil import expected_lift, watch


def test_a_value_that_does_worse_is_rolled_back():
    found = watch(Proportion(4_000, 240), Proportion(36_000, 1_440), planned_total=40_000)
    assert found.verdict == "roll_back"
    assert found.lift == pytest.approx(-1 / 3)
    assert found.lift_ci[1] < 0


def test_a_value_that_does_better_holds_and_equals_are_watched():
    better = watch(Proportion(4_000, 160), Proportion(36_000, 2_160), planned_total=40_000)
    assert (better.verdict, better.lift_ci[0] > 0) == ("holds", True)
    assert watch(Proportion(4_000, 200), Proportion(36_000, 1_800), planned_total=40_000).verdict == "watching"


@pytest.mark.parametrize("old", [Proportion(0, 0), Proportion(300, 4), Mean(40, 2.0, 1.0)])
def test_few_people_tell_nothing(old):
    new = Proportion(3_000, 90) if isinstance(old, Proportion) else Mean(3_000, 1.0, 1.0)
    found = watch(old, new, planned_total=9_000)
    assert (found.verdict, found.lift_ci) == ("watching", None)
    assert "too few" in found.reason


def test_a_value_that_is_not_worse_is_rarely_rolled_back():
    rng = np.random.default_rng(6)
    wrong = 0
    for _ in range(300):
        old, new = rng.binomial(50, 0.05, 40).cumsum(), rng.binomial(450, 0.05, 40).cumsum()
        pairs = [(Proportion(50 * k, int(old[k - 1])), Proportion(450 * k, int(new[k - 1]))) for k in range(1, 41)]
        wrong += any(watch(a, b, planned_total=20_000).verdict == "roll_back" for a, b in pairs)
    assert wrong <= stats.binom.ppf(0.999, 300, 0.05)


def test_what_to_expect_is_nearer_the_truth_than_what_was_seen():
    rng = np.random.default_rng(1)
    seen, expected, truth = [], [], []
    while len(seen) < 300:
        lift = rng.normal(0, 0.15)
        a, b = rng.binomial(4_000, 0.05), rng.binomial(4_000, min(0.9, 0.05 * (1 + lift)))
        if (b - a) / np.sqrt(a + b) > 2:
            arms = Proportion(4_000, int(a)), Proportion(4_000, int(b))
            seen.append(b / a - 1)
            expected.append(expected_lift(*arms, None))
            truth.append(lift)
    assert np.mean(seen) - np.mean(truth) > 0.05
    assert abs(np.mean(expected) - np.mean(truth)) < 0.6 * (np.mean(seen) - np.mean(truth))


def test_the_middle_of_the_band_is_shrunk():
    arms = Proportion(10**8, 10**6), Proportion(10**8, 12 * 10**5)
    assert expected_lift(*arms, (0.1, 0.2)) == pytest.approx(0.15, rel=1e-3)
    assert expected_lift(*arms, None) == pytest.approx(0.2, rel=1e-3)
    assert expected_lift(*arms, (0.1, 0.5)) == pytest.approx(0.2, rel=1e-3)
    assert expected_lift(Proportion(50, 0), Proportion(50, 3), None) is None
