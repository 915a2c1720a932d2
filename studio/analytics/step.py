"""One step of a run: what became of its messages, why people left there, when they answered.

Everything that the step itself recorded, of everybody it met. Absent on purpose: counts of instances passing through,
which are the run's own fold (`domain.run`).
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from studio.analytics.facts import Facts, People, union, united
from studio.analytics.funnel import FunnelStep, chain

TITLES = {
    "sent": "Sent",
    "delivered": "Delivered",
    "opened": "Opened by people",
    "machine_opened": "Opened by machines",
    "clicked": "Clicked by people",
    "machine_clicked": "Clicked by machines",
    "bounced": "Bounced",
    "unsubscribed": "Unsubscribed",
    "complained": "Complained",
    "blocked": "Kept back",
}
_KINDS = tuple(kind for kind in TITLES if not kind.startswith("machine_"))
_CHAIN = {"sent": "Sent", "delivered": "Delivered", "opened": "Opened", "clicked": "Clicked"}


@dataclass(frozen=True, slots=True)
class StepCount:
    """`people` are different people, `events` may be more; `share` is of the people it was sent to, None of none."""

    kind: str
    title: str
    people: int
    events: int
    share: float | None


def step_counts(facts: Facts, run_id: str, node_id: str) -> tuple[StepCount, ...]:
    """A row per kind of `TITLES`, in that order. What a machine opened or clicked, no person did."""
    people = _people(facts, run_id, node_id)
    sums = facts.sums(("kind", "actor"), [run_id], _KINDS, [node_id])
    events: dict[str, int] = {}
    for kind, actor, count in sums.select("kind", "actor", "count").iter_rows():
        events[_row_of(kind, actor)] = events.get(_row_of(kind, actor), 0) + count
    sent = united(people.get("sent", ()))
    rows = []
    for kind, title in TITLES.items():
        count = united(people.get(kind, ()))
        # Whoever was kept back was sent nothing, so there is nothing to be a share of.
        share = count / sent if sent and kind not in ("sent", "blocked") else None
        rows.append(StepCount(kind, title, count, events.get(kind, 0), share))
    return tuple(rows)


def step_funnel(facts: Facts, run_id: str, node_id: str) -> tuple[FunnelStep, ...]:
    """How many different people came how far with the step's message."""
    return chain({kind: union(found) for kind, found in _people(facts, run_id, node_id).items()}, _CHAIN)


def step_by_hour(facts: Facts, run_id: str, node_id: str) -> pl.DataFrame:
    """`kind, hour, count` of what the step recorded; what machines opened and clicked left out."""
    rows = facts.sums(("kind", "actor", "hour"), [run_id], ["sent", "opened", "clicked"], [node_id])
    human = rows.filter((pl.col("kind") == "sent") | pl.col("actor").ne_missing("machine"))
    return human.group_by("kind", "hour").agg(pl.col("count").sum()).sort("kind", "hour")


def _people(facts: Facts, run_id: str, node_id: str) -> dict[str, list[People]]:
    people: dict[str, list[People]] = {}
    for (kind, actor), found in facts.people(run_id, _KINDS, by=("kind", "actor"), node_ids=[node_id]).items():
        people.setdefault(_row_of(kind, actor), []).append(found)
    return people


def _row_of(kind: str, actor: str) -> str:
    return f"machine_{kind}" if actor == "machine" and f"machine_{kind}" in TITLES else kind
