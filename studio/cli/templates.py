"""`studio templates list | show | instantiate | favourite | preview | save | share | import | remove`."""

from __future__ import annotations

import argparse
from pathlib import Path

from studio.cli.output import Output, plain, table
from studio.cli.session import Session, common, settings
from studio.cli.template_looks import add_looks
from studio.domain.errors import UserFixable
from studio.domain.template import FilledParameter
from studio.gallery.picture import svg


def add(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("templates")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    command = verbs.add_parser("list", help="all templates; a star marks favourites")
    which = command.add_mutually_exclusive_group()
    which.add_argument("--favourites", action="store_true", help="only favourites, the first chosen first")
    which.add_argument("--recent", action="store_true", help="only those used lately, the last one first")
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
    command = verbs.add_parser("favourite", help="make a template a favourite, or with --remove one no longer")
    command.add_argument("template", metavar="ID")
    command.add_argument("--remove", action="store_true", help="it is no favourite any more")
    common(command)
    command.set_defaults(run=_favourite)
    add_looks(verbs, _read)
    _add_own(verbs)


def _add_own(verbs: argparse._SubParsersAction) -> None:
    command = verbs.add_parser("preview", help="the graph of one template, as a picture (SVG)")
    command.add_argument("template", metavar="ID")
    command.add_argument("--out", type=Path, metavar="F", help="write the picture there")
    command.add_argument("--dark", action="store_true", help="for a dark background")
    common(command)
    command.set_defaults(run=_preview)
    command = verbs.add_parser("save", help="make a template out of a workflow of the library")
    command.add_argument("workflow", metavar="WORKFLOW_ID")
    command.add_argument("--name", default="", help="what it is called; otherwise as the workflow is")
    command.add_argument("--description", default="", help="what it does, in a sentence")
    command.add_argument("--archetype", default="", metavar="KIND", help="what kind of workflow it is")
    command.add_argument("--typical-for", default="", metavar="WHO", help="for which businesses")
    common(command)
    command.set_defaults(run=_save)
    command = verbs.add_parser("share", help="write a template as a file for others")
    command.add_argument("template", metavar="ID")
    command.add_argument("--out", type=Path, default=Path(), metavar="F", help="file or folder; otherwise here")
    common(command)
    command.set_defaults(run=_share)
    command = verbs.add_parser("import", help="look at a shared template, and take it in with --yes")
    command.add_argument("file", type=Path)
    command.add_argument("--yes", action="store_true", help="take it in after the review")
    common(command)
    command.set_defaults(run=_import)
    command = verbs.add_parser("remove", help="remove an own template")
    command.add_argument("template", metavar="ID")
    common(command)
    command.set_defaults(run=_remove)


def _list(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        templates = {template.id: template for template in workspace.templates.list()}
        favourites = workspace.shelf.favourites()
        recent = workspace.shelf.recent() if arguments.recent else ()
    asked = favourites if arguments.favourites else recent if arguments.recent else tuple(templates)
    shown = [templates[name] for name in asked if name in templates]
    rows = [
        {
            "id": t.id,
            "version": t.version,
            "archetype": t.archetype,
            "name": t.name,
            "description": t.description,
            "favourite": t.id in favourites,
        }
        for t in shown
    ]
    lines = [("★" if t.id in favourites else "", t.id, t.name["en"], t.description["en"]) for t in shown]
    out.document(rows, table(lines, ("", "id", "name", "what it does")))
    return 0


def _favourite(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        workspace.shelf.set_favourite(arguments.template, is_favourite=not arguments.remove)
        favourites = workspace.shelf.favourites()
    out.document({"favourites": list(favourites)}, f"Favourites: {', '.join(favourites) or 'none'}")
    return 0


def _show(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        template = workspace.templates.get(arguments.template)
    heads = ("setting", "type", "unless said", "what it is")
    rows = [(p.name, p.type, _value(p.default), p.title["en"]) for p in template.parameters]
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


def _preview(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        template = workspace.templates.get(arguments.template)
    picture = svg(template.workflow, dark=arguments.dark)
    if arguments.out is not None:
        _write(arguments.out, picture)
    answer = {"template": template.id, "out": arguments.out and str(arguments.out)}
    out.document(answer if arguments.out else {**answer, "svg": picture}, "" if arguments.out else picture)
    return 0


def _save(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        template = workspace.own_templates.save(
            arguments.workflow,
            name=arguments.name,
            description=arguments.description,
            archetype=arguments.archetype,
            typical_for=arguments.typical_for,
        )
    settings_there = [parameter.name for parameter in template.parameters]
    count = len(settings_there)
    text = f"Saved as {template.id}, with {count} settings. Use it: studio templates instantiate {template.id}"
    out.document({"id": template.id, "name": template.name["en"], "parameters": settings_there}, text)
    return 0


def _share(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        path = workspace.own_templates.share(arguments.template, arguments.out)
    out.document({"id": arguments.template, "out": str(path)}, f"Written to {path}.")
    return 0


def _import(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        inspected = workspace.own_templates.inspect(arguments.file)
        taken = workspace.own_templates.take_in(arguments.file).id if arguments.yes else None
    lines = [{"kind": line.kind, "text": line.text, "node": line.node, "grave": line.grave} for line in inspected.lines]
    answer = {"template": inspected.template.id, "review": lines, "usable": inspected.usable, "taken_in": taken}
    words = [f"{inspected.template.name['en']}: what it would do", ""]
    words += [f"{'!' if line.grave else ' '} {line.text}" for line in inspected.lines]
    words += ["", f"Taken in as {taken}." if taken else "Nothing was taken in yet. If you want it, add --yes."]
    out.document(answer, "\n".join(words))
    return 0 if inspected.usable else 2


def _remove(arguments: argparse.Namespace, out: Output) -> int:
    with Session(arguments) as workspace:
        workspace.own_templates.remove(arguments.template)
    out.document({"removed": arguments.template}, f"{arguments.template} is removed.")
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
    rows = [(p.name, _value(p.value), p.confidence, p.evidence) for p in parameters]
    text = table(rows, ("setting", "value", "confidence", "why"))
    return f"{text}\n\nWritten to {path}. Run it with: studio run {path}" if path else text


def _value(value: object) -> str:
    is_money = isinstance(value, dict) and set(value) == {"amount", "currency"}
    return f"{value['amount']} {value['currency']}" if is_money else str(value)
