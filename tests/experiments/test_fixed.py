"""Fixed-sample tests against SciPy, statsmodels and tea-tasting."""

import itertools
import math
import warnings

import numpy as np
import pytest
import tea_tasting as tt
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint, proportions_ztest
from tea_tasting.aggr import Aggregates

from studio.experiments.fixed import (
    compare_fixed,
    compare_means,
    compare_proportions,
    newcombe,
    pooled_p_value,
    two_sided_p_value,
    two_sided_quantile,
    wilson,
)
from studio.experiments.moments import Mean, Proportion, Ratio

Z = two_sided_quantile(0.05)
COUNTS = [
    (438, 18240, 545, 18190),
    (1, 12, 4, 11),
    (0, 50, 3, 60),
    (40, 40, 37, 40),
    (999_000, 10**9, 1_001_000, 10**9),
]
PEER_FAILURES = [(1, 12, 4, 11), (0, 50, 0, 60), (40, 40, 37, 40), (0, 1, 0, 1)]


def arms(x, n, y, m):
    return Proportion(n, x), Proportion(m, y)


@pytest.mark.parametrize("counts", COUNTS)
def test_pooled_p_is_that_of_statsmodels(counts):
    x, n, y, m = counts
    assert pooled_p_value(*arms(*counts)) == pytest.approx(proportions_ztest([y, x], [m, n])[1], rel=1e-9)


@pytest.mark.parametrize("counts", COUNTS)
def test_newcombe_is_that_of_statsmodels(counts):
    x, n, y, m = counts
    expected = confint_proportions_2indep(y, m, x, n, method="newcomb", compare="diff")
    assert newcombe(*arms(*counts), Z) == pytest.approx(expected, rel=1e-9, abs=1e-15)
    assert wilson(Proportion(n, x), Z) == pytest.approx(proportion_confint(x, n, method="wilson"), rel=1e-9, abs=1e-15)


def test_newcombe_on_the_published_example():
    # Newcombe 1998, table II, method 10: 56/70 against 48/80.
    assert newcombe(Proportion(80, 48), Proportion(70, 56), 1.959964) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@pytest.mark.parametrize("counts", PEER_FAILURES)
def test_intervals_exist_where_score_intervals_of_peers_fail(counts):
    low, high = compare_proportions(*arms(*counts), 0.05).ci
    assert -1 <= low < high <= 1


def test_a_far_tail_is_not_rounded_to_zero():
    p_value = pooled_p_value(Proportion(10_000, 500), Proportion(10_000, 1_900))
    assert p_value == pytest.approx(proportions_ztest([1_900, 500], [10_000, 10_000])[1], rel=1e-9)
    assert 0 < p_value < 1e-150
    assert 0 < two_sided_p_value(37) < 1e-290


def test_nobody_or_everybody_converts():
    assert pooled_p_value(Proportion(50, 0), Proportion(60, 0)) is None
    assert pooled_p_value(Proportion(50, 50), Proportion(60, 60)) is None
    assert pooled_p_value(Proportion(0, 0), Proportion(60, 6)) is None
    empty = compare_proportions(Proportion(0, 0), Proportion(60, 6), 0.05)
    assert (empty.p_value, empty.ci, empty.lift_ci, empty.lift_ci_delta) == (None, None, None, None)


def samples():
    rng = np.random.default_rng(8)
    return rng.gamma(2, 3, 400), rng.gamma(2, 3.5, 250)


@pytest.mark.parametrize("level", [0.05, 0.01])
def test_welch_is_that_of_scipy(level):
    a, b = samples()
    result = compare_fixed(Mean.of(a), Mean.of(b), level)
    oracle = stats.ttest_ind(b, a, equal_var=False)
    interval = oracle.confidence_interval(1 - level)
    assert result.p_value == pytest.approx(oracle.pvalue, rel=1e-9)
    assert result.ci == pytest.approx((interval.low, interval.high), rel=1e-9)
    assert result.method == "Welch t"


def test_welch_is_that_of_tea_tasting():
    a, b = (Mean.of(sample) for sample in samples())
    oracle = tt.Mean("y").analyze_aggregates(aggregates(a), aggregates(b))
    result = compare_fixed(a, b, 0.05)
    assert result.p_value == pytest.approx(oracle.pvalue, rel=1e-9)
    assert result.ci == pytest.approx((oracle.effect_size_ci_lower, oracle.effect_size_ci_upper), rel=1e-9)


def aggregates(arm: Mean) -> Aggregates:
    return Aggregates(count_=arm.n, mean_={"y": arm.mean}, var_={"y": arm.var})


def test_ratios_are_those_of_tea_tasting():
    rng = np.random.default_rng(5)
    arms_ = []
    for scale in (10, 11):
        orders = rng.poisson(3, 3_000) + 1.0
        revenue = orders * rng.gamma(2, scale, 3_000)
        cov = np.cov(revenue, orders)
        arms_.append(Ratio(3_000, revenue.mean(), cov[0, 0], orders.mean(), cov[1, 1], cov[0, 1]))
    oracle = tt.RatioOfMeans("y", "d", use_t=False).analyze_aggregates(
        *(
            Aggregates(
                count_=arm.n,
                mean_={"y": arm.num_mean, "d": arm.den_mean},
                var_={"y": arm.num_var, "d": arm.den_var},
                cov_={("d", "y"): arm.num_den_cov},
            )
            for arm in arms_
        )
    )
    result = compare_fixed(*arms_, 0.05)
    assert result.p_value == pytest.approx(oracle.pvalue, rel=1e-9)
    assert result.ci == pytest.approx((oracle.effect_size_ci_lower, oracle.effect_size_ci_upper), rel=1e-9)
    assert result.lift_ci[0] < arms_[1].estimate().value / arms_[0].estimate().value - 1 < result.lift_ci[1]
    none = compare_fixed(arms_[0], Ratio(0, 0, 0, 0, 0, 0), 0.05)
    assert (none.p_value, none.ci, none.lift_ci) == (None, None, None)


def test_welch_without_spread_or_with_one_contact():
    same = Mean(10, 3.0, 0.0)
    for other in (same, Mean(1, 4.0, 0.0), Mean(0, 0.0, 0.0)):
        result = compare_fixed(same, other, 0.05)
        assert (result.p_value, result.ci, result.lift_ci, result.lift_ci_delta) == (None, None, None, None)
    half = compare_fixed(same, Mean(20, 3.5, 1e-320), 0.05)
    assert half.p_value is None or 0 <= half.p_value <= 1


def test_one_arm_without_spread_is_a_one_sample_test():
    result = compare_means(Mean(10, 3.0, 0.0).estimate(), Mean(20, 3.5, 1.0).estimate(), 0.05)
    t = 0.5 / math.sqrt(1 / 20)
    assert result.p_value == pytest.approx(2 * stats.t.sf(t, 19), rel=1e-9)


def test_a_billion_contacts():
    result = compare_fixed(Mean(10**9, 5.0, 100.0), Mean(10**9, 5.001, 100.0), 0.05)
    assert result.p_value == pytest.approx(2 * stats.norm.sf(0.001 / math.sqrt(2e-7)), rel=1e-6)


@given(st.integers(1, 400), st.integers(1, 400), st.data())
def test_swapping_the_arms_mirrors_the_result(n, m, data):
    a = Proportion(n, data.draw(st.integers(0, n)))
    b = Proportion(m, data.draw(st.integers(0, m)))
    one, other = compare_proportions(a, b, 0.05), compare_proportions(b, a, 0.05)
    assert one.p_value == (None if other.p_value is None else pytest.approx(other.p_value, rel=1e-9))
    assert one.ci == pytest.approx((-other.ci[1], -other.ci[0]), rel=1e-9, abs=1e-12)
    assert -1 - 1e-12 <= one.ci[0] <= b.successes / m - a.successes / n <= one.ci[1] <= 1 + 1e-12


@given(st.integers(2, 300), st.integers(0, 299))
def test_p_falls_as_the_effect_grows(n, x):
    x = min(x, n - 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        p_values = [pooled_p_value(Proportion(n, x), Proportion(n, y)) for y in range(x, n + 1)]
    known = [p for p in p_values if p is not None]
    assert all(later <= earlier + 1e-12 for earlier, later in itertools.pairwise(known))
