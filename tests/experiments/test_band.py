"""The band over time: never wider, off zero exactly when the bound is, unmoved by early or contradicting looks."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from scipy import stats

from studio.experiments.anytime import ship_bound, ship_lift
from studio.experiments.band import Look, running_band
from studio.experiments.moments import Proportion

START = datetime(2026, 1, 1, tzinfo=UTC)


def looks(*pairs):
    return [Look(START + timedelta(days=day), Proportion(*a), Proportion(*b)) for day, (a, b) in enumerate(pairs)]


def test_nothing_to_see_gives_an_empty_band():
    assert running_band([], planned_total=100) == []


def test_narrows_and_agrees_with_the_bound(converted):
    run = converted((0.05, 0.065), runs=1, looks=30, step=400, seed=71)[0]
    pairs = [((k * 400, int(x)), (k * 400, int(y))) for k, (x, y) in enumerate(run, start=1)]
    points = running_band(looks(*pairs), planned_total=16_000)
    assert [point.at for point in points] == [look.at for look in looks(*pairs)]
    known = [point for point in points if point.low is not None]
    for earlier, later in itertools.pairwise(known):
        assert earlier.low <= later.low <= later.high <= earlier.high
    bounds = [
        ship_bound(look.control.estimate(), look.treatment.estimate(), 0.05, 16_000, 1).lower_bound
        for look in looks(*pairs)
    ]
    first_bound = next(i for i, bound in enumerate(bounds) if bound > 0)
    first_band = next(i for i, point in enumerate(points) if point.low is not None and point.low > 0)
    assert first_band == first_bound
    assert points[-1].lift == pytest.approx(run[-1][1] / run[-1][0] - 1)


def test_looks_before_the_burn_in_do_not_narrow_anything():
    late = ((4_000, 200), (4_000, 230))
    points = running_band(looks(((10_000, 24), (10_000, 60)), late), planned_total=8_000)
    assert points[0].low is None
    assert points[1][2:] == ship_lift(Proportion(*late[0]).estimate(), Proportion(*late[1]).estimate(), 8_000, 0.05)


def test_a_look_without_a_bound_keeps_the_band():
    points = running_band(
        looks(((4_000, 200), (4_000, 230)), ((0, 0), (0, 0)), ((50, 25), (50, 25))), planned_total=10**9
    )
    assert points[1][2:] == points[0][2:]
    assert points[1].lift is None


def test_a_contradicting_look_leaves_the_band_as_it_was():
    points = running_band(
        looks(((20_000, 1_000), (20_000, 1_500)), ((200_000, 10_000), (200_000, 9_000))), planned_total=40_000
    )
    assert points[1][2:] == points[0][2:]
    assert points[1].lift == pytest.approx(-0.1)


def test_more_treatments_widen_the_band():
    pair = looks(((20_000, 1_000), (20_000, 1_100)))
    one, three = (running_band(pair, planned_total=40_000, treatments=k)[0] for k in (1, 3))
    assert three.low < one.low < one.high < three.high


def test_the_intersected_band_holds_the_truth_as_often_as_promised(converted):
    runs = converted((0.05, 0.06), runs=200, looks=20, step=500, seed=72)
    missed = 0
    for run in runs:
        pairs = [((k * 500, int(x)), (k * 500, int(y))) for k, (x, y) in enumerate(run, start=1)]
        last = running_band(looks(*pairs), planned_total=16_000)[-1]
        missed += last.low is not None and last.low > 0.2
    assert missed <= stats.binom.ppf(0.999, 200, 0.05)
