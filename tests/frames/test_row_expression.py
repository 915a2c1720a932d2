"""Rules for a few rows against the same rules compiled to Polars."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import assume, given, settings

from studio.domain.expression import Expression, TextCall, Variable
from studio.domain.expression_parser import parse_value
from studio.frames.expression import compile_rule, compile_text, compile_value
from studio.frames.few import Few, few_of, kept, with_series
from studio.frames.row_expression import row_form
from tests.domain.rule_texts import rules

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
ODD_TEXTS = (
    *("", " ", "5", " 7.5\u2003", "+5", ".5", "5.", "1e2", "1E400", "1_0", "\x1c5", "٣", "0x1", "-0", "1e-7", "007"),
    *("inf", "nan", "Infinity", "true", " YES\x85", "no", "1", "0", "ẞ", "İ", "ΑΣ", "ΑΣ Β", "ǅ", "a b", "-", "e5"),
)
ODD_NUMBERS = (0.0, -0.0, 5.0, 1e15, 1e16, 1e-4, 9.9e-5, 123456.789, 2.0**53, -1e300, 1e300, 0.1 + 0.2)
NOT_NUMBERS = (math.inf, -math.inf, math.nan)
SCHEMA = {
    "contact.number": pl.Float64(),
    "contact.text": pl.String(),
    "contact.digits": pl.String(),
    "contact.flag": pl.Boolean(),
    "var.x": pl.Int64(),
    "key": pl.String(),
}


def many_rows(count: int = 120) -> pl.DataFrame:
    """Rows of odd and ordinary values in every mixture; some of everything is missing."""
    rng = random.Random(7)
    letters = "aAbB1 -.e\u2003ßÉ"

    def text() -> str:
        return rng.choice(ODD_TEXTS) if rng.random() < 0.6 else "".join(rng.choices(letters, k=rng.randint(1, 4)))

    def number() -> float:
        odd = (*ODD_NUMBERS, *NOT_NUMBERS)
        return rng.choice(odd) if rng.random() < 0.5 else rng.uniform(-10, 10) ** rng.randint(1, 5)

    def whole() -> int:
        return rng.choice((0, 1, 2, 12, -(2**63), 2**63 - 1, 2**53 + 1))

    makers = (number, text, text, lambda: rng.random() < 0.5, whole, text)
    rows = [tuple(None if rng.random() < 0.1 else make() for make in makers) for _ in range(count)]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


MANY = many_rows()
ROWS = MANY.to_dicts()


def both_forms(expressions: Sequence[Expression]) -> None:
    """Asserts that each says the same by rows and by columns: itself, as text, as yes or no."""
    ways = (compile_value, compile_text, compile_rule)
    by_column = MANY.select(
        way(expression, SCHEMA, NOW).alias(f"{place}.{way.__name__}")
        for place, expression in enumerate(expressions)
        for way in ways
    )
    for place, expression in enumerate(expressions):
        form = row_form(expression, SCHEMA)
        assert form is not None
        columns = [by_column[f"{place}.{way.__name__}"] for way in ways]
        assert form.dtype == columns[0].dtype
        for function, column in zip((form.value, form.as_text, form.as_boolean), columns, strict=True):
            assert list(map(function, ROWS)) == column.to_list(), expression


@given(rule=rules())
@settings(max_examples=12, deadline=None)
def test_rows_are_answered_as_columns_are(rule: Expression) -> None:
    assume(row_form(rule, SCHEMA) is not None)
    both_forms([rule])


def test_every_change_of_type_is_the_same() -> None:
    names = ("number", "text", "digits", "flag", "var.x", "key", "lower(text)", "length(number)", "number * digits")
    signs = ("text < digits", "number == var.x", "flag != number", "-digits", "text / number", "var.x - digits")
    both_forms([parse_value(text) for text in (*names, *signs, "-number", "text == 1", "text == true")])


def test_totals_and_properties_of_events_are_left_to_columns() -> None:
    for text in ("if(flag, 1, 2)", 'count("order") > 1', 'days_since("visit")', 'lower("A") == "a" and has("order")'):
        assert row_form(parse_value(text), SCHEMA) is None
    assert row_form(parse_value("plan", "event"), {"properties": pl.String()}) is None
    assert row_form(parse_value("value", "event"), {"value": pl.Float64()}) is not None


def test_columns_of_other_types_are_left_to_columns() -> None:
    assert row_form(Variable("x"), {"var.x": pl.Datetime("us", "UTC")}) is None


def test_one_and_true_are_not_taken_for_each_other() -> None:
    schema = {"contact.text": pl.String()}
    for text, expected in (("text == 1", [None, True, False, None]), ("text == true", [True, True, None, True])):
        form = row_form(parse_value(text), schema)
        assert form is not None
        assert [form.value({"contact.text": given}) for given in ("yes", "1", "2", "true")] == expected


def test_a_form_is_made_once_for_one_expression_and_the_same_types() -> None:
    rule = TextCall("length", (Variable("x"),))
    first = row_form(rule, {"var.x": pl.String()})
    assert row_form(rule, {"var.x": pl.String(), "var.y": pl.Int64()}) is first
    other = row_form(rule, {"var.x": pl.Float64()})
    assert other is not None
    assert other is not first
    assert math.isclose(float(other.value({"var.x": 10.0}) or 0), 2)


@pytest.mark.parametrize("rows", [0, 1, 3, 40])
def test_few_rows_are_kept_and_divided_as_many_are(rows: int) -> None:
    frame = pl.DataFrame(
        {"n": range(rows), "t": [f"t{n}" for n in range(rows)]}, schema={"n": pl.Int64, "t": pl.String}
    )
    for mask in (frame["n"] > 100, frame["n"] >= 0, frame["n"] % 2 == 0):
        assert kept(frame, mask).equals(frame.filter(mask))
    places = (frame["n"] % 3).cast(pl.UInt8)
    parts = Few.of(frame).divided(places.to_list(), 3)
    assert all(part.frame().equals(frame.filter(places == way)) for way, part in enumerate(parts))
    new = [pl.Series("z", [1] * rows, dtype=pl.Int64), pl.Series("n", [2] * rows, dtype=pl.Int64)]
    assert with_series(frame, new).equals(frame.with_columns(new))
    widened = Few.of(frame).with_columns((s.name, s.dtype, s.to_list()) for s in new)
    assert widened.frame().equals(frame.with_columns(new))
    few = few_of([frame.head(1), Few.of(frame.slice(1))])
    assert (few is None) == (rows > 32)
    assert few is None or few.frame().equals(frame)
