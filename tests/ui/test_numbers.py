"""Figures read the same everywhere."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.ui import numbers
from studio.ui.numbers import MINUS, NBSP, NOTHING


def shown(text: str) -> str:
    return text.replace(NBSP, " ")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (numbers.count(12_480), "12,480"),
        (numbers.count(None), NOTHING),
        (numbers.count(float("nan")), NOTHING),
        (numbers.percent(0.026, 1), "2.6 %"),
        (numbers.percent(-0.0004), "0 %"),
        (numbers.percent(-0.12), f"{MINUS}12 %"),
        (numbers.money(18_420), "€ 18,420"),
        (numbers.money(-3.5, "USD", 2), f"{MINUS}$ 3.50"),
        (numbers.money(7, "CHF"), "CHF 7"),
        (numbers.compact(999), "999"),
        (numbers.compact(2_900), "2.9k"),
        (numbers.compact(2_000), "2k"),
        (numbers.compact(999_960), "1M"),
        (numbers.compact(128_400), "128k"),
        (numbers.compact_money(-1_500), f"{MINUS}€ 1.5k"),
        (numbers.signed(numbers.percent(0.12)), "+ 12 %"),
        (numbers.signed(numbers.percent(-0.12)), f"{MINUS} 12 %"),
        (numbers.signed(numbers.percent(0)), "0 %"),
        (numbers.signed(NOTHING), NOTHING),
        (numbers.duration(timedelta(milliseconds=41)), "41 ms"),
        (numbers.duration(timedelta(milliseconds=320)), "0.3 s"),
        (numbers.duration(timedelta(seconds=40)), "40 s"),
        (numbers.duration(timedelta(minutes=4)), "4 min"),
        (numbers.duration(timedelta(seconds=250)), "4 min 10 s"),
        (numbers.duration(timedelta(days=1, hours=21, minutes=3)), "1 d 21 h"),
        (numbers.duration(timedelta(days=1, minutes=3)), "1 d"),
        (numbers.duration(timedelta(0)), "0 ms"),
        (numbers.plural(1, "contact"), "1 contact"),
        (numbers.plural(12_480, "contact"), "12,480 contacts"),
        (numbers.plural(2, "person", "people"), "2 people"),
    ],
)  # fmt: skip
def test_written(written: str, expected: str) -> None:
    assert shown(written) == expected


@given(st.floats(-1e12, 1e12))
def test_number_and_unit_never_part_and_zero_has_no_sign(value: float) -> None:
    for written in (numbers.money(value), numbers.percent(value), numbers.compact(value), numbers.compact_money(value)):
        assert " " not in written
        assert not (written.startswith(MINUS) and not any(figure in written for figure in "123456789"))


@given(st.integers(0, 10**12))
def test_compact_stays_within_half_a_unit_of_its_last_figure(value: int) -> None:
    text = numbers.compact(value)
    scale = {"k": 1e3, "M": 1e6, "bn": 1e9}
    suffix = text.lstrip("0123456789.,")
    shown_value = float(text.removesuffix(suffix).replace(",", ""))
    size = scale.get(suffix, 1)
    last_figure = 1 if not suffix or shown_value >= 100 else 0.1
    assert abs(shown_value * size - value) <= 0.5001 * last_figure * size
