"""The language of rules: what it reads, what it refuses and how it says so."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.domain.errors import UserFixable
from studio.domain.expression import (
    MAX_TEXT,
    And,
    Arithmetic,
    Compare,
    Constant,
    ContactField,
    EventPart,
    Expression,
    History,
    InstanceKey,
    IsMissing,
    Needs,
    Negative,
    Not,
    OneOf,
    Or,
    TextCall,
    Total,
    Variable,
    needs,
    unknown_fields,
)
from studio.domain.expression_parser import parse_expression
from tests.domain.rule_texts import rules, written

COUNTRY = ContactField("country")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ('country == "DE"', Compare("==", COUNTRY, Constant("DE"))),
        ("country = 'DE'", Compare("==", COUNTRY, Constant("DE"))),
        ("properties.plan != 2", Compare("!=", ContactField("plan"), Constant(2.0))),
        ('contact["first name"] is not missing', IsMissing(ContactField("first name"), negated=True)),
        ("var.tier is missing", IsMissing(Variable("tier"))),
        ('key == "c1"', Compare("==", InstanceKey(), Constant("c1"))),
        ('contact.key == "c1"', Compare("==", ContactField("key"), Constant("c1"))),
        ("vip", ContactField("vip")),
        ("not vip", Not(ContactField("vip"))),
        ("a or b and not c", Or((ContactField("a"), And((ContactField("b"), Not(ContactField("c"))))))),
        ("(a or b) and c", And((Or((ContactField("a"), ContactField("b"))), ContactField("c")))),
        ("a AND b", And((ContactField("a"), ContactField("b")))),
        ('country in ("DE", "AT")', OneOf(COUNTRY, ("DE", "AT"))),
        ("age not in (1, -2)", OneOf(ContactField("age"), (1.0, -2.0), negated=True)),
        ('has("order")', History("has", "order")),
        ('count("order", days=90) > 1', Compare(">", History("count", "order", 90.0), Constant(1.0))),
        ('days_since("order") >= 1', Compare(">=", History("days_since", "order"), Constant(1.0))),
        (
            "1 + 2 * -age < 3",
            Compare(
                "<",
                Arithmetic("+", Constant(1.0), Arithmetic("*", Constant(2.0), Negative(ContactField("age")))),
                Constant(3.0),
            ),
        ),
        (
            "10 - 4 - 3 == 3",
            Compare(
                "==", Arithmetic("-", Arithmetic("-", Constant(10.0), Constant(4.0)), Constant(3.0)), Constant(3.0)
            ),
        ),
        (
            'contains(lower(name), "a")',
            TextCall("contains", (TextCall("lower", (ContactField("name"),)), Constant("a"))),
        ),
        ('name == "a \\"b\\" \\\\ \\n"', Compare("==", ContactField("name"), Constant('a "b" \\ \n'))),
        ("größe > 3", Compare(">", ContactField("größe"), Constant(3.0))),
        ("true and null", And((Constant(True), Constant(None)))),
    ],
)
def test_reads(text: str, tree: Expression) -> None:
    assert parse_expression(text) == tree


def test_names_in_a_rule_about_an_event_mean_the_event() -> None:
    rule = parse_expression('value >= 30 and plan == "pro" and contact.country == "DE" and event.key != "x"', "event")
    assert rule == And(
        (
            Compare(">=", EventPart("value"), Constant(30.0)),
            Compare("==", EventPart("plan"), Constant("pro")),
            Compare("==", COUNTRY, Constant("DE")),
            Compare("!=", EventPart("key"), Constant("x")),
        )
    )


@pytest.mark.parametrize(
    ("text", "code", "place", "says", "hint"),
    [
        ("", "EXPRESSION-SYNTAX", 1, "empty", "Write something like"),
        ('"abc" > 3', "EXPRESSION-TYPE", 7, "A text does not compare with a number", "like with like"),
        ('count("order") == "3"', "EXPRESSION-TYPE", 16, "A number does not compare with a text", ""),
        ("true < false", "EXPRESSION-TYPE", 6, "not larger or smaller", "=="),
        ("country == null", "EXPRESSION-TYPE", 9, "null", "is missing"),
        ('country != ""', "EXPRESSION-TYPE", 9, "an empty text", "is missing"),
        ("1 + 1", "EXPRESSION-TYPE", 1, "yes or no", "Compare"),
        ('"a" + 1 > 2', "EXPRESSION-TYPE", 1, "reckons with numbers", "a text"),
        ("a and 3", "EXPRESSION-TYPE", 7, "joins conditions", "Compare"),
        ('not "a"', "EXPRESSION-TYPE", 5, "turns a condition round", "Compare"),
        ("length(3) > 1", "EXPRESSION-TYPE", 8, "works on texts", "a number"),
        ("contains(a)", "EXPRESSION-TYPE", 1, "takes 2 values, not 1", ""),
        ("if(1, 2) > 1", "EXPRESSION-TYPE", 4, "begins with a condition", "Compare"),
        ('if(a, 1, "b") == 1', "EXPRESSION-TYPE", 7, "values of one kind; here are a number and a text", "if(age"),
        ("if(a) == 1", "EXPRESSION-TYPE", 1, "if does not take 1 value", "if(age >= 18"),
        ("default(1) > 1", "EXPRESSION-TYPE", 1, "default does not take 1 value", "default(nickname"),
        ("round(a, b) > 1", "EXPRESSION-TYPE", 10, "digits is written out, 0 to 6", "round(score"),
        ("round(a, 7) > 1", "EXPRESSION-TYPE", 10, "digits is written out, 0 to 6", "round(score"),
        ('join(a, b) == "x"', "EXPRESSION-TYPE", 6, "stands between the texts, in quotes", "join("),
        ('max("a", 2) > 1', "EXPRESSION-TYPE", 5, "max works on numbers", "a text"),
        ('x in (1, "a")', "EXPRESSION-TYPE", 7, "mixes", "one kind"),
        ('3 in ("a")', "EXPRESSION-TYPE", 1, "cannot be in a list", ""),
        ('coun("order") > 1', "EXPRESSION-NAME", 1, "no function “coun”", "Did you mean “count”?"),
        ("vars.x == 1", "EXPRESSION-NAME", 1, "“vars.” is not known", "Did you mean “var”?"),
        ('has("two words")', "EXPRESSION-NAME", 5, "not a kind of event", "single words"),
        ("a.b.c", "EXPRESSION-SYNTAX", 4, "no fields of their own", ""),
        ("a =", "EXPRESSION-SYNTAX", 4, "A value is missing", ""),
        ("(a", "EXPRESSION-SYNTAX", 3, "“)” is missing", "the end"),
        ('x == "abc', "EXPRESSION-SYNTAX", 6, "not closed", '"'),
        ("x == “DE”", "EXPRESSION-SYNTAX", 6, "does not begin a text", "straight quotes"),
        ("a && b", "EXPRESSION-SYNTAX", 3, "means nothing", "Write and instead"),
        ("a <> b", "EXPRESSION-SYNTAX", 3, "means nothing", "Write != instead"),
        ("!a", "EXPRESSION-SYNTAX", 1, "means nothing", "Write not instead"),
        ("a # b", "EXPRESSION-SYNTAX", 3, "“#” means nothing", ""),
        ("a b", "EXPRESSION-SYNTAX", 3, "Nothing is expected", "“and”"),
        ("1 < x < 3", "EXPRESSION-SYNTAX", 7, "Two comparisons", "and"),
        ("a is empty", "EXPRESSION-SYNTAX", 6, "After “is”", "=="),
        ("in > 3", "EXPRESSION-SYNTAX", 1, "cannot stand here", ""),
        ("90days > 3", "EXPRESSION-SYNTAX", 3, "A letter follows", ""),
        ('days_since("a", days=3) > 1', "EXPRESSION-SYNTAX", 17, "does not take", "only the kind"),
        ("count(order) > 1", "EXPRESSION-SYNTAX", 7, "in quotes", 'count("order")'),
        ('count("order", 90) > 1', "EXPRESSION-SYNTAX", 16, "does not take", "days=90"),
        ('count("order", days=0) > 1', "EXPRESSION-LIMIT", 16, "out of range", ""),
        ("x == " + "1" * 21, "EXPRESSION-LIMIT", 6, "too long", ""),
        ('x == "' + "a" * 501 + '"', "EXPRESSION-LIMIT", 6, "501 characters", "500"),
        ("(" * 21 + "a" + ")" * 21, "EXPRESSION-LIMIT", 21, "nested more than 20", "Split"),
        ("not " * 25 + "a", "EXPRESSION-LIMIT", 81, "nested more than 20", "Split"),
        ("+".join(["1"] * 25) + " > 1", "EXPRESSION-LIMIT", 1, "nested more than 20", "Split"),
        (" and ".join(["a"] * 201), "EXPRESSION-LIMIT", None, "more than 200 parts", "Split"),
        ("x in (" + ",".join(["1"] * 201) + ")", "EXPRESSION-LIMIT", None, "more than 200 parts", "Split"),
    ],
)
def test_refuses_and_shows_where(text: str, code: str, place: int | None, says: str, hint: str) -> None:
    with pytest.raises(UserFixable) as caught:
        parse_expression(text)
    error = caught.value
    assert (error.code, error.message.split("\n")[0].find(says) >= 0) == (code, True), str(error)
    assert hint in (error.hint or "")
    if place is not None:
        assert error.where == f"character {place}"
        line, caret = error.message.split("\n")[1:]
        assert caret.index("^") < len(line) + 1
        assert place > 60 or caret.index("^") == place + 1


def test_the_caret_points_into_the_right_line() -> None:
    with pytest.raises(UserFixable) as caught:
        parse_expression('country == "DE"\nand age > "x" + 1')
    assert caught.value.message.split("\n")[1:] == ['  and age > "x" + 1', "            ^"]


def test_gathers_all_slips_of_type_and_name() -> None:
    with pytest.raises(UserFixable) as caught:
        parse_expression('"a" > 1 and vars.x == 2 and length(3) > 1')
    assert [problem.code for problem in caught.value.problems] == [
        "EXPRESSION-TYPE",
        "EXPRESSION-NAME",
        "EXPRESSION-TYPE",
    ]


def test_refuses_long_texts_at_once() -> None:
    with pytest.raises(UserFixable, match="2,001 characters"):
        parse_expression("a" + " " * MAX_TEXT)


def test_variables_are_not_known_where_there_is_no_instance() -> None:
    with pytest.raises(UserFixable, match=r"“var\.” is not known"):
        parse_expression("var.x == 1", "event")


@given(rules())
@settings(max_examples=300, deadline=None)
def test_what_is_written_out_is_read_back(rule: Expression) -> None:
    assert parse_expression(written(rule)) == rule


WORDS = ["a", "and", "or", "not", "in", "is", "missing", "true", "null", "count", "days", "has", "lower", "var", "é"]
SIGNS = ["(", ")", ",", "==", "<", "+", "-", "*", "/", ".", "[", "]", '"x"', "'", '"', "=", "&&", "!", "1", "2.5", "\n"]
PIECES = st.sampled_from([*WORDS, *SIGNS, "contact", "\x00", "\x1f", "🙂"])


@given(st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=40).map(" ".join)))
@settings(max_examples=500, deadline=None)
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        parse_expression(text)
    except UserFixable as error:
        assert error.code.startswith("EXPRESSION-")
        assert error.message and error.problems


@pytest.mark.parametrize("piece", ["(", "not ", "-", "lower(", "1+", "a and ", "a==", '"', "[", "x in ("])
def test_hostile_texts_are_refused_quickly(piece: str) -> None:
    began = time.process_time()
    with pytest.raises(UserFixable):
        parse_expression((piece * MAX_TEXT)[:MAX_TEXT])
    assert time.process_time() - began < 1.0


def test_says_what_a_rule_needs_each_once() -> None:
    rules_of_a_node = [
        parse_expression('country == "DE" and var.x > 1 and count("order", days=90) > 1 and has("order", days=90)'),
        parse_expression('lower(country) == name or days_since("order") > 3 or not (var.x is missing)'),
    ]
    assert needs(*rules_of_a_node) == Needs(
        fields=("country", "name"), variables=("x",), totals=(Total("order", 90.0), Total("order", None))
    )
    assert needs(parse_expression("value > 1 and contact.zip == 2", "event")) == Needs(
        fields=("zip",), event_parts=("value",)
    )


def test_names_unknown_fields_with_the_nearest_known_one() -> None:
    problems = unknown_fields(parse_expression("contry == DE"), ("country", "name"))
    assert [(problem.field, problem.hint) for problem in problems] == [
        ("contry", "Did you mean “country”?"),
        ("DE", 'To compare with a text, write it in quotes: "DE".'),
    ]
