"""What analytics asks the store for, as a Protocol, and the shape of a measured workflow.

Every answer counts only what has happened by the run's clock: events from outside that lie in its future are not asked
for here, because only events a run recorded itself (`run_id` set) are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol, Self

import polars as pl

from studio.domain.duration import parse_duration
from studio.domain.workflow import Workflow
from studio.frames.instances import arm_of

By = Literal["run_id", "kind", "node_id", "arms", "actor", "detail"]
SumBy = Literal["run_id", "kind", "node_id", "arms", "actor", "detail", "currency", "hour"]


class People(Protocol):
    """A set of contacts."""

    def __len__(self) -> int: ...

    def __or__(self, other: Self, /) -> Self: ...

    def __and__(self, other: Self, /) -> Self: ...

    def __sub__(self, other: Self, /) -> Self: ...


class Facts(Protocol):
    """The projections of the store."""

    def rollup(
        self,
        run_ids: Sequence[str] | None = None,
        kinds: Sequence[str] | None = None,
        node_ids: Sequence[str] | None = None,
    ) -> pl.DataFrame:
        """`run_id, node_id, kind, arms, actor, detail, currency, hour, count, value`, exact at this instant."""
        ...

    def sums(
        self,
        by: Sequence[SumBy],
        run_ids: Sequence[str] | None = None,
        kinds: Sequence[str] | None = None,
        node_ids: Sequence[str] | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> pl.DataFrame:
        """The columns of `by`, `count`, `value`: a row per key, ordered. Whole hours; `until` is not included."""
        ...

    def events(
        self,
        columns: Sequence[str],
        kinds: Sequence[str],
        run_id: str | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> pl.LazyFrame:
        """Raw events, lazily, in no particular order; `run_id` "" is from outside, None is everything."""
        ...

    def people(
        self,
        run_id: str | None,
        kinds: Sequence[str] | None = None,
        by: Sequence[By] = ("kind",),
        node_ids: Sequence[str] | None = None,
    ) -> Mapping[tuple[str, ...], People]:
        """The different contacts that have such events, by the values of `by`: sets that unite with `|`."""
        ...

    def contact_values(self, run_id: str, kind: str, node_id: str | None = None) -> pl.DataFrame:
        """`contact_id, arms, count, value, first_at`: one row per contact and arms."""
        ...

    def records(self, run_id: str, kind: str, node_id: str | None = None) -> pl.DataFrame:
        """`contact_id, key, arms, occurred_at, value, properties` of each such event of a run, in order of time."""
        ...


class RunFacts:
    """The facts of one run for one answer: its rollup is fetched once, however many figures ask for a part of it.

    Everything else is the facts' own.
    """

    def __init__(self, facts: Facts, run_id: str) -> None:
        self._run_id = run_id
        self._fetch = facts.rollup
        self._rollup: pl.DataFrame | None = None
        self.sums, self.events, self.people = facts.sums, facts.events, facts.people
        self.contact_values, self.records = facts.contact_values, facts.records

    def rollup(
        self,
        run_ids: Sequence[str] | None = None,
        kinds: Sequence[str] | None = None,
        node_ids: Sequence[str] | None = None,
    ) -> pl.DataFrame:
        """As the facts' own, for this run."""
        assert run_ids is not None, "these are the facts of one run"
        assert list(run_ids) == [self._run_id], "these are the facts of one run"
        if self._rollup is None:
            self._rollup = self._fetch([self._run_id])
        rows = self._rollup
        for column, wanted in (("kind", kinds), ("node_id", node_ids)):
            if wanted is not None:
                rows = rows.filter(pl.col(column).is_in(list(wanted)))
        return rows


HELD = "held"
"""The variant name that `exp.holdout` gives to people who get nothing."""


@dataclass(frozen=True, slots=True)
class Design:
    """Which nodes of a workflow are experiments, holdout and goal, read off the graph."""

    goal: str | None
    goal_kind: str
    holdout: str | None
    splits: tuple[str, ...] = ()
    cost_per_message: float | None = None
    currency: str = "EUR"
    sends: tuple[str, ...] = ()
    goal_window: timedelta | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, workflow: Workflow) -> Design:
        """The design of a workflow whose bound parameters hold plain values."""
        by_type: dict[str, list[str]] = {}
        for node in workflow.nodes:
            if node.enabled:
                by_type.setdefault(node.type, []).append(node.id)
        goals, holdouts = by_type.get("flow.goal", []), by_type.get("exp.holdout", [])
        watched = workflow.bound(workflow.node(goals[0])) if goals else {}
        cost = workflow.settings.cost_per_message or {}
        amount = cost.get("amount")
        return cls(
            goal=goals[0] if goals else None,
            goal_kind=str(watched.get("event", "order")),
            holdout=holdouts[0] if holdouts else None,
            splits=tuple(by_type.get("exp.split", [])),
            cost_per_message=float(amount) if isinstance(amount, (int, float)) else None,
            currency=str(cost.get("currency") or workflow.settings.currency),
            sends=tuple(node_id for kind, ids in by_type.items() if kind.startswith("send.") for node_id in ids),
            goal_window=_window(watched.get("window")),
            labels={node.id: node.label or node.id for node in workflow.nodes},
        )


def _window(text: object) -> timedelta | None:
    try:
        return parse_duration(text) if isinstance(text, str) else None
    except ValueError:
        return None


def is_held(design: Design) -> pl.Expr:
    """Whether `arms` says the person was held out; false where there is no holdout."""
    if design.holdout is None:
        return pl.lit(value=False)
    return arm_of(design.holdout).eq_missing(HELD)


def is_treated(design: Design) -> pl.Expr:
    """Whether the person counts as treated: everybody without a holdout; with one, who met it and was not held out.

    Who left before the holdout (bought without a reminder) is neither: nothing was done for him, and he is in no arm.
    """
    if design.holdout is None:
        return pl.lit(value=True)
    return arm_of(design.holdout).is_not_null() & ~is_held(design)


def held_arms(design: Design, arms: str) -> bool:
    """`is_held` of one value of `arms`."""
    return design.holdout is not None and variant_of(design.holdout, arms) == HELD


def treated_arms(design: Design, arms: str) -> bool:
    """`is_treated` of one value of `arms`."""
    return design.holdout is None or variant_of(design.holdout, arms) not in (None, HELD)


def variant_of(node_id: str, arms: str) -> str | None:
    """The variant of one experiment in a value of `arms`; None for who never met it."""
    parts = dict(part.split("=", 1) for part in arms.split("|") if "=" in part)
    return parts.get(node_id)


def union(groups: Iterable[People]) -> People | None:
    """The contacts of all sets together; None of none."""
    whole: People | None = None
    for group in groups:
        whole = group if whole is None else whole | group
    return whole


def united(groups: Iterable[People]) -> int:
    """How many different contacts the sets hold together."""
    whole = union(groups)
    return 0 if whole is None else len(whole)
