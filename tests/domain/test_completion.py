"""What is offered while somebody types: what fits at the cursor, and nothing where nothing belongs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.domain.completion import Completions, Vocabulary, complete_message, complete_rule
from studio.domain.expression_parser import parse_expression

VOCABULARY = Vocabulary(
    fields={"country": "text", "score": "number", "first_name": "text"},
    values={"country": ("DE", "AT")},
    events=("cart", "order"),
    properties={"product": "text"},
    variables=("subject",),
)


def offered(found: Completions) -> list[str]:
    return [item.text for item in found.items]


def written(text: str, found: Completions, number: int = 0) -> str:
    return text[: found.start] + found.items[number].text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sco", "score"),
        ("days", 'days_since("'),
        ('score > 3 and days_since("or', 'score > 3 and days_since("order'),
        ("country == ", 'country == "DE"'),
        ('country == "A', 'country == "AT"'),
        ("var.s", "var.subject"),
        ("nam", "first_name"),
        ("score > 3 an", "score > 3 and"),
    ],
)
def test_the_first_offer_is_what_one_would_write(text: str, expected: str) -> None:
    assert written(text, complete_rule(text, len(text), VOCABULARY)).endswith(expected)


def test_what_is_complete_is_offered_no_more() -> None:
    assert offered(complete_rule("score", 5, VOCABULARY)) == []


def test_inside_a_text_nothing_is_offered() -> None:
    assert offered(complete_rule('first_name == "An', 17, VOCABULARY)) == []


def test_a_rule_about_an_event_speaks_of_its_parts() -> None:
    names = offered(complete_rule("", 0, VOCABULARY, "event"))
    assert {"value", "product"} <= set(names)
    assert "score" not in names and 'days_since("' not in names


def test_in_a_message_names_stand_in_braces_only() -> None:
    assert offered(complete_message("Hello fir", 9, VOCABULARY)) == []
    text = "Hello {{ fir"
    assert written(text, complete_message(text, len(text), VOCABULARY)) == "Hello {{ contact.first_name"
    text = "Hello {{ contact.first_name|def"
    assert written(text, complete_message(text, len(text), VOCABULARY)).endswith("|default")
    assert offered(complete_message("{{ contact.name }} and ", 23, VOCABULARY)) == []
    text = "{% if event.pro"
    assert written(text, complete_message(text, len(text), VOCABULARY)).endswith("event.product")


@given(st.text(alphabet="abcs_ =\"'(){}|.>3", max_size=30), st.integers(0, 30))
def test_whatever_is_typed_the_offer_keeps_what_stands_before_it(text: str, cursor: int) -> None:
    cursor = min(cursor, len(text))
    for found in (complete_rule(text, cursor, VOCABULARY), complete_message(text, cursor, VOCABULARY)):
        assert 0 <= found.start <= cursor


def test_every_field_that_is_offered_makes_a_rule() -> None:
    for name in offered(complete_rule("", 0, VOCABULARY)):
        if name.isidentifier() and name in VOCABULARY.fields:
            parse_expression(f"{name} is not missing")
