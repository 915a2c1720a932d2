"""People who begin in the middle of a workflow: before the step a run starts from, or behind a pinned step.

Absent on purpose: choosing them (`workspace`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from studio.domain.ids import stable_id
from studio.domain.ports import Checkpoint, RunRow, Work
from studio.engine.draft import Draft, Sizes
from studio.engine.facts import contact_events, tidy
from studio.engine.intake import instances_of
from studio.engine.plan import Plan
from studio.frames.instances import INSTANCE_SCHEMA, to_bytes
from studio.frames.moves import Moved, write_moves
from studio.frames.samples import sample_name, write_sample


@dataclass(frozen=True, slots=True)
class Planted:
    """Entries (`contact_id`, `key`, optional variables) that leave `node_id` through `port`, or, None, come to it."""

    node_id: str
    port: str | None
    entries: pl.DataFrame


def plant(run: RunRow, plan: Plan, planted: Sequence[Planted], checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint a run begins with, and these people in it: entries, `entered` events, work where they stand."""
    draft = Draft(run, run.started_at, Sizes())
    work: list[Work] = list(checkpoint.work)
    moves: list[bytes] = []
    keeps = dict(checkpoint.keeps)
    for place in planted:
        batch = instances_of(run.run_id, place.entries, run.started_at)
        batch = batch.unique("instance_id", keep="first", maintain_order=True)
        entries = batch.select(*INSTANCE_SCHEMA)
        draft.entries.append(entries)
        moments = entries.with_columns(occurred_at=pl.col("entered_at"))
        node_id, at = place.node_id, run.started_at
        draft.record(contact_events(moments, run_id=run.run_id, node_id=node_id, kind="entered", at=at))
        work += [_arriving(run, place, target, batch) for target in _targets(plan, place)]
        if place.port is not None:
            moves.append(write_moves(Moved.of(node_id, place.port, batch), at, by_instance=True))
            keeps[sample_name(node_id, place.port)] = write_sample(tidy(batch).sort("instance_id").head(50))
    return Checkpoint(
        run_id=run.run_id,
        at=checkpoint.at,
        work=work,
        run_events=checkpoint.run_events,
        cursors=checkpoint.cursors,
        state=checkpoint.state,
        events=pl.concat(draft.events) if draft.events else None,
        entries=pl.concat(draft.entries).unique("instance_id", keep="first") if draft.entries else None,
        moves=b"".join(moves),
        keeps=keeps,
    )


def _targets(plan: Plan, place: Planted) -> tuple[str, ...]:
    return (place.node_id,) if place.port is None else plan.steps[place.node_id].targets.get(place.port, ())


def _arriving(run: RunRow, place: Planted, target: str, batch: pl.DataFrame) -> Work:
    return Work(
        id=stable_id(run.run_id, target, "planted", place.node_id, place.port),
        run_id=run.run_id,
        node_id=target,
        kind="arrive",
        rows=batch.height,
        batch=to_bytes(tidy(batch)),
    )
