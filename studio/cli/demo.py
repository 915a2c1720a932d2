"""`studio demo`: the whole loop on a made-up shop, without a window here (with one, `__main__` opens the desktop)."""

from __future__ import annotations

import argparse

from studio.cli.output import Output, table
from studio.cli.session import common
from studio.workspace.demo import DemoReport, demo_folder, run_demo
from studio.workspace.workspace import Workspace


def add(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser("demo")
    command.add_argument("--headless", action="store_true", help="without a window")
    command.add_argument("--seed", type=int, default=7, metavar="N")
    common(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, out: Output) -> int:
    if not (arguments.headless or arguments.json):
        out.progress("There is no display here, so the demo runs without a window.")
    folder = demo_folder(arguments.workspace)
    with Workspace.open(folder) as workspace:
        report = run_demo(workspace, arguments.seed, out.progress)
    out.document(report.as_json(), _in_words(report, str(folder)))
    return 0 if report.run.status == "done" else 1


def _in_words(report: DemoReport, folder: str) -> str:
    steps = table(
        [(s.title, s.people, s.share_of_entered) for s in report.funnel.steps], ("step", "people", "of entered")
    )
    ranked = ", ".join(f"{r.template} ({r.band.replace('_', ' ')})" for r in report.recommendations)
    lines = [
        f"Recommended: {ranked}",
        f"Run {report.run.run_id} of {report.workflow_name}: {report.run.status}, {report.run.contacts:,} carts, "
        f"{report.run.duration_s:.1f} s for {report.days} days",
        "",
        steps,
        "",
        report.finding,
        f"Experiment: {report.decision.verdict.replace('_', ' ')} {report.decision.variant or ''}".rstrip(),
        *(f"  {reason}" for reason in report.decision.reasons),
    ]
    if report.promoted is not None:
        lines.append(
            f"Written back: {report.promoted.parameter} of {report.promoted.template}, "
            f"from “{report.promoted.from_value}” to “{report.promoted.to_value}” (undo: {report.promoted.undo_id})"
        )
    next_ranked = ", ".join(f"{r.template} {r.score:.2f}" for r in report.next_recommendations)
    lines += [f"Next ranking: {next_ranked}", f"The workspace: {folder}"]
    return "\n".join(lines)
