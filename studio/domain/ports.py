"""What the engine and the gallery need from outside, as Protocols; `workspace` fills them.

Frames are Polars frames with the schemas of `studio.frames`. Absent on purpose: any implementation, and what steps may
read of it (`reading.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from pydantic import JsonValue

from studio.domain.mail import Mailer
from studio.domain.node import Channel, Mode, Quarantined, Sender
from studio.domain.reading import ContactView, EventView
from studio.domain.run import OutboxState, RunEvent, RunState

if TYPE_CHECKING:
    import polars as pl


class Contacts(Protocol):
    """The people of a workspace."""

    def at(self, now: datetime) -> ContactView: ...


@dataclass(frozen=True, slots=True)
class EventCursor:
    """How far a reader has come: batches up to `seq` have been looked at, and of those all events up to `at`.

    Both are needed because an imported batch may hold events that lie in the run's future.
    """

    seq: int = 0
    at: datetime | None = None


class Events(Protocol):
    """The event log."""

    def seen_by(self, run_id: str) -> Events:
        """The log as one run may see it: without what other runs only simulated. Nobody bought those orders."""
        ...

    def at(self, now: datetime) -> EventView: ...

    def new(self, cursor: EventCursor, now: datetime, kinds: Sequence[str]) -> tuple[pl.DataFrame, EventCursor]:
        """Events of `kinds` not yet seen through `cursor` that happened at or before `now`, by `occurred_at`, and the
        next cursor. Nothing is given twice and nothing is passed over, whether it arrives late or lay in the future.
        With no kinds the cursor alone moves: how a run begins without the history before it.
        """
        ...

    def next_at(self, cursor: EventCursor, kinds: Sequence[str]) -> datetime | None:
        """The earliest moment at which `new` would give something more, None when the log holds nothing more."""
        ...


WorkKind: TypeAlias = Literal["produce", "arrive", "resume", "send", "inbox", "failed", "doubt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One durable piece of work: a batch that stands before a node.

    produce: the source's next chunk (`cursor`). arrive: instances before the node's input. resume: instances that wait
    inside the node; `due_at` is that of the first of them, a column says when each is due. send: instances whose
    messages are planned in the outbox. inbox: simulated contact events, the first of which happens at `due_at`. Two
    kinds wait for a person: failed (instances a step could not handle, kept for a retry) and doubt (messages in doubt).
    """

    id: str
    run_id: str
    node_id: str
    kind: WorkKind
    due_at: datetime | None = None
    rows: int = 0
    batch: bytes | None = None
    cursor: str | None = None
    attempt: int = 1
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What one stage changed, committed in one transaction or not at all. Committing it twice changes nothing.

    done: ids of the work it consumed. work: what follows. events: contact events (EVENT_SCHEMA).
    outbox: rows to plan (OUTBOX_PLAN_SCHEMA). departed: instance ids that have left the run (a frame `instance_id`).
    dropped: ids of those who entered and were let out again before anything was done for them; no goal counts them.
    changes: what becomes different about people (CHANGE_SCHEMA); a simulation has none.
    entries: instances that entered (INSTANCE_SCHEMA), kept for goals, re-entry and traces; one that is given again
    has got new arms. Arms only ever grow, so the longest count, whatever order parts are kept in.
    cursors: event cursors by reader name, to store. moves: who went which way (`studio.frames.moves`), added to what is
    there. keeps: blobs by name that replace what was kept under it (samples, notes of steps).
    version: (hash, document) that the run goes on as.
    """

    run_id: str
    at: datetime
    done: Sequence[str] = ()
    work: Sequence[Work] = ()
    events: pl.DataFrame | None = None
    outbox: pl.DataFrame | None = None
    entries: pl.DataFrame | None = None
    departed: pl.DataFrame | None = None
    dropped: pl.DataFrame | None = None
    changes: pl.DataFrame | None = None
    run_events: Sequence[RunEvent] = ()
    quarantined: Mapping[str, Sequence[Quarantined]] = field(default_factory=dict)
    cursors: Mapping[str, EventCursor] = field(default_factory=dict)
    state: RunState | None = None
    moves: bytes = b""
    keeps: Mapping[str, bytes] = field(default_factory=dict)
    version: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run as it is kept. `at` is its clock; `options` holds what the run was asked for (contacts file, profile …).

    clock: `real`, `max` (jumps to the next due time), or how many times faster than the wall it goes (`60`).
    The engine reads of `options`: `texts` (message files by name), `rates` and `truth` (of the simulated audience),
    and `step` (ISO 8601: the multiples at which a virtual clock stops).
    """

    run_id: str
    workflow_id: str
    version: str
    name: str
    mode: Mode
    seed: int
    clock: str
    state: RunState
    started_at: datetime
    at: datetime
    until: datetime | None = None
    ended_at: datetime | None = None
    options: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerChange:
    """One outbox row's next state. Changes that are facts (sent, bounced …) are committed with their contact events.

    is_verdict: a person's word, the only one that lets a message go again which a person had called sent before.
    answer: what a web call's answer held of the values that were wanted (`domain.web_answer.Taken`, JSON).
    """

    outbox_id: str
    state: OutboxState
    reason: str | None = None
    due_at: datetime | None = None
    count_attempt: bool = False
    is_verdict: bool = False
    answer: str | None = None


class Runs(Protocol):
    """Runs, their work and their ledger: everything durable the engine needs. One writer."""

    def start(self, run: RunRow, document: str, checkpoint: Checkpoint) -> None:
        """Creates the run, its workflow version (by hash) and its first work in one transaction."""
        ...

    def get(self, run_id: str) -> RunRow: ...

    def last_at_work(self, besides: str | None = None) -> datetime | None:
        """The newest moment to which a run on the real clock has come, apart from one; None when there is none."""
        ...

    def document(self, version: str) -> str:
        """The workflow text of a version."""
        ...

    def pending(self, run_id: str) -> list[Work]:
        """All work not yet done, without batches, ordered by due time, priority and id."""
        ...

    def batches(self, ids: Sequence[str]) -> dict[str, bytes]: ...

    def entries(self, run_id: str) -> pl.DataFrame:
        """INSTANCE_SCHEMA, one row per instance with its longest arms."""
        ...

    def departed(self, run_id: str) -> pl.Series: ...

    def dropped(self, run_id: str) -> pl.Series: ...

    def cursor(self, run_id: str, reader: str) -> EventCursor: ...

    def commit(self, checkpoint: Checkpoint) -> None: ...

    @property
    def is_taken(self) -> bool:
        """Whether somebody else is writing, so that a commit begun now would wait."""
        ...

    def moves(self, run_id: str) -> bytes:
        """Who went which way so far (`studio.frames.moves`)."""
        ...

    def kept(self, run_id: str, prefix: str = "") -> dict[str, bytes]:
        """What checkpoints kept by name, of the names that begin so."""
        ...

    def quarantined(self, run_id: str, node_id: str | None = None) -> pl.DataFrame:
        """`node_id, instance_id, contact_id, code, message`: who was set apart, with the last reason."""
        ...

    def last_seq(self, run_id: str) -> int: ...

    def run_events(self, run_id: str, after: int = 0, limit: int | None = None) -> list[RunEvent]: ...

    def outbox(
        self, run_id: str, ids: Sequence[str] | None = None, states: Iterable[str] | None = None
    ) -> pl.DataFrame:
        """OUTBOX_SCHEMA rows of the run."""
        ...

    def outbox_counts(self, run_id: str | None = None) -> dict[str, dict[str, int]]:
        """Node → outbox state → rows; only what is there."""
        ...

    def change_outbox(
        self, run_id: str, at: datetime, changes: Sequence[LedgerChange], events: pl.DataFrame | None = None
    ) -> None:
        """Moves rows to their next states and appends the contact events that go with it, in one transaction."""
        ...

    def doubt_sending(self, run_id: str) -> int:
        """At open: every row still `sending` becomes `in_doubt`; how many."""
        ...


class Simulator(Protocol):
    """Behaves like an audience: no connector is touched."""

    def react(self, sends: pl.DataFrame, context: SimulationContext) -> pl.DataFrame:
        """Contact events (EVENT_SCHEMA, plus `instance_id`) that follow from messages sent now, `occurred_at` now or
        later. Deterministic in the seed and the ids, whatever the batching.
        """
        ...

    def organic(self, entries: pl.DataFrame, context: SimulationContext) -> pl.DataFrame:
        """Goal events (EVENT_SCHEMA) that these entering instances (INSTANCE_SCHEMA) would bring without any message:
        what treated and held-out people have in common. No row when `rates` has no `organic`. Same determinism.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationContext:
    """What the simulated audience reacts to: `rates` of the template (click, order …), `truth` the effect per arm."""

    seed: int
    now: datetime
    workflow_id: str
    position: int
    rates: Mapping[str, float]
    truth: Mapping[str, float]
    goal_kind: str
    currency: str
    channel: Channel = "email"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How many connections at once, and how many messages per second over all of them (None: as fast as it goes)."""

    connections: int = 4
    rate_per_second: float | None = None


class MailerFactory(Protocol):
    """Gives what a run sends with: the catcher in test, the profile's server in live."""

    def mailer(self, run: RunRow) -> Mailer: ...

    def web(self, run: RunRow) -> Mailer:
        """What calls web addresses in live mode; its sessions promise what mail sessions promise."""
        ...

    def sender(self, run: RunRow) -> Sender:
        """Who the messages are from; asked for in every mode, because messages are rendered in every mode."""
        ...

    def pace(self, run: RunRow) -> Pace: ...


class Embedder(Protocol):
    """Text to unit vectors, on this computer."""

    name: str

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]: ...
