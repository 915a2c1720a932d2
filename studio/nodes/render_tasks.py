"""Doing a `RenderTask`: what runs in the worker process, or here where there is none.

JSON data in, texts out, in pieces, so that whoever waits sees that it goes on. Absent on purpose: processes and limits
(`connectors.render_process`), Polars, and everything a text may not reach.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from types import NoneType
from typing import TYPE_CHECKING

from studio.domain.rendering import Rendered, RenderTask
from studio.nodes.message_rendering import Texts, TextTemplate, compiled
from studio.nodes.mjml_conversion import RenderError

if TYPE_CHECKING:
    from pydantic import JsonValue

PIECE = {"text": 2_000, "mail": 25}
"""People whose texts are made before it is told how far it is: some hundredths of a second."""

COLUMNS = {"text": ("text", "code", "message"), "mail": ("subject", "html", "text", "code", "message")}

_NOTHING: frozenset[str | None] = frozenset((None, ""))
_NOBODY = frozenset((NoneType,))


async def render_here(task: RenderTask) -> Rendered:
    """Does the task in this process."""
    import asyncio  # noqa: PLC0415 - the process that fills in texts has no loop, and is waited for

    answer: dict[str, list[str | None]] = {name: [] for name in COLUMNS[task.kind]}
    for piece in perform(task):
        for name, column in piece.items():
            answer[name] += column
        # Open mail sessions live on the same loop and must not wait for a whole batch to be written.
        await asyncio.sleep(0)
    return answer


def perform(task: RenderTask, piece: int | None = None) -> Iterator[dict[str, list[str | None]]]:
    """The answer in pieces of so many people. Raises UserFixable (MAIL-TEMPLATE) when the templates are refused."""
    size = piece or PIECE[task.kind]
    write = _texts if task.kind == "text" else _mails
    for start in range(0, task.people, size):
        part = {name: column[start : start + size] for name, column in task.columns.items()}
        yield write(task.texts, part)


def _texts(texts: Mapping[str, str], columns: Mapping[str, Sequence[JsonValue]]) -> dict[str, list[str | None]]:
    template = text_template(texts["text"])
    columns = _read(columns)
    # What an event holds is known only once it is read.
    kinds = {dict} if "var.event" in columns else _kinds(chain.from_iterable(columns.values()))
    render, people = template.writer(kinds), _people(columns)
    written: list[str | None] = []
    codes: list[str | None] = [None] * len(people)
    messages: list[str | None] = [None] * len(people)
    for place, person in enumerate(people):
        try:
            written.append(render(person))
        except RenderError as error:
            written.append(None)
            codes[place], messages[place] = error.code, str(error)
    return {"text": written, "code": codes, "message": messages}


def _mails(texts: Mapping[str, str], columns: Mapping[str, Sequence[JsonValue]]) -> dict[str, list[str | None]]:
    template = compiled(Texts(**texts))
    answer: dict[str, list[str | None]] = {name: [] for name in COLUMNS["mail"]}
    tags = columns["tags"]
    facts = _read({name: column for name, column in columns.items() if name != "tags"})
    for place, person in enumerate(_people(facts)):
        links = tags[place]
        row: tuple[str | None, ...]
        try:
            done = template.render(person, {k: str(v) for k, v in links.items()} if isinstance(links, dict) else {})
            row = (done.subject, done.html, done.text, None, None)
        except RenderError as error:
            row = (None, None, None, error.code, str(error))
        for name, value in zip(COLUMNS["mail"], row, strict=True):
            answer[name].append(value)
    return answer


@lru_cache(maxsize=32)
def text_template(source: str) -> TextTemplate:
    """The same template for the same text. Raises UserFixable (MAIL-TEMPLATE)."""
    return TextTemplate(source)


def _people(columns: Mapping[str, Sequence[JsonValue]]) -> list[dict[str, JsonValue]]:
    """Per person what a template sees: `contact`, `var` and `event` as groups, the rest by name; nothing empty."""
    groups: dict[str, dict[str, Sequence[JsonValue]]] = {"contact": {}, "var": {}}
    plain: dict[str, Sequence[JsonValue]] = {}
    for name, column in columns.items():
        group, dot, rest = name.partition(".")
        if dot and group in groups and name != "var.event":
            groups[group][rest] = column
        elif name != "var.event":
            plain[name] = column
    people = max(map(len, columns.values()), default=0)
    contact, var = (_by_person(groups[name], people, _NOTHING) for name in ("contact", "var"))
    events = [_event(text) for text in columns["var.event"]] if "var.event" in columns else [{}] * people
    together = zip(contact, var, events, strict=True)
    found: list[dict[str, JsonValue]] = [{"contact": one, "var": two, "event": three} for one, two, three in together]
    if any(_kinds(column) != _NOBODY for column in plain.values()):
        for person, other in zip(found, _by_person(plain, people, frozenset((None,))), strict=True):
            person.update(other)
    return found


def _by_person(
    columns: Mapping[str, Sequence[JsonValue]], people: int, nothing: frozenset[str | None]
) -> list[dict[str, JsonValue]]:
    """Per person the values by name, without those that are `nothing`."""
    found: list[dict[str, JsonValue]] = [{} for _ in range(people)]
    for name, column in columns.items():
        kinds = _kinds(column)
        if kinds == _NOBODY:
            continue
        # Most columns lack nothing: then nobody need be asked.
        lacks = (NoneType in kinds and None in nothing) or (str in kinds and "" in nothing and "" in column)
        for person, value in zip(found, column, strict=True):
            if not (lacks and isinstance(value, str | None) and value in nothing):
                person[name] = value
    return found


def _kinds(values: Iterable[JsonValue]) -> set[type]:
    return set(map(type, values))


def _read(columns: Mapping[str, Sequence[JsonValue]]) -> dict[str, Sequence[JsonValue]]:
    """The columns, with what variables hold as JSON read."""
    return {
        name: _all_listed(column) if name.startswith("var.") and name != "var.event" else column
        for name, column in columns.items()
    }


def _all_listed(column: Sequence[JsonValue]) -> Sequence[JsonValue]:
    if str in _kinds(column) and any(isinstance(value, str) and value.startswith("[{") for value in column):
        return [_listed(value) for value in column]
    return column


def _listed(value: JsonValue) -> JsonValue:
    """A variable's value; a list of things (articles, products) travels as JSON and is a list here."""
    if isinstance(value, str) and value.startswith("[{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _event(text: JsonValue) -> dict[str, JsonValue]:
    """The event the instance entered with: its properties, and beside them kind, occurred_at, value, currency, key."""
    event = _decoded(text)
    properties = event.pop("properties", None)
    known = {**_decoded(properties), **event}
    return {name: whole(value) for name, value in known.items() if value is not None and value != ""}


def _decoded(text: JsonValue) -> dict[str, JsonValue]:
    if not isinstance(text, str):
        return {}
    try:
        decoded = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return decoded if isinstance(decoded, dict) else {}


def whole(value: JsonValue) -> JsonValue:
    """A number without a fraction as people write it: 5, not 5.0."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value
