"""What nodes are told of the run: one context per node, bound to the run's clock.

Absent on purpose: anything that changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import polars as pl

from studio.domain.node import MessageBuilder, NodeContext, Renderer, Sender
from studio.domain.ports import Contacts, Events, RunRow
from studio.domain.reading import ContactView, Feeds
from studio.engine.plan import Plan
from studio.engine.views import CompleteView, Unwritten


class Desk:
    """Makes contexts. Views of people and events are shared by all contexts of one moment."""

    def __init__(
        self,
        run: RunRow,
        plan: Plan,
        contacts: Contacts,
        events: Events,
        unwritten: Unwritten,
        sender: Sender,
        build: MessageBuilder,
        feeds: Feeds | None = None,
        render: Renderer | None = None,
        *,
        notes: Mapping[str, str],
        standing: Callable[[], pl.Series],
    ) -> None:
        """`notes`: what steps remember, as it changes; `standing`: see `NodeContext`."""
        self._run = run
        self._notes = notes
        self._standing = standing
        self._plan = plan
        self._contacts = contacts
        self._events = events
        self._unwritten = unwritten
        self._build = build
        self._feeds = feeds
        self._render = render
        self.sender = sender
        self._texts = texts_of(run)
        earlier = run.options.get("activations")
        self._earlier = tuple(map(str, earlier)) if isinstance(earlier, list) else ()
        self._made: dict[str, NodeContext] = {}
        self._views: tuple[ContactView, CompleteView] | None = None
        self._now: datetime = run.at

    def at(self, now: datetime) -> Desk:
        """The same desk, from now on bound to this moment."""
        if now != self._now:
            self._now = now
            self._made.clear()
            self._views = None
        return self

    def context(self, node_id: str) -> NodeContext:
        """The context of a node now."""
        made = self._made.get(node_id)
        if made is None or made.note != self._notes.get(node_id, ""):
            made = self._made[node_id] = self._make(node_id)
        return made

    def _make(self, node_id: str) -> NodeContext:
        run = self._run
        if self._views is None:
            events = CompleteView(self._events.at(self._now), self._unwritten, self._now)
            self._views = (self._contacts.at(self._now), events)
        contacts, events = self._views
        return NodeContext(
            run_id=run.run_id,
            workflow_id=run.workflow_id,
            node_id=node_id,
            node_label=self._plan.steps[node_id].label,
            now=self._now,
            started_at=run.started_at,
            until=run.until,
            mode=run.mode,
            seed=run.seed,
            settings=self._plan.workflow.settings,
            contacts=contacts,
            events=events,
            sender=self.sender,
            note=self._notes.get(node_id, ""),
            earlier_runs=self._earlier,
            standing=self._standing,
            texts=self._texts,
            build=self._build,
            feeds=self._feeds,
            render=self._render,
        )


def texts_of(run: RunRow) -> dict[str, str]:
    """The message files that the run was started with."""
    texts = run.options.get("texts")
    return {name: str(text) for name, text in texts.items()} if isinstance(texts, dict) else {}
