"""`studio bench`: figures measured now, each beside the same work done another way in the same run."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from studio.cli.output import Output
from studio.domain.errors import UserFixable
from studio.workspace.bench.groups import GROUPS
from studio.workspace.bench.recommend import LABELS


def add(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser("bench")
    command.add_argument("group", nargs="?", metavar="GROUP", help=f"one of: {', '.join(GROUPS)}")
    command.add_argument("--contacts", type=int, default=100_000, metavar="N")
    command.add_argument("--labels", type=Path, metavar="FILE.jsonl", help="labelled businesses, for recommend")
    command.add_argument(
        "--workspace", type=Path, metavar="DIR", help="where its own workspaces are made and removed: on that disk"
    )
    command.add_argument("--json", action="store_true", help=argparse.SUPPRESS)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, out: Output) -> int:
    if arguments.group is not None and arguments.group not in GROUPS:
        raise UserFixable("USAGE", f"There is no group “{arguments.group}”.", hint=f"There are: {', '.join(GROUPS)}.")
    if arguments.workspace is not None:
        arguments.workspace.mkdir(parents=True, exist_ok=True)
        os.environ["TMPDIR"] = tempfile.tempdir = str(arguments.workspace)
    if arguments.labels is not None:
        os.environ[LABELS] = str(arguments.labels)
    for name in [arguments.group] if arguments.group else GROUPS:
        for figure in GROUPS[name](arguments.contacts, out.progress):
            out.line(figure)
    return 0
