"""The cards of the analytics screen, each shown anew from a run's insight.

Absent on purpose: fetching.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl
from PySide6.QtWidgets import QWidget

from studio.analytics.alerts import Alert
from studio.domain.run import RunView
from studio.ui import charts as c
from studio.ui import numbers
from studio.ui import widgets as w
from studio.ui.screens.data_menu import data_button
from studio.ui.screens.next_steps import NextStep
from studio.ui.screens.run_figures import (
    Figure,
    SendStep,
    caused,
    figures,
    funnel_steps,
    revenue_chart,
    send_steps,
)
from studio.workspace.analyses import Details
from studio.workspace.insights import RunInsight

NOTHING_NEXT = "Nothing needs you here."
NO_HOLDOUT = "Keep some people out with a “Leave some alone” step, and the difference shows here."


class FigureCards(QWidget):
    """The first line: key figures beside what was predicted."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = w.GridFlow(160, spacing=12)
        self._cards: dict[str, w.StatCard] = {}
        self.setLayout(self._grid)

    def show_insight(self, insight: RunInsight) -> None:
        for figure in figures(insight):
            self._card(figure).set_figures(figure.value, figure.delta, delta_tone=figure.tone, note=figure.note)

    def card(self, title: str) -> w.StatCard:
        """The card of one figure. Raises KeyError for one that is not shown."""
        return self._cards[title]

    def _card(self, figure: Figure) -> w.StatCard:
        if figure.title not in self._cards:
            self._cards[figure.title] = w.StatCard(figure.title, figure.value)
            self._grid.addWidget(self._cards[figure.title])
        return self._cards[figure.title]


class RevenueCard(w.Card):
    """Revenue so far against what was predicted for the people treated so far."""

    def __init__(self) -> None:
        self._note = w.Text("", "secondary", "muted")
        self._currency = "EUR"
        self.chart = c.LineBand("Revenue against prediction", write=self._write)
        super().__init__("Revenue against prediction", self._note, data_button(self.chart))
        self.chart.no_data = "No order yet."
        self.add(self.chart, stretch=1)

    def show_insight(self, insight: RunInsight, alerts: Sequence[Alert] = ()) -> None:
        self._currency = insight.returned.currency
        data = revenue_chart(insight, alerts)
        self._note.setText(f"with its {data.band_label}" if data.predicted else "nothing was predicted")
        self.chart.set_data(data)

    def _write(self, value: float) -> str:
        return numbers.compact_money(value, self._currency)


class FunnelCard(w.Card):
    """How many different people came how far."""

    def __init__(self) -> None:
        self.chart = c.Funnel("How many people came how far")
        super().__init__("Funnel", data_button(self.chart), note="different people")
        self.add(self.chart, stretch=1)

    def show_insight(self, insight: RunInsight) -> None:
        self.chart.set_data(funnel_steps(insight))


class StepsCard(w.Card):
    """Each send step: who got it, opened it, clicked it; what failed. `on_step` opens one."""

    def __init__(self, on_step: Callable[[str], object]) -> None:
        self.table: w.Table[SendStep] = w.Table("By step", self._columns(), fit_rows=True)
        super().__init__("By step", data_button(self.table), note="different people; open one with Enter")
        self.table.row_opened.connect(lambda row: on_step(row.node_id))
        self._empty = w.Text("This workflow sends nothing.", "body", "muted")
        self.add(self.table, self._empty, w.STRETCH)

    def show_insight(self, insight: RunInsight, view: RunView, details: Details | None = None) -> None:
        if details is None:
            rows = send_steps(insight, view)
        else:
            credit = details.attribution.credit.filter(pl.col("model") == "shapley")
            rows = send_steps(insight, view, dict(credit.select("channel", "value").iter_rows()))
        self.table.set_rows(rows)
        self.table.setVisible(bool(rows))
        self._empty.setVisible(not rows)

    def _columns(self) -> list[w.Column[SendStep]]:
        kinds = {
            "sent": "Sent",
            "opened": "Opened",
            "clicked": "Clicked",
        }
        return [
            w.Column(title="Step", value=lambda r: r.label, width="stretch"),
            *(self._people(kind, title) for kind, title in kinds.items()),
            w.Column(
                title="Failed",
                value=lambda r: r.failed,
                numeric=True,
                tone=lambda r: "bad" if r.failed else "muted",
                help="Items that failed or were set aside",
            ),
            w.Column(
                title="Revenue",
                value=lambda r: r.revenue,
                text=lambda r: numbers.money(r.revenue, r.currency) if r.revenue is not None else numbers.NOTHING,
                numeric=True,
                help="Orders credited to this message by its fair share",
            ),
        ]

    def _people(self, kind: str, title: str) -> w.Column[SendStep]:
        return w.Column(title=title, value=lambda r: r.of(kind), numeric=True)


class CausedCard(w.Card):
    """Treated people against those held out: what would not have come anyway."""

    def __init__(self) -> None:
        self.sentence = w.Text("", "body")
        columns: list[w.Column[tuple[str, str, str]]] = [
            w.Column(title="", value=lambda r: r[0], width="stretch"),
            w.Column(title="Treated", value=lambda r: r[1], numeric=True),
            w.Column(title="Held out", value=lambda r: r[2], numeric=True),
        ]
        self.table: w.Table[tuple[str, str, str]] = w.Table("What it caused", columns, fit_rows=True)
        super().__init__("What it caused", data_button(self.table), note="beside those held out")
        self._hint = w.Text(NO_HOLDOUT, "secondary", "muted")
        self.add(self.sentence, self.table, self._hint, w.STRETCH)

    def show_insight(self, insight: RunInsight) -> None:
        self.sentence.setText(caused(insight))
        rows = _caused_rows(insight)
        self.table.set_rows(rows)
        self.table.setVisible(bool(rows))
        self._hint.setVisible(not rows)


def _caused_rows(insight: RunInsight) -> list[tuple[str, str, str]]:
    returned = insight.returned
    if returned.increment is None or not returned.people or not returned.held:
        return []
    per_person = returned.revenue / returned.people
    rows = [
        ("People", numbers.count(returned.people), numbers.count(returned.held)),
        (
            "Bought",
            numbers.percent(returned.buyers / returned.people, 1),
            numbers.percent(returned.held_buyers / returned.held, 1),
        ),
    ]
    if returned.increment.effect is not None:
        rows.append(
            (
                "Revenue per person",
                numbers.money(per_person, returned.currency, 2),
                numbers.money(per_person - returned.increment.effect, returned.currency, 2),
            )
        )
    return rows


class NextCard(w.Card):
    """What to do next, each with the button that leads there."""

    def __init__(self, on_step: Callable[[NextStep], object]) -> None:
        super().__init__("What to do next")
        self._on_step = on_step
        self._rows = w.RowList()
        self._shown: Sequence[NextStep] | None = None
        self._empty = w.Text(NOTHING_NEXT, "body", "muted")
        self.add(self._rows, self._empty, w.STRETCH)

    def show_steps(self, steps: Sequence[NextStep]) -> None:
        # Left alone while it says the same, so that a focused button is not taken away under the keyboard.
        if steps == self._shown:
            return
        self._shown = list(steps)
        self._rows.clear()
        for step in steps:
            button = w.SecondaryButton(step.button, lambda step=step: self._on_step(step))
            button.setAccessibleName(f"{step.button}: {step.title}")
            self._rows.add(w.ItemRow(step.title, step.why, button, mark=w.Dot(step.colour)))
        self._rows.setVisible(bool(steps))
        self._empty.setText(NOTHING_NEXT)
        self._empty.setVisible(not steps)

    def show_waiting(self) -> None:
        """They are being worked out."""
        self._shown = None
        self._rows.clear()
        self._rows.hide()
        self._empty.setText("Being worked out …")
        self._empty.show()

    @property
    def steps(self) -> Sequence[NextStep]:
        return self._shown or ()
