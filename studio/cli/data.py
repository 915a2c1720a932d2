"""`studio contacts import` and `studio events import`."""

from __future__ import annotations

import argparse
from pathlib import Path

from studio.cli.output import Output, table
from studio.cli.session import Session, common
from studio.workspace.people import ImportReport


def add(commands: argparse._SubParsersAction) -> None:
    contacts = commands.add_parser("contacts", help="people: import them from a file")
    _import(contacts, "contacts", _contacts)
    events = commands.add_parser("events", help="what people did: import it from a file")
    _import(events, "events", _events)


def _import(parser: argparse.ArgumentParser, what: str, run: object) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    command = verbs.add_parser("import", help=f"take {what} in from CSV, text, Parquet, JSON lines or XLSX")
    command.add_argument("file", type=Path, metavar="FILE")
    command.add_argument("--map", type=Path, metavar="MAP", help="TOML file that says which column is what")
    common(command)
    command.set_defaults(run=run)


def _contacts(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        report = workspace.people.import_contacts(arguments.file, arguments.map, _progress(out))
    return _tell(report, "people", out)


def _events(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        report = workspace.people.import_events(arguments.file, arguments.map, _progress(out))
    return _tell(report, "events", out)


def _progress(out: Output):
    def tell(what: str, count: int) -> None:
        out.progress(f"{count:,} {what} read …")

    return tell


def _tell(report: ImportReport, what: str, out: Output) -> int:
    lines = [
        f"{report.accepted:,} {what} accepted of {report.rows:,} rows: {report.added:,} new, "
        f"{report.changed:,} changed, {report.unchanged:,} known; {report.repeated:,} rows repeated another."
    ]
    if report.quarantined:
        lines.append(f"{report.quarantined:,} rows were left out:")
        rows = [(r.row, r.field, r.message, r.value) for r in report.rejects[:20]]
        lines.append(table(rows, ("row", "field", "why", "value")))
    out.document(report, "\n".join(lines))
    return 0
