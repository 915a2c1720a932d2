"""One trial: a journey is killed at some points, resumed, and compared with what the mail server accepted."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import random
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, fields
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pysqlite3 import dbapi2

from studio.domain.run import RunView, fold
from studio.engine.verdicts import Verdict
from studio.store import Store
from tests.faults import child
from tests.faults.child import BY_NAME, CONNECTIONS, LEG_WITHIN_S, RUN_ID, STUCK
from tests.faults.journeys import START, Journey
from tests.faults.sink import SinkProcess
from tests.faults.syscalls import FAULTS, SystemCall, attach

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.faults.child"])


@dataclass(slots=True)
class Tally:
    """What many trials came to. A trial is one journey taken to its end however often it was killed on the way."""

    trials: int = 0
    kills: int = 0
    double: int = 0
    expected: int = 0
    accepted: int = 0
    duplicates: int = 0
    lost: int = 0
    not_accepted: int = 0
    unfinished: int = 0
    damaged: int = 0
    in_doubt: int = 0
    in_doubt_accepted: int = 0
    in_doubt_most: int = 0
    unlisted: int = 0
    not_one_owner: int = 0
    sent_by_copies: int = 0
    points: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        for item in fields(self):
            mine, theirs = getattr(self, item.name), getattr(other, item.name)
            joined = max(mine, theirs) if item.name == "in_doubt_most" else mine + theirs
            setattr(self, item.name, joined)

    @property
    def is_clean(self) -> bool:
        """Whether what must never happen did not."""
        wrong = (self.duplicates, self.lost, self.not_accepted, self.unfinished, self.damaged, self.unlisted)
        return not any((*wrong, self.not_one_owner, self.sent_by_copies))

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "points": dict(sorted(self.points.items())), "ended": dict(sorted(self.ended.items()))}

    @classmethod
    def of_json(cls, found: Mapping[str, object]) -> Tally:
        counted = {name: Counter(found[name]) for name in ("points", "ended")}
        return cls(**{**found, **counted})  # pyright: ignore[reportArgumentType]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a trial does: its first legs die at these points (their numbers), or meet failing system calls."""

    journey: str
    can_look_up: bool
    faults: tuple[int | SystemCall, ...]
    name: str


class Bench:
    """Prepared journeys and a mail server, for many trials one after the other."""

    def __init__(self, sink: SinkProcess, folder: Path) -> None:
        self.sink = sink
        self._folder = folder
        self._points: dict[tuple[str, bool], list[str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def port(self, can_look_up: bool) -> int:
        """Where to send: to a server that answers look-ups, or to one that knows none."""
        return self.sink.ports[can_look_up]

    def names(self, journey: str, *, can_look_up: bool) -> list[str]:
        """The points that an undisturbed leg meets, in order."""
        key = journey, can_look_up
        if key not in self._points:
            folder = self.copy(journey, "whole")
            sender = f"shop@{journey}-{int(can_look_up)}.invalid"
            ended = self._leg(folder, journey, self.port(can_look_up), sender, 0)
            assert ended is not None
            assert ended[0] in ("done", "waiting"), "a journey that is not disturbed ends, or leaves a doubt"
            self._points[key] = ended[1]
            self.sink.accepted(sender)
            shutil.rmtree(folder.parent)
        return self._points[key]

    def run(self, plan: Plan) -> Tally:
        """Carries a trial out. Raises AssertionError only where it cannot be judged."""
        folder, port = self.copy(plan.journey, plan.name), self.port(plan.can_look_up)
        sender = f"shop@{plan.name}.invalid"
        tally = Tally(trials=1)
        for number, fault in enumerate(plan.faults):
            ended = self._leg(folder, plan.journey, port, sender, fault)
            tally.kills += ended is None
            tally.double += ended is None and number > 0
            tally.points[self._name_of(plan, fault) if number == 0 else "while resuming"] += 1
            tally.ended[ended[0] if ended else "killed"] += 1
        judge = Judge(BY_NAME[plan.journey], folder, port, sender, self.sink, tally)
        judge.judge(resumed_after=len(plan.faults))
        shutil.rmtree(folder.parent)
        return tally

    def copy(self, journey: str, name: str) -> Path:
        """A fresh workspace with a run of the journey that has not begun to run."""
        prepared = self._folder / "prepared" / journey
        if not prepared.exists():
            child.prepare(prepared, BY_NAME[journey])
        folder = self._folder / name / "shop"
        shutil.copytree(prepared, folder)
        return folder

    def _name_of(self, plan: Plan, fault: int | SystemCall) -> str:
        if isinstance(fault, SystemCall):
            return fault.name
        names = self.names(plan.journey, can_look_up=plan.can_look_up)
        return names[min(fault, len(names)) - 1]

    def _leg(
        self, folder: Path, journey: str, port: int, sender: str, fault: int | SystemCall
    ) -> tuple[str, list[str]] | None:
        """How a leg in its own process ended, with the points it met; None when it was killed."""
        report = folder.parent / "report"
        report.unlink(missing_ok=True)
        if isinstance(fault, SystemCall):
            code = _under_strace(fault, (folder, journey, port, sender), report)
        else:
            code = _ended(processes.Process(target=child.leg, args=(folder, journey, port, sender, fault, report)))
        if code == -9:
            assert not report.exists()
            return None
        stuck = report.with_suffix(STUCK)
        assert code == 0, f"a leg of {journey} ended with {code}: {stuck.read_text() if stuck.exists() else ''}"
        state, names = json.loads(report.read_text())
        return state, names


def _under_strace(fault: SystemCall, about: tuple[Path, str, int, str], report: Path) -> int | None:
    ours, theirs = processes.Pipe()
    process = processes.Process(target=child.traced_leg, args=(*about, theirs, report))
    process.start()
    with attach(fault, ours.recv()) as tracer:
        ours.send("go")
        code = _ended(process)
        assert tracer.stderr is not None
        tracer.stderr.read()
    return code


def _ended(process: ForkServerProcess) -> int | None:
    """The exit code of a process, which is given a while to end."""
    if process.pid is None:
        process.start()
    process.join(LEG_WITHIN_S)
    code = process.exitcode
    if code is None:
        process.kill()
        process.join()
    process.close()
    return code


class Judge:
    """Takes a disturbed run to its end and compares it with what the mail server accepted; adds to the tally."""

    def __init__(self, journey: Journey, folder: Path, port: int, sender: str, sink: SinkProcess, tally: Tally) -> None:
        self._journey = journey
        self._folder = folder
        self._port = port
        self._sender = sender
        self._sink = sink
        self._tally = tally
        self._truth: Counter[tuple[str, str]] = Counter()
        self._doubtful: set[int] = set()

    def judge(self, *, resumed_after: int) -> None:
        """Lets the run go on, looks at what is in doubt, has a person who knows the truth decide, and compares."""
        self._go_on()
        ledger = self._ledger()
        doubts = _in_doubt(ledger)
        self._doubtful = {row["contact_id"] for row in doubts}
        known = {message_id for _, message_id in self._truth}
        self._tally.in_doubt += len(doubts)
        self._tally.in_doubt_accepted += sum(row["message_id"] in known for row in doubts)
        self._tally.in_doubt_most = max(self._tally.in_doubt_most, len(doubts))
        if len(doubts) > CONNECTIONS * resumed_after + self._journey.doubts:
            self._tally.unlisted += 1
        self._before_anybody_decides(ledger)
        for _ in range(4):
            if not doubts:
                break
            verdicts: dict[str, Verdict] = {
                row["outbox_id"]: "sent" if row["message_id"] in known else "resend" for row in doubts
            }
            self._go_on(verdicts)
            known = {message_id for _, message_id in self._truth}
            ledger = self._ledger()
            doubts = _in_doubt(ledger)
        self._compare({(row["node_id"], row["contact_id"]): row for row in ledger})

    def _go_on(self, verdicts: Mapping[str, Verdict] | None = None) -> None:
        child.go(self._folder, self._journey.name, self._port, self._sender, verdicts=verdicts)
        self._truth += self._sink.accepted(self._sender)

    def _before_anybody_decides(self, ledger: Sequence[Mapping[str, Any]]) -> None:
        """What is called sent was accepted, and nothing that was begun is left without a word."""
        for row in ledger:
            self._tally.not_accepted += row["state"] in ("sent", "resolved_sent") and not self._is_accepted(row)
            self._tally.lost += row["state"] in ("planned", "sending", "retry", "resend_approved")

    def _compare(self, ledger: Mapping[tuple[str, int], Mapping[str, Any]]) -> None:
        tally, journey = self._tally, self._journey
        expected = {(node, contact) for node, people in journey.expected.items() for contact in people}
        overtaken = {place for place in expected if self._was_overtaken(place, ledger.get(place))}
        expected -= overtaken
        refused = {(node, contact) for node, people in journey.refused.items() for contact in people}
        tally.expected += len(expected)
        tally.accepted += sum(self._truth.values())
        tally.duplicates += sum(self._truth.values()) - len(self._truth)
        got = {place for place, row in ledger.items() if self._is_accepted(row)}
        tally.lost += len(expected - got)
        tally.duplicates += len(got - expected) + (len(self._truth) - len(got))
        tally.not_accepted += sum(
            row["state"] not in ("sent", "resolved_sent") for p, row in ledger.items() if p in got
        )
        tally.unlisted += sum(ledger[place]["state"] != "failed" for place in refused)
        tally.unlisted += len(set(ledger) - expected - refused - overtaken)
        self._compare_store(expected)

    def _was_overtaken(self, place: tuple[str, int], row: Mapping[str, Any] | None) -> bool:
        """Whether somebody ordered, and so left, while a message to him stood in doubt and nobody had decided."""
        has_left = row is None or row["state"] == "blocked"
        return (
            has_left
            and place[1] in self._doubtful
            and any((kind, contact) == ("order", place[1]) for kind, contact, _ in self._journey.happenings)
        )

    def _is_accepted(self, row: Mapping[str, Any]) -> bool:
        return (self._journey.address(row["contact_id"]), row["message_id"]) in self._truth

    def _compare_store(self, expected: set[tuple[str, int]]) -> None:
        with Store.open(self._folder, clock=child.Wall(), home=child.here, read_only=True) as store:
            sent = store.events.at(START.replace(year=2027)).rows(["sent"], since=START)
            told = sorted(sent.select("node_id", "contact_id").rows())
            run, view = store.runs.get(RUN_ID), fold(RunView(RUN_ID), store.runs.run_events(RUN_ID))
            is_over = run.state == view.state == "done" and not store.runs.pending(RUN_ID)
            self._tally.unfinished += not is_over
            self._tally.unlisted += told != sorted(expected)

    def _ledger(self) -> list[dict[str, Any]]:
        query = "SELECT id AS outbox_id, node_id, contact_id, message_id, state FROM outbox"
        with closing(dbapi2.connect(str(self._folder / "studio.db"))) as connection:
            connection.row_factory = dbapi2.Row
            self._tally.damaged += connection.execute("PRAGMA integrity_check").fetchone()[0] != "ok"
            return [dict(row) for row in connection.execute(query)]


def _in_doubt(ledger: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [row for row in ledger if row["state"] == "in_doubt"]


def plans(bench: Bench, seed: int, *, double_share: float = 0.2) -> Iterator[Plan]:
    """Trials without end, the same for the same seed: every named point comes before any comes twice.

    Every fifth is killed again while it resumes.
    """
    chance = random.Random(seed)
    settings = [(journey, can_look_up) for journey in BY_NAME for can_look_up in (True, False)]
    queues = {key: _endless(bench.names(key[0], can_look_up=key[1]), chance) for key in settings}
    for number in itertools.count():
        journey, can_look_up = settings[number % len(settings)]
        again = (chance.randrange(1, 160),) if chance.random() < double_share else ()
        yield Plan(journey, can_look_up, (next(queues[journey, can_look_up]), *again), f"t{seed}-{number}")


def failing_calls(seed: int) -> Iterator[Plan]:
    """Trials without end in which a system call fails, once or (every third) from then on, or kills the process."""
    chance = random.Random(seed)
    for number in itertools.count():
        call, how = FAULTS[number % len(FAULTS)]
        journey = tuple(BY_NAME)[number % len(BY_NAME)]
        # A truncation is rare; the others come by the dozen in each of the threads that write.
        when = chance.randrange(1, 3 if call == "ftruncate" else 60)
        fault = SystemCall(call, how, when, for_good="error" in how and number % 3 == 0)
        yield Plan(journey, number % 2 == 0, (fault,), f"c{seed}-{number}")


def _endless(names: Sequence[str], chance: random.Random) -> Iterator[int]:
    """Point numbers for ever: in each round all of them, those that are the first of their name at the front."""
    while True:
        numbers = list(range(1, len(names) + 1))
        chance.shuffle(numbers)
        seen: Counter[str] = Counter()
        ranked = []
        for number in numbers:
            ranked.append((seen[names[number - 1]], number))
            seen[names[number - 1]] += 1
        yield from (number for _, number in sorted(ranked, key=lambda item: item[0]))
