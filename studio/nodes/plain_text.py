"""The text part of a message, taken from its HTML: lines as they are seen, links behind their words.

Absent on purpose: tables as tables; layout tables are all that mail has.
"""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

_SKIPPED = frozenset(("head", "style", "script", "title", "noscript"))
_BLOCKS = frozenset(
    [
        "p",
        "div",
        "tr",
        "table",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "blockquote",
        "section",
        "article",
        "header",
        "footer",
        "center",
        "hr",
    ]
)
_PARAGRAPHS = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote"))
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\r\f\v\n\u00a0]+")
_BLANK_LINES = re.compile(r"\n{3,}")


def plain_text(html: str) -> str:
    """Readable text: paragraphs apart, list items with a dash, `words (https://…)` for links, hidden parts left out."""
    body = LexborHTMLParser(html).body
    if body is None:
        return ""
    parts: list[str] = []
    _write(body, parts)
    lines = (line.strip() for line in "".join(parts).split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip() + "\n"


def _write(start: LexborNode, parts: list[str]) -> None:
    """Walks with a list instead of recursion: a message may be nested deeper than Python calls may."""
    todo: list[LexborNode | str] = [start]
    while todo:
        node = todo.pop()
        if isinstance(node, str):
            parts.append(node)
        elif node.is_text_node:
            parts.append(_SPACES.sub(" ", node.text_content or ""))
        elif node.is_element_node:
            todo.extend(reversed(_contents(node)))


def _contents(node: LexborNode) -> list[LexborNode | str]:  # noqa: PLR0911 - one for each kind of element
    """What an element becomes: its children, between the breaks and signs that stand for it."""
    tag = node.tag or ""
    if tag in _SKIPPED or _HIDDEN.search(node.attributes.get("style") or ""):
        return []
    if tag == "br":
        return ["\n"]
    if tag == "img":
        return [node.attributes.get("alt") or ""]
    children: list[LexborNode | str] = list(node.iter(include_text=True))
    if tag == "a":
        return [*children, _target(node)]
    if tag == "li":
        return ["\n- ", *children]
    if tag in _PARAGRAPHS:
        return ["\n\n", *children, "\n\n"]
    return ["\n", *children, "\n"] if tag in _BLOCKS else children


def _target(node: LexborNode) -> str:
    href = (node.attributes.get("href") or "").strip()
    words = node.text(strip=True)
    if not href.startswith(("http://", "https://", "mailto:")) or href.removeprefix("mailto:") == words:
        return ""
    return f" ({href.removeprefix('mailto:')})"
