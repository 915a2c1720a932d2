"""One line that tells what a node is set to, made from its parameters as they are declared. Knows no node type.

Absent on purpose: the settings left as they are, unless there is nothing else to say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import BaseModel, JsonValue

from studio.domain.duration import duration_in_words, parse_duration
from studio.ui.canvas.form_schema import FieldSpec, fields_of
from studio.ui.numbers import NBSP, percent

_PARTS_MAX = 2
_ENTRIES_NAMED = 3
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")
"""A name as programs write it."""
_FIELD = re.compile(r"\{\{\s*([\w.]+)[^}]*\}\}")


def summary(model: type[BaseModel], values: Mapping[str, JsonValue]) -> str:
    """What must be given first, then what differs from the default; at most two settings."""
    fields = fields_of(model)
    told = [field for field in fields if field.required and _has_words(field, values)]
    told += [f for f in fields if not f.required and values.get(f.name, f.default) != f.default and f.name in values]
    if not told:
        told = [field for field in fields[:1] if field.default not in ("", None)]
    parts = [_said(field, values.get(field.name, field.default)) for field in told]
    return " · ".join([part for part in parts if part][:_PARTS_MAX])


def _has_words(field: FieldSpec, values: Mapping[str, JsonValue]) -> bool:
    return bool(values.get(field.name)) and not field.long


def _said(field: FieldSpec, value: JsonValue) -> str:
    words = value_in_words(field, value)
    if not words:
        return ""
    if field.kind == "duration":
        return f"{field.title.lower()} {words}"
    if field.kind in ("rate", "integer", "number"):
        return f"{field.title.lower()} {words}"
    if field.kind == "boolean":
        return field.title.lower() if value else f"no {field.title.lower()}"
    return words


def value_in_words(field: FieldSpec, value: JsonValue) -> str:  # noqa: PLR0911 - one answer per kind of field
    """How a person would say a setting's value; empty for what says nothing."""
    if value is None or value == "":
        return ""
    match field.kind:
        case "duration":
            return _length(value)
        case "rate":
            return percent(value, 0 if round(value * 100, 6) % 1 == 0 else 1) if _is_number(value) else str(value)
        case "boolean":
            return "yes" if value else "no"
        case "choice":
            return str(value).replace("_", " ")
        case "list":
            return _entries(value)
        case "choices" | "texts":
            return ", ".join(_named(str(entry)) for entry in value) if isinstance(value, list) else _named(str(value))
        case "template":
            return f"“{plain(str(value))}”" if not field.long else plain(str(value))
        case "integer" | "number" if _is_number(value):
            return f"{value:,g}{NBSP}{field.unit}".strip(NBSP)
        case _:
            return _named(" ".join(str(value).split()))


def plain(text: str) -> str:
    """A message text with its fields shortened to their names: `Hi {{ contact.first_name }}` → `Hi ‹first name›`."""
    return _FIELD.sub(lambda found: f"‹{found[1].rsplit('.', 1)[-1].replace('_', ' ')}›", " ".join(text.split()))


def _named(text: str) -> str:
    """`cart_updated` as people say it, “Cart updated”; other words as they are."""
    return text.replace("_", " ").capitalize() if _NAME.fullmatch(text) else text


def _is_number(value: JsonValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _length(value: JsonValue) -> str:
    try:
        return duration_in_words(parse_duration(str(value)))
    except ValueError:
        return str(value)


def _entries(value: JsonValue) -> str:
    entries = [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
    weights = [entry.get("weight", 1) for entry in entries]
    if entries and any("weight" in entry or "value" in entry for entry in entries) and all(map(_is_number, weights)):
        total = sum(weights) or 1
        return " / ".join(f"{weight / total * 100:.0f}" for weight in weights)
    names = [str(entry.get("label") or entry.get("id") or "") for entry in entries]
    more = f" +{len(names) - _ENTRIES_NAMED}" if len(names) > _ENTRIES_NAMED else ""
    return ", ".join(name for name in names[:_ENTRIES_NAMED] if name) + more
