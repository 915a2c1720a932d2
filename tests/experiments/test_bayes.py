"""The quadrature against exact fractions, mirrored arms, and closed forms of the normal."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from studio.experiments.bayes import RatePrior, chances_of_best, compare_bayes
from studio.experiments.moments import Mean, Proportion, Ratio


def exactly_better(x, n, y, m) -> Fraction:
    """Σ over i of B(a₁ + i, b₁ + b₂) / ((b₂ + i) B(1 + i, b₂) B(a₁, b₁)) with integer parameters."""

    def beta(p, q):
        return Fraction(math.factorial(p - 1) * math.factorial(q - 1), math.factorial(p + q - 1))

    a1, b1, a2, b2 = x + 1, n - x + 1, y + 1, m - y + 1
    return sum(beta(a1 + i, b1 + b2) / ((b2 + i) * beta(1 + i, b2) * beta(a1, b1)) for i in range(a2))


@given(st.integers(0, 40), st.integers(0, 40), st.data())
def test_the_chance_to_be_better_is_exact(n, m, data):
    x, y = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    a, b = Proportion(n, x), Proportion(m, y)
    result, mirror = compare_bayes(a, b, 0.05), compare_bayes(b, a, 0.05)
    assert result.p_better == pytest.approx(float(exactly_better(x, n, y, m)), abs=1e-11)
    assert result.p_better + mirror.p_better == pytest.approx(1, abs=1e-12)
    assert result.ci == pytest.approx((-mirror.ci[1], -mirror.ci[0]), abs=1e-8)
    # The two losses differ by the difference of the posterior means.
    gap = (x + 1) / (n + 2) - (y + 1) / (m + 2)
    assert result.expected_loss - mirror.expected_loss == pytest.approx(gap, abs=1e-11)


def test_no_conversions_at_all_has_an_answer():
    one = compare_bayes(Proportion(50, 0), Proportion(60, 0), 0.05)
    other = compare_bayes(Proportion(60, 0), Proportion(50, 0), 0.05)
    assert one.p_better == pytest.approx(51 / 112, abs=1e-12)
    assert (one.expected_loss, other.expected_loss) == pytest.approx((0.0104, 0.0073), abs=5e-5)


def test_nobody_yet_is_the_prior():
    prior = compare_bayes(Proportion(0, 0), Proportion(0, 0), 0.05)
    assert prior.p_better == pytest.approx(0.5)
    assert prior.expected_loss == pytest.approx(1 / 6, abs=1e-12)
    assert prior.ci == pytest.approx((-(1 - math.sqrt(0.05)), 1 - math.sqrt(0.05)), abs=1e-12)


def test_the_loss_and_interval_by_brute_force():
    a, b = stats.beta(4, 9), stats.beta(6, 8)
    result = compare_bayes(Proportion(11, 3), Proportion(12, 5), 0.1)
    loss = integrate.quad(lambda t: b.cdf(t) * a.sf(t), 0, 1, epsabs=1e-13)[0]
    assert result.expected_loss == pytest.approx(loss, abs=1e-10)
    for end, chance in zip(result.ci, (0.05, 0.95), strict=True):
        below = integrate.quad(lambda t, end=end: a.pdf(t) * b.cdf(t + end), 0, 1, epsabs=1e-12)[0]
        assert below == pytest.approx(chance, abs=1e-8)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (Proportion(10, 3), Proportion(10**9, 3 * 10**8)),
        (Proportion(10**9, 3 * 10**8), Proportion(10**9, 3 * 10**8 + 10_000)),
        (Proportion(1, 1), Proportion(10**9, 0)),
        (Proportion(10**9, 10**9), Proportion(10**9, 0)),
        (Proportion(10**12, 1), Proportion(1, 0)),
    ],
)
def test_a_billion_beside_ten(a, b):
    result, mirror = compare_bayes(a, b, 0.05), compare_bayes(b, a, 0.05)
    assert result.p_better + mirror.p_better == pytest.approx(1, abs=1e-9)
    assert all(math.isfinite(x) for x in (result.expected_loss, *result.ci))
    assert -1 <= result.ci[0] <= result.ci[1] <= 1


def test_large_samples_agree_with_the_normal():
    a, b = Proportion(10**6, 50_000), Proportion(10**6, 50_400)
    rates = [(arm.successes + 1) / (arm.n + 2) for arm in (a, b)]
    error = math.sqrt(sum(rate * (1 - rate) / 10**6 for rate in rates))
    result = compare_bayes(a, b, 0.05)
    assert result.p_better == pytest.approx(stats.norm.cdf((rates[1] - rates[0]) / error), abs=1e-3)
    assert result.ci == pytest.approx((0.0004 - 1.96 * error, 0.0004 + 1.96 * error), abs=1e-6)


def test_means_have_a_normal_posterior():
    a, b = Mean(400, 5.0, 9.0), Mean(300, 5.4, 16.0)
    error = math.sqrt(9 / 400 + 16 / 300)
    result = compare_bayes(a, b, 0.05)
    assert result.p_better == pytest.approx(stats.norm.cdf(0.4 / error), rel=1e-12)
    assert result.ci == pytest.approx(stats.norm(0.4, error).interval(0.95), rel=1e-9)
    for left, right in ((a, b), (b, a)):
        effect = right.mean - left.mean
        loss = integrate.quad(lambda x, e=effect: max(-x, 0) * stats.norm.pdf(x, e, error), -6, 6, points=[0])[0]
        assert compare_bayes(left, right, 0.05).expected_loss == pytest.approx(loss, rel=1e-6)


@pytest.mark.parametrize("z", [-1e6, -40, 0, 40, 1e6])
def test_the_loss_of_means_never_breaks(z):
    result = compare_bayes(Mean(2, 0.0, 1.0), Mean(2, float(z), 1.0), 0.05)
    assert result.expected_loss == pytest.approx(max(-z, 0), abs=0.6)
    assert result.expected_loss >= 0


def test_unknown_spread_gives_none():
    assert compare_bayes(Mean(1, 1.0, 0.0), Mean(5, 1.0, 1.0), 0.05).p_better is None
    assert compare_bayes(Mean(5, 1.0, 1.0), Mean(0, 0.0, 0.0), 0.05).p_better is None
    assert compare_bayes(Mean(5, 1.0, 0.0), Mean(5, 2.0, 0.0), 0.05).ci is None
    assert chances_of_best([Mean(5, 1.0, 0.0), Mean(5, 2.0, 1.0)]) is None
    assert chances_of_best([Mean(5, 1.0, 1.0), Mean(1, 2.0, 0.0)]) is None


def test_chances_of_the_best_of_many():
    arms = [Proportion(20, 4), Proportion(30, 9), Proportion(25, 8), Proportion(0, 0)]
    rng = np.random.default_rng(6)
    draws = np.column_stack([rng.beta(arm.successes + 1, arm.n - arm.successes + 1, 400_000) for arm in arms])
    counted = np.bincount(draws.argmax(axis=1), minlength=4) / 400_000
    chances = chances_of_best(arms)
    assert sum(chances) == pytest.approx(1, abs=1e-12)
    assert chances == pytest.approx(counted.tolist(), abs=4e-3)
    means = chances_of_best([Mean(100, 1.0, 4.0), Mean(100, 1.0, 4.0), Ratio(100, 2.0, 1.0, 2.0, 1.0, 0.5)])
    assert sum(means) == pytest.approx(1)
    assert means[0] == pytest.approx(means[1])


def test_a_prior_from_history_is_a_beta():
    prior = RatePrior(0.05, 200)
    result = compare_bayes(Proportion(300, 12), Proportion(300, 20), 0.05, prior)
    a, b = stats.beta(12 + 10, 288 + 190), stats.beta(20 + 10, 280 + 190)
    better = integrate.quad(lambda t: b.pdf(t) * a.cdf(t), 0, 0.4, epsabs=1e-13, points=[0.06, 0.1])[0]
    assert result.p_better == pytest.approx(better, abs=1e-9)
    assert result.p_better < compare_bayes(Proportion(300, 12), Proportion(300, 20), 0.05).p_better
    uniform = compare_bayes(Proportion(30, 2), Proportion(30, 5), 0.05, RatePrior(0.5, 2))
    assert uniform == compare_bayes(Proportion(30, 2), Proportion(30, 5), 0.05)
    nobody = compare_bayes(Proportion(0, 0), Proportion(0, 0), 0.05, RatePrior(0.02, 50))
    assert nobody.p_better == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize(("rate", "contacts"), [(0.0, 10), (1.0, 10), (0.1, 5), (0.1, 201)])
def test_a_prior_that_would_drown_the_data_is_refused(rate, contacts):
    with pytest.raises(ValueError, match="prior needs"):
        RatePrior(rate, contacts)
