"""What a command says of a run it has taken on: progress while it goes, the report when its leg has ended."""

from __future__ import annotations

from studio.cli.output import Output, table
from studio.domain.diagnosis import command, diagnose
from studio.domain.errors import UserFixable
from studio.domain.run import StepProblem
from studio.domain.spelling import nearest
from studio.workspace.reports import RunReport
from studio.workspace.workspace import Workspace


def finish(workspace: Workspace, run_id: str, out: Output) -> int:
    """Waits until the leg has ended and reports; the exit code."""
    row = workspace.runs.get(run_id)
    if row.clock == "real":
        jump = "; --clock max jumps over waits" if row.mode == "test" else ""
        out.progress(f"{run_id} goes by the real clock. Ctrl+C leaves it, studio resume goes on{jump}.")
    workspace.runs.wait(run_id, progress=out.progress)
    report = workspace.runs.report(run_id)
    out.document(report.as_json(), in_words(report))
    return 1 if report.status == "failed" else 0


def known_step(workspace: Workspace, run_id: str, node_id: str | None) -> None:
    """Raises UserFixable when there is no such run, or no such step in it."""
    steps = {node.id: node for node in workspace.known_runs.workflow_of(run_id).nodes}
    if node_id is not None and node_id not in steps:
        hint = nearest(node_id, steps) or f"Its steps are: {', '.join(steps)}."
        raise UserFixable("NODE-UNKNOWN", f"Run {run_id} has no step “{node_id}”.", where="--node", hint=hint)


def in_words(report: RunReport) -> str:
    """A run, step by step, for a person."""
    heads = ("step", "type", "state", "in", "out", "failed", "quarantined", "ms")
    rows = [
        (s.label, s.type, s.state, s.arrived, s.left, s.failed, s.quarantined, round(s.duration_ms))
        for s in report.steps
    ]
    lines = [f"Run {report.run_id}: {report.status}, {report.contacts:,} contacts, {report.duration_s:.1f} s"]
    if report.message:
        lines.append(f"{report.message} {report.hint}".strip())
    counts = [f"{state} {count:,}" for state, count in report.outbox.items()]
    lines += [
        table(rows, heads),
        "Outbox: " + (", ".join(counts) if any(report.outbox.values()) else "empty; a simulation sends nothing"),
    ]
    lines += [line for s in report.steps for problem in s.problems for line in _problem(problem, report.run_id, s.node)]
    return "\n".join(lines)


def _problem(problem: StepProblem, run_id: str, node_id: str) -> list[str]:
    lines = [f"! {problem.message} ({problem.count:,}) {problem.hint}"]
    cause = diagnose(problem.code, problem.message)
    if cause.is_known:
        typed = command(cause, run_id, node_id)
        lines.append(f"  {cause.title}: {cause.cause} {cause.remedy}{f' Type: {typed}' if typed else ''}")
    return lines
