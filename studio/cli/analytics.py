"""`studio analytics funnel` and `studio analytics kpis`: figures of one run, from rollups."""

from __future__ import annotations

import argparse
import time

from studio.cli.output import Output, table
from studio.cli.session import Session, common


def add(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("analytics", help="figures of a run")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    command = verbs.add_parser("funnel", help="how many people came how far")
    command.add_argument("run_id", nargs="?", metavar="RUN", help="the newest run unless said")
    command.add_argument("--by", choices=["variant"], help="one funnel per variant")
    common(command)
    command.set_defaults(run=_funnel)
    command = verbs.add_parser("kpis", help="revenue, return, reach, and what to keep an eye on")
    command.add_argument("run_id", nargs="?", metavar="RUN")
    common(command)
    command.set_defaults(run=_kpis)


def _funnel(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        run_id = arguments.run_id or workspace.runs.newest()
        before = time.perf_counter()
        funnels = workspace.insights.funnels(run_id) if arguments.by else (workspace.insights.funnel(run_id),)
        elapsed_ms = (time.perf_counter() - before) * 1_000
    rows = [
        (f.group or "everybody", step.title, step.people, step.share_of_entered, step.share_of_previous)
        for f in funnels
        for step in f.steps
    ]
    answer = {"run_id": run_id, "funnels": funnels, "elapsed_ms": elapsed_ms}
    out.document(answer, table(rows, ("group", "step", "people", "of entered", "of step before")))
    return 0


def _kpis(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        run_id = arguments.run_id or workspace.runs.newest()
        before = time.perf_counter()
        insight = workspace.insights.of_run(run_id)
        elapsed_ms = (time.perf_counter() - before) * 1_000
    answer = {
        "run_id": run_id,
        "finding": insight.finding,
        "kpis": insight.kpis,
        "return": insight.returned,
        "incremental_roi": insight.returned.incremental_roi,
        "elapsed_ms": elapsed_ms,
    }
    rows = [(k.title, k.value, k.unit, k.note) for k in insight.kpis]
    out.document(answer, f"{insight.finding}\n\n{table(rows, ('figure', 'value', 'unit', 'note'))}")
    return 0
