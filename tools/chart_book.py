"""Every chart on one page, with data and without, to be looked at in both looks.

Absent on purpose: real figures; the screens' own shots have those.
"""

from __future__ import annotations

import math
from datetime import timedelta

from studio.ui import charts as c
from studio.ui import numbers
from studio.ui import widgets as w
from studio.ui.screens.data_menu import data_button
from studio.ui.shell import MainWindow, Page, PageSpec
from tools import widget_book


class ChartBook(Page):
    """All charts in cards; the last row shows what they say without data."""

    def __init__(self) -> None:
        super().__init__("Charts")
        column = w.ScrollColumn(margins=(22, 18, 22, 18))
        column.add(w.SideBySide((_card(_revenue()), 50), (_card(_ahead()), 50)), 1)
        column.add(w.SideBySide((_card(_lift()), 50), (_card(_pace()), 50)), 1)
        column.add(w.SideBySide((_card(_funnel()), 30), (_card(_bars()), 30), (_card(_beliefs()), 40)), 1)
        column.add(
            w.SideBySide((_card(_heat()), 40), (_card(_graph()), 30), (_card(_spark()), 15), (_card(_none()), 15))
        )
        self.setLayout(w.column(column, spacing=0))


def chart_window() -> MainWindow:
    """The shell with the chart book in it."""
    window = MainWindow([PageSpec(id="charts", title="Charts", icon="chart-column", build=ChartBook)])
    window.set_workspace("Bloom & Barley")
    window.go("charts")
    return window


def _card(chart: c.Chart) -> w.Card:
    card = w.Card(chart.title, data_button(chart))
    card.add(chart, stretch=1)
    return card


def _revenue() -> c.Chart:
    return c.LineBand("Revenue against prediction", widget_book.line_band(), write=numbers.compact_money)


def _ahead() -> c.Chart:
    """Days as they were, and what comes next."""
    days = widget_book.line_band().actual[::3]
    known = [c.Point(p.x, 900 + 260 * math.sin(n)) for n, p in enumerate(days)]
    last = known[-1]
    ahead = [c.BandPoint(last.x, last.y, last.y, last.y)]
    for n in range(1, 8):
        mid = 900 + 260 * math.sin(len(known) - 1 + n)
        ahead.append(c.BandPoint(last.x + timedelta(days=n), mid - 60 * n**0.5, mid, mid + 60 * n**0.5))
    data = c.LineBandData(known, ahead, actual_label="", predicted_label="expected")
    return c.LineBand("Revenue by day", data, write=numbers.compact_money, from_zero=True)


def _lift() -> c.Chart:
    return c.BandOverTime("Lift of B over A", widget_book.lift())


def _pace() -> c.Chart:
    points = [
        c.BandPoint(
            n / 4, 0.9 * (1 - math.exp(-n / 9)) * 0.18, (1 - math.exp(-n / 9)) * 0.18, (1 - math.exp(-n / 9)) * 0.2
        )
        for n in range(29)
    ]
    data = c.BandData(points, label="reached it", reference=None, colour="accent")
    return c.BandOverTime("How long people take", data, write_x=lambda days: f"{days:g} d")


def _funnel() -> c.Chart:
    counts = {"Entered": 11_902, "Sent": 11_863, "Delivered": 11_641, "Opened": 5_120, "Clicked": 1_394, "Ordered": 312}
    return c.Funnel("How many people came how far", [c.FunnelStep(name, people) for name, people in counts.items()])


def _bars() -> c.Chart:
    shares = {"Reminder, your basket is waiting": 0.41, "Reminder, still thinking?": 0.29, "Help": 0.18, "Offer": 0.12}
    return c.BarList("Credit for revenue", [c.BarItem(n, s, numbers.percent(s)) for n, s in shares.items()], whole=1.0)


def _beliefs() -> c.Chart:
    return c.Densities(
        "What we believe about each rate", widget_book.densities(), write=lambda x: numbers.percent(x, 1)
    )


def _heat() -> c.Chart:
    return c.Heatmap("When people open", widget_book.heat())


def _graph() -> c.Chart:
    return c.MiniGraph("Steps of a template", widget_book.mini_graph(6))


def _spark() -> c.Chart:
    return c.Sparkline("Orders by day", [20 + 9 * math.sin(n / 2) for n in range(20)])


def _none() -> c.Chart:
    chart = c.BarList("Without data")
    chart.no_data = "Nobody has left here."
    return chart
