"""Durations as text and back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.domain.duration import LONGEST, duration_in_words, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("PT23H", timedelta(hours=23)),
        ("P7D", timedelta(days=7)),
        ("P2W", timedelta(days=14)),
        ("PT0S", timedelta(0)),
        ("P1DT2H3M4.5S", timedelta(days=1, hours=2, minutes=3, seconds=4.5)),
        (" pt90m ", timedelta(minutes=90)),
    ],
)
def test_reads_durations(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize("text", ["", "P", "PT", "P1DT", "1d", "P1M", "P1Y", "-P1D", "PT-1H", "P9999W", "PT1H30", "7"])
def test_refuses_everything_else_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|ten years"):
        parse_duration(text)


@given(st.timedeltas(min_value=timedelta(0), max_value=LONGEST))
def test_what_is_written_is_read_back(length: timedelta) -> None:
    assert parse_duration(format_duration(length)) == length


def test_does_not_write_negative_durations() -> None:
    with pytest.raises(ValueError, match="negative"):
        format_duration(timedelta(seconds=-1))


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(days=1), "1 day"),
        (timedelta(days=2, hours=3, minutes=4), "2 days 3 hours"),
        (timedelta(minutes=90), "1 hour 30 minutes"),
        (timedelta(0), "no time"),
    ],
)
def test_says_durations_in_words(length: timedelta, words: str) -> None:
    assert duration_in_words(length) == words
