"""What an experiment inside a run shows: statistics per variant, the analysis, how the lift developed, and its health.

Everything is recomputed from recorded facts, so a look at an earlier instant gives the answer of that instant.
Absent on purpose: deciding for the person; `experiments.decision` rules and the workspace acts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

import polars as pl

from studio.analytics.adaptive_trials import waves_of
from studio.analytics.facts import Facts, People, united, variant_of
from studio.analytics.returns import with_zeros
from studio.experiments.adaptive import adaptive_band, analyze_adaptive
from studio.experiments.analyze import analyze
from studio.experiments.band import BandPoint, Look, running_band
from studio.experiments.guardrail import GuardrailCheck, check_guardrails
from studio.experiments.moments import Arm, Mean, Proportion
from studio.experiments.result import Analysis
from studio.experiments.spec import ExperimentSpec, Guardrail, Mode, Variant
from studio.experiments.srm import watched_split
from studio.frames.instances import arm_of

MAX_LOOKS = 60
Unit: TypeAlias = Literal["contact", "key", "account"]
GUARDRAILS = {"unsubscribed": "Unsubscribes", "complained": "Complaints"}
SETTLED_MIN = 0.95
"""Of the conversions to expect; below it a winner must be proven among people whose time has run out as well."""
GUARDRAIL_MARGIN = 0.2
"""A variant is stopped when it is proven to bring a fifth more of these than the control."""


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
    adaptive: bool = False
    """Shares follow what is learnt; `weights` are those at the start."""
    unit: Unit = "contact"
    """What was drawn, and is counted: people, carts and orders, or accounts."""

    @property
    def treatments(self) -> tuple[str, ...]:
        return tuple(variant for variant in self.weights if variant != self.control)


@dataclass(frozen=True, slots=True)
class VariantResult:
    """One arm: different people exposed and converted, revenue per exposed person, people by guardrail kind."""

    id: str
    value: str
    people: int
    converted: int
    revenue: Mean
    harmed: Mapping[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> float | None:
        return self.converted / self.people if self.people else None


@dataclass(frozen=True, slots=True)
class TrialResult:
    """The state of an experiment at one instant. `band` tells how the lift of each treatment developed.

    `settled`: the share of the conversions to expect of these people that have happened. `guardrails` by treatment.
    """

    plan: TrialPlan
    variants: tuple[VariantResult, ...]
    analysis: Analysis
    band: Mapping[str, tuple[BandPoint, ...]]
    crossovers: int
    started_at: datetime | None
    last_at: datetime | None
    settled: float = 1.0
    guardrails: Mapping[str, tuple[GuardrailCheck, ...]] = field(default_factory=dict)

    def variant(self, variant_id: str) -> VariantResult:
        """The arm with this id, which is one of the plan's."""
        return next(variant for variant in self.variants if variant.id == variant_id)


def trial_result(
    facts: Facts,
    plan: TrialPlan,
    now: datetime,
    window: timedelta | None = None,
    accounts: pl.DataFrame | None = None,
) -> TrialResult:
    """The experiment of one split node at its run's clock. O(people exposed).

    Args:
        window: how long a person has to convert after the exposure; None: nobody's outcome is open any more.
        accounts: `contact_id, account` where accounts are the units; who has none is a unit alone.
    """
    exposed, converted = people_of(facts, plan, accounts)
    harmed = _harmed(facts, plan)
    variants = tuple(_variant(plan, variant, exposed, converted, harmed) for variant in plan.weights)
    started_at: datetime | None = exposed["at"].min()  # pyright: ignore[reportAssignmentType] - a datetime column
    spec = trial_spec(plan, variants, started_at)
    settled = _settled(exposed, converted, now, window)
    until = None if settled >= SETTLED_MIN or window is None else now - window
    judge = _judged_adaptive if plan.adaptive else _judged
    analysis, band = judge(facts, spec, plan, _People(exposed, converted, now, until))
    return TrialResult(
        plan=plan,
        variants=variants,
        analysis=analysis,
        band=band,
        crossovers=exposed.height - exposed["unit"].n_unique(),
        started_at=started_at,
        last_at=converted["at"].max(),  # pyright: ignore[reportArgumentType] - a datetime column
        settled=settled,
        guardrails={treatment: tuple(check_guardrails(spec, treatment)) for treatment in plan.treatments},
    )


@dataclass(frozen=True, slots=True)
class _People:
    """Exposed and converted people as of `now`. Who was exposed after `until` may still convert (None: hardly any)."""

    exposed: pl.DataFrame
    converted: pl.DataFrame
    now: datetime
    until: datetime | None


_Judged = tuple[Analysis, dict[str, tuple[BandPoint, ...]]]


def _judged(_facts: Facts, spec: ExperimentSpec, plan: TrialPlan, people: _People) -> _Judged:
    looks = _looks(plan, people.exposed, people.converted)
    counts = [[exposed.get(variant, 0) for variant in plan.weights] for _, exposed, _ in looks]
    split = watched_split(counts, [*plan.weights.values()])
    past = None if people.until is None else _past(plan, people.exposed, people.converted, people.until)
    analysis = analyze(spec, now=people.now, minimum_run=plan.minimum_run, split=split, settled=past)
    return analysis, _band(plan, looks)


def _judged_adaptive(facts: Facts, spec: ExperimentSpec, plan: TrialPlan, people: _People) -> _Judged:
    """While many may still convert, only people whose time has run out count for the evidence."""
    exposures = facts.records(plan.run_id, "exposed", plan.node_id)
    waves = waves_of(exposures, people.converted, plan.node_id, until=people.until)
    analysis = analyze_adaptive(spec, [wave for _, wave in waves], now=people.now, minimum_run=plan.minimum_run)
    return analysis, {treatment: tuple(adaptive_band(waves, spec, treatment)) for treatment in plan.treatments}


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
        guardrails=tuple(
            _guardrail(kind, variants) for kind in GUARDRAILS if any(v.harmed.get(kind) for v in variants)
        ),
    )


def people_of(facts: Facts, plan: TrialPlan, accounts: pl.DataFrame | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Exposed and converted units: `unit, variant, contact_id, arms, at, value`, one row per unit and variant.

    A unit is a contact, or by the plan a key or an account (then `contact_id` is one of its people). Who converted in a
    variant without having been exposed to it is left out.
    """
    exposed = _first(_values(facts, plan, "exposed", accounts), plan.node_id)
    converted = _first(_values(facts, plan, "converted", accounts), plan.node_id)
    return exposed, converted.join(exposed.select("unit", "variant"), on=["unit", "variant"], how="semi")


def _values(facts: Facts, plan: TrialPlan, kind: str, accounts: pl.DataFrame | None) -> pl.DataFrame:
    node = plan.node_id if kind == "exposed" else None
    if plan.unit == "contact":
        return facts.contact_values(plan.run_id, kind, node).with_columns(pl.col("contact_id").alias("unit"))
    rows = facts.records(plan.run_id, kind, node).with_columns(pl.col("occurred_at").alias("first_at"))
    name = pl.col("key")
    if plan.unit == "account":
        known = (
            accounts if accounts is not None else pl.DataFrame(schema={"contact_id": pl.UInt32, "account": pl.String})
        )
        rows = rows.join(known.unique("contact_id"), on="contact_id", how="left")
        name = pl.col("account")
    alone = pl.col("contact_id").cast(pl.String)
    return rows.with_columns(pl.coalesce(pl.lit("name:") + name, alone).alias("unit"))


def _guardrail(kind: str, variants: tuple[VariantResult, ...]) -> Guardrail:
    arms = tuple(Variant(v.id, Proportion(v.people, min(v.people, v.harmed.get(kind, 0)))) for v in variants)
    return Guardrail(name=GUARDRAILS[kind], margin=GUARDRAIL_MARGIN, variants=arms, harm="increase", until_proven=True)


def _first(values: pl.DataFrame, node_id: str) -> pl.DataFrame:
    return (
        values.with_columns(arm_of(node_id).alias("variant"))
        .drop_nulls("variant")
        .group_by("unit", "variant")
        .agg(
            pl.col("contact_id").min(),
            pl.col("arms").max(),
            pl.col("first_at").min().alias("at"),
            pl.col("value").fill_null(0.0).sum(),
        )
    )


def _variant(
    plan: TrialPlan,
    variant: str,
    exposed: pl.DataFrame,
    converted: pl.DataFrame,
    harmed: Mapping[tuple[str, str], int],
) -> VariantResult:
    people = exposed.filter(pl.col("variant") == variant).height
    buyers = converted.filter(pl.col("variant") == variant)
    counts = {kind: harmed.get((variant, kind), 0) for kind in GUARDRAILS}
    revenue = with_zeros(buyers["value"], people)
    return VariantResult(variant, plan.values.get(variant, variant), people, buyers.height, revenue, counts)


def _harmed(facts: Facts, plan: TrialPlan) -> dict[tuple[str, str], int]:
    """(variant, kind) → different people of the variant who unsubscribed or complained."""
    groups: dict[tuple[str, str], list[People]] = {}
    for (kind, arms), people in facts.people(plan.run_id, tuple(GUARDRAILS), ("kind", "arms")).items():
        variant = variant_of(plan.node_id, arms)
        if variant is not None:
            groups.setdefault((variant, kind), []).append(people)
    return {key: united(found) for key, found in groups.items()}


def _settled(exposed: pl.DataFrame, converted: pl.DataFrame, now: datetime, window: timedelta | None) -> float:
    """The share of the conversions to expect of these people that have happened.

    How long conversions take is read off the people whose window has closed; 0 while there are none.
    """
    if window is None or exposed.is_empty():
        return 1.0
    people = exposed.select("unit", "variant", "at").join(
        converted.select("unit", "variant", pl.col("at").alias("converted_at")),
        on=["unit", "variant"],
        how="left",
    )
    is_open = pl.col("at") + window > now
    past, waiting = people.filter(~is_open), people.filter(is_open & pl.col("converted_at").is_null())
    if waiting.is_empty():
        return 1.0
    delays = past.select((pl.col("converted_at") - pl.col("at")).alias("delay"))["delay"].drop_nulls().sort()
    if past.is_empty() or delays.is_empty():
        return 0.0
    ages = waiting.select((pl.lit(now) - pl.col("at")).cast(delays.dtype).alias("age"))["age"]
    so_far = delays.search_sorted(ages, "right").cast(pl.Int64)
    # Of those who had not converted by that age either.
    later = (delays.len() - so_far).cast(pl.Float64) / (past.height - so_far).clip(1)
    happened = people["converted_at"].count()
    return happened / (happened + float(later.sum()))


def _past(plan: TrialPlan, exposed: pl.DataFrame, converted: pl.DataFrame, until: datetime) -> dict[str, Arm]:
    """The arms of the people exposed by then."""
    known = exposed.filter(pl.col("at") <= until)
    bought = known.join(converted, on=["unit", "variant"], how="semi")
    of = pl.col("variant")
    return {v: Proportion(known.filter(of == v).height, bought.filter(of == v).height) for v in plan.weights}


_Counts = tuple[datetime, dict[str, int], dict[str, int]]


def _looks(plan: TrialPlan, exposed: pl.DataFrame, converted: pl.DataFrame) -> list[_Counts]:
    """People and converted people by variant at each moment of the chart."""
    if exposed.is_empty():
        return []
    moments = _look_times(exposed["at"].min(), max(exposed["at"].max(), converted["at"].max() or exposed["at"].max()))
    people, buyers = (_counts(plan, frame, moments) for frame in (exposed, converted))
    return list(zip(moments, people, buyers, strict=True))


def _counts(plan: TrialPlan, frame: pl.DataFrame, moments: list[datetime]) -> list[dict[str, int]]:
    """How many rows each variant had by each moment."""
    at = pl.Series(moments, dtype=frame["at"].dtype)
    by_variant = {v: frame.filter(pl.col("variant") == v)["at"].sort().search_sorted(at, "right") for v in plan.weights}
    return [{variant: int(found[look]) for variant, found in by_variant.items()} for look in range(len(moments))]


def _band(plan: TrialPlan, looks: list[_Counts]) -> dict[str, tuple[BandPoint, ...]]:
    if not looks:
        return {}
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
                treatments=len(plan.treatments),
                strict=plan.mode == "strict",
                control_share=plan.weights[plan.control]
                / max(plan.weights[plan.control] + plan.weights[treatment], 1e-12),
            )
        )
        for treatment in plan.treatments
    }


def _look_times(start: datetime, end: datetime) -> list[datetime]:
    step = max((end - start) / MAX_LOOKS, timedelta(minutes=1))
    count = max(1, round((end - start) / step))
    return [start + step * index for index in range(1, count)] + [end]
