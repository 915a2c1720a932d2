"""Rules for a few rows: the tree of `domain.expression` becomes a function of one row of facts.

Says of every row what `frames.expression` says of its column (a property test holds them equal); Polars' engine costs
a tenth of a millisecond and more whenever it is asked, however few the rows are. Absent on purpose: totals of the event
log, properties of events and the functions that choose, reckon and write, for which Polars is asked: `row_form` has no
answer then.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, assert_never

import polars as pl

from studio.domain.expression import (
    EVENT_PARTS,
    And,
    Arithmetic,
    Call,
    Compare,
    Constant,
    ContactField,
    EventPart,
    Expression,
    History,
    InstanceKey,
    IsMissing,
    Negative,
    Not,
    OneOf,
    Or,
    TextCall,
    Variable,
    walk,
)
from studio.frames.expression import EVENT_COLUMNS, YES_AND_NO, Schema, ValueType, field_column, type_of

Value: TypeAlias = str | float | bool | None
Row: TypeAlias = Mapping[str, Value]
RowFunction: TypeAlias = Callable[[Row], Value]

DTYPES: Mapping[ValueType, pl.DataType] = {"number": pl.Float64(), "text": pl.String(), "boolean": pl.Boolean()}
WHITE = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
"""What Polars strips off texts; Python would strip some control characters as well."""
FORMS_KEPT = 1_000

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_COMPARE: Mapping[str, Callable[..., bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


@dataclass(frozen=True, slots=True)
class RowForm:
    """An expression as a function of a row: its own value, and as text. `dtype`: that of a column of values."""

    value: RowFunction
    as_text: RowFunction
    as_boolean: RowFunction
    dtype: pl.DataType


def row_form(expression: Expression, schema: Schema) -> RowForm | None:
    """The expression for rows of a frame of facts with these columns; None where only Polars can tell."""
    known = _KNOWN.get(id(expression))
    if known is None or known.expression is not expression:
        if len(_KNOWN) >= FORMS_KEPT:
            _KNOWN.clear()
        known = _KNOWN[id(expression)] = _Known(expression, _columns(expression), {})
    if known.columns is None:
        return None
    types = tuple(_type_in(schema, name) for name in known.columns)
    if "other" in types:
        return None
    form = known.forms.get(types)
    if form is None:
        compiled = _Compiler(dict(zip(known.columns, types, strict=True))).compile(expression)
        functions = (compiled.function, compiled.as_("text"), compiled.as_("boolean"))
        form = known.forms[types] = RowForm(*functions, DTYPES[compiled.type])
    return form


_ColumnType: TypeAlias = ValueType | Literal["other"] | None


@dataclass(frozen=True, slots=True)
class _Known:
    """What has been compiled of one expression. It is kept, so that its `id` is nobody else's."""

    expression: Expression
    columns: tuple[str, ...] | None
    forms: dict[tuple[_ColumnType, ...], RowForm]


_KNOWN: dict[int, _Known] = {}
# By identity: equal expressions may differ, for 1 and true are equal in Python.


def _columns(expression: Expression) -> tuple[str, ...] | None:
    found: dict[str, None] = {}
    for node in walk(expression):
        if isinstance(node, History | Call) or (isinstance(node, EventPart) and node.name not in EVENT_PARTS):
            return None
        if isinstance(node, ContactField | Variable | InstanceKey | EventPart):
            found[_column_of(node)] = None
    return tuple(found)


def _column_of(node: ContactField | Variable | InstanceKey | EventPart) -> str:
    match node:
        case ContactField(name=name):
            return field_column(name)
        case Variable(name=name):
            return f"var.{name}"
        case InstanceKey():
            return "key"
        case EventPart(name=name):
            return EVENT_COLUMNS[name]


def _type_in(schema: Schema, name: str) -> _ColumnType:
    dtype = schema.get(name)
    if dtype is None or dtype == pl.Null:
        return None
    if dtype == pl.String:
        return "text"
    if dtype == pl.Boolean:
        return "boolean"
    return "number" if dtype.is_integer() or dtype.is_float() else "other"


@dataclass(frozen=True, slots=True)
class _Compiled:
    function: RowFunction
    type: ValueType
    is_field: bool = False

    def as_(self, wanted: ValueType) -> RowFunction:
        if wanted == self.type:
            return self.function
        change = _CHANGES[self.type, wanted]
        function = self.function

        def changed(row: Row) -> Value:
            value = function(row)
            return None if value is None else change(value)

        return changed


@dataclass(frozen=True, slots=True)
class _Compiler:
    types: Mapping[str, _ColumnType]

    def compile(self, node: Expression) -> _Compiled:
        match node:
            case Constant(value=value):
                return _constant(value)
            case ContactField() | Variable() | InstanceKey() | EventPart():
                return self._column(_column_of(node))
            case History() | Call():
                raise AssertionError("totals and functions are Polars' part")
            case _:
                return self._combined(node)

    def _combined(  # noqa: PLR0911 - one for each kind of branch
        self, node: TextCall | Negative | Arithmetic | Compare | OneOf | IsMissing | Not | And | Or
    ) -> _Compiled:
        match node:
            case TextCall():
                return self._text_call(node)
            case Negative(operand=operand):
                return _Compiled(_unless_missing(operator.neg, self.compile(operand).as_("number")), "number")
            case Arithmetic(operator=sign, left=left, right=right):
                both = (self.compile(left).as_("number"), self.compile(right).as_("number"))
                return _Compiled(_unless_missing(_finite(_ARITHMETIC[sign]), *both), "number")
            case Compare(operator=sign, left=left, right=right):
                return _compared(sign, self.compile(left), self.compile(right))
            case OneOf():
                return self._one_of(node)
            case IsMissing(operand=operand, negated=negated):
                function = self.compile(operand).function
                return _Compiled(lambda row: (function(row) is None) != negated, "boolean")
            case Not(operand=operand):
                return _Compiled(_unless_missing(operator.not_, self.compile(operand).as_("boolean")), "boolean")
            case And(parts=parts) | Or(parts=parts):
                return _joined([self.compile(part).as_("boolean") for part in parts], decides=isinstance(node, Or))
            case _:
                assert_never(node)

    def _column(self, name: str) -> _Compiled:
        kind = self.types[name]
        if kind is None:
            return _Compiled(_nothing, "text", is_field=True)
        assert kind != "other", "such columns are Polars' part"
        read = _READ[kind]
        return _Compiled(lambda row: read(row[name]), kind, is_field=True)

    def _text_call(self, node: TextCall) -> _Compiled:
        texts = [self.compile(argument).as_("text") for argument in node.arguments]
        match node.function:
            case "lower":
                return _Compiled(_unless_missing(lowered, *texts), "text")
            case "length":
                return _Compiled(_unless_missing(lambda text: float(len(text)), *texts), "number")
            case "contains":
                return _Compiled(_unless_missing(operator.contains, *texts), "boolean")
            case "starts_with":
                return _Compiled(_unless_missing(str.startswith, *texts), "boolean")

    def _one_of(self, node: OneOf) -> _Compiled:
        options, negated = frozenset(node.options), node.negated
        found = self.compile(node.operand).as_(type_of(node.options[0]))
        return _Compiled(_unless_missing(lambda value: (value in options) != negated, found), "boolean")


def lowered(text: str) -> str:
    """The text in small letters, as Polars writes them."""
    if text.isascii():
        return text.lower()
    # Python and Polars need not know the same edition of Unicode.
    return pl.Series([text], dtype=pl.String).str.to_lowercase().item()


def _nothing(_: Row) -> None:
    return None


def _constant(value: Value) -> _Compiled:
    if value is None:
        return _Compiled(_nothing, "text", is_field=True)
    return _Compiled(lambda _: value, type_of(value))


def _read_number(value: Value) -> Value:
    if value is None:
        return None
    number = float(value)
    return number if math.isfinite(number) else None


_READ: Mapping[ValueType, Callable[[Value], Value]] = {
    "number": _read_number,
    # An empty text is how forms and tables say that there is nothing.
    "text": lambda value: value or None,
    "boolean": lambda value: value,
}


def _unless_missing(change: Callable[..., Value], *functions: RowFunction) -> RowFunction:
    if len(functions) == 1:
        (only,) = functions

        def one(row: Row) -> Value:
            value = only(row)
            return None if value is None else change(value)

        return one
    first, second = functions

    def two(row: Row) -> Value:
        left, right = first(row), second(row)
        return None if left is None or right is None else change(left, right)

    return two


def _finite(change: Callable[[float, float], float]) -> Callable[[float, float], float | None]:
    def finite(left: float, right: float) -> float | None:
        try:
            number = change(left, right)
        except ZeroDivisionError:
            return None
        return number if math.isfinite(number) else None

    return finite


def _compared(sign: str, left: _Compiled, right: _Compiled) -> _Compiled:
    if left.is_field == right.is_field:
        types = {left.type, right.type}
        common: ValueType = left.type if len(types) == 1 else "text" if "text" in types else "number"
    else:
        common = right.type if left.is_field else left.type
    return _Compiled(_unless_missing(_COMPARE[sign], left.as_(common), right.as_(common)), "boolean")


def _joined(functions: list[RowFunction], *, decides: bool) -> _Compiled:
    """Of several, one that is `decides` decides; else one that is missing makes the whole missing."""

    def joined(row: Row) -> Value:
        is_known = True
        for function in functions:
            value = function(row)
            if value is decides:
                return decides
            is_known = is_known and value is not None
        return (not decides) if is_known else None

    return _Compiled(joined, "boolean")


def number_in(text: str) -> float | None:
    """The number that a text spells, None where it spells none; as `frames.expression.number_of`."""
    text = text.strip(WHITE)
    if _NUMBER.fullmatch(text) is None:
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def written(number: float) -> str:
    """A number as people write it: 5 and 1.5."""
    if number == 0 or 1e-4 <= abs(number) < 1e15:
        return repr(number + 0.0).removesuffix(".0")
    # Beyond these bounds Python writes the exponent in another way.
    return pl.Series([number], dtype=pl.Float64).cast(pl.String).item().removesuffix(".0")


_CHANGES: Mapping[tuple[ValueType, ValueType], Callable[..., Value]] = {
    ("text", "number"): number_in,
    ("boolean", "number"): float,
    ("number", "text"): written,
    ("boolean", "text"): lambda flag: "true" if flag else "false",
    ("number", "boolean"): lambda number: number != 0,
    ("text", "boolean"): lambda text: YES_AND_NO.get(lowered(text.strip(WHITE))),
}
