"""The hidden command that the packaged program uses to run its mail catcher in a process of its own."""

from __future__ import annotations

import argparse

from studio.cli.output import Output
from studio.connectors import catcher
from studio.connectors.catcher_process import CATCHER_COMMAND


def add(commands: argparse._SubParsersAction) -> None:
    # No option prefix: argparse would take the catcher's own options for unknown ones of this command.
    command = commands.add_parser(CATCHER_COMMAND, add_help=False, prefix_chars="\0")
    command.add_argument("rest", nargs=argparse.REMAINDER)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, out: Output) -> int:  # noqa: ARG001 - speaks through its own protocol
    return catcher.main(arguments.rest) or 0
