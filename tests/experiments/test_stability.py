"""Trend against a weighted regression of statsmodels, the 2×2 contrast against its logic."""

import numpy as np
import pytest
import statsmodels.api as sm

from studio.experiments.moments import Proportion
from studio.experiments.stability import Cohort, interaction, trend


def cohorts(effects, n=20_000):
    return [Cohort(day, Proportion(n, 1_000), Proportion(n, 1_000 + round(n * e))) for day, e in enumerate(effects)]


def test_the_slope_is_that_of_weighted_least_squares():
    days = cohorts([0.02, 0.013, 0.012, 0.004, 0.003])
    found = trend(days)
    effects = [c.treatment.successes / c.treatment.n - c.control.successes / c.control.n for c in days]
    weights = [1 / (c.treatment.estimate().squared_error + c.control.estimate().squared_error) for c in days]
    fitted = sm.WLS(effects, sm.add_constant(np.arange(5.0)), weights=weights).fit()
    assert found.slope == pytest.approx(fitted.params[1], rel=1e-9)
    # The variances are known, so the scale is 1 instead of the residuals'.
    error = fitted.bse[1] / np.sqrt(fitted.scale)
    assert found.ci == pytest.approx((found.slope - 1.959964 * error, found.slope + 1.959964 * error), rel=1e-6)
    assert found.fades
    assert not found.grows


def test_steady_and_growing_effects():
    steady, growing = trend(cohorts([0.01] * 6)), trend(cohorts([0.001, 0.004, 0.011, 0.016, 0.02]))
    assert (steady.fades, steady.grows) == (False, False)
    assert (growing.fades, growing.grows) == (False, True)


def test_harm_that_wears_off_fades_too():
    assert trend(cohorts([-0.03, -0.02, -0.01, 0.0])).fades


def test_too_little_for_a_trend():
    assert trend([]) is None
    assert trend(cohorts([0.01, 0.02])) is None
    assert trend([Cohort(n, Proportion(5, 1), Proportion(5, 2)) for n in range(9)]) is None
    assert trend([Cohort(1, Proportion(900, 50), Proportion(900, 60))] * 4) is None


def test_a_steady_effect_rarely_warns():
    rng = np.random.default_rng(3)
    warned = 0
    for _ in range(400):
        counts = rng.binomial(500, [0.05, 0.06], (10, 2))
        days = [Cohort(day, Proportion(500, int(a)), Proportion(500, int(b))) for day, (a, b) in enumerate(counts)]
        found = trend(days)
        warned += found.fades or found.grows
    assert warned <= 14


def test_experiments_that_disturb_each_other_are_noticed():
    alone = (Proportion(20_000, 1_000), Proportion(20_000, 1_300))
    apart, lost = (Proportion(20_000, 1_100), Proportion(20_000, 1_420)), (Proportion(20_000, 1_100),) * 2
    assert not interaction(alone, apart).warns
    found = interaction(alone, lost)
    assert found.warns
    assert found.contrast == pytest.approx(-0.015)
    assert interaction(alone, (Proportion(0, 0), Proportion(5, 1))) is None
