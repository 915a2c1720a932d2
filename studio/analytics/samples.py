"""Sufficient statistics per variant out of raw rows, in one Polars query: what `experiments` is asked with.

Rows of one unit are summed first, so that the unit of analysis is the randomised one. Absent on purpose: any test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from studio.domain.errors import Problem, UserFixable
from studio.experiments.capping import FEW, PERCENTILE
from studio.experiments.covariates import RatioCovariate, linearised
from studio.experiments.moments import Arm, Covariate, Mean, Proportion, Ratio
from studio.experiments.spec import Metric

_CODE = "EXPERIMENT-ROWS"
_VARIANTS_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which column is what. `unit`: rows with the same value are one randomised unit; None: each row is one.

    `value` above 0 counts as converted for a proportion. `covariate` is a number known before the exposure; where it is
    missing, that it is missing takes part as a second covariate. `denominator` is for ratios.
    """

    variant: str
    value: str
    unit: str | None = None
    denominator: str | None = None
    covariate: str | None = None

    def named(self) -> dict[str, str]:
        """Role → column, those that are given."""
        roles = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {role: column for role, column in roles.items() if column is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The arms by variant, in order of name. `cap`: values above count as this. `raw`: the arms without cap, for means.

    `top_share`: the part of the sum that the top 1 % of payers bring. `crossovers`: units with two variants or more,
    which count in none.
    """

    arms: Mapping[str, Arm]
    raw: Mapping[str, Arm]
    cap: float | None = None
    top_share: float | None = None
    crossovers: int = 0


def arms_of(
    rows: pl.LazyFrame, columns: Columns, metric: Metric, *, cap: float | None = None, percentile: float | None = None
) -> Sample:
    """One arm per variant. O(rows), streamed where Polars can; null variants are left out, null values count as 0.

    Args:
        cap: values above count as this, for a mean; else taken from the data at `percentile` (of payers, all arms).
        percentile: 0 to 100; None and no `cap`: nothing is capped.

    Raises:
        UserFixable: EXPERIMENT-ROWS, with every column that is missing or no number.
    """
    _check(rows.collect_schema(), columns, metric)
    units, crossovers = _units(rows, columns)
    if metric == "proportion":
        return Sample(arms=_proportions(units), raw={}, crossovers=crossovers)
    if metric == "ratio":
        return Sample(arms=_ratios(units), raw={}, crossovers=crossovers)
    if cap is None and percentile is not None:
        cap = _cap(units, percentile)
    raw = _means(units)
    arms = raw if cap is None else _means(units.with_columns(pl.col("value").clip(upper_bound=cap)))
    return Sample(arms=arms, raw=raw, cap=cap, top_share=_top_share(units), crossovers=crossovers)


def default_percentile(metric: Metric) -> float | None:
    """What is capped when nobody says: sums of money."""
    return PERCENTILE if metric == "mean" else None


def _units(rows: pl.LazyFrame, columns: Columns) -> tuple[pl.LazyFrame, int]:
    """`variant, value[, denominator][, covariate, unknown]`, a row per unit with one variant; how many have more."""
    wanted = [pl.col(column).alias(role) for role, column in columns.named().items()]
    kept = rows.select(wanted).filter(pl.col("variant").is_not_null()).with_columns(pl.col("value").fill_null(0))
    crossovers = 0
    if columns.unit is not None:
        kept, crossovers = _summed(kept, columns)
    if columns.covariate is not None:
        unknown = pl.col("covariate").is_null() | pl.col("covariate").cast(pl.Float64).is_nan()
        kept = kept.with_columns(unknown.alias("unknown")).with_columns(
            pl.when("unknown").then(0.0).otherwise("covariate").alias("covariate")
        )
    return kept.with_columns(pl.col("value").cast(pl.Float64)), crossovers


def _summed(rows: pl.LazyFrame, columns: Columns) -> tuple[pl.LazyFrame, int]:
    """One row per unit, without those that met two variants; and how many these are."""
    # Numbers compare many times faster than texts; the names come back when a few rows are left.
    names = rows.select(pl.col("variant").cast(pl.String).unique().sort()).collect()["variant"]
    code = pl.col("variant").cast(pl.Enum(names)).to_physical()
    whole = [code.min().alias("code"), code.max().alias("highest"), pl.col("value").sum()]
    whole += [pl.col("denominator").sum()] if columns.denominator else []
    whole += [pl.col("covariate").first()] if columns.covariate else []
    units = rows.group_by("unit").agg(whole).collect(engine="streaming")
    crossed = units["code"] != units["highest"]
    variant = pl.col("code").replace_strict(list(range(len(names))), names.to_list(), return_dtype=pl.Enum(names))
    return units.lazy().filter(~crossed).with_columns(variant.alias("variant")), int(crossed.sum())


def _proportions(units: pl.LazyFrame) -> dict[str, Arm]:
    found = _by_variant(units, pl.len().alias("n"), (pl.col("value") > 0).sum().alias("successes"))
    return {str(row["variant"]): Proportion(row["n"], row["successes"]) for row in found}


def _means(units: pl.LazyFrame) -> dict[str, Arm]:
    covaried = "covariate" in units.collect_schema()
    if covaried:
        units = units.with_columns(_one_covariate(units))
    y, x = pl.col("value"), pl.col("covariate")
    sums = [pl.len().alias("n"), y.mean().alias("mean"), y.var().alias("var"), (y != 0).sum().alias("payers")]
    if covaried:
        sums += [x.mean().alias("x_mean"), x.var().alias("x_var"), pl.cov(x, y).alias("xy_cov")]
    return {str(row["variant"]): _mean(row) for row in _by_variant(units, *sums)}


def _mean(row: Mapping[str, float | int | None]) -> Mean:
    covariate = None
    if "x_mean" in row:
        covariate = Covariate(float(row["x_mean"] or 0), float(row["x_var"] or 0), float(row["xy_cov"] or 0))
    return Mean(int(row["n"] or 0), float(row["mean"] or 0), float(row["var"] or 0), covariate, int(row["payers"] or 0))


def _ratios(units: pl.LazyFrame) -> dict[str, Arm]:
    """As ratios; with a covariate as means of linearised numbers, from which the covariate can be taken out."""
    covaried = "covariate" in units.collect_schema()
    if covaried:
        units = units.with_columns(_one_covariate(units))
    y, d, x = pl.col("value"), pl.col("denominator").cast(pl.Float64), pl.col("covariate")
    names = ("num_mean", "num_var", "den_mean", "den_var", "num_den_cov")
    sums = (y.mean(), y.var(), d.mean(), d.var(), pl.cov(y, d))
    named = [s.alias(name) for s, name in zip(sums, names, strict=True)]
    if covaried:
        named += [x.mean().alias("x_mean"), x.var().alias("x_var")]
        named += [pl.cov(y, x).alias("num_cov"), pl.cov(d, x).alias("den_cov")]
    found = _by_variant(units, pl.len().alias("n"), *named)
    ratios = {
        str(row["variant"]): Ratio(int(row["n"] or 0), *(float(row[name] or 0) for name in names)) for row in found
    }
    if not covaried:
        return dict(ratios)
    known = {
        str(row["variant"]): RatioCovariate(*(float(row[name] or 0) for name in _RATIO_COVARIATE)) for row in found
    }
    means = {name: linearised(ratio, known[name]) for name, ratio in ratios.items()}
    sharper = {name: mean for name, mean in means.items() if mean is not None}
    return dict(sharper) if len(sharper) == len(ratios) else dict(ratios)


_RATIO_COVARIATE = ("x_mean", "x_var", "num_cov", "den_cov")


def _one_covariate(units: pl.LazyFrame) -> pl.Expr:
    """The covariate and whether it is missing, as the one combination that predicts the outcome best within variants.

    With a single slope left to estimate, the adjustment is that of both together.
    """
    names = ("covariate", "unknown", "value")
    centred = [(pl.col(name).cast(pl.Float64) - pl.col(name).cast(pl.Float64).mean().over("variant")) for name in names]
    x, u, y = centred
    products = {"xx": x * x, "uu": u * u, "xu": x * u, "xy": x * y, "uy": u * y}
    s = units.select(**{name: product.sum() for name, product in products.items()}).collect().row(0, named=True)
    determinant = s["xx"] * s["uu"] - s["xu"] ** 2
    if s["uu"] <= 0 or determinant <= 1e-12 * s["xx"] * s["uu"] or s["xx"] <= 0:
        return pl.col("covariate").cast(pl.Float64)
    slope_x = (s["uu"] * s["xy"] - s["xu"] * s["uy"]) / determinant
    slope_u = (s["xx"] * s["uy"] - s["xu"] * s["xy"]) / determinant
    return (slope_x * pl.col("covariate") + slope_u * pl.col("unknown").cast(pl.Float64)).alias("covariate")


def _cap(units: pl.LazyFrame, percentile: float) -> float | None:
    paid = pl.col("value").filter(pl.col("value") != 0)
    return units.select(paid.quantile(percentile / 100, "linear")).collect().item()


def _top_share(units: pl.LazyFrame) -> float | None:
    paid = units.filter(pl.col("value") > 0).select("value").collect()["value"]
    if paid.is_empty():
        return None
    few = max(1, -int(-FEW * len(paid) // 1))
    return float(paid.top_k(few).sum() / paid.sum())


def _by_variant(units: pl.LazyFrame, *sums: pl.Expr) -> list[dict[str, int]]:
    found = units.group_by("variant").agg(*sums).sort(pl.col("variant").cast(pl.String)).collect()
    if found.height > _VARIANTS_MAX:
        raise UserFixable(
            _CODE,
            f"There are {found.height:,} different variants; {_VARIANTS_MAX} is the most.",
            hint="Name the column that holds the variant.",
        )
    return found.to_dicts()


def _check(schema: pl.Schema, columns: Columns, metric: Metric) -> None:
    problems = []
    for role, column in columns.named().items():
        if column not in schema:
            hint = f"The columns are: {', '.join(schema.names()[:40])}."
            problems.append(Problem(_CODE, f"There is no column “{column}”.", hint, field=role))
        elif role in ("value", "denominator", "covariate") and not (
            schema[column].is_numeric() or schema[column] == pl.Boolean
        ):
            problems.append(Problem(_CODE, f"“{column}” holds {schema[column]}, not numbers.", field=role))
    if (metric == "ratio") != (columns.denominator is not None):
        hint = "Name a denominator for a ratio, and none otherwise."
        problems.append(Problem(_CODE, "A ratio, and only a ratio, has a denominator.", hint, field="denominator"))
    if problems:
        text = "\n".join(str(problem) for problem in problems)
        raise UserFixable(_CODE, f"The rows cannot be analysed:\n{text}", where=problems[0].field, problems=problems)
