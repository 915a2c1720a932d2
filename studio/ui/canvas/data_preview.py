"""The Data tab below the canvas: who came to a step and who left it, what changed, what could not be handled.

Absent on purpose: fetching (`workspace.debugging`) and doing what is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QWidget

from studio.domain.debugging import Pin
from studio.domain.port_words import Ways, port_words
from studio.ui.canvas.data_rows import (
    Row,
    changed_cells,
    filtered_rows,
    row_columns,
    schema_columns,
    schema_rows,
    side_by_side,
    table_rows,
)
from studio.ui.canvas.failed_rows import FailedRows
from studio.ui.canvas.pinned_rows import PinnedRows
from studio.ui.faults import guarded
from studio.ui.numbers import count, plural
from studio.ui.theme import theme
from studio.ui.widgets import EmptyState, MenuChip, SearchField, SecondaryButton, Segmented, Table, Text
from studio.ui.widgets.layout import clear, column, panel, row
from studio.ui.widgets.reflow import flowing, lowering
from studio.workspace.debugging import FailedItems, NodeData
from studio.workspace.debugging import Table as Sample

_AGAIN_MS = 150
_INPUT = "in"
_FAILED = "failed"
_PINNED = "pinned"
_VIEWS = {"rows": "Rows", "changes": "Before and after", "schema": "Columns"}


class DataPreview(QWidget):
    """`data_wanted(node_id)` when a step's tables are to be shown; `pin_wanted(node_id, pinned)`;
    `mend_wanted(node_id, edits)` with instance → field → value; `pin_edited(pin)`.
    """

    data_wanted = Signal(str)
    pin_wanted = Signal(str, bool)
    mend_wanted = Signal(str, object)
    pin_edited = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._node_id = ""
        self._name = ""
        self._ways: Ways = {}
        self._pin: Pin | None = None
        self._wants_failed = False
        self._data: NodeData | None = None
        self._failed: FailedItems | None = None
        self.title = Text("", "strong", wrap=False)
        self._where = row(spacing=6)
        self.where: MenuChip | None = None
        self.view = Segmented(_VIEWS, name="How the data is shown")
        self.search = SearchField("Rows with …")
        self.search.setFixedWidth(theme().px(130))
        self.told = Text("", "secondary", "muted", wrap=False)
        self.pin = SecondaryButton("Pin this data", self._toggle_pin, icon="pin")
        self.pin.setToolTip("Pinned, the step gives these people in the next runs instead of running.")
        self.table: Table[Row] | None = None
        self.failed_rows = FailedRows()
        self.pinned_rows = PinnedRows()
        self._again = QTimer(self, interval=_AGAIN_MS, singleShot=True)
        self._again.timeout.connect(guarded(self.forget))
        self._body = lowering()
        self._no_step = EmptyState(
            "No step chosen", "Click a step to see who came to it and who left it.", icon="table"
        )
        self._no_data = EmptyState("No data yet", "Run the workflow; a sample of who passes is kept.", icon="table")
        self._nobody = EmptyState("Nobody yet", "Nobody had come this way at that instant.", icon="table")
        self._holder = QWidget()
        self._tables = column(spacing=0)
        self._holder.setLayout(self._tables)
        for page in (self._no_step, self._no_data, self._nobody, self._holder, self.failed_rows, self.pinned_rows):
            self._body.addWidget(page)
        head = flowing(self.title, panel(self._where), self.view, self.search, self.told, self.pin)
        box = column(head, spacing=8, margins=(14, 10, 14, 8))
        box.addWidget(self._body, 1)
        self.setLayout(box)
        self.view.chosen.connect(lambda _key: self._show())
        self.search.textChanged.connect(lambda _text: self._show())
        self.failed_rows.mend_wanted.connect(lambda edits: self.mend_wanted.emit(self._node_id, edits))
        self.pinned_rows.edited.connect(self.pin_edited)
        self._show()

    def show_node(self, node_id: str | None, name: str = "") -> None:
        """Another step; asks for its data when it is in front."""
        if node_id != self._node_id:
            self._data = self._failed = None
        self._node_id, self._name = node_id or "", name
        if self.isVisible() and node_id:
            self.data_wanted.emit(node_id)
        self._show()

    def set_ways(self, ways: Ways) -> None:
        """What the steps of the workflow in front call their outputs."""
        self._ways = ways

    def forget(self) -> None:
        """Another run, or it went on: what is shown is asked for again."""
        if self.isVisible() and self._node_id:
            self.data_wanted.emit(self._node_id)
        else:
            self._data = self._failed = None

    def show_failed(self) -> None:
        """Whom the step could not handle, to be put right, as soon as they are known."""
        self._wants_failed = True
        if self.isVisible() and self._node_id:
            self.data_wanted.emit(self._node_id)

    def look_again(self) -> None:
        """Another instant is looked at; while that goes on moving, data is asked for a few times a second."""
        if not self._again.isActive():
            self._again.start()

    def set_data(self, data: NodeData, failed: FailedItems, pin: Pin | None) -> None:
        """The step's tables, as answer to `data_wanted`. `pin`: what it gives while it is pinned."""
        if data.node != self._node_id:
            return
        self._data, self._failed, self._pin = data, failed, pin
        self._offer_places()
        self._show()

    def showEvent(self, event) -> None:
        super().showEvent(event)
        if self._node_id and self._data is None:
            self.data_wanted.emit(self._node_id)

    def _offer_places(self) -> None:
        assert self._data is not None
        before = self.where.value if self.where is not None else ""
        places: dict[str, str] = {_INPUT: "Came in"} if self._data.input is not None else {}
        outputs = self._data.outputs
        by_size = sorted(outputs, key=lambda port: -outputs[port].count)
        places |= {f"out:{port}": _left_by(port, self._ways.get(self._node_id)) for port in by_size}
        if self._failed is not None and self._failed.rows.height:
            places[_FAILED] = f"Could not be handled ({count(self._failed.rows.height)})"
        if self._pin is not None:
            places[_PINNED] = f"Pinned ({count(sum(map(len, self._pin.rows.values())))})"
        clear(self._where)
        self.where = None
        if places:
            first_out = next((key for key in places if key.startswith("out:")), next(iter(places)))
            if self._wants_failed and _FAILED in places:
                before = _FAILED
            self._wants_failed = False
            self.where = MenuChip(places, before if before in places else first_out, name="Data of which way")
            self.where.chosen.connect(lambda _key: self._show())
            self._where.addWidget(self.where)

    def _show(self) -> None:
        self.title.setText(self._name)
        data, where = self._data, self.where.value if self.where is not None and self._data is not None else ""
        is_failed = where == _FAILED
        sample = self._sample(data, where)
        for part in (self.view, self.search):
            part.setVisible(sample is not None)
        self.pin.setVisible(sample is not None or where == _PINNED)
        self.view.setVisible(sample is not None and where != _INPUT)
        self.pin.setText("Unpin" if self._pin is not None else "Pin this data")
        if is_failed and self._failed is not None:
            self.failed_rows.set_rows(self._failed.rows)
            self.told.setText("")
            self._body.setCurrentWidget(self.failed_rows)
        elif where == _PINNED and self._pin is not None and data is not None:
            self.pinned_rows.set_pin(self._pin, tuple(data.outputs), self._ways.get(self._node_id))
            self.told.setText("given in the next runs instead of running the step")
            self._body.setCurrentWidget(self.pinned_rows)
        elif sample is None or data is None:
            self.told.setText("")
            self._body.setCurrentWidget(self._no_data if self._node_id else self._no_step)
        else:
            self._show_sample(data, where, sample)

    def _sample(self, data: NodeData | None, where: str) -> Sample | None:
        if data is None or where in ("", _FAILED, _PINNED):
            return None
        return data.input if where == _INPUT else data.outputs.get(where.removeprefix("out:"))

    def _show_sample(self, data: NodeData, where: str, sample: Sample) -> None:
        if not sample.count:
            self.told.setText("")
            self._body.setCurrentWidget(self._nobody)
            return
        port = where.removeprefix("out:")
        changes = changed_cells(data, port) if where != _INPUT else {}
        view = self.view.value if where != _INPUT else "rows"
        if view == "schema":
            self._put(Table("Columns", schema_columns(), schema_rows(sample)))
        elif view == "changes":
            self._put_changes(data, port, changes)
        else:
            rows = filtered_rows(table_rows(sample), self.search.text())
            self._put(Table(f"People at {self._name}", row_columns(sample, changes), rows))
        shown = f"{plural(sample.rows.height, 'sampled row')} of {count(sample.count)}"
        changed = f" · {plural(sum(map(len, changes.values())), 'changed cell')}" if changes else ""
        self.told.setText(shown + changed)

    def _put_changes(self, data: NodeData, port: str, changes: Mapping[str, Mapping[str, object]]) -> None:
        columns, rows = side_by_side(data, port, changes)
        self._put(Table("Before and after", columns, filtered_rows(rows, self.search.text())))

    def _put(self, table: Table) -> None:
        clear(self._tables)
        self.table = table
        self._tables.addWidget(table, 1)
        self._body.setCurrentWidget(self._holder)

    def _toggle_pin(self) -> None:
        if self._node_id:
            self.pin_wanted.emit(self._node_id, self._pin is None)


def _left_by(port: str, labels: Mapping[str, str] | None) -> str:
    words = port_words(port, labels)
    return f"Left by “{words}”" if words else "Went on"
