"""Compiled rules against a plain interpreter that goes person by person, written from the language's description."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from datetime import date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
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
    needs,
)
from studio.domain.expression_parser import parse_expression
from studio.frames.expression import compile_rule
from studio.frames.facts import rules_hold, with_facts
from tests.domain.rule_texts import LETTERS, rules
from tests.nodes.world import NOW, EventsAt, PeopleAt, World, ago, events, instances, people

Value = str | float | bool | None

COMPARISONS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
SUMS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
YES_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def to_number(value: Value) -> float | None:
    if value is None:
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def to_text(value: Value) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if value == int(value) else repr(value)


def to_flag(value: Value) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    return YES_NO.get(value.strip().lower()) if isinstance(value, str) else value != 0


FIELD_KINDS = {"number": "number", "text": "text", "digits": "text", "flag": "boolean", "x": "number"}


def is_nothing(node: Expression) -> bool:
    """No value, whoever it is: null, a field that nobody has, or a choice between such."""
    if isinstance(node, Call) and node.function in ("if", "default"):
        return all(is_nothing(part) for part in choices(node))
    return node == Constant(None) or (isinstance(node, (ContactField, Variable)) and node.name not in FIELD_KINDS)


def choices(node: Call) -> tuple[Expression, ...]:
    return node.arguments[1:] if node.function == "if" else node.arguments


def is_field(node: Expression) -> bool:
    if isinstance(node, Call) and node.function in ("if", "default"):
        return all(is_field(part) or is_nothing(part) for part in choices(node))
    return isinstance(node, (ContactField, Variable, InstanceKey, EventPart)) or node == Constant(None)


def kind_of(node: Expression) -> str:
    """The type that a value has, whatever it is: fields by their column, choices by what is no field."""
    match node:
        case Constant(value=value):
            return "boolean" if isinstance(value, bool) else "number" if isinstance(value, float) else "text"
        case ContactField(name=name) | Variable(name=name):
            return FIELD_KINDS.get(name, "text")
        case InstanceKey():
            return "text"
        case History(function=function):
            return "boolean" if function == "has" else "number"
        case TextCall(function=function):
            return {"lower": "text", "length": "number"}.get(function, "boolean")
        case Call(function="if" | "default"):
            known = [part for part in choices(node) if not is_nothing(part)]
            fixed = [kind_of(part) for part in known if not is_field(part)]
            kinds = set(fixed[:1]) or {kind_of(part) for part in known} or {"text"}
            return kinds.pop() if len(kinds) == 1 else "text" if "text" in kinds else "number"
        case Call(function=function):
            return {"join": "text", "upper": "text", "trim": "text", "ends_with": "boolean"}.get(function, "number")
        case Negative() | Arithmetic():
            return "number"
        case _:
            return "boolean"


class Interpreter:
    """One person's answer, straight from the words of the language; None is missing."""

    def __init__(self, facts: Mapping[str, Value], history: list[tuple[str, datetime, float]]) -> None:
        self.facts = facts
        self.history = history

    def value(self, node: Expression) -> Value:
        match node:
            case Constant(value=value):
                return value
            case ContactField(name=name):
                return self.facts.get(f"contact.{name}") if self.facts.get(f"contact.{name}") != "" else None
            case Variable(name=name):
                return self.facts.get(f"var.{name}")
            case InstanceKey():
                return self.facts.get("key") or None
            case History():
                return self.total(node)
            case Call():
                return self.call(node)
            case TextCall(function=function, arguments=arguments):
                return self.text(function, [to_text(self.value(argument)) for argument in arguments])
            case Negative(operand=operand):
                number = to_number(self.value(operand))
                return None if number is None else -number
            case Arithmetic(operator=sign, left=left, right=right):
                return self.reckon(sign, to_number(self.value(left)), to_number(self.value(right)))
            case _:
                return self.answer(node)

    def answer(self, node: Expression) -> bool | None:
        match node:
            case Compare(operator=sign, left=left, right=right):
                return self.compare(sign, left, right)
            case OneOf(operand=operand, options=options, negated=negated):
                turn = {str: to_text, bool: to_flag, float: to_number}[type(options[0])]
                value = turn(self.value(operand))
                return None if value is None else (value in options) != negated
            case IsMissing(operand=operand, negated=negated):
                return (self.value(operand) is None) != negated
            case Not(operand=operand):
                flag = to_flag(self.value(operand))
                return None if flag is None else not flag
            case And(parts=parts):
                flags = [to_flag(self.value(part)) for part in parts]
                return False if False in flags else None if None in flags else True
            case Or(parts=parts):
                flags = [to_flag(self.value(part)) for part in parts]
                return True if True in flags else None if None in flags else False
            case _:
                return to_flag(self.value(node))

    def compare(self, sign: str, left: Expression, right: Expression) -> bool | None:
        a, b = self.value(left), self.value(right)
        fields = [is_field(side) for side in (left, right)]
        if a is None or b is None:
            return None
        if fields[0] and fields[1]:
            both_text = str in (type(a), type(b))
            a, b = (to_text(a), to_text(b)) if both_text else (a, b)
        elif fields[0] != fields[1]:
            other = b if fields[0] else a
            turn = to_text if isinstance(other, str) else to_flag if isinstance(other, bool) else to_number
            a, b = turn(a), turn(b)
        return None if a is None or b is None else COMPARISONS[sign](a, b)

    def call(self, node: Call) -> Value:
        values = [self.value(argument) for argument in node.arguments]
        match node.function:
            case "if":
                chosen = 1 if to_flag(values[0]) else 2
                return self.turned(values[chosen] if chosen < len(values) else None, kind_of(node))
            case "default":
                turned = (self.turned(value, kind_of(node)) for value in values)
                return next((value for value in turned if value is not None), None)
            case "join":
                return str(values[0]).join(text for value in values[1:] if (text := to_text(value)) is not None) or None
            case "upper" | "trim" | "ends_with" | "days_to":
                return self.written(node.function, [to_text(value) for value in values])
            case _:
                return self.rounded(node.function, [to_number(value) for value in values])

    def turned(self, value: Value, kind: str) -> Value:
        return {"number": to_number, "text": to_text, "boolean": to_flag}[kind](value)

    def written(self, function: str, texts: list[str | None]) -> Value:
        if None in texts:
            return None
        first = str(texts[0])
        if function == "days_to":
            try:
                return float((date.fromisoformat(first.strip()[:10]) - NOW.date()).days)
            except ValueError:
                return None
        if function == "ends_with":
            return first.endswith(str(texts[1]))
        return first.upper() if function == "upper" else first.strip() or None

    def rounded(self, function: str, numbers: list[float | None]) -> Value:
        known = [number for number in numbers if number is not None]
        if function in ("min", "max"):
            return {"min": min, "max": max}[function](known, default=None)
        if numbers[0] is None or function == "abs":
            return None if numbers[0] is None else abs(numbers[0])
        digits = int(numbers[1] or 0) if len(numbers) > 1 else 0
        return to_number(math.copysign(math.floor(abs(numbers[0]) * 10**digits + 0.5) / 10**digits, numbers[0]))

    def reckon(self, sign: str, a: float | None, b: float | None) -> float | None:
        if a is None or b is None or (sign == "/" and b == 0):
            return None
        return to_number(SUMS[sign](a, b))

    def text(self, function: str, texts: list[str | None]) -> Value:
        if None in texts:
            return None
        first = str(texts[0])
        if function == "lower":
            return first.lower()
        if function == "length":
            return float(len(first))
        return str(texts[1]) in first if function == "contains" else first.startswith(str(texts[1]))

    def total(self, node: History) -> Value:
        since = datetime.min.replace(tzinfo=NOW.tzinfo) if node.days is None else NOW - timedelta(days=node.days)
        found = [(at, value) for kind, at, value in self.history if kind == node.kind and since <= at <= NOW]
        if node.function == "has":
            return bool(found)
        if node.function == "count":
            return float(len(found))
        if node.function == "sum":
            return float(sum(value for _, value in found))
        return float((NOW.date() - max(at for at, _ in found).date()).days) if found else None


PERSON = st.fixed_dictionaries(
    {
        "number": st.sampled_from([None, 0.0, 1.0, 2.5, -3.0, 1000000.0]),
        "text": st.none() | st.text(LETTERS, max_size=3) | st.sampled_from(["true", " No ", "1"]),
        "digits": st.sampled_from([None, "5", "2.5", " 7 ", "x", "", "1e2", "inf", "nan", "-0"]),
        "flag": st.sampled_from([None, True, False]),
        "x": st.sampled_from([None, 0, 1, 12]),
        "key": st.none() | st.text(LETTERS, max_size=2),
    }
)
EVENT = st.tuples(
    st.integers(1, 4), st.sampled_from(["order", "clicked"]), st.floats(-5, 200), st.integers(0, 50).map(float)
)


@given(rule=rules(), persons=st.lists(PERSON, min_size=1, max_size=4), happened=st.lists(EVENT, max_size=8))
@settings(max_examples=120, deadline=None)
def test_compiled_rules_answer_as_the_language_says(
    rule: Expression, persons: list[dict[str, Value]], happened: list[tuple[int, str, float, float]]
) -> None:
    columns = {name: [person[name] for person in persons] for name in ("number", "text", "digits", "flag")}
    kinds = {"number": pl.Float64, "text": pl.String, "digits": pl.String, "flag": pl.Boolean}
    world = World(people(len(persons)).with_columns(pl.Series(n, v, dtype=kinds[n]) for n, v in columns.items()))
    log = [
        {"contact_id": who, "kind": kind, "occurred_at": ago(days=days), "value": value}
        for who, kind, days, value in happened
    ]
    world.events = events(log)
    frame = instances(range(1, len(persons) + 1), keys=[person["key"] for person in persons]).with_columns(
        pl.Series("var.x", [person["x"] for person in persons], dtype=pl.Int64)
    )
    expected = []
    for who, person in enumerate(persons, start=1):
        facts = {f"contact.{name}": person[name] for name in columns} | {"key": person["key"]}
        history = [(e["kind"], e["occurred_at"], e["value"]) for e in log if e["contact_id"] == who]
        x = person["x"]
        facts["var.x"] = None if x is None else float(x)
        expected.append(Interpreter(facts, history).answer(rule))

    views = {"contacts": PeopleAt(world, NOW), "events": EventsAt(world.events, NOW), "now": NOW}
    (holds,) = rules_hold([rule], frame, **views)
    assert holds.to_list() == [bool(answer) for answer in expected]
    facts_frame = with_facts(frame, needs(rule), **views)
    compiled = facts_frame.with_columns(compile_rule(rule, facts_frame.schema, NOW).alias("answer"))["answer"]
    assert compiled.to_list() == expected


def views_of(world: World) -> dict[str, object]:
    return {"contacts": PeopleAt(world, NOW), "events": EventsAt(world.events, NOW), "now": NOW}


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ('country == "DE"', [1, 2]),
        ('country != "DE"', [3]),
        ('country != "DE" or country is missing', [3, 4, 5]),
        ('not (country == "DE")', [3]),
        ("country is missing", [4, 5]),
        ("age >= 30", [3, 4]),
        ("vip", [1]),
        ("zip == 1067", [1]),
        ('zip == "01067"', [1]),
        ('count("order") >= 2', [1]),
        ('count("order", days=30) == 0', [2, 3, 4, 5]),
        ('days_since("order") >= 120', [2]),
        ('days_since("visit") == 1', [1]),
        ('sum("order") > 20', [1]),
        ('has("order") and not has("order", days=30)', [2]),
        ("endless > 0 or endless <= 0", [3]),
        ("age == spelled", [2]),
        ('contains(dotted, ".")', [1]),
        ("dotted is missing", [4, 5]),
        ("true", [1, 2, 3, 4, 5]),
        ("null", []),
        ("nobody_has_this == 1", []),
        ('if(vip, "a", "b") == "b"', [2, 3, 4, 5]),
        ('if(country == "DE", age) == 20', [2]),
        ("default(spelled, age) == 10", [1]),
        ('default(nobody_has_this, country, "??") == "??"', [4, 5]),
        ("round(age / 3) == 7", [2]),
        ("max(age, 25) == 25", [1, 2, 5]),
        ('join("-", country, zip) == "DE-10115"', [2]),
        ('join("-", country, nobody_has_this) is missing', [4, 5]),
        ('ends_with(upper(dotted), ".B")', [1]),
        ("days_to(joined) == -1", [1]),
        ("days_to(joined) >= 0", [2]),
        ("days_to(joined) is missing", [3, 4, 5]),
    ],
)
def test_people_are_chosen_as_a_marketer_means_it(text: str, who: list[int]) -> None:
    world = World(
        people(
            5,
            country=["DE", "DE", "AT", None, ""],
            age=[10, 20, 30, 40, None],
            vip=["yes", "no", None, "", "x"],
            zip=["01067", "10115", "1010", None, "a"],
            endless=["inf", "nan", "3", None, "-inf"],
            spelled=["10.0", "20", "x", None, None],
            dotted=["a.b", "ab", "AB", None, ""],
            joined=["2026-03-09T23:00", " 2026-03-10", "soon", None, "2026-02-30"],
        ),
        events=events(
            [
                {"contact_id": 1, "kind": "order", "occurred_at": ago(days=5), "value": 10.0},
                {"contact_id": 1, "kind": "order", "occurred_at": ago(days=50), "value": 20.0},
                {"contact_id": 2, "kind": "order", "occurred_at": ago(days=120), "value": 5.0},
                {"contact_id": 3, "kind": "order", "occurred_at": NOW + timedelta(seconds=1), "value": 5.0},
                {"contact_id": 1, "kind": "visit", "occurred_at": ago(hours=13)},
                {"contact_id": 2, "kind": "visit", "occurred_at": ago(hours=12)},
            ]
        ),
    )
    frame = instances([5, 4, 3, 2, 1])
    (holds,) = rules_hold([parse_expression(text)], frame, **views_of(world))
    assert sorted(frame.filter(holds)["contact_id"]) == who


def test_rules_about_events_read_columns_and_properties() -> None:
    world = World(people(2, country=["DE", "AT"]))
    log = events(
        [
            {"contact_id": 1, "kind": "cart", "value": 10.0, "key": "c1", "properties": '{"items": 3, "plan": "pro"}'},
            {"contact_id": 2, "kind": "cart", "value": 40.0, "key": "c2", "properties": "not json"},
            {"contact_id": None, "kind": "cart", "value": 50.0, "node_id": "m1", "actor": "human"},
        ]
    )
    for text, ids in {
        "value >= 40": [2, 3],
        "items > 2": [1],
        'properties.plan == "pro"': [1],
        'contact.country == "AT"': [2],
        'node == "m1" and actor == "human"': [3],
        "plan is missing": [2, 3],
        'key in ("c1", "c2") and items is missing': [2],
    }.items():
        (holds,) = rules_hold([parse_expression(text, "event")], log, **views_of(world))
        assert log.filter(holds)["event_id"].to_list() == ids, text


def test_the_largest_rule_allowed_is_answered_quickly() -> None:
    world = World(people(1000))
    rule = parse_expression(" or ".join(f'contains(lower(name), "{i}")' for i in range(45)))
    deep = parse_expression("1" + "/(1+number" * 9 + ")" * 9 + " > 0")
    answers = rules_hold([rule, deep], instances(range(1, 1001)), **views_of(world))
    assert [answer.len() for answer in answers] == [1000, 1000]


def test_as_of_a_date_counts_from_that_date() -> None:
    midnight = NOW.replace(hour=0)
    log = events([{"contact_id": 1, "kind": "order", "occurred_at": midnight - timedelta(days=120)}])
    for now in (midnight, midnight - timedelta(microseconds=1)):
        views = {"contacts": PeopleAt(World(people(1)), now), "events": EventsAt(log, now), "now": now}
        (holds,) = rules_hold([parse_expression('days_since("order") == 120')], instances([1]), **views)
        assert holds.to_list() == [True]


def test_a_constant_beside_a_column_of_one_value_answers_every_row() -> None:
    world = World(people(3).with_columns(pl.lit("A").alias("group")))
    frame = instances([1, 2, 3]).with_columns(pl.lit(None, pl.String).alias("key"), pl.lit("x").alias("var.x"))
    rules_of_a_branch = [
        parse_expression(text)
        for text in ('"A" == group', '"x" != lower(var.x)', '"1" == key', 'contains("xyz", var.x)', "1 < 2 or null")
    ]
    answers = [answer.to_list() for answer in rules_hold(rules_of_a_branch, frame, **views_of(world))]
    assert answers == [[True] * 3, [False] * 3, [False] * 3, [True] * 3, [True] * 3]


def test_rows_without_anybody_and_no_rows_are_answered() -> None:
    world = World(people(1))
    rule = parse_expression('name == "Person 1" and count("order") == 0 and 1 == 1')
    assert rules_hold([rule], instances([]), **views_of(world))[0].to_list() == []
    assert rules_hold([parse_expression("1 == 1")], instances([]), **views_of(world))[0].to_list() == []


@pytest.mark.parametrize(
    ("moment", "days"), [(timedelta(), 1), (-timedelta(microseconds=1), 1), (-timedelta(seconds=1), 0)]
)
def test_a_run_as_of_a_midnight_counts_days_to_the_day_that_begins(moment: timedelta, days: int) -> None:
    midnight = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
    log = events([{"contact_id": 1, "kind": "order", "occurred_at": midnight - timedelta(days=1)}])
    now = midnight + moment
    world = World(people(1), events=log)
    views = {"contacts": PeopleAt(world, now), "events": EventsAt(world.events, now), "now": now}
    (holds,) = rules_hold([parse_expression(f'days_since("order") == {days}')], instances([1]), **views)
    assert holds.to_list() == [True]
