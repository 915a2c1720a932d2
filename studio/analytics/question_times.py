"""When: the words of a question that name a span of time, by the run's clock, in UTC.

“last week” and “last month” are those of the calendar, “the last 7 days” end now. Everything is by whole hours, as
sums are kept. Absent on purpose: time zones; a run's figures are in UTC throughout.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from studio.domain.errors import UserFixable

Span: TypeAlias = tuple[datetime | None, datetime | None]
_HOURS = {"hour": 1, "day": 24, "week": 168}
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DATE = r"(\d{4}-\d{2}-\d{2}(?:t\d{2}:\d{2}(?::\d{2})?z?)?)"
_MONTH = rf"({'|'.join(_MONTHS)}|{'|'.join(month[:3] for month in _MONTHS)})"
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?"
_IN = r"(?:in |on |over |during |for |from |of )?"


def times(rest: str, now: datetime) -> tuple[datetime | None, datetime | None, str]:
    """Since (included) and until (not included), and the words that are left.

    Raises:
        UserFixable: ASK-DATE for a day that there is not.
    """
    since = until = None
    for pattern, meaning in _SPANS:
        found = re.search(pattern, rest)
        if found:
            since, until = meaning(found, now)
            rest = _cut(rest, found)
            break
    if found := re.search(rf"\b(?:since|from|after) {_DATE}(?![\w-])", rest):
        since, rest = moment(found.group(1)), _cut(rest, found)
    if found := re.search(rf"\b(until|till|to|before) {_DATE}(?![\w-])", rest):
        until, rest = (moment if found.group(1) == "before" else _end)(found.group(2)), _cut(rest, found)
    if since is not None and until is not None and until <= since:
        raise UserFixable("ASK-DATE", "The span ends before it begins.", hint="Write days like 2026-03-14.")
    return since, until, rest


def written(since: datetime | None, until: datetime | None) -> list[str]:
    """The span in words that `times` reads as the same span; a day that ends it is included."""
    parts = [] if since is None else [f"since {_stamp(since)}"]
    if until is not None:
        is_day = until == _midnight(until)
        parts.append(f"until {until - timedelta(days=1):%Y-%m-%d}" if is_day else f"before {_stamp(until)}")
    return parts


def moment(text: str) -> datetime:
    """A day's or hour's start."""
    try:
        found = datetime.fromisoformat(text.upper())
    except ValueError:
        hint = "Write days like 2026-03-14."
        raise UserFixable("ASK-DATE", f"There is no day “{text}”.", hint=hint) from None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return _hour(found)


def _end(text: str) -> datetime:
    return moment(text) + timedelta(days=1) if len(text) == len("2026-03-14") else moment(text)


def _cut(rest: str, found: re.Match[str]) -> str:
    return f"{rest[: found.start()]} {rest[found.end() :]}"


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _midnight(at: datetime, days: int = 0) -> datetime:
    return _hour(at).replace(hour=0) - timedelta(days=days)


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%d}" if at == _midnight(at) else f"{at:%Y-%m-%dT%H:%MZ}"


def _rolling(found: re.Match[str], now: datetime) -> Span:
    count = int(found.group(1) or 1)
    if found.group(2) == "month":
        return _hour(now) - timedelta(days=30 * count), None
    return _hour(now) - timedelta(hours=count * _HOURS[found.group(2)]), None


def _calendar(found: re.Match[str], now: datetime) -> Span:
    begin, unit = _begin(found.group(2), now), found.group(2)
    if found.group(1) == "this":
        return begin, None
    return _begin(unit, begin - timedelta(days=1)), begin


def _begin(unit: str, at: datetime) -> datetime:
    today = _midnight(at)
    if unit == "week":
        return today - timedelta(days=today.weekday())
    if unit == "quarter":
        return today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
    return today.replace(day=1) if unit == "month" else today.replace(month=1, day=1)


def _month(found: re.Match[str], now: datetime) -> Span:
    month = _number(found.group(1))
    year = int(found.group(2)) if found.group(2) else now.year if month <= now.month else now.year - 1
    after = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return datetime(year, month, 1, tzinfo=UTC), after


def _day_of(day: str, month: str, year: str | None, now: datetime) -> datetime:
    number = _number(month)
    try:
        at = datetime(int(year) if year else now.year, number, int(day), tzinfo=UTC)
    except ValueError:
        hint = "Write days like 2026-03-14."
        raise UserFixable("ASK-DATE", f"There is no day “{day} {month}”.", hint=hint) from None
    return at if year or at <= now else at.replace(year=at.year - 1)


def _number(month: str) -> int:
    return next(place for place, name in enumerate(_MONTHS, 1) if name.startswith(month))


def _one_day(at: datetime) -> Span:
    return at, at + timedelta(days=1)


def _weekday(found: re.Match[str], now: datetime) -> Span:
    back = (now.weekday() - _WEEKDAYS.index(found.group(1))) % 7 or 7
    return _one_day(_midnight(now, back))


def _rolled_one(found: re.Match[str], now: datetime) -> Span:
    unit = found.group(2) or found.group(4)
    return _hour(now) - timedelta(hours=720 if unit == "month" else _HOURS[unit]), None


def _since_weekday(found: re.Match[str], now: datetime) -> Span:
    since, until = _weekday(found, now)
    return (since, None) if found.group(0).startswith("since") else (since, until)


_SPANS: tuple[tuple[str, Callable[[re.Match[str], datetime], Span]], ...] = (
    (rf"\b{_IN}(?:the )?(?:last|past|previous) (\d{{1,4}}) (hour|day|week|month)s?\b", _rolling),
    (rf"\b{_IN}the (?:last|past) ()(hour|day|week|month)\b|\bpast ()(day|week|month)\b", _rolled_one),
    (r"\bsince (last|previous|this) (week|month|quarter|year)\b", lambda f, now: (_calendar(f, now)[0], None)),
    (rf"\b{_IN}(last|previous|this) (week|month|quarter|year)\b", _calendar),
    (r"\bsince yesterday\b", lambda _, now: (_midnight(now, 1), None)),
    (r"\byesterday\b", lambda _, now: (_midnight(now, 1), _midnight(now))),
    (r"\btoday\b", lambda _, now: (_midnight(now), None)),
    (
        rf"\bbetween {_DATE} and {_DATE}(?![\w-])",
        lambda found, _: (moment(found.group(1)), _end(found.group(2))),
    ),
    (r"\b(?:on|at|for) (\d{4}-\d{2}-\d{2})(?![\w-])", lambda found, _: _one_day(moment(found.group(1)))),
    (
        rf"\bsince (?:the )?{_DAY} (?:of )?{_MONTH}\b(?: (\d{{4}}))?",
        lambda f, now: (_day_of(f.group(1), f.group(2), f.group(3), now), None),
    ),
    (
        rf"\bsince {_MONTH} {_DAY}\b(?: (\d{{4}}))?(?!\d)",
        lambda f, now: (_day_of(f.group(2), f.group(1), f.group(3), now), None),
    ),
    (
        rf"\b(?:on )?(?:the )?{_DAY} (?:of )?{_MONTH}\b(?: (\d{{4}}))?",
        lambda f, now: _one_day(_day_of(f.group(1), f.group(2), f.group(3), now)),
    ),
    (
        rf"\b(?:on )?{_MONTH} {_DAY}\b(?!\d)(?: (\d{{4}}))?",
        lambda f, now: _one_day(_day_of(f.group(2), f.group(1), f.group(3), now)),
    ),
    (rf"\bsince {_MONTH}\b(?: (\d{{4}}))?", lambda found, now: (_month(found, now)[0], None)),
    (rf"\b(?:in|during|for|of) {_MONTH}\b(?: (\d{{4}}))?", _month),
    (rf"\b(?:last|on|since) ({'|'.join(_WEEKDAYS)})\b", _since_weekday),
)
