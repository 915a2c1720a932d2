"""The story of the dry run: who would be reached, what would be sent and cost, and whom the gate would hold back.

People of a file that a workflow or an option names are imported, as a run would do; apart from them nothing is written
and no connector is touched. Absent on purpose: going through the steps (engine).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from studio.domain.port_words import port_words, ways_of
from studio.domain.step_names import step_name
from studio.domain.validation import Catalogue
from studio.domain.workflow import Workflow
from studio.engine.host import EngineHost
from studio.engine.rehearsal import MessagesAhead, Rehearsed
from studio.store.store import Store
from studio.workspace.runs import RunOptions, RunsStory


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """People who would not be written to, or not yet, and why."""

    reason: str
    words: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DryMessages:
    """What one send step would do. `estimated`: told from a fair sample of the people."""

    node: str
    label: str
    messages: int
    blocked: tuple[HeldBack, ...]
    deferred: tuple[HeldBack, ...]
    failed: tuple[HeldBack, ...]
    first_at: datetime | None
    last_at: datetime | None
    examples: tuple[str, ...]
    cost: float | None
    estimated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DryStep:
    """How many would come to a step, and which way they would leave it; `ways` says that in people's words."""

    node: str
    label: str
    type: str
    came: int
    left: Mapping[str, int]
    ways: Mapping[str, int]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """The whole answer; `finding` says it in words. Nobody reacts in a dry run: waits end by their time.

    `from_history`: steps whose audience is who would have entered in the last 30 days. `cost` None: no price is known.
    """

    finding: str
    entered: int
    messages: int
    blocked: int
    cost: float | None
    currency: str
    ends_at: datetime | None
    from_history: tuple[str, ...]
    steps: tuple[DryStep, ...]
    sends: tuple[DryMessages, ...]


class RehearsalsStory:
    """Dry runs of one workspace."""

    def __init__(self, store: Store, host: EngineHost, runs: RunsStory, types: Catalogue) -> None:
        self._store = store
        self._host = host
        self._runs = runs
        self._types = types

    def dry_run(self, workflow: Workflow, options: RunOptions, *, workflow_id: str | None = None) -> DryRun:
        """What would happen if the workflow ran now (or as of a moment). Takes seconds for 100,000 people.

        Raises:
            UserFixable: what `RunsStory.start` raises.
        """
        options = replace(options, mode="simulate")
        workflow, run, _ = self._runs.prepared(workflow, options, workflow_id)
        found = self._host.rehearse(replace(run, run_id="dry"), workflow)
        return self._told(workflow, found)

    def _told(self, workflow: Workflow, found: Rehearsed) -> DryRun:
        price = (workflow.settings.cost_per_message or {}).get("amount")
        each = float(price) if isinstance(price, (int, float)) else None
        labels = {node.id: step_name(node, self._types) for node in workflow.nodes}
        sends = tuple(
            self._send(node.id, labels[node.id], found.messages[node.id], each)
            for node in workflow.nodes
            if node.id in found.messages
        )
        ways = ways_of(workflow)
        steps = tuple(
            DryStep(
                node=node.id,
                label=labels[node.id],
                type=node.type,
                came=ahead.came,
                left=dict(ahead.left),
                ways={port_words(port, ways.get(node.id)) or "went on": count for port, count in ahead.left.items()},
                problems=tuple(dict.fromkeys(trouble.message for trouble in ahead.troubles)),
            )
            for node in workflow.nodes
            if (ahead := found.steps.get(node.id)) is not None
        )
        messages = sum(send.messages for send in sends)
        blocked = sum(held.count for send in sends for held in send.blocked)
        cost = None if each is None else round(each * messages, 2)
        return DryRun(
            finding=_finding(found, sends, messages, cost, workflow.settings.currency),
            entered=found.entered,
            messages=messages,
            blocked=blocked,
            cost=cost,
            currency=workflow.settings.currency,
            ends_at=found.ends_at,
            from_history=tuple(found.from_history),
            steps=steps,
            sends=sends,
        )

    def _send(self, node_id: str, label: str, ahead: MessagesAhead, each: float | None) -> DryMessages:
        ids = pl.Series(ahead.contacts, dtype=pl.UInt32)
        known = self._store.contacts.at(self._store.clock.now()).fields(ids, ["key", "email"])
        return DryMessages(
            node=node_id,
            label=label,
            messages=ahead.messages,
            blocked=_held(ahead.blocked, ahead.words),
            deferred=_held(ahead.deferred, ahead.words),
            failed=_held(ahead.failed, ahead.words),
            first_at=ahead.first_at,
            last_at=ahead.last_at,
            examples=tuple(row["email"] or row["key"] for row in known.iter_rows(named=True)),
            cost=None if each is None else round(each * ahead.messages, 2),
            estimated=ahead.is_estimated,
        )


def _held(counts: Counter[str], words: Mapping[str, str]) -> tuple[HeldBack, ...]:
    return tuple(HeldBack(reason=r, words=words.get(r, r), count=count) for r, count in counts.most_common())


def _finding(found: Rehearsed, sends: tuple[DryMessages, ...], messages: int, cost: float | None, currency: str) -> str:
    history = " (as many as in the last 30 days)" if found.from_history else ""
    price = "" if cost is None else f", for {cost:,.2f} {currency}"
    text = f"{found.entered:,} people would enter{history} and get {messages:,} messages{price}."
    reasons: Counter[str] = Counter()
    for send in sends:
        reasons.update({held.words: held.count for held in send.blocked})
    if reasons:
        (words, count), *_ = reasons.most_common(1)
        text += f" {sum(reasons.values()):,} messages would be held back, most of them because: {words} ({count:,})"
    return text
