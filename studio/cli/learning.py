"""`studio learning`: did the recommendations get better, by what was shown and taken here."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from studio.cli.output import Output, table
from studio.cli.session import Session, common


def add(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser("learning")
    common(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        verdict = workspace.learning.verdict()
    rows = [(name, value.mean, value.low, value.high) for name, value in verdict.by_policy.items()]
    text = verdict.in_words()
    if rows:
        text += "\n\n" + table(rows, ("policy", "share taken", "from", "to"))
    out.document({**asdict(verdict), "in_words": verdict.in_words()}, text)
    return 0
