"""The simulated peeking against the rule itself look by look, its bounds against SciPy, and the promise it measures."""

import numpy as np
import pytest
from scipy import stats

from studio.experiments.analyze import analyze
from studio.experiments.capping import cap_of
from studio.experiments.moments import Mean, Proportion
from studio.experiments.peeking import Counts, Verdicts, conversions, ever_shipped, ever_significant, revenues
from studio.experiments.spec import ExperimentSpec, Variant


def verdict(metric, a, b, planned):
    variants = (Variant("A", a), Variant("B", b))
    return analyze(
        ExperimentSpec(metric=metric, control="A", variants=variants, planned_total=planned)
    ).decision.verdict


def at_look(counts, run, look):
    parts = (counts.n, counts.hits, counts.sums, counts.squares)
    return Counts(*(_cell(part, run, look) for part in parts), is_rate=counts.is_rate)


def _cell(part, run, look):
    if isinstance(part, tuple):
        return tuple(_cell(inner, run, look) for inner in part)
    return part[run : run + 1, look : look + 1]


@pytest.mark.parametrize("rates", [(0.05, 0.09), (0.02, 0.02), (0.97, 0.995)])
def test_every_look_ships_exactly_when_the_rule_does(rates):
    counts = conversions(rates, 60, runs=3, looks=12, seed=4)
    seen = set()
    for run in range(3):
        for look in range(12):
            n = int(counts.n[run, look])
            a, b = (Proportion(n, int(hits[run, look])) for hits in counts.hits)
            simulated = ever_shipped(at_look(counts, run, look), 2_000).shipped == 1
            assert simulated == (verdict("proportion", a, b, 2_000) == "ship")
            seen.add(simulated)
    assert seen == ({True, False} if rates[0] == 0.05 else {False} | seen)


def test_every_look_at_revenue_ships_exactly_when_the_rule_does():
    rng = np.random.default_rng(9)
    values = [np.where(rng.random(4_000) < 0.1, rng.lognormal(3 + shift, 0.5, 4_000), 0.0) for shift in (0, 0.9)]
    seen = []
    for n in (200, 600, 1_500, 4_000):
        arms = [Mean.of(value[:n]) for value in values]
        cells = [np.array([[float(f(value[:n]))]]) for f in (np.count_nonzero, np.sum) for value in values]
        squares = tuple(np.array([[float((value[:n] ** 2).sum())]]) for value in values)
        counts = Counts(np.array([[float(n)]]), (cells[0], cells[1]), (cells[2], cells[3]), squares)
        seen.append(ever_shipped(counts, 8_000).shipped == 1)
        assert seen[-1] == (verdict("mean", *arms, 8_000) == "ship")
    assert seen[0] is False
    assert seen[-1] is True


def test_the_sums_of_revenue_are_those_of_the_values_capped_at_the_first_look_that_may_decide():
    drawn = []

    def draw(rng, n):
        drawn.append(rng.lognormal(1, 2, n))
        return drawn[-1]

    counts = revenues(0.3, draw, 20, runs=1, looks=10, seed=2)
    raw = revenues(0.3, lambda _rng, _n: drawn[0], 20, is_capped=False, runs=1, looks=10, seed=2)
    first = int(np.flatnonzero(np.minimum(*counts.hits)[0] >= 25)[0])
    known = int(counts.hits[0][0, first] + counts.hits[1][0, first])
    capped = np.minimum(drawn[0], cap_of(drawn[0][:known]))
    assert counts.sums[0][0, -1] + counts.sums[1][0, -1] == pytest.approx(capped.sum())
    assert counts.squares[0][0, -1] + counts.squares[1][0, -1] == pytest.approx((capped**2).sum())
    assert raw.sums[0][0, -1] + raw.sums[1][0, -1] == pytest.approx(drawn[0].sum())


def test_bounds_of_a_rate():
    for shipped, runs in ((0, 40), (3, 200), (47, 2_000)):
        found = Verdicts(runs=runs, shipped=shipped, median_n=None)
        expected = stats.binomtest(shipped, runs).proportion_ci(0.9, method="exact").high
        assert found.upper == pytest.approx(expected, rel=1e-9)
    assert Verdicts(runs=5, shipped=5, median_n=1).upper == 1.0


def test_equal_variants_are_shipped_as_rarely_as_promised_and_different_ones_found():
    same = conversions((0.05, 0.05), 200, runs=400, looks=80, seed=12)
    assert ever_shipped(same, 16_000).upper <= 0.06
    assert ever_significant(same).rate > 0.12
    assert ever_shipped(same, 16_000).shipped <= ever_shipped(same, 16_000, or_harmed=True).shipped
    better = ever_shipped(conversions((0.05, 0.06), 200, runs=400, looks=100, seed=12), 16_000)
    assert better.rate > 0.93
    assert 5_000 < better.median_n < 7_500


def test_heavy_revenue_makes_no_false_winners():
    heavy = revenues(0.03, lambda rng, n: rng.lognormal(3.0, 2.5, n), 200, runs=300, looks=60, seed=5)
    assert ever_shipped(heavy, 16_000).upper <= 0.06
