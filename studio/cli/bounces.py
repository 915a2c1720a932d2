"""`studio bounces import`: mail that came back, out of a mailbox."""

from __future__ import annotations

import argparse
from pathlib import Path

from studio.cli.output import Output
from studio.cli.session import Session, common
from studio.workspace.returned import ReturnedReport, consequences, found


def add(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("bounces")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    command = verbs.add_parser("import", help="read bounce reports, complaints and answers to our messages")
    command.add_argument("path", type=Path, metavar="PATH", help="an .eml or mbox file, a Maildir, or a folder of them")
    common(command)
    command.set_defaults(run=_import)


def _import(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        report = workspace.returned.take_in(arguments.path, lambda count: out.progress(f"{count:,} messages read …"))
    out.document(report, _told(report))
    return 0


def _told(report: ReturnedReport) -> str:
    lines = [f"{report.messages:,} messages read."]
    lines += [f"  {count:>7,} {words}" for count, words in found(report)]
    return "\n".join([*lines, *consequences(report)])
