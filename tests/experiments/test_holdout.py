"""What a workflow added above its holdout."""

import numpy as np
import pytest
from scipy import stats

from studio.experiments.anytime import compare_anytime
from studio.experiments.holdout import increment
from studio.experiments.moments import Mean, Proportion


def test_money_per_person_and_in_total():
    rng = np.random.default_rng(81)
    treated, held = rng.gamma(1, 12, 5_000), rng.gamma(1, 10, 800)
    result = increment(Mean.of(treated), Mean.of(held), 6_000, planned_total=5_800)
    welch = stats.ttest_ind(treated, held, equal_var=False).confidence_interval(0.95)
    assert result.effect == pytest.approx(treated.mean() - held.mean())
    assert result.total == pytest.approx(6_000 * result.effect)
    assert result.fixed_ci == pytest.approx((welch.low, welch.high), rel=1e-9)
    expected = compare_anytime(Mean.of(held).estimate(), Mean.of(treated).estimate(), 0.05, 5_800).ci
    assert result.anytime_ci == expected
    assert result.total_ci == pytest.approx((6_000 * expected[0], 6_000 * expected[1]))
    assert not result.indistinguishable


def test_nothing_added_is_said_to_be_nothing():
    rng = np.random.default_rng(82)
    result = increment(Mean.of(rng.gamma(1, 10, 5_000)), Mean.of(rng.gamma(1, 10, 500)))
    assert result.indistinguishable
    assert result.total == pytest.approx(5_000 * result.effect)


def test_conversions_and_harm():
    worse = increment(Proportion(10_000, 900), Proportion(10_000, 1_100))
    assert worse.total == pytest.approx(-200)
    assert not worse.indistinguishable
    assert worse.anytime_ci[1] < 0
    wide = increment(Proportion(10_000, 900), Proportion(10_000, 1_100), alpha=1e-6)
    assert wide.indistinguishable


@pytest.mark.parametrize("holdout", [Mean(0, 0.0, 0.0), Mean(1, 2.0, 0.0)])
def test_without_a_holdout_nothing_is_claimed(holdout):
    result = increment(Mean(500, 2.0, 1.0), holdout)
    assert (result.effect, result.total, result.fixed_ci, result.anytime_ci, result.total_ci) == (None,) * 5
    assert result.indistinguishable
    assert increment(Mean(0, 0.0, 0.0), Mean(0, 0.0, 0.0), 0).indistinguishable
