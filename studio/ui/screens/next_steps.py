"""What to do next about a run: only what its figures, its problems and its experiment really say.

Absent on purpose: Qt, and advice that nothing stands behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from studio.analytics.alerts import Alert
from studio.analytics.suggestions import Suggestion
from studio.domain.clock import iso
from studio.domain.run import RunView
from studio.domain.template import Recommendation
from studio.ui import numbers
from studio.ui.screens.experiments.words import headline
from studio.workspace.insights import RunInsight
from studio.workspace.trials import Trial

SHOWN_MAX = 5
ADVISED_MAX = 2
OUTBOX = "outbox"
"""The target that opens the runs screen on its outbox."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """`page` and `target` are where the button leads; page `run` opens the run on the canvas, `apply` does what the
    suggestion `target` says, in the workflow itself.
    """

    title: str
    why: str
    colour: str
    button: str
    page: str
    target: str


def next_steps(
    insight: RunInsight,
    view: RunView,
    trial: Trial | None,
    suggestions: tuple[tuple[str, Recommendation], ...],
    alerts: Sequence[Alert] = (),
    advice: Sequence[Suggestion] = (),
) -> list[NextStep]:
    """Most pressing first: what failed, what is over a limit, what the experiment says, then templates to try."""
    found = [*_problems(insight, view), *_limits(insight), *_alerts(insight, alerts)]
    if trial is not None:
        found += _experiment(trial)
    found += _advised(insight, advice)
    found += [
        NextStep(f"Try “{name}”", _why(card), "accent", "Look", "templates", card.template)
        for name, card in suggestions
    ]
    return found[:SHOWN_MAX]


def _problems(insight: RunInsight, view: RunView) -> list[NextStep]:
    found = []
    for step in view.steps.values():
        for problem in step.problems:
            label = insight.design.labels.get(step.node_id, step.node_id)
            why = f"{label}: {numbers.plural(problem.count, 'item')}. {problem.hint}"
            colour = "state.failed" if problem.severity == "error" else "state.warning"
            found.append(NextStep(problem.message, why, colour, "Show", "run", view.run_id))
    doubtful = sum(step.sending.get("in_doubt", 0) for step in view.steps.values())
    if doubtful:
        title = f"Decide about {numbers.plural(doubtful, 'message')} in doubt"
        why = "Nobody knows yet whether they arrived."
        found.append(NextStep(title, why, "state.waiting", "Decide", "runs", OUTBOX))
    return found


def _alerts(insight: RunInsight, alerts: Sequence[Alert]) -> list[NextStep]:
    """The most striking one; its button shows the canvas as it stood then."""
    return [
        NextStep(
            alert.title,
            alert.cause or "Nothing the run wrote down explains it.",
            "state.warning",
            "Show then",
            "run",
            f"{insight.run.run_id}@{iso(alert.at)}",
        )
        for alert in alerts[:1]
    ]


def _advised(insight: RunInsight, advice: Sequence[Suggestion]) -> list[NextStep]:
    """The figures' own advice, with what it is worth; limits have their own line already."""
    pages = {"experiment": "experiments", "audience": "audience", "run": "run", "canvas": "canvas", "apply": "apply"}
    return [
        NextStep(
            one.title,
            f"{_worth(insight, one)}{one.evidence}",
            "accent",
            one.button,
            pages[one.action],
            one.code if one.action == "apply" else one.target,
        )
        for one in advice
        if not one.code.startswith("limit.")
    ][:ADVISED_MAX]


def _worth(insight: RunInsight, one: Suggestion) -> str:
    if one.value is None:
        return ""
    currency = insight.returned.currency
    worth = f"About {numbers.money(one.value, currency)}"
    if one.low is None or one.high is None or one.low == one.high:
        return f"{worth}. "
    span = numbers.interval(numbers.compact(one.low), numbers.compact(one.high))
    return f"{worth} ({span}). "


def _limits(insight: RunInsight) -> list[NextStep]:
    return [
        NextStep(
            f"{kpi.title} are above the limit" if kpi.title.endswith("s") else f"{kpi.title}: above the limit",
            f"{numbers.percent(kpi.value, 2)} of {numbers.count(kpi.denominator)} messages; {kpi.note}",
            "state.failed",
            "Show",
            "run",
            insight.run.run_id,
        )
        for kpi in insight.kpis
        if kpi.limit is not None and kpi.value is not None and kpi.value > kpi.limit
    ]


def _experiment(trial: Trial) -> list[NextStep]:
    decision, plan = trial.result.analysis.decision, trial.result.plan
    target = f"{plan.run_id}/{plan.node_id}"
    if decision.verdict == "ship" and trial.shipped is None:
        title = f"Ship {decision.variant} to the template"
        return [NextStep(title, headline(trial), "state.done", "Review", "experiments", target)]
    if decision.verdict in ("stop_harm", "blocked"):
        return [NextStep(f"Look at “{plan.name}”", headline(trial), "state.failed", "Review", "experiments", target)]
    if decision.verdict == "stop_futile":
        return [NextStep(f"End “{plan.name}”", headline(trial), "state.stopped", "Review", "experiments", target)]
    return []


def _why(card: Recommendation) -> str:
    return card.reasons[0].text if card.reasons else ""
