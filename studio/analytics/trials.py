"""What an experiment inside a run shows: statistics per variant, the analysis, how the lift developed, and its health.

Everything is recomputed from recorded facts, so a look at an earlier instant gives the answer of that instant.
Absent on purpose: deciding for the person; `experiments.decision` rules and the workspace acts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from studio.analytics.facts import Facts
from studio.analytics.returns import with_zeros
from studio.experiments.analyze import analyze
from studio.experiments.band import BandPoint, Look, running_band
from studio.experiments.moments import Mean, Proportion
from studio.experiments.result import Analysis
from studio.experiments.spec import ExperimentSpec, Mode, Variant
from studio.frames.instances import arm_of

MAX_LOOKS = 60


@dataclass(frozen=True, slots=True)
class TrialPlan:
    """What was fixed before the first person: control, weights, N* over all arms, smallest effect worth having.

    `values` are what each variant stands for (a subject line), `parameter` the template parameter they are tried for.
    """

    run_id: str
    node_id: str
    name: str
    control: str
    weights: Mapping[str, float]
    values: Mapping[str, str]
    parameter: str | None
    planned_total: int
    mde: float
    alpha: float = 0.05
    mode: Mode = "anytime"
    minimum_run: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class VariantResult:
    """One arm: different people exposed and converted, revenue per exposed person."""

    id: str
    value: str
    people: int
    converted: int
    revenue: Mean

    @property
    def rate(self) -> float | None:
        return self.converted / self.people if self.people else None


@dataclass(frozen=True, slots=True)
class TrialResult:
    """The state of an experiment at one instant. `band` tells how the lift of each treatment developed."""

    plan: TrialPlan
    variants: tuple[VariantResult, ...]
    analysis: Analysis
    band: Mapping[str, tuple[BandPoint, ...]]
    crossovers: int
    started_at: datetime | None
    last_at: datetime | None


def trial_result(facts: Facts, plan: TrialPlan, now: datetime) -> TrialResult:
    """The experiment of one split node at its run's clock. O(people exposed)."""
    exposed = _first(facts.contact_values(plan.run_id, "exposed", plan.node_id), plan.node_id)
    converted = _first(facts.contact_values(plan.run_id, "converted"), plan.node_id)
    # A person may not count as converted in a variant he was never exposed to.
    converted = converted.join(exposed.select("contact_id", "variant"), on=["contact_id", "variant"], how="semi")
    variants = tuple(_variant(plan, variant, exposed, converted) for variant in plan.weights)
    started_at: datetime | None = exposed["at"].min()  # pyright: ignore[reportAssignmentType] - a datetime column
    spec = trial_spec(plan, variants, started_at)
    return TrialResult(
        plan=plan,
        variants=variants,
        analysis=analyze(spec, now=now, minimum_run=plan.minimum_run),
        band=_band(plan, exposed, converted),
        crossovers=exposed.height - exposed["contact_id"].n_unique(),
        started_at=started_at,
        last_at=converted["at"].max(),  # pyright: ignore[reportArgumentType] - a datetime column
    )


def trial_spec(plan: TrialPlan, variants: tuple[VariantResult, ...], started_at: datetime | None) -> ExperimentSpec:
    """The analysis request for these counts, as `studio experiment analyze` would take it."""
    return ExperimentSpec(
        metric="proportion",
        control=plan.control,
        variants=tuple(Variant(v.id, Proportion(v.people, v.converted), plan.weights[v.id]) for v in variants),
        planned_total=plan.planned_total,
        alpha=plan.alpha,
        mde=plan.mde,
        started_at=started_at,
        mode=plan.mode,
    )


def _first(values: pl.DataFrame, node_id: str) -> pl.DataFrame:
    """`contact_id, variant, at, value`: one row per person and variant of the split."""
    return (
        values.with_columns(arm_of(node_id).alias("variant"))
        .drop_nulls("variant")
        .group_by("contact_id", "variant")
        .agg(pl.col("first_at").min().alias("at"), pl.col("value").fill_null(0.0).sum())
    )


def _variant(plan: TrialPlan, variant: str, exposed: pl.DataFrame, converted: pl.DataFrame) -> VariantResult:
    people = exposed.filter(pl.col("variant") == variant).height
    buyers = converted.filter(pl.col("variant") == variant)
    revenue = with_zeros(buyers["value"], people)
    return VariantResult(variant, plan.values.get(variant, variant), people, buyers.height, revenue)


def _band(plan: TrialPlan, exposed: pl.DataFrame, converted: pl.DataFrame) -> dict[str, tuple[BandPoint, ...]]:
    if exposed.is_empty():
        return {}
    moments = _look_times(exposed["at"].min(), max(exposed["at"].max(), converted["at"].max() or exposed["at"].max()))
    looks = [(at, _counts(exposed, at), _counts(converted, at)) for at in moments]
    treatments = [variant for variant in plan.weights if variant != plan.control]
    return {
        treatment: tuple(
            running_band(
                [
                    Look(
                        at,
                        Proportion(people.get(plan.control, 0), buyers.get(plan.control, 0)),
                        Proportion(people.get(treatment, 0), buyers.get(treatment, 0)),
                    )
                    for at, people, buyers in looks
                ],
                alpha=plan.alpha,
                planned_total=plan.planned_total,
                treatments=len(treatments),
            )
        )
        for treatment in treatments
    }


def _look_times(start: datetime, end: datetime) -> list[datetime]:
    step = max((end - start) / MAX_LOOKS, timedelta(minutes=1))
    count = max(1, round((end - start) / step))
    return [start + step * index for index in range(1, count)] + [end]


def _counts(frame: pl.DataFrame, at: datetime) -> dict[str, int]:
    return dict(frame.filter(pl.col("at") <= at).group_by("variant").len().iter_rows())
