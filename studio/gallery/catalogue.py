"""The templates that ship with the program: a folder each, with its template file and its messages.

`<folder>/template.json` and `m1.en.mjml`, `m1.en.txt`, … beside it. A message file holds its preview and its content;
the frame around it (head, dark mode, footer) is one file per language, `frame.en.mjml`, beside the folders. Absent on
purpose: node types; whether the workflow fits them is checked by `domain.validation.check`, by whoever has them.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import BaseModel, JsonValue, ValidationError

from studio import resources
from studio.domain.errors import Problem, UserFixable
from studio.domain.refusals import in_words
from studio.domain.spelling import nearest
from studio.domain.template import Template
from studio.domain.workflow import parameter_refs
from studio.gallery import recipe, unpacked
from studio.gallery.archetypes import archetypes
from studio.gallery.binding import text_refs
from studio.gallery.recipe import Shared, read_shared
from studio.gallery.values import derived_names, problems_of

LANGUAGES = ("en", "de")
TEMPLATE_FILE = "template.json"
MAIL_TYPE = "send.email"
_MESSAGE = re.compile(r"(?P<name>[a-z][a-z0-9_]*)\.(?P<language>[a-z]{2})\.(?P<kind>mjml|txt)")
_PREVIEW = re.compile(r"\s*<mj-preview>.*?</mj-preview>", re.DOTALL)
_KEPT = "templates"
_FRAMED = "<!-- content -->"
_FOOTED = "<!-- footer -->"
_PREVIEWED = "<!-- preview -->"


@dataclass(frozen=True, slots=True)
class Entry:
    """A template and its messages by file name (`m1.en.mjml`): whole MJML documents and whole plain texts.

    Both still hold `${parameter}` for what `instantiate` writes in, and `{{ field }}` for what each person gets.
    """

    template: Template
    texts: Mapping[str, str]

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages in which every message is there."""
        present = {parts["language"] for parts in map(_MESSAGE.fullmatch, self.texts) if parts}
        return tuple(language for language in LANGUAGES if language in present)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Templates by id, in the order of their ids."""

    entries: Mapping[str, Entry]

    def list(self) -> tuple[Template, ...]:
        """All templates."""
        return tuple(entry.template for entry in self.entries.values())

    def get(self, template_id: str) -> Template:
        """The template of that id. Raises UserFixable (`TEMPLATE-UNKNOWN`) with the nearest one."""
        return self.entry(template_id).template

    def entry(self, template_id: str) -> Entry:
        """The template with its texts. Raises UserFixable (`TEMPLATE-UNKNOWN`) with the nearest one."""
        if template_id in self.entries:
            return self.entries[template_id]
        raise UserFixable(
            "TEMPLATE-UNKNOWN",
            f"There is no template “{template_id}”.",
            where="template",
            hint=nearest(template_id, self.entries) or f"There are: {', '.join(self.entries)}.",
        )

    def of_archetype(self, archetype: str) -> tuple[Template, ...]:
        """The templates of one archetype."""
        return tuple(template for template in self.list() if template.archetype == archetype)


@cache
def catalogue() -> Catalogue:
    """The templates in `resources/templates`. Raises UserFixable (`CATALOGUE`) with every problem of every template.

    What was read of these very files before is kept (`unpacked`), and neither read nor checked again.
    """
    folder = resources.path("templates")
    try:
        key = unpacked.content_key(_sources(folder))
    except OSError:  # the program's own modules are no files where it is packaged
        return read_catalogue(folder)
    kept = unpacked.read_document(_KEPT, key)
    if isinstance(kept, dict):
        with contextlib.suppress(ValidationError):
            return Catalogue({name: _Kept.model_validate(one).entry() for name, one in kept.items()})
    whole = read_catalogue(folder)
    document = {name: _Kept.of(entry).model_dump(mode="json", by_alias=True) for name, entry in whole.entries.items()}
    unpacked.keep_document(_KEPT, key, document)
    return whole


class _Kept(BaseModel):
    """An entry as it is kept."""

    template: Template
    texts: dict[str, str]

    @classmethod
    def of(cls, entry: Entry) -> _Kept:
        return cls(template=entry.template, texts=dict(entry.texts))

    def entry(self) -> Entry:
        return Entry(self.template, self.texts)


def _sources(folder: Path) -> list[Path]:
    """All that decides what is read: the templates' files, and the modules that read them."""
    return [*sorted(folder.glob("*.*")), *sorted(folder.glob("*/*")), *sorted(Path(__file__).parent.glob("*.py"))]


def read_catalogue(folder: Path) -> Catalogue:
    """All templates in a folder's folders. Raises UserFixable (`CATALOGUE`) with every problem of every template."""
    entries: dict[str, Entry] = {}
    problems: list[Problem] = []
    shared = read_shared(folder)
    folders = {file.parent for name in (TEMPLATE_FILE, recipe.FILE) for file in folder.glob(f"*/{name}")}
    for place in sorted(folders):
        try:
            entry = read_entry(place, shared)
        except UserFixable as error:
            problems += error.problems
        else:
            entries[entry.template.id] = entry
    if problems:
        raise UserFixable(
            "CATALOGUE",
            f"{len({problem.node for problem in problems})} templates cannot be read.",
            where=str(folder),
            hint="Mend the places named, or install the program again.",
            problems=problems,
        )
    return Catalogue(entries)


def read_entry(folder: Path, shared: Shared | None = None) -> Entry:
    """One template and its messages. Raises UserFixable (`TEMPLATE-FILE`) with every problem; `node` is the folder.

    `shared`: what the templates of a catalogue use by name; None reads it from beside the folder.
    """
    found: list[Problem] = []
    template: Template | None = None
    texts: dict[str, str] = {}
    shared = shared or read_shared(folder.parent)
    try:
        document, written = _read(folder, shared)
        texts = {
            name: _framed(name, text, folder.parent, shared, _kind(document, name)) for name, text in written.items()
        }
        template = Template.model_validate(document)
    except json.JSONDecodeError as error:
        found.append(Problem("TEMPLATE-JSON", f"Not valid JSON at line {error.lineno}.", node=folder.name))
    except UserFixable as error:
        found.append(Problem(error.code, error.message, error.hint or "", node=folder.name, field=error.where))
    except ValidationError as error:
        found += [
            Problem("TEMPLATE-FIELD", in_words(item), node=folder.name, field=".".join(map(str, item["loc"])))
            for item in error.errors()
        ]
    if template is not None:
        found += [
            Problem(problem.code, problem.message, problem.hint, node=folder.name, field=problem.field)
            for problem in check_template(template, texts, folder.name)
        ]
    if found or template is None:
        raise UserFixable(
            "TEMPLATE-FILE", f"“{folder.name}” is not a whole template.", where=str(folder), problems=found
        )
    return Entry(template, texts)


def check_template(template: Template, texts: Mapping[str, str], folder: str) -> list[Problem]:
    """Everything that is wrong with a template apart from the node types of its workflow; empty when it is whole."""
    return [
        *_identity(template, folder),
        *_languages(template),
        *_parameters(template),
        *_bindings(template),
        *_messages(template, texts),
        *_benchmarks(template),
    ]


def _identity(template: Template, folder: str) -> Iterator[Problem]:
    if template.id != folder:
        yield Problem("TEMPLATE-ID", f"The id “{template.id}” is not the folder's name.", field="id")
    known = tuple(archetype.id for archetype in archetypes())
    if template.archetype not in known:
        hint = nearest(template.archetype, known)
        yield Problem("TEMPLATE-ARCHETYPE", f"No archetype “{template.archetype}”.", hint, field="archetype")


def _languages(template: Template) -> Iterator[Problem]:
    said = {"name": template.name, "description": template.description}
    for parameter in template.parameters:
        said[f"parameters.{parameter.name}.title"] = parameter.title
        said[f"parameters.{parameter.name}.help"] = parameter.help
    for place, text in said.items():
        for language in LANGUAGES:
            if not text.get(language):
                yield Problem("TEMPLATE-LANGUAGE", f"Nothing is said in “{language}”.", field=place)


def _parameters(template: Template) -> Iterator[Problem]:
    names = [parameter.name for parameter in template.parameters]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Problem("TEMPLATE-PARAMETER", f"The parameter “{name}” is there twice.", field="parameters")
    for parameter in template.parameters:
        yield from problems_of(parameter, parameter.default)
        if parameter.rule.kind == "fact" and not parameter.rule.fact:
            yield Problem("TEMPLATE-RULE", "A rule of kind “fact” names no fact.", field=parameter.name)
        if parameter.rule.kind in ("choice", "copy") and not parameter.rule.options:
            yield Problem("TEMPLATE-RULE", "The rule has no options.", field=parameter.name)


def _bindings(template: Template) -> Iterator[Problem]:
    known = tuple(parameter.name for parameter in template.parameters)
    for node in template.workflow.nodes:
        values: dict[str, JsonValue] = dict(node.parameters)
        for path, name in (*parameter_refs(values), *text_refs(values)):
            if name not in known:
                hint = nearest(name, known)
                yield Problem("TEMPLATE-BINDING", f"There is no parameter “{name}”.", hint, field=f"{node.id}.{path}")


def _messages(template: Template, texts: Mapping[str, str]) -> Iterator[Problem]:
    mails = {node.parameters.get("body") for node in template.workflow.nodes if node.type == MAIL_TYPE}
    for name in template.messages:
        for language in LANGUAGES:
            for kind in ("mjml", "txt") if name in mails else ("txt",):
                if f"{name}.{language}.{kind}" not in texts:
                    yield Problem("TEMPLATE-MESSAGE", f"“{name}.{language}.{kind}” is missing.", field="messages")
    known = (*(parameter.name for parameter in template.parameters), *derived_names(template.parameters))
    for file, text in texts.items():
        if file.split(".")[0] not in template.messages:
            yield Problem("TEMPLATE-MESSAGE", f"“{file}” belongs to no message.", field="messages")
        for _, name in text_refs(text):
            if name not in known:
                hint = nearest(name, known)
                yield Problem("TEMPLATE-BINDING", f"“{file}” names no parameter with “{name}”.", hint, field=file)


def _benchmarks(template: Template) -> Iterator[Problem]:
    for position, benchmark in enumerate(template.benchmarks):
        if not benchmark.source.strip():
            yield Problem("TEMPLATE-BENCHMARK", "A number without a source.", field=f"benchmarks.{position}")
        if benchmark.metric.endswith("_rate") and not 0 <= benchmark.value <= 1:
            yield Problem("TEMPLATE-BENCHMARK", "A rate lies between 0 and 1.", field=f"benchmarks.{position}")


def _read(folder: Path, shared: Shared) -> tuple[JsonValue, dict[str, str]]:
    """The template document of a folder, and its messages by file name as they were written."""
    if (folder / recipe.FILE).is_file():
        return recipe.read_recipe(folder, shared)
    texts = {
        file.name: file.read_text(encoding="utf-8").strip()
        for file in sorted(folder.iterdir())
        if _MESSAGE.fullmatch(file.name)
    }
    return json.loads((folder / TEMPLATE_FILE).read_text(encoding="utf-8")), texts


def _kind(document: JsonValue, file: str) -> str:
    """What the message is sent as: `mail`, `service` (about something the person asked for), or `text` of others."""
    message = file.split(".", maxsplit=1)[0]
    nodes = document["workflow"]["nodes"] if isinstance(document, dict) else []  # type: ignore[index, call-overload]
    users = [node for node in nodes if node.get("parameters", {}).get("body") == message]
    if users and users[0]["type"] != MAIL_TYPE:
        return "text"
    return "service" if users and users[0]["parameters"].get("purpose") == "transactional" else "mail"


@cache
def _frame(folder: Path, language: str, kind: str) -> str:
    file = folder / f"frame.{language}.{kind}"
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _framed(name: str, content: str, folder: Path, shared: Shared, sent_as: str) -> str:
    """The message inside the frame of its language; a whole document, and what is no mail, stays as it is."""
    _, language, kind = name.split(".")
    outer = _frame(folder, language, kind)
    if sent_as == "text" or content.startswith("<mjml") or not outer:
        return content
    preview = _PREVIEW.match(content)
    inner = content[preview.end() :].strip() if preview else content
    footer = shared.words.get(language, {}).get(f"{sent_as}_{kind}", "")
    outer = outer.replace(_FOOTED, footer).replace(_PREVIEWED, preview.group().strip() if preview else "")
    return outer.replace(_FRAMED, inner)
