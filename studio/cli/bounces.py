"""`studio bounces import`: mail that came back, out of a mailbox."""

from __future__ import annotations

import argparse
from pathlib import Path

from studio.cli.output import Output
from studio.cli.session import Session, common
from studio.workspace.returned import ReturnedReport

_WORDS = (
    ("hard", "hard bounces: the address is dead"),
    ("soft", "soft bounces: not now"),
    ("policy", "refused as unwanted: look at the reason"),
    ("delayed", "delayed, still under way"),
    ("delivered", "delivered"),
    ("complained", "complaints: this is spam"),
    ("replied", "answers"),
    ("automatic", "automatic answers"),
    ("not_ours", "about no message of this workspace"),
    ("unreadable", "not understood"),
)


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
    lines += [f"  {count:>7,} {words}" for name, words in _WORDS if (count := getattr(report, name))]
    if report.repeated:
        lines.append(f"{report.repeated:,} were known already.")
    if report.suppressed:
        lines.append(f"{report.suppressed:,} addresses get no mail any more.")
    if report.settled:
        lines.append(f"{report.settled:,} messages in doubt are settled: they arrived.")
    if report.to_settle:
        lines.append(f"{report.to_settle:,} messages in doubt will be settled when their run goes on: studio resume.")
    return "\n".join(lines)
