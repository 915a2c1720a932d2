"""Tiny node types for the engine's tests: one of each role, obeying `domain/node.py` and nothing else."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import ClassVar

import numpy as np
import polars as pl

from studio.domain.duration import parse_duration
from studio.domain.errors import Transient
from studio.domain.mail import Envelope
from studio.domain.node import Blocked, Composed, Declaration, Letter, Outcome, Parameters, Quarantined
from studio.experiments.assignment import hash64
from studio.frames.instances import with_arm
from studio.nodes.flow.loop import Loop
from studio.nodes.flow.merge import Merge
from studio.nodes.recording import exposures


def declared(kind: str, role: str, inputs: tuple[str, ...] = ("in",)) -> Declaration:
    return Declaration(f"test.{kind}", 1, kind.title(), "A node of the tests.", "Tests", "box", role, inputs)


class _Node:
    Parameters = Parameters

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def outputs(self) -> tuple[str, ...]:
        return ("out",)

    async def run(self, batch, context):
        return Outcome(out={"out": batch})


class PeopleParameters(Parameters):
    count: int = 10
    fails_at: int | None = None
    late_s: int = 0


class People(_Node):
    """Contacts 0 … count-1, whatever the workspace holds."""

    declaration = declared("people", "source", ())
    Parameters = PeopleParameters

    async def produce(self, cursor, limit, context):
        first = int(cursor or 0)
        if self.parameters.fails_at is not None and first >= self.parameters.fails_at:
            if self.parameters.late_s and context.now < context.started_at + timedelta(seconds=self.parameters.late_s):
                raise Transient("PEOPLE-LATE", "Not yet.")
            if not self.parameters.late_s:
                raise ValueError("the list is unreadable")
        end = min(first + limit, self.parameters.count)
        ids = pl.Series("contact_id", range(first, end), dtype=pl.UInt32)
        frame = pl.DataFrame({"contact_id": ids, "key": pl.Series([None] * len(ids), dtype=pl.String)})
        frame = frame.with_columns((pl.col("contact_id") % 3).alias("var.third"))
        return frame, (str(end) if end < self.parameters.count else None)


class CartParameters(Parameters):
    kind: str = "cart"
    broken_key: str = ""
    again: bool = False


class Cart(_Node):
    """One instance per contact and key, from events."""

    declaration = declared("cart", "source", ())
    Parameters = CartParameters

    def event_kinds(self) -> tuple[str, ...]:
        return (self.parameters.kind,)

    async def enter(self, events, context):
        if (events.get_column("key") == self.parameters.broken_key).any():
            raise ValueError("this cart cannot be read")
        entries = events.select("contact_id", "key", pl.col("occurred_at").alias("entered_at"))
        if not self.parameters.again:
            return entries
        before = context.events.rows(["entered"], since=context.started_at, run_id=context.run_id)
        same = ["contact_id", "key"]
        earlier = before.group_by(same).agg(pl.len().alias("earlier"))
        entries = entries.join(earlier, on=same, how="left", maintain_order="left", nulls_equal=True)
        number = pl.col("earlier").fill_null(0) + pl.int_range(pl.len()).over(same)
        return entries.with_columns(number.cast(pl.UInt32).alias("occurrence"))


class KeepParameters(Parameters):
    remainder: int = 0
    of: int = 2


class Keep(_Node):
    """Divides people by the remainder of their number."""

    declaration = declared("keep", "pure")
    Parameters = KeepParameters

    def outputs(self) -> tuple[str, ...]:
        return ("pass", "fail")

    async def run(self, batch, context):
        passes = pl.col("contact_id") % self.parameters.of == self.parameters.remainder
        return Outcome(out={"pass": batch.filter(passes), "fail": batch.filter(~passes)})


class Through(_Node):
    """Does nothing."""

    declaration = declared("through", "pure")


class Split(_Node):
    """Arms a and b by hash, with one `exposed` event each."""

    declaration = declared("split", "pure")

    def outputs(self) -> tuple[str, ...]:
        return ("a", "b")

    async def run(self, batch, context):
        drawn = hash64(context.node_id, batch.get_column("contact_id").to_numpy()) % np.uint64(2)
        arms = pl.Series(["ab"[int(d)] for d in drawn], dtype=pl.String)
        labelled = with_arm(batch, context.node_id, arms)
        events = exposures(labelled, arms, context)
        return Outcome(out={arm: labelled.filter(arms == arm) for arm in "ab"}, events=events)


class PauseParameters(Parameters):
    wait: str = "PT1H"
    spread: str | None = None
    poison: tuple[int, ...] = ()


class Pause(_Node):
    """Waits for a time, and with `spread` for a different one per person."""

    declaration = declared("pause", "wait")
    Parameters = PauseParameters

    async def run(self, batch, context):
        due = pl.lit(context.now + parse_duration(self.parameters.wait)).cast(pl.Datetime("us", "UTC"))
        if self.parameters.spread:
            share = hash64(context.node_id, batch.get_column("contact_id").to_numpy()) / 2**64
            micros = share * (parse_duration(self.parameters.spread) / timedelta(microseconds=1))
            due += pl.Series(micros.astype(np.int64)).cast(pl.Duration("us"))
        return Outcome(wait=batch.with_columns(due.alias("due_at")))

    async def resume(self, batch, context):
        if batch.get_column("contact_id").is_in(self.parameters.poison).any():
            raise ValueError("cannot wake up")
        return Outcome(out={"out": batch.drop("due_at")})


class AwaitParameters(Parameters):
    kind: str = "order"
    timeout: str = "PT1H"
    match_key: bool = True


class Await(_Node):
    """Waits for an event with the same key that happens after the entry."""

    declaration = declared("await", "wait")
    Parameters = AwaitParameters

    def outputs(self) -> tuple[str, ...]:
        return ("came", "timeout")

    def event_kinds(self) -> tuple[str, ...]:
        return (self.parameters.kind,)

    async def run(self, batch, context):
        due = context.now + parse_duration(self.parameters.timeout)
        return Outcome(wait=batch.with_columns(pl.lit(due).cast(pl.Datetime("us", "UTC")).alias("due_at")))

    async def resume(self, batch, context):
        return Outcome(out={"timeout": batch})

    def match(self, batch, events, context):
        on = ["contact_id", "key"] if self.parameters.match_key else ["contact_id"]
        found = batch.select("instance_id", "entered_at", *on).join(events.drop("instance_id"), on=on)
        found = found.filter(pl.col("occurred_at") >= pl.col("entered_at"))
        return found.select(
            "instance_id", "event_id", "occurred_at", "value", "currency", pl.lit("came").alias("port")
        ).unique("instance_id", keep="first")


class TargetParameters(Parameters):
    kind: str = "order"
    window: str = "P7D"
    action: str = "exit"
    match_key: bool = False


class Target(_Node):
    """A goal."""

    declaration = declared("target", "goal")
    Parameters = TargetParameters

    @property
    def window(self) -> timedelta:
        return parse_duration(self.parameters.window)

    def outputs(self) -> tuple[str, ...]:
        return ("out", "reached")

    def event_kinds(self) -> tuple[str, ...]:
        return (self.parameters.kind,)

    async def run(self, batch, context):
        return Outcome(wait=batch.with_columns((pl.col("entered_at") + self.window).alias("due_at")))

    async def resume(self, batch, context):
        return Outcome(out={"out": batch})

    def match(self, batch, events, context):
        on = ["contact_id", "key"] if self.parameters.match_key else ["contact_id"]
        found = batch.select("instance_id", "entered_at", *on).join(events.drop("instance_id"), on=on)
        since = pl.col("occurred_at") - pl.col("entered_at")
        found = found.filter((since >= pl.duration()) & (since <= self.window)).sort("occurred_at", "event_id")
        port = pl.lit("reached" if self.parameters.action == "exit" else None, dtype=pl.String)
        return found.select("instance_id", "event_id", "occurred_at", "value", "currency", port.alias("port"))


class End(_Node):
    """Ends everybody, and says so."""

    declaration = declared("end", "exit")

    def outputs(self) -> tuple[str, ...]:
        return ()

    async def run(self, batch, context):
        return Outcome(ended=batch, events=batch.select("instance_id", pl.lit("exited").alias("kind")))


class TroubleParameters(Parameters):
    raises: tuple[int, ...] = ()
    refuses: tuple[int, ...] = ()
    loses: tuple[int, ...] = ()
    late_s: int = 0
    always: bool = False


class Trouble(_Node):
    """Raises, refuses or loses chosen people; with `late_s` it works only so long after the start."""

    declaration = declared("trouble", "pure")
    Parameters = TroubleParameters

    async def run(self, batch, context):
        parameters, people = self.parameters, batch.get_column("contact_id")
        if parameters.late_s and context.now < context.started_at + timedelta(seconds=parameters.late_s):
            raise Transient("TROUBLE-LATE", "Not yet.")
        if parameters.always or people.is_in(parameters.raises).any():
            raise ValueError("cannot handle somebody")
        refused = batch.filter(people.is_in(parameters.refuses))
        kept = batch.filter(~people.is_in([*parameters.refuses, *parameters.loses]))
        quarantined = [
            Quarantined(i, c, "TEST-REFUSED", f"refuses {c}")
            for i, c in refused.select("instance_id", "contact_id").iter_rows()
        ]
        return Outcome(out={"out": kept}, quarantined=quarantined)


class NeedParameters(Parameters):
    name: str
    value: int


class Need(_Node):
    """Refuses who does not carry a variable with this value."""

    declaration = declared("need", "pure")
    Parameters = NeedParameters

    async def run(self, batch, context):
        fits = pl.col(f"var.{self.parameters.name}") == self.parameters.value
        refused = batch.filter(~fits).select("instance_id", "contact_id").iter_rows()
        apart = [Quarantined(i, c, "TEST-NEED", "lacks it") for i, c in refused]
        return Outcome(out={"out": batch.filter(fits)}, quarantined=apart)


class RendezvousParameters(Parameters):
    parties: int = 2


class Rendezvous(_Node):
    """Works once as many of its kind are at work at the same time."""

    declaration = declared("rendezvous", "pure")
    Parameters = RendezvousParameters
    waiting: ClassVar[list[asyncio.Event]] = []

    async def run(self, batch, context):
        others = Rendezvous.waiting
        mine = asyncio.Event()
        others.append(mine)
        if len(others) >= self.parameters.parties:
            for event in others:
                event.set()
            others.clear()
        await mine.wait()
        return Outcome(out={"out": batch})


class MailParameters(Parameters):
    blocks: tuple[int, ...] = ()
    defers: tuple[int, ...] = ()
    until: str = "PT3H"
    raises: tuple[int, ...] = ()
    late_s: int = 0
    quarantines: tuple[int, ...] = ()
    most: int = 99


class Mail(_Node):
    """One short message per person."""

    declaration = declared("mail", "send")
    Parameters = MailParameters

    async def run(self, batch, context):
        return Outcome(send=batch)

    async def compose(self, batch, context):
        parameters = self.parameters
        people = context.contacts.fields(batch.get_column("contact_id"), ["email"]).get_column("email")
        letters, blocked, quarantined = [], [], []
        if context.now < context.started_at + timedelta(seconds=parameters.late_s):
            raise Transient("TEST-LATE", "Not yet.")
        sent = context.events.totals("sent", run_id=context.run_id)
        counts = dict(sent.select("contact_id", "count").rows())
        opens_at = context.started_at + parse_duration(parameters.until)
        for row, email in zip(batch.iter_rows(named=True), people, strict=True):
            contact_id, instance_id = row["contact_id"], row["instance_id"]
            if contact_id in parameters.raises:
                raise ValueError("cannot write to somebody")
            if contact_id in parameters.quarantines:
                quarantined.append(Quarantined(instance_id, contact_id, "TEST-NAME", "has no name"))
            elif counts.get(contact_id, 0) >= parameters.most:
                blocked.append(Blocked(instance_id, "frequency_cap", "Enough for now."))
            elif contact_id in parameters.blocks:
                blocked.append(Blocked(instance_id, "consent", "No consent."))
            elif contact_id in parameters.defers and context.now < opens_at:
                blocked.append(Blocked(instance_id, "quiet_hours", "It is night.", opens_at))
            else:
                head = f"Message-ID: {row['message_id']}\r\nSubject: {context.node_id}\r\n\r\nHello.\r\n"
                envelope = Envelope(context.sender.address, email, row["message_id"], head.encode())
                letters.append(Letter(instance_id, contact_id, envelope))
        return Composed(letters, blocked, quarantined)


_TYPES = (People, Cart, Keep, Through, Split, Pause, Await, Target, End, Trouble, Mail, Need, Rendezvous)
CATALOGUE = {node.declaration.id: node for node in (*_TYPES, Loop, Merge)}
