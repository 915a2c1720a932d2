"""`studio assistant on | off | show | suggest`: wording by a language model that a person chose; off by default."""

from __future__ import annotations

import argparse
from pathlib import Path

from studio.cli.output import Output, table
from studio.cli.session import Session, common
from studio.domain.errors import UserFixable
from studio.domain.template import BusinessContext
from studio.workspace.workspace import Workspace


def add(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("assistant")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    command = verbs.add_parser("on", help="where the model answers")
    command.add_argument("--kind", choices=("openai", "anthropic"), default="openai", help="openai: or compatible")
    command.add_argument("--url", required=True, metavar="U", help="for example http://127.0.0.1:8080/v1")
    command.add_argument("--model", required=True, metavar="NAME")
    command.add_argument("--key", default="", metavar="secret://NAME")
    common(command)
    command.set_defaults(run=_on)
    command = verbs.add_parser("off", help="forgets it")
    common(command)
    command.set_defaults(run=_off)
    for verb, help_text, run in (
        ("show", "exactly what would leave this computer", _show),
        ("suggest", "asks the model; nothing is changed", _suggest),
    ):
        command = verbs.add_parser(verb, help=help_text)
        command.add_argument("template", metavar="ID")
        command.add_argument(
            "--context", type=Path, metavar="F", help="facts, as `studio recommend --json` prints them"
        )
        command.add_argument("--language", default="en", metavar="CODE")
        common(command)
        command.set_defaults(run=run)


def _on(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        workspace.assistant.switch_on(arguments.kind, arguments.url, arguments.model, arguments.key)
        out.document(workspace.assistant.settings(), f"On: {arguments.model} at {arguments.url}.")
    return 0


def _off(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        workspace.assistant.switch_off()
    out.document({"on": False}, "Off: nothing leaves this computer.")
    return 0


def _show(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        asked = workspace.assistant.what_leaves(arguments.template, _context(arguments, workspace), arguments.language)
    out.document(asked, asked.shown())
    return 0


def _suggest(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        found = workspace.assistant.suggest(arguments.template, _context(arguments, workspace), arguments.language)
    rows = [(one.parameter, one.before, one.after, one.reason) for one in found]
    text = table(rows, ("setting", "now", "suggested", "why"))
    accept = "Accept one with: studio templates instantiate ID --set SETTING=TEXT"
    out.document({"suggestions": found}, f"{text}\n\n{accept}" if rows else "Nothing usable was suggested.")
    return 0


def _context(arguments: argparse.Namespace, workspace: Workspace) -> BusinessContext:
    if arguments.context is None:
        return workspace.templates.context()
    try:
        text = arguments.context.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserFixable(
            "FILE-UNREADABLE",
            f"The file cannot be read: {error}.",
            where=str(arguments.context),
            hint="Check its name.",
        ) from None
    return workspace.templates.read_context(text, where=str(arguments.context))
