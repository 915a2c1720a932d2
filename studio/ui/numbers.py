"""How numbers are written for people: money, shares, changes, durations; number and unit never part at a line end.

Absent on purpose: locales; the program speaks one English, and a figure must read the same on every computer of a team.
"""

from __future__ import annotations

import math
import re
from datetime import timedelta

NBSP = "\u00a0"
MINUS = "\u2212"
NOTHING = "\u2014"
_SIGNED = re.compile(r"(?<![\w–-])([+-])(?=\d)")

_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}
_STEPS = ((1e9, "bn"), (1e6, "M"), (1e3, "k"))


def _digits(value: float, decimals: int) -> str:
    text = f"{abs(value):,.{decimals}f}"
    # “−0.0” is never meant: a value that rounds to nothing has no sign.
    negative = value < 0 and any(digit in "123456789" for digit in text)
    return f"{MINUS}{text}" if negative else text


def count(value: float | None) -> str:
    """`12480` → `12,480`; None → a dash."""
    return NOTHING if value is None or math.isnan(value) else _digits(value, 0)


def decimal(value: float | None, decimals: int = 1) -> str:
    return NOTHING if value is None or math.isnan(value) else _digits(value, decimals)


def percent(fraction: float | None, decimals: int = 0) -> str:
    """`0.026` → `2.6 %` with one decimal."""
    return NOTHING if fraction is None or math.isnan(fraction) else f"{_digits(fraction * 100, decimals)}{NBSP}%"


def money(amount: float | None, currency: str = "EUR", decimals: int = 0) -> str:
    """`18420` → `€ 18,420`."""
    if amount is None or math.isnan(amount):
        return NOTHING
    text = _digits(amount, decimals)
    sign, text = (MINUS, text[1:]) if text.startswith(MINUS) else ("", text)
    return f"{sign}{_SYMBOLS.get(currency, currency)}{NBSP}{text}"


def compact(value: float | None) -> str:
    """`2900` → `2.9k`; below 1,000 as a whole number."""
    if value is None or math.isnan(value):
        return NOTHING
    for size, suffix in _STEPS:
        if abs(value) >= size * 0.9995:
            scaled = value / size
            return f"{_digits(scaled, 1 if abs(scaled) < 99.95 else 0).removesuffix('.0')}{suffix}"
    return _digits(value, 0)


def compact_money(amount: float | None, currency: str = "EUR") -> str:
    """`2900` → `€ 2.9k`."""
    if amount is None or math.isnan(amount):
        return NOTHING
    text = compact(amount)
    sign, text = (MINUS, text[1:]) if text.startswith(MINUS) else ("", text)
    return f"{sign}{_SYMBOLS.get(currency, currency)}{NBSP}{text}"


def signed(text: str) -> str:
    """Puts the sign of a change before an already written figure: `12 %` → `+ 12 %`, `−3` → `− 3`."""
    if text == NOTHING or not any(digit in text for digit in "123456789"):
        return text
    return f"{MINUS}{NBSP}{text[1:]}" if text.startswith(MINUS) else f"+{NBSP}{text}"


def interval(low: str, high: str) -> str:
    """`1.7`, `4.4k` → `1.7 to 4.4k`."""
    return f"{low}{NBSP}to{NBSP}{high}"


def duration(span: timedelta) -> str:
    """The two largest units that matter: `1 d 21 h`, `4 min`, `0.3 s`, `41 ms`."""
    seconds = span.total_seconds()
    if seconds < 0:
        return f"{MINUS}{duration(-span)}"
    if seconds < 60:
        return _below_a_minute(seconds)
    rest = round(seconds)
    parts: list[str] = []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        amount, rest = divmod(rest, size)
        if amount or parts:
            parts.append(f"{amount}{NBSP}{unit}" if amount else "")
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if part)


def _below_a_minute(seconds: float) -> str:
    if seconds < 0.1:
        return f"{round(seconds * 1000)}{NBSP}ms"
    return f"{seconds:.1f}{NBSP}s" if seconds < 9.95 else f"{round(seconds)}{NBSP}s"


def plural(number: int, one: str, many: str = "") -> str:
    """`1 contact`, `12,480 contacts`; `many` when it is not `one` + s."""
    return f"{count(number)}{NBSP}{one if number == 1 else many or one + 's'}"


def as_written_here(sentence: str) -> str:
    """A sentence of the statistics with its signed figures as screens write them: `+ 24.8 %`, `− 3.1 %`."""
    return _SIGNED.sub(lambda found: f"{'+' if found[1] == '+' else MINUS}{NBSP}", sentence)
