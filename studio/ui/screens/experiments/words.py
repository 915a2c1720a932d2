"""An experiment's result as words, rows and chart data. One rule decides all of them: the decision's verdict.

Words, colour and interval come from the same bound, so none of them can say “wins” while another says “not yet”.
Absent on purpose: Qt and statistics.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from studio.domain.run import FINAL_RUN_STATES
from studio.experiments.band import BandPoint as Look
from studio.experiments.result import Comparison
from studio.ui import numbers
from studio.ui.charts import BandData, BandPoint, Density
from studio.ui.screens.experiments.health import goal_words, people_of
from studio.ui.tokens import Tone
from studio.workspace.trials import Trial

CURVE_POINTS = 160
CURVE_SPREADS = 4.0
WIDEST = 2.5
"""Of a first look's wide band no more is shown above and below than so many halves of the last band."""
COLOURS = ("text_muted", "state.running", "state.waiting", "state.paused", "state.warning")
"""Of variants that are not decided about, the control first; with the two of a decision they differ for every eye."""


@dataclass(frozen=True, slots=True)
class VariantRow:
    """One line of the table of variants; `low` and `high` bound the lift, None while they are not known."""

    id: str
    name: str
    people: int
    converted: int
    rate: float | None
    lift: float | None
    low: float | None
    high: float | None
    best: float | None
    revenue: float | None
    is_control: bool
    colour: str
    tone: Tone

    @property
    def band(self) -> str:
        """`+ 4.8 … + 49 %`."""
        if self.low is None or self.high is None:
            return numbers.NOTHING if self.is_control else "not known yet"
        return f"{_signed(self.low)} … {_signed(self.high)}"


def trial_id(trial: Trial) -> str:
    """What names an experiment: its run and its node."""
    return f"{trial.result.plan.run_id}/{trial.result.plan.node_id}"


def headline(trial: Trial) -> str:
    """The finding, as the first line of the screen."""
    decision = trial.result.analysis.decision
    if trial.aftercare is not None and trial.aftercare.verdict != "watching" and decision.verdict != "blocked":
        return _after(trial)
    if decision.verdict == "blocked":
        return "Held: the variants did not get the shares of people that were planned"
    if decision.verdict == "ship" and decision.variant is not None:
        value = trial.result.plan.values.get(decision.variant, decision.variant)
        return f"{decision.variant} wins: “{value}” brings {_change(trial, decision.variant)}"
    if decision.verdict == "stop_harm" and decision.variant is not None:
        return f"{decision.variant} does harm: it brings {_change(trial, decision.variant)}"
    if decision.verdict == "stop_futile":
        ended = trial.run.state in FINAL_RUN_STATES
        return f"{'Stopped' if ended else 'Time to stop'}: no difference worth having between {_names(trial)}"
    return f"No winner yet: {_open(trial)}"


def _after(trial: Trial) -> str:
    """A test of a shipped value against the one before it."""
    assert trial.aftercare is not None
    lift = trial.aftercare.lift
    change = (
        "" if lift is None else f": {numbers.percent(abs(lift))} {'fewer' if lift < 0 else 'more'} {goal_words(trial)}"
    )
    if trial.aftercare.verdict == "roll_back":
        return f"Take the shipped change back{change} than with the old value"
    return f"The shipped change holds{change} than with the old value"


def _open(trial: Trial) -> str:
    ahead = max(trial.result.analysis.comparisons, key=lambda c: -math.inf if c.lift is None else c.lift, default=None)
    if not people_of(trial):
        return "nobody has met this test so far"
    if ahead is None or ahead.lift is None:
        return f"too few {goal_words(trial)} to compare"
    if ahead.ship.lower_bound is not None and ahead.ship.lower_bound > 0:
        return f"{ahead.variant} is ahead by enough, but the test has to run on"
    leader = ahead.variant if ahead.lift > 0 else trial.result.plan.control
    if ahead.lift == 0:
        return f"{_names(trial)} are level"
    return f"{leader} is ahead, but it is too early to call"


def _change(trial: Trial, variant: str) -> str:
    lift = _comparison(trial, variant).lift
    if lift is None:
        return f"more {goal_words(trial)}"
    return f"{numbers.percent(abs(lift))} {'more' if lift >= 0 else 'fewer'} {goal_words(trial)}"


def safe_line(trial: Trial) -> str:
    """What the person may rely on when looking, by the mode that was planned."""
    plan = trial.result.plan
    chance = numbers.percent(plan.alpha)
    if plan.mode == "fixed":
        return f"Decides once, at {numbers.count(plan.planned_total)} people; until then nothing here is a verdict"
    return f"Safe to read at any time: the chance that this call is wrong stays under {chance}, however often you look"


def among_tests(trial: Trial, series: Mapping[str, bool]) -> str:
    """Whether a winner is still one beside all other tests; empty where there is none, or no other test."""
    if trial.result.analysis.decision.verdict != "ship" or len(series) < 2 or trial_id(trial) not in series:
        return ""
    tests = f"all {numbers.count(len(series))} tests of this workspace"
    if series[trial_id(trial)]:
        return f"It counts as a finding beside {tests} too: at most one in twenty of those is chance."
    return f"Beside {tests} it may be one of those that come out by chance: test it again before building on it."


def choice_title(trial: Trial) -> str:
    """`Cart recovery: Which subject?`: what is tested where; tests of different workflows are often called alike."""
    return f"{trial.run.name.partition(' – ')[0]}: {trial.result.plan.name}"


def state_line(trial: Trial) -> str:
    """`running · day 9`, `shipped · B`, `ended`."""
    if trial.shipped is not None:
        return f"shipped · {trial.result.analysis.decision.variant or 'winner'}"
    if trial.run.state in FINAL_RUN_STATES:
        return "stopped" if trial.run.state == "stopped" else "ended"
    started = trial.result.started_at
    day = f" · day {(trial.run.at - started).days + 1}" if started is not None else ""
    return f"{'running' if trial.run.state != 'waiting' else 'waiting'}{day}"


def standing(trial: Trial) -> tuple[str, Tone]:
    """How it stands, in a word or two at the right of the list."""
    decision = trial.result.analysis.decision
    if decision.verdict == "blocked":
        return "held", "caution"
    if decision.variant is not None:
        lift = _comparison(trial, decision.variant).lift
        tone: Tone = "good" if decision.verdict == "ship" else "bad"
        return (f"{decision.variant} {_signed(lift)}" if lift is not None else decision.variant), tone
    if decision.verdict == "stop_futile":
        return "no difference", "muted"
    missing = trial.result.plan.planned_total - people_of(trial)
    return (f"needs {numbers.count(missing)} more" if missing > 0 else "not proven"), "muted"


def is_decided(trial: Trial) -> bool:
    """Whether the rule says anything but to go on."""
    return trial.result.analysis.decision.verdict != "keep_running"


def can_ship(trial: Trial) -> bool:
    """Whether the rule says ship, nothing was shipped yet, and there is a template setting to write into."""
    is_bound = trial.template is not None and bool(trial.result.plan.parameter)
    return trial.result.analysis.decision.verdict == "ship" and trial.shipped is None and is_bound


def undo_of(trial: Trial) -> str | None:
    """The promotion that can be taken back here: this test's own, or the one that it watches once that did harm."""
    if trial.shipped is not None:
        return trial.shipped
    return trial.watches if trial.aftercare is not None and trial.aftercare.verdict == "roll_back" else None


def why_not(trial: Trial) -> str:
    """Why nothing can be shipped now; empty when it can."""
    if can_ship(trial):
        return ""
    if trial.shipped is not None:
        return "The winner is in the template already."
    if trial.result.analysis.decision.verdict != "ship":
        return "No variant is proven better yet."
    return "This test is not bound to a template's setting."


def variant_rows(trial: Trial) -> list[VariantRow]:
    """The variants in their order, the control first."""
    plan, analysis = trial.result.plan, trial.result.analysis
    rows = []
    for number, variant in enumerate(trial.result.variants):
        is_control = variant.id == plan.control
        last = _last(trial, variant.id)
        colour, tone = _look(trial, variant.id, number)
        rows.append(
            VariantRow(
                id=variant.id,
                name=variant.id if variant.value == variant.id else f"{variant.id} · {variant.value}",
                people=variant.people,
                converted=variant.converted,
                rate=variant.rate,
                lift=None if is_control else _comparison(trial, variant.id).lift,
                low=last.low if last is not None else None,
                high=last.high if last is not None else None,
                best=analysis.bayes_best.get(variant.id),
                revenue=variant.revenue.mean if variant.people else None,
                is_control=is_control,
                colour=colour,
                tone=tone,
            )
        )
    return rows


def _look(trial: Trial, variant: str, number: int) -> tuple[str, Tone]:
    decision = trial.result.analysis.decision
    if decision.variant == variant:
        return ("state.done", "good") if decision.verdict == "ship" else ("state.failed", "bad")
    return COLOURS[number % len(COLOURS)], "default"


def shown_treatment(trial: Trial, chosen: str = "") -> str | None:
    """The treatment whose lift is drawn: the one a person chose, else the one decided about, else the one ahead."""
    if chosen in trial.result.plan.treatments:
        return chosen
    decision, comparisons = trial.result.analysis.decision, trial.result.analysis.comparisons
    if decision.variant is not None or not comparisons:
        return decision.variant
    return max(comparisons, key=lambda c: -math.inf if c.lift is None else c.lift).variant


def reasons_about(trial: Trial, treatment: str | None) -> list[str]:
    """The decision's reasons without those that are about another treatment alone."""
    others = [other for other in trial.result.plan.treatments if other != treatment]

    def names(variant: str, reason: str) -> bool:
        return re.search(rf"(?<!\w){re.escape(variant)}(?!\w)", reason) is not None

    return [
        numbers.as_written_here(reason)
        for reason in trial.result.analysis.decision.reasons
        if (treatment and names(treatment, reason)) or not any(names(other, reason) for other in others)
    ]


def lift_chart(trial: Trial, treatment: str | None = None) -> BandData:
    """The band of the treatment shown, from the look on at which it is known and can be drawn beside the last."""
    variant = treatment or shown_treatment(trial)
    looks = trial.result.band.get(variant, ()) if variant is not None else ()
    points = [
        BandPoint(look.at, look.low, look.lift, look.high)
        for look in looks
        if look.low is not None and look.lift is not None and look.high is not None
    ]
    colour = next((row.colour for row in variant_rows(trial) if row.id == variant), "accent")
    return BandData(points, f"lift of {variant}", colour=colour, span=_span_of(points))


def _span_of(points: list[BandPoint]) -> tuple[float, float] | None:
    """What of the axis is shown: the last band several times over, so that wide first looks do not flatten it."""
    if not points:
        return None
    last = points[-1]
    room = WIDEST * (last.high - last.low) / 2
    low = max(min(point.low for point in points), min(last.low - room, 0.0))
    return low, min(max(point.high for point in points), last.high + room)


def beliefs(trial: Trial) -> list[Density]:
    """Beta(converted + 1, not converted + 1) of each variant's rate, from a uniform prior."""
    shapes = [(v.id, v.converted + 1, v.people - v.converted + 1) for v in trial.result.variants if v.people]
    if not shapes:
        return []
    spans = [_span(a, b) for _id, a, b in shapes]
    low, high = max(0.0, min(s[0] for s in spans)), min(1.0, max(s[1] for s in spans))
    xs = [low + (high - low) * n / (CURVE_POINTS - 1) for n in range(CURVE_POINTS)]
    colours = {row.id: row.colour for row in variant_rows(trial)}
    return [Density(variant, xs, [_beta(x, a, b) for x in xs], colours[variant]) for variant, a, b in shapes]


def _span(a: int, b: int) -> tuple[float, float]:
    mean = a / (a + b)
    spread = math.sqrt(mean * (1 - mean) / (a + b + 1))
    return mean - CURVE_SPREADS * spread, mean + CURVE_SPREADS * spread


def _beta(x: float, a: int, b: int) -> float:
    if not 0 < x < 1:
        return float(b) if x <= 0 and a == 1 else float(a) if x >= 1 and b == 1 else 0.0
    log_density = (a - 1) * math.log(x) + (b - 1) * math.log1p(-x)
    return math.exp(log_density + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b))


def _comparison(trial: Trial, variant: str) -> Comparison:
    return next(c for c in trial.result.analysis.comparisons if c.variant == variant)


def _last(trial: Trial, variant: str) -> Look | None:
    looks = trial.result.band.get(variant, ())
    return looks[-1] if looks else None


def _names(trial: Trial) -> str:
    names = [variant.id for variant in trial.result.variants]
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _signed(lift: float) -> str:
    return numbers.signed(numbers.percent(lift, 1 if abs(lift) < 0.1 else 0))
