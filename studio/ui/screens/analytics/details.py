"""Cards of the analytics screen that answer one question each: when people act, who gets the credit, why people left.

Absent on purpose: fetching, and the figures of the first line (`cards`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from studio.analytics.credit import Model
from studio.analytics.exits import Exit
from studio.analytics.timing import WEEKDAYS, Heat
from studio.ui import charts as c
from studio.ui import numbers
from studio.ui import widgets as w
from studio.ui.screens.data_menu import data_button
from studio.workspace.analyses import Details

MODEL_WORDS: dict[Model, str] = {
    "shapley": "Fair share",
    "markov": "Without it",
    "last": "Last touch",
    "first": "First touch",
    "linear": "Equal shares",
    "decay": "Time decay",
    "position": "First and last",
}
CHANNELS_SHOWN = 6
EXITS_SHOWN = 8
_HOURS = tuple(f"{hour:02}" if hour % 6 == 0 else "" for hour in range(24))
_HOUR_NAMES = tuple(f"{hour:02}:00" for hour in range(24))


class HeatCard(w.Card):
    """When people open, by weekday and hour in their own zone."""

    def __init__(self) -> None:
        self.chart = c.Heatmap("When people open")
        super().__init__("When people open", data_button(self.chart), note="in their own time zone")
        self.sentence = w.Text("", "secondary", "muted")
        self.chart.no_data = "Nobody has opened a message yet."
        self.add(self.sentence)
        self.add(self.chart, stretch=1)

    def show_heat(self, heat: Heat) -> None:
        self.sentence.setText(best_time(heat))
        self.sentence.setVisible(heat.total > 0)
        values = [[float(count) for count in row] for row in heat.counts.tolist()] if heat.total else []
        self.chart.set_data(c.HeatmapData(WEEKDAYS if values else (), _HOURS if values else (), values, _HOUR_NAMES))


def best_time(heat: Heat) -> str:
    """The three fullest hours, in words."""
    best = heat.best_hours()
    if best is None:
        return ""
    start, share = best
    unknown = f"; {numbers.plural(heat.unknown, 'open')} without a known zone" if heat.unknown else ""
    return f"{numbers.percent(share)} open between {start:02}:00 and {(start + 3) % 24:02}:00{unknown}"


class CreditCard(w.Card):
    """Which message gets the credit for the orders, by the model that is chosen."""

    def __init__(self) -> None:
        self.model = w.MenuChip({str(key): words for key, words in MODEL_WORDS.items()}, "shapley", name="Model")
        self.chart = c.BarList("Credit for revenue", whole=1.0)
        super().__init__("Credit for revenue", self.model, data_button(self.chart))
        self._details: Details | None = None
        self.sentence = w.Text("", "secondary", "muted")
        self.chart.no_data = "No order with a touch before it yet."
        self._beside = w.Text("", "secondary", "muted")
        self.add(self.sentence, self.chart, self._beside, w.STRETCH)
        self.model.chosen.connect(lambda _model: self._fill())

    def show_details(self, details: Details, currency: str) -> None:
        self._details, self._currency = details, currency
        self._fill()

    def _fill(self) -> None:
        details = self._details
        if details is None:
            return
        found = details.attribution
        rows = found.credit.filter(pl.col("model") == self.model.value).head(CHANNELS_SHOWN)
        self.chart.set_data(
            [
                c.BarItem(channel, share, numbers.percent(share))
                for channel, share in rows.select("channel", "share").iter_rows()
            ]
        )
        every = numbers.plural(found.attributed_orders + found.unattributed_orders, "order")
        self.sentence.setText(f"{numbers.count(found.attributed_orders)} of {every} came after an open or a click")
        self._beside.setText(self._increment())

    def _increment(self) -> str:
        assert self._details is not None
        returned = self._details.attribution.returned
        if returned is None or returned.increment is None or returned.increment.total is None:
            return "Credit is not cause: only a holdout tells what the messages brought."
        caused = numbers.money(returned.increment.total, self._currency)
        return f"Credit is not cause: beside the holdout, all messages together brought {caused}."


class ExitsCard(w.Card):
    """Where people left, by reason; `of` says of whom shares are."""

    def __init__(self, of: str = "different people") -> None:
        self.chart = c.BarList("Where people left, by reason")
        super().__init__("Where people left", data_button(self.chart), note=of)
        self.chart.no_data = "Nobody has left here."
        self.add(self.chart, w.STRETCH)

    def show_exits(self, exits: Sequence[Exit]) -> None:
        shown = [row for row in exits if row.people][:EXITS_SHOWN]
        self.chart.set_data(
            [
                c.BarItem(row.title, float(row.people), f"{numbers.count(row.people)}  {numbers.percent(row.share)}")
                for row in shown
            ]
        )


class LinksCard(w.Card):
    """What was clicked, most clicks first; `of_one`: links of one message, which need not be named then."""

    def __init__(self, *, of_one: bool = False) -> None:
        columns: list[w.Column[tuple[str, str, int, int]]] = [
            w.Column(title="Link", value=lambda r: r[1], width="stretch"),
            *([] if of_one else [w.Column(title="Message", value=lambda r: r[0], width="stretch")]),
            w.Column(title="Clicks", value=lambda r: r[2], numeric=True),
            w.Column(title="People", value=lambda r: r[3], numeric=True),
        ]
        self.table: w.Table[tuple[str, str, int, int]] = w.Table("What was clicked", columns, fit_rows=True)
        super().__init__("What was clicked", data_button(self.table))
        self._empty = w.Text("Nobody has clicked yet.", "body", "muted")
        self.add(self.table, self._empty, w.STRETCH)

    def show_links(self, links: pl.DataFrame, labels: Mapping[str, str]) -> None:
        rows = [
            (labels.get(node, node), link or "any link", clicks, people)
            for node, link, clicks, people in links.head(8).iter_rows()
        ]
        self.table.set_rows(rows)
        self.table.setVisible(bool(rows))
        self._empty.setVisible(not rows)
