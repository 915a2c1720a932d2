"""Everything that can be done, registered once: menus, shortcuts and the command palette all read from here.

Absent on purpose: what the actions do; the screens and the composition bring that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from studio.ui import icons
from studio.ui.faults import guarded


def always() -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """`shortcut` in Qt's portable form (“Ctrl+K”); `keywords` are further words it can be found by."""

    id: str
    title: str
    run: Callable[[], object]
    group: str = ""
    shortcut: str = ""
    icon: str = ""
    keywords: str = ""
    is_enabled: Callable[[], bool] = always


class ActionRegistry(QObject):
    """The actions of the program and, in the scope `page`, those of the screen in front."""

    changed = Signal()

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._actions: dict[str, Action] = {}
        self._scopes: dict[str, list[str]] = {}
        self._made: dict[str, QAction] = {}

    def add(self, *actions: Action) -> None:
        """Raises ValueError when an id or a shortcut is taken: two actions may not answer one key."""
        for action in actions:
            self._check(action)
            self._actions[action.id] = action
            self._made[action.id] = self._make(action)
        self.changed.emit()

    def replace_scope(self, scope: str, actions: Sequence[Action]) -> None:
        """Removes what the scope held and adds these. One that looks as before is kept: making it costs the window."""
        before = {action_id: self._actions.pop(action_id) for action_id in self._scopes.pop(scope, [])}
        kept = {a.id: self._made.pop(a.id) for a in actions if a.id in before and _looks(a) == _looks(before[a.id])}
        for action_id in before.keys() - kept.keys():
            self._drop(action_id)
        self._scopes[scope] = [action.id for action in actions]
        for action in actions:
            if action.id not in kept:
                self._check(action)
            self._actions[action.id] = action
            self._made[action.id] = kept.get(action.id) or self._make(action)
        self.changed.emit()

    def remove(self, action_id: str) -> None:
        self._actions.pop(action_id, None)
        self._drop(action_id)
        self.changed.emit()

    def _drop(self, action_id: str) -> None:
        made = self._made.pop(action_id, None)
        if made is not None:
            self._window.removeAction(made)
            made.deleteLater()

    def all(self) -> list[Action]:
        """In the order they were added."""
        return list(self._actions.values())

    def run(self, action_id: str) -> None:
        """Raises KeyError for an action there is not; does nothing when it is not enabled now."""
        action = self._actions[action_id]
        if action.is_enabled():
            guarded(action.run)()

    def menu(self, parent: QWidget, action_ids: Sequence[str]) -> QMenu:
        """A menu of these actions; an empty id is a separator. What is enabled is asked when it opens."""
        menu = QMenu(parent)
        for action_id in action_ids:
            if action_id:
                menu.addAction(self._made[action_id])
            else:
                menu.addSeparator()
        menu.aboutToShow.connect(lambda: self._refresh(action_ids))
        return menu

    def _refresh(self, action_ids: Sequence[str]) -> None:
        for action_id in filter(None, action_ids):
            action, made = self._actions[action_id], self._made[action_id]
            made.setEnabled(action.is_enabled())
            if action.icon:
                made.setIcon(icons.icon(action.icon, "text_secondary", 16))

    def _make(self, action: Action) -> QAction:
        made = QAction(action.title.replace("&", "&&"), self._window)
        if action.shortcut:
            made.setShortcut(QKeySequence(action.shortcut))
        action_id = action.id  # the action itself may be replaced, and with it the screen it would keep
        made.triggered.connect(lambda: self.run(action_id))
        self._window.addAction(made)
        return made

    def _check(self, action: Action) -> None:
        if action.id in self._actions:
            raise ValueError(f"there already is an action {action.id}")
        wanted = QKeySequence(action.shortcut)
        for other in self._actions.values() if action.shortcut else ():
            if other.shortcut and QKeySequence(other.shortcut) == wanted:
                raise ValueError(f"{action.id} and {other.id} both want {action.shortcut}")


def _looks(action: Action) -> tuple[str, str]:
    return action.title, action.shortcut


def shortcut_text(shortcut: str) -> str:
    """The shortcut as the platform writes it."""
    return QKeySequence(shortcut).toString(QKeySequence.SequenceFormat.NativeText)
