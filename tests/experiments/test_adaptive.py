"""The adaptive answer: same shape as the plain one, evidence from the contrast, each wave against its own shares."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy import stats

from studio.experiments.adaptive import adaptive_band, analyze_adaptive, waves_split
from studio.experiments.analyze import analyze
from studio.experiments.bandit import Wave, compare_adaptive, contrast, control_value, merged, shares
from studio.experiments.moments import Proportion
from studio.experiments.spec import ExperimentSpec, Variant

START = datetime(2026, 3, 1, tzinfo=UTC)


def grown(rates, waves, people, seed):
    rng, names = np.random.default_rng(seed), "ABC"[: len(rates)]
    known, found = dict.fromkeys(names, Proportion(0, 0)), []
    for _ in range(waves):
        now = shares(known)
        sizes = rng.multinomial(people, list(now.values()))
        arms = {n: Proportion(int(k), int(rng.binomial(k, r))) for n, k, r in zip(names, sizes, rates, strict=True)}
        known = {name: known[name].merge(arms[name]) for name in names}
        found.append(Wave(now, arms))
    return found


def spec_of(waves, planned=12_000):
    arms = merged(waves)
    variants = tuple(Variant(name, arm) for name, arm in arms.items())
    return ExperimentSpec(metric="proportion", control="A", variants=variants, planned_total=planned)


def test_the_answer_has_the_shape_of_the_plain_one_and_the_evidence_of_the_contrast():
    waves = grown((0.05, 0.05, 0.09), 50, 300, 3)
    spec = spec_of(waves)
    found = analyze_adaptive(spec, waves)
    assert found.as_json().keys() == analyze(spec).as_json().keys()
    json.dumps(found.as_json(), allow_nan=False)
    for comparison in found.comparisons:
        expected = contrast(waves, "A", comparison.variant)
        anytime, ship = compare_adaptive(expected, 0.05, 12_000, 2)
        assert (comparison.anytime, comparison.ship) == (anytime, ship)
        assert comparison.effect == expected.effect
        assert comparison.lift == pytest.approx(expected.effect / control_value(waves, "A"))
    assert (found.decision.verdict, found.decision.variant) == ("ship", "C")


def test_the_controls_value_is_not_bent_by_the_shares():
    values = [control_value(grown((0.3, 0.3), 8, 200, seed), "A") for seed in range(120)]
    assert np.mean(values) == pytest.approx(0.3, abs=3 * np.std(values) / np.sqrt(120))


def test_a_wave_is_held_against_its_own_shares():
    right = [Wave({"A": 0.8, "B": 0.2}, {"A": Proportion(810, 9), "B": Proportion(190, 3)})]
    assert waves_split(right).p_value == pytest.approx(stats.chisquare([810, 190], [800, 200]).pvalue)
    assert not waves_split(grown((0.05, 0.07), 40, 300, 1)).blocked
    wrong = [Wave({"A": 0.5, "B": 0.5}, {"A": Proportion(810, 9), "B": Proportion(190, 3)})]
    assert waves_split(wrong).blocked
    spec = spec_of(wrong)
    assert analyze_adaptive(spec, wrong).decision.verdict == "blocked"
    assert waves_split([Wave({"A": 0.5, "B": 0.5}, {"A": Proportion(1, 0)})]).p_value is None


def test_the_band_narrows_and_leaves_zero_with_the_bound():
    waves = grown((0.05, 0.09), 40, 300, 5)
    dated = [(START + timedelta(days=number), wave) for number, wave in enumerate(waves)]
    spec = spec_of(waves)
    points = adaptive_band(dated, spec, "B")
    known = [point for point in points if point.low is not None]
    widths = [point.high - point.low for point in known]
    assert widths == sorted(widths, reverse=True)
    shipped = [
        (compare_adaptive(contrast(waves[:k], "A", "B"), 0.05, 12_000)[1].lower_bound or -1) > 0
        for k in range(1, len(waves) + 1)
    ]
    first = next(number for number, point in enumerate(points) if point.low is not None and point.low > 0)
    assert shipped[first]


def test_nobody_yet():
    spec = spec_of([Wave({"A": 0.5, "B": 0.5}, {"A": Proportion(0, 0), "B": Proportion(0, 0)})])
    found = analyze_adaptive(spec, [])
    assert found.decision.verdict == "keep_running"
    assert found.comparisons[0].ship.lower_bound is None
    assert adaptive_band([], spec, "B") == []
