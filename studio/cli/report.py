"""`studio report`: a run's report as one HTML file or a PDF, now or by a schedule."""

from __future__ import annotations

import argparse
from pathlib import Path

from studio.cli.output import Output
from studio.cli.session import Session, common
from studio.domain.duration import parse_duration
from studio.domain.errors import UserFixable
from studio.workspace.sharing import FORMS


def add(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("report")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    command = verbs.add_parser("write", help="write it now")
    command.add_argument("run_id", nargs="?", metavar="RUN", help="the newest run unless said")
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="a name ending in .html or .pdf")
    common(command)
    command.set_defaults(run=_write)
    command = verbs.add_parser("schedule", help="write the newest run's report every so often")
    command.add_argument("--every", metavar="P7D", help="how often; none takes the schedule away", required=True)
    command.add_argument("--format", choices=FORMS, default="pdf")
    command.add_argument("--out", type=Path, metavar="DIR", help="files/reports in the workspace unless said")
    common(command)
    command.set_defaults(run=_schedule)
    command = verbs.add_parser("due", help="write what is due; for a timer of the system, the window does it by itself")
    common(command)
    command.set_defaults(run=_due)


def _write(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        run_id = arguments.run_id or workspace.known_runs.newest()
        file = workspace.sharing.write(run_id, arguments.out)
    out.document({"run_id": run_id, "file": file, "bytes": file.stat().st_size}, f"The report of {run_id}: {file}")
    return 0


def _schedule(arguments: argparse.Namespace, out: Output) -> int:
    try:
        every = None if arguments.every == "none" else parse_duration(arguments.every)
    except ValueError as error:
        raise UserFixable("USAGE", f"{error}.", where="--every", hint="For example --every P7D, or none.") from None
    with Session(arguments) as workspace:
        plan = workspace.sharing.schedule(every, arguments.format, arguments.out)
    words = (
        "No report is written by itself any more." if plan is None else f"Every {arguments.every} into {plan.folder}."
    )
    out.document({"schedule": plan}, words)
    return 0


def _due(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        file = workspace.sharing.write_due()
    out.document({"file": file}, f"Written: {file}" if file else "Nothing is due.")
    return 0
