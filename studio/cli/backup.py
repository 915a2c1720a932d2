"""`studio backup` and `studio restore`: a copy of the workspace, and the way back to one."""

from __future__ import annotations

import argparse

from studio.cli.output import Output, table
from studio.cli.session import Session, common
from studio.domain.clock import utc_now
from studio.workspace.backups import backups_of, go_back
from studio.workspace.folder import default_folder


def add(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser("backup")
    command.add_argument("--list", action="store_true", dest="only_list", help="name the backups there are")
    common(command)
    command.set_defaults(run=_backup)
    command = commands.add_parser("restore")
    command.add_argument("name", metavar="NAME", nargs="?", help="one of `backup --list`; else the newest")
    common(command)
    command.set_defaults(run=_restore)


def _backup(arguments: argparse.Namespace, out: Output) -> int:
    if arguments.only_list:
        there = backups_of(arguments.workspace or default_folder())
        rows = [(backup.name, f"{backup.at:%d %B %Y, %H:%M} UTC", f"{backup.bytes / 1e6:,.1f} MB") for backup in there]
        out.document({"backups": there}, table(rows, ("name", "made", "size")) if rows else "There is no backup.")
        return 0
    with Session(arguments) as workspace:
        name = workspace.health.back_up()
    out.document({"backup": name}, f"Backup {name} is made. Go back to it with: studio restore {name}")
    return 0


def _restore(arguments: argparse.Namespace, out: Output) -> int:
    backup, kept = go_back(arguments.workspace or default_folder(), arguments.name, utc_now())
    out.document(
        {"backup": backup.name, "set_aside": kept},
        f"The workspace is as it was on {backup.at:%d %B %Y, %H:%M} UTC. As it was before this: {kept}\n"
        "Runs that had something to send are held: studio outbox release RUN --as send|doubt",
    )
    return 0
