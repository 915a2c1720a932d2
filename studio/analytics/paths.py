"""One contact's way through a run: every step, when it came and went, which way and why, and what it was sent.

Made of what the run wrote down while it ran (who went which way, contact events, the send ledger, what was set apart),
never of running anything again. Absent on purpose: fetching those, and other people.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import polars as pl
from pydantic import JsonValue

from studio.domain.port_words import labels_of, port_words
from studio.domain.web_answer import taken_of
from studio.engine.plan import Plan
from studio.frames.events import RUN_KINDS
from studio.frames.instances import instance_ids
from studio.frames.moves import Move

_REASONED = ("blocked", "exited", "exposed", "converted", "bounced")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a send step did for this contact. `state` as in the send ledger; in a simulation sent or blocked.

    `answer`: the values that were taken out of a web call's answer.
    """

    state: str
    message_id: str | None = None
    attempts: int = 1
    reason: str | None = None
    answer: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One step on the way. `port` None: still there, or taken out of it; `verdict` says in words what happened.

    `data`: what the step's rules looked at, by name; `reason`: a stable code where somebody was held back.
    """

    node: str
    label: str
    type: str
    arrived_at: datetime
    left_at: datetime | None
    port: str | None
    verdict: str
    reason: str | None = None
    data: Mapping[str, JsonValue] = field(default_factory=dict)
    message: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """An event of the contact while its journey went on; `node` of the step it belongs to, None from outside."""

    at: datetime
    kind: str
    node: str | None
    value: float | None
    currency: str | None
    properties: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """One instance: a contact, or a contact and key, from entry to where it stands. `arms`: experiment → variant."""

    instance: str
    key: str | None
    entered_at: datetime
    arms: Mapping[str, str]
    state: str
    visits: tuple[Visit, ...]
    events: tuple[Happened, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a run wrote down about one contact. `entries`: INSTANCE_SCHEMA; `events`: EVENT_SCHEMA, of the run and from
    outside; `outbox`: OUTBOX_SCHEMA; `set_apart`: node, instance, code, message.
    """

    run_id: str
    contact_id: int
    entries: pl.DataFrame
    moves: Sequence[Move]
    events: pl.DataFrame
    outbox: pl.DataFrame
    set_apart: pl.DataFrame


def journeys(plan: Plan, recorded: Recorded) -> tuple[Journey, ...]:
    """The contact's journeys in the order they began; empty when it never entered. O(moves of the run)."""
    found = recorded.entries.filter(pl.col("contact_id") == recorded.contact_id).sort("entered_at", "instance_id")
    return tuple(_Reader(plan, recorded, row).journey() for row in found.iter_rows(named=True))


class _Reader:
    """Reads one instance's way out of a run's records."""

    def __init__(self, plan: Plan, recorded: Recorded, entry: Mapping[str, Any]) -> None:
        self._plan = plan
        self._recorded = recorded
        self._entry = entry
        self._instance = int(entry["instance_id"])
        own = recorded.events.filter(pl.col("instance_id") == self._instance)
        self._own = own.sort("occurred_at", "event_id").to_dicts()
        mine = pl.col("instance_id") == self._instance
        self._outbox = {row["node_id"]: row for row in recorded.outbox.filter(mine).to_dicts()}
        self._set_apart = {row["node_id"]: row for row in recorded.set_apart.filter(mine).to_dicts()}

    def journey(self) -> Journey:
        visits, standing = self._walk()
        state = "reached" if any(v.port == "reached" for v in visits) else "ended"
        state = standing or state
        arms = dict(part.split("=", 1) for part in str(self._entry["arms"]).split("|") if part)
        return Journey(
            instance=f"{self._instance:016x}",
            key=self._entry["key"],
            entered_at=self._entry["entered_at"],
            arms=arms,
            state=state,
            visits=tuple(visits),
            events=tuple(self._events()),
        )

    def _walk(self) -> tuple[list[Visit], str | None]:
        """The visits in order, and `waiting` or `failed` when the instance still stands somewhere."""
        standing: dict[str, datetime] = {}
        visits: list[Visit] = []
        for move in self._moves():
            step = self._plan.steps.get(move.node_id)
            if step is None:
                continue
            arrived = standing.pop(move.node_id, None)
            if step.role == "goal" and move.port == "reached":
                visits += [self._taken_out(node_id, at, move.at, step.label) for node_id, at in standing.items()]
                standing.clear()
            is_entry = step.role == "source"
            at = arrived or (self._entry["entered_at"] if is_entry else move.at)
            visits.append(self._visit(move.node_id, at, move.at, move.port))
            for target in step.targets.get(move.port, ()):
                standing.setdefault(target, move.at)
        visits += [self._visit(node_id, at, None, None) for node_id, at in standing.items()]
        failed = any(node_id in self._set_apart or self._is_failed(node_id) for node_id in standing)
        return visits, ("failed" if failed else "waiting") if standing else None

    def _moves(self) -> Iterable[Move]:
        contact_id = self._recorded.contact_id
        no_key = pl.Series([None], dtype=pl.String)
        plain = instance_ids(self._recorded.run_id, pl.Series([contact_id], dtype=pl.UInt32), no_key)
        is_plain = int(plain[0]) == self._instance
        return (m for m in self._recorded.moves if (m.by_instance or is_plain) and m.has(contact_id, self._instance))

    def _is_failed(self, node_id: str) -> bool:
        return self._outbox.get(node_id, {}).get("state") == "failed"

    def _taken_out(self, node_id: str, arrived: datetime, at: datetime, goal: str) -> Visit:
        visit = self._visit(node_id, arrived, at, None)
        return replace(visit, verdict=f"Left here early: reached “{goal}”.", reason="goal")

    def _visit(self, node_id: str, arrived: datetime, left: datetime | None, port: str | None) -> Visit:
        step = self._plan.steps[node_id]
        message = self._message(node_id) if step.role == "send" else None
        verdict, reason = self._verdict(node_id, arrived, left, port, message)
        return Visit(
            node=node_id,
            label=step.label,
            type=step.declared.type,
            arrived_at=arrived,
            left_at=left,
            port=port or None,
            verdict=verdict,
            reason=reason,
            message=message,
        )

    def _message(self, node_id: str) -> Message | None:
        row = self._outbox.get(node_id)
        if row is not None:
            return Message(
                state=row["state"],
                message_id=row["message_id"],
                attempts=row["attempts"],
                reason=row["reason"],
                answer=taken_of(row["answer"]).values if row["answer"] else {},
            )
        for event in self._own:
            if event["node_id"] == node_id and event["kind"] in ("sent", "called", "blocked"):
                return Message(state=event["kind"], reason=_properties(event).get("reason"))  # type: ignore[arg-type] - text
        return None

    def _verdict(
        self, node_id: str, arrived: datetime, left: datetime | None, port: str | None, message: Message | None
    ) -> tuple[str, str | None]:
        apart = self._set_apart.get(node_id)
        if apart is not None and left is None:
            return f"Failed here: {apart['message']}", str(apart["code"])
        event = self._reason_event(node_id, arrived, left)
        if event is not None and event["kind"] == "blocked":
            told = _properties(event)
            return f"Held back: {told.get('message') or told.get('reason')}", str(told.get("reason"))
        if message is not None and message.state not in ("sent", "resolved_sent"):
            told = message.reason or ""
            return f"Message {message.state.replace('_', ' ')}{': ' + told if told else ''}.", told.split(":")[
                0
            ] or None
        labels = labels_of(self._plan.steps[node_id].declared.parameters)
        return self._ordinary(event, arrived, left, port, labels), None

    def _ordinary(
        self,
        event: Mapping[str, Any] | None,
        arrived: datetime,
        left: datetime | None,
        port: str | None,
        labels: Mapping[str, str],
    ) -> str:
        if left is None:
            return "Is here now."
        if event is not None and event["kind"] == "exited":
            return f"Ended: {_properties(event).get('reason', 'finished')}."
        if port == "":
            return "Ended here."
        waited = (left - arrived).total_seconds()
        after = f" after {_length(waited)}" if waited >= 1 else ""
        words = port_words(port, labels) if port else ""
        through = f" through “{words}”" if words else ""
        return f"Went on{through}{after}."

    def _reason_event(self, node_id: str, arrived: datetime, left: datetime | None) -> Mapping[str, Any] | None:
        for event in self._own:
            is_here = event["node_id"] == node_id and event["kind"] in _REASONED
            if is_here and arrived <= event["occurred_at"] and (left is None or event["occurred_at"] <= left):
                return event
        return None

    def _events(self) -> Iterable[Happened]:
        rows = self._recorded.events
        is_mine = (pl.col("instance_id") == self._instance) | pl.col("instance_id").is_null()
        since = rows.filter(is_mine & (pl.col("occurred_at") >= self._entry["entered_at"]))
        rank = {kind: place for place, kind in enumerate(RUN_KINDS)}
        in_order = sorted(since.to_dicts(), key=lambda row: (row["occurred_at"], rank.get(row["kind"], -1)))
        for row in in_order:
            yield Happened(
                at=row["occurred_at"],
                kind=row["kind"],
                node=row["node_id"],
                value=row["value"],
                currency=row["currency"],
                properties=_properties(row),
            )


def _properties(event: Mapping[str, Any]) -> dict[str, JsonValue]:
    text = event.get("properties")
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}


def _length(seconds: float) -> str:
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            number = round(seconds / size, 1)
            return f"{number:g} {name}{'' if number == 1 else 's'}"
    return f"{seconds:.0f} s"
