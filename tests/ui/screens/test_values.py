"""Settings as people read them."""

from __future__ import annotations

from studio.gallery.catalogue import catalogue
from studio.ui.screens.values import capital, setting_shown


def test_fields_of_a_text_stand_there_in_words_and_choices_like_sentences() -> None:
    template = catalogue().get("cart-recovery")
    subject, tone = template.parameter("subject"), template.parameter("tone")
    said = setting_shown(subject, '{{ var.headline|default("What is new") }} for {{ contact.first_name }}')
    assert said == "[headline, else What is new] for [first name]"
    assert setting_shown(tone, "warm") == "Warm"
    assert setting_shown(subject, "warm words") == "warm words"
    assert capital("") == ""
