"""Settings a node type would accept: what a new node starts with, and what stands in for settings that are wrong.

Absent on purpose: guesses about meaning. A text that only the person can know stays out of a new node.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from pydantic import BaseModel, JsonValue, ValidationError

from studio.ui.canvas.form_schema import FieldSpec, fields_of, new_entry

_TEXTS = ("x", "true", "order", "step", "https://example.com/x", "team@example.com", "1", "x STOP")
_PLAIN: Mapping[str, JsonValue] = {"duration": "P1D", "time": "09:00", "boolean": False, "rate": 0.5}
_ROUNDS = 2 * len(_TEXTS)


def starting_parameters(model: type[BaseModel]) -> dict[str, JsonValue]:
    """What a new node begins with: as many entries as a list needs, and a day for a length of time that must be given.

    Texts that only the person can know stay out; the form then says that they are needed.
    """
    found: dict[str, JsonValue] = {}
    fields = fields_of(model)
    if not any(field.required for field in fields):
        return dict(specimen(model))
    for field in fields:
        if field.required and field.kind == "list":
            found[field.name] = _first_entries(field)
        elif field.required and field.kind == "duration":
            found[field.name] = "P1D"
    return found


def _first_entries(field: FieldSpec) -> list[JsonValue]:
    entries: list[JsonValue] = []
    for _ in range(field.items_min):
        entries.append(new_entry(field, entries))
    return entries


def fitting_parameters(
    model: type[BaseModel], wanted: Mapping[str, JsonValue], spare: Mapping[str, JsonValue]
) -> dict[str, JsonValue]:
    """The wanted settings without those the model refuses; for these the spare ones, where there are any.

    A value bound to a template's parameter is kept: what it stands for is not known here.
    """
    plain = {name: value for name, value in wanted.items() if not isinstance(value, dict) or "$param" not in value}
    try:
        model.model_validate(plain)
    except ValidationError as error:
        wrong = {str(item["loc"][0]) for item in error.errors() if item["loc"] and item["type"] != "missing"}
        return {n: spare.get(n) if n in wrong else v for n, v in wanted.items() if n not in wrong or n in spare}
    return dict(wanted)


@lru_cache(maxsize=256)
def specimen(model: type[BaseModel]) -> Mapping[str, JsonValue]:
    """Some settings that the model accepts, as few as possible; empty when none were found."""
    fields = {field.name: field for field in fields_of(model)}
    turns = {name: 0 for name, field in fields.items() if field.required}
    optional = [name for name in fields if name not in turns]
    for number in range(_ROUNDS):
        values = {name: _example(fields[name], turn) for name, turn in turns.items()}
        try:
            model.model_validate(values)
        except ValidationError as error:
            wrong = {str(item["loc"][0]) for item in error.errors() if item["loc"]}
            if not wrong and number < len(_TEXTS):
                # Nothing is wrong by itself: the settings together are, or hold texts that do not fit each other.
                wrong = set(turns)
            elif not wrong and optional:
                turns[optional.pop(0)] = 0
            turns = {name: turn + (name in wrong) for name, turn in turns.items()}
        else:
            return values
    return {}


def _example(field: FieldSpec, turn: int) -> JsonValue:
    if field.kind == "list":
        entries: list[JsonValue] = []
        for _ in range(field.items_min):
            needed = {item.name: _example(item, turn) for item in field.items if item.required}
            blank = new_entry(field, entries)
            assert isinstance(blank, dict)
            entries.append(needed | {key: value for key, value in blank.items() if key == "id"})
        return entries
    if field.kind == "choice":
        return field.choices[0]
    if field.kind == "choices":
        return list(field.choices[: max(1, field.items_min)])
    if field.kind == "texts":
        return [_TEXTS[turn % len(_TEXTS)]] * max(1, field.items_min)
    if field.kind in ("integer", "number"):
        return (field.low or 0) + 1
    return _PLAIN.get(field.kind, _TEXTS[turn % len(_TEXTS)])
