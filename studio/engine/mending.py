"""What a person does to a run that has not gone well: try the failed ones again, look again at doubts.

Absent on purpose: single messages (`engine/verdicts.py`), and letting the run go on afterwards (`engine/leg.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl
from pydantic import JsonValue

from studio.domain.ports import LedgerChange, Runs, Work
from studio.engine.draft import Draft
from studio.engine.memory import RunMemory
from studio.engine.tally import Tally, Trouble

Changes = Mapping[int, Mapping[str, JsonValue]]
"""Instance → variable (`var.x`) → value."""


def retry_failed(
    memory: RunMemory,
    runs: Runs,
    node_id: str | None = None,
    only: Collection[int] | None = None,
    changes: Changes | None = None,
) -> Draft | None:
    """Brings kept instances back before the step they failed at; None when there are none there.

    `only`: these instances, the others stay kept; `changes`: instance → variable → value, set before they go.

    Messages that failed are planned again in the ledger first: should the program be stopped before the draft is
    committed, they are merely still kept, and can be tried again.
    """
    kept = {key: w for key, w in memory.scheduler.pending("failed").items() if node_id in (None, w.node_id)}
    if not kept:
        return None
    draft = memory.draft(consumed=list(kept))
    tried: dict[str, list[pl.Series]] = {}
    for work, whole in zip(kept.values(), memory.batch(kept), strict=True):
        batch = _changed(_chosen(draft, work, whole, only), changes or {})
        if batch.is_empty():
            continue
        tried.setdefault(work.node_id, []).append(batch.get_column("instance_id"))
        tally = draft.tallies.setdefault(work.node_id, Tally())
        if work.cursor == "send":
            _plan_again(runs, draft, batch)
            draft.add(work.node_id, "send", batch)
            # Where there is no ledger to say that they are tried again, they are messages that begin anew.
            again = "planned" if draft.run.mode == "simulate" else "retry"
            draft.count(work.node_id, failed=-batch.height, **{again: batch.height})
            tally.failed -= batch.height
            continue
        tally.quarantined -= batch.height
        if work.cursor == "resume":
            draft.add_waiting(work.node_id, batch.with_columns(due_at=pl.lit(draft.now).cast(batch.schema["due_at"])))
        else:
            draft.add(work.node_id, "arrive", batch)
            tally.arrived -= batch.height
    for step_id, ids in tried.items():
        draft.troubles += _taken_back(memory, runs, step_id, None if only is None else pl.concat(ids))
        draft.tell(step_id, "step.state", {"state": "running"})
    return draft


def _chosen(draft: Draft, work: Work, batch: pl.DataFrame, only: Collection[int] | None) -> pl.DataFrame:
    """The rows to be tried; the others are kept on as they were."""
    if only is None:
        return batch
    is_chosen = batch.get_column("instance_id").is_in(pl.Series(sorted(only), dtype=pl.UInt64).implode())
    rest = batch.filter(~is_chosen)
    if rest.height:
        draft.add(work.node_id, "failed", rest, cursor=work.cursor)
    return batch.filter(is_chosen)


def _changed(batch: pl.DataFrame, changes: Changes) -> pl.DataFrame:
    mine = {i: changes[i] for i in batch.get_column("instance_id") if i in changes}
    for name in dict.fromkeys(name for values in mine.values() for name in values):
        old = batch.get_column(name) if name in batch.columns else pl.Series(name, [None] * batch.height)
        ids = batch.get_column("instance_id")
        new = [mine[i][name] if i in mine and name in mine[i] else was for i, was in zip(ids, old, strict=True)]
        batch = batch.with_columns(pl.Series(name, new, strict=False))
    return batch


def _plan_again(runs: Runs, draft: Draft, batch: pl.DataFrame) -> None:
    if draft.run.mode == "simulate":
        return
    states = runs.outbox(draft.run.run_id, batch.get_column("outbox_id").to_list())
    failed = states.filter(pl.col("state") == "failed").get_column("outbox_id")
    if failed.len():
        changes = [LedgerChange(outbox_id=outbox_id, state="retry") for outbox_id in failed]
        runs.change_outbox(draft.run.run_id, draft.now, changes)


def _taken_back(memory: RunMemory, runs: Runs, node_id: str, only: pl.Series | None) -> list[Trouble]:
    """The step's problems that a retry answers, with their numbers taken off again; of `only` some, by their reason."""
    problems = [p for p in memory.view.step(node_id).problems if p.action == "retry" and p.count]
    if only is None:
        counts = {p.code: p.count for p in problems}
    else:
        apart = runs.quarantined(memory.run.run_id, node_id)
        chosen = apart.filter(pl.col("instance_id").is_in(only.implode()))
        counts = dict(chosen.group_by("code").len().iter_rows())
    return [
        Trouble(node_id, p.code, p.message, p.hint, count=-min(p.count, counts[p.code]), action=p.action)
        for p in problems
        if counts.get(p.code)
    ]


def revive_doubts(memory: RunMemory) -> Draft | None:
    """Looks at messages in doubt anew: the ledger may have been told, or the server may be asked now."""
    doubts = memory.scheduler.pending("doubt")
    if not doubts:
        return None
    draft = memory.draft(consumed=list(doubts))
    for work, batch in zip(doubts.values(), memory.batch(doubts), strict=True):
        draft.add(work.node_id, "send", batch, attempt=work.attempt)
        draft.count(work.node_id)
    return draft
