"""Filling in message texts: MiniJinja within bounds, then MJML to HTML.

Only plain data goes in (texts, numbers, yes and no, and lists and dictionaries of them). A field that is empty for a
person is missing: printing it fails with its name, `default` and `if` handle it. Templates come before MJML, because a
condition may stand around whole sections. Absent on purpose: files, includes and network; fonts are not loaded either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from functools import lru_cache, partial
from types import NoneType
from typing import TYPE_CHECKING

import minijinja
from minijinja import TemplateError

from studio.domain.errors import UserFixable
from studio.nodes.message_layout import Printed, laid_out, printed_value, printing, without_marks
from studio.nodes.mjml_conversion import MAX_OUTPUT, RenderError
from studio.nodes.template_filters import add_filters
from studio.nodes.template_guard import guard_template, prints_no_fraction

if TYPE_CHECKING:
    from pydantic import JsonValue

FUEL = 50_000

EVENT = "var.event"
"""The column of the event an instance entered with; texts know it as `event`."""

MAX_PLAIN = 2_000
"""Characters of a text that becomes a variable."""

_WHOLE = frozenset({str, int, bool, NoneType})
_MISSING = re.compile(r"`([^`]+)` is undefined")
_PLACES = {"body.mjml": "message", "text": "plain text"}


@dataclass(frozen=True, slots=True)
class Texts:
    """The templates of one message; `body` is MJML, an empty `text` is taken from the HTML later."""

    subject: str
    preheader: str
    body: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Rendered:
    """One message's texts, filled in."""

    subject: str
    html: str
    text: str


class MessageTemplate:
    """The templates of one message, checked and compiled once.

    Raises UserFixable (MAIL-TEMPLATE) on a text that is refused or cannot be read.
    """

    def __init__(self, texts: Texts) -> None:
        self.texts = texts
        self._environment = _environment()
        sources = {"subject": texts.subject, "preheader": texts.preheader, "body.mjml": _with_preview(texts.body)}
        if texts.text:
            sources["text"] = texts.text
        self._names = tuple(sources)
        for name, source in sources.items():
            _add(self._environment, name, without_marks(source))
        self._fills = any("fill" in source for source in sources.values())

    def contact_fields(self) -> set[str] | None:
        """The contact fields that the texts name; None when they may need any (`fill`, or `contact` as a whole)."""
        return None if self._fills else _contact_fields(self._environment, self._names)

    def render(self, data: Mapping[str, JsonValue], tags: Mapping[str, str] | None = None) -> Rendered:
        """The message for one person's data; `tags` go onto its links, but not onto `unsubscribe_url`.

        Raises RenderError: MAIL-FIELD-MISSING (names the field), MAIL-TOO-LARGE, MAIL-RENDER, MAIL-MJML.
        """
        subject = _one_line(self._filled("subject", data))
        preheader = _one_line(self._filled("preheader", data))
        known: dict[str, JsonValue] = {**data, "subject": subject, "preheader": preheader}
        printed = Printed(str(data.get("unsubscribe_url", "")))
        with printing(printed):
            body = self._filled("body.mjml", known)
        html, text = laid_out(body, printed, tags or {})
        if "text" in self._names:
            text = self._filled("text", known)
        return Rendered(subject, html, text)

    def _filled(self, name: str, data: Mapping[str, JsonValue]) -> str:
        text = _filled(self._environment, name, data)
        if len(text) > MAX_OUTPUT:
            raise RenderError("MAIL-TOO-LARGE", "The message comes out larger than a megabyte.")
        return text


class TextTemplate:
    """One plain text, checked and compiled once. Raises UserFixable (MAIL-TEMPLATE)."""

    def __init__(self, source: str) -> None:
        self._environment = _environment(_as_python)
        _add(self._environment, "text", source)
        self._plain: minijinja.Environment | None = None
        if prints_no_fraction(source):
            self._plain = _environment(None)
            _add(self._plain, "text", source)
        self._fills = "fill" in source
        self._named = self._environment.undeclared_variables_in_template("text", nested=True)

    def uses(self, column: str) -> bool:
        """Whether the text may say something of this column of a `RenderTask`."""
        known = "event" if column == EVENT else column
        group = known.partition(".")[0]
        named = any(name in (known, group) or name.startswith(f"{known}.") for name in self._named)
        return self._fills or named or (column == EVENT and "var" in self._named)

    def contact_fields(self) -> set[str] | None:
        """See `MessageTemplate.contact_fields`."""
        return None if self._fills else _contact_fields(self._environment, ("text",))

    def render(self, data: Mapping[str, JsonValue]) -> str:
        """The text for one person's data. Raises RenderError: MAIL-FIELD-MISSING, MAIL-TOO-LARGE, MAIL-RENDER."""
        return _plain_text(self._environment, data)

    def writer(self, kinds: Set[type]) -> Callable[[Mapping[str, JsonValue]], str]:
        """What writes the text for people whose data is of these kinds: as `render` does, in half the time if it can.

        MiniJinja writes 5.0 where Python's numbers, which every value passes through otherwise, give 5.
        """
        return partial(_plain_text, self._plain) if self._plain is not None and kinds <= _WHOLE else self.render


@lru_cache(maxsize=32)
def compiled(texts: Texts) -> MessageTemplate:
    """The same template for the same texts: chunk after chunk asks for it."""
    return MessageTemplate(texts)


def check_template(source: str) -> None:
    """Passes over a text that can be filled in. Raises UserFixable (MAIL-TEMPLATE) with the place."""
    _add(_environment(), "text", source)


def _plain_text(environment: minijinja.Environment, data: Mapping[str, JsonValue]) -> str:
    try:
        text = environment.render_template("text", **data)
    except TemplateError as error:
        raise _failure("text", error) from None
    if len(text) > MAX_PLAIN:
        raise RenderError("MAIL-TOO-LARGE", f"The text comes out longer than {MAX_PLAIN:,} characters.")
    return text


def _as_python(value: object) -> object:
    return value


def _filled(environment: minijinja.Environment, name: str, data: Mapping[str, JsonValue]) -> str:
    try:
        return environment.render_template(name, **data)
    except TemplateError as error:
        raise _failure(name, error) from None


def _contact_fields(environment: minijinja.Environment, templates: Iterable[str]) -> set[str] | None:
    names: set[str] = set()
    for template in templates:
        names |= environment.undeclared_variables_in_template(template, nested=True)
    return None if "contact" in names else {n.removeprefix("contact.") for n in names if n.startswith("contact.")}


def _environment(finalizer: Callable[[object], object] | None = printed_value) -> minijinja.Environment:
    given = {} if finalizer is None else {"finalizer": finalizer}
    environment = minijinja.Environment(
        undefined_behavior="semi_strict",  # pyright: ignore[reportCallIssue, reportArgumentType] - newer than the stub
        pycompat=False,
        fuel=FUEL,
        auto_escape_callback=lambda name: "html" if name.endswith(".mjml") else False,
        **given,
    )
    for name in ("range", "dict", "debug", "namespace"):
        environment.remove_global(name)
    add_filters(environment)
    return environment


def _add(environment: minijinja.Environment, name: str, source: str) -> None:
    guard_template(source)
    try:
        environment.add_template(name, source)
    except TemplateError as error:
        place = _PLACES.get(name, name)
        raise UserFixable(
            "MAIL-TEMPLATE",
            f"The {place} cannot be read: {error.detail or error.message} (line {error.line}).",
            where=f"{place}, line {error.line}",
            hint="Check that every {{ has its }}, and every if and for its end.",
        ) from None


@lru_cache(maxsize=64)
def _with_preview(body: str) -> str:
    """Puts the preview text into a message that says nothing of its own about it."""
    if "<mj-preview" in body or "preheader" in body:
        return body
    preview = "{% if preheader %}<mj-preview>{{ preheader }}</mj-preview>{% endif %}"
    if re.search(r"<mj-head\s*>", body):
        return re.sub(r"(<mj-head\s*>)", lambda found: found[1] + preview, body, count=1)
    return re.sub(r"(<mjml[^>]*>)", lambda found: f"{found[1]}<mj-head>{preview}</mj-head>", body, count=1)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _failure(name: str, error: TemplateError) -> RenderError:
    place = _PLACES.get(name, name)
    if error.kind == "UndefinedError":
        found = _MISSING.search(error.detail or "")
        field = found[1] if found else "a field"
        return RenderError(
            "MAIL-FIELD-MISSING",
            f'“{field}” is empty, and the {place} needs it. Give it a value, or write {field}|default("…").',
        )
    if error.kind == "OutOfFuel":
        return RenderError("MAIL-TOO-LARGE", f"The {place} loops more often than a message may.")
    return RenderError("MAIL-RENDER", f"The {place} cannot be written: {error.detail or error.message}.")
