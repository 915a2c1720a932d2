"""Two runs side by side, step by step: how many came, went on, were written to and failed in the one and in the other.

Absent on purpose: judging what differs (`comparison.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

from studio.domain.run import RunView, StepView
from studio.domain.workflow import Workflow, topological_order


@dataclass(frozen=True, slots=True)
class StepFigures:
    """One step of one run; people, each once per visit. `sent`: messages."""

    came: int
    went_on: int
    waiting: int
    sent: int
    failed: int


@dataclass(frozen=True, slots=True)
class StepPair:
    """A step in both runs; None where the run's version has no such step."""

    node: str
    a: StepFigures | None
    b: StepFigures | None


def side_by_side(a: tuple[Workflow, RunView], b: tuple[Workflow, RunView]) -> tuple[StepPair, ...]:
    """Every step of either run, in the order of the second's workflow; steps that only the first has come last."""
    in_a, in_b = ({node.id for node in workflow.nodes} for workflow, _view in (a, b))
    order = [*(n for n in _ordered(b[0]) if n in in_b), *(n for n in _ordered(a[0]) if n not in in_b)]
    return tuple(
        StepPair(
            node,
            _figures(a[1].step(node)) if node in in_a else None,
            _figures(b[1].step(node)) if node in in_b else None,
        )
        for node in order
    )


def _ordered(workflow: Workflow) -> list[str]:
    order, on_cycles = topological_order(workflow)
    return [*order, *on_cycles]


def _figures(step: StepView) -> StepFigures:
    came = step.arrived or step.left
    return StepFigures(came, step.left, step.waiting, step.sending.get("sent", 0), step.failed)
