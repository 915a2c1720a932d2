"""The people a pinned step gives, to be edited: who they are, what they carry, who comes in addition, who goes.

Absent on purpose: keeping them (`workspace.debugging`), and what is known of the contacts themselves.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import JsonValue
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from studio.domain.debugging import Pin, PinnedRow
from studio.domain.errors import UserFixable
from studio.domain.port_words import port_words
from studio.ui.canvas.data_rows import cell_text, title_of
from studio.ui.faults import guarded
from studio.ui.widgets import Column, MenuChip, SecondaryButton, Table
from studio.ui.widgets.layout import clear, column, panel, row
from studio.ui.widgets.reflow import flowing


@dataclass(frozen=True, slots=True)
class PinnedLine:
    """One pinned row: by which output, and its place among those."""

    port: str
    place: int
    row: PinnedRow


class PinnedRows(QWidget):
    """`edited(pin)`: the step is to give these people from now on."""

    edited = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._pin = Pin(node="", rows={})
        self.table: Table[PinnedLine] | None = None
        self._tables = column(spacing=0)
        self.change = _line("Field = new value, such as cart_value = 80", 240)
        self.one = SecondaryButton("Set for this person", lambda: self._set(only_current=True))
        self.all = SecondaryButton("Set for all", lambda: self._set(only_current=False))
        self.who = _line("Key or e-mail address", 180)
        self._ports = row(spacing=6)
        self.port: MenuChip | None = None
        self.add = SecondaryButton("Add this person", self._add)
        self.away = SecondaryButton("Remove the chosen person", self._remove)
        acts = (self.change, self.one, self.all, self.who, panel(self._ports), self.add, self.away)
        box = column(spacing=8)
        box.addLayout(self._tables, 1)
        box.addWidget(flowing(*acts))
        self.setLayout(box)
        self.change.returnPressed.connect(guarded(lambda: self._set(only_current=True)))
        self.who.returnPressed.connect(guarded(self._add))

    def set_pin(self, pin: Pin, ports: Sequence[str], labels: Mapping[str, str] | None = None) -> None:
        """`ports`: the outputs somebody can be added at; `labels`: what the step calls them."""
        if pin == self._pin and self.table is not None:
            return
        self._pin = pin
        clear(self._tables)
        by_size = sorted(pin.rows, key=lambda port: -len(pin.rows[port]))
        lines = [PinnedLine(port, n, one) for port in by_size for n, one in enumerate(pin.rows[port])]
        self.table = Table("Pinned people", _columns(lines, labels), lines)
        self._tables.addWidget(self.table, 1)
        clear(self._ports)
        choices = {port: port_words(port, labels) or "on" for port in dict.fromkeys((*by_size, *ports))}
        self.port = MenuChip(choices, name="Leaves by") if len(choices) > 1 else None
        if self.port is not None:
            self._ports.addWidget(self.port)

    def _set(self, *, only_current: bool) -> None:
        name, equals, text = (part.strip() for part in self.change.text().partition("="))
        if not equals or not name.isidentifier():
            hint = "Write it like cart_value = 80."
            raise UserFixable("PIN-FIELD", "Which field shall have which value?", hint=hint)
        current = self._current() if only_current else None
        self._become(
            lambda line: (
                replace(line.row, variables={**line.row.variables, name: _value(text)})
                if current is None or line == current
                else line.row
            )
        )

    def _add(self) -> None:
        who = self.who.text().strip()
        if not who:
            raise UserFixable("PIN-WHO", "Who shall be added?", hint="Write a contact's key or e-mail address.")
        port = self.port.value if self.port is not None else next(iter(self._pin.rows), "out")
        rows = {**self._pin.rows, port: (*self._pin.rows.get(port, ()), PinnedRow(contact=who))}
        self.who.clear()
        self.edited.emit(replace(self._pin, rows=rows))

    def _remove(self) -> None:
        current = self._current()
        self._become(lambda line: None if line == current else line.row)

    def _current(self) -> PinnedLine:
        line = self.table.current_row if self.table is not None else None
        if line is None:
            raise UserFixable("PIN-WHO", "Nobody is chosen.", hint="Choose a person in the table first.")
        return line

    def _become(self, changed: Callable[[PinnedLine], PinnedRow | None]) -> None:
        rows: Mapping[str, tuple[PinnedRow, ...]] = {
            port: tuple(
                after for n, one in enumerate(given) if (after := changed(PinnedLine(port, n, one))) is not None
            )
            for port, given in self._pin.rows.items()
        }
        self.edited.emit(replace(self._pin, rows=rows))


def _columns(lines: Sequence[PinnedLine], labels: Mapping[str, str] | None) -> list[Column[PinnedLine]]:
    names = dict.fromkeys(name for line in lines for name in line.row.variables)
    found = [
        Column(title="Contact", value=lambda line: line.row.contact, bold=lambda _line: True),
        Column(title="Leaves by", value=lambda line: port_words(line.port, labels) or "on"),
    ]
    if any(line.row.key is not None for line in lines):
        found.append(Column(title="Key", value=lambda line: line.row.key, text=lambda line: cell_text(line.row.key)))
    found += [
        Column(
            title=title_of(name),
            value=lambda line, name=name: line.row.variables.get(name),
            text=lambda line, name=name: cell_text(line.row.variables.get(name)),
            tone=lambda line, name=name: "muted" if line.row.variables.get(name) is None else "default",
        )
        for name in names
    ]
    return [*found, Column(title="", value=lambda _line: "", width="stretch")]


def _value(text: str) -> JsonValue:
    """Numbers, yes and no as such, nothing as empty, anything else as text."""
    if not text:
        return None
    try:
        return json.loads(text, parse_constant=str)  # “NaN” is a word, no number that a file could hold
    except ValueError:
        return text


def _line(hint: str, width: int) -> QLineEdit:
    field = QLineEdit()
    field.setPlaceholderText(hint)
    field.setAccessibleName(hint)
    field.setMinimumWidth(width)
    return field
