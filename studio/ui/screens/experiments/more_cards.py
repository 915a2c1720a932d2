"""The cards below who wins: for whom it works, what it means in money, and what happened when.

Absent on purpose: words and figures (`details_words`) and fetching.
"""

from __future__ import annotations

from collections.abc import Sequence

from studio.analytics.side_effects import SideEffect
from studio.analytics.trial_details import TrialDetails
from studio.ui import numbers
from studio.ui import widgets as w
from studio.ui.screens.data_menu import data_button
from studio.ui.screens.experiments.details_words import (
    SegmentRow,
    history_rows,
    revenue_facts,
    revenue_finding,
    segment_note,
    segment_rows,
    side_effect_note,
)
from studio.workspace.trial_history import HistoryEntry

WORKING = "Being worked out …"


class SegmentsCard(w.Card):
    """The lift within parts of the audience, with corrected p-values."""

    def __init__(self) -> None:
        self.table: w.Table[SegmentRow] = w.Table("Who it works for", _columns(), fit_rows=True)
        super().__init__("Who it works for", data_button(self.table), spacing=6)
        self.note = w.Paragraph(WORKING, "secondary", "muted")
        self.add(self.table, self.note, w.STRETCH)

    def show_details(self, details: TrialDetails | None) -> None:
        rows = segment_rows(details) if details is not None else []
        self.table.set_rows(rows)
        self.table.setVisible(bool(rows))
        self.note.setText(WORKING if details is None else segment_note(details))


def _columns() -> list[w.Column[SegmentRow]]:
    return [
        w.Column(title="Segment", value=lambda r: r.name, width="stretch"),
        w.Column(title="People", value=lambda r: r.people, numeric=True),
        w.Column(
            title="Lift",
            value=lambda r: r.lift,
            text=lambda r: numbers.signed(numbers.percent(r.lift)),
            tone=lambda r: r.tone,
            numeric=True,
        ),
        w.Column(
            title="Corrected p",
            value=lambda r: r.p_value,
            text=lambda r: _p_value(r.p_value),
            numeric=True,
            help="Valid at any look, corrected for the number of parts (Holm); a dash: too few people",
        ),
    ]


def _p_value(p_value: float | None) -> str:
    if p_value is None:
        return numbers.NOTHING
    return f"<{numbers.NBSP}0.001" if p_value < 0.001 else numbers.decimal(p_value, 3 if p_value < 0.01 else 2)


class SideEffectsCard(w.Card):
    """Outcomes beside the goal, each with how likely it is chance."""

    def __init__(self) -> None:
        self.table: w.Table[SideEffect] = w.Table("What else changed", _side_columns(), fit_rows=True)
        super().__init__("What else changed", data_button(self.table), spacing=6)
        self.note = w.Paragraph(WORKING, "secondary", "muted")
        self.add(self.table, self.note, w.STRETCH)

    def show_details(self, details: TrialDetails | None) -> None:
        found = details.side_effects if details is not None else ()
        self.table.set_rows(list(found))
        self.table.setVisible(bool(found))
        self.note.setText(WORKING if details is None else side_effect_note(details))


def _side_columns() -> list[w.Column[SideEffect]]:
    return [
        w.Column(title="People who", value=lambda r: r.title, width="stretch"),
        w.Column(title="Control", value=lambda r: r.control_rate, text=lambda r: _rate(r.control_rate),
                 numeric=True),
        w.Column(title="Variant", value=lambda r: r.rate, text=lambda r: _rate(r.rate), numeric=True),
        w.Column(title="Lift", value=lambda r: r.lift, text=lambda r: numbers.signed(numbers.percent(r.lift)),
                 numeric=True),
        w.Column(
            title="Corrected p",
            value=lambda r: r.q_value,
            text=lambda r: _p_value(r.q_value),
            numeric=True,
            help="Valid at any look, corrected for the number of outcomes (e-BH); a dash: too few people",
        ),
    ]  # fmt: skip


def _rate(rate: float | None) -> str:
    return numbers.percent(rate, 0 if rate is None or rate >= 0.1 else 2)


class RevenueCard(w.Card):
    """Revenue per person: the difference in words, and what it is made of."""

    def __init__(self) -> None:
        super().__init__("What it means in money")
        self.finding = w.Paragraph(WORKING)
        self._rows = w.RowList(spacing=8)
        self.add(self.finding, 4, self._rows, w.STRETCH)

    def show_details(self, details: TrialDetails | None, currency: str) -> None:
        self._rows.clear()
        self.finding.setText(WORKING if details is None else revenue_finding(details))
        if details is None or details.revenue.lift is None:
            return
        for title, value in revenue_facts(details.revenue, currency):
            box = w.row(w.Text(title, tone="secondary"), w.Text(value, wrap=False, tabular=True))
            box.setStretch(0, 1)
            self._rows.add(w.panel(box))


class HistoryCard(w.Card):
    """What the data proved when, and what people did about it."""

    def __init__(self) -> None:
        super().__init__("What happened")
        self._rows = w.RowList(spacing=8)
        self.add(self._rows, w.STRETCH)

    def show_history(self, history: Sequence[HistoryEntry] | None) -> None:
        self._rows.clear()
        if not history:
            words = WORKING if history is None else "Nothing yet: nobody has met this test."
            self._rows.add(w.Paragraph(words, "secondary", "muted"))
            return
        for day, words, state in history_rows(history):
            box = w.row(w.Badge.for_state(state, 16), w.Text(words), w.Text(day, "secondary", "muted", wrap=False))
            box.setStretch(1, 1)
            self._rows.add(w.panel(box))
