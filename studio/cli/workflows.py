"""`studio workflows`: the library, and the history of each workflow: what changed, and restoring it."""

from __future__ import annotations

import argparse
from pathlib import Path

from studio.cli.output import Output, table
from studio.cli.session import Session, common
from studio.domain.difference import Difference, in_words
from studio.domain.port_words import ways_of
from studio.domain.workflow import Workflow
from studio.workspace.workspace import Workspace

_LIST_MAX = 50


def add(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser("workflows")
    verbs = command.add_subparsers(dest="verb", required=True, metavar="VERB")
    listing = verbs.add_parser("list", help="every workflow, the last one changed first")
    listing.set_defaults(run=_list)
    showing = verbs.add_parser("show", help="the workflow file, as it is or as it was")
    showing.add_argument("--out", type=Path, metavar="FILE")
    showing.set_defaults(run=_show)
    history = verbs.add_parser("history", help="edits, kept states and runs; each has a ref to restore it by")
    history.add_argument("--limit", type=int, default=_LIST_MAX, metavar="N")
    history.set_defaults(run=_history)
    diff = verbs.add_parser("diff", help="what changed since a ref, or between two")
    diff.set_defaults(run=_diff)
    keep = verbs.add_parser("keep", help="give the present state a name, under which it stays")
    keep.set_defaults(run=_keep)
    restore = verbs.add_parser("restore", help="make it what it was; what it is now stays in the history")
    restore.set_defaults(run=_restore)
    suggest = verbs.add_parser("suggest", help="which steps usually follow a step, or begin a workflow")
    suggest.add_argument("type", nargs="?", metavar="TYPE", help="for example send.email")
    suggest.add_argument("port", nargs="?", metavar="PORT")
    suggest.set_defaults(run=_suggest)
    for verb in (showing, history, diff, keep, restore):
        verb.add_argument("workflow_id", metavar="WORKFLOW")
    keep.add_argument("name", metavar="NAME")
    restore.add_argument("ref", metavar="REF")
    showing.add_argument("ref", nargs="?", metavar="REF")
    diff.add_argument("ref", metavar="REF")
    diff.add_argument("other", nargs="?", metavar="OTHER", help="without it: the workflow as it is")
    for verb in (listing, showing, history, diff, keep, restore, suggest):
        common(verb)


def _list(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments, read_only=True) as workspace:
        workflows = workspace.workflows.list()
    data = [{"id": w.id, "name": w.name, "template": w.template, "updated_at": w.updated_at} for w in workflows]
    out.document(data, table([(w.id, w.name, w.updated_at) for w in workflows], ("id", "name", "changed")))
    return 0


def _show(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments, read_only=True) as workspace:
        workflow = _state(workspace, arguments.workflow_id, arguments.ref)
    if arguments.out is not None:
        arguments.out.write_text(workflow.to_json(), encoding="utf-8")
    out.document(workflow.model_dump(mode="json", by_alias=True), workflow.to_json() if arguments.out is None else "")
    return 0


def _history(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments, read_only=True) as workspace:
        workspace.workflows.get(arguments.workflow_id)
        states = workspace.workflows.history(arguments.workflow_id, arguments.limit)
    rows = [(state.ref, state.at, state.kind, state.words) for state in states]
    out.document(list(states), table(rows, ("ref", "at", "kind", "what")))
    return 0


def _diff(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments, read_only=True) as workspace:
        before = _state(workspace, arguments.workflow_id, arguments.ref)
        after = _state(workspace, arguments.workflow_id, arguments.other)
        found = workspace.workflows.differences(before, after)
    out.document(list(found), _told(found, before, after))
    return 0


def _keep(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        state = workspace.workflows.keep_as(arguments.workflow_id, arguments.name)
    out.document(state, f"Kept as “{state.words}” ({state.ref}).")
    return 0


def _restore(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        before = workspace.workflows.get(arguments.workflow_id)
        found = workspace.workflows.restore(arguments.workflow_id, arguments.ref)
        after = workspace.workflows.get(arguments.workflow_id)
    out.document(list(found), _told(found, before, after))
    return 0


def _suggest(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments, read_only=True) as workspace:
        habits = workspace.habits()
    found = habits.after(arguments.type, arguments.port) if arguments.type else habits.starts()
    out.document(list(found), table([(one.type_id, one.workflows) for one in found], ("step", "workflows")))
    return 0


def _state(workspace: Workspace, workflow_id: str, ref: str | None) -> Workflow:
    return workspace.workflows.past(workflow_id, ref) if ref else workspace.workflows.get(workflow_id)


def _told(found: tuple[Difference, ...], before: Workflow, after: Workflow) -> str:
    names = {node.id: node.label or node.id for node in (*before.nodes, *after.nodes)}
    return (
        "\n".join(in_words(one, names, {**ways_of(before), **ways_of(after)}) for one in found)
        or "Nothing is different."
    )
