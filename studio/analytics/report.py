"""The report of a run: the finding, the figures, and one section per question, as values that any form can be made of.

Absent on purpose: files and layout (`report_files`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from studio.analytics.alerts import Alert
from studio.analytics.drawing import bars, intervals, line
from studio.analytics.exits import Exit
from studio.analytics.findings import amount
from studio.analytics.funnel import Funnel
from studio.analytics.kpis import Kpi
from studio.analytics.returns import Return
from studio.analytics.suggestions import Suggestion
from studio.analytics.survival import Curve, in_words
from studio.analytics.trials import TrialResult
from studio.domain.template import Prediction

POINTS_MAX = 240
BARS_MAX = 12
"""Of a long list the chart shows so many; its table has all."""
HOUR = timedelta(hours=1)
Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One question with its answer in words, a chart (SVG, or "") and the table it was drawn from.

    `is_told`: chart and sentence say all that the table holds.
    """

    title: str
    sentence: str
    chart: str = ""
    heads: Cells = ()
    rows: tuple[Cells, ...] = ()
    is_told: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """A run's report. `about` says what it rests on; `figures` are label, value and note."""

    name: str
    finding: str
    about: str
    made_at: datetime
    figures: tuple[tuple[str, str, str], ...]
    sections: tuple[Section, ...]


def figures(kpis: Sequence[Kpi], currency: str) -> tuple[tuple[str, str, str], ...]:
    """Label, value and note of each key figure, in words."""
    return tuple((kpi.title, _value(kpi, currency), kpi.note) for kpi in kpis)


def revenue_section(
    revenue: pl.DataFrame, treated: pl.DataFrame, returned: Return, predicted: Mapping[str, Prediction]
) -> Section:
    """Revenue so far beside what was predicted for the people treated so far. Frames as `kpis` gives them."""
    made, currency = predicted.get("revenue_per_recipient"), returned.currency
    earned, people = (
        dict(revenue.select("hour", "value").iter_rows()),
        dict(treated.select("hour", "people").iter_rows()),
    )
    points, band, money, count = [], [], 0.0, 0
    for hour in sorted({*earned, *people}):
        money, count = money + (earned.get(hour) or 0.0), count + people.get(hour, 0)
        points.append((hour + HOUR, money))
        if made is not None:
            band.append((hour + HOUR, count * made.low, count * made.mean, count * made.high))
    every = max(1, len(points) // POINTS_MAX)
    chart = line(_thin(points, every), _thin(band, every), lambda value: amount(value, currency))
    rows = [("Earned", amount(money, currency))]
    if not returned.orders:
        return Section("Revenue against prediction", "No order yet.")
    sentence = f"{amount(money, currency)} came from {returned.orders:,} orders of {returned.buyers:,} people."
    if made is not None and band:
        low, mean, high = band[-1][1:]
        inside = "inside" if low <= money <= high else "outside"
        rows += [
            ("Predicted", amount(mean, currency)),
            ("Interval", f"{amount(low, currency)} to {amount(high, currency)}"),
        ]
        sentence += (
            f" That is {inside} the predicted interval, {amount(low, currency)} to {amount(high, currency)} "
            f"({percent(made.level, 0)}), around {amount(mean, currency)}."
        )
    return Section("Revenue against prediction", sentence, chart, ("", "Revenue"), tuple(rows), is_told=bool(chart))


def funnel_section(funnel: Funnel) -> Section:
    """How many different people came how far."""
    first = funnel.steps[0].people
    rows = [(s.title, f"{s.people:,}", share(s.share_of_entered), share(s.share_of_previous)) for s in funnel.steps]
    drawn = [(s.title, float(s.people), _counted(s.people, s.share_of_previous)) for s in funnel.steps]
    heads = ("Step", "People", "Of entered", "Of step before")
    held = f" {funnel.held:,} were kept out to compare with." if funnel.held else ""
    if not first:
        return Section("Funnel", "Nobody has entered yet.")
    reached = f"Of {first:,} people who entered, {funnel.people('converted'):,} reached the goal.{held}"
    sentence = f"{reached} Shares are of the step before."
    return Section("Funnel", sentence, bars(drawn), heads, tuple(rows), is_told=True)


def caused_section(returned: Return) -> Section:
    """Treated people beside those held out."""
    increment, currency = returned.increment, returned.currency
    if increment is None or increment.total is None or increment.total_ci is None:
        said = "Nobody, or too few people, were held out, so nobody can tell what would have been bought anyway."
        return Section("What it caused", said)
    low, high = (amount(value, currency) for value in increment.total_ci)
    if increment.indistinguishable:
        said = f"The effect cannot be told apart from nothing: the interval from {low} to {high} holds zero."
    else:
        way = "more" if increment.total > 0 else "less"
        said = (
            f"It brought {amount(abs(increment.total), currency)} {way} than would have come anyway "
            f"(95 % interval: {low} to {high})."
        )
    rows = (
        ("People", f"{returned.people:,}", f"{returned.held:,}"),
        ("Bought", f"{returned.buyers:,}", f"{returned.held_buyers:,}"),
        (
            "Share that bought",
            share(part(returned.buyers, returned.people)),
            share(part(returned.held_buyers, returned.held)),
        ),
    )
    return Section("What it caused", said, "", ("", "Treated", "Held out"), rows)


def experiment_section(result: TrialResult) -> Section:
    """What one A/B test found: its verdict in words, and each variant's share with the band that decides."""
    decision, plan = result.analysis.decision, result.plan
    said = " ".join([_VERDICTS[decision.verdict].format(decision.variant), *decision.reasons[:2]])
    said = re.sub(r"(?<!\w)-(?=\d)", "−", said)
    compared = {c.variant: c for c in result.analysis.comparisons}
    rows, drawn = [], []
    for variant in result.variants:
        name, found = f"{variant.id} · {variant.value}", compared.get(variant.id)
        looks = result.band.get(variant.id, ())
        band = (looks[-1].low, looks[-1].high) if looks else (None, None)
        lift = "baseline" if variant.id == plan.control else _signed(found.lift if found else None)
        rows.append((name, f"{variant.people:,}", f"{variant.converted:,}", share(variant.rate), lift, _band(*band)))
        if found is not None and found.lift is not None:
            drawn.append((name, found.lift, *band, decision.variant == variant.id))
    heads = ("Variant", "People", "Reached the goal", "Share", "Lift", "Always-valid band")
    chart = intervals(drawn, lambda value: _signed(value) if value else percent(0.0, 0), f"as {plan.control}")
    return Section(f"A/B test: {plan.name}", said, chart, heads, tuple(rows))


_VERDICTS = {
    "ship": "{} wins.",
    "keep_running": "No winner yet.",
    "stop_harm": "{} does harm.",
    "stop_futile": "No difference worth having.",
    "blocked": "Held.",
}


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{'+' if value > 0 else ''}{percent(value)}"


def _band(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None else f"{_signed(low)} to {_signed(high)}"


def cohorts_section(cohorts: pl.DataFrame, currency: str) -> Section:
    """People by the week they entered in: `cohort, size, converted, rate, value`."""
    shown = cohorts.tail(12)
    if shown.is_empty():
        return Section("By week of entering", "Nobody has entered yet.")
    columns = shown.select("cohort", "size", "converted", "rate", "value")
    rows = tuple(
        (f"{week.day} {week:%B %Y}", f"{size:,}", f"{bought:,}", share(rate), amount(value or 0.0, currency))
        for week, size, bought, rate, value in columns.iter_rows()
    )
    said = "The newest weeks have had less time: read their shares as not yet, rather than as worse."
    return Section("By week of entering", said, "", ("Week from", "People", "Bought", "Share", "Revenue"), rows)


def advice_section(advice: Sequence[Suggestion], currency: str) -> Section:
    """What to do next, the most valuable first."""
    if not advice:
        return Section("What to do next", "Nothing in these figures asks for a change.")
    rows = tuple((one.title, one.evidence, _worth(one, currency)) for one in advice[:5])
    return Section("What to do next", "The most valuable first.", "", ("What", "Why", "Worth about"), rows)


def _worth(one: Suggestion, currency: str) -> str:
    if one.value is None:
        return "–"
    if one.low is None or one.high is None or one.low == one.high:
        return amount(one.value, currency)
    return f"{amount(one.value, currency)} ({amount(one.low, currency)} to {amount(one.high, currency)})"


def exits_section(exits: Sequence[Exit]) -> Section:
    """Where people left, by reason."""
    shown = [row for row in exits if row.people]
    if not shown:
        return Section("Where people left", "Nobody has left yet.")
    drawn = [(row.title, float(row.people), _counted(row.people, row.share)) for row in shown[:BARS_MAX]]
    rows = tuple((row.title, f"{row.people:,}", share(row.share)) for row in shown)
    heads, said = ("Why", "People", "Share"), "One person can be in several rows."
    return Section("Where people left", said, bars(drawn), heads, rows, is_told=len(shown) <= BARS_MAX)


def pace_section(curve: Curve) -> Section:
    """How long people take to the goal."""
    if not curve.converted:
        return Section("How long it takes", "Nobody has reached the goal yet.")
    rows = tuple((in_words(h), share(curve.share_at(h))) for h in (24.0, 72.0, 168.0, 336.0) if curve.share_at(h))
    said = (
        f"{curve.converted:,} of {curve.watched:,} entries have reached the goal; the others count as still open. "
        "Somebody can enter more than once."
    )
    reached = [(hours, there) for hours in (24.0, 72.0, 168.0, 336.0) if (there := curve.share_at(hours))]
    chart = bars([(f"within {in_words(hours)}", there, percent(there)) for hours, there in reached], 1.0)
    return Section("How long it takes", said, chart, ("Within", "Share that gets there"), rows, is_told=bool(chart))


def alerts_section(alerts: Sequence[Alert]) -> Section:
    """What was out of the ordinary."""
    if not alerts:
        return Section("Out of the ordinary", "Nothing was.")
    rows = tuple((alert.title, alert.cause or "Nothing written down explains it.") for alert in alerts[:10])
    said = f"{len(alerts)} moments differ from what is usual by more than chance explains."
    return Section("Out of the ordinary", said, "", ("What", "Likely cause"), rows)


def _value(kpi: Kpi, currency: str) -> str:
    if kpi.value is None:
        return "–"
    if kpi.unit == "money":
        return amount(kpi.value, currency)
    if kpi.unit == "rate":
        return percent(kpi.value, 2)
    return f"{kpi.value:,.1f} ×" if kpi.unit == "ratio" else f"{kpi.value:,.0f}"


def _counted(people: int, of: float | None) -> str:
    return f"{people:,}" if of is None else f"{people:,} · {percent(of)}"


def percent(value: float, decimals: int = 1) -> str:
    """A fraction as it stands on screen, its sign kept beside it.

    >>> percent(-0.125).replace("\u00a0", " ")
    '−12.5 %'
    """
    return f"{100 * value:,.{decimals}f}\u00a0%".replace("-", "−")


def share(value: float | None) -> str:
    """With one decimal; a dash where nothing is known."""
    return "–" if value is None else percent(value)


def part(count: int, whole: int) -> float | None:
    """A fraction; None of nothing."""
    return count / whole if whole else None


def _thin(points: list, every: int) -> list:
    kept = points[::every]
    return kept if not points or kept[-1] == points[-1] else [*kept, points[-1]]
