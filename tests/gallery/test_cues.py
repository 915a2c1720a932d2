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


def test_a_quotation_stays_within_its_sentence() -> None:
    text = "We treat backs in Bristol. People book online and many do not turn up. We want fewer no-shows."
    start = text.index("book")
    assert cues.quote(text, start, start + 4) == "“People book online and many do not turn up.”"
    long = "People who live here and there and everywhere in this old town book online. Others ring."
    start = long.index("book")
    assert cues.quote(long, start, start + 4) == "“… there and everywhere in this old town book online.”"
    assert cues.quote(long, 0, 6, around=12) == "“People who live …”"
