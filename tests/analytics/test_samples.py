"""Statistics out of raw rows against NumPy, units against a recount, CUPED with gaps against least squares."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from studio.analytics.samples import Columns, arms_of, default_percentile
from studio.domain.errors import UserFixable
from studio.experiments.capping import cap_of, top_share
from studio.experiments.covariates import adjust, variance_reduction
from studio.experiments.moments import Mean, Proportion

COLUMNS = Columns(variant="arm", value="paid")


@pytest.fixture
def rows():
    rng = np.random.default_rng(3)
    n = 3_000
    paid = np.where(rng.random(n) < 0.2, rng.lognormal(2, 1, n), 0.0)
    before = np.where(rng.random(n) < 0.3, np.nan, rng.gamma(2, 2, n))
    return pl.DataFrame(
        {
            "who": np.arange(n),
            "arm": rng.choice(["A", "B", "C"], n),
            "paid": paid + 0.5 * np.nan_to_num(before),
            "before": before,
            "visits": rng.integers(1, 5, n),
        }
    )


def of(rows, arm, column):
    return rows.filter(pl.col("arm") == arm)[column].to_numpy()


def test_means_are_those_of_numpy(rows):
    sample = arms_of(rows.lazy(), COLUMNS, "mean")
    assert list(sample.arms) == ["A", "B", "C"]
    for arm, found in sample.arms.items():
        expected = Mean.of(of(rows, arm, "paid"))
        assert (found.n, found.payers) == (expected.n, expected.payers)
        assert (found.mean, found.var) == pytest.approx((expected.mean, expected.var), rel=1e-12)
    assert sample.top_share == pytest.approx(top_share(rows["paid"].to_numpy()))
    assert sample.cap is None


def test_a_cap_comes_from_all_arms_or_is_told(rows):
    sample = arms_of(rows.lazy(), COLUMNS, "mean", percentile=default_percentile("mean"))
    cap = cap_of(rows["paid"].to_numpy())
    assert sample.cap == pytest.approx(cap)
    expected = Mean.of(np.minimum(of(rows, "B", "paid"), cap))
    assert sample.arms["B"].mean == pytest.approx(expected.mean, rel=1e-12)
    assert sample.raw["B"].mean == pytest.approx(of(rows, "B", "paid").mean())
    assert arms_of(rows.lazy(), COLUMNS, "mean", cap=1.0).arms["A"].mean <= 1.0


def test_proportions_and_ratios(rows):
    found = arms_of(rows.lazy(), COLUMNS, "proportion").arms["A"]
    paid = of(rows, "A", "paid")
    assert found == Proportion(len(paid), int((paid > 0).sum()))
    ratio = arms_of(rows.lazy(), Columns(variant="arm", value="paid", denominator="visits"), "ratio").arms["A"]
    visits = of(rows, "A", "visits")
    assert ratio.den_mean == pytest.approx(visits.mean())
    assert ratio.num_den_cov == pytest.approx(np.cov(paid, visits)[0, 1])


def test_a_ratio_is_sharper_with_what_was_known_before():
    rng = np.random.default_rng(12)
    known = rng.gamma(2, 2, 4_000)
    rows = pl.DataFrame({"arm": ["A", "B"] * 2_000, "known": known, "orders": rng.poisson(1 + 0.5 * known)})
    rows = rows.with_columns(paid=pl.col("orders") * (3 + 0.8 * pl.col("known")) + pl.Series(rng.normal(0, 1, 4_000)))
    columns = Columns(variant="arm", value="paid", denominator="orders", covariate="known")
    plain = arms_of(rows.lazy(), replace(columns, covariate=None), "ratio").arms
    arms = arms_of(rows.lazy(), columns, "ratio").arms
    for name in "AB":
        assert arms[name].estimate().value == pytest.approx(plain[name].estimate().value, rel=1e-12)
        assert arms[name].estimate().variance == pytest.approx(plain[name].estimate().variance, rel=1e-9)
        x = rows.filter(pl.col("arm") == name)["known"]
        assert arms[name].covariate.mean == pytest.approx(x.mean())
    assert variance_reduction(list(arms.values())) > 0.1


def test_rows_of_one_unit_count_once_and_who_met_two_variants_in_none():
    rows = pl.DataFrame({
        "who": [1, 1, 2, 3, 3, 4, 5],
        "arm": ["A", "A", "A", "A", "B", "B", None],
        "paid": [2.0, 3.0, None, 9.0, 9.0, 1.0, 7.0],
    })  # fmt: skip
    sample = arms_of(rows.lazy(), Columns(variant="arm", value="paid", unit="who"), "mean")
    assert sample.crossovers == 1
    assert sample.arms["A"] == Mean(2, 2.5, 12.5, payers=1)
    assert (sample.arms["B"].n, sample.arms["B"].mean) == (1, 1.0)


def test_a_covariate_with_gaps_adjusts_as_least_squares_with_an_indicator(rows):
    columns = Columns(variant="arm", value="paid", covariate="before")
    adjusted = adjust(list(arms_of(rows.lazy(), columns, "mean").arms.values()))
    missing = np.isnan(rows["before"].to_numpy()).astype(float)
    x = np.nan_to_num(rows["before"].to_numpy())
    dummies = np.column_stack([rows["arm"].to_numpy() == arm for arm in "ABC"]).astype(float)
    design = np.column_stack([dummies, x, missing])
    beta, *_ = np.linalg.lstsq(design, rows["paid"].to_numpy(), rcond=None)
    effects = [arm.mean - adjusted[0].mean for arm in adjusted]
    assert effects == pytest.approx((beta[:3] - beta[0]).tolist(), abs=1e-9)
    plain = arms_of(rows.lazy(), COLUMNS, "mean").arms["A"]
    assert adjusted[0].var < 0.98 * plain.var


def test_a_covariate_without_gaps_is_taken_as_it_is(rows):
    full = rows.with_columns(pl.col("before").fill_nan(1.0))
    found = arms_of(full.lazy(), Columns(variant="arm", value="paid", covariate="before"), "mean").arms["A"]
    expected = Mean.of(of(full, "A", "paid"), of(full, "A", "before"))
    assert found.covariate.outcome_cov == pytest.approx(expected.covariate.outcome_cov)


def test_all_problems_at_once():
    rows = pl.DataFrame({"arm": ["A"], "paid": ["much"]})
    with pytest.raises(UserFixable) as refused:
        arms_of(rows.lazy(), Columns(variant="arms", value="paid", denominator="visits"), "mean")
    assert [problem.field for problem in refused.value.problems] == ["variant", "value", "denominator", "denominator"]


def test_a_column_of_ids_is_no_column_of_variants():
    rows = pl.DataFrame({"arm": [str(n) for n in range(60)], "paid": [1.0] * 60})
    with pytest.raises(UserFixable, match="60 different variants"):
        arms_of(rows.lazy(), COLUMNS, "mean")
