"""The editor of a list of settings, such as the variants of a test: a card each, to add, remove and reorder.

Absent on purpose: lists inside lists; no node needs one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import JsonValue
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.ui.canvas.form_aid import FormAid
from studio.ui.canvas.form_editors import Editor
from studio.ui.canvas.form_errors import Path
from studio.ui.canvas.form_kinds import make_editor
from studio.ui.canvas.form_schema import FieldSpec, new_entry
from studio.ui.widgets import Card, Chip, Field, IconButton, Text
from studio.ui.widgets.layout import STRETCH, clear, row

_ONE_LINE = frozenset({"text", "integer", "number", "rate", "time"})


class EntryCard(Card):
    """One entry. Unknown settings it came with are kept."""

    edited = Signal()
    left = Signal()

    def __init__(self, field: FieldSpec, title: str, buttons: list[QWidget], aid: FormAid) -> None:
        super().__init__(padding=12, spacing=8, name=title)
        self._aid = aid
        self._entry: dict[str, JsonValue] = {}
        self.caption = Text(title, "secondary", "muted")
        self.add(row(self.caption, STRETCH, *buttons, spacing=0))
        self.fields: dict[str, Field] = {}
        self.editors: dict[str, Editor] = {}
        for line in _lines(field.items):
            self.add(row(*(self._make(item, title) for item in line), spacing=8))

    def _make(self, item: FieldSpec, title: str) -> Field:
        editor = make_editor(item, self._aid)
        editor.edited.connect(self.edited)
        editor.left.connect(self.left)
        # The help is a tooltip here: below each field of each entry it would hide the entries.
        holder = Field(item.title, editor)
        holder.setToolTip(item.help)
        name_controls(holder, editor, f"{title}: {item.title}")
        self.fields[item.name], self.editors[item.name] = holder, editor
        return holder

    def set_value(self, value: JsonValue) -> None:
        self._entry = dict(value) if isinstance(value, dict) else {}
        for name, editor in self.editors.items():
            editor.set_value(self._entry.get(name, editor.field.default))

    def value(self) -> JsonValue:
        found = dict(self._entry)
        for name, editor in self.editors.items():
            value = editor.value()
            if not editor.field.required and value == editor.field.default:
                found.pop(name, None)
            else:
                found[name] = value
        return found

    def set_errors(self, errors: Mapping[Path, str]) -> None:
        for name, field in self.fields.items():
            field.set_error(errors.get((name,), ""))
            self.editors[name].mark(wrong=bool(field.error))


class ListEditor(Editor):
    """Entries in their order."""

    def __init__(self, field: FieldSpec, aid: FormAid) -> None:
        super().__init__(field)
        self._aid = aid
        self._word = singular(field.name)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(8)
        self._entries = QVBoxLayout()
        self._entries.setSpacing(8)
        self._box.addLayout(self._entries)
        self.add_button = Chip(f"Add {self._word}", self._add, icon="plus")
        self._box.addLayout(row(self.add_button, STRETCH))
        self.cards: list[EntryCard] = []

    def inputs(self) -> list[QWidget]:
        return []

    def value(self) -> JsonValue:
        return [card.value() for card in self.cards]

    def set_value(self, value: JsonValue) -> None:
        entries = value if isinstance(value, list) else []
        if len(entries) != len(self.cards):
            self._rebuild(len(entries))
        for card, entry in zip(self.cards, entries, strict=True):
            if card.value() != entry:
                card.set_value(entry)

    def set_errors(self, errors: Mapping[Path, str]) -> None:
        """Messages by (number of the entry, setting)."""
        for number, card in enumerate(self.cards):
            card.set_errors({path[1:]: words for path, words in errors.items() if path[:1] == (number,)})

    def _rebuild(self, count: int) -> None:
        clear(self._entries)
        self.cards = []
        for number in range(count):
            buttons: list[QWidget] = []
            name = f"{self._word} {number + 1}"
            if number:
                buttons.append(IconButton("arrow-up", f"Move {name} up", lambda n=number: self._swap(n), size=14))
            if count > self.field.items_min:
                buttons.append(IconButton("trash-2", f"Remove {name}", lambda n=number: self._remove(n), size=14))
            card = EntryCard(self.field, name.capitalize(), buttons, self._aid)
            card.edited.connect(self.edited)
            card.left.connect(self.left)
            self.cards.append(card)
            self._entries.addWidget(card)
        self.add_button.setVisible(count < self.field.items_max)

    def _change(self, entries: list[JsonValue]) -> None:
        self._rebuild(len(entries))
        for card, entry in zip(self.cards, entries, strict=True):
            card.set_value(entry)
        self.edited.emit()
        self.left.emit()

    def _values(self) -> list[JsonValue]:
        return [card.value() for card in self.cards]

    def _add(self) -> None:
        entries = self._values()
        self._change([*entries, new_entry(self.field, entries)])
        first = next(iter(self.cards[-1].editors.values()), None)
        if first is not None:
            first.setFocus()

    def _remove(self, number: int) -> None:
        entries = self._values()
        self._change(entries[:number] + entries[number + 1 :])

    def _swap(self, number: int) -> None:
        entries = self._values()
        entries[number - 1], entries[number] = entries[number], entries[number - 1]
        self._change(entries)


def name_controls(holder: Field, editor: Editor, name: str) -> None:
    """Lets screen readers say what a control is for; a check box carries its label itself."""
    for control in editor.inputs()[:1]:
        holder.label_for(control)
        control.setAccessibleName(name)
        control.setAccessibleDescription(editor.field.help)
    if editor.field.kind == "boolean":
        label = holder.layout().itemAt(0).widget()
        label.hide()


def _lines(fields: Sequence[FieldSpec]) -> list[list[FieldSpec]]:
    """Short fields have the next one beside them."""
    lines: list[list[FieldSpec]] = []
    for field in fields:
        if lines and len(lines[-1]) == 1 and _is_short(lines[-1][0]) and field.kind in _ONE_LINE:
            lines[-1].append(field)
        else:
            lines.append([field])
    return lines


def _is_short(field: FieldSpec) -> bool:
    return field.name == "id" or field.kind in ("integer", "number", "rate")


def singular(name: str) -> str:
    """`variants` → variant, `branches` → branch.

    >>> singular("branches"), singular("wait_times")
    ('branch', 'wait time')
    """
    word = name.replace("_", " ")
    if word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word.removesuffix("s")
