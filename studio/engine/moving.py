"""Moving the people who wait in a run to a new version of its workflow: what would become of them, and doing it.

The run goes on as the new version, in one commit: everybody keeps the moment he waits for, and whoever stands at a step
that is gone goes to the step that was chosen for it, or leaves. Absent on purpose: moving while the run goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl
from pydantic import JsonValue

from studio.domain.errors import UserFixable
from studio.domain.ids import stable_id
from studio.domain.ports import Checkpoint, RunRow, Runs, Work
from studio.domain.run import RunEvent, RunEventKind
from studio.domain.workflow import Workflow
from studio.engine.facts import contact_events, tidy
from studio.engine.idset import IdSet
from studio.engine.plan import Plan
from studio.engine.waiting import is_out
from studio.frames.instances import from_bytes, to_bytes

Fate = Literal["stays", "changed", "moves", "leaves"]
_MOVABLE = ("resume", "arrive", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """People of one step. stays: it is as it was; changed: it is there with other settings; moves: to the step `to`;
    leaves: it is gone and nothing was chosen.
    """

    node: str
    label: str
    people: int
    fate: Fate
    to: str | None


def preview(
    runs: Runs, run: RunRow, old: Workflow, new: Workflow, destinations: Mapping[str, str]
) -> tuple[Moving, ...]:
    """What would become of everybody who stands somewhere in the run, by step."""
    gone = IdSet(runs.departed(run.run_id))
    people: dict[str, int] = {}
    for work, batch in _standing(runs, run):
        people[work.node_id] = people.get(work.node_id, 0) + batch.filter(~is_out(batch, gone)).height
    before, after = {n.id: n for n in old.nodes}, {n.id: n for n in new.nodes if n.enabled}
    rows: list[Moving] = []
    for node_id, count in people.items():
        node, label = after.get(node_id), before[node_id].label or node_id
        to: str | None = None
        if node_id in destinations:
            to = destinations[node_id] or None
            fate: Fate = "moves" if to else "leaves"
        elif node is None or node.type != before[node_id].type:
            fate = "leaves"
        else:
            same = old.bound(before[node_id]) == new.bound(node)
            fate = "stays" if same else "changed"
        rows.append(Moving(node=node_id, label=label, people=count, fate=fate, to=to))
    return tuple(rows)


def move(runs: Runs, run: RunRow, plan: Plan, rows: Sequence[Moving]) -> Checkpoint:
    """The checkpoint that lets the run go on as the plan's workflow.

    Raises:
        UserFixable: MOVE-NODE for a destination that is not in the new version.
    """
    for row in rows:
        if row.to is not None and row.to not in plan.steps:
            hint = "Name a step of the new version, or let the people leave."
            raise UserFixable("MOVE-NODE", f"The new version has no step “{row.to}”.", where=row.node, hint=hint)
    fates, gone = {row.node: row for row in rows}, IdSet(runs.departed(run.run_id))
    done: list[str] = []
    work: list[Work] = []
    left: list[tuple[str, pl.DataFrame]] = []
    for piece, batch in _standing(runs, run):
        row = fates[piece.node_id]
        if row.fate in ("stays", "changed"):
            continue
        done.append(piece.id)
        if row.to is not None:
            work.append(_arriving(run, piece, row.to, batch))
        else:
            left.append((piece.node_id, tidy(batch.filter(~is_out(batch, gone)))))
    done += [w.id for w in runs.pending(run.run_id) if w.kind == "produce" and w.node_id not in plan.steps]
    events = [
        contact_events(batch, run_id=run.run_id, node_id=node_id, kind="exited", at=run.at)
        for node_id, batch in left
        if batch.height
    ]
    version = plan.workflow.content_hash()
    told: dict[str, JsonValue] = {"from": run.version, "to": version, "people": {row.node: row.people for row in rows}}
    facts: list[tuple[str | None, RunEventKind, dict[str, JsonValue]]] = [(None, "run.version", told)]
    for row in rows:
        if row.fate in ("moves", "leaves"):
            facts.append((row.node, "step.waiting", {"waiting": 0, "next_due": None}))
            if row.node not in plan.steps:
                facts.append((row.node, "step.state", {"state": "done"}))
    last = runs.last_seq(run.run_id)
    run_events = tuple(RunEvent(run.run_id, last + n, run.at, *fact) for n, fact in enumerate(facts, start=1))
    return Checkpoint(
        run_id=run.run_id,
        at=run.at,
        done=done,
        work=work,
        events=pl.concat(events) if events else None,
        departed=pl.concat([batch.select("instance_id") for _, batch in left]) if left else None,
        run_events=run_events,
        version=(version, plan.workflow.to_json()),
    )


def _standing(runs: Runs, run: RunRow) -> list[tuple[Work, pl.DataFrame]]:
    pieces = [piece for piece in runs.pending(run.run_id) if piece.kind in _MOVABLE]
    batches = runs.batches([piece.id for piece in pieces])
    return [(piece, from_bytes(batches[piece.id])) for piece in pieces if piece.id in batches]


def _arriving(run: RunRow, piece: Work, to: str, batch: pl.DataFrame) -> Work:
    return Work(
        id=stable_id(run.run_id, to, "moved", piece.id),
        run_id=run.run_id,
        node_id=to,
        kind="arrive",
        rows=batch.height,
        batch=to_bytes(tidy(batch)),
    )
