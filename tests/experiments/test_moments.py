"""Merging groups equals looking at all of them; estimates are those of NumPy and, with covariates, of a regression."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.experiments.covariates import adjust
from studio.experiments.moments import Mean, Proportion, Ratio

values = st.lists(st.floats(-1e6, 1e6, allow_nan=False), max_size=12)


def ratio_of(num, den) -> Ratio:
    num, den = np.array(num, dtype=float), np.array(den, dtype=float)
    if num.size == 0:
        return Ratio(0, 0.0, 0.0, 0.0, 0.0, 0.0)
    if num.size == 1:
        return Ratio(1, float(num[0]), 0.0, float(den[0]), 0.0, 0.0)
    cov = np.cov(num, den)
    return Ratio(num.size, num.mean(), cov[0, 0], den.mean(), cov[1, 1], cov[0, 1])


def close(value):
    return pytest.approx(value, rel=1e-9, abs=1e-3)


@given(values, values)
def test_merged_means_are_the_mean_of_all(left, right):
    merged, whole = Mean.of(left).merge(Mean.of(right)), Mean.of(left + right)
    assert (merged.n, merged.payers) == (whole.n, whole.payers)
    assert merged.mean == close(whole.mean)
    assert merged.var == close(whole.var)
    if len(left + right) > 1:
        assert whole.var == close(np.var(left + right, ddof=1))


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=2, max_size=15), st.integers(1, 14))
def test_merged_covariates_and_ratios_are_those_of_all(pairs, cut):
    cut = min(cut, len(pairs) - 1)
    y, x = zip(*pairs, strict=True)
    merged = Mean.of(y[:cut], x[:cut]).merge(Mean.of(y[cut:], x[cut:])).covariate
    whole = np.cov(x, y)
    assert (merged.mean, merged.var, merged.outcome_cov) == close((np.mean(x), whole[0, 0], whole[0, 1]))
    ratio = ratio_of(y[:cut], x[:cut]).merge(ratio_of(y[cut:], x[cut:]))
    assert ratio.num_den_cov == close(whole[0, 1])
    assert (ratio.num_mean, ratio.den_mean, ratio.num_var, ratio.den_var) == close(
        (np.mean(y), np.mean(x), whole[1, 1], whole[0, 0])
    )


def test_merging_keeps_digits_where_raw_squares_lose_them():
    merged = Mean.of(1e9 + np.array([4.0, 7.0])).merge(Mean.of(1e9 + np.array([13.0, 16.0])))
    assert merged.var == 30.0


def test_merging_with_nothing_and_with_unknown():
    some, nothing = Mean.of([1.0, 2.0]), Mean.of([])
    assert some.merge(nothing) == nothing.merge(some) == some
    ratio, empty = ratio_of([1, 2], [3, 4]), ratio_of([], [])
    assert ratio.merge(empty) == empty.merge(ratio) == ratio
    assert Mean(2, 1.0, 0.0).merge(some).payers is None
    assert Mean.of([1.0, 2.0], [0.0, 1.0]).merge(some).covariate is None
    assert Proportion(5, 2).merge(Proportion(7, 3)) == Proportion(12, 5)


def test_estimates():
    assert Proportion(0, 0).estimate() is None
    rate = Proportion(40, 10).estimate()
    assert (rate.value, rate.variance, rate.squared_error) == (0.25, 0.1875, 0.1875 / 40)
    assert Mean.of([3.0]).estimate() is None
    assert Mean.of([3.0, 5.0]).estimate().squared_error == 1.0
    assert ratio_of([1], [2]).estimate() is None
    assert Ratio(5, 1.0, 1.0, 0.0, 1.0, 0.0).estimate() is None
    assert Ratio(5, 1e60, 1.0, 1e-300, 1.0, 0.0).estimate() is None


def test_the_ratio_has_the_variance_of_its_linearisation():
    rng = np.random.default_rng(3)
    orders = rng.poisson(3, 4_000) + 1.0
    revenue = orders * rng.gamma(2, 10, 4_000)
    estimate = ratio_of(revenue, orders).estimate()
    ratio = revenue.mean() / orders.mean()
    assert estimate.value == pytest.approx(ratio, rel=1e-12)
    assert estimate.variance == pytest.approx(np.var((revenue - ratio * orders) / orders.mean(), ddof=1), rel=1e-9)
    assert ratio_of([2, 4, 6], [1, 2, 3]).estimate().variance == pytest.approx(0, abs=1e-12)


def test_covariates_are_taken_out_as_a_regression_does_it():
    rng = np.random.default_rng(4)
    x = rng.gamma(2, 3, 900)
    arm = np.repeat([0, 1, 2], 300)
    y = 2 * x + np.array([0.0, 0.5, 1.0])[arm] + rng.normal(0, 2, 900)
    before = [Mean.of(y[arm == i], x[arm == i]) for i in range(3)]
    after = adjust(before)
    design = np.column_stack([np.ones(900), arm == 1, arm == 2, x]).astype(float)
    fitted = np.linalg.lstsq(design, y)[0]
    assert after[1].mean - after[0].mean == pytest.approx(fitted[1], rel=1e-9)
    assert after[2].mean - after[0].mean == pytest.approx(fitted[2], rel=1e-9)
    residual = y[arm == 1] - fitted[3] * x[arm == 1]
    assert after[1].var == pytest.approx(np.var(residual, ddof=1), rel=1e-9)
    assert after[1].var < before[1].var / 3
    assert sum(arm.mean for arm in after) / 3 == pytest.approx(y.mean(), rel=1e-12)


def test_covariates_that_say_nothing_change_nothing():
    plain = [Mean.of([1.0, 2.0]), Mean.of([3.0, 5.0], [1.0, 2.0])]
    assert adjust(plain) == plain
    constant = [Mean.of([1.0, 2.0], [7.0, 7.0]), Mean.of([3.0, 5.0], [7.0, 7.0])]
    assert adjust(constant) == constant
    single = [Mean.of([1.0], [2.0]), Mean.of([3.0, 5.0], [1.0, 2.0])]
    assert adjust(single)[0].n == 1
