"""What a node's model says about wrong settings, in words for the person who fills in the form.

Absent on purpose: showing them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import ErrorDetails

from studio.domain.spelling import nearest

Path: TypeAlias = tuple[str | int, ...]

_WORDS: Mapping[str, str] = {
    "missing": "This is needed.",
    "string_type": "This has to be text.",
    "int_type": "This has to be a whole number.",
    "int_parsing": "This has to be a whole number.",
    "int_from_float": "This has to be a whole number.",
    "float_type": "This has to be a number.",
    "float_parsing": "This has to be a number.",
    "bool_type": "This has to be yes or no.",
    "bool_parsing": "This has to be yes or no.",
    "string_pattern_mismatch": "Begin with a letter; then letters, digits, - and _ without spaces.",
    "extra_forbidden": "This step has no such setting.",
}
_LIMITS: Mapping[str, tuple[str, str]] = {
    "greater_than": ("gt", "This has to be more than {}."),
    "greater_than_equal": ("ge", "This has to be at least {}."),
    "less_than": ("lt", "This has to be less than {}."),
    "less_than_equal": ("le", "This has to be at most {}."),
    "string_too_long": ("max_length", "This may have at most {} characters."),
    "too_short": ("min_length", "There have to be at least {}."),
    "too_long": ("max_length", "There may be at most {}."),
}


def errors_of(model: type[BaseModel], values: Mapping[str, JsonValue]) -> dict[Path, str]:
    """Path of each wrong setting → what is wrong with it; the empty path stands for all of them together."""
    try:
        model.model_validate(values)
    except ValidationError as error:
        found: dict[Path, str] = {}
        for item in error.errors():
            found.setdefault(_place(item["loc"]), _words(item, model))
        return found
    return {}


def _place(loc: tuple[int | str, ...]) -> Path:
    # Unions add the tried type to the path (`limit`, `int`); a setting's own path ends where its model's fields do.
    kept: list[int | str] = []
    for part in loc:
        if isinstance(part, str) and kept and (len(kept) != 2 or not isinstance(kept[-1], int)):
            break
        kept.append(part)
    return tuple(kept)


def _words(item: ErrorDetails, model: type[BaseModel]) -> str:
    kind, context = item["type"], item.get("ctx") or {}
    if kind == "parameter":
        message = str(context.get("message") or "")
        if str(context.get("code") or "").startswith("EXPRESSION-"):
            # The field itself underlines the place; the excerpt with a caret is for a terminal.
            message = message.split("\n", 1)[0]
        return " ".join(_sentence(part) for part in (message, str(context.get("hint") or ""))).strip()
    if kind == "string_too_short":
        return "This is needed."
    if kind in _LIMITS:
        key, text = _LIMITS[kind]
        limit = context.get(key)
        rate = isinstance(limit, float) and "rate" in str(_field_widget(item, model))
        return text.format(f"{limit * 100:g} %" if rate and isinstance(limit, float) else limit)
    if kind == "literal_error":
        return f"This has to be one of {context.get('expected')}."
    if kind == "extra_forbidden":
        return f"{_WORDS[kind]} {nearest(str(item['loc'][-1]), model.model_fields)}".strip()
    return _WORDS.get(kind) or _sentence(item["msg"])


def _field_widget(item: ErrorDetails, model: type[BaseModel]) -> str:
    info = model.model_fields.get(str(item["loc"][0])) if item["loc"] else None
    extra = info.json_schema_extra if info is not None else None
    return str(extra.get("widget", "")) if isinstance(extra, dict) else ""


def _sentence(text: str) -> str:
    return text if not text or text[-1] in ".!?…" else f"{text}."
