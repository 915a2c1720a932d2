"""`studio sending show | use | check | try | forget`: the workspace's own sender, which live runs take."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from studio.cli.output import Output, problem_json
from studio.cli.session import Session, common
from studio.connectors.profile import SendingProfile


def add(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("sending")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    command = verbs.add_parser("show", help="the sender that is kept")
    common(command)
    command.set_defaults(run=_show)
    command = verbs.add_parser("use", help="keep the profile in a file for live runs")
    command.add_argument("file", type=Path, metavar="SENDING.json")
    command.add_argument(
        "--password-stdin", action="store_true", help="read the server's password; it goes to the keyring"
    )
    common(command)
    command.set_defaults(run=_use)
    command = verbs.add_parser("check", help="what stands in the way of a live run")
    common(command)
    command.set_defaults(run=_check)
    command = verbs.add_parser("try", help="send one letter to an address of your own")
    command.add_argument("to", metavar="ADDRESS")
    common(command)
    command.set_defaults(run=_try)
    command = verbs.add_parser("forget", help="keep no sender")
    common(command)
    command.set_defaults(run=_forget)


def _show(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        profile = workspace.sending.profile()
    out.document(profile, _in_words(profile) if profile is not None else "Nobody has said yet who sends.")
    return 0


def _use(arguments: argparse.Namespace, out: Output) -> int:
    password = sys.stdin.readline().rstrip("\r\n") if arguments.password_stdin else ""
    with Session(arguments) as workspace:
        profile = workspace.sending.take(arguments.file, password)
    out.document(profile, _in_words(profile))
    return 0


def _check(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        problems = workspace.sending.problems()
    words = "\n".join(f"- {problem}" for problem in problems) or "Ready for live runs."
    out.document({"ready": not problems, "problems": [problem_json(problem) for problem in problems]}, words)
    return 2 if problems else 0


def _try(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        answer = workspace.sending.try_out(arguments.to)
    out.document({"to": arguments.to, "answer": answer}, f"The server took it: {answer}")
    return 0


def _forget(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        workspace.sending.forget()
    out.document({"kept": False}, "No sender is kept any more.")
    return 0


def _in_words(profile: SendingProfile) -> str:
    server = profile.smtp
    security = {"none": "unencrypted", "starttls": "STARTTLS", "tls": "TLS"}[server.security]
    return (
        f"{profile.sender} through {server.host}:{server.port} ({security}), "
        f"at most {profile.rate_per_second:g} messages a second over {profile.connections} connections."
    )
