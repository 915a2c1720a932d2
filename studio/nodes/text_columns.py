"""Texts that hold nothing but fields, simple filters and simple conditions, filled in for a whole batch at once.

Compiled to one Polars expression, 10 to 20 times as fast as person by person. What comes out is what MiniJinja writes,
or null: a missing field, a value both write differently, a text that could grow large. Who gets null asks MiniJinja,
which also knows the words for what is wrong. Absent on purpose: everything else of the language; `compiled_text` says
None to it.
"""

from __future__ import annotations

import operator
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import polars as pl

from studio.frames.expression import field_column

MAX_BYTES = 8_000
"""A row whose values and text come to more is left to MiniJinja, which bounds what it writes."""

_TAG = re.compile(r"\{\{(?P<value>.*?)\}\}|\{%(?P<word>.*?)%\}|\{#(?P<note>.*?)#\}", re.DOTALL)
_PATH = r"(?P<path>(?:contact|var)\.[A-Za-z]\w*|key)"
_QUOTED = r"(?:\"[^\"\\{}]*\"|'[^'\\{}]*')"
_VALUE = re.compile(rf"\s*{_PATH}(?P<filters>(?:\s*\|\s*(?:upper|lower|trim|(?:default|d)\(\s*{_QUOTED}\s*\)))*)\s*")
_FILTER = re.compile(rf"\|\s*(?P<name>\w+)(?:\(\s*(?P<given>{_QUOTED})\s*\))?")
_CONDITION = re.compile(
    rf"\s*(?:if|elif)\s+(?P<not>not\s+)?{_PATH}(?:\s*(?P<sign>==|!=|>=|<=|>|<)\s*(?P<with>{_QUOTED}|-?\d{{1,15}}(?:\.\d{{1,9}})?))?\s*"
)
_RESERVED = frozenset({"contact.event", "var.event"})


@dataclass(frozen=True, slots=True)
class Print:
    """A value, passed through filters (name, what is given in brackets)."""

    path: str
    filters: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Test:
    """A condition about one value; without a `sign` whether it is there, and not zero."""

    path: str
    negated: bool
    sign: str
    literal: str | float | None


@dataclass(frozen=True, slots=True)
class If:
    """Parts, each under a condition; None: whoever has come so far."""

    ways: Sequence[tuple[Test | None, Sequence[Part]]]


Part: TypeAlias = "str | Print | If"


@dataclass(frozen=True, slots=True)
class ColumnText:
    """A text that can be filled in by columns. `fields` and `variables` are the names it prints or asks."""

    parts: Sequence[Part]
    paths: tuple[str, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of contact fields."""
        return tuple(path.removeprefix("contact.") for path in self.paths if path.startswith("contact."))

    def fill(self, facts: pl.DataFrame) -> pl.Series:
        """One text per row, null where MiniJinja has to be asked. `facts`: `contact.…` and `var.…` columns, `key`."""
        schema = facts.schema
        values = {path: _value(path, schema) for path in self.paths}
        if any(value is None for value in values.values()):
            return _nothing(facts.height)
        known = {path: value for path, value in values.items() if value is not None}
        uses = Counter(paths_in(self.parts))
        lengths = [_printed(value).str.len_bytes().fill_null(0) * uses[path] for path, value in known.items()]
        lengths.append(pl.lit(sum(len(text.encode()) for text in literals(self.parts))))
        is_small = _whole(facts.select(pl.sum_horizontal(lengths) <= MAX_BYTES).to_series(), facts.height)
        text = _joined(self.parts, known).alias("text")
        if is_small.all():
            return _whole(facts.select(text).to_series(), facts.height)
        rows = is_small.arg_true()
        return _nothing(facts.height).scatter(rows, _whole(facts[rows].select(text).to_series(), rows.len()))


def _nothing(rows: int) -> pl.Series:
    return pl.Series("text", [None], dtype=pl.String).new_from_index(0, rows)


def _whole(texts: pl.Series, rows: int) -> pl.Series:
    """A text in which nothing depends on a column comes out once."""
    return texts if texts.len() == rows else texts.new_from_index(0, rows)


def compiled_text(source: str) -> ColumnText | None:
    """The text by columns; None when it holds more than that can do."""
    # MiniJinja takes one line break off the end of every template.
    source = source.removesuffix("\n").removesuffix("\r") if source.endswith("\n") else source
    reader = _Reader(source)
    parts = reader.block()
    if parts is None or reader.at < len(reader.pieces):
        return None
    return ColumnText(parts, tuple(dict.fromkeys(paths_in(parts))))


class _Reader:
    def __init__(self, source: str) -> None:
        self.pieces: list[str | re.Match[str]] = []
        self.at = 0
        end = 0
        for tag in _TAG.finditer(source):
            self.pieces += [source[end : tag.start()], tag]
            end = tag.end()
        self.pieces.append(source[end:])
        # A brace that opens nothing here may open something for MiniJinja.
        self._is_odd = any(isinstance(p, str) and re.search(r"\{[{%#]|[}%#]\}", p) for p in self.pieces)

    def block(self) -> list[Part] | None:
        """Parts up to the end, or to a word that ends a block; None when something is not simple."""
        parts: list[Part] = []
        while self.at < len(self.pieces) and not self._is_odd:
            piece = self.pieces[self.at]
            if isinstance(piece, str):
                self.at += 1
                parts.append(piece)
                continue
            if piece["word"] is not None and piece["word"].strip().split(" ")[0] in ("elif", "else", "endif"):
                return parts
            self.at += 1
            if piece["note"] is not None:
                continue
            part = _print_of(piece["value"]) if piece["value"] is not None else self._conditional(piece["word"])
            if part is None:
                return None
            parts.append(part)
        return None if self._is_odd else parts

    def _conditional(self, word: str) -> If | None:
        ways: list[tuple[Test | None, Sequence[Part]]] = []
        while True:
            test = None if word.strip() == "else" else _test_of(word)
            body = self.block()
            if (test is None and word.strip() != "else") or body is None or self.at >= len(self.pieces):
                return None
            ways.append((test, body))
            ending = self.pieces[self.at]
            assert not isinstance(ending, str), "a block ends at a word"
            self.at += 1
            word = ending["word"]
            if word.strip() == "endif":
                return If(ways)
            if test is None:
                return None


def _print_of(inner: str) -> Print | None:
    found = _VALUE.fullmatch(inner)
    if found is None or found["path"] in _RESERVED:
        return None
    filters = [(f["name"], (f["given"] or "")[1:-1]) for f in _FILTER.finditer(found["filters"])]
    # Behind another filter it comes too late: that one has failed for who lacks the field.
    is_late = any(name in ("default", "d") for name, _ in filters[1:])
    return None if is_late else Print(found["path"], filters)


def _test_of(word: str) -> Test | None:
    found = _CONDITION.fullmatch(word)
    if found is None or found["path"] in _RESERVED or (found["not"] and found["sign"]):
        return None
    given = found["with"]
    literal = None if given is None else given[1:-1] if given[0] in "\"'" else float(given)
    if isinstance(literal, str) and found["sign"] not in ("==", "!="):
        return None
    return Test(found["path"], bool(found["not"]), found["sign"] or "", literal)


def paths_in(parts: Sequence[Part]) -> list[str]:
    """The names of all values, as often as they are used."""
    found: list[str] = []
    for part in parts:
        if isinstance(part, Print):
            found.append(part.path)
        elif isinstance(part, If):
            for test, body in part.ways:
                found += [*([test.path] if test else []), *paths_in(body)]
    return found


def literals(parts: Sequence[Part]) -> list[str]:
    """All that is fixed in it."""
    found: list[str] = []
    for part in parts:
        if isinstance(part, str):
            found.append(part)
        elif isinstance(part, Print):
            found += [given for _, given in part.filters]
        else:
            found += [text for _, body in part.ways for text in literals(body)]
    return found


_Value: TypeAlias = "tuple[pl.Expr, pl.DataType]"


def _value(path: str, schema: Mapping[str, pl.DataType]) -> _Value | None:
    column = field_column(path.removeprefix("contact.")) if path.startswith("contact.") else path
    dtype = schema.get(column)
    if dtype is None or dtype == pl.Null:
        return pl.lit(None, pl.String), pl.String()
    if dtype == pl.String:
        return pl.when(pl.col(column) != "").then(pl.col(column)), dtype
    return (pl.col(column), dtype) if dtype == pl.Boolean or dtype.is_numeric() else None


def _printed(value: _Value) -> pl.Expr:
    expression, dtype = value
    if dtype == pl.Boolean:
        return pl.when(expression).then(pl.lit("True")).when(~expression).then(pl.lit("False"))
    if not dtype.is_float():
        return expression.cast(pl.String)
    is_whole = (expression == expression.floor()) & (expression.abs() < 2**53)
    # Within these bounds both write the shortest digits that mean the number; beyond, they differ about exponents.
    is_plain = expression.abs().is_between(1e-4, 1e15)
    whole = expression.cast(pl.Int64, strict=False).cast(pl.String)
    return pl.when(is_whole).then(whole).when(is_plain).then(expression.cast(pl.String))


_FILTERS: Mapping[str, Callable[[pl.Expr], pl.Expr]] = {
    "upper": lambda text: text.str.to_uppercase(),
    "lower": lambda text: text.str.to_lowercase(),
    "trim": lambda text: text.str.strip_chars(),
}


def _joined(parts: Sequence[Part], values: Mapping[str, _Value]) -> pl.Expr:
    texts = [_text(part, values) for part in parts if part != ""]
    return pl.concat_str(texts) if texts else pl.lit("")


def _text(part: Part, values: Mapping[str, _Value]) -> pl.Expr:
    if isinstance(part, str):
        return pl.lit(part)
    if isinstance(part, Print):
        text = _printed(values[part.path])
        for name, given in part.filters:
            if name in ("default", "d"):
                text = pl.when(values[part.path][0].is_null()).then(pl.lit(given)).otherwise(text)
            else:
                text = _FILTERS[name](text)
        return text
    whole = pl.lit("")
    for test, body in reversed(part.ways):
        inside = _joined(body, values)
        if test is None:
            whole = inside
            continue
        holds = _holds(test, values[test.path])
        # Comparing with what is missing is an error, which MiniJinja shall tell.
        whole = pl.when(holds).then(inside).when(~holds).then(whole)
    return whole


def _holds(test: Test, value: _Value) -> pl.Expr:
    expression, dtype = value
    if not test.sign:
        is_true = expression.is_not_null() if dtype == pl.String else (expression.cast(pl.Float64) != 0)
        is_true = is_true.fill_null(False)
        return ~is_true if test.negated else is_true
    if isinstance(test.literal, str) != (dtype == pl.String):
        # A text and a number are unlike; which of them is larger is MiniJinja's own affair.
        unlike = {"==": False, "!=": True}.get(test.sign)
        return pl.when(expression.is_not_null()).then(pl.lit(unlike, pl.Boolean))
    number = expression.cast(pl.Float64) if dtype == pl.Boolean else expression
    return _COMPARED[test.sign](number, test.literal)


_COMPARED: Mapping[str, Callable[[pl.Expr, str | float | None], pl.Expr]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
