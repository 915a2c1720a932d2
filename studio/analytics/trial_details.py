"""What one asks about an experiment after who is ahead: revenue, for whom, does it last, does another test disturb it.

None of it decides. Absent on purpose: fetching traits of people; the caller brings them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import polars as pl

from studio.analytics.facts import Facts
from studio.analytics.samples import Columns, Sample, arms_of
from studio.analytics.side_effects import SideEffect, side_effects
from studio.analytics.trials import TrialPlan, TrialResult, people_of
from studio.experiments.anytime import compare_anytime
from studio.experiments.capping import MUCH, cap_of
from studio.experiments.covariates import adjust, pooled_slope, variance_reduction
from studio.experiments.decision import CONVERSIONS_MIN, has_burnt_in
from studio.experiments.lift import Interval, lift
from studio.experiments.moments import Mean, Proportion
from studio.experiments.segments import Segmentation, by_segment
from studio.experiments.stability import Cohort, Interaction, Trend, interaction, trend
from studio.experiments.vigil import expected_lift
from studio.frames.instances import arm_of

COHORTS = 10
SEGMENTS_MAX = 6
OTHER = "Others"
BOUGHT = "bought_before"
"""The trait that tells people who bought before the experiment from those who had not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueView:
    """Revenue per exposed person, treatment against control, every look at it valid.

    `lift_ci` is of capped revenue with the earlier purchases of people taken out (`explained`: the share of the
    variance they account for, None without any); `lift_plain` is the bare lift beside it. `few`: the top 1 % of payers
    carry more than half. `rate_lift` and `value_lift` split it into more buyers and larger orders, as a diagnosis.
    """

    lift: float | None
    lift_ci: Interval | None
    lift_plain: float | None
    cap: float | None
    explained: float | None
    few: bool
    rate_lift: float | None
    value_lift: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialDetails:
    """Of one treatment. `segments` by the name of what divides people; `interactions` by the other split's node.

    `comparable` is false where shares moved with the results: then people of the variants differ in when they came, and
    only the contrast that decides accounts for that; there are no segments, trend and intervals here.
    """

    treatment: str
    revenue: RevenueView
    segments: Mapping[str, Segmentation]
    trend: Trend | None
    interactions: Mapping[str, Interaction]
    expected: float | None
    comparable: bool = True
    side_effects: tuple[SideEffect, ...] = ()


def trial_details(
    facts: Facts,
    result: TrialResult,
    treatment: str,
    *,
    traits: pl.DataFrame | None = None,
    before: pl.DataFrame | None = None,
    other_splits: Mapping[str, tuple[str, str]] | None = None,
    accounts: pl.DataFrame | None = None,
) -> TrialDetails:
    """O(people exposed).

    Args:
        traits: `contact_id` and one text column per way to divide people; a person has one row at most.
        before: `contact_id, value`: what people spent before the experiment; missing people spent nothing.
        accounts: as for `trial_result`.
        other_splits: node → its control and treatment, of splits that people met earlier in the same run.
    """
    plan = result.plan
    exposed, converted = people_of(facts, plan, accounts)
    pair = pl.col("variant").is_in([plan.control, treatment])
    exposed, converted = exposed.filter(pair), converted.filter(pair)
    people = exposed.join(
        converted.select("unit", "variant", pl.col("value").alias("paid"), pl.col("at").alias("converted_at")),
        on=["unit", "variant"],
        how="left",
    ).with_columns(pl.col("converted_at").is_not_null().alias("converted"), pl.col("paid").fill_null(0.0))
    looks = result.band.get(treatment, ())
    band = (looks[-1].low, looks[-1].high) if looks else (None, None)
    arms = _arms(people, plan.control, treatment)
    if plan.adaptive:
        revenue = replace(_revenue(people, plan, treatment, None), lift_ci=None)
        return TrialDetails(
            treatment=treatment,
            revenue=revenue,
            segments={},
            trend=None,
            interactions={},
            expected=None,
            comparable=False,
        )
    return TrialDetails(
        treatment=treatment,
        revenue=_revenue(people, plan, treatment, before),
        segments={} if traits is None else _segments(people, plan, treatment, traits),
        trend=trend(_cohorts(people, plan.control, treatment)),
        interactions=_interactions(people, plan.control, treatment, other_splits or {}),
        expected=expected_lift(*arms, (band[0], band[1]) if band[0] is not None and band[1] is not None else None),
        side_effects=side_effects(facts, result, treatment),
    )


def _arms(people: pl.DataFrame, control: str, treatment: str) -> tuple[Proportion, Proportion]:
    counts = {
        name: Proportion(n, hits)
        for name, n, hits in people.group_by("variant").agg(pl.len(), pl.col("converted").sum()).iter_rows()
    }
    return counts.get(control, Proportion(0, 0)), counts.get(treatment, Proportion(0, 0))


def _revenue(people: pl.DataFrame, plan: TrialPlan, treatment: str, before: pl.DataFrame | None) -> RevenueView:
    columns = Columns(variant="variant", value="paid", covariate=None if before is None else "before")
    if before is not None:
        known = before.select("contact_id", pl.col("value").cast(pl.Float64).alias("before"))
        people = people.join(known, on="contact_id", how="left").with_columns(pl.col("before").fill_null(0.0))
    sample = arms_of(people.lazy(), columns, "mean", cap=_frozen_cap(people, plan.control, treatment))
    names = (plan.control, treatment)
    raw = [arm for name in names if isinstance(arm := sample.raw.get(name), Mean)]
    arms = [arm for name in names if isinstance(arm := sample.arms.get(name), Mean)]
    if len(arms) < 2:
        return RevenueView(
            lift=None,
            lift_ci=None,
            lift_plain=None,
            cap=None,
            explained=None,
            few=False,
            rate_lift=None,
            value_lift=None,
        )
    a, b = adjust(arms, _earlier_slope(people, columns, sample, names))
    share = plan.planned_total * 2 // len(plan.weights)
    enough = has_burnt_in(a) and has_burnt_in(b)
    anytime = compare_anytime(a.estimate(), b.estimate(), plan.alpha / len(plan.treatments), max(share, 1))
    return RevenueView(
        lift=lift(a.estimate(), b.estimate()),
        lift_ci=anytime.lift_ci if enough else None,
        lift_plain=lift(raw[0].estimate(), raw[1].estimate()),
        cap=sample.cap,
        explained=None if before is None else variance_reduction(arms),
        few=(sample.top_share or 0.0) > MUCH,
        **_parts(people, names),
    )


def _frozen_cap(people: pl.DataFrame, control: str, treatment: str) -> float | None:
    """The cap as of the first moment at which both arms had payers enough for a verdict; None before it."""
    paid = people.filter(pl.col("paid") != 0).sort("converted_at")
    moments = [
        paid.filter(pl.col("variant") == name)["converted_at"].slice(CONVERSIONS_MIN - 1, 1)
        for name in (control, treatment)
    ]
    if any(moment.is_empty() for moment in moments):
        return None
    first = max(moment[0] for moment in moments)
    return cap_of(paid.filter(pl.col("converted_at") <= first)["paid"].to_numpy())


def _earlier_slope(people: pl.DataFrame, columns: Columns, sample: Sample, names: tuple[str, str]) -> float | None:
    """The slope of the covariate among the first half of people, so that looking on does not bend it."""
    if columns.covariate is None:
        return None
    half = people.sort("at", "unit").head(people.height // 2)
    if half.is_empty():
        return None
    arms = arms_of(half.lazy(), columns, "mean", cap=sample.cap).arms
    means = [arm for name in names if isinstance(arm := arms.get(name), Mean) and arm.n > 1]
    return pooled_slope(means) if len(means) == 2 else None


def _parts(people: pl.DataFrame, names: tuple[str, str]) -> dict[str, float | None]:
    a, b = _arms(people, *names)
    buyers = people.filter("converted")
    sizes = [Mean.of(buyers.filter(pl.col("variant") == name)["paid"].to_numpy()).estimate() for name in names]
    return {"rate_lift": lift(a.estimate(), b.estimate()), "value_lift": lift(*sizes)}


def _segments(people: pl.DataFrame, plan: TrialPlan, treatment: str, traits: pl.DataFrame) -> dict[str, Segmentation]:
    share = max(1, plan.planned_total * 2 // len(plan.weights))
    found: dict[str, Segmentation] = {}
    for column in traits.columns:
        if column == "contact_id":
            continue
        known = people.join(traits.select("contact_id", pl.col(column).alias("part")), on="contact_id", how="left")
        names = _largest(known["part"])
        if len(names) < 2:
            continue
        known = known.with_columns(pl.when(pl.col("part").is_in(names)).then("part").otherwise(pl.lit(OTHER)))
        ordered = [*names, OTHER] if OTHER in known["part"].unique() else names
        arms = {name: _arms(known.filter(pl.col("part") == name), plan.control, treatment) for name in ordered}
        alpha = plan.alpha / len(plan.treatments)
        found[column] = by_segment(arms, planned_total=share, alpha=alpha)
    return found


def _largest(parts: pl.Series) -> list[str]:
    counts = parts.drop_nulls().value_counts(sort=True)
    return counts[parts.name].head(SEGMENTS_MAX).to_list()


def _cohorts(people: pl.DataFrame, control: str, treatment: str) -> list[Cohort]:
    """People in the order they were exposed, in parts of equal size; the day is the middle one of each part."""
    if people.is_empty():
        return []
    start: datetime = people["at"].min()  # pyright: ignore[reportAssignmentType] - a datetime column
    ordered = people.sort("at", "unit").with_columns(
        (pl.int_range(pl.len()) * COHORTS // pl.len()).alias("cohort"),
        ((pl.col("at") - start) / timedelta(days=1)).alias("day"),
    )
    parts = ordered.partition_by("cohort", maintain_order=True)
    return [Cohort(float(part["day"].mean() or 0.0), *_arms(part, control, treatment)) for part in parts]  # pyright: ignore[reportArgumentType] - a column of numbers


def _interactions(
    people: pl.DataFrame, control: str, treatment: str, splits: Mapping[str, tuple[str, str]]
) -> dict[str, Interaction]:
    found: dict[str, Interaction] = {}
    for node, others in splits.items():
        met = people.with_columns(arm_of(node).alias("other"))
        alone, together = (_arms(met.filter(pl.col("other") == other), control, treatment) for other in others)
        contrast = interaction(alone, together)
        if contrast is not None:
            found[node] = contrast
    return found


def trait_columns(fields: pl.DataFrame, wanted: Sequence[str]) -> pl.DataFrame:
    """`contact_id` and those of the wanted columns that divide people into a few parts, as texts."""
    kept = [name for name in wanted if name in fields.columns and 2 <= fields[name].drop_nulls().n_unique() <= 12]
    return fields.select("contact_id", *(pl.col(name).cast(pl.String) for name in kept))
