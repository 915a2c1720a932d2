"""The whole answer: the contract's example and shape, extremes, covariates, mirrored arms."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.experiments.analyze import analyze
from studio.experiments.moments import Mean
from studio.experiments.spec_file import parse_spec

EXAMPLE = {
    "metric": "proportion",
    "control": "A",
    "alpha": 0.05,
    "planned_total": 40000,
    "mde": 0.005,
    "started_at": None,
    "mode": "anytime",
    "variants": [
        {"id": "A", "n": 18240, "successes": 438, "weight": 0.5},
        {"id": "B", "n": 18190, "successes": 545, "weight": 0.5},
    ],
}
SHAPE = {
    "srm": {"p_value", "method", "blocked"},
    "comparisons": {"variant", "effect", "lift", "fixed", "anytime", "ship", "strict", "exact", "bayes"},
    "fixed": {"p_value", "ci", "lift_ci", "lift_ci_delta", "method"},
    "anytime": {"p_value", "e_value", "ci", "lift_ci"},
    "ship": {"lower_bound", "alpha"},
    "strict": {"e_value", "p_value"},
    "exact": {"p_value", "method"},
    "bayes": {"p_better", "expected_loss", "ci"},
    "decision": {"verdict", "variant", "reasons"},
}


def answer(data) -> dict:
    return analyze(parse_spec(data)).as_json()


def variants(*arms, **changes):
    return {**EXAMPLE, "variants": [{"id": "ABCDE"[i], **arm} for i, arm in enumerate(arms)], **changes}


def rate(n, successes, weight=1.0):
    return {"n": n, "successes": successes, "weight": weight}


def test_the_contract_example():
    result = answer(EXAMPLE)
    only = result["comparisons"][0]
    assert only["effect"] == pytest.approx(0.00595, abs=5e-6)
    assert only["lift"] == pytest.approx(0.248, abs=5e-4)
    assert only["anytime"]["ci"] == pytest.approx([0.0008, 0.0111], abs=5e-5)
    assert only["ship"] == {"lower_bound": pytest.approx(0.00123, abs=5e-6), "alpha": 0.05}
    assert result["bayes_best"] == {"A": pytest.approx(0.0002, abs=5e-5), "B": pytest.approx(0.9998, abs=5e-5)}
    assert (result["decision"]["verdict"], result["decision"]["variant"]) == ("ship", "B")
    assert result["srm"]["blocked"] is False
    assert only["exact"] == {"p_value": None, "method": None}


def test_the_shape_is_that_of_the_contract():
    result = answer(EXAMPLE)
    assert set(result) == {"srm", "comparisons", "bayes_best", "decision"}
    only = result["comparisons"][0]
    assert {"srm": set(result["srm"]), "comparisons": set(only), "decision": set(result["decision"])} | {
        part: set(only[part]) for part in ("fixed", "anytime", "ship", "strict", "exact", "bayes")
    } == SHAPE
    assert json.loads(json.dumps(result, allow_nan=False)) == result


EXTREMES = {
    "no conversions": variants(rate(50, 0), rate(60, 0)),
    "everybody converts": variants(rate(50, 50), rate(60, 60)),
    "all or nothing": variants(rate(50, 0), rate(60, 60)),
    "one arm empty": variants(rate(50, 5), rate(0, 0)),
    "control empty": variants(rate(0, 0), rate(60, 6)),
    "both empty": variants(rate(0, 0), rate(0, 0)),
    "one contact each": variants(rate(1, 0), rate(1, 1)),
    "one contact beside many": variants(rate(1, 1), rate(10**9, 10**6)),
    "a billion": variants(rate(10**9, 3 * 10**7), rate(10**9, 3 * 10**7 + 5_000)),
    "a billion, no conversions": variants(rate(10**9, 0), rate(10**9, 0)),
    "a trillion": variants(rate(10**12, 10**12), rate(10**12, 10**12 - 1)),
    "zero baseline": variants(rate(500, 0), rate(500, 40)),
    "zero weight": variants(rate(500, 20), rate(500, 40), rate(0, 0, 0.0)),
    "no spread": variants({"n": 50, "mean": 3, "var": 0}, {"n": 60, "mean": 3, "var": 0}, metric="mean"),
    "no spread, a difference": variants({"n": 50, "mean": 3, "var": 0}, {"n": 60, "mean": 4, "var": 0}, metric="mean"),
    "mean of one": variants({"n": 1, "mean": 3}, {"n": 60, "mean": 3, "var": 1}, metric="mean"),
    "mean of none": variants({"n": 0}, {"n": 0}, metric="mean"),
    "huge values": variants({"n": 9, "mean": 1e60, "var": 1e120}, {"n": 9, "mean": -1e60, "var": 1e120}, metric="mean"),
    "tiny values": variants({"n": 9, "mean": 1e-300, "var": 5e-324}, {"n": 9, "mean": 5e-324, "var": 0}, metric="mean"),
    "zero mean": variants({"n": 900, "mean": 0, "var": 1}, {"n": 900, "mean": 0, "var": 1}, metric="mean"),
    "ratio without denominator": variants(
        {"n": 9, "num_mean": 1, "num_var": 1, "den_mean": 0, "den_var": 0, "num_den_cov": 0},
        {"n": 9, "num_mean": 1, "num_var": 1, "den_mean": 2, "den_var": 1, "num_den_cov": 0},
        metric="ratio",
    ),
    "constant ratio": variants(
        {"n": 9, "num_mean": 2, "num_var": 4, "den_mean": 1, "den_var": 1, "num_den_cov": 2},
        {"n": 9, "num_mean": 2, "num_var": 4, "den_mean": 1, "den_var": 1, "num_den_cov": 2},
        metric="ratio",
    ),
}


def missing_figures(comparison) -> list[str]:
    """Paths of figures that are None although the metric has them."""
    found = [name for name in ("effect", "lift") if comparison[name] is None]
    for part in ("fixed", "anytime", "ship", "bayes"):
        found += [f"{part}.{name}" for name, value in comparison[part].items() if value is None]
    return found


@pytest.mark.parametrize("mode", ["anytime", "fixed"])
@pytest.mark.parametrize("name", EXTREMES)
def test_extremes_are_finite_or_explained(name, mode):
    result = answer({**EXTREMES[name], "mode": mode})
    json.dumps(result, allow_nan=False)
    assert result["decision"]["verdict"] in {"ship", "keep_running", "stop_harm", "stop_futile", "blocked"}
    for comparison in result["comparisons"]:
        if missing_figures(comparison):
            explained = [
                line for line in result["decision"]["reasons"] if comparison["variant"] in line or "A " in line
            ]
            assert explained, missing_figures(comparison)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no conversions", "Nobody has converted in A and B yet"),
        ("everybody converts", "everybody in a variant did the same"),
        ("one arm empty", "B has no contacts yet"),
        ("mean of one", "A has one contact only"),
        ("no spread", "The outcome does not vary in A and B"),
        ("constant ratio", "The ratio does not vary in A and B"),
        ("zero baseline", "The value of A is zero"),
        ("ratio without denominator", "The denominator of A is zero"),
    ],
)
def test_what_is_missing_is_said_in_words(name, words):
    assert words in " ".join(answer(EXTREMES[name])["decision"]["reasons"])


def test_an_unbounded_lift_is_not_identified_yet():
    result = answer(variants(rate(300, 2), rate(300, 9)))
    assert result["comparisons"][0]["anytime"]["lift_ci"] is None
    assert "not identified yet" in " ".join(result["decision"]["reasons"])


counts = st.integers(0, 10**9).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


@settings(max_examples=15)
@given(st.lists(counts, min_size=2, max_size=3), st.sampled_from(["anytime", "fixed", "strict"]), st.integers(1, 10**9))
def test_any_counts_have_a_finite_answer(arms, mode, planned):
    result = answer(variants(*(rate(*arm) for arm in arms), mode=mode, planned_total=planned))
    json.dumps(result, allow_nan=False)
    assert sum(result["bayes_best"].values()) == pytest.approx(1)


spreads = st.one_of(st.just(0.0), st.floats(0, 1e12))
mean_arms = st.fixed_dictionaries({"n": st.integers(0, 10**9), "mean": st.floats(-1e9, 1e9), "var": spreads})


@settings(max_examples=40)
@given(st.lists(mean_arms, min_size=2, max_size=3), st.sampled_from(["anytime", "fixed"]))
def test_any_means_have_a_finite_answer(arms, mode):
    json.dumps(answer(variants(*arms, metric="mean", mode=mode)), allow_nan=False)


@settings(max_examples=12)
@given(st.tuples(st.integers(2, 5_000), st.integers(2, 5_000)), st.floats(0, 1), st.floats(0, 1))
def test_swapping_control_and_treatment_mirrors_the_answer(sizes, p, q):
    a, b = rate(sizes[0], int(sizes[0] * p)), rate(sizes[1], int(sizes[1] * q))
    one, other = answer(variants(a, b))["comparisons"][0], answer(variants(b, a))["comparisons"][0]
    assert one["effect"] == pytest.approx(-other["effect"], abs=1e-15)
    assert one["bayes"]["p_better"] == pytest.approx(1 - other["bayes"]["p_better"], abs=1e-9)
    exact = other["exact"]["p_value"]
    assert one["exact"]["p_value"] == (None if exact is None else pytest.approx(exact, rel=1e-9))
    if one["anytime"]["ci"]:
        assert one["anytime"]["ci"] == pytest.approx([-x for x in reversed(other["anytime"]["ci"])], rel=1e-9)
    assert not (one["ship"]["lower_bound"] or 0) > 0 or (other["ship"]["lower_bound"] or 0) < 0


def test_one_rule_for_flag_and_bound():
    for successes in range(430, 620, 12):
        data = variants(rate(18240, 438), rate(18240, successes), mde=None)
        result = answer(data)
        bound = result["comparisons"][0]["ship"]["lower_bound"]
        assert (result["decision"]["verdict"] == "ship") == (bound > 0)


def test_a_covariate_narrows_the_interval_of_every_comparison():
    rng = np.random.default_rng(61)
    arms, plain = [], []
    for shift in (0.0, 0.4, 0.1):
        x = rng.gamma(2, 3, 2_000)
        arm = Mean.of(x + shift + rng.normal(0, 1, 2_000), x)
        own = {"n": arm.n, "mean": arm.mean, "var": arm.var}
        plain.append(own)
        covariate = arm.covariate
        arms.append({**own, "x_mean": covariate.mean, "x_var": covariate.var, "xy_cov": covariate.outcome_cov})
    guardrails = [{"name": "g", "margin": 0.5, "variants": [{"id": "ABC"[i], **arm} for i, arm in enumerate(arms)]}]
    adjusted = answer(variants(*arms, metric="mean", guardrails=guardrails))["comparisons"]
    before = answer(variants(*plain, metric="mean"))["comparisons"]
    for one, other in zip(adjusted, before, strict=True):
        width = [x["anytime"]["ci"][1] - x["anytime"]["ci"][0] for x in (one, other)]
        assert width[0] < width[1] / 3
    assert adjusted[0]["effect"] == pytest.approx(0.4, abs=0.1)


def test_ratios_are_analysed():
    arm = {"n": 4_000, "num_mean": 2.0, "num_var": 4.0, "den_mean": 1.0, "den_var": 0.5, "num_den_cov": 0.7}
    better = {**arm, "num_mean": 2.4}
    result = answer(variants(arm, better, metric="ratio", planned_total=8_000))
    only = result["comparisons"][0]
    assert only["effect"] == pytest.approx(0.4)
    assert only["fixed"]["method"] == "delta z"
    assert result["decision"]["verdict"] == "ship"
    assert (only["strict"]["e_value"], only["exact"]["p_value"]) == (None, None)
    assert math.isclose(sum(result["bayes_best"].values()), 1)
