"""A part of the workspace that is put together when it is first asked for, with what it imports.

A command, and the first frame of the window, need three stories out of twenty. Absent on purpose: taking apart, which
is the workspace's own; `functools.cached_property`, which makes a part twice when two threads ask at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, Protocol, Self, TypeVar, overload


class HasParts(Protocol):
    """What has parts has one lock for all of them, because parts ask for each other."""

    parts_lock: threading.RLock


Whole = TypeVar("Whole", bound=HasParts)
Made = TypeVar("Made")


class part(Generic[Whole, Made]):  # noqa: N801 - it is written as `@part`, like property
    """A method that makes a part becomes the part itself: made once, by whichever thread asks first."""

    def __init__(self, make: Callable[[Whole], Made]) -> None:
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, whole: None, owner: type) -> Self: ...
    @overload
    def __get__(self, whole: Whole, owner: type) -> Made: ...
    def __get__(self, whole: Whole | None, owner: type) -> Self | Made:
        if whole is None:
            return self
        with whole.parts_lock:
            if self._name not in vars(whole):  # another thread may have made it while this one waited
                vars(whole)[self._name] = self._make(whole)
        return vars(whole)[self._name]

    def made(self, whole: Whole) -> bool:
        """Whether the part is there already; for closing what was opened and no more."""
        return self._name in vars(whole)
