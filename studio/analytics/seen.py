"""What a step's rules looked at, for one contact at one moment: the data behind a verdict.

Events are asked for as they had happened by then; fields of contacts are as they are known now, because the store keeps
no history of them. Absent on purpose: judging; what the step decided stands in the run's records.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

import polars as pl
from pydantic import BaseModel, JsonValue

from studio.domain.clock import iso
from studio.domain.expression import Needs, needs
from studio.domain.expression_parser import parse_expression
from studio.domain.reading import ContactView, EventView
from studio.engine.plan import Step
from studio.frames.expression import field_column, total_column
from studio.frames.facts import with_facts

_RULE_WIDGET = "rule"


def rules_of(step: Step) -> tuple[str, ...]:
    """The rules about contacts that the step asks: its own condition, then those among its parameters."""
    own = getattr(step.node, "parameters", None)
    found = tuple(_rules_in(own)) if isinstance(own, BaseModel) else ()
    condition = step.declared.condition
    return (condition, *found) if condition and condition.strip() else found


def data_seen(
    step: Step, instance: pl.DataFrame, contacts: ContactView, events: EventView, at: datetime
) -> dict[str, JsonValue]:
    """Name → value of all that the step's rules look at. `instance`: one row with `contact_id`, `key` and `var.*`."""
    rules = rules_of(step)
    if not rules:
        return {}
    wanted = needs(*(parse_expression(rule) for rule in rules))
    row = with_facts(instance, wanted, contacts=contacts, events=events, now=at).row(0, named=True)
    return dict(_named(wanted, row))


def _rules_in(parameters: BaseModel) -> Iterator[str]:
    for name, info in type(parameters).model_fields.items():
        value = getattr(parameters, name)
        extra = info.json_schema_extra
        is_rule = isinstance(extra, Mapping) and extra.get("widget") == _RULE_WIDGET
        for inner in value if isinstance(value, tuple | list) else (value,):
            if isinstance(inner, BaseModel):
                yield from _rules_in(inner)
            elif is_rule and isinstance(inner, str) and inner.strip():
                yield inner


def _named(wanted: Needs, row: Mapping[str, object]) -> Iterator[tuple[str, JsonValue]]:
    for name in wanted.fields:
        yield name, _plain(row.get(field_column(name)))
    for name in wanted.variables:
        yield f"var.{name}", _plain(row.get(f"var.{name}"))
    for total in wanted.totals:
        span = "" if total.days is None else f", last {total.days:g} days"
        for part, words in (("count", "how often"), ("value", "worth"), ("last_at", "last")):
            yield f"{total.kind}{span}: {words}", _plain(row.get(total_column(total, part)))


def _plain(value: object) -> JsonValue:
    if isinstance(value, datetime):
        return iso(value)
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)
