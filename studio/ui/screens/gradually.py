"""Widgets that are made a few at a time, so that the window answers in between.

Absent on purpose: threads; widgets are made on the window's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from PySide6.QtCore import QElapsedTimer, QObject, QTimer

from studio.ui.faults import guarded

T = TypeVar("T")
SLICE_MS = 12
"""How long is worked in one turn of the window's loop; what Qt makes of it, laying out and painting, comes on top."""


class Gradually(QObject):
    """One thing at a time: `do` for each of some, the first few at once, the others in later turns of the loop."""

    def __init__(self, owner: QObject) -> None:
        super().__init__(owner)
        self._left: Iterator[object] = iter(())
        self._do: Callable[[object], object] = lambda _one: None
        self._done: Callable[[], object] = lambda: None
        self._clock = QElapsedTimer()
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(guarded(self._some))

    def each(
        self,
        ones: Sequence[T],
        do: Callable[[T], object],
        done: Callable[[], object] = lambda: None,
        *,
        at_once: int = 1,
    ) -> None:
        """Begins anew; what was left of an earlier call is dropped. `done` is called after the last."""
        self._left, self._do, self._done = iter(ones), do, done  # type: ignore[assignment] - `do` takes what `ones` has
        for one in islice(self._left, at_once):
            do(one)  # type: ignore[arg-type]
        if len(ones) > at_once:
            self._timer.start()
        else:
            self.finish()

    def finish(self) -> None:
        """Does at once what is left."""
        self._timer.stop()
        for one in self._left:
            self._do(one)
        done, self._done = self._done, lambda: None
        done()

    def stop(self) -> None:
        """Drops what is left."""
        self._timer.stop()
        self._left, self._done = iter(()), lambda: None

    def _some(self) -> None:
        self._clock.start()
        for one in self._left:
            self._do(one)
            if self._clock.elapsed() >= SLICE_MS:
                return
        self.finish()
