"""`studio run --dry-run`: what would happen, without anything happening."""

from __future__ import annotations

from studio.cli.output import Output, table
from studio.domain.workflow import Workflow
from studio.workspace.rehearsals import DryRun
from studio.workspace.runs import RunOptions
from studio.workspace.workspace import Workspace


def dry_run(workspace: Workspace, workflow: Workflow, options: RunOptions, workflow_id: str | None, out: Output) -> int:
    """Says what the run would do; the exit code."""
    found = workspace.rehearsals.dry_run(workflow, options, workflow_id=workflow_id)
    out.document(found, _in_words(found))
    return 0


def _in_words(found: DryRun) -> str:
    steps = [
        (step.label, step.came, ", ".join(f"{port} {count:,}" for port, count in step.ways.items() if count))
        for step in found.steps
    ]
    sends = [(s.label, s.messages, s.first_at, s.cost, "about" if s.estimated else "") for s in found.sends]
    lines = [
        found.finding,
        table(steps, ("step", "people", "go on through")),
        table(sends, ("message", "messages", "first at", "cost", "")),
    ]
    for send in found.sends:
        for kind, held in (("held back", send.blocked), ("later", send.deferred), ("failed", send.failed)):
            lines += [f"{send.label}: {h.count:,} {kind}: {h.words} [{h.reason}]" for h in held]
    lines += [f"! {step.label}: {problem}" for step in found.steps for problem in step.problems]
    return "\n".join(lines)
