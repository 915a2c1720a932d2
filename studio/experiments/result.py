"""The answer of an analysis, in the shape that the command line prints and the screens show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias

from studio.experiments.anytime import AnytimeResult, ShipBound
from studio.experiments.bayes import BayesResult
from studio.experiments.exact import ExactResult
from studio.experiments.fixed import FixedResult
from studio.experiments.srm import SampleRatio
from studio.experiments.strict import StrictResult

Verdict: TypeAlias = Literal["ship", "keep_running", "stop_harm", "stop_futile", "blocked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One treatment against the control. Effects are absolute in the metric's unit, lifts relative."""

    variant: str
    effect: float | None
    lift: float | None
    fixed: FixedResult
    anytime: AnytimeResult
    ship: ShipBound
    strict: StrictResult
    exact: ExactResult
    bayes: BayesResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do now; `variant` is the one to ship or the one that does harm, `reasons` are sentences for a person."""

    verdict: Verdict
    variant: str | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """`bayes_best` maps each variant to its chance of being the best."""

    srm: SampleRatio
    comparisons: tuple[Comparison, ...]
    bayes_best: Mapping[str, float | None]
    decision: Decision

    def as_json(self) -> dict[str, object]:
        """Plain dicts, lists, numbers and None, field by field as the contract of the command line names them."""
        return {key: _plain(value) for key, value in asdict(self).items()}


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return value
