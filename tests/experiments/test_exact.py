"""Boschloo and Fisher against SciPy and exact fractions; which one answers when."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from studio.experiments.exact import boschloo, exact_test, fisher
from studio.experiments.moments import Proportion

CASES = [(4, 99, 9, 99), (0, 50, 3, 63), (1, 12, 4, 11), (1, 1, 0, 5), (7, 10, 300, 900), (3, 3, 2, 1500), (2, 2, 2, 3)]


def table(x, n, y, m):
    return [[x, y], [n - x, m - y]]


@pytest.mark.parametrize("counts", CASES)
def test_boschloo_is_that_of_scipy(counts):
    x, n, y, m = counts
    oracle = stats.boschloo_exact(table(*counts), n=64).pvalue
    assert boschloo(Proportion(n, x), Proportion(m, y)) == pytest.approx(oracle, rel=1e-8)
    assert boschloo(Proportion(m, y), Proportion(n, x)) == pytest.approx(oracle, rel=1e-8)


@settings(max_examples=25)
@given(st.integers(1, 12), st.integers(1, 12), st.data())
def test_boschloo_is_the_largest_chance_over_all_rates(n, m, data):
    x, y = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    if x + y in (0, n + m):
        return

    def one_sided(sign):
        def conditional(i, j):
            return sum(
                Fraction(comb(n, k) * comb(m, i + j - k), comb(n + m, i + j))
                for k in range(n + 1)
                if 0 <= i + j - k <= m and sign * k >= sign * i
            )

        seen = conditional(x, y)
        extreme = [(i, j) for i in range(n + 1) for j in range(m + 1) if conditional(i, j) <= seen]
        return max(
            sum(comb(n, i) * comb(m, j) * (p / 400) ** (i + j) * (1 - p / 400) ** (n + m - i - j) for i, j in extreme)
            for p in range(1, 400)
        )

    brute = min(1.0, 2 * min(one_sided(1), one_sided(-1)))
    assert brute - 1e-9 <= boschloo(Proportion(n, x), Proportion(m, y)) <= min(1.0, brute * 1.001)


@pytest.mark.parametrize("counts", [*CASES, (20, 500, 30, 499), (5, 3_000, 2, 4_000), (0, 9, 1, 7)])
def test_fisher_is_that_of_scipy(counts):
    x, n, y, m = counts
    oracle = stats.fisher_exact(table(*counts)).pvalue
    assert fisher(Proportion(n, x), Proportion(m, y)) == pytest.approx(oracle, rel=1e-9)
    assert fisher(Proportion(m, y), Proportion(n, x)) == pytest.approx(oracle, rel=1e-9)


def test_fisher_keeps_its_digits_for_a_billion():
    # 9 of 10 against a million of a billion: the two tables at least as extreme, in exact arithmetic.
    n, m, total = 10, 10**9, 10**6 + 9

    def mass(k):
        value = Fraction(comb(n, k))
        # comb(m, total − k) / comb(n + m, total) as a product of 10 small ratios
        for i in range(k):
            value *= Fraction(total - i, n + m - i)
        for i in range(n - k):
            value *= Fraction(n + m - total - i, n + m - k - i)
        return value

    expected = float(mass(9) + mass(10))
    assert fisher(Proportion(10, 9), Proportion(10**9, 10**6)) == pytest.approx(expected, rel=1e-9)


def test_small_counts_get_boschloo_large_ones_nothing():
    assert exact_test(Proportion(400, 40), Proportion(599, 50)).method == "boschloo"
    assert exact_test(Proportion(500, 40), Proportion(500, 50)).method is None
    rare = exact_test(Proportion(2_000, 1), Proportion(2_000, 3))
    assert (rare.method, rare.p_value) == ("fisher", pytest.approx(stats.fisher_exact(table(1, 2000, 3, 2000)).pvalue))
    assert exact_test(Proportion(20, 1), Proportion(1_900, 3)).method == "boschloo"
    assert exact_test(Proportion(2_000, 1_999), Proportion(2_000, 1_995)).method == "fisher"
    assert exact_test(Proportion(10**9, 2), Proportion(10**9, 1)).p_value == pytest.approx(1.0)


def test_nobody_everybody_and_empty_arms():
    assert exact_test(Proportion(50, 0), Proportion(60, 0)).p_value == 1.0
    assert exact_test(Proportion(50, 50), Proportion(60, 60)).p_value == 1.0
    assert exact_test(Proportion(0, 0), Proportion(60, 6)).p_value is None
    assert exact_test(Proportion(60, 6), Proportion(0, 0)).p_value is None
    # Two coins that differ: at most half of all pairs do.
    assert exact_test(Proportion(1, 0), Proportion(1, 1)).p_value == pytest.approx(0.5)
