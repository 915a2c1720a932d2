"""The headless commands: parse, call one use case of the workspace, print.

Every command takes `--workspace DIR` and `--json`. Exit codes: 0 done, 1 the work failed, 2 wrong usage or input,
3 interrupted. A module is loaded when one of its commands is asked for, so that no command pays for the others.
Absent on purpose: Qt, and any logic of its own.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

import studio
from studio.cli.output import Output
from studio.domain.errors import StudioError, UserFixable

COMMANDS: dict[str, dict[str, str]] = {
    "demo": {"demo": "a fresh demo workspace: from a business to a decision, offline"},
    "recommend": {"recommend": "templates for a business, with reasons and expected results"},
    "report": {"report": "a run's report as HTML or PDF"},
    "assistant": {"assistant": "an optional language model: switch on, see what leaves, suggest"},
    "learning": {"learning": "did ranking get better: shown and taken cards, by policy version"},
    "templates": {"templates": "the catalogue"},
    "data": {
        "contacts": "people: import them from a file",
        "events": "what people did: import it from a file, or write it as files",
    },
    "checking": {"validate": "everything that is wrong with a workflow file"},
    "runs": {
        "run": "run a workflow to its end",
        "resume": "go on after a stop or a crash",
        "retry": "do failed items again, and only those",
    },
    "past": {"runs": "history; `runs show RUN` tells one run step by step"},
    "history": {
        "trace": "one contact's way through a run: every step, and why",
        "replay": "a run as it stood at an instant",
        "compare": "what differs between two runs, likely causes first",
    },
    "debugging": {
        "step": "go on by one step or chunk of a paused run",
        "breakpoints": "show, or with texts set, the breakpoints of a run",
        "samples": "what came to a step and what left it: some of the people",
        "failed": "the items that steps could not handle, and why",
        "stale": "which results of a run no longer fit the workflow as it is now",
    },
    "moving": {"move": "let a run go on as a new version of its workflow"},
    "unattended": {
        "serve": "the background engine: runs go on, reports are written, no window open",
        "stop": "end a run; without one, the emergency stop: nothing goes out any more",
        "due": "what fell due while nothing ran",
    },
    "sending": {"sending": "who sends live, and through which server: keep, check, try out"},
    "outbox": {"outbox": "the send ledger: what went out, what failed, what is in doubt"},
    "bounces": {"bounces": "mail that came back: bounce reports, complaints, answers"},
    "pages": {"pages": "pages and forms of a workflow"},
    "experiment": {"experiment": "analyse an A/B test, or plan one"},
    "analytics": {"analytics": "figures of a run, and of everything that is known"},
    "backup": {
        "backup": "a copy of the workspace, made while work goes on; `backup --list` names them",
        "restore": "go back to a backup; the workspace as it is now is set aside",
    },
    "health": {"doctor": "is everything in order on this computer and in this workspace?"},
    "bench": {"bench": "measure this computer: JSON lines name, value, unit, baseline, ratio"},
    "workflows": {"workflows": "the workflows of the workspace and their history"},
}
"""By module: its commands, and what each does in a line. The module's `add` gives them their options."""


class _Parser(argparse.ArgumentParser):
    """Wrong usage becomes an error like any other, so that `--json` holds for it too."""

    def error(self, message: str) -> NoReturn:
        raise UserFixable("USAGE", message[:1].upper() + message[1:] + ".", hint=f"See: {self.prog} --help")


def parser(asked: str | None = None) -> argparse.ArgumentParser:
    """The command line: every command by name, and the options of those that lie in a module with the one `asked`."""
    root = _Parser(prog="studio", description="Flowlight Studio: a workflow studio for marketers.")
    root.add_argument("--version", action="version", version=f"studio {studio.__version__}")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module, named in COMMANDS.items():
        if asked in named:
            import_module(f"studio.cli.{module}").add(commands)
            commands.choices[asked].description = named[asked][:1].upper() + named[asked][1:]
            return root
    for named in COMMANDS.values():
        for name, words in named.items():
            commands.add_parser(name, help=words)
    return root


def main(argv: Sequence[str]) -> int:
    """Runs one command; the exit code."""
    out = Output(as_json="--json" in argv)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    try:
        arguments = parser(next((word for word in argv if not word.startswith("-")), None)).parse_args(argv)
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
