"""What a run did, in the form that the command line prints and other tools read.

Absent on purpose: folding events (domain) and counting (store).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from studio.domain.diagnosis import command, diagnose
from studio.domain.ports import RunRow
from studio.domain.run import RunView, StepProblem
from studio.domain.workflow import Workflow
from studio.workspace.peak_memory import peak_rss_mb

OUTBOX_STATES = ("sent", "failed", "in_doubt", "held", "blocked", "retry", "planned")


@dataclass(frozen=True, slots=True)
class StepReport:
    """One node of a run. Counts are instances."""

    node: str
    label: str
    type: str
    state: str
    arrived: int
    left: int
    failed: int
    quarantined: int
    waiting: int
    duration_ms: float
    attempts: int
    problems: tuple[StepProblem, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunReport:
    """A run as a whole. `contacts` entered (instances); `events` were recorded; MB are 10⁶ bytes."""

    run_id: str
    status: str
    contacts: int
    steps: tuple[StepReport, ...]
    outbox: Mapping[str, int]
    events: int
    duration_s: float
    peak_rss_mb: float | None
    message: str = ""
    hint: str = ""

    def as_json(self) -> dict[str, object]:
        """The contract's document."""
        return {
            "run_id": self.run_id,
            "status": self.status,
            "contacts": self.contacts,
            "steps": [_step_json(step, self.run_id) for step in self.steps],
            "outbox": dict(self.outbox),
            "events": self.events,
            "duration_s": round(self.duration_s, 3),
            "peak_rss_mb": self.peak_rss_mb,
            **({"message": self.message, "hint": self.hint} if self.message else {}),
        }


def run_report(
    run: RunRow,
    workflow: Workflow,
    view: RunView,
    outbox: Mapping[str, int],
    contacts: int,
    events: int,
    duration_s: float,
) -> RunReport:
    """The report of a run from its view, in the order of the workflow's nodes."""
    steps = []
    for node in workflow.nodes:
        step = view.step(node.id)
        steps.append(
            StepReport(
                node=node.id,
                label=node.label or node.id,
                type=node.type,
                state=step.state,
                arrived=step.arrived,
                left=step.left,
                failed=step.failed,
                quarantined=step.quarantined,
                waiting=step.waiting,
                duration_ms=step.duration_ms,
                attempts=step.attempts,
                problems=step.problems,
                figures=step.figures,
            )
        )
    counts = {
        "sent": 0,
        "failed": 0,
        "in_doubt": 0,
        "held": 0,
        **{s: c for s, c in outbox.items() if s in OUTBOX_STATES},
    }
    counts["sent"] += outbox.get("resolved_sent", 0)
    return RunReport(
        run.run_id,
        view.state,
        contacts,
        tuple(steps),
        counts,
        events,
        duration_s,
        peak_rss_mb(),
        view.message,
        view.hint,
    )


def _step_json(step: StepReport, run_id: str) -> dict[str, object]:
    answer: dict[str, object] = {
        "node": step.node,
        "type": step.type,
        "state": step.state,
        "in": step.arrived,
        "out": step.left,
        "failed": step.failed,
        "quarantined": step.quarantined,
        "waiting": step.waiting,
        "duration_ms": round(step.duration_ms, 3),
        "attempts": step.attempts,
    }
    if step.figures:
        answer["figures"] = dict(step.figures)
    if step.problems:
        answer["problems"] = [
            {"code": p.code, "message": p.message, "hint": p.hint, "count": p.count, "action": p.action}
            | {"diagnosis": diagnosis_json(p, run_id, step.node)}
            for p in step.problems
        ]
    return answer


def diagnosis_json(problem: StepProblem, run_id: str, node_id: str) -> dict[str, object] | None:
    """The cause of a problem from the catalogue, with what to type against it; None where it has none."""
    cause = diagnose(problem.code, problem.message)
    if not cause.is_known:
        return None
    told = {name: getattr(cause, name) for name in ("id", "title", "cause", "whom", "remedy", "action")}
    return {**told, "command": command(cause, run_id, node_id)}
