"""What a run does next: a value that is told what happened and answers with one command at a time.

Within one instant the order is fixed, because it decides who gets what: simulated events happen, triggers see new
events, arrivals and sources go as far as they can, then goals and waits see the events (so that an order placed right
after the cart counts), then waits run out, and messages go last. Absent on purpose: awaiting, the store, frames, node
types.
"""

from __future__ import annotations

import heapq
from bisect import insort
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias, assert_never

from studio.domain.debugging import StepBy
from studio.domain.ports import Work, WorkKind

ReaderName: TypeAlias = Literal["enter", "match"]
Ending: TypeAlias = Literal["done", "waiting", "stopped", "left"]
Wish: TypeAlias = Literal["pause", "continue", "step", "stop", "leave"]

_TURN: tuple[tuple[WorkKind | None, ReaderName | None], ...] = (
    ("inbox", None),
    (None, "enter"),
    ("arrive", None),
    ("produce", None),
    (None, "match"),
    ("resume", None),
    ("send", None),
)
_PARKED: frozenset[WorkKind] = frozenset({"failed", "doubt"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Do:
    """Do these pieces of work, all of one kind at one node, together."""

    kind: WorkKind
    node_id: str
    attempt: int
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Take:
    """Show a reader the events that have happened since it last looked."""

    reader: ReaderName


@dataclass(frozen=True, slots=True)
class Reach:
    """Nothing is due: let the clock go to this moment; None: until something happens outside."""

    to: datetime | None


@dataclass(frozen=True, slots=True)
class Hold:
    """Paused: do nothing until told otherwise."""


@dataclass(frozen=True, slots=True)
class Finish:
    """This leg of the run ends. `doubts`: pieces of work that wait for a person. left: the run stands as it stood."""

    state: Ending
    doubts: int = 0


Command: TypeAlias = Do | Take | Reach | Hold | Finish


@dataclass(frozen=True, slots=True)
class Added:
    """New work stands in the store."""

    work: Sequence[Work]


@dataclass(frozen=True, slots=True)
class Gone:
    """Work is done, or no longer there."""

    ids: Collection[str]


@dataclass(frozen=True, slots=True)
class Returned:
    """Work that was handed out could not be done now; it stays."""

    ids: Collection[str]


@dataclass(frozen=True, slots=True)
class Seen:
    """A reader has looked up to now; the log holds something more for it at `next_at`, and it looks again then.

    has_found: it let somebody in or go on, which counts as a step.
    """

    reader: ReaderName
    next_at: datetime | None
    has_found: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """Contact events of these kinds were recorded; None: of any kind, from outside."""

    kinds: Collection[str] | None


@dataclass(frozen=True, slots=True)
class Moved:
    """The clock stands at `now`."""

    now: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """A person wants this. `steps`: with `step`, how many commands before it holds again; `by`: how far one goes."""

    wish: Wish
    steps: int = 1
    by: StepBy = "chunk"


Happening: TypeAlias = Added | Gone | Returned | Seen | Recorded | Moved | Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What does not change during a leg.

    order: node id → place in topological order. kinds: reader → event kinds; a reader without any is never asked.
    step: the clock stops at multiples of it (0: anywhere). listeners: nodes whose waiting work makes `match` look out
    for the next event; always_match: there is a goal, so it always does. rows_max: how much work one command takes.
    """

    order: Mapping[str, int]
    kinds: Mapping[ReaderName, frozenset[str]]
    is_virtual: bool
    step: timedelta = timedelta(0)
    until: datetime | None = None
    listeners: frozenset[str] = frozenset()
    always_match: bool = False
    rows_max: Mapping[WorkKind, int] = field(default_factory=dict)


_Group: TypeAlias = tuple[str, int]


class Scheduler:
    """Tell it happenings, ask it for the next command. O(log pending work) per piece of work."""

    def __init__(self, rules: Rules, now: datetime) -> None:
        self._rules = rules
        self.now = now
        self._work: dict[str, Work] = {}
        self._later: list[tuple[datetime, str]] = []
        self._ready: dict[WorkKind, dict[_Group, list[tuple[datetime, int, str]]]] = {}
        self._in_hand: set[str] = set()
        self._counts: Counter[tuple[WorkKind, str]] = Counter()
        self._fresh: set[ReaderName] = {name for name, kinds in rules.kinds.items() if kinds}
        self._next_at: dict[ReaderName, datetime | None] = {}
        self._is_paused = False
        self._ending: Ending | None = None
        self._steps: int | None = None
        self._by: StepBy = "chunk"

    def tell(self, happening: Happening) -> None:
        """Takes note of what happened."""
        match happening:
            case Added(work):
                self._add(work)
            case Gone(ids):
                self._remove(ids)
            case Returned(ids):
                self._put_back(ids)
            case Seen(reader, next_at, has_found):
                if has_found and self._steps:
                    self._steps -= 1
                self._fresh.discard(reader)
                self._next_at[reader] = next_at
            case Recorded(kinds):
                self._refresh(kinds)
            case Moved(now):
                assert now >= self.now, "the clock of a run never goes back"
                self.now = now
                self._fresh |= {name for name, at in self._next_at.items() if at is not None and at <= now}
            case Asked(wish, steps, by):
                self._ask(wish, steps, by)
            case _:
                assert_never(happening)

    def next(self) -> Command:
        """The next command. Work it names counts as in hand until it is told `Gone` or `Returned`."""
        if self._ending is not None:
            return Finish(self._ending)
        if self._is_paused or self._steps == 0:
            return Hold()
        command = self._due()
        if command is None:
            return self._idle()
        if self._steps is not None and isinstance(command, Do):
            self._steps -= 1
        return command

    def work(self, work_id: str) -> Work:
        """Work that is not yet done."""
        return self._work[work_id]

    def pending(self, kind: WorkKind) -> dict[str, Work]:
        """Work of a kind that is not yet done, by id."""
        return {key: work for key, work in self._work.items() if work.kind == kind}

    def busy_nodes(self) -> set[str]:
        """Nodes at which something is still to happen, by itself or by a person's decision on a doubt."""
        return {node_id for (kind, node_id), count in self._counts.items() if count and kind != "failed"}

    @property
    def next_due(self) -> datetime | None:
        """When the first piece of work that is not yet due will be; None: there is none."""
        return self._next_due()

    @property
    def is_listening(self) -> bool:
        """Whether triggers may still let somebody in."""
        if not self._rules.kinds.get("enter"):
            return False
        return not self._rules.is_virtual or "enter" in self._fresh or self._next_at.get("enter") is not None

    @property
    def steps_by(self) -> StepBy | None:
        """How far a single step goes; None while the run is not stepping."""
        return self._by if self._steps is not None else None

    def _ask(self, wish: Wish, steps: int, by: StepBy) -> None:
        self._by = by
        self._is_paused = wish == "pause"
        if wish in ("stop", "leave"):
            self._ending = "stopped" if wish == "stop" else "left"
        self._steps = steps if wish == "step" else None

    def _add(self, added: Sequence[Work]) -> None:
        for work in added:
            if work.id not in self._work:
                self._work[work.id] = work
                self._counts[work.kind, work.node_id] += 1
                self._place(work)

    def _put_back(self, ids: Collection[str]) -> None:
        for work_id in self._in_hand.intersection(ids):
            self._in_hand.discard(work_id)
            self._place(self._work[work_id])

    def _remove(self, ids: Collection[str]) -> None:
        for work in [self._work.pop(work_id) for work_id in ids if work_id in self._work]:
            self._counts[work.kind, work.node_id] -= 1
            self._in_hand.discard(work.id)
            group = self._ready.get(work.kind, {}).get((work.node_id, work.attempt), [])
            group[:] = [ready for ready in group if ready[2] != work.id]

    def _place(self, work: Work) -> None:
        if work.kind in _PARKED:
            return
        if work.due_at is not None and work.due_at > self.now:
            heapq.heappush(self._later, (work.due_at, work.id))
        else:
            group = self._ready.setdefault(work.kind, {}).setdefault((work.node_id, work.attempt), [])
            insort(group, (work.due_at or _EPOCH, work.priority, work.id))

    def _refresh(self, kinds: Collection[str] | None) -> None:
        for name, wanted in self._rules.kinds.items():
            if wanted and (kinds is None or not wanted.isdisjoint(kinds)):
                self._fresh.add(name)

    def _due(self) -> Command | None:
        while self._later and self._later[0][0] <= self.now:
            _, work_id = heapq.heappop(self._later)
            if work_id in self._work:
                self._place(self._work[work_id])
        for kind, reader in _TURN:
            if reader is not None and reader in self._fresh:
                return Take(reader)
            if kind is not None and (command := self._hand_out(kind)) is not None:
                return command
        return None

    def _hand_out(self, kind: WorkKind) -> Do | None:
        groups = {key: group for key, group in self._ready.get(kind, {}).items() if group}
        if not groups:
            return None
        node_id, attempt = min(groups, key=lambda key: (self._rules.order.get(key[0], 0), *key))
        group = groups[node_id, attempt]
        limit = self._rules.rows_max.get(kind, 1)
        taken: list[str] = []
        rows = 0
        while group and (not taken or rows + self._work[group[0][2]].rows <= limit):
            work_id = group.pop(0)[2]
            taken.append(work_id)
            rows += max(self._work[work_id].rows, 1)
        self._ready[kind] = {key: left for key, left in groups.items() if left}
        self._in_hand.update(taken)
        return Do(kind, node_id, attempt, tuple(taken))

    def _idle(self) -> Command:
        rules = self._rules
        is_all = not any(count for (kind, _), count in self._counts.items() if kind not in _PARKED)
        if (is_all and not self.is_listening) or (rules.until is not None and self.now >= rules.until):
            doubts = sum(count for (kind, _), count in self._counts.items() if kind == "doubt")
            is_over = is_all and not doubts and not self.is_listening
            return Finish("done" if is_over else "waiting", doubts)
        to = min((m for m in (self._next_due(), *self._next_events()) if m is not None), default=None)
        if to is None:
            return Reach(rules.until)
        to = _ceil(to, rules.step)
        return Reach(to if rules.until is None else min(to, rules.until))

    def _next_due(self) -> datetime | None:
        while self._later and self._later[0][1] not in self._work:
            heapq.heappop(self._later)
        return self._later[0][0] if self._later else None

    def _next_events(self) -> list[datetime | None]:
        is_awaited = any(self._counts["resume", node_id] for node_id in self._rules.listeners)
        return [
            self._next_at.get("enter"),
            self._next_at.get("match") if self._rules.always_match or is_awaited else None,
        ]


def _ceil(moment: datetime, step: timedelta) -> datetime:
    return moment + (-(moment - _EPOCH)) % step if step else moment
