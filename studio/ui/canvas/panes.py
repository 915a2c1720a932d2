"""The keyboard between the parts of the canvas page: F6 goes from one to the next, Escape from a panel to the canvas.

Absent on purpose: Tab, which goes through everything within a part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget


class Panes(QObject):
    """`canvas` is where Escape leads; `panes` hold the keyboard in this order, the canvas among them."""

    def __init__(self, canvas: QWidget, panes: Sequence[QWidget]) -> None:
        super().__init__()
        self._canvas = canvas
        self._panes = panes
        for pane in panes:
            if pane is not canvas:
                pane.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A key comes to a panel when nothing within it has a use for it."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            self._canvas.setFocus(Qt.FocusReason.ShortcutFocusReason)
            return True
        return super().eventFilter(watched, event)

    def go(self, step: int) -> None:
        """To the next part in sight (`step` 1) or the one before (-1), where the keyboard was there last."""
        reachable = [(pane, target) for pane in self._panes if (target := _target(pane)) is not None]
        if not reachable:
            return
        here = self._canvas.window().focusWidget()
        places = [n for n, (pane, _) in enumerate(reachable) if here is not None and _holds(pane, here)]
        number = (places[0] + step) % len(reachable) if places else 0
        reachable[number][1].setFocus(Qt.FocusReason.ShortcutFocusReason)


def _holds(pane: QWidget, widget: QWidget) -> bool:
    return pane is widget or pane.isAncestorOf(widget)


def _target(pane: QWidget) -> QWidget | None:
    """Where in a part the keyboard was last, or its first place; None while it is not in sight."""
    if not pane.isVisible() or min(pane.width(), pane.height()) <= 0:
        return None
    last = pane.focusWidget()
    if last is not None and _holds(pane, last) and _takes(last):
        return last
    return next((widget for widget in _chain(pane) if _takes(widget)), None)


def _chain(pane: QWidget) -> Iterator[QWidget]:
    widget = pane
    while True:
        if _holds(pane, widget):
            yield widget
        widget = widget.nextInFocusChain()
        if widget is pane:
            return


def _takes(widget: QWidget) -> bool:
    by_tab = bool(widget.focusPolicy().value & Qt.FocusPolicy.TabFocus.value)
    return by_tab and widget.isVisible() and widget.isEnabled()
