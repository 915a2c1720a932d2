"""Stands beside a stage that is being debugged: holds people before steps, for breakpoints, single steps and pins.

A stage without one runs as fast as ever. Absent on purpose: what a breakpoint is (`engine/breakpoints.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from studio.domain.run import RunView
from studio.engine.breakpoints import Breakpoints, Hit
from studio.engine.idset import IdSet
from studio.engine.plan import Step
from studio.engine.tally import Contexts, Tally

RELEASED = "released"
"""The cursor of arriving work that has been held once: it goes on without being asked again."""


@dataclass(frozen=True, slots=True)
class Held:
    """A batch put aside before a node."""

    node_id: str
    batch: pl.DataFrame
    attempt: int
    is_released: bool
    edge: tuple[str, str] | None = None

    @property
    def cursor(self) -> str | None:
        """What the work remembers of it: whether it is to be asked again, and by which edge it came."""
        first = RELEASED if self.is_released else ""
        return (first or None) if self.edge is None else ":".join((first, *self.edge))


class Guard:
    """One stage's. `visits`: how many nodes may still be gone to (None: any number)."""

    def __init__(
        self,
        breakpoints: Breakpoints,
        view: RunView,
        contexts: Contexts,
        *,
        visits: int | None = None,
        pinned: Collection[str] = (),
    ) -> None:
        self._breakpoints = breakpoints
        self._view = view
        self._contexts = contexts
        self._visits = visits
        self._pinned = pinned
        self._released: dict[str, IdSet] = {}
        self._is_closed = False
        self.held: list[Held] = []
        self.hits: list[Hit] = []

    def release(self, node_id: str, batch: pl.DataFrame) -> None:
        """These have been held before the node already."""
        self._released.setdefault(node_id, IdSet()).add(batch.get_column("instance_id"))

    def is_pinned(self, node_id: str) -> bool:
        """Whether the node gives what is pinned instead of running: whoever comes there stops."""
        return node_id in self._pinned

    def admit(
        self, step: Step, batch: pl.DataFrame, attempt_no: int, tally: Tally, edge: tuple[str, str] | None = None
    ) -> pl.DataFrame:
        """The part of a batch that may go to the step; the rest is held.

        `edge`: by which it came, where branches meet.
        """
        if self._is_closed or self._visits == 0:
            self._hold(step.id, batch, attempt_no, is_released=False, edge=edge)
            return batch.clear()
        released = self._released.get(step.id)
        fresh = batch if released is None else batch.filter(~released.mask(batch.get_column("instance_id")))
        if fresh.is_empty():
            return batch
        came = self._view.step(step.id).arrived + tally.arrived
        mask, hits = self._breakpoints.before(step, fresh, came, lambda: self._contexts(step.id))
        if mask is None:
            return batch
        self.hits += hits
        held = fresh.filter(mask)
        self._hold(step.id, held, attempt_no, is_released=True, edge=edge)
        gone = IdSet(held.get_column("instance_id"))
        return batch.filter(~gone.mask(batch.get_column("instance_id")))

    def leaving(self, step: Step, port: str, batch: pl.DataFrame, tally: Tally) -> bool:
        """Whether a batch that leaves through a port is held behind it."""
        total = self._view.step(step.id).out.get(port, 0) + tally.out[port]
        hits = self._breakpoints.leaving(step, port, total, batch.height)
        self.hits += hits
        for target in step.targets.get(port, ()) if hits else ():
            self._hold(target, batch, 1, is_released=True, edge=(step.id, port))
        return bool(hits)

    def visited(self, step: Step, tally: Tally, failed: int) -> None:
        """A step has been gone to; `failed`: how many it could not handle now."""
        if self._visits:
            self._visits -= 1
        before = self._view.step(step.id).out
        out: Mapping[str, int] = {port: before.get(port, 0) + tally.out[port] for port in step.ports}
        hits = [*self._breakpoints.empty(step, out), *(self._breakpoints.failed(step, failed) if failed else ())]
        self._is_closed = self._is_closed or bool(hits)
        self.hits += hits

    def batches(self) -> Sequence[pl.DataFrame]:
        """Everybody who is held."""
        return [held.batch for held in self.held]

    def _hold(
        self,
        node_id: str,
        batch: pl.DataFrame,
        attempt_no: int,
        *,
        is_released: bool,
        edge: tuple[str, str] | None = None,
    ) -> None:
        if batch.height:
            self.held.append(Held(node_id, batch, attempt_no, is_released, edge))


def edge_of(cursor: str | None) -> tuple[str, str] | None:
    """The edge by which held work came, where it matters."""
    parts = (cursor or "").split(":")
    return (parts[1], parts[2]) if len(parts) == 3 else None
