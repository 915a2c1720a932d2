"""Messages as people write them: what stands under a condition is still a paragraph, in both forms of a mail."""

from __future__ import annotations

import re

import minijinja
import pytest

from studio.gallery.catalogue import catalogue
from studio.gallery.message_text import read_messages

WRITTEN = """== m1
subject: S

# Headline

First.

{% if a %}

Only with a.

{% else %}

Only without.

{% endif %}

{% if b %}With b.{% else %}Without b.{% endif %} And always.

- one
- two
"""
GREETING = "{% if name %}Hello {{ name }},{% else %}Hello,{% endif %}"
_LEAF = re.compile(r"<(mj-(?:head|text|button|raw))\b[^>]*>.*?</\1>", re.DOTALL)
_ELEMENT = re.compile(r"</?mj[^>]*>|<!--.*?-->", re.DOTALL)
_CONTROL = re.compile(r"\{%.*?%\}", re.DOTALL)


@pytest.mark.parametrize("a", [True, False])
@pytest.mark.parametrize("b", [True, False])
def test_paragraphs_stay_apart_whatever_is_left_out(a: bool, b: bool) -> None:
    text = dict(read_messages(WRITTEN, "here")["m1"].texts("en", GREETING))["m1.en.txt"]
    rendered = minijinja.Environment().render_str(text, a=a, b=b, name="Anna")
    branch = "Only with a." if a else "Only without."
    last = f"{'With' if b else 'Without'} b. And always."
    assert rendered.split("\n\n") == ["Hello Anna,", "First.", branch, last, "- one\n- two"]


@pytest.mark.parametrize("template_id", sorted(catalogue().entries))
def test_no_word_of_a_mail_stands_outside_its_elements(template_id: str) -> None:
    """A word between two rows of a mail's table is shown above everything else, or not at all."""
    for name, text in catalogue().entry(template_id).texts.items():
        if name.endswith(".mjml"):
            between = _ELEMENT.sub("", _LEAF.sub("", text))
            assert not _CONTROL.sub("", between).strip(), name
