"""Rules as text, such as `country == "DE" and days_since("order") >= 120`: what they consist of and what they need.

A rule is parsed once into the frozen tree below; only this tree is ever evaluated, so that a workflow from a stranger
can ask nothing but what stands here. Logic has three values: what is missing makes a comparison neither true nor false,
`and`, `or` and `not` carry that on as SQL does, and whoever asks for a yes or no takes it as no. A field with an empty
text is missing.
Absent on purpose: evaluation (`studio.frames.expression`), assignment, loops, any way to reach a file or a server.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from studio.domain.errors import Problem
from studio.domain.expression_functions import CallFunction
from studio.domain.spelling import nearest

MAX_TEXT = 2_000
MAX_NODES = 200
MAX_DEPTH = 20
MAX_LITERAL = 500

Scope: TypeAlias = Literal["contact", "event"]
"""What bare names mean: fields of the contact, or parts of one event."""

Scalar: TypeAlias = str | float | bool
CompareOperator: TypeAlias = Literal["==", "!=", "<", "<=", ">", ">="]
ArithmeticOperator: TypeAlias = Literal["+", "-", "*", "/"]
HistoryFunction: TypeAlias = Literal["count", "sum", "days_since", "has"]
TextFunction: TypeAlias = Literal["lower", "length", "contains", "starts_with"]

EVENT_PARTS = ("kind", "value", "currency", "key", "actor", "node")
"""Names that in a rule about an event mean a column of the log; every other name is one of its properties."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, a text, true, false, or null (None)."""

    value: Scalar | None


@dataclass(frozen=True, slots=True)
class ContactField:
    """A field of the contact."""

    name: str


@dataclass(frozen=True, slots=True)
class Variable:
    """`var.<name>`: what the instance carries."""

    name: str


@dataclass(frozen=True, slots=True)
class InstanceKey:
    """`key`: the instance's business key."""


@dataclass(frozen=True, slots=True)
class EventPart:
    """A column (`EVENT_PARTS`) or a property of the event that the rule is about."""

    name: str


@dataclass(frozen=True, slots=True)
class History:
    """A total of the contact's events of one kind, over all time or the last `days`.

    `days_since` counts from the date (UTC) of the last one to the date of now; missing when there is none.
    """

    function: HistoryFunction
    kind: str
    days: float | None = None


@dataclass(frozen=True, slots=True)
class TextCall:
    """A function on texts."""

    function: TextFunction
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function that chooses, reckons or writes (`expression_functions.CALLS`).

    `if` takes its second value when the first holds, else the third, or nothing; `default` the first that is not
    missing; `min` and `max` pass over what is missing, and `join` leaves it out; `round` goes away from zero at half;
    `days_to` counts from today's date (UTC) to the one that a text begins with (2026-03-31), below 0 when it is past.
    """

    function: CallFunction
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Negative:
    """Minus a number."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Two numbers to one; division by zero is missing, and so is what no longer fits a number."""

    operator: ArithmeticOperator
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Compare:
    """Two values of one type to true or false; missing when either is."""

    operator: CompareOperator
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class OneOf:
    """Whether a value is in a list of constants of one type; missing when the value is."""

    operand: Expression
    options: tuple[Scalar, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class IsMissing:
    """Whether there is no value; a field with an empty text has none. Never missing itself."""

    operand: Expression
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite; of missing, missing."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class And:
    """False when a part is false, else missing when a part is missing, else true."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True when a part is true, else missing when a part is missing, else false."""

    parts: tuple[Expression, ...]


Expression: TypeAlias = (
    Constant
    | ContactField
    | Variable
    | InstanceKey
    | EventPart
    | History
    | TextCall
    | Call
    | Negative
    | Arithmetic
    | Compare
    | OneOf
    | IsMissing
    | Not
    | And
    | Or
)


@dataclass(frozen=True, slots=True)
class Total:
    """One question to the event log: events of `kind`, over all time (`days` None) or the last `days`."""

    kind: str
    days: float | None


@dataclass(frozen=True, slots=True)
class Needs:
    """What has to be known before a rule can be evaluated; each name once, in the order met."""

    fields: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    event_parts: tuple[str, ...] = ()
    totals: tuple[Total, ...] = ()


def children(expression: Expression) -> tuple[Expression, ...]:
    """The parts directly below a node of the tree."""
    match expression:
        case TextCall(arguments=parts) | Call(arguments=parts) | And(parts=parts) | Or(parts=parts):
            return parts
        case Arithmetic(left=left, right=right) | Compare(left=left, right=right):
            return (left, right)
        case Negative(operand=operand) | OneOf(operand=operand) | IsMissing(operand=operand) | Not(operand=operand):
            return (operand,)
        case _:
            return ()


def walk(expression: Expression) -> Iterator[Expression]:
    """Every node of the tree, parents first."""
    yield expression
    for part in children(expression):
        yield from walk(part)


def needs(*expressions: Expression) -> Needs:
    """What all these rules need together."""
    fields: dict[str, None] = {}
    variables: dict[str, None] = {}
    parts: dict[str, None] = {}
    totals: dict[Total, None] = {}
    for expression in expressions:
        for node in walk(expression):
            match node:
                case ContactField(name=name):
                    fields[name] = None
                case Variable(name=name):
                    variables[name] = None
                case EventPart(name=name):
                    parts[name] = None
                case History(kind=kind, days=days):
                    totals[Total(kind, days)] = None
                case _:
                    pass
    return Needs(tuple(fields), tuple(variables), tuple(parts), tuple(totals))


def unknown_fields(expression: Expression, known: Collection[str]) -> list[Problem]:
    """One problem per contact field that nobody has, with the nearest known name. For forms: it is not an error."""
    problems: list[Problem] = []
    for name in needs(expression).fields:
        if name not in known:
            hint = nearest(name, tuple(known)) or f'To compare with a text, write it in quotes: "{name}".'
            problems.append(Problem("EXPRESSION-FIELD", f"No contact has a field “{name}”.", hint, field=name))
    return problems
