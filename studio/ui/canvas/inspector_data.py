"""The Data tab: sample rows of what came into a step or went out of it, as a table.

Absent on purpose: fetching samples; whoever has the run hands them in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from studio.ui.canvas.data_rows import title_of
from studio.ui.numbers import plural
from studio.ui.widgets import Column, EmptyState, Table, Text
from studio.ui.widgets.layout import clear

Row: TypeAlias = Mapping[str, object]
Output: TypeAlias = tuple[str, str]
"""(node id, name of an output)."""
Way: TypeAlias = tuple[str, Output]
"""Words, and the output they stand for."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Rows of one port. `columns` in the order they are shown."""

    columns: Sequence[str]
    rows: Sequence[Row]


class DataPanel(QWidget):
    """`sample_requested(node_id, output)` when an output is shown whose rows are not known yet."""

    sample_requested = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self._node_id = ""
        self._samples: dict[Output, Samples] = {}
        self._asked: set[Output] = set()
        self._outputs: Sequence[Output] = ()
        self._choice = QComboBox()
        self._choice.setAccessibleName("Data of which way")
        self._choice.activated.connect(self._show)
        self._body = QVBoxLayout()
        self._body.setContentsMargins(0, 0, 0, 0)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(10)
        box.addWidget(self._choice)
        box.addLayout(self._body, 1)

    @property
    def output(self) -> Output | None:
        """The output whose rows are shown: of the step, or of the one before it."""
        place = self._choice.currentIndex()
        return self._outputs[place] if 0 <= place < len(self._outputs) else None

    def show_node(
        self, node_id: str, came_in: Sequence[tuple[str, Output]], went_out: Sequence[tuple[str, Output]]
    ) -> None:
        """Each way with its words. What came in are outputs of the steps before: the same people, seen once."""
        kept = self.output if node_id == self._node_id else None
        ways = [*came_in, *went_out]
        self._node_id = node_id
        self._outputs = [output for _words, output in ways]
        self._choice.clear()
        self._choice.addItems([words for words, _output in ways])
        first_out = len(came_in) if went_out else 0
        self._choice.setCurrentIndex(self._outputs.index(kept) if kept in self._outputs else first_out)
        self._show()

    def set_samples(self, node_id: str, port: str, samples: Samples) -> None:
        self._samples[node_id, port] = samples
        self._asked.discard((node_id, port))
        if (node_id, port) == self.output:
            self._show()

    def forget(self) -> None:
        """Another run or instant: what was known is no longer so."""
        self._samples.clear()
        self._asked.clear()
        if self._node_id and self.isVisible():
            self._show()

    def showEvent(self, event) -> None:
        super().showEvent(event)
        self._show()

    def _show(self) -> None:
        clear(self._body)
        output = self.output
        samples = self._samples.get(output) if output is not None else None
        self._choice.setVisible(self._choice.count() > 1)
        if samples is None:
            self._body.addWidget(EmptyState("No data yet", _NO_DATA, icon="table"))
            if self.isVisible() and output is not None and output not in self._asked:
                self._asked.add(output)
                self.sample_requested.emit(*output)
        elif not samples.rows:
            self._body.addWidget(EmptyState("Nobody came this way", "Nothing has passed here so far.", icon="table"))
        else:
            said = plural(len(samples.rows), "sample row")
            self._body.addWidget(Text(f"{said} · {plural(len(samples.columns), 'column')}", "secondary", "muted"))
            self._body.addWidget(_table(samples), 1)


_NO_DATA = "Run the workflow; samples of what passes each step appear here."


def _table(samples: Samples) -> Table[Row]:
    columns: list[Column[Row]] = [
        Column(
            title=title_of(name),
            value=lambda row, name=name: row.get(name),
            text=lambda row, name=name: _cell(row.get(name)),
            numeric=all(_is_number(row.get(name)) for row in samples.rows),
            tone=lambda row, name=name: "muted" if row.get(name) is None else "default",
            width="stretch" if name == samples.columns[-1] else "content",
        )
        for name in samples.columns
    ]
    return Table("Sample rows", columns, samples.rows)


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _cell(value: object) -> str:
    if value is None:
        return "empty"
    return f"{value:,.12g}" if isinstance(value, float) else str(value)
