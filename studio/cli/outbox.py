"""`studio outbox list` and `studio outbox resolve`: the send ledger."""

from __future__ import annotations

import argparse
from typing import get_args

from studio.cli.output import Output, table
from studio.cli.session import Session, common
from studio.domain.run import OutboxState


def add(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("outbox")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    command = verbs.add_parser("list", help="messages by state and run")
    command.add_argument("--state", metavar="S", choices=get_args(OutboxState), help=", ".join(get_args(OutboxState)))
    command.add_argument("--run", dest="run_id", metavar="RUN")
    common(command)
    command.set_defaults(run=_list)
    command = verbs.add_parser("resolve", help="say what became of a message in doubt")
    command.add_argument("outbox_id", metavar="ID")
    command.add_argument("--as", dest="verdict", choices=["sent", "resend"], required=True)
    common(command)
    command.set_defaults(run=_resolve)
    command = verbs.add_parser(
        "release", help="let runs go on that are held because the workspace was copied or restored"
    )
    command.add_argument("run_id", nargs="?", metavar="RUN", help="one of them; all when none is named")
    command.add_argument(
        "--as",
        dest="as_",
        choices=["send", "doubt"],
        required=True,
        help="send: nothing was sent elsewhere; doubt: ask the mail server about each, then you",
    )
    common(command)
    command.set_defaults(run=_release)


def _list(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        rows = workspace.known_runs.outbox(state=arguments.state, run_id=arguments.run_id)
    shown = [(r["id"], r["run_id"], r["node"], r["to"], r["state"], r["attempts"], r["reason"]) for r in rows[:200]]
    text = table(shown, ("id", "run", "step", "to", "state", "attempts", "reason"))
    more = f"\n… and {len(rows) - 200:,} more; --json prints all." if len(rows) > 200 else ""
    out.document(rows, text + more)
    return 0


def _resolve(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        workspace.runs.resolve(arguments.outbox_id, arguments.verdict)
    out.document(
        {"id": arguments.outbox_id, "as": arguments.verdict}, f"Noted: {arguments.verdict}. Go on with: studio resume"
    )
    return 0


def _release(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        wanted = [arguments.run_id] if arguments.run_id else list(workspace.runs.held())
        released = [{"run": run_id, "messages": workspace.runs.release(run_id, arguments.as_)} for run_id in wanted]
    words = [f"{row['run']}: {row['messages']:,} messages released. Go on with: studio resume" for row in released]
    out.document({"released": released}, "\n".join(words) or "No run is held.")
    return 0
