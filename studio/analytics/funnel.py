"""The funnel: how many different people came how far."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from studio.analytics.facts import Design, Facts, is_held
from studio.frames.instances import arm_of

STEPS = {
    "entered": "Entered",
    "sent": "Sent",
    "delivered": "Delivered",
    "opened": "Opened",
    "clicked": "Clicked",
    "converted": "Converted",
}


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """Different people at one step; shares are fractions of the first step and of the step before, None of zero."""

    kind: str
    title: str
    people: int
    share_of_entered: float | None
    share_of_previous: float | None


@dataclass(frozen=True, slots=True)
class Funnel:
    """Steps in order. `held` people entered but were kept out as the holdout; they count at no later step."""

    steps: tuple[FunnelStep, ...]
    held: int = 0
    group: str | None = None

    def people(self, kind: str) -> int:
        """People at one step; 0 for a step the funnel does not have."""
        return next((step.people for step in self.steps if step.kind == kind), 0)


def funnel(facts: Facts, run_id: str, design: Design) -> Funnel:
    """The run's funnel over everybody who was treated, with everybody who entered as its first step."""
    counts = _people(facts, run_id, design)
    return _funnel(
        dict(counts.group_by("kind").agg(pl.col("people").sum()).iter_rows()), held=_held(facts, run_id, design)
    )


def funnel_by(facts: Facts, run_id: str, design: Design, split: str) -> tuple[Funnel, ...]:
    """One funnel per variant of a split, from exposure on: only people who met the split are in it."""
    counts = facts.distinct(run_id, ["exposed", *STEPS], by=("kind", "node_id", "arms"))
    counts = counts.filter(~is_held(design)).with_columns(arm_of(split).alias("variant")).drop_nulls("variant")
    exposed = counts.filter((pl.col("kind") == "exposed") & (pl.col("node_id") == split))
    later = facts.distinct(run_id, list(STEPS), by=("kind", "arms")).with_columns(arm_of(split).alias("variant"))
    funnels = []
    for variant in sorted(exposed["variant"].unique()):
        here = later.filter(pl.col("variant") == variant)
        people = dict(here.group_by("kind").agg(pl.col("people").sum()).iter_rows())
        people["entered"] = int(exposed.filter(pl.col("variant") == variant)["people"].sum())
        funnels.append(_funnel(people, group=variant))
    return tuple(funnels)


def _people(facts: Facts, run_id: str, design: Design) -> pl.DataFrame:
    everybody = facts.distinct(run_id, ["entered"], by=("kind",))
    if design.holdout is None:
        return pl.concat([everybody, facts.distinct(run_id, [k for k in STEPS if k != "entered"], by=("kind",))])
    # Arms are disjoint people at the holdout, not at splits below it (a person may have two carts); so treated people
    # are all people of a kind less the held ones, which only `converted` can have.
    later = facts.distinct(run_id, [k for k in STEPS if k not in ("entered", "converted")], by=("kind",))
    converted = facts.contact_values(run_id, "converted")
    treated = converted.filter(~is_held(design))["contact_id"].n_unique()
    own = pl.DataFrame({"kind": ["converted"], "people": [treated]}, schema=later.schema)
    return pl.concat([everybody.cast(dict(later.schema)), later, own])


def _held(facts: Facts, run_id: str, design: Design) -> int:
    if design.holdout is None:
        return 0
    exposed = facts.distinct(run_id, ["exposed"], by=("node_id", "arms"))
    return int(exposed.filter((pl.col("node_id") == design.holdout) & is_held(design))["people"].sum())


def _funnel(people: dict[str, int], *, held: int = 0, group: str | None = None) -> Funnel:
    entered = int(people.get("entered", 0))
    steps, previous = [], None
    for kind, title in STEPS.items():
        count = int(people.get(kind, 0))
        steps.append(FunnelStep(kind, title, count, _share(count, entered), _share(count, previous)))
        previous = count
    return Funnel(tuple(steps), held, group)


def _share(part: int, whole: int | None) -> float | None:
    return part / whole if whole else None
