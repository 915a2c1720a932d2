"""The canvas by keyboard alone: which key does what to the node that has the keyboard.

Absent on purpose: keys of the window (undo, run), which work wherever the keyboard is and are actions of the page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent

from studio.ui.canvas import look
from studio.ui.canvas.editor import CanvasEditor
from studio.ui.canvas.navigation import Direction, along_edge, nearest, next_in_order
from studio.ui.canvas.view import CanvasView

Deeds: TypeAlias = Mapping[int, Callable[[], object]]

_KEY = Qt.Key
_CONTROL = Qt.KeyboardModifier.ControlModifier
_ALT = Qt.KeyboardModifier.AltModifier
_SHIFT = Qt.KeyboardModifier.ShiftModifier
_ARROWS: dict[int, Direction] = {
    _KEY.Key_Left: "left",
    _KEY.Key_Right: "right",
    _KEY.Key_Up: "up",
    _KEY.Key_Down: "down",
}
_STEPS: dict[Direction, tuple[float, float]] = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}

HELP = (
    ("Tab, Shift+Tab", "next and previous step along the workflow"),
    ("Arrow keys", "nearest step in that direction; with Shift add it to the selection"),
    ("Ctrl+arrow keys", "along the edges"),
    ("Alt+arrow keys", "move the selected steps"),
    ("Enter", "settings of the step"),
    ("A", "add a step after this one"),
    ("C", "connect this step to another"),
    ("R", "replace this step with another kind, keeping its edges"),
    ("F2", "rename"),
    ("G, N", "group the selected steps, add a note"),
    ("Menu key, Shift+F10", "everything that can be done with what is selected"),
    ("E", "switch on or off"),
    ("Delete", "remove"),
    ("Ctrl+C, Ctrl+X, Ctrl+V, Ctrl+D", "copy, cut, paste, duplicate"),
    ("Ctrl+F", "find a step by any of its words"),
    ("Ctrl+L", "tidy layout"),
    ("Shift+1, Shift+2, Shift+0, + and −", "see everything, what is selected, 100 %, zoom"),
    ("F5", "run"),
    ("F6, Shift+F6", "next and previous part: canvas, course of the run, settings"),
    ("Escape", "from a panel back to the canvas"),
)


class CanvasKeys(QObject):
    """Signals ask for what needs more than the graph: `inspect_wanted(node_id)`, `add_wanted(node_id or "")`,
    `connect_wanted(node_id)`, `rename_wanted(node_id)`, `replace_wanted(node_id)`, `write_wanted(note or group)`,
    `group_wanted`, `note_wanted`, `run_wanted`; `announced(node_id)`: it has the keyboard now.
    """

    inspect_wanted = Signal(str)
    add_wanted = Signal(str)
    connect_wanted = Signal(str)
    rename_wanted = Signal(str)
    replace_wanted = Signal(str)
    write_wanted = Signal(object)
    group_wanted = Signal()
    note_wanted = Signal()
    run_wanted = Signal()
    announced = Signal(str)

    def __init__(self, view: CanvasView, editor: CanvasEditor) -> None:
        super().__init__()
        self._view = view
        self._editor = editor
        self._plain = self._plain_keys()
        self._with_control = self._control_keys()
        self._with_shift = self._shift_keys()
        view.key_handler = self.handle
        view.installEventFilter(self)

    def _plain_keys(self) -> Deeds:
        return {
            _KEY.Key_Return: self._inspect,
            _KEY.Key_Enter: self._inspect,
            _KEY.Key_A: lambda: self.add_wanted.emit(self._current or ""),
            _KEY.Key_C: lambda: self._for_current(self.connect_wanted),
            _KEY.Key_F2: lambda: self._for_current(self.rename_wanted),
            _KEY.Key_R: lambda: self._for_current(self.replace_wanted),
            _KEY.Key_G: self.group_wanted.emit,
            _KEY.Key_N: self.note_wanted.emit,
            _KEY.Key_E: self._editor.toggle_enabled,
            _KEY.Key_F5: self.run_wanted.emit,
            _KEY.Key_Delete: self._editor.delete_selection,
            _KEY.Key_Backspace: self._editor.delete_selection,
            _KEY.Key_Escape: self._editor.selection.clear,
            _KEY.Key_Plus: lambda: self._view.zoom_by(1.2),
            _KEY.Key_Minus: lambda: self._view.zoom_by(1 / 1.2),
        }

    def _control_keys(self) -> Deeds:
        return {
            _KEY.Key_A: self._editor.select_all,
            _KEY.Key_C: self._editor.copy,
            _KEY.Key_X: self._editor.cut,
            _KEY.Key_V: self._editor.paste,
            _KEY.Key_D: self._editor.duplicate,
            _KEY.Key_Plus: lambda: self._view.zoom_by(1.2),
            _KEY.Key_Equal: lambda: self._view.zoom_by(1.2),
            _KEY.Key_Minus: lambda: self._view.zoom_by(1 / 1.2),
            _KEY.Key_0: self._view.zoom_full,
        }

    def _shift_keys(self) -> Deeds:
        # What Shift and a digit key type depends on the keyboard: both are listened to.
        return {
            _KEY.Key_1: self._view.fit,
            _KEY.Key_2: self._view.fit_selection,
            _KEY.Key_At: self._view.fit_selection,
            _KEY.Key_QuoteDbl: self._view.fit_selection,
            _KEY.Key_Exclam: self._view.fit,
            _KEY.Key_0: self._view.zoom_full,
            _KEY.Key_ParenRight: self._view.zoom_full,
            _KEY.Key_Equal: self._view.zoom_full,
            _KEY.Key_Plus: lambda: self._view.zoom_by(1.2),
        }

    @property
    def _current(self) -> str | None:
        return self._editor.selection.current

    def handle(self, event: QKeyEvent) -> bool:
        """True when the key meant something here."""
        found = self._meaning(event)
        if found is None:
            return False
        result = found()
        self._view.show_keyboard_focus()
        return result is not False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keys that mean something on the canvas go before the window's shortcuts (Alt+Left is also “back”)."""
        overriding = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if overriding and self._meaning(event) is not None:
            event.accept()
            return True
        return super().eventFilter(watched, event)

    def _meaning(self, event: QKeyEvent) -> Callable[[], object] | None:
        key, modifiers = event.key(), event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if key in (_KEY.Key_Tab, _KEY.Key_Backtab):
            return lambda: self._walk(1 if key == _KEY.Key_Tab and modifiers != _SHIFT else -1)
        if key in _ARROWS:
            return self._arrow(_ARROWS[key], modifiers)
        if modifiers == Qt.KeyboardModifier.NoModifier:
            return self._plain.get(key)
        if modifiers == _SHIFT:
            return self._with_shift.get(key)
        return self._with_control.get(key) if modifiers == _CONTROL else None

    def _arrow(self, direction: Direction, modifiers: Qt.KeyboardModifier) -> Callable[[], object] | None:
        if modifiers == Qt.KeyboardModifier.NoModifier:
            return lambda: self._go_nearest(direction)
        if modifiers == _SHIFT:
            return lambda: self._go_nearest(direction, adding=True)
        if modifiers == _CONTROL:
            return lambda: self._go_along(direction)
        if modifiers == _ALT:
            return lambda: self._nudge(direction)
        return None

    def _walk(self, step: int) -> bool:
        target = next_in_order(self._editor.workflow, self._current, step)
        if target is None:
            return False
        self._go(target)
        return True

    def _go_nearest(self, direction: Direction, *, adding: bool = False) -> None:
        current = self._current
        if current is None:
            self._walk(1)
            return
        target = nearest(self._editor.scene.middles(), current, direction)
        if target is not None:
            self._go(target, adding=adding)

    def _go_along(self, direction: Direction) -> None:
        current = self._current
        if current is None:
            self._walk(1)
            return
        target = along_edge(self._editor.workflow, self._editor.scene.middles(), current, direction)
        if target is not None:
            self._go(target)

    def _go(self, node_id: str, *, adding: bool = False) -> None:
        selection = self._editor.selection
        selection.set(selection.nodes | {node_id} if adding else [node_id], current=node_id)
        self._view.ensure_seen((node_id,))
        self.announced.emit(node_id)

    def _nudge(self, direction: Direction) -> None:
        dx, dy = _STEPS[direction]
        self._editor.nudge(dx * look.GRID, dy * look.GRID)
        self._view.ensure_seen(tuple(self._editor.selection.nodes))

    def _inspect(self) -> bool:
        marks = self._editor.selection.marks
        if self._current is not None:
            self.inspect_wanted.emit(self._current)
        elif len(marks) == 1:
            self.write_wanted.emit(next(iter(marks)))
        return self._current is not None or len(marks) == 1

    def _for_current(self, signal: Signal) -> None:
        if self._current is not None:
            signal.emit(self._current)
