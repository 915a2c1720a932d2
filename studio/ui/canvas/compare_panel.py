"""Two runs side by side: what differs, what most likely caused it first.

Absent on purpose: comparing (`workspace.history`).
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from studio.analytics.comparison import Comparison, Difference
from studio.ui.tokens import Tone
from studio.ui.widgets import Column, EmptyState, MenuChip, Table, Text
from studio.ui.widgets.layout import clear, column, panel, row
from studio.ui.widgets.reflow import Beside

_KINDS: Mapping[str, str] = {
    "setup": "how it was run",
    "graph": "steps",
    "parameter": "setting",
    "message": "message",
    "schema": "data",
    "error": "error",
    "count": "figure",
    "timing": "speed",
}
_NONE = "none"


class ComparePanel(QWidget):
    """`compare_wanted(run_id)`, `runs_wanted` when it comes to the front, `node_wanted(node_id)`."""

    compare_wanted = Signal(str)
    runs_wanted = Signal()
    node_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._choice = row(spacing=8)
        self.finding = Text("", "strong")
        self._names: Mapping[str, str] = {}
        self._runs: Mapping[str, str] | None = None
        self.chip: MenuChip | None = None
        """Which run is compared with; None while there is no other."""
        self.table: Table[Difference] = Table("Differences between two runs", self._columns())
        self._body = QStackedWidget()
        self._empty = EmptyState(
            "Compare with another run",
            "Choose an earlier run of this workflow; the likely causes come first.",
            icon="scale",
        )
        self._body.addWidget(self._empty)
        self._body.addWidget(self.table)
        head = panel(Beside(self.finding, panel(self._choice)))
        box = column(head, spacing=8, margins=(14, 10, 14, 8))
        box.addWidget(self._body, 1)
        self.setLayout(box)
        self.table.row_chosen.connect(lambda one: self.node_wanted.emit(one.node) if one.node else None)
        self.set_runs({})

    def set_names(self, names: Mapping[str, str]) -> None:
        """Node id → what the canvas calls it."""
        self._names = names
        self.table.viewport().update()

    def set_runs(self, runs: Mapping[str, str]) -> None:
        """Other runs of the workflow in front: id → words."""
        if runs == self._runs:
            return
        self._runs, self.chip = dict(runs), None
        clear(self._choice)
        if not runs:
            self._choice.addWidget(Text("There is no other run of this workflow yet.", "body", "muted", wrap=False))
        else:
            chip = MenuChip({_NONE: "Choose a run …", **runs}, name="Compare with")
            chip.chosen.connect(lambda run_id: self.compare_wanted.emit(run_id) if run_id != _NONE else self.clear())
            self._choice.addWidget(Text("Compared with", "body", "muted", wrap=False))
            self._choice.addWidget(chip)
            self.chip = chip
        self._empty_table()

    def show_comparison(self, comparison: Comparison) -> None:
        """The other run is the first, the one in front the second."""
        self.finding.setText(comparison.finding)
        self.table.set_rows(list(comparison.differences))
        self._body.setCurrentWidget(self.table)

    def clear(self) -> None:
        """Nothing is compared any more."""
        if self.chip is not None:
            self.chip.set_value(_NONE)
        self._empty_table()

    def _empty_table(self) -> None:
        self.finding.setText("")
        self.table.set_rows([])
        self._body.setCurrentWidget(self._empty)

    def showEvent(self, event) -> None:
        super().showEvent(event)
        self.runs_wanted.emit()

    def _columns(self) -> list[Column[Difference]]:
        return [
            Column(title="Kind", value=lambda d: _KINDS[d.kind], dot=_dot, tone=lambda _d: "secondary"),
            Column(
                title="Step", value=lambda d: self._names.get(d.node or "", d.node or "Run"), bold=lambda d: d.is_cause
            ),
            Column(title="What differs", value=lambda d: d.words, tone=_tone, width="stretch"),
            Column(
                title="What followed",
                value=lambda d: "; ".join(d.effects),
                tone=lambda _d: "secondary",
                width="stretch",
            ),
            Column(
                title="Weight",
                value=lambda d: d.score,
                text=lambda d: f"{d.score:.2f}",
                numeric=True,
                help="How much of what followed it may explain, from 0 to 1",
            ),
        ]


def _dot(difference: Difference) -> str:
    if difference.kind == "error":
        return "state.failed"
    return "state.warning" if difference.is_cause else "state.idle"


def _tone(difference: Difference) -> Tone:
    return "default" if difference.is_cause else "secondary"
