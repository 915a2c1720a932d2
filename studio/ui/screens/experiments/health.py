"""The checks that a test itself must pass, each as a line with a state. Absent on purpose: Qt and statistics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from studio.analytics.trial_details import TrialDetails
from studio.analytics.trials import GUARDRAILS, SETTLED_MIN
from studio.experiments.guardrail import GuardrailCheck
from studio.experiments.stability import Trend
from studio.ui import numbers
from studio.workspace.trials import Trial


@dataclass(frozen=True, slots=True)
class HealthLine:
    """One check of the test itself; `state` is that of a badge, `why` the whole story."""

    title: str
    finding: str
    state: str
    why: str = ""


def health_lines(trial: Trial, details: TrialDetails | None, treatment: str | None) -> list[HealthLine]:
    """What could make the answer wrong first, then what it still waits for. `details` may be on their way."""
    result, plan = trial.result, trial.result.plan
    lines = [
        _split(trial),
        HealthLine(
            "Same person, same variant",
            numbers.plural(result.crossovers, "crossover"),
            "warning" if result.crossovers else "done",
            "People who met two variants; each counts once in each.",
        ),
        *_guardrails(trial, treatment),
        _novelty(details),
        *_interactions(details),
    ]
    return [*lines, _minimum(trial, plan.minimum_run), _burn_in(trial), _settled(trial), _size(trial)]


def _split(trial: Trial) -> HealthLine:
    total = people_of(trial)
    if not total:
        return HealthLine("Traffic split", "nobody yet", "waiting")
    shares = " / ".join(numbers.decimal(100 * v.people / total, 1) for v in trial.result.variants)
    srm = trial.result.analysis.srm
    p_value = "" if srm.p_value is None else f", {_chance(srm.p_value)}"
    if srm.blocked:
        planned = " / ".join(numbers.decimal(100 * share, 1) for share in trial.result.plan.weights.values())
        shares = f"{shares}, planned {planned}"
    why = "Whether every variant got the share of people it was promised; checked at every look at once."
    return HealthLine("Traffic split", f"{shares}{p_value}", "failed" if srm.blocked else "done", why)


def _chance(p_value: float) -> str:
    return f"p{numbers.NBSP}<{numbers.NBSP}0.001" if p_value < 0.001 else f"p = {p_value:.2g}"


def _guardrails(trial: Trial, treatment: str | None) -> list[HealthLine]:
    checks = {check.name: check for check in trial.result.guardrails.get(treatment or "", ())}
    return [_guardrail(trial, treatment, kind, checks.get(title)) for kind, title in GUARDRAILS.items()]


def _guardrail(trial: Trial, treatment: str | None, kind: str, check: GuardrailCheck | None) -> HealthLine:
    title = f"Guardrail: {GUARDRAILS[kind].lower()}"
    rates = [
        variant.harmed.get(kind, 0) / variant.people
        for variant in trial.result.variants
        if variant.id in (trial.result.plan.control, treatment) and variant.people
    ]
    if check is None or len(rates) < 2:
        return HealthLine(title, "none so far", "done")
    change = rates[1] - rates[0]
    if trial.result.variants[0].id != trial.result.plan.control:
        change = -change
    words = "proven worse" if check.harmed else "not worse" if change <= 0 else "not proven worse"
    points = numbers.signed(numbers.decimal(100 * change, 2))
    return HealthLine(title, f"{points} pt, {words}", "failed" if check.harmed else "done", check.reason)


def _novelty(details: TrialDetails | None) -> HealthLine:
    if details is None:
        return HealthLine("Novelty", "being worked out …", "waiting")
    trend = details.trend
    why = "Whether those who met the test later react as those who met it first."
    if not details.comparable:
        return HealthLine("Novelty", "not told while shares follow the results", "done", why)
    if trend is None:
        return HealthLine("Novelty", "too few people to tell", "waiting", why)
    return HealthLine("Novelty", _trend_words(trend), "warning" if trend.fades else "done", why)


def _trend_words(trend: Trend) -> str:
    if trend.fades:
        return "the effect wears off"
    return "the effect grows with time" if trend.grows else "effect steady"


def _interactions(details: TrialDetails | None) -> list[HealthLine]:
    return [
        HealthLine(
            f"Beside the test “{node}”",
            "the two disturb each other" if found.warns else "independent",
            "warning" if found.warns else "done",
            f"Among people in its second variant the effect is {100 * found.contrast:+.2f} points larger.",
        )
        for node, found in (details.interactions if details is not None else {}).items()
    ]


def _minimum(trial: Trial, minimum: timedelta) -> HealthLine:
    started = trial.result.started_at
    if started is None:
        return HealthLine("Minimum run", "not started", "waiting")
    ran, least = trial.run.at - started, numbers.duration(minimum)
    state = "done" if ran >= minimum else "waiting"
    return HealthLine("Minimum run", f"{numbers.duration(ran)} of at least {least}", state)


def _burn_in(trial: Trial) -> HealthLine:
    # Who says whether enough is known is the band: it begins where the approximation is good enough.
    known = all(points and points[-1].low is not None for points in trial.result.band.values())
    least = min((v.converted for v in trial.result.variants), default=0)
    counted = f"{numbers.count(least)} {goal_words(trial)} in the smallest variant"
    return HealthLine("Enough to judge", counted, "done" if known and trial.result.band else "waiting")


def _settled(trial: Trial) -> HealthLine:
    share = trial.result.settled
    is_decided = trial.result.analysis.decision.verdict != "keep_running"
    why = (
        f"Of the {goal_words(trial)} to expect of these people, those that have come in. Below 95 % a winner must be "
        "proven among people whose time has run out, too."
    )
    return HealthLine(
        "Outcomes settled", numbers.percent(share), "done" if share >= SETTLED_MIN or is_decided else "waiting", why
    )


def _size(trial: Trial) -> HealthLine:
    people, planned = people_of(trial), trial.result.plan.planned_total
    decided = trial.result.analysis.decision.verdict != "keep_running"
    words = f"{numbers.count(people)} of {numbers.count(planned)} people"
    return HealthLine("Planned size", words, "done" if people >= planned or decided else "waiting")


def people_of(trial: Trial) -> int:
    """In all variants."""
    return sum(variant.people for variant in trial.result.variants)


def goal_words(trial: Trial) -> str:
    """What is counted, in the plural."""
    return "orders" if trial.goal == "order" else "conversions"
