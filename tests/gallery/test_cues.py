"""Finding cues: leaving out what cannot match changes nothing that is found."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from studio.gallery import cues

CUES = ("donat*", "organi?ations", "per order", "off", "c++", "café", "e-mail*", "*bäckerei")
WORDS = st.sampled_from(
    ["Donations", "organisations", "per", "order", "offer", "OFF", "C++", "CAFÉ", "e-mails", "Landbäckerei", "-", "x"]
)


@given(st.lists(WORDS, max_size=12).map(" ".join))
def test_the_short_way_finds_what_the_whole_expression_finds(text: str) -> None:
    whole = cues.pattern(CUES).finditer(text)
    assert [match.span() for match in cues.found(CUES, text)] == [match.span() for match in whole]


def test_a_cue_of_marks_alone_is_still_searched() -> None:
    assert [match[0] for match in cues.found(("*",), "any word")] == ["any", "word"]
    assert re.escape("c++") in cues.pattern(("c++",)).pattern
