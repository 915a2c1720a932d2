"""Work that is asked for more often than anybody can read: done at most a few times a second.

The first call after a quiet moment works at once, later ones together after a while, in a turn of the window's loop of
their own. Absent on purpose: which of several calls counts; whoever works looks at what there is then.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from studio.ui.faults import guarded

READ_MS = 200
"""Figures that change more often than five times a second cannot be read."""


class Paced(QObject):
    """`ask` as often as you like, `now` when it must not wait."""

    def __init__(self, owner: QObject, do: Callable[[], object], every_ms: int = READ_MS) -> None:
        super().__init__(owner)
        self._do = do
        self._is_asked = False
        self._timer = QTimer(self, interval=every_ms, singleShot=True)
        self._timer.timeout.connect(guarded(self._due))

    def ask(self) -> None:
        """Has it done soon."""
        if self._timer.isActive():
            self._is_asked = True
        else:
            self.now()

    def now(self) -> None:
        """Does it, whatever was asked before."""
        self._is_asked = False
        self._timer.start()
        self._do()

    def catch_up(self) -> None:
        """Does what was asked and still waits."""
        if self._is_asked:
            self.now()

    def drop(self) -> None:
        """Forgets what was asked."""
        self._is_asked = False

    def _due(self) -> None:
        self.catch_up()
