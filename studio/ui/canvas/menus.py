"""What the right mouse button, the Menu key and Shift+F10 offer about what is selected.

Absent on purpose: the doing (`editor.py`) and asking which (`prompts.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from PySide6.QtCore import QPoint
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu

from studio.ui.canvas.annotations import COLOURS
from studio.ui.canvas.arranging import SIDES
from studio.ui.canvas.editor import CanvasEditor
from studio.ui.canvas.inline_edit import InlineEdit
from studio.ui.canvas.prompts import Prompts
from studio.ui.canvas.view import CanvasView
from studio.ui.faults import guarded


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a menu; empty words are a separator, `more` makes it a menu of its own."""

    words: str
    run: Callable[[], object] = lambda: None
    changes: bool = True
    key: str = ""
    more: Sequence[Entry] = field(default=())


SEPARATOR = Entry("")


class Menus:
    """One menu for each kind of selection."""

    def __init__(self, view: CanvasView, editor: CanvasEditor, prompts: Prompts, inline: InlineEdit) -> None:
        self._view = view
        self._editor = editor
        self._prompts = prompts
        self._inline = inline
        self.more_about_node: Callable[[str], Sequence[Entry]] = lambda _node_id: ()
        """What else the page offers about a step or an edge: debugging."""
        self.more_about_edge: Callable[[str, str], Sequence[Entry]] = lambda _node_id, _port: ()
        self.more_about_workflow: Callable[[], Sequence[Entry]] = tuple
        view.menu_wanted.connect(self.show)

    def show(self, place: QPoint) -> None:
        """Opens at a place of the screen."""
        menu = QMenu(self._view)
        self._fill(menu, self.entries())
        menu.popup(place)

    def entries(self) -> Sequence[Entry]:
        """What the menu about the present selection holds."""
        selection = self._editor.selection
        if len(selection.nodes) > 1:
            return self._about_several()
        if selection.single is not None:
            return self._about_node(selection.single)
        if selection.edges:
            return self._about_edge()
        if selection.marks:
            kind, index = next(iter(selection.marks))
            return self._about_note(index) if kind == "note" else self._about_group(index)
        return self._about_nothing()

    def _fill(self, menu: QMenu, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if not entry.words:
                menu.addSeparator()
                continue
            is_possible = not (entry.changes and self._editor.read_only)
            if entry.more:
                inner = menu.addMenu(entry.words)
                inner.setEnabled(is_possible)
                self._fill(inner, entry.more)
                continue
            made = menu.addAction(entry.words)
            made.setEnabled(is_possible)
            if entry.key:
                made.setShortcut(QKeySequence(entry.key))
                made.setShortcutVisibleInContextMenu(True)
            made.triggered.connect(lambda _checked=False, run=entry.run: guarded(run)())

    def _about_nothing(self) -> Sequence[Entry]:
        editor = self._editor
        return (
            Entry("Add a step …", lambda: self._prompts.add_after(""), key="A"),
            Entry("Add a note", self.add_note, key="N"),
            Entry("Paste", editor.paste, key="Ctrl+V"),
            Entry("Select everything", editor.select_all, changes=False, key="Ctrl+A"),
            SEPARATOR,
            Entry("Tidy layout", editor.tidy, key="Ctrl+L"),
            Entry("See everything", self._view.fit, changes=False, key="Shift+1"),
            *self.more_about_workflow(),
        )

    def _about_node(self, node_id: str) -> Sequence[Entry]:
        prompts = self._prompts
        return (
            Entry("Settings", lambda: prompts.inspect_wanted.emit(node_id), changes=False, key="Return"),
            Entry("Rename", lambda: prompts.rename_wanted.emit(node_id), key="F2"),
            SEPARATOR,
            Entry("Add a step after it …", lambda: prompts.add_after(node_id), key="A"),
            Entry("Connect to …", lambda: prompts.connect_from(node_id), key="C"),
            Entry("Replace with …", lambda: prompts.replace(node_id), key="R"),
            SEPARATOR,
            *self.more_about_node(node_id),
            *self._about_any(),
        )

    def _about_several(self) -> Sequence[Entry]:
        editor = self._editor
        lines = [Entry(words, partial(editor.align, side)) for side, words in SIDES.items()]
        lines += [
            SEPARATOR,
            Entry("Distribute across", lambda: editor.distribute(across=True)),
            Entry("Distribute down", lambda: editor.distribute(across=False)),
        ]
        return (
            Entry("Align", more=lines),
            Entry("Tidy these", editor.tidy_selection),
            Entry("See them", self._view.fit_selection, changes=False, key="Shift+2"),
            SEPARATOR,
            *self._about_any(),
        )

    def _about_any(self) -> Sequence[Entry]:
        editor = self._editor
        return (
            *self._about_copying(),
            Entry("Cut", editor.cut, key="Ctrl+X"),
            Entry("Group", self.group, key="G"),
            Entry("Switch on or off", editor.toggle_enabled, key="E"),
            SEPARATOR,
            Entry("Remove", editor.delete_selection, key="Delete"),
        )

    def _about_copying(self) -> Sequence[Entry]:
        editor = self._editor
        return (
            Entry("Copy", editor.copy, changes=False, key="Ctrl+C"),
            Entry("Duplicate", editor.duplicate, key="Ctrl+D"),
        )

    def _about_edge(self) -> Sequence[Entry]:
        node_id, port = next(iter(self._editor.selection.edges))[0]
        return (
            Entry("Insert a step here …", self._prompts.insert_on_edge, key="A"),
            SEPARATOR,
            *self.more_about_edge(node_id, port),
            Entry("Remove", self._editor.delete_selection, key="Delete"),
        )

    def _about_note(self, index: int) -> Sequence[Entry]:
        return (
            Entry("Write", lambda: self._inline.open(("note", index)), key="Return"),
            *self._about_copying(),
            SEPARATOR,
            Entry("Remove", self._editor.delete_selection, key="Delete"),
        )

    def _about_group(self, index: int) -> Sequence[Entry]:
        document = self._editor.document
        colours = [Entry(name, partial(document.set_group, index, colour=key)) for key, name in COLOURS.items()]
        return (
            Entry("Rename", lambda: self._inline.open(("group", index)), key="Return"),
            Entry("Colour", more=colours),
            Entry("Select its steps", lambda: self._editor.select_group(index), changes=False),
            *self._about_copying(),
            SEPARATOR,
            Entry("Ungroup", self._editor.delete_selection, key="Delete"),
        )

    def add_note(self) -> None:
        """A new sticky note in sight, ready to be written into."""
        index = self._editor.add_note(self._free_place() if not self._editor.selection.nodes else None)
        if index is not None:
            self._show_mark(index, is_note=True)

    def group(self) -> None:
        """The selected steps in a group whose title can be written at once."""
        index = self._editor.group()
        if index is not None:
            self._show_mark(index, is_note=False)

    def _show_mark(self, index: int, *, is_note: bool) -> None:
        scene = self._editor.scene
        self._view.ensure_area_seen((scene.notes[index] if is_note else scene.groups[index]).body)
        self._inline.open(("note" if is_note else "group", index))

    def _free_place(self) -> tuple[float, float]:
        middle = self._view.seen().center()
        return middle.x(), middle.y()
