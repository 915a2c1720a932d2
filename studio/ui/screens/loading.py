"""Keeps a pane up to date: the first time with its progress shown, later quietly under what is there.

Absent on purpose: timers; whoever knows of a change calls it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from studio.ui import widgets as w
from studio.ui.background import run_in_background

T = TypeVar("T")


class Loader(Generic[T]):
    """Calls that come while one is under way become one more at its end."""

    def __init__(self, pane: w.Pane, fetch: Callable[[], T], show: Callable[[T], object], doing: str) -> None:
        self._pane, self._fetch, self._show, self._doing = pane, fetch, show, doing
        self._has_content = False
        self._is_busy = False
        self._again = False

    def __call__(self) -> None:
        if not self._has_content:
            self._pane.load(lambda _progress: self._fetch(), self._first, doing=self._doing)
        elif self._is_busy:
            self._again = True
        else:
            self._is_busy = True
            run_in_background(self._fetch, self._shown, self._failed, owner=self._pane)

    def _first(self, result: T) -> None:
        self._has_content = True
        self._show(result)

    def _shown(self, result: T) -> None:
        self._is_busy = False
        self._pane.show_content()
        if self._again:
            self._again = False
            self()
        else:
            self._show(result)

    def _failed(self, error: Exception) -> None:
        self._is_busy = self._again = self._has_content = False
        self._pane.show_error(error, retry=self)
