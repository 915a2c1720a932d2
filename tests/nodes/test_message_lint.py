"""Advice about messages: each rule on a message that breaks it alone."""

from __future__ import annotations

import dataclasses

import pytest

from studio.nodes.message_lint import lint_message, lint_subject
from studio.nodes.message_rendering import Texts
from studio.nodes.mjml_outline import contrast, outline

FINE = (
    "<mjml><mj-head><mj-preview>New beans from Huila, roasted on Monday morning.</mj-preview>"
    '<mj-raw><meta name="color-scheme" content="light dark" /></mj-raw></mj-head><mj-body><mj-section><mj-column>'
    '<mj-text color="#1f2430">Hello, the new harvest is in. It tastes of cherry and cocoa, and we roasted it on Monday.'
    "</mj-text>{extra}"
    '<mj-button href="https://shop.example/huila">See the new harvest</mj-button>'
    '<mj-text>{{{{ postal_address }}}} <a href="{{{{ unsubscribe_url }}}}">Unsubscribe</a></mj-text>'
    "</mj-column></mj-section></mj-body></mjml>"
)


def message(extra: str = "", subject: str = "The new harvest is in", **changes: str) -> Texts:
    return dataclasses.replace(Texts(subject, "", FINE.format(extra=extra)), **changes)


def codes(texts: Texts, **options) -> set[str]:
    return {advice.code for advice in lint_message(texts, **options)}


def test_a_good_message_gets_no_advice():
    assert lint_message(message()) == []


@pytest.mark.parametrize(
    ("subject", "code"),
    [
        ("", "LINT-SUBJECT-EMPTY"),
        ("Everything you always wanted to know about our new summer collection 2026", "LINT-SUBJECT-LONG"),
        ("Our spring roast is back, and so is the Huila", "LINT-SUBJECT-PHONE"),
        ("Sale", "LINT-SUBJECT-SHORT"),
        ("BIG SUMMER SALE STARTS", "LINT-CAPITALS"),
        ("It is here!!", "LINT-EXCLAMATION"),
        ("Save $$$ on coffee", "LINT-MONEY-SIGNS"),
        ("Coffee ☕ and cake 🍰", "LINT-EMOJI"),
        ("Re: your question", "LINT-DECEPTIVE"),
        ("Act now and save", "LINT-SPAM-WORDS"),
        ("Hello [name], look", "LINT-PLACEHOLDER"),
        ("{{ contact.first_name }}, look at this", "LINT-NO-FALLBACK"),
    ],
)
def test_a_subject_that_breaks_one_rule_is_told_so(subject, code):
    assert code in {advice.code for advice in lint_subject(subject, "A line that goes on from where it ended.")}


def test_a_field_with_a_way_out_is_fine():
    preview = "A line that goes on from where it ended."
    assert not lint_subject('{{ contact.first_name|default("there") }}, look', preview)
    assert not lint_subject("{% if contact.first_name %}{{ contact.first_name }}, look{% endif %} here", preview)


@pytest.mark.parametrize(
    ("preheader", "code"),
    [("", "LINT-PREHEADER-NONE"), ("THE NEW HARVEST", "LINT-PREHEADER-SAME"), ("Short one", "LINT-PREHEADER-SHORT")],
)
def test_the_preview_text_is_looked_at(preheader, code):
    assert code in {advice.code for advice in lint_subject("The new harvest", preheader)}


@pytest.mark.parametrize(
    ("extra", "code"),
    [
        ("<mj-bogus>Hello</mj-bogus>", "LINT-UNKNOWN-TAG"),
        ('<mj-image src="https://a.example/b.png" />', "LINT-ALT"),
        ('<mj-image alt="x" src="http://a.example/b.png" />', "LINT-HTTP"),
        ('<mj-button href="#">Look at the beans</mj-button>', "LINT-LINK-EMPTY"),
        ('<mj-button href="http://a.example">Look at the beans</mj-button>', "LINT-HTTP"),
        ('<mj-button href="beans.html">Look at the beans</mj-button>', "LINT-LINK-ODD"),
        ('<mj-button href="https://bit.ly/x">Look at the beans</mj-button>', "LINT-SHORTENER"),
        ('<mj-text><a href="https://a.example">Click here</a></mj-text>', "LINT-LINK-VAGUE"),
        ('<mj-text color="#bbbbbb">Hello there</mj-text>', "LINT-CONTRAST"),
        ("<mj-text>Act now, risk-free, no obligation.</mj-text>", "LINT-SPAM-WORDS"),
        ("<mj-text>Lorem ipsum dolor</mj-text>", "LINT-PLACEHOLDER"),
        ('<mj-image alt="x" src="https://a.example/b.png" />' * 3, "LINT-PICTURES"),
    ],
)
def test_a_body_that_breaks_one_rule_is_told_so(extra, code):
    assert codes(message(extra)) >= {code}


def test_unsubscribing_the_address_and_dark_mode_are_asked_for():
    bare = "<mjml><mj-body><mj-section><mj-column><mj-text>Hi</mj-text></mj-column></mj-section></mj-body></mjml>"
    found = codes(Texts("The new harvest is in", "A line that goes on from where it ended.", bare))
    assert found == {"LINT-UNSUBSCRIBE", "LINT-ADDRESS", "LINT-DARK", "LINT-NO-LINK"}


def test_what_gmail_clips_and_fields_nobody_has():
    assert "LINT-CLIPPED" in codes(message(), html_bytes=110_000)
    texts = message('<mj-text>{{ contact.frist_name|default("you") }}</mj-text>')
    advice = next(one for one in lint_message(texts, fields=["first_name"]) if one.code == "LINT-FIELD")
    assert "first_name" in advice.hint


def test_lines_are_those_of_the_text_as_written():
    body = "<mjml>\n{% if a < 3 %}\n<mj-body>\n<mj-bogus>x</mj-bogus></mj-body>{% endif %}</mjml>"
    assert outline(body).unknown == (("mj-bogus", 4),)


def test_german_words_for_german_messages():
    preview = "Eine Zeile, die an den Betreff anschließt."
    assert [one.code for one in lint_subject("Jetzt zuschlagen bei Kaffee", preview, language="de")] == [
        "LINT-SPAM-WORDS"
    ]


def test_contrast_of_black_on_white_is_21():
    assert contrast("#000000", "#fff") == pytest.approx(21)
