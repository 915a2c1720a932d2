"""Settings as people read them."""

from __future__ import annotations

import pytest

from studio.gallery.catalogue import catalogue
from studio.ui.screens.expectations import counted
from studio.ui.screens.values import capital, setting_shown


def test_fields_of_a_text_stand_there_in_words_and_choices_like_sentences() -> None:
    template = catalogue().get("cart-recovery")
    subject, tone = template.parameter("subject"), template.parameter("tone")
    said = setting_shown(subject, '{{ var.headline|default("What is new") }} for {{ contact.first_name }}')
    assert said == "[headline, else What is new] for [first name]"
    assert setting_shown(tone, "warm") == "Warm"
    assert setting_shown(subject, "warm words") == "warm words"
    assert capital("") == ""


@pytest.mark.parametrize(
    ("template", "what"),
    [
        ("cart-recovery", "orders"),
        ("fundraising", "gifts"),
        ("lead-scoring", "meetings"),
        ("feature-adoption", "successes"),
    ],
)
def test_what_is_expected_is_counted_in_the_words_of_its_goal(template: str, what: str) -> None:
    assert counted(catalogue().get(template)) == what
