"""Runs as facts: run events, and the one fold that turns them into what canvas, command line and replay show.

Absent on purpose: where events are kept. A live view and a replay differ only in how many events they fold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import JsonValue

Mode: TypeAlias = Literal["simulate", "test", "live"]
RunState: TypeAlias = Literal["queued", "running", "waiting", "paused", "done", "failed", "stopped"]
StepState: TypeAlias = Literal[
    "queued", "running", "waiting", "paused", "done", "failed", "stopped", "skipped", "warning"
]
OutboxState: TypeAlias = Literal[
    "planned", "sending", "sent", "retry", "failed", "in_doubt", "resolved_sent", "resend_approved", "held", "blocked"
]
FINAL_RUN_STATES: frozenset[str] = frozenset({"done", "failed", "stopped"})

RunEventKind: TypeAlias = Literal[
    "run.started",  # mode, seed, clock, version, name
    "run.state",  # state, message?, hint?
    "run.version",  # from, to, people {node: n}: the run goes on as another version of its workflow
    "step.state",  # state
    # in, out {port: n}, sample {port: [contact ids]}, failed, quarantined, duration_ms, attempt, figures? {name: n}
    "step.ran",
    "step.waiting",  # waiting (absolute count now), next_due (ISO or null)
    "step.sending",  # planned, sent, failed, retry, in_doubt, blocked (absolute counts of this step)
    "step.problem",  # code, message, hint, count (adds up per code), sample [contact ids], action, severity
    "clock",  # nothing: only says that the run's clock stands at `at`
]


SAMPLES_KEPT = 50


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One immutable fact of a run. `seq` counts from 1 without gaps per run; `at` is the run's clock."""

    run_id: str
    seq: int
    at: datetime
    node_id: str | None
    kind: RunEventKind
    payload: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepProblem:
    """What went wrong at a step, for how many, and what can be done. `action` names a use case the window can start."""

    code: str
    message: str
    hint: str
    count: int
    sample: tuple[int, ...] = ()
    action: str | None = None
    severity: str = "error"


@dataclass(frozen=True, slots=True)
class StepView:
    """One node of a run at an instant. Counts are instances; `samples` are contacts that left last, by port."""

    node_id: str
    state: StepState = "queued"
    arrived: int = 0
    out: Mapping[str, int] = field(default_factory=dict)
    samples: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    failed: int = 0
    quarantined: int = 0
    waiting: int = 0
    next_due: str | None = None
    sending: Mapping[str, int] = field(default_factory=dict)
    duration_ms: float = 0.0
    attempts: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    problems: tuple[StepProblem, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def left(self) -> int:
        """Instances that went on, over all ports."""
        return sum(self.out.values())


@dataclass(frozen=True, slots=True)
class RunView:
    """A run at an instant: the fold of its events up to `seq`."""

    run_id: str
    state: RunState = "queued"
    seq: int = 0
    at: datetime | None = None
    started_at: datetime | None = None
    about: Mapping[str, JsonValue] = field(default_factory=dict)
    message: str = ""
    hint: str = ""
    steps: Mapping[str, StepView] = field(default_factory=dict)

    def step(self, node_id: str) -> StepView:
        """The step's view; an untouched one when nothing has happened there yet."""
        return self.steps.get(node_id) or StepView(node_id)

    def edge_count(self, node_id: str, port: str) -> int:
        """Instances that left the node through the port."""
        return self.step(node_id).out.get(port, 0)


def fold(view: RunView, events: Iterable[RunEvent]) -> RunView:
    """The view after more events. Events at or before `view.seq` are passed over, so folding twice changes nothing.

    O(events): steps are changed in place and made into views once, at the end.
    """
    run = _Run(view)
    for event in events:
        if event.seq > run.seq:
            run.take(event)
    return run.view()


def apply(view: RunView, event: RunEvent) -> RunView:
    """The view after one event."""
    return fold(view, (event,))


class _Run:
    """A run's view in the making."""

    def __init__(self, view: RunView) -> None:
        self.seq = view.seq
        self._before = view
        self._at = view.at
        self._changes: dict[str, object] = {}
        self._steps: dict[str, _Step] = {}

    def take(self, event: RunEvent) -> None:
        self.seq, self._at = event.seq, event.at
        if event.kind == "run.started":
            self._changes |= {"state": "running", "started_at": event.at, "about": event.payload}
        elif event.kind == "run.state":
            payload = event.payload
            words = {name: str(payload.get(name) or "") for name in ("message", "hint")}
            self._changes |= {"state": payload["state"], **words}
        elif event.node_id is not None:
            step = self._steps.get(event.node_id)
            if step is None:
                step = self._steps[event.node_id] = _Step(self._before.step(event.node_id))
            _STEP_FOLDS[event.kind](step, event)

    def view(self) -> RunView:
        before = self._before
        if self.seq == before.seq:
            return before
        steps = before.steps
        if self._steps:
            steps = {**steps, **{node_id: step.view() for node_id, step in self._steps.items()}}
        kept = {name: getattr(before, name) for name in _RUN_FIELDS}
        return RunView(**{**kept, **self._changes, "seq": self.seq, "at": self._at, "steps": steps})  # pyright: ignore[reportArgumentType] - its own fields


_RUN_FIELDS = tuple(known.name for known in fields(RunView))
_STEP_FIELDS = tuple(known.name for known in fields(StepView))


class _Step:
    """A step's view in the making: the same fields, changed in place. What it holds is its own."""

    __slots__ = _STEP_FIELDS

    node_id: str
    state: StepState
    arrived: int
    out: dict[str, int]
    samples: dict[str, tuple[int, ...]]
    failed: int
    quarantined: int
    waiting: int
    next_due: str | None
    sending: Mapping[str, int]
    duration_ms: float
    attempts: int
    started_at: datetime | None
    ended_at: datetime | None
    problems: tuple[StepProblem, ...]
    figures: dict[str, float]

    def __init__(self, view: StepView) -> None:
        for name in _STEP_FIELDS:
            setattr(self, name, getattr(view, name))
        self.out, self.samples, self.figures = dict(view.out), dict(view.samples), dict(view.figures)

    def view(self) -> StepView:
        return StepView(*(getattr(self, name) for name in _STEP_FIELDS))


def _state(step: _Step, event: RunEvent) -> None:
    step.state = event.payload["state"]  # pyright: ignore[reportAttributeAccessIssue] - written by the engine
    step.started_at = step.started_at or event.at
    step.ended_at = event.at if step.state in ("done", "failed", "warning", "skipped", "stopped") else None


def _ran(step: _Step, event: RunEvent) -> None:
    get = event.payload.get
    step.arrived += _int(get("in"))
    step.failed += _int(get("failed"))
    step.quarantined += _int(get("quarantined"))
    step.duration_ms += _float(get("duration_ms"))
    step.attempts = max(step.attempts, _int(get("attempt")))
    step.started_at = step.started_at or event.at
    ports, fresh, figures = get("out"), get("sample"), get("figures")
    if isinstance(ports, dict):
        for port, count in ports.items():
            step.out[port] = step.out.get(port, 0) + _int(count)
    if isinstance(fresh, dict):
        for port, ids in fresh.items():
            if isinstance(ids, list):
                new = tuple(_int(contact) for contact in ids)
                step.samples[port] = (*new, *step.samples.get(port, ()))[:SAMPLES_KEPT]
    if isinstance(figures, dict):
        for name, amount in figures.items():
            step.figures[name] = step.figures.get(name, 0.0) + _float(amount)


def _waiting(step: _Step, event: RunEvent) -> None:
    due = event.payload.get("next_due")
    step.waiting = _int(event.payload.get("waiting"))
    step.next_due = str(due) if due else None


def _sending(step: _Step, event: RunEvent) -> None:
    step.sending = {key: _int(value) for key, value in event.payload.items()}


def _problem(step: _Step, event: RunEvent) -> None:
    payload = event.payload
    code = str(payload.get("code") or "")
    before = next((p for p in step.problems if p.code == code), None)
    sample = payload.get("sample")
    new = StepProblem(
        code=code,
        message=str(payload.get("message") or ""),
        hint=str(payload.get("hint") or ""),
        count=_int(payload.get("count")) + (before.count if before else 0),
        sample=(*(before.sample if before else ()), *(_int(s) for s in (sample if isinstance(sample, list) else ())))[
            :50
        ],
        action=str(payload["action"]) if payload.get("action") else None,
        severity=str(payload.get("severity") or "error"),
    )
    step.problems = (*(p for p in step.problems if p.code != code), new)


_STEP_FOLDS: Mapping[str, Callable[[_Step, RunEvent], None]] = {
    "step.state": _state,
    "step.ran": _ran,
    "step.waiting": _waiting,
    "step.sending": _sending,
    "step.problem": _problem,
}


def _int(value: JsonValue | None) -> int:
    return int(value) if isinstance(value, (int, float)) else 0


def _float(value: JsonValue | None) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0
