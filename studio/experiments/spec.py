"""What an analysis is asked: the plan that was frozen at the start, and the statistics of each variant today.

Absent on purpose: reading and checking files (`spec_file`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeAlias

from studio.experiments.covariates import adjust
from studio.experiments.moments import Arm, Mean

Metric: TypeAlias = Literal["proportion", "mean", "ratio"]
Mode: TypeAlias = Literal["anytime", "fixed", "strict"]
Harm: TypeAlias = Literal["increase", "decrease", "either"]


@dataclass(frozen=True, slots=True)
class Variant:
    """One arm; `weight` is its planned share on any scale, 0 for an arm that gets nobody."""

    id: str
    arm: Arm
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrail:
    """Something that must not get worse by more than `margin`, a share of the control's value (0.05 = 5 %).

    `harm` says which direction is worse; "either" allows no movement beyond the margin at all. `until_proven`: passes
    unless harm beyond the margin is proven, instead of only when it is ruled out; for rare things such as complaints.
    """

    name: str
    margin: float
    variants: tuple[Variant, ...]
    harm: Harm = "either"
    until_proven: bool = False

    def arm(self, variant_id: str) -> Arm:
        """The arm with this id, which `spec_file` has checked to be there."""
        return next(variant.arm for variant in self.variants if variant.id == variant_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentSpec:
    """One experiment at one look. `planned_total` (N*) counts all arms; `mde` is the smallest effect that matters."""

    metric: Metric
    control: str
    variants: tuple[Variant, ...]
    planned_total: int
    alpha: float = 0.05
    mde: float | None = None
    started_at: datetime | None = None
    mode: Mode = "anytime"
    guardrails: tuple[Guardrail, ...] = ()

    @property
    def control_variant(self) -> Variant:
        return next(variant for variant in self.variants if variant.id == self.control)

    @property
    def treatments(self) -> tuple[Variant, ...]:
        return tuple(variant for variant in self.variants if variant.id != self.control)

    @property
    def level(self) -> float:
        """Alpha per treatment. All treatments count, also a retired one: retiring must not loosen the test."""
        return self.alpha / len(self.treatments)

    @property
    def total(self) -> int:
        """Contacts in all arms."""
        return sum(variant.arm.n for variant in self.variants)

    def adjusted(self) -> ExperimentSpec:
        """The same with outcomes corrected by their covariates, where every arm has one."""
        guardrails = tuple(replace(guardrail, variants=_adjusted(guardrail.variants)) for guardrail in self.guardrails)
        return replace(self, variants=_adjusted(self.variants), guardrails=guardrails)


def _adjusted(variants: tuple[Variant, ...]) -> tuple[Variant, ...]:
    means = [variant.arm for variant in variants if isinstance(variant.arm, Mean)]
    if len(means) < len(variants):
        return variants
    return tuple(replace(variant, arm=arm) for variant, arm in zip(variants, adjust(means), strict=True))


def control_share(control: Variant, treatment: Variant) -> float:
    """The planned share of the control among the two; a half when neither gets anybody now."""
    both = control.weight + treatment.weight
    return control.weight / both if both > 0 else 0.5
