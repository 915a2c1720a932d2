"""`studio move`: the people who wait in a run go on in a new version of its workflow."""

from __future__ import annotations

import argparse
from pathlib import Path

from studio.cli.output import Output, table
from studio.cli.session import Session, common, settings
from studio.workspace.workflows import read_workflow


def add(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser("move")
    command.add_argument("run_id", metavar="RUN")
    command.add_argument("workflow", type=Path, metavar="WORKFLOW", help="the new version")
    command.add_argument("--preview", action="store_true", help="only say what would become of everybody")
    command.add_argument("--to", action="append", metavar="STEP=STEP", help="where the people of a step go")
    common(command)
    command.set_defaults(run=_move)


def _move(arguments: argparse.Namespace, out: Output) -> int:
    workflow = read_workflow(arguments.workflow)
    destinations = settings(arguments.to)
    with Session(arguments) as workspace:
        act = workspace.moving.preview if arguments.preview else workspace.moving.move
        told = act(arguments.run_id, workflow, destinations)
    rows = [(row.label, row.people, row.fate, row.to) for row in told.rows]
    out.document(told, f"{told.finding}\n{table(rows, ('step', 'people', 'what becomes of them', 'to'))}")
    return 0
