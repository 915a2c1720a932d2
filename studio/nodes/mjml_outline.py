"""What stands in a message's MJML as it is written: links, pictures, readable text, colours, unknown tags.

Read with the standard parser, because MJML closes its own tags (`<mj-image />`), which HTML parsers do not understand.
Absent on purpose: judging any of it (`message_lint`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser

KNOWN_TAGS = frozenset(
    (
        *("mjml", "mj-head", "mj-body", "mj-section", "mj-column", "mj-group", "mj-wrapper", "mj-text", "mj-button"),
        *("mj-image", "mj-divider", "mj-spacer", "mj-table", "mj-social", "mj-social-element", "mj-hero", "mj-navbar"),
        *("mj-navbar-link", "mj-accordion", "mj-accordion-element", "mj-accordion-title", "mj-accordion-text"),
        *("mj-carousel", "mj-carousel-image", "mj-raw", "mj-attributes", "mj-all", "mj-class", "mj-style", "mj-title"),
        *("mj-preview", "mj-font", "mj-breakpoint", "mj-include", "mj-html-attributes", "mj-selector"),
        *("mj-html-attribute",),
    )
)
_TEMPLATE = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_COLOUR = re.compile(r"#(?:[0-9a-f]{6}|[0-9a-f]{3})", re.IGNORECASE)
_SILENT = frozenset(("mj-style", "mj-title", "mj-preview", "mj-font", "style", "script"))
_PAINTED = frozenset(("mj-section", "mj-column", "mj-wrapper", "mj-hero", "mj-body"))


@dataclass(frozen=True, slots=True)
class Link:
    target: str
    label: str
    line: int


@dataclass(frozen=True, slots=True)
class Image:
    """`alt` None: not said at all."""

    source: str
    alt: str | None
    line: int


@dataclass(frozen=True, slots=True)
class ColourPair:
    """Text and ground with their contrast (WCAG 2.2), from 1 to 21."""

    ink: str
    ground: str
    ratio: float
    line: int


@dataclass(frozen=True, slots=True)
class Outline:
    """`text`: what people read, blanks joined. `unknown`: tags that are no MJML, with their lines."""

    links: tuple[Link, ...]
    images: tuple[Image, ...]
    text: str
    preview: str
    unknown: tuple[tuple[str, int], ...]
    colours: tuple[ColourPair, ...]
    is_dark_aware: bool
    known_tags: frozenset[str] = KNOWN_TAGS


def outline(source: str) -> Outline:
    """Reads a message as it is written, with its `{{ … }}` in place. Never fails: broken MJML gives what was found."""
    # Conditions may hold “<”; blanks of the same length keep the lines right.
    reader = _Reader()
    reader.feed(_TEMPLATE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), source))
    reader.close()
    return Outline(
        links=tuple(reader.links),
        images=tuple(reader.images),
        text=" ".join(" ".join(reader.words).split()),
        preview=" ".join(" ".join(reader.preview).split()),
        unknown=tuple(reader.unknown.items()),
        colours=tuple(reader.colours),
        is_dark_aware="color-scheme" in source or "prefers-color-scheme" in source,
    )


def contrast(one: str, other: str) -> float:
    """Contrast of two `#rrggbb` colours, from 1 to 21 (WCAG 2.2, contrast ratio)."""
    first, second = sorted((_luminance(one), _luminance(other)))
    return (second + 0.05) / (first + 0.05)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[Link] = []
        self.images: list[Image] = []
        self.words: list[str] = []
        self.preview: list[str] = []
        self.unknown: dict[str, int] = {}
        self.colours: list[ColourPair] = []
        self._open: list[str] = []
        self._grounds: list[tuple[str, str]] = []
        self._link: tuple[str, str, int, list[str]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._see(tag, dict(attrs))
        self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._see(tag, dict(attrs))
        self._leave(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass
        self._leave(tag)

    def handle_data(self, data: str) -> None:
        inside = self._open[-1] if self._open else ""
        if inside == "mj-preview":
            self.preview.append(data)
        if inside in _SILENT:
            return
        self.words.append(data)
        if self._link is not None:
            self._link[3].append(data)

    def _see(self, tag: str, attributes: dict[str, str | None]) -> None:
        line = self.getpos()[0]
        if tag.startswith("mj") and tag not in KNOWN_TAGS:
            self.unknown.setdefault(tag, line)
        if "mj-attributes" in self._open:
            return  # defaults of other elements, nothing that is shown
        if tag in ("mj-image", "img", "mj-carousel-image"):
            self.images.append(Image(attributes.get("src") or "", attributes.get("alt"), line))
        if tag in ("a", "mj-button", "mj-navbar-link", "mj-social-element") or (
            tag == "mj-image" and "href" in attributes
        ):
            if tag == "mj-image":
                self.links.append(Link(attributes.get("href") or "", attributes.get("alt") or "", line))
            else:
                self._link = (tag, attributes.get("href") or "", line, [])
        if tag in _PAINTED:
            self._grounds.append((tag, attributes.get("background-color") or self._ground()))
        if tag in ("mj-text", "mj-button"):
            self._pair(attributes.get("color"), attributes.get("background-color") or self._ground(), line)

    def _leave(self, tag: str) -> None:
        if self._link is not None and self._link[0] == tag:
            _, target, line, words = self._link
            self.links.append(Link(target, " ".join(" ".join(words).split()), line))
            self._link = None
        if self._grounds and self._grounds[-1][0] == tag:
            self._grounds.pop()

    def _ground(self) -> str:
        return self._grounds[-1][1] if self._grounds else "#ffffff"

    def _pair(self, ink: str | None, ground: str, line: int) -> None:
        if ink and self._grounds and _COLOUR.fullmatch(ink) and _COLOUR.fullmatch(ground):
            self.colours.append(ColourPair(ink, ground, contrast(ink, ground), line))


def _luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    whole = digits if len(digits) == 6 else "".join(digit * 2 for digit in digits)
    channels = [int(whole[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
