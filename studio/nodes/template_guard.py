"""Refuses message templates that could do harm, before MiniJinja sees them.

MiniJinja reaches no file and no network, and its fuel stops loops; but a template from a stranger could still grow a
text without bound (doubling variables, repeating, replacing, padding), or call methods of what is handed in. So only a
part of the language is let through: values with fields, `if`, `for`, a short list of filters, and operators that cannot
make large things out of small ones. Absent on purpose: `set`, macros, includes, blocks, calls, and `*` (see `times`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NoReturn

from studio.domain.errors import UserFixable
from studio.domain.spelling import nearest

MAX_SOURCE = 100_000
MAX_TAGS = 2_000
MAX_TOKENS = 100
MAX_NESTING = 20
MAX_LOOPS = 3

FILTERS = (
    "default", "d", "upper", "lower", "title", "capitalize", "trim", "round", "int", "float", "abs", "length", "count",
    "first", "last", "escape", "e", "urlencode", "times", "money", "date", "fill",
)  # fmt: skip
"""The filters a message may use; the last four are ours (`message_rendering`)."""

_WITHOUT_FRACTIONS = frozenset(
    ("default", "d", "upper", "lower", "title", "capitalize", "trim", "length", "count", "first", "last")
)
_STATEMENTS = ("if", "elif", "else", "endif", "for", "endfor")
_OPENS, _CLOSES = ("if", "for"), ("endif", "endfor")
_WORDS_BEFORE_BRACKET = ("in", "and", "or", "not", "if", "else", "elif", "is")
_BEGIN = re.compile(r"\{\{|\{%|\{#")
_TOKEN = re.compile(
    r"\s*(?:(?P<end>[-+]?(?:\}\}|%\}))|(?P<text>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')|(?P<name>[^\W\d]\w*)"
    r"|(?P<number>\d[\d_.eE]*)|(?P<sign>\*\*|//|[=!<>]=|[-+*/%~|.,:()\[\]{}<>=]))",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


@lru_cache(maxsize=256)
def guard_template(source: str) -> None:
    """Passes over a template that is within the bounds.

    Raises UserFixable (MAIL-TEMPLATE) with line and place of the first thing that is not.
    """
    if len(source) > MAX_SOURCE:
        raise UserFixable(
            "MAIL-TEMPLATE",
            f"The message has {len(source):,} characters; {MAX_SOURCE:,} are the most.",
            hint="Shorten it, or put pictures on a server instead of into the message.",
        )
    open_blocks: list[str] = []
    for count, tokens in enumerate(_tags(source)):
        if count >= MAX_TAGS:
            _refuse(
                source, tokens[0].at, f"The message has more than {MAX_TAGS:,} fields and conditions.", "Shorten it."
            )
        if source.startswith("{%", tokens[0].at):
            _check_statement(source, tokens, open_blocks)
        _check_expression(source, tokens)


def prints_no_fraction(source: str) -> bool:
    """Whether a template that was let through prints no number with a fraction unless it is given one."""
    for tokens in _tags(source):
        for before, token in pairwise(tokens):
            if before.text == "|" and token.text not in _WITHOUT_FRACTIONS:
                return False
            if token.kind == "number" and not token.text.isdecimal():
                return False
            if token.kind == "sign" and token.text[0] in "+-*/%":
                return False
    return True


def _tags(source: str) -> Iterator[list[_Token]]:
    """The tokens of each `{{ … }}` and `{% … %}`, the opening sign first. Comments are passed over."""
    at = 0
    while found := _BEGIN.search(source, at):
        if found[0] == "{#":
            end = source.find("#}", found.end())
            if end < 0:
                _refuse(source, found.start(), "This comment is not closed.", "Put #} at its end.")
            at = end + 2
            continue
        tokens = [_Token("begin", found[0], found.start())]
        at = found.end() + (1 if source[found.end() : found.end() + 1] in ("-", "+") else 0)
        closing = "}}" if found[0] == "{{" else "%}"
        while True:
            token = _TOKEN.match(source, at)
            if token is None:
                _refuse(
                    source,
                    found.start(),
                    "This field or condition is not closed, or holds a sign that means nothing.",
                    f"Put {closing} at its end.",
                )
            at = token.end()
            if token.lastgroup == "end":
                if not token["end"].endswith(closing):
                    _refuse(source, token.start("end"), f"Here {closing} is expected.", "")
                break
            kind = token.lastgroup or ""
            tokens.append(_Token(kind, token[kind], token.start(kind)))
            if len(tokens) > MAX_TOKENS:
                _refuse(source, found.start(), "This field or condition is too long.", "Split it.")
        yield tokens


def _check_statement(source: str, tokens: list[_Token], open_blocks: list[str]) -> None:
    word = tokens[1].text if len(tokens) > 1 else ""
    if word not in _STATEMENTS:
        hint = nearest(word, _STATEMENTS) or "There are if, elif, else, endif, for and endfor."
        _refuse(source, tokens[0].at, f"“{word}” is not available in messages.", hint)
    if word in _OPENS:
        open_blocks.append(word)
    elif word in _CLOSES and open_blocks:
        open_blocks.pop()
    if len(open_blocks) > MAX_NESTING or open_blocks.count("for") > MAX_LOOPS:
        _refuse(
            source,
            tokens[0].at,
            "Conditions or loops are nested too deep.",
            f"At most {MAX_LOOPS} loops may be inside each other.",
        )


def _check_expression(source: str, tokens: list[_Token]) -> None:
    depth = 0
    for index, token in enumerate(tokens[1:], start=1):
        before = tokens[index - 1]
        after = tokens[index + 1] if index + 1 < len(tokens) else _Token("end", "", token.at)
        if token.kind == "sign":
            depth += token.text in "([{"
            depth -= token.text in ")]}"
            if depth > MAX_NESTING:
                _refuse(source, token.at, "Brackets are nested too deep.", "Simplify it.")
            _check_sign(source, token, before, tokens[index - 2] if index > 1 else before)
        elif before.text == "|" and token.text not in FILTERS:
            hint = nearest(token.text, FILTERS) or f"There are {', '.join(FILTERS)}."
            _refuse(source, token.at, f"There is no filter “{token.text}” in messages.", hint)
        elif token.kind == "name" and token.text.startswith("__"):
            _refuse(source, token.at, f"“{token.text}” is not available in messages.", "")
        elif token.text == "recursive" and after.kind == "end" and tokens[1].text == "for":
            _refuse(source, token.at, "Loops cannot call themselves.", "Leave out “recursive”.")


def _check_sign(source: str, token: _Token, before: _Token, second: _Token) -> None:
    if token.text in ("*", "**"):
        _refuse(source, token.at, f"“{token.text}” is not available in messages.", "To multiply, write price|times(2).")
    if token.text != "(":
        return
    is_filter = before.kind == "name" and second.text == "|"
    is_bracket = before.kind in ("sign", "begin") and before.text not in (")", "]", "}")
    if not (is_filter or is_bracket or before.text in _WORDS_BEFORE_BRACKET):
        _refuse(
            source, token.at, "Nothing can be called in messages.", "Write a value or a filter, such as name|upper."
        )


def _refuse(source: str, at: int, message: str, hint: str) -> NoReturn:
    line = source.count("\n", 0, at) + 1
    column = at - (source.rfind("\n", 0, at) + 1) + 1
    excerpt = source[at : at + 40].split("\n", maxsplit=1)[0]
    raise UserFixable(
        "MAIL-TEMPLATE",
        f"{message} (line {line}: {excerpt})",
        where=f"line {line}, character {column}",
        hint=hint or None,
    )
