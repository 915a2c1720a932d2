"""Tones of voice: words change, what is filled in does not, and every line of the library could be sent."""

from __future__ import annotations

import re

import pytest

from studio.gallery.archetypes import archetypes
from studio.gallery.catalogue import LANGUAGES, catalogue
from studio.gallery.context import correct, read_text
from studio.gallery.customise import fill, instantiate
from studio.gallery.tone import NEUTRAL, _table, in_tone, subject_in_tone, tone_of
from studio.nodes.message_lint import lint_subject

FIELDS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\$\{\w+\}|<[^>]*>")
TONES = ("warm", "playful", "expert", "formal")


@pytest.mark.parametrize("tone", TONES)
def test_fields_and_markup_of_every_message_stay_as_they_are_and_twice_is_once(tone: str) -> None:
    for template in catalogue().list():
        for name, text in catalogue().entry(template.id).texts.items():
            language = name.split(".")[1]
            said = in_tone(text, tone, language)
            assert FIELDS.findall(said) == FIELDS.findall(text), (template.id, name)
            assert in_tone(said, tone, language) == said, (template.id, name)


def test_words_of_a_tone() -> None:
    greeting = "{% if contact.first_name %}Hello {{ contact.first_name }},{% else %}Hello,{% endif %} It is ready."
    assert in_tone(greeting, "playful", "en").startswith("{% if contact.first_name %}Hey {{")
    assert in_tone(greeting, "warm", "en").endswith("Hi,{% endif %} It's ready.")
    assert in_tone("Guten Tag, Sie bekommen eine Mail.", "formal", "de") == "Guten Tag, Sie erhalten eine E-Mail."
    assert in_tone(greeting, NEUTRAL, "en") == greeting
    assert in_tone("It is", "warm", "fr") == "It is"


def test_every_subject_of_the_library_passes_the_linter_in_both_languages() -> None:
    known = {archetype.id for archetype in archetypes()}
    for archetype, spoken in _table().subjects.items():
        assert archetype in known
        assert set(spoken) == set(LANGUAGES)
        for lines in spoken.values():
            assert set(lines) == set(TONES)
            for line in lines.values():
                assert len(line) <= 70
                found = [advice for advice in lint_subject(line) if advice.place == "subject"]
                assert not [advice for advice in found if advice.level != "hint"], line


def test_the_business_speaks_in_its_tone_and_a_person_may_choose_another() -> None:
    context = correct(read_text("A shop for tea in Vienna."), "tone", "playful, warm")
    assert tone_of(context) == "playful"
    entry = catalogue().entry("cart-recovery")
    values = {value.name: value for value in fill(entry, context, language="en")}
    assert (values["tone"].value, values["tone"].confidence) == ("playful", 1.0)
    assert values["subject"].value == subject_in_tone("abandoned-cart", "playful", "en")
    bodies = [str(node.parameters.get("text")) for node in instantiate(entry, list(values.values())).nodes]
    assert any("Hey " in body for body in bodies)
    chosen = {value.name: value for value in fill(entry, context, language="de", overrides={"tone": "formal"})}
    assert chosen["subject"].value == "Dürfen wir bei Ihrer Auswahl behilflich sein?"


def test_without_a_tone_the_template_speaks_as_it_was_written() -> None:
    entry = catalogue().entry("cart-recovery")
    values = {value.name: value.value for value in fill(entry, read_text("A shop for tea."), language="en")}
    assert (values["tone"], values["subject"]) == (NEUTRAL, "Still thinking it over?")
