"""Rules compiled to Polars: the tree of `domain.expression` becomes one expression over a frame of facts.

What a field is worth depends on its column. In a comparison with a number a text is read as one (or is missing);
beside a text a number is written out (`5`, `1.5`), a yes or no as `true` or `false`; where a condition stands, true,
yes, 1 and false, no, 0 count, and every number but 0 is yes. Two fields compare as numbers when neither is a text.
A field with an empty text is missing.
Every part is used once, so that the compiled expression is never larger than the rule.
Absent on purpose: fetching what a rule needs (`studio.frames.facts`).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal, TypeAlias, assert_never

import polars as pl

from studio.domain.expression import (
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
    Total,
    Variable,
)

Schema: TypeAlias = Mapping[str, pl.DataType]

ValueType: TypeAlias = Literal["number", "text", "boolean"]
_COMPARE: dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
_NOT_FINITE = [float("inf"), float("-inf"), float("nan")]
YES_AND_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
EVENT_COLUMNS = {
    "kind": "kind",
    "value": "value",
    "currency": "currency",
    "key": "key",
    "actor": "actor",
    "node": "node_id",
}


def field_column(name: str) -> str:
    """The column of a contact field in a frame of facts."""
    return f"contact.{name}"


def total_column(total: Total, part: Literal["count", "value", "last_at"]) -> str:
    """The column of one part of a total in a frame of facts."""
    return f"total.{total.kind}.{'ever' if total.days is None else f'{total.days:g}'}.{part}"


def compile_rule(rule: Expression, schema: Schema, now: datetime) -> pl.Expr:
    """A Boolean expression over a frame of facts with these columns; null where it cannot be told.

    Args:
        rule: as `parse_expression` gives it.
        schema: of the frame. A column it lacks (nobody has the field, no variable of that name) is missing everywhere.
        now: what `days_since` counts to.
    """
    return _Compiler(schema, now).compile(rule).as_("boolean")


def compile_value(formula: Expression, schema: Schema, now: datetime) -> pl.Expr:
    """What a formula comes out as: f64, text or Boolean by its own type, for a field by that of its column.

    Args as of `compile_rule`; `formula` as `parse_value` gives it.
    """
    return _Compiler(schema, now).compile(formula).expr


def compile_text(formula: Expression, schema: Schema, now: datetime) -> pl.Expr:
    """What a formula comes out as, written out: 5 and 1.5, true and false; null where it is missing."""
    return _Compiler(schema, now).compile(formula).as_("text")


def event_property(name: str) -> pl.Expr:
    """One property out of the `properties` column of events, as text; null where there is none."""
    return pl.col("properties").str.json_path_match(f'$["{name}"]')


def number_of(text: pl.Expr) -> pl.Expr:
    """The number that a text spells, null where it spells none."""
    return _finite(text.str.strip_chars().cast(pl.Float64, strict=False))


@dataclass(frozen=True, slots=True)
class _Compiled:
    expr: pl.Expr
    type: ValueType
    is_field: bool = False
    is_nothing: bool = False

    def as_(self, wanted: ValueType) -> pl.Expr:
        if wanted == self.type:
            return self.expr
        if wanted == "number":
            return number_of(self.expr) if self.type == "text" else self.expr.cast(pl.Float64)
        if wanted == "boolean":
            if self.type == "number":
                return self.expr != 0
            return (
                self.expr.str.strip_chars()
                .str.to_lowercase()
                .replace_strict(YES_AND_NO, default=None, return_dtype=pl.Boolean)
            )
        # People write -0.0 as 0. (Adding zero would not do: Polars leaves such additions out.)
        written = self.expr.cast(pl.String).str.strip_suffix(".0")
        return written.replace("-0", "0") if self.type == "number" else written


@dataclass(frozen=True, slots=True)
class _Compiler:
    schema: Schema
    now: datetime

    def compile(self, node: Expression) -> _Compiled:  # noqa: PLR0911 - one for each kind of leaf
        match node:
            case Constant(value=value):
                return _constant(value)
            case ContactField(name=name):
                return self._column(field_column(name))
            case Variable(name=name):
                return self._column(f"var.{name}")
            case InstanceKey():
                return self._column("key")
            case EventPart(name=name):
                return self._event_part(name)
            case History():
                return self._history(node)
            case _:
                return self._combined(node)

    def _combined(  # noqa: PLR0911 - one for each kind of branch
        self, node: TextCall | Call | Negative | Arithmetic | Compare | OneOf | IsMissing | Not | And | Or
    ) -> _Compiled:
        match node:
            case TextCall() | Call():
                return self._text_call(node) if isinstance(node, TextCall) else self._call(node)
            case Negative(operand=operand):
                return _Compiled(-self.compile(operand).as_("number"), "number")
            case Arithmetic(operator=sign, left=left, right=right):
                numbers = _ARITHMETIC[sign](self.compile(left).as_("number"), self.compile(right).as_("number"))
                return _Compiled(_finite(numbers), "number")
            case Compare(operator=sign, left=left, right=right):
                return _compared(sign, self.compile(left), self.compile(right))
            case OneOf():
                return self._one_of(node)
            case IsMissing(operand=operand, negated=negated):
                return _is_missing(self.compile(operand), negated)
            case Not(operand=operand):
                return _Compiled(~self.compile(operand).as_("boolean"), "boolean")
            case And(parts=parts):
                return _Compiled(pl.all_horizontal([self.compile(part).as_("boolean") for part in parts]), "boolean")
            case Or(parts=parts):
                return _Compiled(pl.any_horizontal([self.compile(part).as_("boolean") for part in parts]), "boolean")
            case _:
                assert_never(node)

    def _column(self, name: str) -> _Compiled:
        dtype = self.schema.get(name)
        column = pl.col(name)
        if dtype is None or dtype == pl.Null:
            return _NOTHING
        if dtype.is_numeric():
            return _Compiled(_finite(column.cast(pl.Float64)), "number", is_field=True)
        if dtype == pl.Boolean:
            return _Compiled(column, "boolean", is_field=True)
        return _text_field(column.cast(pl.String))

    def _event_part(self, name: str) -> _Compiled:
        if name in EVENT_COLUMNS:
            return self._column(EVENT_COLUMNS[name])
        return _text_field(event_property(name))

    def _history(self, node: History) -> _Compiled:
        total = Total(node.kind, node.days)
        if node.function == "days_since":
            # From date to date, as people count: what happened yesterday evening is one day ago this morning.
            days = (pl.col(total_column(total, "last_at")).dt.date() - pl.lit(self._today)).dt
            return _Compiled(-days.total_days().cast(pl.Float64), "number")
        if node.function == "has":
            return _Compiled(pl.col(total_column(total, "count")) > 0, "boolean")
        part = pl.col(total_column(total, "count" if node.function == "count" else "value"))
        return _Compiled(part.cast(pl.Float64), "number")

    def _text_call(self, node: TextCall) -> _Compiled:
        texts = [self.compile(argument).as_("text") for argument in node.arguments]
        match node.function:
            case "lower":
                return _Compiled(texts[0].str.to_lowercase(), "text")
            case "length":
                return _Compiled(texts[0].str.len_chars().cast(pl.Float64), "number")
            case "contains":
                return _Compiled(texts[0].str.contains(texts[1], literal=True), "boolean")
            case "starts_with":
                return _Compiled(texts[0].str.starts_with(texts[1]), "boolean")

    def _call(self, node: Call) -> _Compiled:
        parts = [self.compile(argument) for argument in node.arguments]
        match node.function:
            case "if":
                then, otherwise = [*parts[1:], _NOTHING][:2]
                chosen = lambda exprs: pl.when(parts[0].as_("boolean")).then(exprs[0]).otherwise(exprs[1])  # noqa: E731
                return _one_type([then, otherwise], chosen)
            case "default":
                return _one_type(parts, pl.coalesce)
            case "join":
                separator = node.arguments[0]
                assert isinstance(separator, Constant), "the parser sees to it"
                texts = [part.as_("text") for part in parts[1:]]
                joined = pl.concat_str(texts, separator=str(separator.value), ignore_nulls=True)
                return _Compiled(joined.replace("", None), "text")
            case "upper" | "trim" | "ends_with" | "days_to":
                return self._written(node.function, [part.as_("text") for part in parts])
            case "round" | "abs" | "min" | "max":
                return _Compiled(_reckoned(node, [part.as_("number") for part in parts]), "number")

    def _written(self, function: Literal["upper", "trim", "ends_with", "days_to"], texts: list[pl.Expr]) -> _Compiled:
        match function:
            case "upper":
                return _Compiled(texts[0].str.to_uppercase(), "text")
            case "trim":
                kept = texts[0].str.strip_chars()
                return _Compiled(kept.replace("", None), "text")
            case "ends_with":
                return _Compiled(texts[0].str.ends_with(texts[1]), "boolean")
            case "days_to":
                date = texts[0].str.strip_chars().str.head(10).str.to_date("%Y-%m-%d", strict=False)
                return _Compiled((date - pl.lit(self._today)).dt.total_days().cast(pl.Float64), "number")

    @property
    def _today(self) -> date:
        # Today is the day that is about to go on: a run as of a midnight stands just before it, and means that day.
        return (self.now.astimezone(UTC) + timedelta(microseconds=1)).date()

    def _one_of(self, node: OneOf) -> _Compiled:
        kind = type_of(node.options[0])
        found = self.compile(node.operand).as_(kind).is_in(list(node.options))
        return _Compiled(~found if node.negated else found, "boolean")


def _text_field(text: pl.Expr) -> _Compiled:
    # An empty text is how forms and tables say that there is nothing.
    return _Compiled(pl.when(text != "").then(text), "text", is_field=True)


def _constant(value: str | float | bool | None) -> _Compiled:
    if value is None:
        return _NOTHING
    kind = type_of(value)
    dtype = {"number": pl.Float64(), "text": pl.String(), "boolean": pl.Boolean()}[kind]
    return _Compiled(_everywhere(value, dtype), kind)


def _everywhere(value: str | float | bool | None, dtype: pl.DataType) -> pl.Expr:
    # Not a literal: Polars 2.1 gives one row for `literal == column` when all values of the column are known to be one.
    return pl.repeat(value, pl.len(), dtype=dtype)


_NOTHING = _Compiled(_everywhere(None, pl.String()), "text", is_field=True, is_nothing=True)


def _one_type(parts: Sequence[_Compiled], choose: Callable[[list[pl.Expr]], pl.Expr]) -> _Compiled:
    """What is chosen among values, brought to one type: that of what is no field, else as fields are compared."""
    known = [part for part in parts if not part.is_nothing]
    fixed = [part.type for part in known if not part.is_field]
    common = fixed[0] if fixed else _common_type({part.type for part in known} or {"text"})
    exprs = [part.as_(common) for part in parts]
    return _Compiled(choose(exprs), common, is_field=not fixed, is_nothing=not known)


def _reckoned(node: Call, numbers: list[pl.Expr]) -> pl.Expr:
    match node.function:
        case "round":
            digits = node.arguments[1] if len(node.arguments) > 1 else Constant(0.0)
            assert isinstance(digits, Constant) and isinstance(digits.value, int | float), "the parser sees to it"
            return _finite(numbers[0].round(int(digits.value), mode="half_away_from_zero"))
        case "abs":
            return numbers[0].abs()
        case "min":
            return pl.min_horizontal(numbers)
        case _:
            return pl.max_horizontal(numbers)


def type_of(value: str | float | bool) -> ValueType:
    """What kind of value a constant is."""
    return "boolean" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"


def _compared(sign: str, left: _Compiled, right: _Compiled) -> _Compiled:
    if left.is_field == right.is_field:
        # Two fields (the parser lets nothing else differ): text wins, and a yes beside a number counts as 1.
        common = _common_type({left.type, right.type})
    else:
        common = right.type if left.is_field else left.type
    return _Compiled(_COMPARE[sign](left.as_(common), right.as_(common)), "boolean")


def _common_type(types: set[ValueType]) -> ValueType:
    return next(iter(types)) if len(types) == 1 else "text" if "text" in types else "number"


def _is_missing(operand: _Compiled, negated: bool) -> _Compiled:
    missing = operand.expr.is_null()
    return _Compiled(~missing if negated else missing, "boolean")


def _finite(numbers: pl.Expr) -> pl.Expr:
    return numbers.replace(_NOT_FINITE, [None, None, None])
