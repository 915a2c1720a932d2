"""Reads a node type's typed parameters into descriptions of form fields. Knows no widget and no node type.

Absent on purpose: validation; the model itself checks what was entered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, TypeAlias

from pydantic import BaseModel, JsonValue

FieldKind: TypeAlias = Literal[
    "text",
    "template",
    "rule",
    "integer",
    "number",
    "rate",
    "duration",
    "time",
    "boolean",
    "choice",
    "choices",
    "texts",
    "list",
    "any",
]
Schema: TypeAlias = Mapping[str, JsonValue]

_TEMPLATE_WIDGETS = frozenset({"template", "mjml", "markdown", "text_long"})
_RULE_WIDGETS = frozenset({"rule", "event_rule"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpec:
    """One setting. `nullable`: it may be left empty. Limits are in the field's own unit (rates in [0, 1]).

    `words`: choice → what a person calls it. `items` describes the settings of one entry of a list; `widget` is the
    declared wish for a special editor.
    """

    name: str
    title: str
    help: str = ""
    kind: FieldKind = "text"
    unit: str = ""
    widget: str = ""
    default: JsonValue = None
    required: bool = False
    nullable: bool = False
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict, hash=False)
    items: tuple[FieldSpec, ...] = ()
    items_min: int = 0
    items_max: int = 100
    long: bool = False


@lru_cache(maxsize=256)
def fields_of(model: type[BaseModel]) -> tuple[FieldSpec, ...]:
    """The model's fields in the order they are declared."""
    schema = model.model_json_schema()
    return _fields(schema, schema)


def new_entry(field: FieldSpec, entries: list[JsonValue]) -> JsonValue:
    """A further entry for a list of settings, with an id that none of the others has (A, B, C …)."""
    entry: dict[str, JsonValue] = {}
    taken = {str(other.get("id")) for other in entries if isinstance(other, dict)}
    for item in field.items:
        if item.name == "id":
            entry["id"] = _free_letter(taken)
        elif item.required:
            entry[item.name] = "P1D" if item.kind == "duration" else ""
    return entry


def _free_letter(taken: set[str]) -> str:
    number = 0
    while True:
        word = chr(ord("A") + number % 26) + (str(number // 26) if number >= 26 else "")
        if word not in taken:
            return word
        number += 1


def _fields(part: Schema, root: Schema) -> tuple[FieldSpec, ...]:
    properties, required = part.get("properties", {}), part.get("required", [])
    assert isinstance(properties, dict)
    assert isinstance(required, list)
    return tuple(
        _field(name, field, root, required=name in required)
        for name, field in properties.items()
        if isinstance(field, dict)
    )


def _field(name: str, given: Schema, root: Schema, *, required: bool) -> FieldSpec:
    variants = [option for option in _options(given) if option.get("type") != "null"]
    nullable = len(variants) < len(_options(given))
    inner = variants[0] if len(variants) == 1 else given
    inner = _resolved(inner, root)
    widget = str(given.get("widget") or inner.get("widget") or "")
    unit = str(given.get("unit") or inner.get("unit") or "")
    items = inner.get("items")
    entry = _resolved(items, root) if isinstance(items, dict) else {}
    low, high = _limits(inner)
    kind: FieldKind = "any" if len(variants) > 1 else _kind(inner, entry, widget, unit)
    return FieldSpec(
        name=name,
        title=str(given.get("title") or inner.get("title") or name.replace("_", " ").capitalize()),
        help=str(given.get("description") or ""),
        kind=kind,
        unit="" if unit == "share" else unit,
        widget=widget,
        default=given.get("default"),
        required=required,
        nullable=nullable,
        low=low,
        high=high,
        choices=_choices(entry) if kind == "choices" else _choices(inner),
        words=_words(given),
        items=_fields(entry, root) if kind == "list" else (),
        items_min=_whole(inner.get("minItems"), 0),
        items_max=_whole(inner.get("maxItems"), 100),
        long=_whole(inner.get("maxLength"), 0) > 10_000 or widget == "mjml",
    )


def _options(given: Schema) -> list[Schema]:
    options = given.get("anyOf")
    return [option for option in options if isinstance(option, dict)] if isinstance(options, list) else [given]


def _resolved(part: Schema, root: Schema) -> Schema:
    reference = part.get("$ref")
    if not isinstance(reference, str):
        return part
    definitions = root.get("$defs")
    assert isinstance(definitions, dict)
    found = definitions[reference.rsplit("/", 1)[-1]]
    assert isinstance(found, dict)
    return found


def _kind(inner: Schema, entry: Schema, widget: str, unit: str) -> FieldKind:  # noqa: C901, PLR0911 - one table of cases
    if _choices(inner):
        return "choice"
    if widget == "rate" or (unit == "share" and inner.get("type") == "number"):
        return "rate"
    if widget in _TEMPLATE_WIDGETS:
        return "template"
    if widget in _RULE_WIDGETS:
        return "rule"
    if inner.get("format") in ("duration", "time-of-day"):
        return "duration" if inner["format"] == "duration" else "time"
    match inner.get("type"):
        case "boolean":
            return "boolean"
        case "integer":
            return "integer"
        case "number":
            return "number"
        case "array" if entry.get("type") == "object":
            return "list"
        case "array":
            return "choices" if _choices(entry) else "texts"
        case "string":
            return "text"
        case _:
            return "any"


def _choices(inner: Schema) -> tuple[str, ...]:
    options = inner.get("enum")
    if isinstance(options, list):
        return tuple(str(option) for option in options)
    return (str(inner["const"]),) if "const" in inner else ()


def _limits(inner: Schema) -> tuple[float | None, float | None]:
    low = inner.get("minimum", inner.get("exclusiveMinimum"))
    high = inner.get("maximum", inner.get("exclusiveMaximum"))
    return (
        float(low) if isinstance(low, int | float) else None,
        float(high) if isinstance(high, int | float) else None,
    )


def _words(given: Schema) -> Mapping[str, str]:
    words = given.get("words")
    return {key: str(text) for key, text in words.items()} if isinstance(words, dict) else {}


def _whole(value: JsonValue, default: int) -> int:
    return value if isinstance(value, int) else default
