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
from studio.experiments.analyze import Analysis, ExperimentSpec, analyze
from studio.experiments.band import BandPoint, Look, running_band
from studio.experiments.moments import Mean, Proportion
from studio.frames.instances import arm_of

MAX_LOOKS = 60


@dataclass(frozen=True, slots=True)
class TrialPlan:
    """What was fixed before the first person: metric, control, weights, N* over all arms, smallest effect worth having."""

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
    mode: str = "anytime"


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


def trial_result(facts: Facts, plan: TrialPlan) -> TrialResult:
    """The experiment of one split node. O(people exposed)."""
    exposed = _first(facts.contact_values(plan.run_id, "exposed", plan.node_id), plan.node_id)
    converted = _first(facts.contact_values(plan.run_id, "converted"), plan.node_id)
    # A person may not count as converted in a variant he was never exposed to.
    converted = converted.join(exposed.select("contact_id", "variant"), on=["contact_id", "variant"], how="semi")
    variants = tuple(_variant(plan, variant, exposed, converted) for variant in plan.weights)
    return TrialResult(
        plan=plan,
        variants=variants,
        analysis=analyze(trial_spec(plan, variants)),
        band=_band(plan, exposed, converted),
        crossovers=exposed.height - exposed["contact_id"].n_unique(),
        started_at=exposed["at"].min(),  # pyright: ignore[reportArgumentType] - a datetime column
        last_at=converted["at"].max(),  # pyright: ignore[reportArgumentType] - a datetime column
    )


def trial_spec(plan: TrialPlan, variants: tuple[VariantResult, ...]) -> ExperimentSpec:
    """The analysis request for these counts, as `studio experiment analyze` would take it."""
    return ExperimentSpec.model_validate(
        {
            "metric": "proportion",
            "control": plan.control,
            "alpha": plan.alpha,
            "planned_total": plan.planned_total,
            "mde": plan.mde,
            "mode": plan.mode,
            "variants": [
                {"id": v.id, "n": v.people, "successes": v.converted, "weight": plan.weights[v.id]} for v in variants
            ],
        }
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
