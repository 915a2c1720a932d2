"""`studio runs`: which runs there are, and one of them step by step.

A list needs no engine and no figures, so a module of its own spares it the second they take to load.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict

from studio.cli.output import Output, table
from studio.cli.session import Session, common
from studio.domain.errors import UserFixable

INTERRUPTED = "Interrupted, and goes on where it stands with"


def add(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser("runs")
    command.add_argument("verb", nargs="?", choices=["list", "show"], default="list")
    command.add_argument("run_id", nargs="?", metavar="RUN")
    common(command)
    command.set_defaults(run=_runs)


def _runs(arguments: argparse.Namespace, out: Output) -> int:
    return _show(arguments, out) if arguments.verb == "show" else _list(arguments, out)


def _show(arguments: argparse.Namespace, out: Output) -> int:
    if arguments.run_id is None:
        raise UserFixable("USAGE", "Which run?", hint="See: studio runs")
    from studio.cli.reporting import in_words  # noqa: PLC0415 - a list needs no figures

    with Session(arguments) as workspace:
        is_cut_off = workspace.known_runs.is_interrupted(workspace.known_runs.get(arguments.run_id))
        report = workspace.known_runs.report(arguments.run_id)
    said = f"{INTERRUPTED}: studio resume {arguments.run_id}\n" if is_cut_off else ""
    out.document({**report.as_json(), "interrupted": is_cut_off}, said + in_words(report))
    return 0


def _list(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        rows = [(row, workspace.known_runs.is_interrupted(row)) for row in workspace.known_runs.list()]
    heads = ("run", "workflow", "mode", "state", "started", "clock")
    lines = [(r.run_id, r.name, r.mode, "interrupted" if cut else r.state, r.started_at, r.at) for r, cut in rows]
    words = f"\n{INTERRUPTED}: studio resume RUN" if any(cut for _, cut in rows) else ""
    out.document([{**asdict(run), "interrupted": is_cut_off} for run, is_cut_off in rows], table(lines, heads) + words)
    return 0
