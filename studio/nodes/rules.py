"""Rules and formulas of parameters, parsed once when the node is made and asked for whole batches."""

from __future__ import annotations

import polars as pl

from studio.domain.expression_parser import parse_expression, parse_value
from studio.domain.node import NodeContext
from studio.frames.expression import number_of
from studio.frames.facts import few_values, rules_hold, values_of
from studio.frames.few import Few
from studio.frames.row_expression import Value, number_in


class Rules:
    """Rules about contacts and what their instances carry."""

    def __init__(self, texts: tuple[str, ...]) -> None:
        self._rules = [parse_expression(text) for text in texts]

    def hold(self, batch: pl.DataFrame, context: NodeContext) -> list[pl.Series]:
        """Per rule a Boolean column without nulls, row for row with the batch."""
        return rules_hold(self._rules, batch, contacts=context.contacts, events=context.events, now=context.now)

    def hold_few(self, few: Few, context: NodeContext) -> list[list[bool]] | None:
        """The same for a few rows; None where columns have to be asked."""
        found = few_values(self._rules, few, contacts=context.contacts)
        if found is None:
            return None
        forms, rows = found
        return [[form.as_boolean(row) is True for row in rows] for form in forms]


class Formulas:
    """Values about contacts and what their instances carry; row for row with the batch, null where missing."""

    def __init__(self, texts: tuple[str, ...]) -> None:
        self._formulas = [parse_value(text) for text in texts]

    def values(self, batch: pl.DataFrame, context: NodeContext) -> list[pl.Series]:
        """Per formula a column of its own type."""
        if not self._formulas:
            return []
        return values_of(self._formulas, batch, contacts=context.contacts, events=context.events, now=context.now)

    def texts(self, batch: pl.DataFrame, context: NodeContext) -> list[pl.Series]:
        """Per formula a column of texts; numbers and truth values are written out."""
        if not self._formulas:
            return []
        return values_of(
            self._formulas, batch, contacts=context.contacts, events=context.events, now=context.now, as_="text"
        )

    def few_values(self, few: Few, context: NodeContext) -> list[tuple[pl.DataType, list[Value]]] | None:
        """Per formula the type of its column and the values, of a few rows; None where columns have to be asked."""
        found = few_values(self._formulas, few, contacts=context.contacts)
        if found is None:
            return None
        forms, rows = found
        return [(form.dtype, [form.value(row) for row in rows]) for form in forms]

    def few_texts(self, few: Few, context: NodeContext) -> list[list[Value]] | None:
        """The same as texts."""
        found = few_values(self._formulas, few, contacts=context.contacts)
        if found is None:
            return None
        forms, rows = found
        return [[form.as_text(row) for row in rows] for form in forms]

    def numbers(self, batch: pl.DataFrame, context: NodeContext) -> list[pl.Series]:
        """Per formula a column of f64; a text counts as the number it spells."""
        return [_numbers(column) for column in self.values(batch, context)]

    def few_numbers(self, few: Few, context: NodeContext) -> list[list[float | None]] | None:
        """The same of a few rows."""
        found = self.few_values(few, context)
        return None if found is None else [[_number(value) for value in values] for _, values in found]


def _number(value: Value) -> float | None:
    return number_in(value) if isinstance(value, str) else None if value is None else float(value)


def _numbers(column: pl.Series) -> pl.Series:
    if column.dtype == pl.String:
        return column.to_frame("text").select(number_of(pl.col("text"))).to_series()
    return column.cast(pl.Float64)


class EventFilter:
    """A rule about events; an empty text lets every event through."""

    def __init__(self, text: str) -> None:
        self._rules = [parse_expression(text, "event")] if text.strip() else []

    def keep(self, events: pl.DataFrame, context: NodeContext) -> pl.DataFrame:
        """The events for which the rule holds, in their order."""
        if not self._rules or events.is_empty():
            return events
        (holds,) = rules_hold(self._rules, events, contacts=context.contacts, events=context.events, now=context.now)
        return events.filter(holds)

    def keep_few(self, events: Few, context: NodeContext) -> Few | None:
        """The same of a few events; None where columns have to be asked."""
        if not self._rules or not events.rows:
            return events
        if any(contact_id is None for contact_id in events.column("contact_id")):
            return None
        found = few_values(self._rules, events, contacts=context.contacts)
        if found is None:
            return None
        (form,), rows = found
        pairs = zip(events.rows, rows, strict=True)
        return Few(events.dtypes, [event for event, row in pairs if form.as_boolean(row) is True])
