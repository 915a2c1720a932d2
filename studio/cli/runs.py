"""`studio run`, `resume`, `retry`: workflows at work."""

from __future__ import annotations

import argparse
from pathlib import Path

from pydantic import JsonValue

from studio.cli.debugging import add_aids, aids_of, edited
from studio.cli.output import Output
from studio.cli.rehearsing import dry_run
from studio.cli.reporting import finish, known_step
from studio.cli.session import Session, common, moment, settings
from studio.domain.errors import UserFixable
from studio.domain.workflow import Workflow
from studio.workspace.runs import MADE_UP_OPTION, RunOptions
from studio.workspace.workflows import read_workflow
from studio.workspace.workspace import Workspace


def add(commands: argparse._SubParsersAction) -> None:
    _add_run(commands)
    command = commands.add_parser("resume")
    command.add_argument("run_id", nargs="?", metavar="RUN")
    command.add_argument("--until", type=moment, metavar="ISO")
    common(command)
    command.set_defaults(run=_resume)
    command = commands.add_parser("retry")
    command.add_argument("run_id", metavar="RUN")
    command.add_argument("--node", metavar="N")
    command.add_argument("--contact", metavar="C", help="only this contact's items of the step")
    command.add_argument(
        "--set", action="append", metavar="FIELD=VALUE", help="edit them before; var.NAME for variables"
    )
    common(command)
    command.set_defaults(run=_retry)


def _add_run(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser("run")
    command.add_argument("workflow", metavar="WORKFLOW", help="a workflow file, or the id of one in the workspace")
    command.add_argument("--contacts", type=Path, metavar="FILE", help="replaces the file of the source node")
    command.add_argument("--map", type=Path, metavar="MAP", help="mapping for --contacts")
    command.add_argument("--mode", choices=["simulate", "test", "live"], default="simulate")
    command.add_argument("--seed", type=int, default=1, metavar="N")
    command.add_argument("--as-of", type=moment, metavar="ISO", help="virtual start")
    command.add_argument(
        "--clock", default=None, metavar="max|real|N", help="max: jump to what is due; N: N times faster"
    )
    command.add_argument("--until", type=moment, metavar="ISO", help="stop there; what waits then stays due")
    command.add_argument("--profile", type=Path, metavar="SENDING.json")
    command.add_argument("--dry-run", action="store_true", help="say what would happen, and do nothing")
    add_aids(command)
    common(command)
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace, out: Output) -> int:
    options = RunOptions(
        mode=arguments.mode,
        seed=arguments.seed,
        as_of=arguments.as_of,
        clock=arguments.clock,
        until=arguments.until,
        contacts=arguments.contacts,
        mapping=arguments.map,
        profile=arguments.profile,
        aids=aids_of(arguments),
        from_run=arguments.from_run,
    )
    named = Path(arguments.workflow)
    file = read_workflow(named) if named.suffix == ".json" or named.exists() else None
    with Session(arguments) as workspace:
        workflow_id, workflow = _named(workspace, arguments.workflow, file)
        if arguments.dry_run:
            return dry_run(workspace, workflow, options, workflow_id, out)
        run_id = workspace.runs.start(workflow, options, workflow_id=workflow_id)
        if options.mode == "test":
            for problem in workspace.runs.preflight(workflow, options):
                out.progress(f"Before this goes live: {problem}")
        made_up = workspace.runs.get(run_id).options.get(MADE_UP_OPTION)
        if made_up:
            out.progress(
                f"Nothing of the kind has happened here yet: the simulation begins with {made_up} made-up events."
            )
        return finish(workspace, run_id, out)


def _named(workspace: Workspace, name: str, file: Workflow | None) -> tuple[str | None, Workflow]:
    return (None, file) if file is not None else (name, workspace.workflows.get(name))


def _resume(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        run_id = arguments.run_id or workspace.runs.unfinished()
        workspace.runs.resume(run_id, until=arguments.until)
        return finish(workspace, run_id, out)


def _retry(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        known_step(workspace, arguments.run_id, arguments.node)
        if arguments.contact is None and not arguments.set:
            workspace.runs.retry(arguments.run_id, arguments.node)
        else:
            workspace.debugging.mend(arguments.run_id, arguments.node, _edits(workspace, arguments))
        return finish(workspace, arguments.run_id, out)


def _edits(workspace: Workspace, arguments: argparse.Namespace) -> dict[str, dict[str, JsonValue]]:
    if arguments.node is None:
        raise UserFixable("USAGE", "Which step's items?", where="--node", hint="See: studio failed RUN")
    rows = workspace.debugging.failed(arguments.run_id, arguments.node).rows
    who = arguments.contact
    found = [row for row in rows.iter_rows(named=True) if who in (None, row["contact"], row.get("email"))]
    if not found:
        raise UserFixable("FAILED-UNKNOWN", "No such item failed at this step.", hint="See: studio failed RUN")
    fields = edited(settings(arguments.set))
    return {str(row["instance"]): dict(fields) for row in found}
