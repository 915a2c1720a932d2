"""What customers are worth: repeat rate, value per customer, and who comes back how many months after the first order.

Absent on purpose: fetching, and guesses about the future.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from studio.analytics.cohorts import Customers
from studio.ui import charts as c
from studio.ui import numbers
from studio.ui import widgets as w
from studio.ui.screens.data_menu import data_button

COHORTS_SHOWN = 8
MONTHS_SHOWN = 12
FIGURES = {"share": "Share that buys again", "value_per_customer": "Worth of each so far"}
TITLE = "{}, by months after the first order"
MONTHS_LEAST = 6
"""So few columns are left at the least: a young shop's table is not stretched over the screen."""


@dataclass(frozen=True, slots=True)
class Buying:
    """Everybody who ordered, and their cohorts by month; `currency` of the orders."""

    customers: Customers
    cohorts: pl.DataFrame
    currency: str


class CustomersCard(w.Card):
    """Hidden while nobody has ordered."""

    def __init__(self) -> None:
        self._buying: Buying | None = None
        self.figure = w.MenuChip(FIGURES, "share", name="By months after the first order")
        self.figure.chosen.connect(lambda _figure: self._fill())
        self.chart = c.Heatmap(TITLE.format(FIGURES["share"]), write=self._write, written=True)
        note = "orders imported from outside"
        super().__init__("What customers are worth", self.figure, data_button(self.chart), note=note)
        self.figures = w.GridFlow(150, spacing=12)
        self._stats = {
            title: w.Stat(title, "") for title in ("Customers", "Revenue", "Come back", "Worth each", "Worth an order")
        }
        for stat in self._stats.values():
            self.figures.addWidget(stat)
        self.chart.setMinimumHeight(150)
        self.add(self.figures)
        self.told = w.Text(self.chart.title, "secondary", "muted")
        self.add(self.told)
        self.add(self.chart)
        self.hide()

    def show_buying(self, buying: Buying) -> None:
        found, money = buying.customers, buying.currency
        self._buying = buying
        self.setVisible(found.customers > 0)
        if not found.customers:
            return
        orders = numbers.plural(found.orders, "order")
        self._stats["Revenue"].set_figures(numbers.money(found.value, money), note="of all orders")
        self._stats["Customers"].set_figures(numbers.count(found.customers), note=orders)
        note = f"{numbers.count(found.repeat_customers)} with more than one order"
        self._stats["Come back"].set_figures(numbers.percent(found.repeat_rate, 1), note=note)
        self._stats["Worth each"].set_figures(numbers.money(found.value_per_customer, money, 2), note="so far")
        self._stats["Worth an order"].set_figures(numbers.money(found.value_per_order, money, 2))
        self._fill()

    def _fill(self) -> None:
        if self._buying is None:
            return
        self.chart.title = TITLE.format(FIGURES[self.figure.value])
        self.chart.setAccessibleName(self.chart.title)
        self.told.setText(self.chart.title)
        self.chart.set_data(cohort_grid(self._buying.cohorts, self.figure.value))

    def _write(self, value: float) -> str:
        if self.figure.value == "share" or self._buying is None:
            return numbers.percent(value, 1)
        return numbers.money(value, self._buying.currency, 2 if value < 100 else 0)


def cohort_grid(cohorts: pl.DataFrame, figure: str = "share") -> c.HeatmapData:
    """The newest cohorts as rows, months after the first order as columns; a month still going on is left open.

    Rows and columns nothing is known of yet are left out, up to `MONTHS_LEAST` columns.
    """
    known = cohorts.filter(pl.col("complete"), pl.col("offset") > 0)
    months = known.get_column("cohort").unique().sort().to_list()[-COHORTS_SHOWN:]
    furthest = known.filter(pl.col("cohort").is_in(months)).get_column("offset").max() if months else 0
    shown = range(1, min(MONTHS_SHOWN, max(MONTHS_LEAST, int(furthest or 0))) + 1)
    rows: list[Sequence[float | None]] = []
    for month in months:
        own = known.filter(pl.col("cohort") == month)
        shares = dict(own.select("offset", figure).iter_rows())
        rows.append([shares.get(offset) for offset in shown])
    labels = [f"{month:%b %Y}" for month in months]
    columns = [str(offset) for offset in shown]
    names = [f"after {numbers.plural(offset, 'month')}" for offset in shown]
    return c.HeatmapData(labels, columns, rows, names)
