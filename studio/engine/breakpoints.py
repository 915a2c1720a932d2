"""The breakpoints of one run: who is held before a step, and why in words.

Absent on purpose: holding; the stage puts the held ones aside as work, and the leg pauses.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from studio.domain.debugging import Breakpoint, breakpoint_json, read_breakpoint
from studio.domain.node import NodeContext
from studio.domain.port_words import Ways
from studio.engine.plan import Step

KEPT = "breakpoints"
_ONCE = ("count", "empty")
_VALUES_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Hit:
    """A breakpoint that was reached at a step. `people` are held there; for `empty` and `error` it may be nobody."""

    breakpoint: Breakpoint
    node_id: str
    people: int = 0


class Breakpoints:
    """Asked by stages. A count or an empty port stops a run once, the others every time."""

    def __init__(self, given: Iterable[Breakpoint], fired: Iterable[str] = ()) -> None:
        self.given = tuple(given)
        self._fired = set(fired)
        self._values: dict[Breakpoint, set[object]] = {}
        self.sample_of: Callable[[str], pl.DataFrame | None] = lambda _: None
        """Who came to a node before, for what is usual there."""

    def __bool__(self) -> bool:
        return bool(self.given)

    def to_bytes(self) -> bytes:
        """What is kept of them."""
        return json.dumps([{**_dict(b), "fired": str(b) in self._fired} for b in self.given]).encode()

    def before(
        self, step: Step, batch: pl.DataFrame, came: int, context: Callable[[], NodeContext]
    ) -> tuple[pl.Series | None, list[Hit]]:
        """Which rows of a batch that stands before a step are held (None: none), and what for.

        `came`: how many have come to the step before them in this run.
        """
        held: pl.Series | None = None
        hits: list[Hit] = []
        for given in self._at(step.id, ("before", "count", "contact", "new_value")):
            mask = self._held(given, batch, came, context)
            if mask is not None and (people := int(mask.sum())):
                held = mask if held is None else held | mask
                hits.append(self._hit(given, step.id, people))
        return held, hits

    def leaving(self, step: Step, port: str, total: int, people: int) -> list[Hit]:
        """Whether those who are about to leave through a port are too many; `total` with them."""
        return [
            self._hit(given, step.id, people)
            for given in self._at(step.id, ("count",))
            if given.port == port and given.more_than is not None and total > given.more_than
        ]

    def empty(self, step: Step, out: Mapping[str, int]) -> list[Hit]:
        """Whether a port stayed empty though people came. `out`: port → how many have left so far in this run."""
        return [
            self._hit(given, step.id, 0)
            for given in self._at(step.id, ("empty",))
            if not (out.get(given.port, 0) if given.port else sum(out.values()))
        ]

    def failed(self, step: Step, people: int) -> list[Hit]:
        """Whether a failure at the step stops the run."""
        return [self._hit(given, step.id, people) for given in self._at(step.id, ("error",))]

    def _at(self, node_id: str, kinds: tuple[str, ...]) -> list[Breakpoint]:
        return [b for b in self.given if b.when in kinds and b.node in (None, node_id) and str(b) not in self._fired]

    def _hit(self, given: Breakpoint, node_id: str, people: int) -> Hit:
        if given.when in _ONCE:
            self._fired.add(str(given))
        return Hit(given, node_id, people)

    def _held(
        self, given: Breakpoint, batch: pl.DataFrame, came: int, context: Callable[[], NodeContext]
    ) -> pl.Series | None:
        everybody = pl.repeat(True, batch.height, eager=True, dtype=pl.Boolean)
        match given.when:
            case "before":
                return everybody
            case "count":
                is_too_many = given.port is None and given.more_than is not None
                return everybody if is_too_many and came + batch.height > (given.more_than or 0) else None
            case "contact":
                return batch.get_column("contact_id") == given.contact_id if given.contact_id is not None else None
            case "new_value":
                return self._new(given, batch, context())
            case _:
                return None

    def _new(self, given: Breakpoint, batch: pl.DataFrame, context: NodeContext) -> pl.Series | None:
        """Rows with values nobody had before; who came first to the node says what is usual."""
        values = _values(batch, str(given.field), context)
        known = self._values.get(given)
        if known is None and (sample := self.sample_of(str(given.node))) is not None:
            known = set(_values(sample, str(given.field), context).unique())
        now = set(values.unique())
        self._values[given] = set(list((known or set()) | now)[:_VALUES_MAX])
        if known is None or len(known) >= _VALUES_MAX or not now - known:
            return None
        fresh = now - known
        return pl.Series([value in fresh for value in values], dtype=pl.Boolean)


def in_words(hits: Iterable[Hit], labels: Mapping[str, str], ways: Ways) -> str:
    """Why a run has stopped."""
    told = []
    for hit in hits:
        place = labels.get(hit.node_id, hit.node_id)
        who = "1 person stands" if hit.people == 1 else f"{hit.people:,} people stand"
        held = f" {who} before “{place}”." if hit.people and hit.breakpoint.when != "error" else f" At “{place}”."
        told.append(f"Stopped {hit.breakpoint.in_words(labels, ways)}.{held}")
    return " ".join(dict.fromkeys(told))


def read_breakpoints(data: bytes) -> Breakpoints:
    """What `to_bytes` gave."""
    rows = json.loads(data)
    given = tuple(read_breakpoint(row) for row in rows)
    return Breakpoints(given, (str(b) for b, row in zip(given, rows, strict=True) if row.get("fired")))


def _dict(given: Breakpoint) -> dict[str, object]:
    value = breakpoint_json(given)
    assert isinstance(value, dict), "breakpoints are kept as objects"
    return dict(value)


def _values(batch: pl.DataFrame, name: str, context: NodeContext) -> pl.Series:
    if name in batch.columns:
        return batch.get_column(name).cast(pl.String)
    if name.startswith("var."):
        return pl.Series(name, [None] * batch.height, dtype=pl.String)
    ids = batch.get_column("contact_id")
    known = context.contacts.fields(ids.unique().sort(), (name,))
    return (
        batch.select("contact_id").join(known, on="contact_id", how="left", maintain_order="left")[name].cast(pl.String)
    )
