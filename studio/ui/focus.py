"""Shows where the keyboard is: a widget focused by key carries the property `keyFocus`, one focused by mouse does not.

The style sheet and painted widgets draw the ring from that property.
Absent on purpose: rings after a mouse click, which would only be noise.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

from studio.ui.theme import theme

_MOVING_KEYS = frozenset(
    {Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right}
    | {Qt.Key.Key_F6, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape, Qt.Key.Key_Space}
)


class KeyboardFocus(QObject):
    """Watches every window of the program that receives focus. Keep one for the program's life."""

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._by_key = False
        self._marked: QWidget | None = None
        app.focusChanged.connect(self._moved)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            modified = event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
            if modified or event.key() in _MOVING_KEYS:
                self._by_key = True
        elif kind == QEvent.Type.MouseButtonPress:
            self._by_key = False
            self._mark(None)
        return super().eventFilter(watched, event)

    def _moved(self, _old: QWidget | None, new: QWidget | None) -> None:
        if new is not None:
            handle = new.window().windowHandle()
            if handle is not None:
                handle.installEventFilter(self)
        self._mark(new if self._by_key else None)

    def _mark(self, widget: QWidget | None) -> None:
        if self._marked is not None and isValid(self._marked) and self._marked is not widget:
            set_mark(self._marked, on=False)
        self._marked = widget
        if widget is not None:
            set_mark(widget, on=True)


def set_mark(widget: QWidget, *, on: bool) -> None:
    """Sets or clears the property and lets the style sheet see it."""
    if bool(widget.property("keyFocus")) == on:
        return
    widget.setProperty("keyFocus", on)
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()


def paint_ring(painter: QPainter, widget: QWidget, rect: QRectF, radius: float) -> None:
    """Draws the focus ring just inside `rect` when the widget has keyboard focus."""
    if not widget.property("keyFocus"):
        return
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(theme().colour("accent"), 2))
    painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), radius, radius)
