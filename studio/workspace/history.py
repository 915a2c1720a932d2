"""The story of looking back: one contact's way through a run, a run at an instant, two runs side by side.

Absent on purpose: reading records (analytics) and folding events (domain).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from studio.analytics.comparison import Comparison, RunSide, compare_runs
from studio.analytics.paths import Journey, Recorded, Visit, journeys
from studio.analytics.seen import data_seen
from studio.domain.clock import Clock, iso
from studio.domain.errors import UserFixable
from studio.domain.run import RunView
from studio.domain.validation import Catalogue
from studio.engine.facts import outbox_ids
from studio.engine.plan import Plan, compile_plan
from studio.frames.events import RUN_KINDS
from studio.frames.moves import read_moves
from studio.frames.samples import read_sample
from studio.store.contacts import Person
from studio.store.store import Store
from studio.workspace.concerned import Concerned, concerned
from studio.workspace.known_runs import KnownRuns


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One contact in one run. `finding` says in a sentence what became of it, also when it never entered."""

    run_id: str
    contact: str
    email: str | None
    name: str | None
    found: bool
    finding: str
    journeys: tuple[Journey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeCount:
    """How many instances had gone along an edge."""

    source: str
    port: str
    target: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A run as it stood at an instant: the fold of its events up to `view.seq`, with a count for every edge."""

    view: RunView
    edges: tuple[EdgeCount, ...]
    last_seq: int

    def as_json(self) -> dict[str, object]:
        """The document that `studio replay` prints."""
        view = self.view
        return {
            "run_id": view.run_id,
            "seq": view.seq,
            "last_seq": self.last_seq,
            "at": None if view.at is None else iso(view.at),
            "state": view.state,
            "message": view.message,
            "nodes": [_node_json(view, node_id) for node_id in view.steps],
            "edges": [{"from": [e.source, e.port], "to": [e.target, "in"], "count": e.count} for e in self.edges],
        }


class HistoryStory:
    """What runs wrote down, read again."""

    def __init__(self, store: Store, runs: KnownRuns, catalogue: Catalogue, clock: Clock) -> None:
        self._store = store
        self._runs = runs
        self._catalogue = catalogue
        self._clock = clock

    def trace(self, run_id: str, contact: str) -> Trace:
        """Every step one contact took in a run. `contact` is a key or an address.

        Raises:
            UserFixable: CONTACT-UNKNOWN, RUN-UNKNOWN.
        """
        run = self._runs.get(run_id)
        person = self._person(contact)
        plan = self._plan(run_id)
        recorded = self._recorded(run_id, plan, person.id)
        found = tuple(self._with_data(run_id, plan, person.id, journey) for journey in journeys(plan, recorded))
        return Trace(
            run_id=run_id,
            contact=person.key,
            email=person.email,
            name=person.name,
            found=bool(found),
            finding=_finding(person, plan, found, run.name),
            journeys=found,
        )

    def concerned(self, run_id: str, node_id: str, code: str) -> list[Concerned]:
        """Some of the people whom this problem of a step concerns, as they stand now."""
        problems = self._runs.view(run_id).step(node_id).problems
        ids = next((problem.sample for problem in problems if problem.code == code), ())
        return concerned(self._store, self._clock, run_id, node_id, code, ids)

    def replay(self, run_id: str, at: int | datetime | None = None) -> Replay:
        """The run as it stood after the event with number `at`, or at that moment of its clock; None: as it stands.

        Raises:
            UserFixable: REPLAY-BEFORE when the run had not begun then.
        """
        view = self._runs.view_at(run_id, at)
        if not view.seq:
            begun = self._runs.get(run_id).started_at
            hint = f"It began at {iso(begun)}; event numbers count from 1."
            raise UserFixable("REPLAY-BEFORE", "The run had not begun then.", where=run_id, hint=hint)
        edges = tuple(
            EdgeCount(source=e.from_[0], port=e.from_[1], target=e.to[0], count=view.edge_count(*e.from_))
            for e in self._runs.workflow_of(run_id).edges
        )
        return Replay(view=view, edges=edges, last_seq=self._store.runs.last_seq(run_id))

    def compare(self, run_a: str, run_b: str) -> Comparison:
        """What differs between two runs, what most likely caused it first."""
        return compare_runs(self._side(run_a), self._side(run_b))

    def _side(self, run_id: str) -> RunSide:
        run, workflow = self._runs.get(run_id), self._runs.workflow_of(run_id)
        rollup = self._store.projections.rollup([run_id])
        kinds = dict(rollup.group_by("kind").agg(pl.col("count").sum()).iter_rows())
        samples = {name: read_sample(data) for name, data in self._store.runs.kept(run_id, "sample:").items()}
        schema = {name.removeprefix("sample:"): dict(frame.schema) for name, frame in samples.items() if frame.width}
        return RunSide(
            run=run, workflow=workflow, view=self._runs.view(run_id), events=kinds, schema=schema, texts=_texts(run)
        )

    def _plan(self, run_id: str) -> Plan:
        return compile_plan(self._runs.workflow_of(run_id), self._catalogue)

    def _person(self, contact: str) -> Person:
        found = self._store.contacts.find(contact, limit=2)
        exact = [p for p in found if contact == p.key or contact.lower() == (p.email or "").lower()]
        if exact:
            return exact[0]
        if len(found) == 1:
            return found[0]
        near = f"Did you mean {found[0].key}?" if found else "Use the key or the e-mail address of a contact."
        raise UserFixable("CONTACT-UNKNOWN", f"There is no contact “{contact}”.", where="--contact", hint=near)

    def _recorded(self, run_id: str, plan: Plan, contact_id: int) -> Recorded:
        run = self._runs.get(run_id)
        ids = pl.Series([contact_id], dtype=pl.UInt32)
        entries = self._store.runs.entries(run_id).filter(pl.col("contact_id") == contact_id)
        kinds = tuple(dict.fromkeys((*RUN_KINDS, *plan.trigger_kinds, *plan.match_kinds)))
        view = self._store.events.seen_by(run_id).at(run.at)
        events = view.rows(kinds, since=run.started_at, ids=ids)
        events = events.filter(pl.col("run_id").is_null() | (pl.col("run_id") == run_id))
        sends = [step.id for step in plan.steps.values() if step.role == "send"]
        instances = entries.get_column("instance_id")
        outbox = None
        if not plan.has_loop:
            outbox = [str(name) for node_id in sends for name in outbox_ids(run_id, node_id, instances)]
        apart = self._store.runs.quarantined(run_id)
        return Recorded(
            run_id=run_id,
            contact_id=contact_id,
            entries=entries,
            moves=tuple(read_moves(self._store.runs.moves(run_id))),
            events=events,
            outbox=self._store.runs.outbox(run_id, outbox),
            set_apart=apart.filter(pl.col("contact_id") == contact_id),
        )

    def _with_data(self, run_id: str, plan: Plan, contact_id: int, journey: Journey) -> Journey:
        visits = tuple(self._visit_with_data(run_id, plan, contact_id, journey.key, visit) for visit in journey.visits)
        return replace(journey, visits=visits)

    def _visit_with_data(self, run_id: str, plan: Plan, contact_id: int, key: str | None, visit: Visit) -> Visit:
        at = visit.left_at or visit.arrived_at
        instance = pl.DataFrame(
            {"contact_id": [contact_id], "key": [key]}, schema={"contact_id": pl.UInt32, "key": pl.String}
        )
        contacts = self._store.contacts.at(self._clock.now())
        events = self._store.events.seen_by(run_id).at(at)
        data = data_seen(plan.steps[visit.node], instance, contacts, events, at)
        return replace(visit, data=data) if data else visit


def _finding(person: Person, plan: Plan, found: tuple[Journey, ...], workflow: str) -> str:
    who = person.name or person.email or person.key
    if not found:
        starts = ", ".join(f"“{s.label}”" for s in plan.steps.values() if s.role == "source")
        return f"{who} never entered “{workflow}”: {starts} did not let this contact in."
    last = found[-1]
    sent = [v for v in last.visits if v.message is not None and v.message.state in ("sent", "resolved_sent")]
    messages = f"{len(sent)} message{'' if len(sent) == 1 else 's'}"
    times = f" (journey {len(found)} of {len(found)})" if len(found) > 1 else ""
    end = last.visits[-1] if last.visits else None
    where = f" {end.label}: {end.verdict}" if end is not None else ""
    return f"{who} got {messages}{times}.{where}"


def _node_json(view: RunView, node_id: str) -> Mapping[str, object]:
    step = view.step(node_id)
    return {
        "node": node_id,
        "state": step.state,
        "in": step.arrived,
        "out": dict(step.out),
        "waiting": step.waiting,
        "next_due": step.next_due,
        "failed": step.failed,
        "quarantined": step.quarantined,
        "sending": dict(step.sending),
        "problems": [{"code": p.code, "message": p.message, "count": p.count} for p in step.problems],
    }


def _texts(run: object) -> Mapping[str, str]:
    options = getattr(run, "options", {})
    texts = options.get("texts") if isinstance(options, Mapping) else None
    return {str(name): str(text) for name, text in texts.items()} if isinstance(texts, Mapping) else {}
