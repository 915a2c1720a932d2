"""Two runs side by side: what differs, what most likely caused it first.

Absent on purpose: comparing (`workspace.history`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from studio.analytics.comparison import Comparison, Difference
from studio.analytics.side_by_side import StepFigures, StepPair
from studio.ui.tokens import Tone
from studio.ui.widgets import Column, EmptyState, MenuChip, Segmented, Table, Text
from studio.ui.widgets.layout import clear, column, panel, row
from studio.ui.widgets.reflow import Beside, flowing, lowering

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
        self.steps: Table[StepPair] = Table("Every step of both runs", self._step_columns())
        self.view = Segmented({"differences": "What differs", "steps": "Step by step"}, name="View")
        self.view.chosen.connect(lambda _view: self._show_view())
        self._body = lowering()
        self._empty = EmptyState(
            "Compare with another run",
            "Choose an earlier run of this workflow; the likely causes come first.",
            icon="scale",
        )
        self._body.addWidget(self._empty)
        self._body.addWidget(self.table)
        self._body.addWidget(self.steps)
        head = panel(Beside(self.finding, flowing(self.view, panel(self._choice), spacing=12)))
        box = column(head, spacing=8, margins=(14, 10, 14, 8))
        box.addWidget(self._body, 1)
        self.setLayout(box)
        self.table.row_chosen.connect(lambda one: self.node_wanted.emit(one.node) if one.node else None)
        self.steps.row_chosen.connect(lambda pair: self.node_wanted.emit(pair.node))
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
        self.steps.set_rows(list(comparison.steps))
        self._show_view()

    def clear(self) -> None:
        """Nothing is compared any more."""
        if self.chip is not None:
            self.chip.set_value(_NONE)
        self._empty_table()

    def _show_view(self) -> None:
        self.view.setVisible(bool(self.finding.text()))
        if self.finding.text():
            self._body.setCurrentWidget(self.steps if self.view.value == "steps" else self.table)

    def _empty_table(self) -> None:
        self.finding.setText("")
        self.table.set_rows([])
        self.steps.set_rows([])
        self.view.hide()
        self._body.setCurrentWidget(self._empty)

    def showEvent(self, event) -> None:
        super().showEvent(event)
        self.runs_wanted.emit()

    def _step_columns(self) -> list[Column[StepPair]]:
        """Of each figure the other run's, then that of the run in front."""
        columns: list[Column[StepPair]] = [
            Column(title="Step", value=lambda pair: self._names.get(pair.node, pair.node), width="stretch")
        ]
        for title, figure in (
            ("Came", lambda one: one.came),
            ("Wait", lambda one: one.waiting),
            ("Sent", lambda one: one.sent),
            ("Failed", lambda one: one.failed),
        ):
            columns += [
                Column(
                    title=f"{title}, other", value=partial(_of_other, figure), numeric=True, tone=lambda _p: "muted"
                ),
                Column(title=f"{title}, this", value=partial(_of_this, figure), numeric=True),
            ]
        return columns

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


def _muted(_pair: StepPair) -> Tone:
    return "muted"


def _of_other(figure: Callable[[StepFigures], int], pair: StepPair) -> int | None:
    return figure(pair.a) if pair.a is not None else None


def _of_this(figure: Callable[[StepFigures], int], pair: StepPair) -> int | None:
    return figure(pair.b) if pair.b is not None else None


def _dot(difference: Difference) -> str:
    if difference.kind == "error":
        return "state.failed"
    return "state.warning" if difference.is_cause else "state.idle"


def _tone(difference: Difference) -> Tone:
    return "default" if difference.is_cause else "secondary"
