"""Lengths of time as text: ISO 8601 durations such as `PT23H` or `P14D`.

Absent on purpose: months and years, whose length depends on where one starts. A day is 24 hours, a week seven days.
"""

from __future__ import annotations

import re
from datetime import timedelta

LONGEST = timedelta(days=3_660)
"""About ten years: no wait or window is longer."""

_PATTERN = re.compile(
    r"P(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,7})M)?(?:(?P<seconds>\d{1,9}(?:\.\d{1,6})?)S)?)?"
)
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def parse_duration(text: str) -> timedelta:
    """The length that an ISO 8601 duration names, exact to the microsecond.

    Raises ValueError, with a message for people, on anything else, on months and years, and above ten years.

    >>> parse_duration("P1DT2H")
    datetime.timedelta(days=1, seconds=7200)
    """
    found = _PATTERN.fullmatch(text.strip().upper())
    parts = {name: float(value) for name, value in found.groupdict().items() if value} if found else {}
    if not parts or text.strip().upper().endswith("T"):
        raise ValueError(f"“{text}” is not a duration. Write it like PT30M, PT23H, P7D or P2W")
    length = timedelta(**parts)
    if length > LONGEST:
        raise ValueError(f"“{text}” is longer than ten years")
    return length


def format_duration(length: timedelta) -> str:
    """The ISO 8601 text that `parse_duration` reads back as the same length. Raises ValueError below zero.

    >>> format_duration(timedelta(hours=36))
    'P1DT12H'
    """
    if length < timedelta(0):
        raise ValueError(f"a duration is not negative: {length}")
    hours, rest = divmod(length.seconds, 3_600)
    minutes, seconds = divmod(rest, 60)
    fraction = f".{length.microseconds:06d}".rstrip("0") if length.microseconds else ""
    days = f"{length.days}D" if length.days else ""
    time = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    time += f"{seconds}{fraction}S" if seconds or fraction else ""
    return f"P{days}{'T' + time if time else ''}" if days or time else "PT0S"


def duration_in_words(length: timedelta) -> str:
    """How a person says it, with the two largest units that are not zero.

    >>> duration_in_words(timedelta(hours=36)), duration_in_words(timedelta(0))
    ('1 day 12 hours', 'no time')
    """
    left = int(length.total_seconds())
    words: list[str] = []
    for unit, seconds in _UNITS:
        count, left = divmod(left, seconds)
        if count:
            words.append(f"{count:,} {unit}{'' if count == 1 else 's'}")
    return " ".join(words[:2]) or "no time"
