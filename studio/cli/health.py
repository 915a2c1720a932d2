"""`studio doctor`: health in words."""

from __future__ import annotations

import argparse

from studio.cli.output import Output
from studio.cli.session import Session, common


def add(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser("doctor")
    common(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        checks = workspace.health.doctor()
    fine = all(check.ok for check in checks)
    lines = [f"{'ok ' if check.ok else '!! '} {check.title}: {check.words}" for check in checks]
    out.document({"healthy": fine, "checks": checks}, "\n".join(lines))
    return 0 if fine else 1
