"""CUPED against regression, earlier slopes, and ratios against plain linearised numbers."""

from itertools import pairwise

import numpy as np
import pytest
import statsmodels.api as sm

from studio.experiments.anytime import compare_anytime
from studio.experiments.covariates import (
    RatioCovariate,
    adjust,
    linearised,
    pooled_slope,
    variance_reduction,
)
from studio.experiments.moments import Mean, Ratio


def people(rng, n, shift=0.0):
    x = rng.gamma(2, 3, n)
    return x, 0.8 * x + shift + rng.normal(0, 2, n)


def test_the_effect_is_that_of_a_regression_with_the_covariate():
    rng = np.random.default_rng(3)
    (xa, ya), (xb, yb) = people(rng, 900), people(rng, 700, 0.5)
    a, b = adjust([Mean.of(ya, xa), Mean.of(yb, xb)])
    design = sm.add_constant(np.column_stack([np.repeat([0.0, 1.0], [900, 700]), np.concatenate([xa, xb])]))
    fitted = sm.OLS(np.concatenate([ya, yb]), design).fit()
    assert b.mean - a.mean == pytest.approx(fitted.params[1], rel=1e-9)
    error = np.sqrt(a.var / a.n + b.var / b.n)
    assert error == pytest.approx(fitted.bse[1], rel=0.03)


def test_variance_reduction_is_the_squared_correlation_within_arms():
    rng = np.random.default_rng(4)
    arms = [people(rng, 5_000, shift) for shift in (0.0, 3.0)]
    within = [np.corrcoef(x, y)[0, 1] for x, y in arms]
    means = [Mean.of(y, x) for x, y in arms]
    assert variance_reduction(means) == pytest.approx(np.mean(np.square(within)), abs=5e-3)
    assert variance_reduction([Mean.of([1.0, 2.0])]) is None
    assert pooled_slope([Mean.of([1.0, 2.0], [3.0, 3.0])]) is None


def test_a_slope_from_before_is_used_as_it_is():
    rng = np.random.default_rng(5)
    means = [Mean.of(y, x) for x, y in (people(rng, 400), people(rng, 400, 1.0))]
    centre = np.mean([m.covariate.mean for m in means])
    for arm, adjusted in zip(means, adjust(means, 0.3), strict=True):
        assert adjusted.mean == pytest.approx(arm.mean - 0.3 * (arm.covariate.mean - centre))
        expected = arm.var - 0.6 * arm.covariate.outcome_cov + 0.09 * arm.covariate.var
        assert adjusted.var == pytest.approx(expected)


def test_slopes_of_the_look_before_keep_the_promise_and_narrow_the_band():
    rng = np.random.default_rng(7)
    wrong = 0
    for _ in range(150):
        (xa, ya), (xb, yb) = people(rng, 2_000), people(rng, 2_000)
        looks = [[Mean.of(ya[:n], xa[:n]), Mean.of(yb[:n], xb[:n])] for n in range(100, 2_001, 100)]
        seen = [adjust(now, pooled_slope(before)) for before, now in pairwise(looks)]
        intervals = [compare_anytime(a.estimate(), b.estimate(), 0.05, 4_000).ci for a, b in seen]
        wrong += any(not low <= 0 <= high for low, high in intervals)
    assert wrong <= 16
    plain = compare_anytime(*(m.estimate() for m in looks[-1]), 0.05, 4_000).ci
    assert intervals[-1][1] - intervals[-1][0] < 0.65 * (plain[1] - plain[0])


def test_a_ratio_is_adjusted_through_its_linearised_numbers():
    rng = np.random.default_rng(8)
    n = 4_000
    x = rng.gamma(2, 2, n)
    orders = rng.poisson(0.5 + 0.2 * x)
    revenue = orders * rng.gamma(3, 4, n)
    cov = np.cov(np.vstack([revenue, orders, x]))
    ratio = Ratio(n, revenue.mean(), cov[0, 0], orders.mean(), cov[1, 1], cov[0, 1])
    found = linearised(ratio, RatioCovariate(x.mean(), cov[2, 2], cov[0, 2], cov[1, 2]))
    value = revenue.mean() / orders.mean()
    numbers = value + (revenue - value * orders) / orders.mean()
    assert (found.mean, found.var) == pytest.approx((numbers.mean(), numbers.var(ddof=1)), rel=1e-9)
    assert found.covariate.outcome_cov == pytest.approx(np.cov(numbers, x)[0, 1], rel=1e-9)
    empty = Ratio(n, 1.0, 1.0, 0.0, 0.0, 0.0)
    assert linearised(empty, RatioCovariate(0, 1, 0, 0)) is None
