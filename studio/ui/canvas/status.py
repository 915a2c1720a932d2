"""What a node and an edge show of a run at one instant: state, figures and progress, made from the run's fold.

Absent on purpose: painting, and anything that is not in the `RunView` handed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from studio.domain.clock import parse_iso
from studio.domain.node import Role
from studio.domain.run import FINAL_RUN_STATES, RunView, StepProblem, StepView
from studio.domain.workflow import Edge
from studio.ui.numbers import NOTHING, count, duration, percent
from studio.ui.tokens import STATES

IDLE = "idle"
_MOVING = frozenset({"running"})


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """`state` is one of `tokens.STATES`; `left` and `right` stand below the title; `progress` is in [0, 1] or None."""

    state: str = IDLE
    left: str = NOTHING
    right: str = NOTHING
    left_short: str = ""
    right_short: str = ""
    progress: float | None = None
    figure: int | None = None
    attention: bool = False

    @property
    def word(self) -> str:
        return STATES[self.state].word


@dataclass(frozen=True, slots=True)
class EdgeStatus:
    """`count` is how many have gone along; None when there is no run."""

    state: str = IDLE
    count: int | None = None
    moving: bool = False


NO_EDGE_STATUS = EdgeStatus()


def open_problems(step: StepView) -> tuple[StepProblem, ...]:
    """The step's problems without those a retry has answered: their numbers were taken off again."""
    failed = step.state == "failed"
    return tuple(p for p in step.problems if p.count > 0 or p.severity == "warning" or failed)


def shown_state(step: StepView, role: Role | None = None) -> str:
    """The step's state as the canvas tells it: a step that goes on although some of it failed counts as failed."""
    if step.state in ("running", "waiting") and any(problem.severity == "error" for problem in open_problems(step)):
        return "failed"
    if step.state == "running" and step.waiting and role in ("wait", "goal"):
        return "waiting"
    if step.state == "waiting" and not step.waiting and _settled(step) == _messages(step):
        # The engine's waiting means that somebody may still come; a person asks whether anybody stands there now.
        return "passed" if step.arrived or step.left else "waiting" if role == "source" else "queued"
    return step.state


def node_status(view: RunView, node_id: str, role: Role | None) -> NodeStatus:
    """What the node shows; a node nothing has happened at yet is idle."""
    step = view.steps.get(node_id)
    if step is None:
        return NodeStatus()
    left, right, short = _figures(step, role, view.at)
    left_short = count(step.sending.get("sent", 0)) + " sent" if step.sending else ""
    state = shown_state(step, role)
    if not step.arrived and not step.left and not step.waiting and state == "queued":
        left = NOTHING
    return NodeStatus(
        state=state,
        left=left,
        right=right,
        left_short=left_short,
        right_short=short or right,
        progress=_progress(step) if state in ("running", "failed", "paused") else None,
        figure=_figure(step, role),
        attention=any(problem.severity == "error" for problem in open_problems(step)),
    )


def edge_status(view: RunView, edge: Edge, roles: Mapping[str, Role]) -> EdgeStatus:
    """How many went along the edge, and whether they are on their way now."""
    (source_id, port), (target_id, _in) = edge.from_, edge.to
    source, target = view.steps.get(source_id), view.steps.get(target_id)
    passed = view.edge_count(source_id, port)
    if source is None or (passed == 0 and not _is_on_its_way(source)):
        return EdgeStatus(IDLE, None if source is None else passed)
    source_state = shown_state(source, roles.get(source_id))
    target_state = shown_state(target, roles.get(target_id)) if target is not None else IDLE
    if "failed" in (source_state if passed else "", target_state) and source_state != IDLE:
        state = "failed"
    elif target_state in _MOVING or (source_state in _MOVING and roles.get(source_id) != "source"):
        state = "running"
    else:
        state = "done" if passed else IDLE
    moving = state == "running" and view.state not in FINAL_RUN_STATES and view.state != "paused"
    return EdgeStatus(state, passed, moving)


def _is_on_its_way(step: StepView) -> bool:
    return step.state in _MOVING and bool(step.sending)


def failed_count(view: RunView) -> int:
    """Instances that failed or were set aside, over all steps: those that can be tried again."""
    return sum(step.failed + step.quarantined for step in view.steps.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTotals:
    """A run in six figures. People count once at each start; `next_in`: until the first who waits goes on."""

    entered: int = 0
    waiting: int = 0
    next_in: timedelta | None = None
    sent: int = 0
    blocked: int = 0
    reached: int = 0
    failed: int = 0


def totals_of(view: RunView, roles: Mapping[str, Role]) -> RunTotals:
    """The run as a whole, of the steps as they now are."""
    steps = view.steps.values()
    due = min((step.next_due for step in steps if step.waiting and step.next_due), default=None)
    return RunTotals(
        entered=sum(step.left for step in steps if roles.get(step.node_id) == "source"),
        waiting=sum(step.waiting for step in steps),
        next_in=max(parse_iso(due) - view.at, timedelta(0)) if due and view.at else None,
        sent=sum(step.sending.get("sent", 0) for step in steps),
        blocked=sum(step.sending.get("blocked", 0) for step in steps),
        reached=sum(step.out.get("reached", 0) for step in steps if roles.get(step.node_id) == "goal"),
        failed=failed_count(view),
    )


def is_finished(view: RunView | None) -> bool:
    return view is not None and view.state in FINAL_RUN_STATES


def progress_of(view: RunView) -> float | None:
    """Share of messages settled over all sending steps, in [0, 1]; None when nothing is sent."""
    total = sum(_messages(step) for step in view.steps.values())
    settled = sum(_settled(step) for step in view.steps.values())
    return settled / total if total else None


def _progress(step: StepView) -> float | None:
    held = step.waiting if step.state == "paused" else 0
    total = _messages(step) + held
    return _settled(step) / total if total else None


def _messages(step: StepView) -> int:
    return sum(step.sending.values())


def _settled(step: StepView) -> int:
    return sum(step.sending.get(key, 0) for key in ("sent", "failed", "blocked"))


def _figure(step: StepView, role: Role | None) -> int:
    if role == "wait":
        return step.waiting or step.left
    if role == "goal":
        return step.out.get("reached", 0)
    if role == "send":
        return step.sending.get("sent", 0)
    return step.left if role == "source" else step.arrived


def _figures(step: StepView, role: Role | None, now: datetime | None) -> tuple[str, str, str]:
    """Left text, right text, and a shorter right text for when both do not fit."""
    if role == "send" and step.sending:
        return _sending(step)
    left = _left(step, role)
    lost = _lost(step)
    if lost:
        return left, lost, lost
    if role in ("wait", "goal") and step.waiting:
        return left, *_due(step, now)
    timed = role not in ("goal", "exit", "wait") and step.duration_ms
    spent = duration(timedelta(milliseconds=step.duration_ms)) if timed else NOTHING
    return left, spent, spent


def _left(step: StepView, role: Role | None) -> str:
    match role:
        case "source":
            return f"{count(step.left)} out"
        case "goal":
            return f"{count(step.out.get('reached', 0))} reached"
        case "exit":
            return f"{count(step.arrived)} ended"
        case "wait" if step.waiting:
            return f"{count(step.waiting)} waiting"
        case "wait":
            return f"{count(step.left)} went on" if step.left else f"{count(step.arrived)} in"
        case _:
            return f"{count(step.arrived)} in"


def _sending(step: StepView) -> tuple[str, str, str]:
    total, sent = _messages(step), step.sending.get("sent", 0)
    if step.state == "paused" and step.waiting:
        held_back = f"{count(step.waiting)} held"
        return f"{count(sent)} sent", held_back, held_back
    lost = _lost(step)
    left = f"{count(sent)} / {count(total)}"
    if lost:
        return left, lost, lost
    held = step.sending.get("blocked", 0)
    if held and sent + held == total:
        return f"{count(sent)} sent", f"{count(held)} blocked", f"{count(held)} blocked"
    if sent == total:
        return f"{count(sent)} sent", "all sent" if sent else NOTHING, ""
    share = percent(_settled(step) / total) if total else NOTHING
    return left, share, share


def _lost(step: StepView) -> str:
    failed = max(step.failed, step.sending.get("failed", 0))
    if failed:
        return f"{count(failed)} failed"
    if step.sending.get("in_doubt"):
        return f"{count(step.sending['in_doubt'])} in doubt"
    return f"{count(step.quarantined)} set aside" if step.quarantined else ""


def _due(step: StepView, now: datetime | None) -> tuple[str, str]:
    if step.next_due is None:
        return NOTHING, NOTHING
    due = parse_iso(step.next_due)
    if now is None or due <= now:
        return "due now", "due"
    words = duration(due - now)
    return f"next in {words}", f"in {words.split(' ')[0]}"
