"""Every mistake in the description of an experiment is named with its place and its remedy."""

import copy
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.domain.errors import UserFixable
from studio.experiments.covariates import RatioCovariate, linearised
from studio.experiments.moments import Covariate, Mean, Proportion, Ratio
from studio.experiments.spec_file import parse_spec

GOOD = {
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
    "guardrails": [
        {
            "name": "unsubscribes",
            "margin": 0.1,
            "harm": "increase",
            "variants": [{"id": "A", "n": 100, "successes": 4}, {"id": "B", "n": 110, "successes": 5}],
        }
    ],
}


def changed(**changes):
    spec = copy.deepcopy(GOOD)
    for path, value in changes.items():
        target, *rest = path.split("__")
        place = spec
        for key in rest:
            place, target = place[int(target) if target.isdigit() else target], key
        place[int(target) if target.isdigit() else target] = value
    return spec


def refused(data) -> UserFixable:
    with pytest.raises(UserFixable) as caught:
        parse_spec(data)
    assert caught.value.code == "EXPERIMENT-SPEC"
    assert caught.value.problems
    return caught.value


def test_a_whole_description():
    spec = parse_spec(GOOD)
    assert [(v.id, v.arm, v.weight) for v in spec.variants] == [
        ("A", Proportion(18240, 438), 0.5),
        ("B", Proportion(18190, 545), 0.5),
    ]
    assert (spec.control_variant.id, [t.id for t in spec.treatments], spec.total) == ("A", ["B"], 36430)
    assert (spec.guardrails[0].harm, spec.guardrails[0].arm("B")) == ("increase", Proportion(110, 5))


def test_what_may_be_left_out():
    data = {"metric": "proportion", "control": "A", "planned_total": 10.0}
    spec = parse_spec({**data, "variants": [{"id": "A", "n": 0, "successes": 0}, {"id": "B", "n": 0, "successes": 0}]})
    assert (spec.alpha, spec.mode, spec.mde, spec.guardrails, spec.planned_total) == (0.05, "anytime", None, (), 10)
    assert [variant.weight for variant in spec.variants] == [1.0, 1.0]


def test_moments_in_time_are_utc():
    assert parse_spec(changed(started_at="1997-10-01T00:00:00")).started_at == datetime(1997, 10, 1, tzinfo=UTC)
    assert parse_spec(changed(started_at="1997-10-01T02:00:00+02:00")).started_at == datetime(1997, 10, 1, tzinfo=UTC)


def with_variants(metric, a, b):
    rest = {"metric": metric, "variants": [{"id": "A", **a}, {"id": "B", **b}], "guardrails": []}
    return {**GOOD, **rest}


def test_means_and_ratios():
    covariate = {"x_mean": 1.0, "x_var": 4.0, "xy_cov": 2.0}
    spec = parse_spec(with_variants("mean", {"n": 9, "mean": 2, "var": 3.0, "payers": 4, **covariate}, {"n": 0}))
    assert spec.variants[0].arm == Mean(9, 2.0, 3.0, Covariate(1.0, 4.0, 2.0), 4)
    assert spec.variants[1].arm == Mean(0, 0.0, 0.0)
    assert parse_spec(with_variants("mean", {"n": 1, "mean": 2}, {"n": 0})).variants[0].arm == Mean(1, 2.0, 0.0)
    moments = {"num_mean": 1, "num_var": 2, "den_mean": 3, "den_var": 4, "num_den_cov": -1}
    spec = parse_spec(with_variants("ratio", {"n": 9, **moments}, {"n": 0}))
    assert spec.variants[0].arm == Ratio(9, 1.0, 2.0, 3.0, 4.0, -1.0)
    before = {"x_mean": 2.0, "x_var": 4.0, "num_x_cov": 1.5, "den_x_cov": 0.5}
    for other in ({"n": 9, **moments, **before}, {"n": 0}):
        sharper = parse_spec(with_variants("ratio", {"n": 9, **moments, **before}, other)).variants[0].arm
        assert sharper == linearised(Ratio(9, 1.0, 2.0, 3.0, 4.0, -1.0), RatioCovariate(2.0, 4.0, 1.5, 0.5))
    with pytest.raises(UserFixable, match="Give all or none"):
        parse_spec(with_variants("ratio", {"n": 9, **moments, **before}, {"n": 9, **moments}))
    mixed = changed(guardrails__0__metric="mean")
    mixed["guardrails"][0]["variants"] = [{"id": i, "n": 5, "mean": 1.0, "var": 1.0} for i in "AB"]
    assert parse_spec(mixed).guardrails[0].arm("A") == Mean(5, 1.0, 1.0)


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"metric": "rate"}, "metric", "'proportion', 'mean' or 'ratio'"),
        ({"control": "C"}, "control", "The variants are: A, B."),
        ({"control": "a"}, "control", "no variant “a”"),
        ({"alpha": 0}, "alpha", "greater than or equal"),
        ({"alpha": 0.5}, "alpha", "less than 0.5"),
        ({"planned_total": 0}, "planned_total", "greater than"),
        ({"planned_total": "40000"}, "planned_total", "without quotes"),
        ({"planned_total": True}, "planned_total", "without quotes"),
        ({"planned_total": 10.5}, "planned_total", "integer"),
        ({"mde": -1}, "mde", "greater than 0"),
        ({"started_at": "yesterday"}, "started_at", "datetime"),
        ({"mode": "peek"}, "mode", "'anytime', 'fixed' or 'strict'"),
        ({"modee": "fixed"}, "modee", "Did you mean “mode”?"),
        ({"zzz": 1}, "zzz", "the fields are: metric, control"),
        ({"variants": []}, "variants", "at least 2"),
        ({"variants": [{"id": str(i), "n": 1, "successes": 0} for i in range(51)]}, "variants", "at most 50"),
        ({"variants__1__id": "A"}, "variants", "2 variants have the id “A”"),
        ({"variants__1__n": -1}, "variants[1].n", "greater than or equal to 0"),
        ({"variants__1__n": float("nan")}, "variants[1].n", "finite"),
        ({"variants__1__succeses": 3}, "variants[1].succeses", "Did you mean “successes”?"),
        ({"variants__1__successes": 18191}, "variants[1]", "18191 successes among 18190 contacts"),
        ({"variants__1__weight": None}, "variants", "Give all or none"),
        ({"variants__1__weight": -0.5}, "variants[1].weight", "greater than or equal to 0"),
        ({"variants__1__weight": float("inf")}, "variants[1].weight", "finite"),
        ({"variants__0": 7}, "variants[0]", "dictionary"),
        ({"guardrails__0__margin": -0.1}, "guardrails[0].margin", "greater than or equal to 0"),
        ({"guardrails__0__harm": "up"}, "guardrails[0].harm", "'increase', 'decrease' or 'either'"),
        ({"guardrails__0__nme": "x"}, "guardrails[0].nme", "Did you mean “name”?"),
        ({"guardrails__0__variants__1__id": "C"}, "guardrails[0].variants", "Give exactly these: A, B."),
        ({"guardrails__0__variants__1__id": "A"}, "guardrails[0].variants", "2 variants have the id “A”"),
        ({"guardrails__0__variants__1__n": 1}, "guardrails[0].variants[1]", "5 successes among 1 contacts"),
    ],
)
def test_each_mistake_is_named(change, field, words):
    error = refused(changed(**change))
    assert field in [problem.field for problem in error.problems]
    assert words in str(error)


def test_all_weights_zero():
    data = changed(variants__0__weight=0, variants__1__weight=0)
    assert "Every weight is 0" in refused(data).message


def test_strict_needs_proportions():
    data = {**with_variants("mean", {"n": 0}, {"n": 0}), "mode": "strict"}
    assert refused(data).where == "mode"


@pytest.mark.parametrize(
    ("metric", "arm", "words"),
    [
        ("mean", {"n": 5}, "add mean"),
        ("mean", {"n": 5, "mean": 1.0}, "add var"),
        ("mean", {"n": 5, "mean": 1.0, "var": 1.0, "payers": 6}, "6 payers among 5"),
        ("mean", {"n": 5, "mean": 1.0, "var": 1.0, "x_mean": 1.0}, "add x_var, xy_cov"),
        ("mean", {"n": 5, "mean": 1.0, "var": 1.0, "x_mean": 1.0, "x_var": 1.0, "xy_cov": 2.0}, "ddof 1"),
        ("mean", {"n": 5, "mean": 1e61, "var": 1.0}, "less than or equal"),
        ("mean", {"n": 5, "mean": 1.0, "var": -1.0}, "greater than or equal"),
        ("ratio", {"n": 5}, "add num_mean, den_mean"),
        ("ratio", {"n": 5, "num_mean": 1.0, "den_mean": 1.0}, "add num_var, den_var, num_den_cov"),
        ("ratio", {"n": 1, "num_mean": 1.0, "den_mean": 1.0, "x_mean": 2.0}, "add x_var, num_x_cov, den_x_cov"),
        ("proportion", {"n": 5}, "The field is missing. Add it."),
    ],
)
def test_incomplete_statistics(metric, arm, words):
    empty = {"n": 0, "successes": 0} if metric == "proportion" else {"n": 0}
    assert words in str(refused(with_variants(metric, arm, empty)))


def test_everything_wrong_is_told_at_once():
    error = refused(
        {
            "metric": "proportion",
            "contrl": "A",
            "variants": [{"id": "A", "n": 1, "successes": 2}, {"id": "B", "n": -1, "successes": 0, "x": 1}],
        }
    )
    assert {problem.field for problem in error.problems} == {
        "control",
        "contrl",
        "planned_total",
        "variants[0]",
        "variants[1].n",
        "variants[1].x",
    }
    assert "6 problems" in error.message
    assert all(str(problem) in error.message for problem in error.problems)


@pytest.mark.parametrize("data", [None, [], "text", 3, {}, {"metric": []}, {"metric": "mean", "variants": [1]}])
def test_what_is_no_description_at_all(data):
    assert refused(data).hint


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from([*GOOD, "variants__0__n", "variants__1__id", "guardrails__0__margin", "new"]), json_values)
def test_any_value_anywhere_is_read_or_refused_never_a_crash(path, value):
    try:
        parse_spec(changed(**{path: value}))
    except UserFixable as error:
        assert error.problems
