"""Runs as facts: run events, and the one fold that turns them into what canvas, command line and replay show.

Absent on purpose: where events are kept. A live view and a replay differ only in how many events they fold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import JsonValue

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
    "step.state",  # state
    "step.ran",  # in, out {port: n}, sample {port: [contact ids]}, failed, quarantined, duration_ms, attempt
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
    """The view after more events. Events at or before `view.seq` are passed over, so folding twice changes nothing."""
    for event in events:
        if event.seq > view.seq:
            view = apply(view, event)
    return view


def apply(view: RunView, event: RunEvent) -> RunView:
    """The view after one event."""
    view = replace(view, seq=event.seq, at=event.at)
    if event.kind == "run.started":
        return replace(view, state="running", started_at=event.at, about=event.payload)
    if event.kind == "run.state":
        return _run_state(view, event)
    if event.node_id is None:
        return view
    step = _STEP_FOLDS[event.kind](view.step(event.node_id), event)
    return replace(view, steps={**view.steps, event.node_id: step})


def _run_state(view: RunView, event: RunEvent) -> RunView:
    payload = event.payload
    return replace(
        view,
        state=payload["state"],  # pyright: ignore[reportArgumentType] - written by the engine from RunState
        message=str(payload.get("message") or ""),
        hint=str(payload.get("hint") or ""),
    )


def _state(step: StepView, event: RunEvent) -> StepView:
    state: StepState = event.payload["state"]  # pyright: ignore[reportAssignmentType] - written by the engine
    ended = event.at if state in ("done", "failed", "warning", "skipped", "stopped") else None
    return replace(step, state=state, started_at=step.started_at or event.at, ended_at=ended)


def _ran(step: StepView, event: RunEvent) -> StepView:
    payload = event.payload
    out = dict(step.out)
    ports = payload.get("out")
    if isinstance(ports, dict):
        for port, count in ports.items():
            out[port] = out.get(port, 0) + _int(count)
    return replace(
        step,
        arrived=step.arrived + _int(payload.get("in")),
        out=out,
        samples=_samples(step.samples, payload.get("sample")),
        failed=step.failed + _int(payload.get("failed")),
        quarantined=step.quarantined + _int(payload.get("quarantined")),
        duration_ms=step.duration_ms + _float(payload.get("duration_ms")),
        attempts=max(step.attempts, _int(payload.get("attempt"))),
        started_at=step.started_at or event.at,
    )


def _samples(known: Mapping[str, tuple[int, ...]], fresh: JsonValue | None) -> Mapping[str, tuple[int, ...]]:
    if not isinstance(fresh, dict) or not fresh:
        return known
    new = {port: tuple(_int(contact) for contact in ids) for port, ids in fresh.items() if isinstance(ids, list)}
    return {**known, **{port: (*ids, *known.get(port, ()))[:SAMPLES_KEPT] for port, ids in new.items()}}


def _waiting(step: StepView, event: RunEvent) -> StepView:
    due = event.payload.get("next_due")
    return replace(step, waiting=_int(event.payload.get("waiting")), next_due=str(due) if due else None)


def _sending(step: StepView, event: RunEvent) -> StepView:
    return replace(step, sending={key: _int(value) for key, value in event.payload.items()})


def _problem(step: StepView, event: RunEvent) -> StepView:
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
    return replace(step, problems=(*(p for p in step.problems if p.code != code), new))


_STEP_FOLDS = {
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
