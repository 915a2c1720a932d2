"""The ports Runs, Events and Contacts in memory: what the engine's tests run on, held to the store's own contract test.

`Fault` makes the N-th write die, before or after it took effect: a process that is killed there.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from studio.domain.errors import Corrupt, UserFixable
from studio.domain.ports import Checkpoint, EventCursor, LedgerChange, RunRow, Work
from studio.domain.run import FINAL_RUN_STATES, RunEvent
from studio.frames.events import AT, EVENT_SCHEMA, OUTBOX_SCHEMA, as_events, empty_events
from studio.frames.instances import INSTANCE_SCHEMA, empty_instances

_SENDABLE = ("planned", "retry", "resend_approved")
_NEVER_AGAIN = ("planned", "retry", "held", "in_doubt", "resend_approved")


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Fault:
    """Dies at the `at`-th write from now on; `is_after`: when it has taken effect."""

    at: int = -1
    is_after: bool = False
    writes: int = 0
    is_dead: bool = False

    def before(self) -> None:
        if self.is_dead:
            raise Killed
        self.writes += 1
        if self.writes == self.at and not self.is_after:
            self.is_dead = True
            raise Killed

    def after(self) -> None:
        if self.writes == self.at:
            self.is_dead = True
            raise Killed


class MemoryLog:
    """The event log: events with the number of the batch they came with."""

    def __init__(self) -> None:
        self.tip = 0
        self._ids: set[int] = set()
        self._rows = empty_events().with_columns(pl.Series("seq", [], dtype=pl.Int64))
        self._by_kinds: dict[tuple[str, ...], tuple[int, pl.DataFrame, list[datetime], list[int]]] = {}

    def append(self, events: pl.DataFrame | None) -> None:
        if events is None or events.is_empty():
            return
        events = as_events(events).unique("event_id", keep="first", maintain_order=True)
        is_fresh = [event_id not in self._ids for event_id in events.get_column("event_id")]
        fresh = events.filter(is_fresh)
        if fresh.height:
            self.tip += 1
            self._ids.update(fresh.get_column("event_id"))
            self._rows = pl.concat([self._rows, fresh.with_columns(pl.Series("seq", [self.tip] * fresh.height))])

    def of(self, kinds: Sequence[str]) -> tuple[pl.DataFrame, list[datetime], list[int]]:
        """Events of some kinds by time, their moments and batch numbers; plain lists, because asking is frequent."""
        key = tuple(sorted(kinds))
        if self._by_kinds.get(key, (-1,))[0] != self.tip:
            rows = self._rows.filter(pl.col("kind").is_in(list(kinds))).sort("occurred_at", "event_id")
            lists = rows.get_column("occurred_at").to_list(), rows.get_column("seq").to_list()
            self._by_kinds[key] = (self.tip, rows.drop("seq"), *lists)
        return self._by_kinds[key][1:]

    @property
    def all(self) -> pl.DataFrame:
        return self._rows.drop("seq")


class MemoryEvents:
    """The port `Events`."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    def seen_by(self, run_id: str) -> MemoryEvents:
        return self

    def at(self, now: datetime) -> MemoryView:
        return MemoryView(self._log, now)

    def new(self, cursor: EventCursor, now: datetime, kinds: Sequence[str]) -> tuple[pl.DataFrame, EventCursor]:
        if cursor.at is not None and now < cursor.at:
            return empty_events(), cursor
        rows, at, seqs = self._log.of(kinds)
        fresh = [n for n in self._after(cursor, at, seqs) if at[n] <= now]
        return (rows[fresh] if fresh else empty_events()), EventCursor(self._log.tip, now)

    def next_at(self, cursor: EventCursor, kinds: Sequence[str]) -> datetime | None:
        _, at, seqs = self._log.of(kinds)
        return min((at[n] for n in self._after(cursor, at, seqs)), default=None)

    def _after(self, cursor: EventCursor, at: list[datetime], seqs: list[int]) -> list[int]:
        if cursor.at is None:
            return list(range(len(at)))
        return [n for n in range(len(at)) if seqs[n] > cursor.seq or at[n] > cursor.at]


class MemoryView:
    """The port `EventView`."""

    def __init__(self, log: MemoryLog, now: datetime) -> None:
        self._log = log
        self._now = now

    @property
    def _rows(self) -> pl.DataFrame:
        return self._log.all.filter(pl.col("occurred_at") <= self._now)

    def totals(self, kind, *, since=None, ids=None, run_id=None):
        rows = self.rows((kind,), since=since, ids=ids, run_id=run_id)
        return (
            rows.group_by("contact_id")
            .agg(
                pl.len().cast(pl.UInt32).alias("count"),
                pl.col("occurred_at").min().alias("first_at"),
                pl.col("occurred_at").max().alias("last_at"),
                pl.col("value").sum(),
            )
            .sort("contact_id")
        )

    def rows(self, kinds, *, since=None, ids=None, run_id=None):
        rows = self._rows.filter(pl.col("kind").is_in(list(kinds)))
        if since is not None:
            rows = rows.filter(pl.col("occurred_at") >= since)
        if ids is not None:
            rows = rows.filter(pl.col("contact_id").is_in(ids.implode()))
        if run_id is not None:
            rows = rows.filter(pl.col("run_id") == run_id)
        return rows.sort("occurred_at", "event_id")

    def instances(self, kind: str, run_id: str) -> pl.Series:
        rows = self._rows.filter((pl.col("kind") == kind) & (pl.col("run_id") == run_id))
        return rows.get_column("instance_id").drop_nulls().unique()

    def event_ids(self, kind: str, run_id: str) -> pl.Series:
        return self._rows.filter((pl.col("kind") == kind) & (pl.col("run_id") == run_id)).get_column("event_id")


class MemoryContacts:
    """The ports `Contacts` and `ContactView`: contacts 0 … n-1, whose address is made of their number."""

    def __init__(self, count: int) -> None:
        self._count = count

    def at(self, now: datetime) -> MemoryContacts:
        return self

    def ids(self, after: int, limit: int, source: str | None = None) -> pl.Series:
        first = after + 1
        return pl.Series("contact_id", range(first, min(first + limit, self._count)), dtype=pl.UInt32)

    def fields(self, ids: pl.Series, names: Sequence[str]) -> pl.DataFrame:
        known = {"email": [address(i) for i in ids], "key": [str(i) for i in ids]}
        return pl.DataFrame({"contact_id": ids, **{name: known.get(name, [None] * len(ids)) for name in names}})

    def few(self, ids, names):
        found = self.fields(pl.Series("contact_id", ids, dtype=pl.UInt32), names)
        return dict(found.schema), found.to_dicts()

    def names(self) -> tuple[str, ...]:
        return ("key", "email")

    def consent(self, ids, channel, topic):
        return pl.DataFrame({"contact_id": ids, "state": ["granted"] * len(ids)})

    def suppressed(self, ids, channel, topic):
        return pl.DataFrame(schema={"contact_id": pl.UInt32, "reason": pl.String})


def address(contact_id: int) -> str:
    return f"p{contact_id}@example.invalid"


class MemoryRuns:
    """The port `Runs`. Thread-safe, like the store."""

    def __init__(self, log: MemoryLog | None = None, fault: Fault | None = None) -> None:
        self.log = log or MemoryLog()
        self.fault = fault or Fault()
        self._lock = threading.RLock()
        self.changes: list[pl.DataFrame] = []
        self._runs: dict[str, RunRow] = {}
        self._documents: dict[str, str] = {}
        self._work: dict[str, Work] = {}
        self._done: set[str] = set()
        self._entries: dict[str, list[pl.DataFrame]] = {}
        self._departed: dict[str, list[pl.Series]] = {}
        self._dropped: dict[str, list[pl.Series]] = {}
        self._cursors: dict[tuple[str, str], EventCursor] = {}
        self._events: dict[str, list[RunEvent]] = {}
        self._outbox: dict[str, dict[str, object]] = {}
        self.quarantine: dict[tuple[str, str, int], tuple[str, str]] = {}
        self._moves: dict[str, bytes] = {}
        self._set_apart: dict[tuple[str, str, int], int] = {}
        self._kept: dict[tuple[str, str], bytes] = {}

    def start(self, run: RunRow, document: str, checkpoint: Checkpoint) -> None:
        with self._lock:
            if run.run_id in self._runs:
                raise UserFixable("RUN-EXISTS", f"There is a run {run.run_id} already.")
            self._documents[run.version] = document
            self._runs[run.run_id] = run
            self._save(checkpoint)

    def get(self, run_id: str) -> RunRow:
        if run_id not in self._runs:
            raise UserFixable("RUN-UNKNOWN", f"There is no run {run_id}.")
        return self._runs[run_id]

    def last_at_work(self, besides: str | None = None) -> datetime | None:
        return max((r.at for r in self._runs.values() if r.clock == "real" and r.run_id != besides), default=None)

    def document(self, version: str) -> str:
        if version not in self._documents:
            raise UserFixable("WORKFLOW-VERSION-UNKNOWN", f"There is no workflow version {version}.")
        return self._documents[version]

    def pending(self, run_id: str) -> list[Work]:
        work = [replace(w, batch=None) for w in self._work.values() if w.run_id == run_id and w.id not in self._done]
        return sorted(work, key=lambda w: (w.due_at is not None, w.due_at or 0, w.priority, w.id))

    def batches(self, ids: Sequence[str]) -> dict[str, bytes]:
        work = [self._work[i] for i in ids if i in self._work and i not in self._done]
        return {w.id: w.batch for w in work if w.batch is not None}

    def entries(self, run_id: str) -> pl.DataFrame:
        frame = pl.concat([empty_instances(), *self._entries.get(run_id, [])])
        longest = frame.sort(pl.col("arms").str.len_bytes(), descending=True, maintain_order=True)
        return longest.unique("instance_id", keep="first", maintain_order=True).select(*INSTANCE_SCHEMA)

    def departed(self, run_id: str) -> pl.Series:
        return _distinct(self._departed.get(run_id, []))

    def dropped(self, run_id: str) -> pl.Series:
        return _distinct(self._dropped.get(run_id, []))

    def cursor(self, run_id: str, reader: str) -> EventCursor:
        return self._cursors.get((run_id, reader), EventCursor())

    @property
    def is_taken(self) -> bool:
        return False

    def commit(self, checkpoint: Checkpoint) -> None:
        with self._lock:
            self.fault.before()
            self._save(checkpoint)
            self.fault.after()

    def moves(self, run_id: str) -> bytes:
        return self._moves.get(run_id, b"")

    def kept(self, run_id: str, prefix: str = "") -> dict[str, bytes]:
        return {name: data for (run, name), data in self._kept.items() if run == run_id and name.startswith(prefix)}

    def quarantined(self, run_id: str, node_id: str | None = None) -> pl.DataFrame:
        schema = {"node_id": pl.String, "instance_id": pl.UInt64, "contact_id": pl.UInt32}
        rows = [
            (node, instance, self._set_apart[run, node, instance], *why)
            for (run, node, instance), why in self.quarantine.items()
            if run == run_id and node_id in (None, node)
        ]
        return pl.DataFrame(rows, schema={**schema, "code": pl.String, "message": pl.String}, orient="row")

    def last_seq(self, run_id: str) -> int:
        events = self._events.get(run_id, [])
        return events[-1].seq if events else 0

    def run_events(self, run_id: str, after: int = 0, limit: int | None = None) -> list[RunEvent]:
        events = [event for event in self._events.get(run_id, []) if event.seq > after]
        return events[:limit]

    def outbox(
        self, run_id: str, ids: Sequence[str] | None = None, states: Iterable[str] | None = None
    ) -> pl.DataFrame:
        with self._lock:
            rows = [dict(row) for row in self._outbox.values() if row["run_id"] == run_id]
        wanted = None if states is None else set(states)
        rows = [row for row in rows if ids is None or row["outbox_id"] in set(ids)]
        rows = [row for row in rows if wanted is None or row["state"] in wanted]
        return pl.DataFrame(rows, schema=OUTBOX_SCHEMA, orient="row").sort("outbox_id")

    def outbox_counts(self, run_id: str | None = None) -> dict[str, dict[str, int]]:
        counts: dict[str, dict[str, int]] = {}
        for row in self._outbox.values():
            if run_id in (None, row["run_id"]):
                states = counts.setdefault(str(row["node_id"]), {})
                states[str(row["state"])] = states.get(str(row["state"]), 0) + 1
        return counts

    def change_outbox(
        self, run_id: str, at: datetime, changes: Sequence[LedgerChange], events: pl.DataFrame | None = None
    ) -> None:
        with self._lock:
            self.fault.before()
            for change in changes:
                self._change(run_id, at, change)
            self.log.append(events)
            self.fault.after()

    def doubt_sending(self, run_id: str) -> int:
        with self._lock:
            rows = [r for r in self._outbox.values() if r["run_id"] == run_id and r["state"] == "sending"]
            for row in rows:
                row["state"] = "in_doubt"
            return len(rows)

    def _change(self, run_id: str, at: datetime, change: LedgerChange) -> None:
        row = self._outbox.get(change.outbox_id)
        is_refused = row is None or row["run_id"] != run_id
        is_refused = is_refused or (change.state == "sending" and row["state"] not in _SENDABLE)
        is_undone = change.is_verdict and row is not None and row["state"] == "resolved_sent"
        is_undone = is_undone and change.state == "resend_approved"
        was_sent = not is_refused and row["state"] in ("sent", "resolved_sent")
        is_refused = is_refused or (was_sent and change.state in _NEVER_AGAIN and not is_undone)
        if is_refused:
            raise Corrupt("LEDGER-STATE", f"{row and row['state']} to {change.state}")
        row |= {"state": change.state, "reason": change.reason, "due_at": change.due_at, "changed_at": at}
        row["answer"] = change.answer or row["answer"]
        row["attempts"] += change.count_attempt

    def _save(self, checkpoint: Checkpoint) -> None:
        run_id, done = checkpoint.run_id, list(checkpoint.done)
        if checkpoint.changes is not None:
            self.changes.append(checkpoint.changes)
        if done:
            fresh = [i for i in done if i in self._work and i not in self._done]
            if not fresh:
                return
            if len(fresh) != len(done):
                raise Corrupt("CHECKPOINT-WORK", "a part of the work was not open")
        self._done.update(done)
        for work in checkpoint.work:
            self._work.setdefault(work.id, work)
        self.log.append(checkpoint.events)
        self._plan(run_id, checkpoint)
        if checkpoint.entries is not None:
            self._entries.setdefault(run_id, []).append(checkpoint.entries)
        if checkpoint.departed is not None:
            self._departed.setdefault(run_id, []).append(checkpoint.departed.get_column("instance_id"))
        if checkpoint.dropped is not None:
            self._dropped.setdefault(run_id, []).append(checkpoint.dropped.get_column("instance_id"))
        self._moves[run_id] = self.moves(run_id) + checkpoint.moves
        self._kept |= {(run_id, name): data for name, data in checkpoint.keeps.items()}
        self._note(run_id, checkpoint.run_events)
        for node_id, items in checkpoint.quarantined.items():
            for item in items:
                self.quarantine[run_id, node_id, item.instance_id] = (item.code, item.message)
                self._set_apart[run_id, node_id, item.instance_id] = item.contact_id
        for reader, cursor in checkpoint.cursors.items():
            self._cursors[run_id, reader] = cursor
        if checkpoint.version is not None:
            version, document = checkpoint.version
            self._documents[version] = document
            self._runs[run_id] = replace(self._runs[run_id], version=version)
        state = checkpoint.state or self._runs[run_id].state
        ended_at = checkpoint.at if state in FINAL_RUN_STATES else None
        self._runs[run_id] = replace(self._runs[run_id], at=checkpoint.at, state=state, ended_at=ended_at)

    def _plan(self, run_id: str, checkpoint: Checkpoint) -> None:
        rows = [] if checkpoint.outbox is None else checkpoint.outbox.to_dicts()
        for row in rows:
            fixed = {
                "run_id": run_id,
                "state": "planned",
                "attempts": 0,
                "reason": None,
                "due_at": None,
                "answer": None,
            }
            self._outbox.setdefault(row["outbox_id"], {**row, **fixed, "changed_at": checkpoint.at})

    def _note(self, run_id: str, run_events: Sequence[RunEvent]) -> None:
        kept = self._events.setdefault(run_id, [])
        for event in run_events:
            if event.seq <= len(kept):
                if kept[event.seq - 1] != event:
                    raise Corrupt("CHECKPOINT-EVENTS", "two run events have the same number")
            else:
                assert event.seq == len(kept) + 1, "run events have gaps"
                kept.append(event)


def events_frame(rows: Iterable[dict[str, object]]) -> pl.DataFrame:
    """EVENT_SCHEMA out of a few rows."""
    return pl.DataFrame(list(rows), schema=EVENT_SCHEMA).with_columns(pl.col("occurred_at").cast(AT))


def _distinct(parts: Sequence[pl.Series]) -> pl.Series:
    return pl.concat(parts).unique() if parts else pl.Series("instance_id", [], dtype=pl.UInt64)
