"""Fieller's set against its own inequality and by simulation; the delta interval against its derivative."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from studio.experiments.lift import delta_lift, fieller, finite, finite_interval, lift
from studio.experiments.moments import Estimate

estimates = st.builds(Estimate, st.integers(1, 10**9), st.floats(-1e6, 1e6), st.floats(0, 1e9))


def contradiction(a: Estimate, b: Estimate, r: float) -> float:
    """Standard errors between mB and (1 + r) mA."""
    error = math.sqrt(b.squared_error + (1 + r) ** 2 * a.squared_error)
    return abs(b.value - (1 + r) * a.value) / error


@given(st.floats(0.1, 100), st.floats(0.01, 100), st.floats(1e-3, 10), st.floats(1e-3, 10), st.floats(0.5, 6))
def test_the_ends_are_exactly_as_far_as_the_quantile(a, b, va, vb, quantile):
    control, treatment = Estimate(100, a, va), Estimate(80, b, vb)
    interval = fieller(control, treatment, quantile)
    if a * a <= quantile * quantile * control.squared_error:
        assert interval is None
        return
    assume(interval is not None)
    for end in interval:
        assert contradiction(control, treatment, end) == pytest.approx(quantile, rel=1e-5)
    assert interval[0] <= b / a - 1 <= interval[1]


@given(estimates, estimates, st.floats(0.5, 8))
def test_holds_zero_exactly_when_the_difference_does(control, treatment, quantile):
    interval = fieller(control, treatment, quantile)
    effect = treatment.value - control.value
    error = math.sqrt(control.squared_error + treatment.squared_error)
    assume(interval is not None and abs(abs(effect) - quantile * error) > 1e-6 * (abs(effect) + error))
    assert all(math.isfinite(end) for end in interval)
    assert (interval[0] <= 0 <= interval[1]) == (abs(effect) <= quantile * error)


def test_negative_values_and_a_treatment_at_zero():
    assert fieller(Estimate(100, -2.0, 1.0), Estimate(100, -3.0, 1.0), 2.0) == pytest.approx(
        fieller(Estimate(100, 2.0, 1.0), Estimate(100, 3.0, 1.0), 2.0)
    )
    low, high = fieller(Estimate(100, 2.0, 1.0), Estimate(100, 0.0, 1.0), 2.0)
    assert low + 1 == pytest.approx(-(high + 1))
    assert fieller(Estimate(100, 2.0, 1.0), Estimate(100, 0.0, 0.0), 2.0) == (-1.0, -1.0)
    assert fieller(Estimate(100, 0.0, 0.0), Estimate(100, 0.0, 0.0), 2.0) is None
    assert fieller(Estimate(4, 1.0, 1.0), Estimate(4, 1.0, 1.0), 2.0) is None
    tiny = fieller(Estimate(100, 1e-200, 1e-404), Estimate(100, 2e-200, 0.0), 2.0)
    assert tiny == pytest.approx((1.0, 1.0))


def test_covers_a_true_lift_as_often_as_it_says():
    rng = np.random.default_rng(11)
    a, b = rng.binomial(2_000, 0.02, 4_000), rng.binomial(2_000, 0.03, 4_000)
    hits = 0
    for x, y in zip(a, b, strict=True):
        p, q = x / 2_000, y / 2_000
        interval = fieller(Estimate(2_000, p, p * (1 - p)), Estimate(2_000, q, q * (1 - q)), 1.959964)
        hits += interval is None or interval[0] <= 0.5 <= interval[1]
    assert 0.935 < hits / 4_000 < 0.965


def test_the_delta_interval_uses_the_gradient_of_the_ratio():
    control, treatment = Estimate(500, 4.0, 2.0), Estimate(400, 5.0, 3.0)
    step = 1e-6
    by_a = (5.0 / (4.0 + step) - 5.0 / (4.0 - step)) / (2 * step)
    error = math.sqrt(by_a**2 * 2.0 / 500 + (1 / 4.0) ** 2 * 3.0 / 400)
    assert delta_lift(control, treatment, 1.96) == pytest.approx((0.25 - 1.96 * error, 0.25 + 1.96 * error), rel=1e-8)
    assert delta_lift(Estimate(5, 0.0, 1.0), treatment, 1.96) is None


def test_what_is_not_a_number_is_none():
    assert lift(None, Estimate(1, 1.0, 1.0)) is None
    assert lift(Estimate(1, 1.0, 1.0), None) is None
    assert lift(Estimate(1, 5e-324, 1.0), Estimate(1, 1e10, 1.0)) is None
    assert (finite(math.inf), finite(2.0)) == (None, 2.0)
    assert finite_interval(math.nan, 1.0) is None
    assert finite_interval(0.0, math.inf) is None
