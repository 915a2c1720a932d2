"""The node reference, `docs/nodes.md`, written out of the declarations: what a form shows and what it means.

Absent on purpose: any sentence about a single node; those stand in its declaration.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, TypeAlias

from studio.domain.node import NodeType
from studio.nodes.discovery import catalogue
from studio.nodes.template_guard import FILTERS

Schema: TypeAlias = Mapping[str, Any]
"""A piece of JSON schema."""

_HEAD = """# Nodes

What each node of a workflow does and what it can be told. Written by `studio.nodes.reference` out of the nodes' own
declarations; a test keeps it up to date.

Common to all nodes: an output `error` takes people the node could not handle, when its policy is to route them.
Whether somebody may start again is said by the trigger (`re_entry`); where it says nothing, `settings.re_entry` of the
workflow holds, and where that says nothing either, the trigger's default below. A goal without an `event` of its own
watches for `settings.goal`.
Durations are ISO 8601: `PT90M`, `PT23H`, `P7D`, `P2W`; a day is 24 hours. Rules are explained [below](#rules).
"""

_RULES = """## Rules

A rule answers yes or no about a contact: `country == "DE" and days_since("order") >= 120`.

| write | for |
|---|---|
| `country`, `contact.country`, `contact["first name"]` | a field of the contact |
| `var.subject` | what was set on the way, such as the value of a test's variant |
| `key` | the key it is about: the cart, the order |
| `12.5`, `"text"`, `true`, `false`, `null` | values |
| `==` `!=` `<` `<=` `>` `>=` | comparing; texts compare with texts, numbers with numbers |
| `country in ("DE", "AT")`, `not in` | one of several |
| `phone is missing`, `is not missing` | no value, or an empty text |
| `and` `or` `not` `( )` | joining |
| `+` `-` `*` `/` | reckoning |
| `count("order", days=90)` | how many events in the last 90 days (without `days`: ever); 0 if none |
| `sum("order")` | the sum of their values; 0 if none; `days` as above |
| `has("order")` | whether there is one; `days` as above |
| `days_since("order")` | days from the date (UTC) of the last one to today's; missing if there is none |
| `lower(name)`, `length(name)` | a text in small letters; how many characters it has |
| `upper(country)`, `trim(name)` | a text in capitals; without spaces around it |
| `contains(email, "@example.com")` | whether a text is in another |
| `starts_with(name, "A")`, `ends_with(email, ".org")` | whether it begins, or ends, another |
| `join(" ", first_name, last_name)` | texts one after the other with something between; missing ones are left out |
| `if(age >= 18, "adult", "minor")` | one of two values; the second when it cannot be told; missing without a second |
| `default(nickname, first_name, "friend")` | the first value that is not missing |
| `round(score)`, `round(score / 3, 1)` | rounded, at half away from zero; to so many digits (0 to 6) |
| `min(10, score)`, `max(score, 0)`, `abs(balance)` | the smallest, the largest of what there is; without a minus sign |
| `days_to(trial_ends)` | days from today (UTC) to a date such as 2026-03-31; below 0 when it is past |

In a rule about an **event** (`trigger.event`, `flow.wait_for`, `flow.goal`) names mean the event: `value`, `currency`,
`key`, `kind`, `actor` (human, machine, unknown), `node` (which sent the message), and every property. A field of the
contact is then `contact.country`.

What is missing is neither equal nor unequal, larger nor smaller: `country != "DE"` does not hold for people without a
country; write `country != "DE" or country is missing`. In the end, what cannot be told counts as no. A rule has at most
2,000 characters, 200 parts and 20 levels.

A **formula** (`data.set_fields`, `flow.switch`, `data.count`) is written the same way and may come out as anything: a
number, a text, yes or no.

## Messages

Subject, preview text, message and plain text may hold fields: `{{ contact.first_name|default("friend") }}`,
`{{ var.subject|fill }}` (a variant's value, with the fields in it filled in),
`{{ event.value|money(event.currency) }}`, `{{ key }}`, `{{ unsubscribe_url }}`, `{{ postal_address }}`,
`{{ subject }}`, `{{ preheader }}`; and `{% if %}` and `{% for %}`.

Whoever lacks a field that is printed without `default` is set aside with the name of the field; the others get their
mail. A marketing message must hold `{{ unsubscribe_url }}` and `{{ postal_address }}`.

Filters: FILTERS.
"""


def markdown() -> str:
    """The whole reference."""
    parts = [_HEAD]
    for node_id, node_class in catalogue().items():
        parts.append(_node(node_id, node_class))
    return "\n".join([*parts, _RULES.replace("FILTERS", ", ".join(f"`{name}`" for name in FILTERS))])


def _node(node_id: str, node_class: type[NodeType]) -> str:
    declaration = node_class.declaration
    schema = node_class.Parameters.model_json_schema()
    about = _one_line(node_class.__doc__)
    lines = [f"## {declaration.title} · `{node_id}`", "", declaration.summary, "", about, ""]
    lines += _table(schema)
    for name, part in _parts(schema).items():
        lines += ["", f"Each of `{name}`:", "", *_table(part)]
    return "\n".join([*lines, ""])


def _table(schema: Schema) -> list[str]:
    required = schema.get("required", ())
    rows = ["| parameter | title | kind | default | meaning |", "|---|---|---|---|---|"]
    for name, field in schema["properties"].items():
        default = "required" if name in required else _default(field.get("default"))
        cells = (f"`{name}`", field["title"], _kind(field), default, _one_line(field["description"]))
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return rows


def _parts(schema: Schema) -> dict[str, Schema]:
    """Lists of objects: the name of the list → the schema of one object."""
    definitions = schema.get("$defs", {})
    references = {
        name: field["items"]["$ref"].rsplit("/", 1)[-1]
        for name, field in schema["properties"].items()
        if "$ref" in field.get("items", {})
    }
    return {name: definitions[reference] for name, reference in references.items()}


def _kind(field: Schema) -> str:
    """The type of a field with its bounds and unit, as a person says it."""
    unit = f", {field['unit']}" if "unit" in field else ""
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_kind(one) for one in field["anyOf"] if one.get("type") != "null")) + unit
    if "enum" in field:
        words = field.get("words", {})
        return " or ".join(f"{value} ({words[value]})" if value in words else str(value) for value in field["enum"])
    kind = {"string": "text", "integer": "whole number", "number": "number", "boolean": "yes or no", "array": "list"}[
        field["type"]
    ]
    kind = {"duration": "duration", "time-of-day": "time of day"}.get(field.get("format", ""), kind)
    kind = {"rule": "rule", "event_rule": "rule about an event"}.get(field.get("widget", ""), kind)
    return kind + _bounds(field) + unit


def _bounds(field: Schema) -> str:
    least = field.get("minimum", field.get("minItems"))
    most = field.get("maximum", field.get("maxItems"))
    above, below = field.get("exclusiveMinimum"), field.get("exclusiveMaximum")
    words = [
        f"{word} {bound:,}"
        for word, bound in (("from", least), ("above", above), ("up to", most), ("below", below))
        if bound is not None
    ]
    return f", {' '.join(words)}" if words else ""


def _default(value: object) -> str:
    if value is None or value == "":
        return "empty"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"`{value}`"


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())


if __name__ == "__main__":
    sys.stdout.write(markdown())
