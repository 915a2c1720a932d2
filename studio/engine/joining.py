"""Parallel branches meet: who has come to a merging step by which of the edges that lead to it.

Everything here can be read again out of the ways the run keeps. Absent on purpose: what is waited for (the node says).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from studio.domain.node import Joins
from studio.engine.facts import constant, tidy, together
from studio.engine.idset import IdSet
from studio.engine.plan import Plan, Step
from studio.frames.events import AT
from studio.frames.instances import instance_ids
from studio.frames.moves import Move

Edge = tuple[str, str]
"""(node, port) that an edge comes from."""


@dataclass(frozen=True, slots=True)
class Met:
    """What becomes of those who have come: they go on, wait, or (they have gone on before) end."""

    out: pl.DataFrame
    wait: pl.DataFrame
    late: pl.DataFrame


class Joining:
    """Arrivals at the merging steps of one run."""

    def __init__(self, plan: Plan, run_id: str) -> None:
        self._run_id = run_id
        self._edges: dict[str, tuple[Edge, ...]] = {step.id: _edges_to(plan, step) for step in plan.joints}
        self._arrived: dict[tuple[str, Edge], IdSet] = {}
        self._gone: dict[str, IdSet] = {step.id: IdSet() for step in plan.joints}

    def __bool__(self) -> bool:
        return bool(self._edges)

    def load(self, moves: Iterable[Move]) -> None:
        """Reads who came and went in earlier legs."""
        for move in moves:
            for node_id, edges in self._edges.items():
                if (move.node_id, move.port) in edges or move.node_id == node_id:
                    ids = self._instances(move)
                    if move.node_id == node_id:
                        self._gone[node_id].add(ids)
                    else:
                        self._at(node_id, (move.node_id, move.port)).add(ids)

    def note_left(self, node_id: str, batch: pl.DataFrame) -> None:
        """These have left a merging step: whoever comes after them by another branch is late."""
        self._gone[node_id].add(batch.get_column("instance_id"))

    def meet(
        self, step: Step, arrivals: Sequence[tuple[Edge, pl.DataFrame]], waiting: pl.DataFrame, now: datetime
    ) -> Met:
        """What becomes of those who come now. `waiting`: the rows of the same instances that wait here already."""
        node = step.node
        assert isinstance(node, Joins), "only merging steps join"
        for edge, batch in arrivals:
            self._at(step.id, edge).add(batch.get_column("instance_id"))
        rows = [batch for _, batch in arrivals]
        if waiting.height:
            rows.insert(0, waiting)
        batch = _put_together(rows)
        is_late = self._gone[step.id].mask(batch.get_column("instance_id"))
        late, batch = batch.filter(is_late), batch.filter(~is_late)
        is_whole = self._is_whole(step.id, batch.get_column("instance_id")) if node.joins_all else None
        out = batch if is_whole is None else batch.filter(is_whole)
        wait = batch.clear() if is_whole is None else batch.filter(~is_whole)
        due = pl.col("due_at").fill_null(pl.lit(now + node.patience, dtype=AT))
        if "due_at" not in wait.columns:
            wait = wait.hstack([constant("due_at", None, AT, wait.height)])
        return Met(tidy(out), wait.with_columns(due), tidy(late))

    def _is_whole(self, node_id: str, ids: pl.Series) -> pl.Series:
        whole = pl.repeat(True, ids.len(), eager=True, dtype=pl.Boolean)
        for edge in self._edges[node_id]:
            whole = whole & self._at(node_id, edge).mask(ids)
        return whole

    def _at(self, node_id: str, edge: Edge) -> IdSet:
        return self._arrived.setdefault((node_id, edge), IdSet())

    def _instances(self, move: Move) -> pl.Series:
        if move.by_instance:
            return pl.Series("instance_id", move.numbers, dtype=pl.UInt64)
        contacts = pl.Series("contact_id", move.numbers, dtype=pl.UInt32)
        return instance_ids(self._run_id, contacts, constant("key", None, pl.String(), contacts.len()))


def _edges_to(plan: Plan, step: Step) -> tuple[Edge, ...]:
    return tuple(
        (source.id, port)
        for source in plan.steps.values()
        for port, targets in source.targets.items()
        if step.id in targets
    )


def _put_together(rows: list[pl.DataFrame]) -> pl.DataFrame:
    """One row per instance; of each column the last value that is there."""
    whole = together(rows)
    if whole.get_column("instance_id").n_unique() == whole.height:
        return whole
    others = [name for name in whole.columns if name != "instance_id"]
    last = [pl.col(name).drop_nulls().last() for name in others if name != "arms"]
    longest = pl.col("arms").sort_by(pl.col("arms").str.len_bytes()).last()
    return whole.group_by("instance_id", maintain_order=True).agg(*last, longest).select(whole.columns)
