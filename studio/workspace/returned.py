"""The story of mail that comes back: whose message it was, what it says of the address, and what follows from it.

Each report becomes one contact event of the message's run, so funnels, gates and doubts see it like any other fact.
Absent on purpose: reading mail (`connectors.returned_mail`), and sending again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl

from studio.connectors.returned_mail import Returned, read_returned
from studio.domain.clock import Clock
from studio.domain.ports import RunRow
from studio.experiments.assignment import hash64, stable_keys
from studio.frames.events import AT, as_events
from studio.store.store import Store
from studio.workspace.runs import RunsStory

BATCH = 1_000
CHANNEL = "email"
HARD = "hard_bounce"
COMPLAINT = "complaint"
_FACTS = ("bounced", "delivered", "complained", "replied")
"""Kinds of returned mail that are contact events; the others are only counted."""
_BEGINNING = datetime(1, 1, 2, tzinfo=UTC)
_ACTORS = {"complained": "human", "replied": "human"}


@dataclass(slots=True, kw_only=True)
class ReturnedReport:
    """What a mailbox held. All of `messages` are in exactly one of the numbers from `hard` to `unreadable`.

    `not_ours` name no message of this workspace; `repeated` were read before; `suppressed` addresses get no mail any
    more; `settled` messages were in doubt and are not any more, `to_settle` will be when their run goes on.
    """

    path: str
    messages: int = 0
    hard: int = 0
    soft: int = 0
    policy: int = 0
    delayed: int = 0
    delivered: int = 0
    complained: int = 0
    replied: int = 0
    automatic: int = 0
    not_ours: int = 0
    unreadable: int = 0
    repeated: int = 0
    suppressed: int = 0
    settled: int = 0
    to_settle: int = 0
    statuses: Counter[str] = field(default_factory=Counter)


_WORDS = (
    ("hard", "hard bounce: the address is dead", "hard bounces: the address is dead"),
    ("soft", "soft bounce: not now", "soft bounces: not now"),
    ("policy", "refused as unwanted", "refused as unwanted"),
    ("delayed", "delayed, still under way", "delayed, still under way"),
    ("delivered", "delivered", "delivered"),
    ("complained", "complaint that it is spam", "complaints that it is spam"),
    ("replied", "answer", "answers"),
    ("automatic", "automatic answer", "automatic answers"),
    ("not_ours", "about no message of this workspace", "about no message of this workspace"),
    ("unreadable", "not understood", "not understood"),
)


def found(report: ReturnedReport) -> list[tuple[int, str]]:
    """What a mailbox held, in words: how many, and of what."""
    counts = ((getattr(report, name), one, more) for name, one, more in _WORDS)
    return [(count, one if count == 1 else more) for count, one, more in counts if count]


def consequences(report: ReturnedReport) -> list[str]:
    """What followed from it, a sentence each."""
    told = (
        (report.repeated, "was known already", "were known already"),
        (report.suppressed, "address gets no mail any more", "addresses get no mail any more"),
        (
            report.settled,
            "message in doubt has arrived and is settled",
            "messages in doubt have arrived and are settled",
        ),
        (
            report.to_settle,
            "message in doubt has arrived; it is settled when its run goes on",
            "messages in doubt have arrived; they are settled when their runs go on",
        ),
    )
    return [f"{count:,} {one if count == 1 else more}." for count, one, more in told if count]


class ReturnedStory:
    """Returned mail of one workspace."""

    def __init__(self, store: Store, runs: RunsStory, clock: Clock) -> None:
        self._store = store
        self._runs = runs
        self._clock = clock

    def take_in(self, path: Path, progress: Callable[[int], None] = lambda _: None) -> ReturnedReport:
        """Reads a mailbox and draws the consequences; doing it twice changes nothing.

        Raises:
            UserFixable: what `read_returned` raises.
        """
        report = ReturnedReport(path=str(path))
        doubtful: set[str] = set()
        mail = read_returned(path)
        while part := list(islice(mail, BATCH)):
            report.messages += len(part)
            doubtful |= self._take(part, report)
            progress(report.messages)
        self._settle(doubtful, report)
        return report

    def _take(self, part: Sequence[Returned], report: ReturnedReport) -> set[str]:
        facts = self._facts(part, report)
        if facts.is_empty():
            return set()
        known = self._known(facts)
        fresh = facts.unique("event_id", maintain_order=True).filter(~pl.col("event_id").is_in(known.implode()))
        report.repeated += facts.height - fresh.height
        with self._store.transaction():
            self._store.import_events([as_events(fresh)], "returned mail")
            # Only what is new: an address that was corrected since its bounce is another one.
            self._suppress(fresh.filter(pl.col("class") == "hard"), HARD, report)
            self._suppress(fresh.filter(pl.col("kind") == "complained"), COMPLAINT, report)
        return set(facts.filter(pl.col("state") == "in_doubt").get_column("outbox_id"))

    def _known(self, facts: pl.DataFrame) -> pl.Series:
        """Ids of the events of these people that the log has."""
        people = facts.get_column("contact_id").unique().sort()
        return (
            self._store.events.at(self._clock.now()).rows(_FACTS, since=_BEGINNING, ids=people).get_column("event_id")
        )

    def _facts(self, reports: Sequence[Returned], report: ReturnedReport) -> pl.DataFrame:
        """A row per report that tells a fact about our messages: event columns, `outbox_id`, `state`, `class`."""
        known = {
            row["message_id"]: row
            for row in self._store.runs.messages([_outbox_id(m) for r in reports for m in r.message_ids]).to_dicts()
        }
        runs = {run_id: self._store.runs.get(str(run_id)) for run_id in {row["run_id"] for row in known.values()}}
        rows = []
        for returned in reports:
            message = next((known[m] for m in returned.message_ids if m in known), None)
            _count(report, returned, is_ours=message is not None)
            if message is not None and returned.kind in _FACTS:
                rows.append(self._row(returned, message, runs[message["run_id"]]))
        columns = {"occurred_at": AT, "instance_id": pl.UInt64, "contact_id": pl.UInt32, "class": pl.String}
        return _numbered(pl.DataFrame(rows, schema_overrides=columns)) if rows else pl.DataFrame()

    def _row(self, returned: Returned, message: dict[str, object], run: RunRow) -> dict[str, object]:
        # In a run whose clock is not the wall's, what is later than its clock would not be seen.
        now = self._clock.now() if run.clock == "real" else min(run.at, self._clock.now())
        told = {"class": returned.class_, "status": returned.status, "reply": returned.said}
        properties = {name: value for name, value in told.items() if value}
        return {
            **{name: message[name] for name in ("contact_id", "key", "run_id", "node_id", "arms", "instance_id")},
            "outbox_id": message["outbox_id"],
            "state": message["state"],
            "kind": returned.kind,
            "class": returned.class_,
            "occurred_at": min(returned.at or now, now),
            "actor": _ACTORS.get(returned.kind, "machine"),
            "properties": json.dumps({**properties, "message_id": message["message_id"]}),
        }

    def _suppress(self, rows: pl.DataFrame, reason: str, report: ReturnedReport) -> None:
        """Nobody writes to these addresses by mail any more; an address that a person corrects is another one."""
        now = self._clock.now()
        view = self._store.contacts.at(now)
        ids = rows.get_column("contact_id").unique().sort()
        already = view.suppressed(ids, CHANNEL, "").get_column("contact_id")
        addresses = view.fields(ids.filter(~ids.is_in(already.implode())), ("email",))
        for address in addresses.get_column("email").drop_nulls():
            self._store.contacts.suppress(reason=reason, at=now, email=str(address), scope=CHANNEL)
            report.suppressed += 1

    def _settle(self, doubtful: set[str], report: ReturnedReport) -> None:
        """What came back has been accepted before: runs that wait look at their doubts, others do when they go on."""
        before = self._store.runs.messages(sorted(doubtful))
        for run_id in before.get_column("run_id").unique(maintain_order=True):
            self._runs.look_again(run_id)
        now = self._store.runs.messages(sorted(doubtful)).get_column("state")
        report.to_settle = int((now == "in_doubt").sum())
        report.settled = len(now) - report.to_settle


def _outbox_id(message_id: str) -> str:
    """Messages are named after their row in the ledger (`engine.facts.message_ids`)."""
    return message_id.strip("<>").partition("@")[0]


def _count(report: ReturnedReport, returned: Returned, *, is_ours: bool) -> None:
    name = returned.class_ if returned.kind == "bounced" else returned.kind
    if not is_ours and returned.kind != "unreadable":
        name = "not_ours"
    assert name is not None, "a bounce has a class"
    setattr(report, name, getattr(report, name) + 1)
    if is_ours and returned.status:
        report.statuses[returned.status] += 1


def _numbered(rows: pl.DataFrame) -> pl.DataFrame:
    """With `event_id`: one for each message and kind of news, however often it is told."""
    names: Iterator[str] = (f"{outbox_id}|{kind}" for outbox_id, kind in rows.select("outbox_id", "kind").iter_rows())
    ids = hash64("returned", stable_keys(list(names))).astype(np.uint64)
    return rows.with_columns(pl.Series("event_id", ids, dtype=pl.UInt64))
