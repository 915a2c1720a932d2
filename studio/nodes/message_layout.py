"""From a filled-in MJML text to HTML and plain text, done once for all messages that differ only in values.

What a template prints is not written into the text but noted, and a mark stands in its place. Conditions and loops have
seen the real values, so messages of one shape come out as the very same text with marks; converting it, tagging its
links and taking its plain text are remembered, and each person's values are put in at the end, escaped for HTML.
Addresses are the exception: how tags join an address depends on what it holds, so it stands in the text itself.
Absent on purpose: templates (`message_rendering`).
"""

from __future__ import annotations

import html
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import minijinja

from studio.nodes.link_tags import tag_links
from studio.nodes.mjml_conversion import MAX_OUTPUT, RenderError, to_html
from studio.nodes.plain_text import plain_text

OPEN, CLOSE = "⁅⁅", "⁆⁆"
"""The signs around a mark. Printable, because MRML rewrites what is not; doubled, because nobody writes that."""

_MARK = re.compile(f"{OPEN}([0-9]+){CLOSE}")
_SCHEME = re.compile(r"https?://|mailto:")
_SHAPES_ADDRESS = re.compile(r"[?#]|utm_|^\s*[a-z]+:", re.IGNORECASE)
_SPACES = re.compile(r"\s+")
# MJML reads sizes and colours while it converts, so there a mark will not do; these attributes take any text.
_MJML_TAG = re.compile(r"<mj-[^<>]*>")
_ANY_TEXT = re.compile(r"\s(?:href|src|alt|title|name|rel|target)=(?:\"[^\"]*\"|'[^']*')")


class Printed:
    """The values that one message prints, in order; the number of a value is its place.

    `untouched` is the address that gets no tags, which every message prints and which differs in each.
    """

    def __init__(self, untouched: str) -> None:
        self.untouched = untouched
        self.texts: list[str] = []
        self.escaped: list[str] = []
        self._length = 0
        self._untouched_mark: str | None = None

    def mark(self, value: object) -> str:
        """Notes a value, and gives what stands in the text for it: a mark, or the value where a mark could change
        how an address around it is read.

        Raises RenderError (MAIL-TOO-LARGE) when the values alone make the message too large.
        """
        text = without_marks(str(value))
        if text == self.untouched:
            return self.mark_untouched()
        if hasattr(value, "__html__"):
            return text
        if _SHAPES_ADDRESS.search(text):
            return html.escape(text)
        return self._note(text)

    def mark_untouched(self) -> str:
        """The mark of `untouched`, behind its scheme, so that links to it are still seen to be links."""
        if self._untouched_mark is None:
            scheme = _SCHEME.match(self.untouched)
            start = scheme.end() if scheme else 0
            self._untouched_mark = self.untouched[:start] + self._note(self.untouched[start:])
        return self._untouched_mark

    def _note(self, text: str) -> str:
        escaped = html.escape(text)
        self._length += len(escaped)
        if self._length > MAX_OUTPUT:
            raise _too_large()
        self.texts.append(_SPACES.sub(" ", text))
        self.escaped.append(escaped)
        return f"{OPEN}{len(self.texts) - 1}{CLOSE}"


_printing = threading.local()


@contextmanager
def printing(printed: Printed | None) -> Iterator[None]:
    """While this lasts, what templates print in this thread is noted; with None it is written out."""
    before = getattr(_printing, "now", None)
    _printing.now = printed
    try:
        yield
    finally:
        _printing.now = before


def printed_value(value: object) -> object:
    """The finalizer of templates: a mark for the value while something is printing, the value itself otherwise."""
    printed: Printed | None = getattr(_printing, "now", None)
    return value if printed is None else minijinja.safe(printed.mark(value))


def without_marks(text: str) -> str:
    """The text with every doubled sign made single, so that nothing in it is taken for a mark."""
    while OPEN in text or CLOSE in text:
        text = text.replace(OPEN, OPEN[0]).replace(CLOSE, CLOSE[0])
    return text


def laid_out(source: str, printed: Printed, tags: Mapping[str, str]) -> tuple[str, str]:
    """HTML and plain text of one message.

    Args:
        source: MJML with marks.
        printed: their values.
        tags: for links (`link_tags`); none leaves all links alone.

    Raises:
        RenderError: MAIL-MJML, MAIL-TOO-LARGE.
    """
    if _needs_values_first(source):
        whole = _filled(_pieces(source), printed.escaped)
        layout = _layout.__wrapped__(whole, tuple(tags.items()), printed.untouched)
        return "".join(layout.html), "".join(layout.text)
    layout = _layout(source, tuple(tags.items()), printed.mark_untouched())
    whole = _filled(layout.html, printed.escaped)
    if len(whole) > MAX_OUTPUT:
        raise _too_large()
    return whole, _filled(layout.text, printed.texts)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Texts in pieces: every second one is the number of a value."""

    html: Sequence[str]
    text: Sequence[str]


@lru_cache(maxsize=128)
def _layout(source: str, tags: tuple[tuple[str, str], ...], untouched: str) -> _Layout:
    converted = to_html(source)
    if tags:
        converted = tag_links(converted, dict(tags), untouched)
    return _Layout(_pieces(converted), _pieces(plain_text(converted)))


def _too_large() -> RenderError:
    return RenderError("MAIL-TOO-LARGE", "The message comes out larger than a megabyte.")


def _pieces(text: str) -> list[str]:
    return _MARK.split(text)


def _filled(pieces: Sequence[str], values: Sequence[str]) -> str:
    filled = list(pieces)
    filled[1::2] = [values[int(number)] for number in pieces[1::2]]
    return "".join(filled)


def _needs_values_first(source: str) -> bool:
    return any(OPEN in tag and OPEN in _ANY_TEXT.sub("", tag) for tag in _MJML_TAG.findall(source))
