"""Facts and settings as people read and type them.

Absent on purpose: checking a setting's value, which the template does when it is filled in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import JsonValue

from studio.domain.duration import duration_in_words, parse_duration
from studio.domain.template import Fact, TemplateParameter
from studio.ui import numbers

FACT_TITLES: Mapping[str, str] = {
    "name": "Business",
    "about": "About",
    "industry": "Industry",
    "sells": "Sells",
    "audience": "Audience",
    "tone": "Tone",
    "market": "Market",
    "language": "Language",
    "currency": "Currency",
    "website": "Website",
    "channels": "Channels",
    "goal": "Goal",
    "price": "Usual price",
    "order_value": "Order value",
    "discount": "Discount",
    "brand_colour": "Brand colour",
    "sells_online": "Sells online",
    "has_cart": "Shopping cart",
    "consumable": "Bought again",
    "newsletter": "Newsletter",
    "order_history": "Past orders",
    "subscription": "Subscription",
    "local": "Local",
    "logo": "Logo",
    "colours": "Colours",
    "offers": "Products",
}
OFFERED = ("name", "goal", "website", "tone", "discount")
"""Facts that are worth adding by hand when nothing was said about them."""
_SHARES = frozenset({"discount"})
_ZERO_WIDTH = "\u200b"
_PIECE = 14
_LONG = re.compile(rf"[^\s\u00a0]{{{_PIECE + 4},}}")
_FIELD = re.compile(r"\{\{\s*(?P<name>[\w.]+)(?:\|default\([\"'](?P<instead>[^\"']*)[\"']\))?[^}]*\}\}")
_YES, _NO = frozenset({"yes", "true", "on"}), frozenset({"no", "false", "off"})
_LANGUAGES = {"en": "English", "de": "German"}


def fact_title(name: str) -> str:
    """The fact's name on screen."""
    return FACT_TITLES.get(name) or name.replace("_", " ").capitalize()


def fact_shown(name: str, value: JsonValue) -> str:
    """The fact's value in a narrow column."""
    words = fact_words(name, value)
    if name in ("website", "logo"):  # an address is written as it is
        return breakable(words.split("://")[-1].rstrip("/"))
    return breakable(capital(words))


def capital(text: str) -> str:
    """The text as a line of its own begins: with a capital letter."""
    return text[:1].upper() + text[1:]


def breakable(text: str) -> str:
    """The text with places where a long word, such as an address, may go on in the next line of a narrow column."""
    return _LONG.sub(lambda found: _ZERO_WIDTH.join(_pieces(found.group())), text)


def fact_words(name: str, value: JsonValue) -> str:
    """The fact's value on screen, and as it is typed."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name in _SHARES and isinstance(value, (int, float)):
        return f"{100 * value:g}{numbers.NBSP}%"
    if isinstance(value, (int, float)):
        return f"{value:g}"
    if name == "language":
        return _LANGUAGES.get(str(value), str(value))
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def read_fact(name: str, text: str, known: Fact | None) -> JsonValue:
    """The value that a person typed for a fact.

    Raises:
        ValueError: in words, for a figure or a yes or no that it is not.
    """
    text = text.strip()
    if name == "language":
        return next((code for code, words in _LANGUAGES.items() if words.lower() == text.lower()), text.lower())
    if known is not None and isinstance(known.value, bool):
        return _yes_or_no(text)
    if name in _SHARES or (known is not None and isinstance(known.value, (int, float))):
        return _number(text)
    if not text:
        raise ValueError("Write something, or remove the fact.")
    return text


def setting_words(parameter: TemplateParameter, value: JsonValue) -> str:
    """A setting's value on screen."""
    if parameter.type == "duration":
        return _duration_words(str(value))
    if parameter.type == "rate" and isinstance(value, (int, float)):
        return f"{100 * value:g}{numbers.NBSP}%"
    if parameter.type == "money" and isinstance(value, Mapping):
        return f"{value.get('amount')}{numbers.NBSP}{value.get('currency')}"
    if parameter.type == "choice":
        return choice_words(parameter, str(value))
    if parameter.type in ("number", "integer") and parameter.unit:
        return f"{fact_words('', value)}{numbers.NBSP}{parameter.unit}"
    return fact_words("", value)


def setting_shown(parameter: TemplateParameter, value: JsonValue) -> str:
    """A setting's value in a narrow column, with the fields of a text in words."""
    words = _FIELD.sub(_field_words, setting_words(parameter, value))
    return breakable(capital(words) if parameter.type == "choice" else words)


def choice_words(parameter: TemplateParameter, choice: str) -> str:
    """One of a setting's choices on screen."""
    return _LANGUAGES.get(choice, choice) if parameter.name == "language" else choice.replace("_", " ")


def _field_words(found: re.Match[str]) -> str:
    """A field of a text as a person reads it: “[headline, else What is new this week]”."""
    name = found["name"].split(".")[-1].replace("_", " ")
    return f"[{name}, else {found['instead']}]" if found["instead"] else f"[{name}]"


def _duration_words(text: str) -> str:
    try:
        return duration_in_words(parse_duration(text))
    except ValueError:
        return text


def _yes_or_no(text: str) -> bool:
    if text.lower() in _YES | _NO:
        return text.lower() in _YES
    raise ValueError("Write yes or no.")


def _number(text: str) -> float:
    plain = text.replace(numbers.NBSP, " ").rstrip("% ").replace(",", ".")
    try:
        number = float(plain)
    except ValueError:
        raise ValueError("Write a number, such as 10 or 10 %.") from None
    return number / 100 if text.rstrip().endswith("%") else number


def _pieces(word: str) -> list[str]:
    parts = re.findall(r".+?(?:[./_@-]+|$)", word)
    return [part[at : at + _PIECE] for part in parts for at in range(0, len(part), _PIECE)]
