"""`studio templates list | show | instantiate`."""

from __future__ import annotations

import argparse
from pathlib import Path

from studio.cli.output import Output, plain, table
from studio.cli.session import Session, common, settings
from studio.domain.errors import UserFixable
from studio.domain.template import FilledParameter


def add(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("templates", help="the catalogue")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    command = verbs.add_parser("list", help="all templates")
    common(command)
    command.set_defaults(run=_list)
    command = verbs.add_parser("show", help="one template, whole")
    command.add_argument("template", metavar="ID")
    common(command)
    command.set_defaults(run=_show)
    command = verbs.add_parser("instantiate", help="fill the parameters in and make a workflow")
    command.add_argument("template", metavar="ID")
    command.add_argument("--context", type=Path, metavar="F", help="facts, as `studio recommend --json` prints them")
    command.add_argument("--set", dest="pairs", action="append", metavar="NAME=VALUE")
    command.add_argument("--language", metavar="CODE", help="language of the messages")
    command.add_argument("--out", type=Path, metavar="F", help="write the workflow file there")
    common(command)
    command.set_defaults(run=_instantiate)


def _list(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        templates = workspace.templates.list()
    rows = [
        {"id": t.id, "version": t.version, "archetype": t.archetype, "name": t.name, "description": t.description}
        for t in templates
    ]
    out.document(
        rows, table([(t.id, t.name["en"], t.description["en"]) for t in templates], ("id", "name", "what it does"))
    )
    return 0


def _show(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        template = workspace.templates.get(arguments.template)
    heads = ("setting", "type", "unless said", "what it is")
    rows = [(p.name, p.type, str(p.default), p.title["en"]) for p in template.parameters]
    out.document(template, f"{template.name['en']}\n{template.description['en']}\n\n{table(rows, heads)}")
    return 0


def _instantiate(arguments: argparse.Namespace, out: Output) -> int:
    overrides = settings(arguments.pairs)
    with Session(arguments) as workspace:
        context = workspace.templates.context()
        if arguments.context is not None:
            text = _read(arguments.context)
            context = workspace.templates.read_context(text, where=str(arguments.context))
        made = workspace.templates.instantiate(arguments.template, context, overrides, language=arguments.language)
    if arguments.out is not None:
        _write(arguments.out, made.workflow.to_json())
    answer: dict[str, object] = {"parameters": made.parameters}
    if arguments.out is None:
        answer = {"workflow": plain(made.workflow), **answer}
    out.document(answer, _in_words(made.parameters, arguments.out))
    return 0


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserFixable(
            "FILE-UNREADABLE", f"The file cannot be read: {error}.", where=str(path), hint="Check its name."
        ) from None


def _write(path: Path, text: str) -> None:
    """The whole file or none of it."""
    draft = path.with_name(path.name + ".part")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise UserFixable(
            "FILE-UNWRITABLE",
            f"The file cannot be written: {error.strerror}.",
            where=str(path),
            hint="Choose another place.",
        ) from None


def _in_words(parameters: tuple[FilledParameter, ...], path: Path | None) -> str:
    rows = [(p.name, str(p.value), p.confidence, p.evidence) for p in parameters]
    text = table(rows, ("setting", "value", "confidence", "why"))
    return f"{text}\n\nWritten to {path}. Run it with: studio run {path}" if path else text
