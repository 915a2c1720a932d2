"""The headless commands: parse, call one use case of the workspace, print.

Every command takes `--workspace DIR` and `--json`. Exit codes: 0 done, 1 the work failed, 2 wrong usage or input,
3 interrupted. Absent on purpose: Qt, and any logic of its own.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from typing import NoReturn

import studio
from studio.cli import (
    analytics,
    assistant,
    bench,
    data,
    debugging,
    demo,
    experiment,
    health,
    history,
    learning,
    moving,
    outbox,
    pages,
    recommend,
    report,
    runs,
    templates,
    unattended,
    workflows,
)
from studio.cli.output import Output
from studio.domain.errors import StudioError, UserFixable

COMMANDS = (
    demo,
    recommend,
    report,
    assistant,
    learning,
    templates,
    data,
    runs,
    history,
    debugging,
    moving,
    unattended,
    outbox,
    pages,
    experiment,
    analytics,
    health,
    bench,
    workflows,
)


class _Parser(argparse.ArgumentParser):
    """Wrong usage becomes an error like any other, so that `--json` holds for it too."""

    def error(self, message: str) -> NoReturn:
        raise UserFixable("USAGE", message[:1].upper() + message[1:] + ".", hint=f"See: {self.prog} --help")


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    root = _Parser(prog="studio", description="Flowlight Studio: a workflow studio for marketers.")
    root.add_argument("--version", action="version", version=f"studio {studio.__version__}")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in COMMANDS:
        module.add(commands)
    return root


def main(argv: Sequence[str]) -> int:
    """Runs one command; the exit code."""
    out = Output(as_json="--json" in argv)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    try:
        arguments = parser().parse_args(argv)
        return int(arguments.run(arguments, out))
    except UserFixable as error:
        out.error(error)
        return 2
    except StudioError as error:
        out.error(error)
        return 1
    except KeyboardInterrupt:
        print("Interrupted. What was done is kept; go on with: studio resume", file=sys.stderr)
        return 3
    except BrokenPipeError:
        sys.stderr.close()
        return 0
