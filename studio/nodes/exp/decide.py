"""`exp.decide`: asks what an A/B test of this workflow has shown so far, and sends people who come now to the winner.

Put behind a wait it is how a part of the people tests and the rest gets what won. What is decided once stays decided.
Shares that move by themselves are the test's own (`exp.split`, adaptive). Absent on purpose: statistics
(`experiments`), and writing the winner into a template (`workspace/deciding.py`, when the step asks for it).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import polars as pl
from pydantic import BaseModel, Field, field_validator

from studio.domain.errors import Problem
from studio.domain.node import Declaration, NodeContext, Outcome, Parameters
from studio.domain.spelling import nearest
from studio.domain.workflow import Workflow
from studio.experiments.moments import Proportion
from studio.experiments.spec import ExperimentSpec, Variant
from studio.frames.instances import arm_of
from studio.nodes.parameters import Duration, EventKind, PortId, distinct_ports

if TYPE_CHECKING:
    from studio.experiments.result import Analysis

UNDECIDED = "undecided"
_AT_ONCE = timedelta(0)


class Arm(Parameters):
    """One variant of the test."""

    id: PortId = Field(title="Short name", description="As in the A/B test, such as A; it becomes an output.")
    weight: Annotated[float, Field(gt=0, le=1_000_000)] = Field(
        default=1.0, title="Weight", description="As in the A/B test: how large a part it gets."
    )


class DecideParameters(Parameters):
    """What `exp.decide` can be told."""

    test: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")] = Field(
        title="A/B test", description="The id of the A/B test step whose result is asked for."
    )
    variants: Annotated[tuple[Arm, ...], Field(min_length=2, max_length=20)] = Field(
        title="Variants",
        description="Those of the test, the control first.",
        json_schema_extra={"widget": "conditions"},
    )
    metric: EventKind = Field(
        default="converted",
        title="What counts",
        description="The event of this run that is success: converted (the goal), clicked, opened.",
    )
    method: Literal["proof", "planned", "likely", "ahead"] = Field(
        default="proof",
        title="Decides when",
        description=(
            "Proof holds however often one looks; what is likely has the chance asked for; being ahead proves nothing."
        ),
        json_schema_extra={
            "words": {
                "proof": "A winner is proven",
                "planned": "It is proven and the planned people are in",
                "likely": "One is most likely the best",
                "ahead": "Whatever is ahead",
            }
        },
    )
    alpha: Annotated[float, Field(gt=0, le=0.5)] = Field(
        default=0.05,
        title="Risk of being wrong",
        description="How often a difference that is none may be taken for one.",
        json_schema_extra={"unit": "share", "widget": "rate"},
    )
    planned: Annotated[int, Field(ge=100, le=100_000_000)] = Field(
        default=10_000, title="Planned people", description="In all variants together; at what size proof is sharpest."
    )
    least_people: Annotated[int, Field(ge=1, le=10_000_000)] = Field(
        default=500, title="Least people", description="In each variant, before anything is decided."
    )
    least_time: Duration = Field(
        default=timedelta(days=7), title="Least time", description="Since the first person met the test."
    )
    guardrails: Annotated[tuple[EventKind, ...], Field(max_length=5)] = Field(
        default=("unsubscribed", "complained"),
        title="Must not rise",
        description="Events that keep a winner from being one when it provably brings more of them.",
    )
    promote: bool = Field(
        default=False,
        title="Write the winner into the template",
        description="When it is proven and the run is no simulation; the template's history can take it back.",
    )

    @field_validator("variants")
    @classmethod
    def _distinct(cls, variants: tuple[Arm, ...]) -> tuple[Arm, ...]:
        distinct_ports((variant.id for variant in variants), (UNDECIDED,))
        return variants


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is decided: the variant that goes on, and since when. `why`: sentences for a person."""

    variant: str
    at: datetime
    why: tuple[str, ...] = ()

    def to_note(self) -> str:
        """As the step remembers it."""
        return json.dumps({"variant": self.variant, "at": self.at.isoformat(), "why": self.why}, ensure_ascii=False)


def verdict_of(note: str) -> Verdict | None:
    """What a step remembers; None while nothing is decided."""
    found = json.loads(note) if note else None
    return found and Verdict(found["variant"], datetime.fromisoformat(found["at"]), tuple(found["why"]))


class Decide:
    """Everybody goes out through the winner's output with `var.winner`, or through `undecided`."""

    declaration: ClassVar[Declaration] = Declaration(
        id="exp.decide",
        version=1,
        title="Decide a test",
        summary="Sends people to the variant that has won an A/B test of this workflow.",
        group="Experiments",
        icon="flask-conical",
        role="pure",
    )
    Parameters: ClassVar[type[BaseModel]] = DecideParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, DecideParameters)
        self.parameters = parameters
        self._variants = tuple(variant.id for variant in parameters.variants)

    def outputs(self) -> tuple[str, ...]:
        return (*self._variants, UNDECIDED)

    def dangling(self, workflow: Workflow) -> list[Problem]:
        """A test that the workflow does not have, or variants that the test does not have: nothing would be decided."""
        tests = {node.id: node for node in workflow.nodes if node.type == "exp.split"}
        test = self.parameters.test
        if test not in tests:
            hint = nearest(test, tests) or "Name the id of an A/B test step."
            return [Problem("TEST-UNKNOWN", f"There is no A/B test “{test}” in this workflow.", hint, field="test")]
        found = workflow.bound(tests[test]).get("variants")
        known = {str(one.get("id")) for one in found if isinstance(one, dict)} if isinstance(found, list) else set()
        return [
            Problem(
                "TEST-VARIANT", f"The test “{test}” has no variant “{name}”.", nearest(name, known), field="variants"
            )
            for name in self._variants
            if name not in known
        ]

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:
        known = verdict_of(context.note)
        if known is not None and known.variant in self._variants:
            return Outcome(out={known.variant: _with_winner(batch, known.variant)})
        verdict, problem = self._look(context)
        if verdict is None:
            return Outcome(out={UNDECIDED: batch}, problems=() if problem is None else (problem,))
        return Outcome(out={verdict.variant: _with_winner(batch, verdict.variant)}, note=verdict.to_note())

    def _look(self, context: NodeContext) -> tuple[Verdict | None, Problem | None]:
        """What the run's own events say now. O(exposures and outcomes of the run)."""
        parameters = self.parameters
        kinds = tuple(dict.fromkeys(("exposed", parameters.metric, *parameters.guardrails)))
        events = context.events.rows(kinds, since=context.started_at, run_id=context.run_id)
        met = events.with_columns(arm_of(parameters.test).alias("variant"))
        met = met.filter(pl.col("variant").is_in(list(self._variants)))
        exposed = met.filter((pl.col("kind") == "exposed") & (pl.col("node_id") == parameters.test))
        people = _units(exposed)
        first = exposed.get_column("occurred_at").min()
        if not isinstance(first, datetime) or context.now - first < parameters.least_time:
            return None, None
        if min(people.get(variant, 0) for variant in self._variants) < parameters.least_people:
            return None, None
        from studio.experiments.analyze import analyze  # noqa: PLC0415 - loads scipy, which most runs never need

        analysis = analyze(self._spec(met, people, parameters.metric), now=context.now, minimum_run=_AT_ONCE)
        if analysis.srm.blocked:
            text = "The test's people are not divided as its weights say, so nothing is decided."
            hint = "Look whether this step has the weights of the test, and what stands between them."
            return None, Problem("TEST-SPLIT", text, hint)
        variant = self._chosen(analysis, met, people)
        for kind in parameters.guardrails:
            # In absolute terms: of rare events a share of the control's says nothing.
            found = analyze(self._spec(met, people, kind, apart=1)).comparisons
            if any(c.variant == variant and (c.ship.lower_bound or 0.0) > 0 for c in found):
                text = f"“{variant}” would win, but it brings more “{kind}”, so nothing is decided."
                return None, Problem("TEST-HARM", text, "Look at the test; decide it there, or choose another variant.")
        return (None if variant is None else Verdict(variant, context.now, analysis.decision.reasons)), None

    def _spec(self, met: pl.DataFrame, people: dict[str, int], kind: str, apart: int = 0) -> ExperimentSpec:
        return ExperimentSpec(
            metric="proportion",
            control=self._variants[0],
            variants=self._arms(met, people, kind, apart),
            planned_total=self.parameters.planned,
            alpha=self.parameters.alpha,
            mode="fixed" if self.parameters.method == "planned" else "anytime",
        )

    def _arms(self, met: pl.DataFrame, people: dict[str, int], kind: str, apart: int = 0) -> tuple[Variant, ...]:
        """`apart`: how far counts are kept from none and from all, where nothing could be said of a spread of zero."""
        hits = _units(met.filter(pl.col("kind") == kind))
        counts = {v: max(min(hits.get(v, 0), people[v] - apart), apart) for v in self._variants}
        return tuple(
            Variant(arm.id, Proportion(people[arm.id], counts[arm.id]), arm.weight) for arm in self.parameters.variants
        )

    def _chosen(self, analysis: Analysis, met: pl.DataFrame, people: dict[str, int]) -> str | None:
        control, decision = self._variants[0], analysis.decision
        if self.parameters.method in ("proof", "planned"):
            is_over = self.parameters.method == "proof" or sum(people.values()) >= self.parameters.planned
            if decision.verdict == "ship" and is_over:
                return decision.variant
            # Where a treatment does harm, or nobody will find a difference any more, what there is stays.
            return control if decision.verdict in ("stop_harm", "stop_futile") else None
        if self.parameters.method == "likely":
            best, chance = max(analysis.bayes_best.items(), key=lambda item: item[1] or 0.0)
            return best if (chance or 0.0) >= 1 - self.parameters.alpha else None
        arms = self._arms(met, people, self.parameters.metric)
        return _ahead([(arm.id, arm.arm) for arm in arms if isinstance(arm.arm, Proportion)])


def _ahead(arms: Sequence[tuple[str, Proportion]]) -> str:
    """The highest rate; of equal ones the first."""
    return max(arms, key=lambda item: item[1].successes / item[1].n)[0]


def _units(events: pl.DataFrame) -> dict[str, int]:
    """Variant → distinct people, or people and keys."""
    return dict(events.group_by("variant").agg(pl.struct("contact_id", "key").n_unique()).iter_rows())


def _with_winner(batch: pl.DataFrame, variant: str) -> pl.DataFrame:
    return batch.with_columns(pl.repeat(variant, pl.len(), dtype=pl.String).alias("var.winner"))
