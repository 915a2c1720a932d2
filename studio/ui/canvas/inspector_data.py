"""The Data tab: sample rows of what came in or went out through a port, as a table.

Absent on purpose: fetching samples; whoever has the run hands them in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from studio.ui.numbers import plural
from studio.ui.widgets import Column, EmptyState, Table, Text
from studio.ui.widgets.layout import clear

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Samples:
    """Rows of one port. `columns` in the order they are shown."""

    columns: Sequence[str]
    rows: Sequence[Row]


class DataPanel(QWidget):
    """`sample_requested(node_id, port)` when a port is shown whose rows are not known yet.

    `port` is the name of an output, or `in:` and the name of an input.
    """

    sample_requested = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self._node_id = ""
        self._samples: dict[tuple[str, str], Samples] = {}
        self._asked: set[tuple[str, str]] = set()
        self._port = QComboBox()
        self._port.setAccessibleName("Data of which port")
        self._port.activated.connect(lambda _index: self._show())
        self._body = QVBoxLayout()
        self._body.setContentsMargins(0, 0, 0, 0)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(10)
        box.addWidget(self._port)
        box.addLayout(self._body, 1)

    @property
    def port(self) -> str:
        """The port whose rows are shown."""
        return str(self._port.currentData() or "")

    def show_node(self, node_id: str, inputs: Sequence[str], outputs: Sequence[tuple[str, str]]) -> None:
        """`outputs`: (name, label)."""
        kept = self.port if node_id == self._node_id else ""
        self._node_id = node_id
        self._port.clear()
        for name in inputs:
            self._port.addItem("What came in" if len(inputs) == 1 else f"In: {name}", f"in:{name}")
        for name, label in outputs:
            self._port.addItem(f"Went out: {label}" if label else "What went out", name)
        place = self._port.findData(kept) if kept else max(0, len(inputs))
        self._port.setCurrentIndex(place if 0 <= place < self._port.count() else 0)
        self._show()

    def set_samples(self, node_id: str, port: str, samples: Samples) -> None:
        self._samples[node_id, port] = samples
        self._asked.discard((node_id, port))
        if (node_id, port) == (self._node_id, self.port):
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
        samples = self._samples.get((self._node_id, self.port))
        self._port.setVisible(self._port.count() > 1)
        if samples is None:
            self._body.addWidget(EmptyState("No data yet", _NO_DATA, icon="table"))
            if self.isVisible() and self.port and (self._node_id, self.port) not in self._asked:
                self._asked.add((self._node_id, self.port))
                self.sample_requested.emit(self._node_id, self.port)
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
            title=name,
            value=lambda row, name=name: row.get(name),
            text=lambda row, name=name: _cell(row.get(name)),
            numeric=all(_is_number(row.get(name)) for row in samples.rows),
            tone=lambda row, name=name: "muted" if row.get(name) is None else "default",
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
