"""A template as one file that people pass on: template, messages and nothing else (`studio.template-bundle/1`).

A bundle may come from a stranger: it is read within limits, its node types must be known, its message texts are checked
like all others, and `review` says in words what it would do before anybody takes it in.
Absent on purpose: keeping it (`workspace`), and program code, which no bundle can hold.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import JsonValue, ValidationError

from studio.domain.errors import Problem, UserFixable
from studio.domain.refusals import in_words
from studio.domain.template import BusinessContext, Template
from studio.domain.validation import Catalogue as NodeCatalogue
from studio.domain.validation import check
from studio.domain.workflow import Node
from studio.gallery.catalogue import Entry, check_template
from studio.gallery.customise import fill, instantiate

FORMAT = "studio.template-bundle/1"
BYTES_MAX = 2_000_000
NODES_MAX = 500
TEXTS_MAX = 400
_TEXT_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}\.[a-z]{2}\.(?:mjml|txt)")
_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,60}")
_ADDRESS = re.compile(r"https?://[^\s\"'<>)}|{]+")
_OURS = ("example.com", "www.example.com", "example.invalid", "shop.example", "schema.org", "www.w3.org")

Kind: TypeAlias = Literal["starts", "sends", "changes", "calls", "reads", "leads", "problem"]


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """One thing that a template would do. `grave`: worth a second look before it is taken in."""

    kind: Kind
    text: str
    node: str | None = None
    grave: bool = False


def to_bundle(entry: Entry) -> str:
    """The file's text, the same for the same template."""
    document = {
        "format": FORMAT,
        "template": json.loads(entry.template.model_dump_json(by_alias=True)),
        "texts": dict(sorted(entry.texts.items())),
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def read_bundle(text: str, where: str) -> Entry:
    """The template in a file's text.

    Raises:
        UserFixable: TEMPLATE-BUNDLE with everything that keeps it from being read, or that is not whole.
    """
    if len(text.encode("utf-8")) > BYTES_MAX:
        raise _refused(where, f"The file is larger than {BYTES_MAX // 1_000_000} MB.")
    try:
        document = json.loads(text)
    except ValueError as error:
        raise _refused(where, f"The file is not valid JSON ({error}).") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise _refused(where, "The file is no shared template.")
    if unknown := sorted(set(document) - {"format", "template", "texts"}):
        raise _refused(where, f"The file holds “{unknown[0]}”, which a shared template has not.")
    texts = _texts(document.get("texts"), where)
    try:
        template = Template.model_validate(document.get("template"))
    except ValidationError as error:
        problems = [Problem("TEMPLATE-FIELD", in_words(e), field=".".join(map(str, e["loc"]))) for e in error.errors()]
        raise _refused(where, "The template in the file cannot be read.", problems) from None
    if len(template.workflow.nodes) > NODES_MAX:
        raise _refused(where, f"The template has more than {NODES_MAX} steps.")
    if not _ID.fullmatch(template.id):
        raise _refused(where, f"“{template.id}” cannot be the id of a template.")
    found = [p for p in check_template(template, texts, template.id) if not _is_other_language(p)]
    if found:
        raise _refused(where, "The template in the file is not whole.", found)
    return Entry(template, texts)


def review(entry: Entry, nodes: NodeCatalogue) -> list[ReviewLine]:
    """What the template would do, in words, gravest first within each kind."""
    workflow = entry.template.workflow
    lines = [line for node in workflow.nodes for line in _of_node(node, nodes)]
    hosts = {urlsplit(found).hostname or "" for found in _ADDRESS.findall(json.dumps(_everything(entry)))}
    lines += [ReviewLine("leads", f"Has links to {host}.", grave=True) for host in sorted(hosts - set(_OURS)) if host]
    needs = entry.template.needs
    if needs.fields:
        lines.append(ReviewLine("reads", f"Reads of each contact: {', '.join(needs.fields)}."))
    lines += [ReviewLine("problem", str(problem), problem.node, grave=True) for problem in _trial(entry, nodes)]
    order = ("problem", "starts", "sends", "calls", "changes", "leads", "reads")
    return sorted(lines, key=lambda line: (order.index(line.kind), not line.grave))


def _trial(entry: Entry, nodes: NodeCatalogue) -> list[Problem]:
    """What is wrong with a workflow made of it for a business of which nothing is known."""
    try:
        language = entry.languages[0] if entry.languages else None
        made = instantiate(entry, fill(entry, BusinessContext(), language=language))
    except UserFixable as error:
        return list(error.problems) or [Problem(error.code, error.message, error.hint or "")]
    return check(made, nodes)


def _of_node(node: Node, nodes: NodeCatalogue) -> Iterator[ReviewLine]:
    if node.type not in nodes:
        yield ReviewLine(
            "problem", f"Needs the step type “{node.type}”, which this program has not.", node.id, grave=True
        )
        return
    declared, label = nodes[node.type].declaration, node.label or node.id
    if declared.role == "source":
        yield ReviewLine("starts", f"{label}: {declared.summary}", node.id)
    elif declared.carrier == "web":
        yield ReviewLine(
            "calls", f"{label}: calls {node.parameters.get('url')} with data of each person.", node.id, grave=True
        )
    elif declared.channel == "notice":
        yield ReviewLine("sends", f"{label}: tells a colleague about each person.", node.id)
    elif declared.role == "send":
        passes_consent = node.parameters.get("purpose") == "transactional"
        how = f"sends by {declared.channel}" + (
            ", without asking for consent (service message)" if passes_consent else ""
        )
        yield ReviewLine("sends", f"{label}: {how}.", node.id, grave=passes_consent)
    elif node.type == "data.update":
        changes = node.parameters.get("changes")
        for change in changes if isinstance(changes, list) else []:
            if isinstance(change, Mapping):
                is_consent = change.get("action") in ("grant", "withdraw")
                what = f"{change.get('action', 'set')} {'consent to ' if is_consent else ''}{change.get('field')}"
                yield ReviewLine("changes", f"{label}: {what}.", node.id, grave=is_consent)


def _everything(entry: Entry) -> list[JsonValue]:
    workflow: JsonValue = json.loads(entry.template.workflow.model_dump_json(by_alias=True))
    return [workflow, *entry.texts.values(), *(parameter.default for parameter in entry.template.parameters)]


def _texts(given: object, where: str) -> dict[str, str]:
    texts = given if isinstance(given, dict) else {}
    if (given is not None and not isinstance(given, dict)) or len(texts) > TEXTS_MAX:
        raise _refused(where, "The messages in the file cannot be read.")
    for name, text in texts.items():
        if not _TEXT_NAME.fullmatch(name) or not isinstance(text, str):
            raise _refused(where, f"“{name[:60]}” is no message file.")
    return texts


def _is_other_language(problem: Problem) -> bool:
    """An own template may speak one language only; ours speak all."""
    return problem.code == "TEMPLATE-LANGUAGE" or (
        problem.code == "TEMPLATE-MESSAGE" and "is missing" in problem.message
    )


def _refused(where: str, message: str, problems: list[Problem] | None = None) -> UserFixable:
    hint = "Ask whoever sent it for the file that `studio templates share` writes."
    return UserFixable("TEMPLATE-BUNDLE", message, where=where, hint=hint, problems=problems or ())
