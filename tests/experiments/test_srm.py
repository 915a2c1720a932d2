"""The check of the split against SciPy, and its error when looked at after every batch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from studio.experiments.srm import (
    SampleRatio,
    chi_square,
    exact_multinomial,
    sample_ratio,
    sequential_p_value,
    watched_split,
)


def test_an_arm_without_weight_is_no_degree_of_freedom():
    assert chi_square([100, 105, 0], [0.5, 0.5, 0]) == pytest.approx(0.727, abs=5e-4)
    assert sample_ratio([10_000, 10_500, 0], [0.5, 0.5, 0]) == sample_ratio([10_000, 10_500], [1, 1])
    assert sample_ratio([100, 105, 40], [0.5, 0.5, 0]).method == "exact binomial"


@pytest.mark.parametrize(("counts", "weights"), [([18240, 18190], [0.5, 0.5]), ([500, 900, 1700], [1, 2, 3])])
def test_large_counts_are_tested_by_chi_square(counts, weights):
    expected = np.array(weights) / sum(weights) * sum(counts)
    result = sample_ratio(counts, weights)
    assert result.p_value == pytest.approx(stats.chisquare(counts, expected).pvalue, rel=1e-9)
    assert result.method == "chi2"


@given(st.integers(0, 250), st.integers(0, 250), st.floats(0.05, 0.95))
def test_small_counts_are_tested_exactly(a, b, share):
    result = sample_ratio([a, b], [share, 1 - share])
    if a + b == 0:
        assert (result.p_value, result.method, result.blocked) == (None, "not tested", False)
        return
    assert result.p_value == pytest.approx(stats.binomtest(a, a + b, share / (share + 1 - share)).pvalue, rel=1e-5)
    assert result.blocked == (result.p_value < 0.001)


def test_three_small_arms_are_enumerated():
    counts, shares = [12, 3, 9], [0.25, 0.25, 0.5]
    law = stats.multinomial(24, shares)
    seen = law.pmf(counts)
    brute = sum(
        mass for i in range(25) for j in range(25 - i) if (mass := law.pmf([i, j, 24 - i - j])) <= seen * (1 + 1e-7)
    )
    assert exact_multinomial(counts, shares) == pytest.approx(brute, rel=1e-9)
    assert sample_ratio(counts, shares).method == "exact multinomial"
    assert sample_ratio([3, 4, 5, 6, 2], [1] * 5).method == "exact multinomial"
    assert sample_ratio([150, 160, 170, 155, 165], [1] * 5).method == "chi2"


def test_blocks_a_wrong_split_only():
    assert sample_ratio([5_300, 4_700], [0.5, 0.5]).blocked
    assert not sample_ratio([5_050, 4_950], [0.5, 0.5]).blocked
    assert sample_ratio([5_175, 4_825], [0.5, 0.5]) == SampleRatio(
        p_value=pytest.approx(4.65e-4, abs=1e-6), method="chi2", blocked=True
    )
    assert not sample_ratio([5_160, 4_840], [0.5, 0.5]).blocked
    assert sample_ratio([0, 40], [0.5, 0.5]).blocked
    assert sample_ratio([40], [1.0]).method == "not tested"
    assert sample_ratio([10**9, 10**9 + 200_000], [0.5, 0.5]).blocked


def test_the_sequential_check_is_the_dirichlet_multinomial():
    law = stats.dirichlet_multinomial(np.array([50.0, 50.0]), 70)
    factor = law.pmf([50, 20]) / stats.binom.pmf(50, 70, 0.5)
    assert sequential_p_value([50, 20], [1, 1]) == pytest.approx(1 / factor, rel=1e-9)
    assert sequential_p_value([50, 20, 0], [1, 1, 0]) == sequential_p_value([50, 20], [1, 1])
    assert sequential_p_value([50, 50], [1, 1]) == 1.0
    assert sequential_p_value([53_000, 47_000], [1, 1]) < 1e-6


def test_the_sequential_check_keeps_its_error_over_many_looks():
    rng = np.random.default_rng(41)
    counts = rng.multinomial(200, [0.5, 0.3, 0.2], (300, 40)).cumsum(axis=1)
    alarms = sum(min(sequential_p_value(look.tolist(), [5, 3, 2]) for look in run) < 0.05 for run in counts)
    assert alarms <= stats.binom.ppf(0.999, 300, 0.05)


def test_a_split_watched_all_the_time_is_rarely_blocked_and_a_broken_one_soon():
    rng = np.random.default_rng(2)
    blocked = 0
    for _ in range(400):
        blocked += watched_split(rng.multinomial(50, [0.5, 0.5], 60).cumsum(axis=0).tolist(), [1, 1]).blocked
    assert blocked <= 3
    broken = rng.multinomial(500, [0.44, 0.56], 60).cumsum(axis=0).tolist()
    found = watched_split(broken, [1, 1])
    assert (found.blocked, found.method) == (True, "sequential")
    assert found.p_value == min(sequential_p_value(counts, [1, 1]) for counts in broken)


@pytest.mark.parametrize(("looks", "weights"), [([], [1, 1]), ([[0, 0]], [1, 1]), ([[5, 0]], [1, 0])])
def test_nothing_to_watch(looks, weights):
    assert watched_split(looks, weights) == SampleRatio(p_value=None, method="not tested", blocked=False)
