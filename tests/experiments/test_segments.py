"""Segments against the whole comparison, statsmodels' homogeneity test and their own corrections."""

import numpy as np
import pytest
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.multitest import multipletests

from studio.experiments.anytime import compare_anytime
from studio.experiments.moments import Mean, Proportion
from studio.experiments.segments import by_segment, stratified

PARTS = {
    "new": (Proportion(6_000, 240), Proportion(6_100, 330)),
    "returning": (Proportion(4_000, 300), Proportion(3_900, 310)),
    "lapsed": (Proportion(5_000, 100), Proportion(5_000, 104)),
}


def test_each_segment_is_its_own_comparison_at_its_share_of_the_plan():
    found = by_segment(PARTS, planned_total=60_000).segments
    whole = sum(arm.n for pair in PARTS.values() for arm in pair)
    assert [s.name for s in found] == list(PARTS)
    raw = []
    for segment, (a, b) in zip(found, PARTS.values(), strict=True):
        expected = compare_anytime(a.estimate(), b.estimate(), 0.05, round(60_000 * (a.n + b.n) / whole))
        assert segment.lift_ci == expected.lift_ci
        assert segment.effect == pytest.approx(b.successes / b.n - a.successes / a.n)
        raw.append(expected.p_value)
    assert [s.p_value for s in found] == pytest.approx(multipletests(raw, method="holm")[1].tolist())


def test_whether_segments_differ_is_cochrans_q():
    effects = [b.successes / b.n - a.successes / a.n for a, b in PARTS.values()]
    variances = [a.estimate().squared_error + b.estimate().squared_error for a, b in PARTS.values()]
    expected = combine_effects(np.array(effects), np.array(variances)).test_homogeneity().pvalue
    assert by_segment(PARTS, planned_total=60_000).differ_p == pytest.approx(expected, rel=1e-9)


def test_a_segment_with_too_few_has_no_p_and_corrects_nobody_else():
    small = {**PARTS, "few": (Proportion(40, 2), Proportion(50, 9)), "none": (Proportion(0, 0), Proportion(3, 0))}
    found = {s.name: s for s in by_segment(small, planned_total=60_000).segments}
    alone = {s.name: s for s in by_segment(PARTS, planned_total=60_000).segments}
    assert (found["few"].p_value, found["few"].lift_ci, found["few"].enough) == (None, None, False)
    assert found["few"].lift == pytest.approx(9 / 50 / (2 / 40) - 1)
    assert (found["none"].effect, found["none"].lift) == (None, None)
    assert found["lapsed"].p_value == pytest.approx(alone["lapsed"].p_value, rel=0.05)


def test_one_segment_differs_from_nobody():
    pair = (Mean(900, 5.0, 4.0, payers=800), Mean(900, 5.5, 4.0, payers=800))
    assert by_segment({"all": pair}, planned_total=2_000).differ_p is None
    assert by_segment({}, planned_total=2_000).segments == ()


def test_stratifying_is_a_regression_on_treatment_within_segments():
    found = stratified(PARTS, planned_total=60_000)
    sizes = [a.n + b.n for a, b in PARTS.values()]
    effects = [b.successes / b.n - a.successes / a.n for a, b in PARTS.values()]
    assert found.effect == pytest.approx(np.average(effects, weights=sizes), rel=1e-12)
    assert found.ci[0] < found.lower_bound < found.effect < found.ci[1]


def test_stratifying_removes_what_segments_explain():
    rng = np.random.default_rng(4)
    effects = {"plain": [], "stratified": []}
    for _ in range(400):
        arms = {}
        for name, rate in (("often", 0.8), ("never", 0.1)):
            sizes = np.bincount(rng.integers(0, 2, 400), minlength=2)
            arms[name] = tuple(Proportion(int(n), int(rng.binomial(n, rate))) for n in sizes)
        whole = [arms["often"][side].merge(arms["never"][side]).estimate() for side in (0, 1)]
        effects["plain"].append(whole[1].value - whole[0].value)
        last = stratified(arms, planned_total=800)
        effects["stratified"].append(last.effect)
    assert np.var(effects["stratified"]) / np.var(effects["plain"]) == pytest.approx(1 - last.saved, abs=0.15)
    assert abs(np.mean(effects["stratified"])) < 3 * np.std(effects["stratified"]) / 20
    assert last.saved > 0.4


def test_nothing_to_stratify():
    assert stratified({}, planned_total=10) is None
    assert stratified({"a": (Proportion(1, 0), Proportion(9, 1))}, planned_total=10) is None
    assert stratified({"a": (Proportion(9, 0), Proportion(9, 0))}, planned_total=10) is None
