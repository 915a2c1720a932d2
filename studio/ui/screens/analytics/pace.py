"""Cards about time: how long people take, who entered when, what was out of the ordinary and when.

Absent on purpose: fetching.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import cast

import polars as pl

from studio.analytics.alerts import Alert
from studio.analytics.survival import Curve, in_words
from studio.domain.clock import iso
from studio.ui import charts as c
from studio.ui import numbers
from studio.ui import widgets as w
from studio.ui.charts.data import X
from studio.ui.screens.data_menu import data_button
from studio.ui.screens.run_figures import moment

POINTS_MAX = 120
ALERTS_SHOWN = 5
_DAY_H = 24.0
Weeks = tuple[datetime, int, int, float | None]


class PaceCard(w.Card):
    """How long people take to the goal, those still on the way counted for as long as they were watched."""

    def __init__(self) -> None:
        self.chart = c.BandOverTime("Share that has reached the goal, by time since entering", write_x=_after)
        self.chart.no_data = "Nobody has reached the goal yet."
        super().__init__("How long people take", data_button(self.chart), note="with its 90 % band")
        self.sentence = w.Text("", "secondary", "muted")
        self.chart.setMinimumHeight(170)
        self.add(self.sentence)
        self.add(self.chart, stretch=1)

    def show_curve(self, curve: Curve) -> None:
        self.sentence.setText(pace_words(curve))
        self.chart.set_data(pace_chart(curve))


def pace_words(curve: Curve) -> str:
    """When half of those who get there have got there, and how many are still on the way."""
    if not curve.converted:
        return ""
    half = curve.quantile(float(curve.reached[-1]) / 2)
    open_ones = curve.watched - curve.converted
    rest = f"; {numbers.plural(open_ones, 'entry', 'entries')} not yet there" if open_ones else ""
    return f"Half of those who get there do within {in_words(half)}{rest}"


def pace_chart(curve: Curve) -> c.BandData:
    """The curve over days, thinned to what a screen shows."""
    if not curve.converted:
        return c.BandData(())
    every = max(1, -(-len(curve.hours) // POINTS_MAX))
    places = sorted({*range(0, len(curve.hours), every), len(curve.hours) - 1})
    points = [c.BandPoint(0.0, 0.0, 0.0, 0.0)]
    for place in places:
        # What ends at nobody left has no band there; its estimate stands alone.
        low, mid, high = float(curve.low[place]), float(curve.reached[place]), float(curve.high[place])
        points.append(c.BandPoint(float(curve.hours[place]) / _DAY_H, min(low, mid), mid, max(high, mid)))
    return c.BandData(points, label="reached it", reference=None, colour="accent")


def _after(x: X) -> str:
    days = cast("float", x)
    if days == 0:
        return "entry"
    return f"{days * _DAY_H:.0f} h" if days < 1 else f"{days:.3g} d"


class CohortsCard(w.Card):
    """Who entered in which week, and what became of them."""

    def __init__(self) -> None:
        self._currency = "EUR"
        columns: list[w.Column[Weeks]] = [
            w.Column(title="Week from", value=lambda r: r[0], text=lambda r: f"{r[0].day} {r[0]:%b}", width="stretch"),
            w.Column(title="People", value=lambda r: r[1], numeric=True),
            w.Column(title="Bought", value=lambda r: r[2], numeric=True),
            w.Column(title="Share", value=lambda r: r[3], text=lambda r: numbers.percent(r[3], 1), numeric=True),
        ]
        self.table: w.Table[Weeks] = w.Table("By week of entering", columns, fit_rows=True)
        super().__init__("By week of entering", data_button(self.table))
        self._empty = w.Text("Nobody has entered yet.", "body", "muted")
        self.add(self.table, self._empty, w.STRETCH)

    def show_cohorts(self, rows: pl.DataFrame) -> None:
        shown = list(rows.select("cohort", "size", "converted", "rate").tail(8).iter_rows())
        self.table.set_rows(shown)
        self.table.setVisible(bool(shown))
        self._empty.setVisible(not shown)


class AlertsCard(w.Card):
    """What was out of the ordinary, with its likely cause and a button to the canvas as it stood then."""

    def __init__(self, on_alert: Callable[[Alert], object]) -> None:
        super().__init__("Out of the ordinary")
        self._on_alert = on_alert
        self._rows = w.RowList()
        self._empty = w.Text("Nothing was: every figure stayed where chance leaves it.", "body", "muted")
        self._shown: Sequence[Alert] | None = None
        self.add(self._rows, self._empty, w.STRETCH)

    def show_alerts(self, alerts: Sequence[Alert]) -> None:
        shown = list(alerts[:ALERTS_SHOWN])
        if shown == self._shown:
            return
        self._shown = shown
        self._rows.clear()
        for alert in shown:
            button = w.SecondaryButton("Show then", lambda alert=alert: self._on_alert(alert))
            button.setAccessibleName(f"Show then: {alert.title}")
            why = alert.cause or "Nothing the run wrote down explains it."
            self._rows.add(w.ItemRow(alert.title, f"{moment(alert.at)}. {why}", button, mark=w.Dot("state.warning")))
        self._rows.setVisible(bool(shown))
        self._empty.setVisible(not shown)


def instant(run_id: str, alert: Alert) -> str:
    """The target that shows a run as it stood at an alert."""
    return f"{run_id}@{iso(alert.at)}"
