"""Values of template parameters: what fits a type, and reading what a person typed.

Absent on purpose: where values come from (`customise`) and titles (the template's).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from pydantic import JsonValue

from studio.domain.duration import duration_in_words, format_duration, parse_duration
from studio.domain.errors import Problem, UserFixable
from studio.domain.spelling import nearest
from studio.domain.template import TemplateParameter

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_CURRENCY = re.compile(r"[A-Z]{3}")
_MONEY = re.compile(r"(?P<before>[A-Z]{3}|[€£$])?\s*(?P<amount>-?\d+(?:[.,]\d+)?)\s*(?P<after>[A-Z]{3}|[€£$])?")
_SIGNS = {"€": "EUR", "£": "GBP", "$": "USD"}
_LENGTH = re.compile(r"(\d+(?:[.,]\d+)?)\s*(d|day|days|tage?|h|hours?|stunden?|min|minutes?|minuten?|w|weeks?|wochen?)")
_UNITS = {"d": "days", "t": "days", "h": "hours", "s": "hours", "m": "minutes", "w": "weeks"}
_WORDS = {
    **dict.fromkeys(("true", "yes", "on", "1", "ja", "an"), True),
    **dict.fromkeys(("false", "no", "off", "0", "nein", "aus"), False),
}
_LEFT_OVER = re.compile(
    r"(?<!\{)\$?\{[a-z_]+\}(?!\})|\blorem ipsum\b|\bTODO\b|\bXXX\b|\[(?:name|company|firma|your [a-z ]+)\]",
    re.IGNORECASE,
)


def problems_of(parameter: TemplateParameter, value: JsonValue) -> list[Problem]:
    """What is wrong with a value for this parameter: its form, its range, or a placeholder left in it."""
    wrong = _CHECKS[parameter.type](parameter, value)
    if wrong:
        return [Problem("PARAMETER-VALUE", wrong[0], wrong[1], field=parameter.name)]
    return []


def parse_value(parameter: TemplateParameter, text: str) -> JsonValue:
    """The value that a person typed, e.g. `15 %`, `2 days`, `0.01 EUR`, `yes`.

    Raises UserFixable (`PARAMETER-VALUE`) in words, for text that does not fit the type or the range.
    """
    value = _PARSERS.get(parameter.type, _plain)(text.strip())
    problems = problems_of(parameter, value)
    if problems:
        raise UserFixable(
            "PARAMETER-VALUE",
            problems[0].message,
            where=parameter.name,
            hint=problems[0].hint,
            problems=problems,
        )
    return value


def in_words(parameter: TemplateParameter, value: JsonValue, language: str = "en") -> str:
    """The value as people read it: `10%`, `7 days`, `€0.01`, in a language's way of writing."""
    if parameter.type == "rate" and isinstance(value, (int, float)):
        gap = "\N{NO-BREAK SPACE}" if language == "de" else ""
        return f"{100 * value:g}{gap}%"
    if parameter.type == "duration":
        return duration_in_words(parse_duration(str(value)))
    if parameter.type == "money" and isinstance(value, Mapping):
        return f"{value['amount']} {value['currency']}"
    if parameter.type == "boolean":
        return "yes" if value else "no"
    return str(value)


def words_for_people(
    parameters: Sequence[TemplateParameter], values: Mapping[str, JsonValue], language: str
) -> dict[str, str]:
    """Every value as it stands in a message, and for a colour `<name>_text`: the label colour readable on it."""
    words = {parameter.name: in_words(parameter, values[parameter.name], language) for parameter in parameters}
    return {
        **words,
        **{derived_names((p,))[0]: _ink(str(values[p.name])) for p in parameters if p.type == "colour"},
    }


def derived_names(parameters: Sequence[TemplateParameter]) -> tuple[str, ...]:
    """The names that messages may use beside the parameters' own."""
    return tuple(f"{parameter.name}_text" for parameter in parameters if parameter.type == "colour")


def _ink(colour: str) -> str:
    """White or near-black, whichever has the higher contrast on the colour (WCAG 2.2, relative luminance)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#ffffff" if 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.06 else "#16181d"


def _check_text(parameter: TemplateParameter, value: JsonValue) -> tuple[str, str] | None:
    if not isinstance(value, str):
        return "This has to be a text.", ""
    if not value.strip() and parameter.default != "":
        return "This must not be empty.", "Write a text."
    if parameter.maximum is not None and len(value) > parameter.maximum:
        return f"{len(value)} characters; at most {parameter.maximum:g}.", "Shorten it."
    left = _LEFT_OVER.search(value)
    return (f"“{left.group()}” is a placeholder.", "Write what shall stand there.") if left else None


def _check_number(parameter: TemplateParameter, value: JsonValue) -> tuple[str, str] | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return "This has to be a number.", ""
    if parameter.type == "integer" and not float(value).is_integer():
        return "This has to be a whole number.", ""
    return _range(parameter, float(value), str)


def _check_rate(parameter: TemplateParameter, value: JsonValue) -> tuple[str, str] | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        return "This has to be a share between 0 and 1.", "Write 0.1 or 10 %."
    return _range(parameter, float(value), lambda share: f"{100 * float(share):g} %")


def _check_duration(parameter: TemplateParameter, value: JsonValue) -> tuple[str, str] | None:
    try:
        length = parse_duration(value) if isinstance(value, str) else None
    except ValueError as error:
        return f"{error}.", ""
    if length is None:
        return "This has to be a length of time.", "Write it like PT23H, P7D or 2 days."
    hours = length.total_seconds() / 3_600
    return _range(parameter, hours, lambda limit: duration_in_words(timedelta(hours=float(limit))))


def _check_money(parameter: TemplateParameter, value: JsonValue) -> tuple[str, str] | None:
    if not isinstance(value, Mapping) or set(value) != {"amount", "currency"}:
        return "This has to be an amount with a currency.", "Write it like 0.01 EUR."
    amount, currency = value["amount"], value["currency"]
    if isinstance(amount, bool) or not isinstance(amount, (int, float)) or not math.isfinite(amount):
        return "The amount has to be a number.", "Write it like 0.01 EUR."
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        return f"“{currency}” is not a currency.", "Write its three letters, such as EUR."
    return _range(parameter, float(amount), str)


def _check_boolean(_: TemplateParameter, value: JsonValue) -> tuple[str, str] | None:
    return None if isinstance(value, bool) else ("This has to be yes or no.", "")


def _check_choice(parameter: TemplateParameter, value: JsonValue) -> tuple[str, str] | None:
    if value in parameter.choices:
        return None
    hint = nearest(str(value), parameter.choices) or f"Choose one of: {', '.join(parameter.choices)}."
    return f"“{value}” is not among the choices.", hint


def _check_colour(_: TemplateParameter, value: JsonValue) -> tuple[str, str] | None:
    is_fine = isinstance(value, str) and _COLOUR.fullmatch(value)
    return None if is_fine else (f"“{value}” is not a colour.", "Write it like #4f46e5.")


def _check_time(_: TemplateParameter, value: JsonValue) -> tuple[str, str] | None:
    is_fine = isinstance(value, str) and _TIME.fullmatch(value)
    return None if is_fine else (f"“{value}” is not a time of day.", "Write it like 09:00.")


def _range(parameter: TemplateParameter, value: float, say: Callable[[float], str]) -> tuple[str, str] | None:
    low, high = parameter.minimum, parameter.maximum
    if low is not None and value < low:
        return f"This is below the least, {say(low)}.", ""
    if high is not None and value > high:
        return f"This is above the most, {say(high)}.", ""
    return None


_CHECKS: Mapping[str, Callable[[TemplateParameter, JsonValue], tuple[str, str] | None]] = {
    "text": _check_text,
    "duration": _check_duration,
    "number": _check_number,
    "integer": _check_number,
    "rate": _check_rate,
    "money": _check_money,
    "boolean": _check_boolean,
    "choice": _check_choice,
    "colour": _check_colour,
    "time": _check_time,
}


def _plain(text: str) -> JsonValue:
    return text


def _number(text: str) -> JsonValue:
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return text
    if not math.isfinite(number):
        return text
    return int(number) if number.is_integer() else number


def _rate(text: str) -> JsonValue:
    number = _number(text.rstrip("% ").strip())
    return number / 100 if text.endswith("%") and isinstance(number, (int, float)) else number


def _duration(text: str) -> JsonValue:
    match = _LENGTH.fullmatch(text.lower())
    if match is None:
        return text.upper()
    try:
        return format_duration(timedelta(**{_UNITS[match[2][0]]: float(match[1].replace(",", "."))}))
    except OverflowError:
        return text


def _money(text: str) -> JsonValue:
    match = _MONEY.fullmatch(text)
    sign = (match["before"] or match["after"] or "") if match else ""
    if match is None or not sign:
        return text
    return {"amount": float(match["amount"].replace(",", ".")), "currency": _SIGNS.get(sign, sign)}


def _boolean(text: str) -> JsonValue:
    return _WORDS.get(text.lower(), text)


_PARSERS: Mapping[str, Callable[[str], JsonValue]] = {
    "duration": _duration,
    "number": _number,
    "integer": _number,
    "rate": _rate,
    "money": _money,
    "boolean": _boolean,
}
