"""The filters that messages have beyond MiniJinja's own: times, money, date, fill.

Whatever is wrong with a value comes out as a TemplateError, which costs one message and not the batch.
Absent on purpose: anything that can make a large text out of a small one.
"""

from __future__ import annotations

import re
from datetime import datetime

import minijinja
from minijinja import TemplateError

from studio.domain.errors import UserFixable
from studio.nodes.message_layout import printing
from studio.nodes.template_guard import guard_template

MAX_FILLED = 2_000

_PATTERN = re.compile(r"(?:%[dmyYBbAaHM]|[^%])*")
_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£"}


def add_filters(environment: minijinja.Environment) -> None:
    """Makes the filters known to an environment."""

    @minijinja.pass_state
    def fill(state: object, text: object) -> str:
        return _filled(environment, state, text)

    for name, function in (("times", times), ("money", money), ("date", date), ("fill", fill)):
        environment.add_filter(name, function)


def times(value: object, factor: object) -> float:
    """A product; `*` would also repeat texts."""
    return _number(value, "times") * _number(factor, "times")


def money(value: object, currency: object = "") -> str:
    """Two decimals and the currency: €1,234.50 or 1,234.50 CHF."""
    amount = f"{_number(value, 'money'):,.2f}"
    symbol = _SYMBOLS.get(str(currency))
    return f"{symbol}{amount}" if symbol else f"{amount} {str(currency)[:3]}".strip()


def date(value: object, pattern: object = "%Y-%m-%d") -> str:
    """A date or moment in ISO 8601, written by a pattern."""
    if not isinstance(pattern, str) or len(pattern) > 50 or not _PATTERN.fullmatch(pattern):
        raise TemplateError("a date is written with %d %m %Y %y %B %b %A %a %H %M")
    try:
        return datetime.fromisoformat(str(value)).strftime(pattern)
    except ValueError:
        raise TemplateError("date needs a date such as 2026-03-10") from None


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TemplateError(f"{name} needs a number")
    return float(value)


def _filled(environment: minijinja.Environment, state: object, text: object) -> str:
    """Fills in the fields that a text itself names, such as the subject of a variant; one level only."""
    if not isinstance(text, str) or len(text) > MAX_FILLED or "fill" in text:
        raise TemplateError(f"fill needs a text of at most {MAX_FILLED:,} characters without a “fill” of its own")
    try:
        guard_template(text)
    except UserFixable as error:
        raise TemplateError(error.message) from None
    known = {name: state.lookup(name) for name in ("contact", "var", "key", "event")}  # pyright: ignore[reportAttributeAccessIssue] - State
    with printing(None):
        return environment.render_str(text, **{name: value for name, value in known.items() if value is not None})
