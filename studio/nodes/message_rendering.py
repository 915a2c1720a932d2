"""Filling in message texts: MiniJinja within bounds, then MJML to HTML.

Only plain data goes in (texts, numbers, yes and no, and lists and dictionaries of them). A field that is empty for a
person is missing: printing it fails with its name, `default` and `if` handle it. Templates come before MJML, because a
condition may stand around whole sections. Absent on purpose: files, includes and network; fonts are not loaded either.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import minijinja
import mjml
from minijinja import TemplateError
from pydantic import JsonValue

from studio.domain.errors import UserFixable
from studio.nodes.template_guard import guard_template

FUEL = 50_000
MAX_OUTPUT = 1_000_000
MAX_FILLED = 2_000
MAX_TAG_DEPTH = 100

_MISSING = re.compile(r"`([^`]+)` is undefined")
_TAG = re.compile(r"<(/?)([a-zA-Z][\w:-]*)[^>]*?(/?)>")
_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)
_DATE_PATTERN = re.compile(r"(?:%[dmyYBbAaHM]|[^%])*")
_PLACES = {"body.mjml": "message", "text": "plain text"}
_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£"}


class RenderError(Exception):
    """One message could not be written. `code` is stable, `args[0]` are words that name no person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


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
        self._environment = _environment()
        sources = {"subject": texts.subject, "preheader": texts.preheader, "body.mjml": _with_preview(texts.body)}
        if texts.text:
            sources["text"] = texts.text
        self._names = tuple(sources)
        for name, source in sources.items():
            _add(self._environment, name, source)
        self._fills = any("fill" in source for source in sources.values())

    def contact_fields(self) -> set[str] | None:
        """The contact fields that the texts name; None when they may need any (`fill`, or `contact` as a whole)."""
        names: set[str] = set()
        for template in self._names:
            names |= self._environment.undeclared_variables_in_template(template, nested=True)
        if self._fills or "contact" in names:
            return None
        return {name.removeprefix("contact.") for name in names if name.startswith("contact.")}

    def render(self, data: Mapping[str, JsonValue]) -> Rendered:
        """The message for one person's data.

        Raises RenderError: MAIL-FIELD-MISSING (names the field), MAIL-TOO-LARGE, MAIL-RENDER, MAIL-MJML.
        """
        subject = self._filled("subject", data)
        preheader = self._filled("preheader", data)
        known: dict[str, JsonValue] = {**data, "subject": _one_line(subject), "preheader": _one_line(preheader)}
        body = self._filled("body.mjml", known)
        text = self._filled("text", known) if "text" in self._names else ""
        return Rendered(_one_line(subject), to_html(body), text)

    def _filled(self, name: str, data: Mapping[str, JsonValue]) -> str:
        try:
            text = self._environment.render_template(name, **data)
        except TemplateError as error:
            raise _failure(name, error) from None
        if len(text) > MAX_OUTPUT:
            raise RenderError("MAIL-TOO-LARGE", "The message comes out larger than a megabyte.")
        return text


@lru_cache(maxsize=32)
def compiled(texts: Texts) -> MessageTemplate:
    """The same template for the same texts: chunk after chunk asks for it."""
    return MessageTemplate(texts)


def check_template(source: str) -> None:
    """Passes over a text that can be filled in. Raises UserFixable (MAIL-TEMPLATE) with the place."""
    _add(_environment(), "text", source)


def to_html(source: str) -> str:
    """MJML to HTML. Raises RenderError (MAIL-MJML)."""
    # The converter follows nesting with the machine's stack and dies when that ends, so depth is bounded here.
    if source.count("<") > MAX_TAG_DEPTH and _depth(source) > MAX_TAG_DEPTH:
        raise RenderError("MAIL-MJML", f"Parts of the message are nested more than {MAX_TAG_DEPTH} deep.")
    try:
        html = mjml.mjml2html(source, fonts={})
    except ValueError as error:
        raise RenderError("MAIL-MJML", f"The message is not valid MJML: {error}.") from None
    if len(html) > MAX_OUTPUT:
        raise RenderError("MAIL-TOO-LARGE", "The message comes out larger than a megabyte.")
    return html


def _environment() -> minijinja.Environment:
    environment = minijinja.Environment(
        undefined_behavior="semi_strict",  # pyright: ignore[reportArgumentType] - newer than the stub
        pycompat=False,
        fuel=FUEL,
        auto_escape_callback=lambda name: "html" if name.endswith(".mjml") else False,
    )
    for name in ("range", "dict", "debug", "namespace"):
        environment.remove_global(name)

    @minijinja.pass_state
    def fill(state: object, text: str) -> str:
        return _fill(environment, state, text)

    for name, function in (("times", _times), ("money", _money), ("date", _date), ("fill", fill)):
        environment.add_filter(name, function)
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


def _fill(environment: minijinja.Environment, state: object, text: str) -> str:
    """Fills in the fields that a text itself names, such as the subject of a variant; one level only."""
    if len(text) > MAX_FILLED or "fill" in text:
        raise minijinja.TemplateError(f"a text to fill in has at most {MAX_FILLED} characters and no “fill” of its own")
    guard_template(text)
    known = {name: state.lookup(name) for name in ("contact", "var", "key", "event")}  # pyright: ignore[reportAttributeAccessIssue]
    return environment.render_str(text, **{name: value for name, value in known.items() if value is not None})


def _times(value: float, factor: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isinstance(factor, (int, float)):
        raise minijinja.TemplateError("times multiplies numbers")
    return float(value) * float(factor)


def _money(value: float, currency: str = "") -> str:
    amount = f"{float(value):,.2f}"
    symbol = _SYMBOLS.get(currency)
    return f"{symbol}{amount}" if symbol else f"{amount} {currency}".strip()


def _date(value: str, pattern: str = "%Y-%m-%d") -> str:
    if len(pattern) > 50 or not _DATE_PATTERN.fullmatch(pattern):
        raise minijinja.TemplateError("a date is written with %d %m %Y %y %B %b %A %a %H %M")
    return datetime.fromisoformat(value).strftime(pattern)


@lru_cache(maxsize=64)
def _with_preview(body: str) -> str:
    """Puts the preview text into a message that says nothing of its own about it."""
    if "<mj-preview" in body or "preheader" in body:
        return body
    preview = "{% if preheader %}<mj-preview>{{ preheader }}</mj-preview>{% endif %}"
    if re.search(r"<mj-head\s*>", body):
        return re.sub(r"(<mj-head\s*>)", lambda found: found[1] + preview, body, count=1)
    return re.sub(r"(<mjml[^>]*>)", lambda found: f"{found[1]}<mj-head>{preview}</mj-head>", body, count=1)


def _depth(source: str) -> int:
    deepest = depth = 0
    for closing, name, empty in _TAG.findall(source):
        if closing:
            depth = max(depth - 1, 0)
        elif not empty and name.lower() not in _VOID:
            depth += 1
            deepest = max(deepest, depth)
    return deepest


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
