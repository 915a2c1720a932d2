"""Random rules of the right types, and how each is written: for properties that hold for every rule."""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st

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
    Variable,
)

FIELDS = ("number", "text", "digits", "flag", "nothing")
"""Fields of the sample people: a number, a text, a text that mostly spells a number, a yes or no, one nobody has."""
LETTERS = "aAbB1 -"

_numbers = st.integers(0, 20).map(float) | st.sampled_from([0.5, 2.5, 1000000.0])
_texts = st.text(LETTERS, max_size=3)
_dates = st.sampled_from(["2026-03-10", "2026-12-24T18:00", " 2025-01-01 ", "2026-02-30", "26-1-1"])
_fields = st.sampled_from(FIELDS).map(ContactField) | st.sampled_from(("x", "y")).map(Variable) | st.just(InstanceKey())
_days = st.none() | st.sampled_from([1.0, 30.0, 90.0])
_kinds = st.sampled_from(["order", "clicked", "never"])


@cache
def _number(depth: int) -> st.SearchStrategy[Expression]:
    leaf = (
        _numbers.map(Constant)
        | _fields
        | st.builds(History, st.sampled_from(["count", "sum"]), _kinds, _days)
        | st.builds(History, st.just("days_since"), _kinds)
    )
    if not depth:
        return leaf
    inner = _number(depth - 1)
    return (
        leaf
        | inner.map(Negative)
        | st.builds(Arithmetic, st.sampled_from("+-*/"), inner, inner)
        | _text(depth - 1).map(lambda text: TextCall("length", (text,)))
        | st.builds(
            Call, st.just("round"), st.tuples(inner) | st.tuples(inner, st.integers(0, 6).map(float).map(Constant))
        )
        | st.builds(Call, st.just("abs"), st.tuples(inner))
        | st.builds(Call, st.sampled_from(["min", "max"]), st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(Call, st.just("days_to"), st.tuples(_text(depth - 1)))
        | _chosen(depth, "number")
    )


@cache
def _text(depth: int) -> st.SearchStrategy[Expression]:
    leaf = _texts.map(Constant) | _dates.map(Constant) | _fields
    if not depth:
        return leaf
    inner = _text(depth - 1)
    return (
        leaf
        | inner.map(lambda text: TextCall("lower", (text,)))
        | st.builds(Call, st.sampled_from(["upper", "trim"]), st.tuples(inner))
        | st.builds(
            Call,
            st.just("join"),
            st.tuples(_texts.map(Constant), inner) | st.tuples(_texts.map(Constant), inner, inner),
        )
        | _chosen(depth, "text")
    )


# Composite, because Hypothesis writes whole strategies out, and these stand in each other many times over.
@st.composite
def _chosen(draw: st.DrawFn, depth: int, kind: str) -> Expression:
    """One of several values of a kind."""
    values = {"number": _number, "text": _text, "rule": _rule}[kind](depth - 1)
    parts = draw(st.lists(values | st.just(Constant(None)), min_size=1, max_size=3).filter(_has_value))
    if len(parts) > 2 or (len(parts) == 2 and draw(st.booleans())):
        return Call("default", tuple(parts))
    return Call("if", (draw(_rule(min(depth - 1, 1))), *parts))


def _has_value(parts: list[Expression]) -> bool:
    return any(part != Constant(None) for part in parts)


def _any_value(depth: int) -> st.SearchStrategy[Expression]:
    return _number(depth) | _text(depth) | _rule(depth)


@cache
def _rule(depth: int) -> st.SearchStrategy[Expression]:
    leaf = (
        st.booleans().map(Constant)
        | st.just(Constant(None))
        | _fields
        | st.builds(History, st.just("has"), _kinds, _days)
    )
    if not depth:
        return leaf
    numbers, texts, below = _number(depth - 1), _text(depth - 1), _rule(depth - 1)
    anything = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    return (
        leaf
        | st.builds(Compare, anything, numbers, numbers)
        | st.builds(Compare, anything, texts, texts).filter(_compares)
        | st.builds(Compare, st.sampled_from(["==", "!="]), below, below).filter(_compares)
        | st.builds(OneOf, numbers, st.lists(_numbers, min_size=1, max_size=3).map(tuple), st.booleans())
        | st.builds(OneOf, texts, st.lists(_texts, min_size=1, max_size=3).map(tuple), st.booleans())
        | st.builds(IsMissing, _any_value(depth - 1), st.booleans())
        | st.builds(TextCall, st.sampled_from(["contains", "starts_with"]), st.tuples(texts, texts))
        | st.builds(Call, st.just("ends_with"), st.tuples(texts, texts))
        | _chosen(depth, "rule")
        | below.map(Not)
        | st.lists(below, min_size=2, max_size=3).map(lambda parts: And(tuple(parts)))
        | st.lists(below, min_size=2, max_size=3).map(lambda parts: Or(tuple(parts)))
    )


def _compares(rule: Expression) -> bool:
    assert isinstance(rule, Compare)
    return not {Constant(None), Constant("")} & {rule.left, rule.right}


def rules(depth: int = 3) -> st.SearchStrategy[Expression]:
    """Rules that the parser accepts, up to this deep."""
    return _rule(depth)


def written(node: Expression) -> str:
    """The text of a rule, with brackets around every part."""
    match node:
        case Constant(value=None):
            return "null"
        case Constant(value=value):
            return _literal(value)
        case ContactField(name=name):
            return f'contact["{name}"]'
        case EventPart(name=name):
            return f"event.{name}"
        case Variable(name=name):
            return f"var.{name}"
        case InstanceKey():
            return "key"
        case History(function=function, kind=kind, days=days):
            return f'{function}("{kind}"{"" if days is None else f", days={days:g}"})'
        case TextCall(function=function, arguments=arguments) | Call(function=function, arguments=arguments):
            return f"{function}({', '.join(written(argument) for argument in arguments)})"
        case Negative(operand=operand):
            return f"-({written(operand)})"
        case Not(operand=operand):
            return f"not ({written(operand)})"
        case Arithmetic(operator=operator, left=left, right=right) | Compare(operator=operator, left=left, right=right):
            return f"({written(left)}) {operator} ({written(right)})"
        case OneOf(operand=operand, options=options, negated=negated):
            listed = ", ".join(_literal(option) for option in options)
            return f"({written(operand)}) {'not ' if negated else ''}in ({listed})"
        case IsMissing(operand=operand, negated=negated):
            return f"({written(operand)}) is {'not ' if negated else ''}missing"
        case And(parts=parts):
            return " and ".join(f"({written(part)})" for part in parts)
        case Or(parts=parts):
            return " or ".join(f"({written(part)})" for part in parts)


def _literal(value: str | float | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else f"{value:f}"
