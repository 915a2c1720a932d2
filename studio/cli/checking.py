"""`studio validate`: everything that is wrong with a workflow file.

A file can be checked without a workspace and without the engine, so a module of its own spares it both.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from studio.cli.output import Output, problem_json
from studio.cli.session import common
from studio.domain.errors import UserFixable
from studio.domain.validation import check
from studio.workspace.workflows import read_workflow
from studio.workspace.workspace import node_catalogue


def add(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser("validate")
    command.add_argument("workflow", type=Path, metavar="WORKFLOW")
    common(command)
    command.set_defaults(run=_validate)


def _validate(arguments: argparse.Namespace, out: Output) -> int:
    try:
        workflow = read_workflow(arguments.workflow)
    except UserFixable as error:
        if not error.problems:
            raise
        problems = list(error.problems)
    else:
        problems = check(workflow, node_catalogue())
    words = "\n".join(f"- {problem}" for problem in problems) or "The workflow can run."
    out.document({"valid": not problems, "problems": [problem_json(problem) for problem in problems]}, words)
    return 2 if problems else 0
