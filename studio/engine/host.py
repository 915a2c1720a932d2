"""The engine's own thread: an asyncio loop in which runs go on while the window, or a command, does other things.

Run events cross in a bounded buffer that its reader empties once per frame; what overflowed is in the store, and the
gap in `seq` says so. A run that ends by a fault of the program says so in words. Absent on purpose: Qt.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

from studio.domain.ports import RunRow
from studio.domain.run import RunEvent, RunState
from studio.domain.workflow import Workflow
from studio.engine.control import Control
from studio.engine.driver import Driver, Surroundings
from studio.engine.planting import Planted
from studio.engine.rehearsal import Rehearsed

BUFFER_MAX = 10_000

Result = TypeVar("Result")

log = logging.getLogger(__name__)


class EngineHost:
    """Use as a context manager, or call `close`. All methods may be called from any thread."""

    def __init__(self, surroundings: Surroundings, *, on_change: Callable[[], None] = lambda: None) -> None:
        """`on_change` is called in the engine's thread when there is something to drain; it must return at once."""
        self._driver = Driver(surroundings, self._keep)
        self._on_change = on_change
        self._buffer: deque[RunEvent] = deque(maxlen=BUFFER_MAX)
        self._has_told = threading.Event()
        self._lock = threading.Lock()
        self._legs: dict[str, Future[RunState]] = {}
        self._controls: dict[str, Control] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="engine", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def begin(
        self,
        run: RunRow,
        workflow: Workflow,
        *,
        planted: Sequence[Planted] = (),
        until: datetime | None = None,
        is_attended: bool = False,
    ) -> None:
        """Writes a new run into the store and lets it go; `planted` people begin in the middle of it.

        Raises:
            UserFixable: the workflow cannot run; nothing is written then.
        """
        self._driver.begin(run, workflow, planted)
        self.start(run.run_id, until=until, is_attended=is_attended)

    def rehearse(self, run: RunRow, workflow: Workflow) -> Rehearsed:
        """A dry run, in the calling thread: what goes on meanwhile is not held up."""
        return asyncio.run(self._driver.rehearse(run, workflow))

    def start(
        self, run_id: str, *, until: datetime | None = None, is_attended: bool = False, is_stepping: bool = False
    ) -> None:
        """Lets a run that is in the store go on. Does nothing when it is going on."""
        with self._lock:
            leg = self._legs.get(run_id)
            if leg is not None and not leg.done():
                return
            control = self._controls.setdefault(run_id, Control())
            going = self._supervised(run_id, control, until, is_attended=is_attended, is_stepping=is_stepping)
            self._legs[run_id] = self._submit(going)

    def control(self, run_id: str) -> Control:
        """What can be asked of a run. A wish for a run that is not going on is taken when it starts."""
        with self._lock:
            return self._controls.setdefault(run_id, Control())

    def is_running(self, run_id: str) -> bool:
        """Whether a leg of the run is going on (it may be paused, when it is attended)."""
        with self._lock:
            leg = self._legs.get(run_id)
        return leg is not None and not leg.done()

    def wait(self, run_id: str, timeout_s: float | None = None) -> RunState:
        """Waits until the run's leg has ended; its state then. Raises KeyError for one never started, TimeoutError."""
        with self._lock:
            leg = self._legs[run_id]
        return leg.result(timeout_s)

    def call(self, work: Coroutine[Any, Any, Result], timeout_s: float | None = None) -> Result:
        """Does something on the engine's loop, such as ending what runs opened there, and waits for its answer."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout_s)

    def drain(self, within_s: float = 0.0) -> list[RunEvent]:
        """The run events since the last call, in order, of all runs; at most the last 10,000. Waits so long for one."""
        if within_s and not self._buffer:
            self._has_told.wait(within_s)
        self._has_told.clear()
        events: list[RunEvent] = []
        while True:
            try:
                events.append(self._buffer.popleft())
            except IndexError:
                return events

    def leave(self, timeout_s: float = 30.0) -> None:
        """Lets every run finish the message it is at, and ends its leg. The runs can be resumed."""
        with self._lock:
            legs = {run_id: leg for run_id, leg in self._legs.items() if not leg.done()}
        for run_id in legs:
            self.control(run_id).leave()
        for run_id, leg in legs.items():
            try:
                leg.result(timeout_s)
            except TimeoutError:
                log.warning("run %s did not end in time; it is found as it was when it is resumed", run_id)

    def close(self, timeout_s: float = 30.0) -> None:
        """Leaves every run, and ends the thread."""
        self.leave(timeout_s)
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout_s)

    def _keep(self, events: Sequence[RunEvent]) -> None:
        self._buffer.extend(events)
        self._has_told.set()
        self._on_change()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    def _submit(self, going: Coroutine[Any, Any, RunState]) -> Future[RunState]:
        return asyncio.run_coroutine_threadsafe(going, self._loop)

    async def _supervised(
        self, run_id: str, control: Control, until: datetime | None, *, is_attended: bool, is_stepping: bool
    ) -> RunState:
        try:
            return await self._driver.run(
                run_id, until=until, control=control, is_attended=is_attended, is_stepping=is_stepping
            )
        except Exception as error:
            log.exception("run %s ended by a fault", run_id)
            return self._told(run_id, error)

    def _told(self, run_id: str, error: Exception) -> RunState:
        try:
            return self._driver.fail(run_id, error)
        except Exception:
            log.exception("the fault of run %s could not be written down", run_id)
            return "failed"
