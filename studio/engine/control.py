"""What people ask of a running run, from any thread: pause, go on, stop, step, mend.

Absent on purpose: doing it; the run's own task takes the wishes between two pieces of work.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TypeAlias

from studio.domain.debugging import Breakpoint, StepBy
from studio.engine.mending import Changes
from studio.engine.scheduler import Asked
from studio.engine.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Retry:
    """Try the kept ones again, of one node or of all; `only` these instances, with `changes` of their variables."""

    node_id: str | None = None
    only: frozenset[int] | None = None
    changes: Changes = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Watch:
    """From now on these breakpoints hold the run, and no others."""

    breakpoints: tuple[Breakpoint, ...]


@dataclass(frozen=True, slots=True)
class Resolve:
    """A message in doubt was sent, or is to be sent again. `done`: once that stands in the ledger, or cannot."""

    outbox_id: str
    verdict: Verdict
    done: Future[None] = field(default_factory=Future, compare=False)


@dataclass(frozen=True, slots=True)
class Look:
    """Something came from outside, such as imported events."""


Wish: TypeAlias = Asked | Retry | Resolve | Look | Watch


class Control:
    """The wishes of one run. Every method but `taken`, `attach` and `wake` may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wishes: deque[Wish] = deque()
        self._is_asked_to_stop = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self.wake = asyncio.Event()

    def pause(self) -> None:
        """Nothing more is begun; messages under way are finished."""
        self._put(Asked("pause"))

    def go_on(self) -> None:
        """Ends a pause or stepping."""
        self._put(Asked("continue"))

    def stop(self) -> None:
        """Ends the run; what was still to do is kept, and can be resumed."""
        self._put(Asked("stop"))

    def leave(self) -> None:
        """Ends this leg and leaves the run as it is, for the program is being closed."""
        self._put(Asked("leave"))

    def step(self, steps: int = 1, by: StepBy = "chunk") -> None:
        """Takes so many chunks on as far as they go, or past one node each, then holds."""
        self._put(Asked("step", steps, by))

    def watch(self, breakpoints: Iterable[Breakpoint]) -> None:
        """Sets the run's breakpoints."""
        self._put(Watch(tuple(breakpoints)))

    def retry(
        self, node_id: str | None = None, only: Iterable[int] | None = None, changes: Changes | None = None
    ) -> None:
        """Tries the failed ones again; `only` some of them, with `changes` of their variables."""
        self._put(Retry(node_id, None if only is None else frozenset(only), changes or {}))

    def resolve(self, outbox_id: str, verdict: Verdict) -> Future[None]:
        """Decides about a message in doubt; done once the run has taken it up."""
        wish = Resolve(outbox_id, verdict)
        self._put(wish)
        return wish.done

    def look(self) -> None:
        """Events have been imported: look at once."""
        self._put(Look())

    @property
    def is_asked_to_stop(self) -> bool:
        """Whether no further message may be begun: a pause, a stop or an end is asked for and not yet taken."""
        return self._is_asked_to_stop

    def attach(self) -> None:
        """Makes the calling task's loop the one that is woken."""
        with self._lock:
            self._loop = asyncio.get_running_loop()
            self.wake = asyncio.Event()
            if self._wishes:
                self.wake.set()

    def taken(self) -> list[Wish]:
        """The wishes since the last call, in order."""
        with self._lock:
            wishes = list(self._wishes)
            self._wishes.clear()
            self._is_asked_to_stop = False
            self.wake.clear()
            return wishes

    def _put(self, wish: Wish) -> None:
        with self._lock:
            self._wishes.append(wish)
            if isinstance(wish, Asked):
                self._is_asked_to_stop = wish.wish in ("pause", "stop", "leave")
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self.wake.set)
