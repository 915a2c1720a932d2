"""`studio contacts import`, `studio events import` and `studio events export`."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from studio.cli.output import Output, table
from studio.cli.session import Session, common, moment
from studio.workspace.people import ImportReport


def add(commands: argparse._SubParsersAction) -> None:
    contacts = commands.add_parser("contacts")
    _import(contacts, "contacts", _contacts)
    events = commands.add_parser("events")
    verbs = _import(events, "events", _events)
    command = verbs.add_parser("export", help="write the event log as files, whatever its size")
    command.add_argument("--format", choices=["parquet", "csv"], required=True)
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new or an empty folder")
    command.add_argument("--run", dest="of_run", metavar="RUN", help="only what this run recorded")
    command.add_argument("--kind", action="append", help="only this kind; may be given again")
    command.add_argument("--since", metavar="ISO")
    command.add_argument("--until", metavar="ISO")
    common(command)
    command.set_defaults(run=_export)


def _import(parser: argparse.ArgumentParser, what: str, run: object) -> argparse._SubParsersAction:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    command = verbs.add_parser("import", help=f"take {what} in from CSV, text, Parquet, JSON lines or XLSX")
    command.add_argument("file", type=Path, metavar="FILE")
    command.add_argument("--map", type=Path, metavar="MAP", help="TOML file that says which column is what")
    common(command)
    command.set_defaults(run=run)
    return verbs


def _contacts(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        report = workspace.people.import_contacts(arguments.file, arguments.map, _progress(out))
    return _tell(report, "people", out)


def _events(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        report = workspace.people.import_events(arguments.file, arguments.map, _progress(out))
    return _tell(report, "events", out)


def _export(arguments: argparse.Namespace, out: Output) -> int:
    since, until = (moment(text) if text else None for text in (arguments.since, arguments.until))
    before = time.perf_counter()
    with Session(arguments) as workspace:
        done = workspace.exports.events(
            arguments.out,
            arguments.format,
            run_id=arguments.of_run,
            kinds=arguments.kind,
            since=since,
            until=until,
            progress=lambda rows: out.progress(f"{rows:,} events written …"),
        )
    elapsed_s = time.perf_counter() - before
    answer = {"files": done.files, "rows": done.rows, "bytes": done.bytes, "elapsed_s": round(elapsed_s, 3)}
    out.document(
        answer, f"{done.rows:,} events, {done.bytes / 1e6:,.1f} MB in {len(done.files)} files: {arguments.out}"
    )
    return 0


def _progress(out: Output):
    def tell(what: str, count: int) -> None:
        out.progress(f"{count:,} {what} read …")

    return tell


def _tell(report: ImportReport, what: str, out: Output) -> int:
    lines = [
        f"{report.accepted:,} {what} accepted of {_rows(report.rows)}: {report.added:,} new, "
        f"{report.changed:,} changed, {report.unchanged:,} known; {_rows(report.repeated)} repeated another."
    ]
    if report.quarantined:
        lines.append(f"{_rows(report.quarantined)} left out:")
        rows = [(r.row, r.field, r.message, r.value) for r in report.rejects[:20]]
        lines.append(table(rows, ("row", "field", "why", "value")))
    out.document(report, "\n".join(lines))
    return 0


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
