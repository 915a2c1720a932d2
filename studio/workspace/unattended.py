"""The story of running unattended: what fell due while nothing ran, letting runs go on by themselves, stopping it all.

Absent on purpose: the background process (`workspace/standby.py`), and doing what is due (engine).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from studio.domain.clock import Clock
from studio.domain.ports import RunRow
from studio.engine.host import EngineHost
from studio.engine.leg import ASKS_AFTER
from studio.store.store import Store
from studio.workspace.emergency import EmergencyStop
from studio.workspace.runs import RunsStory

_GOING = ("queued", "running", "waiting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """People of one step whose time came while nothing ran. `asks`: it is so late that a person has to decide."""

    run_id: str
    name: str
    node: str
    label: str
    people: int
    due_at: datetime
    late: timedelta
    asks: bool


@dataclass(frozen=True, slots=True)
class TakenUp:
    """Runs that go on by themselves now, and those that a person has to let go on because something is very late."""

    started: tuple[str, ...]
    asked: tuple[Missed, ...]


class UnattendedStory:
    """Runs in real time, while nobody looks."""

    def __init__(self, store: Store, host: EngineHost, runs: RunsStory, emergency: EmergencyStop, clock: Clock) -> None:
        self._store = store
        self._host = host
        self._runs = runs
        self._emergency = emergency
        self._clock = clock

    @property
    def stop_words(self) -> str:
        """Since when and why everything is held; empty while nothing is."""
        return self._emergency.words

    def missed(self) -> tuple[Missed, ...]:
        """What fell due while nothing ran, the latest first."""
        now = self._clock.now()
        found = [missed for run in self._going() for missed in self._missed_of(run, now)]
        return tuple(sorted(found, key=lambda missed: missed.due_at))

    def take_up(self) -> TakenUp:
        """Lets every run in real time go on, except where something is so late that a person has to decide."""
        if self._emergency.is_on:
            return TakenUp((), ())
        missed = self.missed()
        asked = tuple(m for m in missed if m.asks)
        held = {m.run_id for m in asked}
        started = [run.run_id for run in self._going() if run.run_id not in held]
        for run_id in started:
            self._runs.resume(run_id, is_attended=True)
        return TakenUp(tuple(started), asked)

    def stop_everything(self, why: str = "") -> tuple[str, ...]:
        """The emergency stop: nothing goes out any more until `release`; the runs that are held by it."""
        self._emergency.engage(self._clock.now(), why)
        going = [r for r in self._store.runs.list_runs() if r.mode != "simulate" and self._host.is_running(r.run_id)]
        for run in going:
            self._host.control(run.run_id).look()
        return tuple(run.run_id for run in going)

    def release(self) -> TakenUp:
        """Takes the emergency stop back; runs in real time that it held go on."""
        self._emergency.release()
        for run in self._store.runs.list_runs():
            is_paused = run.mode != "simulate" and run.state == "paused" and self._host.is_running(run.run_id)
            if is_paused and self._was_stopped(run):
                self._host.control(run.run_id).go_on()
        return self.take_up()

    def _going(self) -> list[RunRow]:
        """Runs in real time that have not ended, are not paused by a person and are not held elsewhere."""
        return [
            run
            for run in self._store.runs.list_runs()
            if run.clock == "real"
            and run.mode != "simulate"
            and not run.options.get("held")
            and not self._host.is_running(run.run_id)
            and (run.until is None or run.at < run.until)
            and (run.state in _GOING or (run.state == "paused" and self._was_stopped(run)))
        ]

    def _was_stopped(self, run: RunRow) -> bool:
        """Whether the run stands still because of the emergency stop, not by a person's pause."""
        return self._runs.view(run.run_id).message.startswith("Emergency stop")

    def _missed_of(self, run: RunRow, now: datetime) -> list[Missed]:
        people: dict[str, int] = defaultdict(int)
        first: dict[str, datetime] = {}
        for work in self._store.runs.pending(run.run_id):
            if work.kind in ("resume", "arrive", "send", "produce") and work.due_at is not None and work.due_at <= now:
                people[work.node_id] += work.rows
                first[work.node_id] = min(first.get(work.node_id, work.due_at), work.due_at)
        labels = {n.id: n.label or n.id for n in self._runs.workflow_of(run.run_id).nodes} if people else {}
        return [
            Missed(
                run_id=run.run_id,
                name=run.name,
                node=node,
                label=labels.get(node, node),
                people=count,
                due_at=first[node],
                late=now - first[node],
                asks=now - first[node] > ASKS_AFTER,
            )
            for node, count in people.items()
        ]
