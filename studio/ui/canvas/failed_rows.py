"""Items a step could not handle: why, and their values to be put right before only they are tried again.

Absent on purpose: trying again (engine).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import polars as pl
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from studio.ui.canvas.data_rows import Row, cell_text, title_of
from studio.ui.faults import guarded
from studio.ui.numbers import plural
from studio.ui.widgets import Column, MenuChip, PrimaryButton, SecondaryButton, Table, Text
from studio.ui.widgets.layout import clear, column, row

Edits: TypeAlias = dict[str, dict[str, str]]
_FIXED = frozenset({"instance", "contact", "instance_key", "entered_at", "arms", "node", "code", "message"})


class FailedRows(QWidget):
    """`mend_wanted(edits)`: instance → field → new value; only these items, and all of them, are tried again."""

    mend_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._edits: Edits = {}
        self._rows: list[Row] = []
        self._field = row(spacing=6)
        self.field: MenuChip | None = None
        self.value = QLineEdit()
        self.value.setPlaceholderText("New value")
        self.value.setAccessibleName("New value")
        self.value.setMaximumWidth(220)
        self.one = SecondaryButton("Set for this person", lambda: self._set(only_current=True))
        self.all = SecondaryButton("Set for all", lambda: self._set(only_current=False))
        self.again = PrimaryButton("Try these again", self._mend)
        self.told = Text("", "secondary", "muted", wrap=False)
        self._tables = column(spacing=0)
        self.table: Table[Row] | None = None
        line = row(spacing=8)
        line.addLayout(self._field)
        for part in (self.value, self.one, self.all, self.told):
            line.addWidget(part)
        line.addStretch(1)
        line.addWidget(self.again)
        box = column(spacing=8)
        box.addLayout(self._tables, 1)
        box.addLayout(line)
        self.setLayout(box)
        self.value.returnPressed.connect(guarded(lambda: self._set(only_current=True)))

    def set_rows(self, rows: pl.DataFrame) -> None:
        """The failed items of one step; edits of items that are still there are kept."""
        self._rows = list(rows.iter_rows(named=True))
        known = {str(item["instance"]) for item in self._rows}
        self._edits = {instance: fields for instance, fields in self._edits.items() if instance in known}
        fields = {name: title_of(name) for name in rows.columns if name not in _FIXED}
        before = self.field.value if self.field is not None else ""
        clear(self._field)
        self.field = None
        if fields:
            self.field = MenuChip(fields, before if before in fields else None, name="Field to change")
            self._field.addWidget(self.field)
        clear(self._tables)
        self.table = Table("Items that could not be handled", self._columns(rows), self._rows)
        self._tables.addWidget(self.table, 1)
        self._tell()

    def _columns(self, rows: pl.DataFrame) -> list[Column[Row]]:
        shown = [name for name in rows.columns if name not in ("instance", "node", "code", "arms", "entered_at")]
        order = [name for name in ("contact", "message") if name in shown]
        names = [*order, *(name for name in shown if name not in order)]
        return [
            Column(
                title="Why" if name == "message" else title_of(name),
                value=lambda r, name=name: self._now(r, name),
                text=lambda r, name=name: cell_text(self._now(r, name)),
                tone=lambda r, name=name: self._tone(r, name),
                width="stretch" if name == "message" else "content",
            )
            for name in names
        ]

    def _now(self, item: Row, name: str) -> object:
        return self._edits.get(str(item["instance"]), {}).get(name, item.get(name))

    def _tone(self, item: Row, name: str):
        if name in self._edits.get(str(item["instance"]), {}):
            return "accent"
        return "bad" if name == "message" else "muted" if item.get(name) is None else "default"

    def _set(self, *, only_current: bool) -> None:
        if self.field is None or self.table is None:
            return
        current = self.table.current_row or (self._rows[0] if self._rows else None)
        items: list[Row] = ([current] if current is not None else []) if only_current else self._rows
        for item in items:
            self._edits.setdefault(str(item["instance"]), {})[self.field.value] = self.value.text()
        self.table.viewport().update()
        self._tell()

    def _tell(self) -> None:
        self.told.setText(f"{plural(len(self._edits), 'item')} changed" if self._edits else "")
        self.again.setText("Try these again" if self._edits else "Try all again")

    def _mend(self) -> None:
        edits: Mapping[str, Mapping[str, str]] = self._edits or {str(item["instance"]): {} for item in self._rows}
        self.mend_wanted.emit(edits)
        self._edits = {}
