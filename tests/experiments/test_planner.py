"""Sizes against statsmodels and simulation; every wrong argument is named."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import NormalIndPower, TTestIndPower

from studio.domain.errors import UserFixable
from studio.experiments.anytime import ship_bound, ship_quantile
from studio.experiments.moments import Proportion
from studio.experiments.planner import detectable_effect, plan


def test_five_to_six_per_cent():
    result = plan(baseline=0.05, mde=0.01, daily=1_000)
    assert result.n_per_variant == pytest.approx(8_155, abs=1)
    assert result.n_total == 2 * result.n_per_variant
    assert result.days == 17
    assert result.as_json() == {
        "n_per_variant": result.n_per_variant,
        "n_total": result.n_total,
        "days": 17,
        "sequential": {
            "median_n_per_variant": result.sequential.median_n_per_variant,
            "max_n_per_variant": result.sequential.max_n_per_variant,
        },
    }


def test_the_fixed_size_has_the_power_it_promises():
    result = plan(baseline=0.05, mde_relative=0.2)
    error = math.sqrt((0.05 * 0.95 + 0.06 * 0.94) / 2)
    power = NormalIndPower().power(0.01 / error, result.n_per_variant, 0.05)
    assert power == pytest.approx(0.8, abs=1e-3)
    mean = plan(baseline=10.0, mde=0.5, sd=4.0, metric="mean", alpha=0.01, power=0.9)
    assert TTestIndPower().power(0.5 / 4, mean.n_per_variant, 0.01) == pytest.approx(0.9, abs=2e-3)


def test_a_covariate_saves_contacts_and_more_variants_cost_some():
    base = {"baseline": 10.0, "mde": 0.5, "sd": 4.0, "metric": "mean"}
    assert plan(**base, covariate_correlation=0.6).n_per_variant == pytest.approx(
        plan(**base).n_per_variant * 0.64, abs=1
    )
    three = plan(**base, variants=3)
    assert three.n_per_variant == plan(**base, alpha=0.025).n_per_variant
    assert three.n_total == 3 * three.n_per_variant


@pytest.mark.parametrize(("variants", "looks"), [(2, 80), (3, 80)])
def test_median_and_maximum_are_those_of_simulated_experiments(variants, looks):
    result = plan(baseline=0.05, mde=0.01, variants=variants)
    step, runs = 250, 250
    counts = np.random.default_rng(51).binomial(step, (0.05, 0.06), (runs, looks, 2)).cumsum(axis=1)
    stops = np.full(runs, np.inf)
    for index, run in enumerate(counts):
        for look, (x, y) in enumerate(run, start=1):
            n = look * step
            a, b = Proportion(n, int(x)).estimate(), Proportion(n, int(y)).estimate()
            bound = ship_bound(a, b, 0.05, result.n_total, variants - 1).lower_bound
            if n >= 500 and bound is not None and bound > 0:
                stops[index] = n
                break
    assert result.sequential.median_n_per_variant == pytest.approx(np.median(stops), rel=0.12)
    assert (stops <= result.sequential.max_n_per_variant).mean() > 0.8
    by_then = result.sequential.chance_by(result.sequential.max_n_per_variant)
    assert by_then == pytest.approx((stops <= result.sequential.max_n_per_variant).mean(), abs=0.08)


@pytest.mark.parametrize("variants", [2, 4])
def test_the_maximum_has_the_power_even_for_a_single_look(variants):
    result = plan(baseline=0.05, mde=0.01, variants=variants)
    n = result.sequential.max_n_per_variant
    level = 0.05 / (variants - 1)
    error = math.sqrt((0.05 * 0.95 + 0.06 * 0.94) / n)
    reserve = 0.01 / error - ship_quantile(2 * n, result.n_total, level)
    assert stats.norm.cdf(reserve) == pytest.approx(0.8, abs=2e-4)


def test_looking_often_is_cheaper_in_the_middle_and_dearer_at_worst():
    result = plan(baseline=0.05, mde=0.01)
    sequential = result.sequential
    assert sequential.median_n_per_variant < result.n_per_variant < sequential.max_n_per_variant
    assert sequential.max_n_per_variant < 2 * result.n_per_variant
    assert sequential.chance_by(0) == 0
    assert sequential.chance_by(sequential.median_n_per_variant) == pytest.approx(0.5, abs=0.01)
    assert plan(baseline=0.05, mde=0.01).sequential == sequential
    assert plan(baseline=0.05, mde=0.01, seed=2).sequential.median_n_per_variant == pytest.approx(
        sequential.median_n_per_variant, rel=0.06
    )


def test_nothing_ships_before_the_burn_in():
    assert plan(baseline=0.001, mde=0.2).sequential.median_n_per_variant == 25_000
    assert plan(baseline=1.0, mde=5.0, sd=1.0, metric="mean").sequential.max_n_per_variant == 500


def test_the_detectable_effect_is_the_inverse_of_the_plan():
    for baseline, mde in ((0.05, 0.01), (0.6, 0.03), (0.001, 0.0005)):
        n = plan(baseline=baseline, mde=mde).n_per_variant
        assert detectable_effect(n, baseline=baseline) == pytest.approx(mde, rel=1e-3)
    n = plan(baseline=3.0, mde=0.2, sd=2.0, metric="mean").n_per_variant
    assert detectable_effect(n, baseline=3.0, sd=2.0) == pytest.approx(0.2, rel=1e-2)
    assert detectable_effect(3, baseline=0.9) == math.inf


@pytest.mark.parametrize(
    ("arguments", "fields"),
    [
        ({"baseline": 5.0, "mde": 0.01}, ["baseline"]),
        ({"baseline": 0.05}, ["mde"]),
        ({"baseline": 0.05, "mde": 0.01, "mde_relative": 0.2}, ["mde"]),
        ({"baseline": 0.05, "mde": -0.01}, ["mde"]),
        ({"baseline": 0.05, "mde_relative": 0.0}, ["mde_relative"]),
        ({"baseline": 0.95, "mde": 0.1}, ["mde"]),
        ({"baseline": 1.0, "mde": 0.1, "metric": "mean"}, ["sd"]),
        ({"baseline": math.nan, "mde": 0.1, "metric": "mean", "sd": 2.0}, ["baseline"]),
        ({"baseline": 0.05, "mde": 1e-9}, ["mde"]),
        (
            {
                "baseline": 0.05,
                "mde": 0.01,
                "alpha": 0,
                "power": 1,
                "variants": 1,
                "daily": 0,
                "covariate_correlation": 1,
            },
            ["alpha", "power", "variants", "daily", "covariate_correlation"],
        ),
    ],
)
def test_wrong_arguments_are_all_named(arguments, fields):
    with pytest.raises(UserFixable) as refused:
        plan(**arguments)
    assert [problem.field for problem in refused.value.problems] == fields
    assert all(problem.hint for problem in refused.value.problems)
    assert refused.value.where == fields[0]


def test_unequal_shares_cost_what_statsmodels_says():
    result = plan(baseline=10.0, mde=0.5, sd=4.0, metric="mean", weights=[9, 1])
    small, large = result.n_per_variant, max(result.sizes)
    assert result.sizes == (9 * small, small)
    assert result.n_total == large + small
    assert NormalIndPower().power(0.5 / 4, small, 0.05, ratio=9) == pytest.approx(0.8, abs=1e-3)
    assert plan(baseline=0.05, mde=0.01, weights=[0.5, 0.5]) == plan(baseline=0.05, mde=0.01)


def test_unequal_shares_stop_as_simulated():
    result = plan(baseline=0.05, mde=0.01, weights=[0.8, 0.2])
    step, runs, looks = 100, 250, 100
    rng = np.random.default_rng(52)
    a = rng.binomial(4 * step, 0.05, (runs, looks)).cumsum(axis=1)
    b = rng.binomial(step, 0.06, (runs, looks)).cumsum(axis=1)
    stops = np.full(runs, np.inf)
    for run in range(runs):
        for look in range(4, looks):
            n = (look + 1) * step
            pair = Proportion(4 * n, int(a[run, look])).estimate(), Proportion(n, int(b[run, look])).estimate()
            if (ship_bound(*pair, 0.05, result.n_total, 1).lower_bound or -1) > 0:
                stops[run] = n
                break
    assert result.sequential.median_n_per_variant == pytest.approx(np.median(stops), rel=0.15)


def test_days_and_people_of_a_plan():
    result = plan(baseline=0.05, mde=0.01, daily=500, weights=[3, 1])
    assert result.people_at(result.n_per_variant) == result.n_total
    median = result.sequential.median_n_per_variant
    assert result.day_of(median) == pytest.approx(median * 4 / 500, rel=1e-3)
    assert result.chance_by_day(result.day_of(median) + 0.1) == pytest.approx(0.5, abs=0.02)
    assert result.chance_by_day(0) == 0
    assert plan(baseline=0.05, mde=0.01).chance_by_day(3) is None
    assert plan(baseline=0.05, mde=0.01).day_of(3) is None


@pytest.mark.parametrize("weights", [[1], [1, 0], [1, 1, 1], [1, math.inf]])
def test_a_weight_for_each_variant(weights):
    with pytest.raises(UserFixable) as refused:
        plan(baseline=0.05, mde=0.01, weights=weights)
    assert refused.value.where == "weights"
