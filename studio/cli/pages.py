"""`studio pages publish`: the pages and forms of a workflow as files for any web space."""

from __future__ import annotations

import argparse
from pathlib import Path

from studio.cli.output import Output, table
from studio.cli.session import Session, common
from studio.workspace.pages import publish
from studio.workspace.workflows import read_workflow
from studio.workspace.workspace import node_catalogue


def add(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("pages")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    command = verbs.add_parser("publish", help="write them as HTML files")
    command.add_argument("workflow", metavar="WORKFLOW", help="a workflow file, or the id of one in the library")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder of your web space")
    command.add_argument("--action", default="", metavar="URL", help="where forms send their answers")
    common(command)
    command.set_defaults(run=_publish)


def _publish(arguments: argparse.Namespace, out: Output) -> int:
    path = Path(arguments.workflow)
    if path.is_file():
        workflow = read_workflow(path)
    else:
        with Session(arguments) as workspace:
            workflow = workspace.workflows.get(arguments.workflow)
    written = publish(workflow, node_catalogue(), arguments.out, action=arguments.action)
    rows = [(page.node, page.kind, str(page.path)) for page in written]
    shown = [{"node": page.node, "kind": page.kind, "path": str(page.path)} for page in written]
    out.document(shown, table(rows, ("step", "kind", "file")))
    return 0
