"""Rules of parameters, parsed once when the node is made and asked for whole batches."""

from __future__ import annotations

import polars as pl

from studio.domain.expression_parser import parse_expression
from studio.domain.node import NodeContext
from studio.frames.facts import rules_hold


class Rules:
    """Rules about contacts and what their instances carry."""

    def __init__(self, texts: tuple[str, ...]) -> None:
        self._rules = [parse_expression(text) for text in texts]

    def hold(self, batch: pl.DataFrame, context: NodeContext) -> list[pl.Series]:
        """Per rule a Boolean column without nulls, row for row with the batch."""
        return rules_hold(self._rules, batch, contacts=context.contacts, events=context.events, now=context.now)


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
