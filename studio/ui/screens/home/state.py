"""What the first screen says, put together from the workspace: what runs, what needs the person, what is worth doing.

Absent on purpose: Qt. It is called on a worker thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from studio.domain.errors import UserFixable
from studio.domain.ports import RunRow
from studio.domain.run import RunView
from studio.domain.template import Recommendation
from studio.ui import numbers
from studio.ui.screens.expectations import counted
from studio.workspace.newest import newest_of_each
from studio.workspace.workspace import Workspace

if TYPE_CHECKING:
    from studio.workspace.insights import RunInsight

RUNS_SHOWN = 5
NEXT_SHOWN = 3
_MODES = {"simulate": "Simulation", "test": "Test", "live": "Live"}
_GREETINGS = ((5, "Good morning."), (12, "Good afternoon."), (18, "Good evening."))


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run. `progress` in [0, 1] while it goes towards a planned end, otherwise None."""

    run_id: str
    name: str
    state: str
    words: str
    progress: float | None
    revenue: float | None
    currency: str
    is_going: bool


@dataclass(frozen=True, slots=True)
class ReadyLine:
    """A workflow that has not run yet."""

    workflow_id: str
    name: str
    words: str


@dataclass(frozen=True, slots=True)
class Need:
    """Something that waits for the person. `kind`: problem (opens `run_id`), experiment (ready to ship)."""

    kind: str
    title: str
    words: str
    run_id: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A template that is not in use yet. `counts`: what its goal counts, in the plural."""

    recommendation: Recommendation
    title: str
    counts: str


@dataclass(frozen=True, slots=True)
class HomeState:
    """Everything on the first screen. `newest`: figures of the newest run that did something."""

    business: str
    currency: str
    people: int
    workflows: int
    runs: tuple[RunLine, ...]
    ready: tuple[ReadyLine, ...]
    needs: tuple[Need, ...]
    suggestions: tuple[Suggestion, ...]
    newest: RunInsight | None
    insights: Mapping[str, RunInsight] = field(default_factory=dict)

    @property
    def going(self) -> int:
        """Runs that are at work or wait for their next step."""
        return sum(run.is_going for run in self.runs)


def read_home(workspace: Workspace, known: Mapping[str, RunInsight] | None = None) -> HomeState:
    """Reads the workspace. `known`: figures of runs that have not changed since, by `insight_key`."""
    context = workspace.templates.context()
    rows = workspace.runs.list()
    shown = rows[:RUNS_SHOWN]
    insights = {row.run_id: _insight(workspace, row, known or {}) for row in shown}
    views = {row.run_id: workspace.runs.view(row.run_id) for row in newest_of_each(rows)[:RUNS_SHOWN] + shown}
    name, currency = context.fact("name"), context.fact("currency")
    return HomeState(
        business=str(name.value) if name else "",
        currency=str(currency.value) if currency else "EUR",
        people=workspace.people.count(),
        workflows=len(workspace.workflows.list()),
        runs=tuple(_line(workspace, row, views[row.run_id], insights[row.run_id]) for row in shown),
        ready=_ready(workspace, rows)[: RUNS_SHOWN - len(shown)],
        needs=tuple(_needs(workspace, newest_of_each(rows)[:RUNS_SHOWN], views)),
        suggestions=_suggestions(workspace) if context.facts else (),
        newest=next((insights[row.run_id] for row in shown if _has_figures(insights[row.run_id])), None),
        insights={insight_key(row): found for row in shown if (found := insights[row.run_id]) is not None},
    )


def _ready(workspace: Workspace, rows: Sequence[RunRow]) -> tuple[ReadyLine, ...]:
    ran = {row.workflow_id for row in rows}
    return tuple(
        ReadyLine(stored.id, stored.name, f"Ready to run · changed on {_day(stored.updated_at.astimezone())}")
        for stored in workspace.workflows.list()
        if stored.id not in ran
    )


def _day(at: datetime) -> str:
    return f"{at.day} {at:%b}"


def greeting(at: datetime) -> str:
    """By the hour of the person's own clock."""
    words = [text for hour, text in _GREETINGS if at.hour >= hour]
    return words[-1] if words else "Good evening."


def headline(state: HomeState) -> str:
    """The finding, without the greeting."""
    needs = len(state.needs)
    if needs:
        rest = "the rest runs" if state.going else "nothing else runs"
        return f"{_in_words(needs)} {'thing needs' if needs == 1 else 'things need'} you, {rest}."
    if state.going:
        return f"{_in_words(state.going)} {'run is' if state.going == 1 else 'runs are'} under way, nothing needs you."
    if state.runs:
        return "Nothing runs and nothing needs you."
    return "Three ways to start." if not state.workflows else "Your workflows are ready to run."


def summary(state: HomeState) -> str:
    """The counts under the finding."""
    parts = [
        state.business,
        numbers.plural(state.workflows, "workflow"),
        numbers.plural(state.people, "contact"),
        "everything is on this computer",
    ]
    return " · ".join(part for part in parts if part)


def insight_key(row: RunRow) -> str:
    """Changes whenever the run's figures may have changed."""
    return f"{row.run_id}/{row.state}/{row.at.isoformat()}"


def _insight(workspace: Workspace, row: RunRow, known: Mapping[str, RunInsight]) -> RunInsight | None:
    found = known.get(insight_key(row))
    if found is not None:
        return found
    try:
        return workspace.insights.of_run(row.run_id)
    except UserFixable:
        return None


def _has_figures(insight: RunInsight | None) -> bool:
    return insight is not None and insight.events > 0


def _line(workspace: Workspace, row: RunRow, view: RunView, insight: RunInsight | None) -> RunLine:
    interrupted = workspace.runs.is_interrupted(row)
    state = "stopped" if interrupted else row.state
    return RunLine(
        run_id=row.run_id,
        name=row.name,
        state=state,
        words=" · ".join(part for part in (_MODES[row.mode], _doing(row, view, interrupted=interrupted)) if part),
        progress=_progress(row) if state == "running" else None,
        revenue=insight.returned.revenue if insight is not None and _has_figures(insight) else None,
        currency=insight.returned.currency if insight is not None else "EUR",
        is_going=state in ("running", "queued", "waiting") and not _has_ended(row),
    )


def _has_ended(row: RunRow) -> bool:
    """Whether its clock stands where it was asked to stop; people may still wait in it then."""
    return row.state == "waiting" and row.until is not None and row.at >= row.until


def _doing(row: RunRow, view: RunView, *, interrupted: bool) -> str:
    if interrupted:
        return "interrupted; it can go on where it stands"
    sent = sum(step.sending.get("sent", 0) for step in view.steps.values())
    waiting = sum(step.waiting for step in view.steps.values())
    parts = [f"{numbers.count(sent)} sent"] if sent else []
    if _has_ended(row) and row.until is not None:
        parts.append(f"played up to {_day(row.until)}")
    if waiting:
        parts.append(f"{numbers.count(waiting)} {'still wait' if _has_ended(row) else 'wait'}")
    if row.state != "running" and view.message:
        parts.append(view.message)
    return " · ".join(parts)


def _progress(row: RunRow) -> float | None:
    if row.until is None or row.until <= row.started_at:
        return None
    return min(1.0, max(0.0, (row.at - row.started_at) / (row.until - row.started_at)))


def _needs(workspace: Workspace, rows: list[RunRow], views: Mapping[str, RunView]) -> Iterator[Need]:
    for row in rows:
        if workspace.runs.is_interrupted(row):
            yield Need(
                "problem",
                f"{row.name} was interrupted",
                "It can go on where it stands; nothing is sent twice.",
                row.run_id,
            )
        elif row.state == "failed":
            view = views[row.run_id]
            yield Need("problem", f"{row.name} stopped: {view.message}".rstrip(": "), view.hint, row.run_id)
        else:
            yield from _step_needs(workspace, row, views[row.run_id])
    for trial in workspace.trials.list():
        decision = trial.result.analysis.decision
        if decision.verdict == "ship" and trial.shipped is None:
            title = f"“{trial.result.plan.name}”: {decision.variant} wins and is ready to ship"
            yield Need("experiment", title, decision.reasons[0] if decision.reasons else "", trial.run.run_id)


def _step_needs(workspace: Workspace, row: RunRow, view: RunView) -> Iterator[Need]:
    names = {node.id: node.label or node.id for node in workspace.runs.workflow_of(row.run_id).nodes}
    for step in view.steps.values():
        doubtful = step.sending.get("in_doubt", 0)
        if doubtful:
            words = f"{row.name} · it is not known whether they arrived"
            yield Need("problem", f"{numbers.plural(doubtful, 'message')} in doubt", words, row.run_id)
        for problem in step.problems:
            if problem.severity == "error":
                title = f"{numbers.count(problem.count)} × {problem.message}" if problem.count > 1 else problem.message
                where = f"{row.name} · {names.get(step.node_id, step.node_id)}"
                yield Need("problem", title, f"{where}. {problem.hint}".strip(), row.run_id)


def _suggestions(workspace: Workspace) -> tuple[Suggestion, ...]:
    used = {workflow.template for workflow in workspace.workflows.list()}
    ranked = workspace.templates.recommend(workspace.templates.context()).recommendations
    fresh = [item for item in ranked if item.template not in used][:NEXT_SHOWN]
    templates = [workspace.templates.get(item.template) for item in fresh]
    return tuple(
        Suggestion(item, template.name["en"], counted(template))
        for item, template in zip(fresh, templates, strict=True)
    )


def _in_words(number: int) -> str:
    words = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
    return words[number] if number < len(words) else numbers.count(number)
