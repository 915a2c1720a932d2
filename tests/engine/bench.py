"""A bench for the engine: a small world whose clock jumps, workflows in a few words, and what became of a run."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import polars as pl

from studio.connectors.fake import FakeMailer, Mishap
from studio.domain.mail import Mailer
from studio.domain.node import Sender
from studio.domain.ports import Pace, RunRow
from studio.domain.run import RunEvent, RunState, RunView, fold
from studio.domain.validation import Catalogue
from studio.domain.workflow import Workflow, parse_workflow
from studio.engine.control import Control
from studio.engine.draft import Sizes
from studio.engine.driver import Driver, Surroundings
from studio.frames.events import empty_events
from tests.engine.memory_store import Fault, MemoryContacts, MemoryEvents, MemoryLog, MemoryRuns, events_frame
from tests.engine.nodes import CATALOGUE

START = datetime(2026, 3, 2, 12, tzinfo=UTC)


def workflow(nodes: dict[str, tuple[str, dict] | tuple[str, dict, dict]], *edges: str, **settings: object) -> Workflow:
    """`{"id": ("type", parameters[, other node fields])}` and edges such as `a.out > b`."""
    made = []
    for node_id, (kind, parameters, *rest) in nodes.items():
        more = rest[0] if rest else {}
        made.append({"id": node_id, "type": kind if "." in kind else f"test.{kind}", "parameters": parameters, **more})
    links = []
    for edge in edges:
        source, target = (part.strip() for part in edge.split(">"))
        node_id, _, port = source.partition(".")
        links.append({"from": (node_id, port or "out"), "to": (target, "in")})
    return parse_workflow(json.dumps({"name": "Test", "nodes": made, "edges": links, "settings": settings}))


class Doze:
    """Never waits: the wall jumps by the time asked for, and a wish that is there wakes at once."""

    def __init__(self, wall: Wall) -> None:
        self.wall = wall
        self.naps: list[float] = []

    async def __call__(self, seconds: float | None, wake: asyncio.Event) -> bool:
        await asyncio.sleep(0)
        if wake.is_set():
            return False
        assert seconds is not None, "the test would wait for ever"
        self.naps.append(seconds)
        self.wall.at += timedelta(seconds=seconds)
        return True


class Wall:
    """The wall clock, where the test puts it."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at
        self.was_set_by = timedelta(0)

    def now(self) -> datetime:
        return self.at

    def set(self, at: datetime) -> None:
        """Somebody sets the computer's clock; no time passes."""
        self.was_set_by += at - self.at
        self.at = at


@dataclass
class Mailers:
    """Gives the fake mailer."""

    fake: Mailer
    pace_: Pace = field(default_factory=lambda: Pace(connections=3))

    def mailer(self, run: RunRow) -> Mailer:
        return self.fake

    def sender(self, run: RunRow) -> Sender:
        return Sender(
            address="shop@example.invalid", reply_to=None, postal_address="1 Street", unsubscribe_base_url=None
        )

    def pace(self, run: RunRow) -> Pace:
        return self.pace_


class Audience:
    """A simulated audience by rule: every third clicks an hour later, every fifth orders two hours later."""

    def react(self, sends: pl.DataFrame, context) -> pl.DataFrame:
        rows = []
        for row in sends.iter_rows(named=True):
            common = {name: row[name] for name in ("contact_id", "key", "arms", "instance_id")}
            rows.append({**common, "kind": "delivered", "occurred_at": context.now})
            if row["contact_id"] % 3 == 0:
                rows.append({**common, "kind": "clicked", "occurred_at": context.now + timedelta(hours=1)})
            if row["contact_id"] % 5 == 0:
                at = context.now + timedelta(hours=2, minutes=7 * context.position)
                rows.append({**common, "kind": context.goal_kind, "occurred_at": at, "value": 10.0})
        return events_frame(rows)

    def organic(self, entries: pl.DataFrame, context) -> pl.DataFrame:
        return empty_events()


class World:
    """A store in memory, people, a mail server, and a driver over them; everything survives a killed driver."""

    def __init__(
        self,
        *,
        people: int = 50,
        mishaps: dict[str, list[Mishap | None]] | None = None,
        sizes: Sizes | None = None,
        can_look_up: bool = True,
        runs=None,
        events=None,
        contacts=None,
        mailer: Mailer | None = None,
        catalogue: Catalogue | None = None,
    ) -> None:
        self.log = MemoryLog()
        self.runs = runs or MemoryRuns(self.log)
        self.events = events or MemoryEvents(self.log)
        self.contacts = contacts or MemoryContacts(people)
        self.mailer = mailer or FakeMailer(mishaps, can_look_up=can_look_up)
        self.mailers = Mailers(self.mailer)
        self._catalogue = catalogue
        self.wall = Wall()
        self.doze = Doze(self.wall)
        self.sizes = sizes or Sizes()
        self.told: list[RunEvent] = []
        self._ticks = 0.0

    def tick(self) -> float:
        self._ticks += 0.001
        return self._ticks

    def passed(self) -> float:
        """A stopwatch that nobody can set: it shows what the wall has gone on by itself."""
        return (self.wall.at - START - self.wall.was_set_by).total_seconds()

    def wall_tick(self) -> float:
        """A stopwatch that shows the wall's time."""
        return self.wall.at.timestamp()

    def driver(self) -> Driver:
        surroundings = Surroundings(
            runs=self.runs,
            events=self.events,
            contacts=self.contacts,
            catalogue=self._catalogue or CATALOGUE,
            mailers=self.mailers,
            simulator=Audience(),
            build=lambda parts: b"",
            wall=self.wall,
            tick=self.tick,
            doze=self.doze,
            passed=self.passed,
            sizes=self.sizes,
        )
        return Driver(surroundings, self.told.extend)

    def begin(
        self, flow: Workflow, *, mode: str = "test", clock: str = "max", run_id: str = "r1", planted=(), **options
    ) -> None:
        run = RunRow(
            run_id=run_id,
            workflow_id="w1",
            version=flow.content_hash(),
            name="Test",
            mode=mode,
            seed=7,
            clock=clock,
            state="queued",
            started_at=self.wall.at,
            at=self.wall.at,
            options=options,
        )
        self.driver().begin(run, flow, planted)

    def go(
        self, *, until: datetime | None = None, control: Control | None = None, run_id: str = "r1", **more
    ) -> RunState:
        return asyncio.run(self.driver().run(run_id, until=until, control=control, **more))

    def run(self, flow: Workflow, **more) -> RunState:
        until = more.pop("until", None)
        self.begin(flow, **more)
        return self.go(until=until)

    def die_at(self, write: int, *, is_after: bool = False) -> None:
        """The process dies at the `write`-th write from now on."""
        self.runs.fault = Fault(write, is_after)

    def happen(self, *events: tuple[str, int, float] | tuple[str, int, float, str], start: datetime = START) -> None:
        """Imports events: (kind, contact, minutes after the start[, key])."""
        rows = []
        for kind, contact, minutes, *key in events:
            number = hash((kind, contact, minutes, *key)) % 2**63
            at = start + timedelta(minutes=minutes)
            common = {"event_id": number, "occurred_at": at, "kind": kind, "contact_id": contact, "value": 10.0}
            rows.append({**common, "currency": "EUR", "key": key[0] if key else None})
        self.log.append(events_frame(rows))

    def view(self, run_id: str = "r1") -> RunView:
        return fold(RunView(run_id), self.runs.run_events(run_id))

    def states(self, run_id: str = "r1") -> dict[str, str]:
        view = self.view(run_id)
        return {step_id: step.state for step_id, step in view.steps.items()}

    def out(self, node_id: str) -> dict[str, int]:
        return dict(self.view().step(node_id).out)

    def contact_events(self, kind: str, node_id: str | None = None) -> pl.DataFrame:
        rows = self.log.all.filter(pl.col("kind") == kind).sort("occurred_at", "contact_id", "event_id")
        return rows if node_id is None else rows.filter(pl.col("node_id") == node_id)

    def people(self, kind: str, node_id: str | None = None) -> list[int]:
        return sorted(self.contact_events(kind, node_id).get_column("contact_id"))

    def mailed(self) -> Counter[tuple[str, str]]:
        """(recipient, subject) → how often."""
        counts: Counter[tuple[str, str]] = Counter()
        for envelope in self.mailer.accepted:
            subject = envelope.content.split(b"Subject: ")[1].split(b"\r\n")[0].decode()
            counts[envelope.recipient.split("@")[0], subject] += 1
        return counts

    def outcome(self) -> dict[str, object]:
        """All that must be the same however a run was cut into pieces: facts about people, not their batching."""
        facts = self.log.all.filter(pl.col("run_id").is_not_null())
        facts = facts.select("event_id", "occurred_at", "kind", "contact_id", "key", "node_id", "arms", "value")
        view = self.view()
        steps = {
            key: (s.state, s.arrived, {p: n for p, n in s.out.items() if n}, s.failed, s.quarantined, dict(s.sending))
            for key, s in view.steps.items()
        }
        ledger = self.runs.outbox("r1").select("outbox_id", "contact_id", "node_id")
        return {
            "events": facts.sort(facts.columns).rows(),
            "steps": steps,
            "state": view.state,
            "ledger": ledger.sort("outbox_id").rows(),
            "mailed": self.mailed(),
            "entries": self.runs.entries("r1").sort("instance_id").rows(),
            "departed": sorted(self.runs.departed("r1")),
            "quarantine": sorted(self.runs.quarantine),
        }
