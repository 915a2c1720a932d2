"""The report of a run: the finding, the figures, and one section per question, as values that any form can be made of.

Absent on purpose: files and layout (`report_files`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from studio.analytics.alerts import Alert
from studio.analytics.attribution import Attribution
from studio.analytics.drawing import bars, heatmap, line
from studio.analytics.exits import Exit
from studio.analytics.findings import amount
from studio.analytics.funnel import Funnel
from studio.analytics.kpis import Kpi
from studio.analytics.returns import Return
from studio.analytics.survival import Curve, in_words
from studio.analytics.timing import WEEKDAYS, Heat
from studio.analytics.trials import TrialResult
from studio.domain.template import Prediction

POINTS_MAX = 240
HOUR = timedelta(hours=1)
Cells = tuple[str, ...]
MODEL_HEADS = {
    "linear": "Equal",
    "decay": "Time decay",
    "position": "First and last",
    "markov": "Without it",
    "shapley": "Fair share",
}
"""What the ways of sharing credit are called, as on screen; the first and the last touch keep their names."""


@dataclass(frozen=True, slots=True)
class Section:
    """One question with its answer in words, a chart (SVG, or "") and the table it was drawn from."""

    title: str
    sentence: str
    chart: str = ""
    heads: Cells = ()
    rows: tuple[Cells, ...] = ()


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
    sentence = f"{amount(money, currency)} came from {returned.orders:,} orders of {returned.buyers:,} people."
    if made is not None and band:
        low, mean, high = band[-1][1:]
        inside = "inside" if low <= money <= high else "outside"
        rows += [
            ("Predicted", amount(mean, currency)),
            ("Interval", f"{amount(low, currency)} to {amount(high, currency)}"),
        ]
        sentence += f" That is {inside} the predicted interval ({made.level:.0%})."
    return Section("Revenue against prediction", sentence, chart, ("", "Revenue"), tuple(rows))


def funnel_section(funnel: Funnel) -> Section:
    """How many different people came how far."""
    first = funnel.steps[0].people
    rows = [(s.title, f"{s.people:,}", _share(s.share_of_entered), _share(s.share_of_previous)) for s in funnel.steps]
    drawn = [(s.title, float(s.people), f"{s.people:,}") for s in funnel.steps]
    held = f" {funnel.held:,} were kept out to compare with." if funnel.held else ""
    sentence = f"Of {first:,} people who entered, {funnel.people('converted'):,} reached the goal.{held}"
    return Section("Funnel", sentence, bars(drawn), ("Step", "People", "Of entered", "Of step before"), tuple(rows))


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
            f"It brought {amount(abs(increment.total), currency)} {way} than would have come anyway ({low} to {high})."
        )
    rows = (
        ("People", f"{returned.people:,}", f"{returned.held:,}"),
        ("Bought", f"{returned.buyers:,}", f"{returned.held_buyers:,}"),
        (
            "Share that bought",
            _share(_part(returned.buyers, returned.people)),
            _share(_part(returned.held_buyers, returned.held)),
        ),
    )
    return Section("What it caused", said, "", ("", "Treated", "Held out"), rows)


def experiment_section(result: TrialResult) -> Section:
    """What one A/B test found: its verdict in words, and each variant's share with the band that decides."""
    decision, plan = result.analysis.decision, result.plan
    said = " ".join([_VERDICTS[decision.verdict].format(decision.variant), *decision.reasons[:2]])
    compared = {c.variant: c for c in result.analysis.comparisons}
    rows, drawn = [], []
    for variant in result.variants:
        name, rate, found = f"{variant.id} · {variant.value}", variant.rate, compared.get(variant.id)
        looks = result.band.get(variant.id, ())
        band = (looks[-1].low, looks[-1].high) if looks else (None, None)
        lift = "baseline" if variant.id == plan.control else _signed(found.lift if found else None)
        drawn.append((name, rate or 0.0, _share(rate)))
        rows.append((name, f"{variant.people:,}", f"{variant.converted:,}", _share(rate), lift, _band(*band)))
    heads = ("Variant", "People", "Reached the goal", "Share", "Lift", "Always-valid band")
    return Section(f"A/B test: {plan.name}", said, bars(drawn), heads, tuple(rows))


_VERDICTS = {
    "ship": "{} wins.",
    "keep_running": "No winner yet.",
    "stop_harm": "{} does harm.",
    "stop_futile": "No difference worth having.",
    "blocked": "Held.",
}


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.1%}".replace("-", "−")


def _band(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None else f"{_signed(low)} to {_signed(high)}"


def credit_section(found: Attribution, currency: str) -> Section:
    """Who gets the credit: the fair share (Shapley) in the chart, every model in the table."""
    credit = found.credit
    if credit.is_empty():
        return Section("Credit for revenue", "No order had an open or a click before it.")
    channels = credit.filter(pl.col("model") == "shapley").get_column("channel").to_list()
    models = credit.get_column("model").unique(maintain_order=True).to_list()
    shares = {
        (model, channel): share for model, channel, share in credit.select("model", "channel", "share").iter_rows()
    }
    drawn = [(channel, shares["shapley", channel], f"{shares['shapley', channel]:.0%}") for channel in channels]
    rows = tuple((channel, *(_share(shares.get((model, channel), 0.0)) for model in models)) for channel in channels)
    heads = ("Message", *(MODEL_HEADS.get(model, model.title()) for model in models))
    said = (
        f"{found.attributed_orders:,} orders worth {amount(found.attributed_value, currency)} came after an open or a "
        "click. Credit is not cause; only the people held out tell what the messages brought."
    )
    return Section("Credit for revenue", said, bars(drawn, 1.0), heads, rows)


def exits_section(exits: Sequence[Exit]) -> Section:
    """Where people left, by reason."""
    shown = [row for row in exits if row.people]
    drawn = [(row.title, float(row.people), f"{row.people:,}") for row in shown]
    rows = tuple((row.title, f"{row.people:,}", _share(row.share)) for row in shown)
    return Section(
        "Where people left", "One person can be in several rows.", bars(drawn), ("Why", "People", "Share"), rows
    )


def timing_section(heat: Heat) -> Section:
    """When people open, in their own zone."""
    best = heat.best_hours()
    if best is None:
        return Section("When people open", "Nobody has opened a message yet.")
    start, share = best
    said = (
        f"{share:.0%} of all opens by people lie between {start:02}:00 and {(start + 3) % 24:02}:00 in their own zone."
    )
    rows = tuple((day, *(str(count) for count in row)) for day, row in zip(WEEKDAYS, heat.counts.tolist(), strict=True))
    heads = ("", *(str(hour) for hour in range(24)))
    return Section("When people open", said, heatmap(WEEKDAYS, heat.counts.tolist()), heads, rows)


def pace_section(curve: Curve) -> Section:
    """How long people take to the goal."""
    rows = tuple((in_words(h), _share(curve.share_at(h))) for h in (24.0, 72.0, 168.0, 336.0) if curve.share_at(h))
    said = (
        f"{curve.converted:,} of {curve.watched:,} entries have reached the goal; the others count as still open. "
        "Somebody can enter more than once."
    )
    reached = [(hours, share) for hours in (24.0, 72.0, 168.0, 336.0) if (share := curve.share_at(hours))]
    chart = bars([(f"within {in_words(hours)}", share, f"{share:.1%}") for hours, share in reached], 1.0)
    return Section("How long it takes", said, chart, ("Within", "Share that gets there"), rows)


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
        return f"{kpi.value:.2%}"
    return f"{kpi.value:,.1f} ×" if kpi.unit == "ratio" else f"{kpi.value:,.0f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _part(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _thin(points: list, every: int) -> list:
    kept = points[::every]
    return kept if not points or kept[-1] == points[-1] else [*kept, points[-1]]
