"""What is made ready while nobody is looking, so that opening a screen is not waited for.

Screens are loaded on a worker thread and built one by one when the window rests; what has come to stay is no longer
searched for cycles. Absent on purpose: filling the screens; they read the workspace when they come to the front.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence

from PySide6.QtCore import QElapsedTimer, QEvent, QObject, QTimer
from PySide6.QtWidgets import QWidget

from studio.ui.background import run_in_background, under_way
from studio.ui.faults import guarded

TICK_MS = 250
REST_MS = 1_500
"""How long nothing must have been typed, clicked or moved."""
COLLECTED_EVERY = 5_000
"""Objects between two looks for cycles while a window is open: a look takes about a millisecond then."""
_FELT = frozenset(
    {
        QEvent.Type.KeyPress,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseButtonRelease,
        QEvent.Type.MouseMove,
        QEvent.Type.Wheel,
        QEvent.Type.TouchUpdate,
    }
)


class Ahead(QObject):
    """Belongs to a window that is shown; ends by itself when everything is ready."""

    def __init__(
        self, window: QWidget, loads: Sequence[Callable[[], object]], steps: Sequence[Callable[[], object]]
    ) -> None:
        """All of `loads` is done on a worker thread; then each of `steps` in a moment of rest."""
        super().__init__(window)
        self._loads = tuple(loads)
        self._steps = list(steps)
        self._rest = QElapsedTimer()
        self._rest.start()
        self._is_loaded = False
        self._watched = window.windowHandle()
        if self._watched is not None:
            self._watched.installEventFilter(self)
        self._timer = QTimer(self, interval=TICK_MS)
        self._timer.timeout.connect(guarded(self._tick))
        self._timer.start()

    @property
    def is_done(self) -> bool:
        return not self._timer.isActive()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() in _FELT:
            self._rest.restart()
        return False

    def _tick(self) -> None:
        if self._rest.elapsed() < REST_MS or under_way():
            return
        if self._loads:
            loads, self._loads = self._loads, ()
            run_in_background(lambda: [load() for load in loads], lambda _done: self._loaded(), owner=self)
        elif self._is_loaded and self._steps:
            self._steps.pop(0)()
        elif self._is_loaded:
            self._timer.stop()
            if self._watched is not None:
                self._watched.removeEventFilter(self)
            settle()

    def _loaded(self) -> None:
        self._is_loaded = True


def settle() -> None:
    """What is there now stays: looking for cycles passes it over from now on, for a look at all of it takes a tenth of
    a second, in which no thread does anything.
    """
    gc.freeze()
    gc.set_threshold(COLLECTED_EVERY, 20, 20)


def loosen() -> None:
    """A window has gone: what was to stay may go too."""
    gc.unfreeze()
