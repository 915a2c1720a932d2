"""Corrections against statsmodels and a multivariate normal, the online rule by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from studio.experiments.families import benjamini_hochberg, discoveries, dunnett, e_benjamini_hochberg, holm

p_lists = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@settings(max_examples=12, deadline=None)
@given(p_lists)
def test_holm_and_bh_are_those_of_statsmodels(p_values):
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1].tolist(), rel=1e-9)
    assert benjamini_hochberg(p_values) == pytest.approx(multipletests(p_values, method="fdr_bh")[1].tolist(), rel=1e-9)


def test_nothing_asked_nothing_answered():
    assert holm([]) == benjamini_hochberg([]) == e_benjamini_hochberg([]) == []


def test_e_bh_rejects_the_k_largest_when_each_is_m_over_k_alpha():
    # Wang and Ramdas, definition: k* = max{k: k e_(k) / m ≥ 1 / alpha}.
    e_values = [100.0, 0.0, 35.0, 3.0]
    adjusted = e_benjamini_hochberg(e_values)
    assert [p <= 0.05 for p in adjusted] == [True, False, False, False]
    assert [p <= 0.06 for p in adjusted] == [True, False, True, False]
    assert adjusted[2] == pytest.approx(4 / (2 * 35))


@pytest.mark.parametrize("sizes", [[900, 900, 900], [500, 2_000]])
def test_dunnett_is_the_largest_of_correlated_normals(sizes):
    control = 1_000
    shares = [np.sqrt(size / (size + control)) for size in sizes]
    covariance = np.outer(shares, shares)
    np.fill_diagonal(covariance, 1)
    normal = stats.multivariate_normal(cov=covariance, seed=4)
    for z in (0.4, 1.7, 2.9):
        box = np.full(len(sizes), z)
        expected = 1 - normal.cdf(box, lower_limit=-box)
        assert dunnett([z], sizes[:1], control)[0] < expected + 1e-6
        assert dunnett([z, -z, z][: len(sizes)], sizes, control) == pytest.approx([expected] * len(sizes), abs=2e-5)


def test_dunnett_is_that_of_scipy_for_large_samples():
    rng = np.random.default_rng(2)
    control, *treated = (rng.normal(shift, 1, 4_000) for shift in (0, 0.02, 0.05, 0.08))
    spread = np.sqrt(np.mean([sample.var(ddof=1) for sample in (control, *treated)]))
    z = [(sample.mean() - control.mean()) / (spread * np.sqrt(2 / 4_000)) for sample in treated]
    expected = stats.dunnett(*treated, control=control, rng=np.random.default_rng(1)).pvalue
    assert dunnett(z, [4_000] * 3, 4_000) == pytest.approx(expected, abs=2e-3)


def test_one_treatment_alone_is_a_plain_z_test():
    assert dunnett([1.96], [700], 300) == pytest.approx([2 * stats.norm.sf(1.96)], rel=1e-9)


def test_a_series_finds_more_easily_after_a_finding():
    # Levels: .05/2 = 1/40, then (1 + 1)·.05/6 = 1/60, then (2 + 1)·.05/12 = 1/80.
    assert discoveries([41, 61, 79]) == [True, True, False]
    assert discoveries([39, 61, 119]) == [False, False, False]
    assert discoveries([]) == []


def test_a_series_of_nothing_rarely_finds_anything():
    rng = np.random.default_rng(8)
    # E-values of a true null: a likelihood ratio, whose mean is 1.
    z = rng.normal(size=(2_000, 20))
    false = sum(any(discoveries(np.exp(2 * row - 2))) for row in z)
    assert false <= stats.binom.ppf(0.999, 2_000, 0.05)
