"""MJML to HTML, for texts that may have been written to break the converter.

The converter (MRML) reads no files and no network, is quick and refuses what is not MJML; but it follows nesting with
the machine's stack, and the whole program dies when that ends. So depth is measured first, as MRML counts it: any
closing tag closes, and only void elements in lower case need none. Absent on purpose: templates (`message_rendering`),
and fonts from elsewhere, which would tell a server who reads.
"""

from __future__ import annotations

import re

import mjml

MAX_OUTPUT = 1_000_000
MAX_DEPTH = 100

_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr")
)
_MARK = re.compile(r"<(?:(?P<comment>!--)|(?P<closing>/)|(?P<name>[a-zA-Z][\w:.-]*))")
_TAG = re.compile(r"<[a-zA-Z][^<>]*>")
# MRML 1.4 writes values of plain HTML elements as a programmer would: \u{a0}, \u{301}. The two brackets stand for
# marks (`message_layout`) and are handed on as they are.
_FRAGILE = re.compile("[\\\\\x7f-\u2044\u2047-\U0010ffff]")
_INSIDE = re.compile(r"[\"'>]")


class RenderError(Exception):
    """One message could not be written. `code` is stable, `args[0]` are words that name no person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def to_html(source: str) -> str:
    """The HTML of a message. Raises RenderError: MAIL-MJML, or MAIL-TOO-LARGE above a megabyte."""
    if source.count("<") > MAX_DEPTH and deepest(source) > MAX_DEPTH:
        raise RenderError("MAIL-MJML", f"Parts of the message are nested more than {MAX_DEPTH} deep.")
    try:
        html = mjml.mjml2html(_TAG.sub(_sturdy, source), fonts={})
    except ValueError as error:
        raise RenderError("MAIL-MJML", f"The message is not valid MJML: {error}.") from None
    except BaseException as error:
        # A fault in the converter comes as an exception of the Rust bridge that is no `Exception`.
        if type(error).__name__ != "PanicException":
            raise
        raise RenderError("MAIL-MJML", "The message breaks the MJML converter.") from None
    if len(html) > MAX_OUTPUT:
        raise RenderError("MAIL-TOO-LARGE", "The message comes out larger than a megabyte.")
    return html


def _sturdy(tag: re.Match[str]) -> str:
    """A tag whose values MRML hands on unchanged: what it would rewrite stands there as a number."""
    return _FRAGILE.sub(lambda found: f"&#{ord(found[0])};", tag[0])


def deepest(source: str) -> int:
    """How many elements are open at once at most. O(length): every character is looked at once."""
    depth = most = at = 0
    while found := _MARK.search(source, at):
        at = found.end()
        if found["comment"]:
            end = source.find("-->", at)
            at = len(source) if end < 0 else end + 3
        elif found["closing"]:
            depth = max(depth - 1, 0)
        else:
            at = _tag_end(source, at)
            if found["name"] not in _VOID and source[at - 1 : at] != "/":
                depth += 1
                most = max(most, depth)
    return most


def _tag_end(source: str, at: int) -> int:
    """Where the `>` of a tag stands, passing over quoted values; the end of the text when it has none."""
    while found := _INSIDE.search(source, at):
        if found[0] == ">":
            return found.start()
        at = source.find(found[0], found.end()) + 1
        if not at:
            break
    return len(source)
