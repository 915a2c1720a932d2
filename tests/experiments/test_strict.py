"""The exact e-process: expectation at most one under every null, error over many looks, power, extremes."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from studio.experiments import strict
from studio.experiments.anytime import ship_lift
from studio.experiments.moments import Proportion
from studio.experiments.strict import compare_strict, log_e_better, strict_lift


@pytest.mark.parametrize(("n", "m"), [(6, 6), (3, 9)])
@pytest.mark.parametrize("rates", [(0.5, 0.5), (0.1, 0.1), (0.02, 0.02), (0.7, 0.6), (0.3, 0.05), (0.99, 0.99)])
def test_the_expectation_is_at_most_one_when_the_treatment_is_not_better(n, m, rates):
    total = 0.0
    for x, y in itertools.product(range(n + 1), range(m + 1)):
        mass = stats.binom.pmf(x, n, rates[0]) * stats.binom.pmf(y, m, rates[1])
        total += mass * math.exp(log_e_better(Proportion(n, x), Proportion(m, y), 0.05, 40))
    assert total <= 1 + 1e-9


def test_each_ratio_is_a_supermartingale_in_whatever_order_contacts_come():
    """One more contact never raises the expected ratio of a fixed θ, when θ lies between the true rates."""
    logit, r2 = np.array([math.log(0.3 / 0.7)]), 0.02

    def ratio(x, n, y, m):
        return math.exp(strict._log_ratio(Proportion(n, x), Proportion(m, y), logit, r2, 0.5)[0])

    for x, n, y, m in [(0, 0, 0, 0), (2, 5, 1, 3), (0, 4, 4, 4), (10, 30, 12, 40)]:
        now = ratio(x, n, y, m)
        for rate in (0.3, 0.4, 0.9):
            assert rate * ratio(x + 1, n + 1, y, m) + (1 - rate) * ratio(x, n + 1, y, m) <= now * (1 + 1e-9)
        for rate in (0.3, 0.2, 0.01):
            assert rate * ratio(x, n, y + 1, m + 1) + (1 - rate) * ratio(x, n, y, m + 1) <= now * (1 + 1e-9)


def test_the_grid_finds_the_smallest_ratio():
    for a, b in [(Proportion(1_000, 50), Proportion(1_000, 70)), (Proportion(40, 3), Proportion(60, 30))]:
        logits = np.linspace(-12, 12, 4_001)
        fine = strict._log_ratio(a, b, logits, strict.tuning(0.1, 2_000), 0.5).min()
        assert log_e_better(a, b, 0.05, 2_000) == pytest.approx(fine, abs=2e-3)


def test_arms_that_are_worlds_apart_have_their_common_rate_between_them():
    a, b = Proportion(4_525, 3_905), Proportion(90_126, 35_826)
    logits = np.linspace(-2, 4, 4_001)
    fine = strict._log_ratio(a, b, logits, strict.tuning(0.1, 20_000), 0.5).min()
    assert log_e_better(a, b, 0.05, 20_000) == pytest.approx(fine, rel=0.01)


def log_es(counts, step, planned):
    return [
        max(
            log_e_better(Proportion(look * step, int(x)), Proportion(look * step, int(y)), 0.05, planned)
            for look, (x, y) in enumerate(run, start=1)
        )
        for run in counts
    ]


def test_equal_variants_ship_as_rarely_as_promised(converted):
    counts = converted((0.05, 0.05), runs=120, looks=8, step=400, seed=31)
    wrong = sum(value >= math.log(20) for value in log_es(counts, 400, 6_000))
    assert wrong <= stats.binom.ppf(0.999, 120, 0.05)


def test_finds_a_real_difference(converted):
    counts = converted((0.05, 0.06), runs=80, looks=5, step=3_000, seed=32)
    assert sum(value >= math.log(20) for value in log_es(counts, 3_000, 16_000)) >= 60


def test_close_to_the_normal_approximation_where_that_is_good():
    result = compare_strict(Proportion(18240, 438), Proportion(18190, 545), 0.05, 40_000)
    assert 40 < result.e_value < 160
    assert result.p_value == pytest.approx(1 / result.e_value)


@settings(max_examples=25)
@given(st.integers(1, 10**9), st.integers(1, 10**9), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_always_finite(n, m, p, q, share):
    result = compare_strict(Proportion(n, round(n * p)), Proportion(m, round(m * q)), 0.05, 40_000, share)
    assert math.isfinite(result.e_value)
    assert result.e_value >= 0
    assert 0 <= result.p_value <= 1


def test_evidence_grows_with_the_conversions_of_the_treatment():
    values = [log_e_better(Proportion(200, 20), Proportion(200, y), 0.05, 400) for y in range(20, 200, 12)]
    assert values == sorted(values)


def test_empty_arms_and_no_conversions():
    assert compare_strict(Proportion(0, 0), Proportion(5, 1), 0.05, 100) == strict.StrictResult(
        e_value=None, p_value=None
    )
    assert compare_strict(Proportion(5, 1), Proportion(0, 0), 0.05, 100).e_value is None
    nothing = compare_strict(Proportion(50, 0), Proportion(60, 0), 0.05, 100)
    assert nothing.e_value <= 1
    assert nothing.p_value == 1.0
    broken = compare_strict(Proportion(10_000, 500), Proportion(10_000, 0), 0.05, 20_000)
    assert broken.e_value < 0.02


@pytest.mark.parametrize("ratio", [1.5, 0.7])
def test_the_expectation_is_at_most_one_at_every_ratio(ratio):
    """Also where the ratio would make the treatment's rate more than one, and nothing can be held against it."""
    for rate in (0.02, 0.3, 0.6, 0.9):
        own, total = min(rate * ratio, 1.0), 0.0
        for x, y in itertools.product(range(7), range(7)):
            mass = stats.binom.pmf(x, 6, rate) * stats.binom.pmf(y, 6, own)
            total += mass * math.exp(log_e_better(Proportion(6, x), Proportion(6, y), 0.05, 40, ratio=ratio))
        assert total <= 1 + 1e-9


@given(st.integers(20, 4_000), st.integers(20, 4_000), st.data())
@settings(max_examples=10)
def test_the_band_leaves_zero_when_the_evidence_decides(n, m, data):
    a = Proportion(n, data.draw(st.integers(1, n)))
    b = Proportion(m, data.draw(st.integers(1, m)))
    low, high = strict_lift(a, b, 0.05, 8_000)
    assert low <= b.successes / b.n / (a.successes / a.n) - 1 <= high
    assert (low >= 0) == (log_e_better(a, b, 0.05, 8_000) >= math.log(20))
    assert (high <= 0) == (log_e_better(b, a, 0.05, 8_000) >= math.log(20))


def test_the_exact_band_is_near_the_asymptotic_one_where_that_is_good():
    a, b = Proportion(18_240, 438), Proportion(18_190, 545)
    near, far = ship_lift(a.estimate(), b.estimate(), 40_000, 0.05), strict_lift(a, b, 0.05, 40_000)
    assert far == pytest.approx(near, abs=0.08)
    assert strict_lift(Proportion(50, 0), b, 0.05, 40_000) is None
