"""A run's figures as its charts, cards and tables want them.

Absent on purpose: Qt, and counting anything that `workspace.insights` has not counted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from studio.analytics.alerts import Alert
from studio.analytics.kpis import HEADLINE
from studio.domain.clock import shown
from studio.domain.run import RunView
from studio.domain.template import Prediction
from studio.ui import numbers
from studio.ui.charts import BandPoint, FunnelStep, LineBandData, Marker, Point
from studio.ui.tokens import STATES, Tone
from studio.workspace.insights import RunInsight

P = TypeVar("P", Point, BandPoint)
HOUR = timedelta(hours=1)
POINTS_MAX = 200
MODE_WORDS: Mapping[str, str] = {"simulate": "simulated", "test": "test mode", "live": "live"}
_PREDICTED = {"revenue": "revenue_per_recipient", "roi": "roi", "buyers": "conversion_rate"}


@dataclass(frozen=True, slots=True)
class Figure:
    """One card of the first line."""

    title: str
    value: str
    delta: str
    tone: Tone
    note: str


@dataclass(frozen=True, slots=True)
class SendStep:
    """One send step. People are different people, `failed` are items that failed or were set aside."""

    node_id: str
    label: str
    people: Mapping[str, int]
    failed: int
    revenue: float | None = None
    currency: str = "EUR"

    def of(self, kind: str) -> int:
        return self.people.get(kind, 0)


def moment(at: datetime) -> str:
    """`2 Mar 2026, 14:00`."""
    at = shown(at)
    return f"{at.day} {at:%b %Y, %H:%M}"


def subtitle(insight: RunInsight, *, is_running: bool) -> str:
    """Whether it goes on, how fresh it is, what it rests on."""
    parts = ["Live" if is_running else STATES[insight.run.state].word.capitalize(), MODE_WORDS[insight.run.mode]]
    if insight.last_event_at is not None:
        parts.append(f"last event in the hour from {moment(insight.last_event_at)}")
    parts.append(numbers.plural(insight.events, "event"))
    parts.append(f"answered in {numbers.duration(timedelta(milliseconds=insight.answered_ms))}")
    return " · ".join(parts)


def title(insight: RunInsight) -> str:
    """The finding, with its amounts kept in one piece where a line ends."""
    return re.sub(r"(?<=[€$£]) (?=\d)", numbers.NBSP, insight.finding)


def figures(insight: RunInsight) -> list[Figure]:
    """The headline figures, each with what was predicted or may not be exceeded."""
    return [_figure(insight, kpi.name) for kpi in insight.kpis if kpi.name in HEADLINE]


def _figure(insight: RunInsight, name: str) -> Figure:
    kpi = next(kpi for kpi in insight.kpis if kpi.name == name)
    value = written(kpi.value, kpi.unit, insight.returned.currency)
    expected = predicted(insight, name)
    if expected is not None:
        delta, tone = _against(kpi.value, expected)
        return Figure(kpi.title, value, delta, tone, _promise(expected, kpi.unit, insight.returned.currency))
    if kpi.limit is not None:
        over = kpi.value is not None and kpi.value > kpi.limit
        counted = f"{numbers.count(kpi.numerator)} of {numbers.count(kpi.denominator)}"
        return Figure(kpi.title, value, "above the limit" if over else "", "bad", f"{counted}, {kpi.note}")
    share = kpi.numerator / kpi.denominator if kpi.numerator is not None and kpi.denominator else None
    delta = numbers.percent(share, 1) if share is not None else ""
    return Figure(kpi.title, value, delta, "muted", kpi.note)


def written(value: float | None, unit: str, currency: str) -> str:
    """A key figure as it stands on its card."""
    if unit == "money":
        return numbers.money(value, currency)
    if unit == "rate":
        return numbers.percent(value, 2)
    if unit == "ratio":
        return (
            numbers.NOTHING if value is None else f"{numbers.decimal(value, 0 if value >= 100 else 1)}{numbers.NBSP}×"
        )
    return numbers.count(value)


def predicted(insight: RunInsight, name: str) -> Prediction | None:
    """The prediction of a key figure for as many people as were treated; None when there is none."""
    made = insight.predicted.get(_PREDICTED.get(name, ""))
    if made is None or not insight.returned.people:
        return None
    times = 1.0 if name == "roi" else float(insight.returned.people)
    return Prediction(made.mean * times, made.low * times, made.high * times, made.source, made.level)


def _against(value: float | None, expected: Prediction) -> tuple[str, Tone]:
    """The change against the prediction; coloured only when it lies outside the interval."""
    if value is None or not expected.mean:
        return "", "muted"
    tone: Tone = "good" if value > expected.high else "bad" if value < expected.low else "muted"
    return numbers.signed(numbers.percent(value / expected.mean - 1)), tone


def _promise(expected: Prediction, unit: str, currency: str) -> str:
    mean = written(expected.mean, unit, currency)
    if unit == "money":
        low, high = numbers.compact(expected.low), numbers.compact(expected.high)
    else:
        low, high = numbers.decimal(expected.low, 0), numbers.decimal(expected.high, 0)
    return f"predicted {mean}, {numbers.interval(low, high)}"


def revenue_chart(insight: RunInsight, alerts: Sequence[Alert] = ()) -> LineBandData:
    """Revenue so far, and what was predicted for the people treated so far, with its interval.

    Both lines are sums from the start; the prediction grows with each person, at the value per person it promised.
    """
    made = insight.predicted.get("revenue_per_recipient")
    earned = dict(insight.revenue.select("hour", "value").iter_rows())
    treated = dict(insight.treated.select("hour", "people").iter_rows())
    hours = sorted({*earned, *treated})
    if not hours:
        return LineBandData(())
    actual, promised = [Point(hours[0], 0.0)], []
    money, people = 0.0, 0
    for hour in hours:
        money, people = money + (earned.get(hour) or 0.0), people + treated.get(hour, 0)
        # What is counted under an hour is known at its end.
        actual.append(Point(hour + HOUR, money))
        if made is not None:
            promised.append(BandPoint(hour + HOUR, people * made.low, people * made.mean, people * made.high))
    if promised:
        promised.insert(0, BandPoint(hours[0], 0.0, 0.0, 0.0))
    level = numbers.percent(made.level if made is not None else 0.9)
    markers = [Marker(alert.at, alert.title, f"alert · {alert.cause}" if alert.cause else "alert") for alert in alerts]
    shown = [marker for marker in markers if hours[0] <= marker.x <= hours[-1] + HOUR][:1]
    return LineBandData(_thinned(actual), _thinned(promised), shown, band_label=f"{level} interval")


def _thinned(points: Sequence[P]) -> list[P]:
    every = max(1, -(-len(points) // POINTS_MAX))
    kept = list(points[::every])
    return kept if not points or kept[-1] is points[-1] else [*kept, points[-1]]


def funnel_steps(insight: RunInsight) -> list[FunnelStep]:
    """The funnel, with the people kept out as the holdout noted where they leave."""
    held = f"{numbers.plural(insight.funnel.held, 'person', 'people')} held out" if insight.funnel.held else ""
    return [
        FunnelStep(s.title, s.people, s.share_of_previous, held if s.kind == "sent" else "")
        for s in insight.funnel.steps
    ]


def send_steps(
    insight: RunInsight,
    view: RunView,
    revenue: Mapping[str, float] | None = None,
) -> list[SendStep]:
    """The send steps in the workflow's order; what failed is as the run stands in `view`."""
    counted: dict[str, dict[str, int]] = {}
    for node_id, kind, people in insight.steps.select("node_id", "kind", "people").iter_rows():
        counted.setdefault(node_id, {})[kind] = people or 0
    return [
        SendStep(
            node_id,
            insight.design.labels[node_id],
            counted.get(node_id, {}),
            _failed(view, node_id),
            None if revenue is None else revenue.get(insight.design.labels[node_id], 0.0),
            insight.returned.currency,
        )
        for node_id in insight.design.labels
        if node_id in insight.design.sends
    ]


def _failed(view: RunView, node_id: str) -> int:
    step = view.step(node_id)
    return step.failed + step.quarantined


def caused(insight: RunInsight) -> str:
    """Whether the run's effect can be told from nothing, in a sentence."""
    returned = insight.returned
    increment = returned.increment
    if increment is None:
        return "Nobody is held out, so nobody can tell what would have been bought anyway."
    if increment.total is None or increment.total_ci is None:
        return "Too few people are held out yet to say what it caused."
    low, high = (numbers.money(value, returned.currency) for value in increment.total_ci)
    if increment.indistinguishable:
        return f"Not told apart from nothing: the interval from {low} to {high} holds zero."
    total = numbers.money(abs(increment.total), returned.currency)
    way = "more" if increment.total > 0 else "less"
    return f"It brought {total} {way} than would have come anyway (95 % interval: {low} to {high})."
