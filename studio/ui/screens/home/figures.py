"""The newest run's figures with the shape of their days.

Absent on purpose: figures over several runs; a simulation and a live run do not add up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from studio.ui import charts as c
from studio.ui import numbers
from studio.ui import widgets as w
from studio.ui.screens.navigator import Navigator

if TYPE_CHECKING:
    from studio.workspace.insights import RunInsight

_WHOLE_FROM = 100
"""A return this many times the spend is told without decimals, as on the analytics screen."""


def newest_run_card(insight: RunInsight | None, navigator: Navigator, *, is_roomy: bool = False) -> w.Card:
    """Revenue, orders and return of the run; says so when there is none yet.

    With room the revenue is drawn against its prediction, otherwise each figure has the small shape of its days.
    """
    if insight is None:
        card = w.Card("Figures")
        card.add(w.Text("Revenue, orders and return stand here after the first run.", "body", "muted"))
        return card
    more = w.LinkButton("Analytics", lambda: navigator.go("analytics", insight.run.run_id), quiet=True)
    card = w.Card(f"Newest run: {insight.run.name}", more)
    revenue, orders = by_day(insight)
    returned, grid = insight.returned, w.GridFlow(170, spacing=16)
    shapes = (
        (None, None) if is_roomy else (c.Sparkline("Revenue by day", revenue), c.Sparkline("Orders by day", orders))
    )
    money = numbers.money(returned.revenue, returned.currency)
    grid.addWidget(w.Stat("Revenue", money, note=_per_day(revenue), chart=shapes[0]))
    grid.addWidget(w.Stat("Orders", numbers.count(returned.orders), note=_per_day(orders), chart=shapes[1]))
    grid.addWidget(w.Stat("Return on spend", _times(returned.roi), note=_expected(insight)))
    card.add(w.panel(grid))
    if is_roomy:
        card.add(_revenue_chart(insight), stretch=1)
    return card


def _revenue_chart(insight: RunInsight) -> c.LineBand:
    # Home stands before analytics is loaded; where there is an insight, it is.
    from studio.ui.screens.run_figures import revenue_chart  # noqa: PLC0415 - loads analytics

    chart = c.LineBand(
        "Revenue against prediction", write=lambda value: numbers.compact_money(value, insight.returned.currency)
    )
    chart.no_data = "No order yet."
    chart.set_data(revenue_chart(insight))
    return chart


def by_day(insight: RunInsight) -> tuple[list[float], list[float]]:
    """Revenue and orders of each day from the first order to the last, days without one as 0."""
    sums: dict[date, float] = defaultdict(float)
    counts: dict[date, float] = defaultdict(float)
    for hour, value, count in insight.revenue.select("hour", "value", "count").iter_rows():
        sums[hour.date()] += value or 0.0
        counts[hour.date()] += count
    if not sums:
        return [], []
    days = [date.fromordinal(n) for n in range(min(sums).toordinal(), max(sums).toordinal() + 1)]
    return [sums[day] for day in days], [counts[day] for day in days]


def _per_day(values: Sequence[float]) -> str:
    return f"over {numbers.plural(len(values), 'day')}" if values else ""


def _times(roi: float | None) -> str:
    return numbers.NOTHING if roi is None else f"{_multiple(roi)}{numbers.NBSP}×"


def _multiple(value: float) -> str:
    return numbers.decimal(value, 0 if value >= _WHOLE_FROM else 1)


def _expected(insight: RunInsight) -> str:
    roi = insight.returned.predicted_roi
    if roi is None:
        return "" if insight.returned.roi is not None else "not known without cost"
    return f"predicted {numbers.interval(_multiple(roi.low), _multiple(roi.high))}{numbers.NBSP}×"
