"""Blocking work off the Qt thread; its result comes back on the Qt thread.

What is written goes through one thread, in the order it was asked for; whatever is asked for later begins when that
stands on disk, so it sees it. Absent on purpose: killing a thread. Work that can take long asks `Progress.cancelled`
now and then.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal, Slot
from shiboken6 import isValid

from studio.ui.faults import faults

T = TypeVar("T")
_WORKERS = 4


class Progress:
    """Handed to the work: it reports how far it is and learns whether it should stop."""

    def __init__(self, tell: Callable[[float, str], None]) -> None:
        self._tell = tell
        self._cancelled = threading.Event()

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    def cancel(self) -> None:
        self._cancelled.set()

    def report(self, fraction: float | None, text: str = "") -> None:
        """`fraction` in [0, 1], None when the end is not known."""
        self._tell(-1.0 if fraction is None else fraction, text)


class Task(QObject, Generic[T]):
    """One piece of work under way. `progressed(fraction or −1, text)`; `finished` comes last, whatever happened."""

    progressed = Signal(float, str)
    finished = Signal()
    _told = Signal(float, str)
    _arrived = Signal(object, object)

    def __init__(
        self,
        on_done: Callable[[T], object] | None,
        on_error: Callable[[Exception], object] | None,
        owner: QObject | None,
    ) -> None:
        super().__init__()
        self.progress = Progress(self._told.emit)
        self.latest: tuple[float, str] = (-1.0, "")
        """What `progressed` said last."""
        self._on_done = on_done
        self._on_error = on_error
        self._owner = owner
        # Queued, so that whoever listens is called on the Qt thread.
        self._told.connect(self._tell, Qt.ConnectionType.QueuedConnection)
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def cancel(self) -> None:
        """Asks the work to stop and drops its result."""
        self.progress.cancel()

    def run(self, work: Callable[[], T]) -> None:
        """Runs on the worker thread."""
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - carried to the Qt thread, where it is shown
            self._arrived.emit(None, error)
        else:
            self._arrived.emit(result, None)

    @Slot(float, str)
    def _tell(self, fraction: float, text: str) -> None:
        self.latest = (fraction, text)
        self.progressed.emit(fraction, text)

    @Slot(object, object)
    def _deliver(self, result: T, error: Exception | None) -> None:
        _under_way.discard(self)
        # A page may have been closed meanwhile; its callbacks would touch deleted widgets.
        wanted = self._owner is None or isValid(self._owner)
        try:
            if wanted and not self.progress.cancelled:
                self._hand_over(result, error)
        except Exception as failure:  # noqa: BLE001 - the slot guard: a callback must not end the window
            faults().report(failure)
        finally:
            self.finished.emit()

    def _hand_over(self, result: T, error: Exception | None) -> None:
        if error is None:
            if self._on_done is not None:
                self._on_done(result)
        elif self._on_error is not None:
            self._on_error(error)
        else:
            faults().report(error)


_under_way: set[Task[Any]] = set()


@cache
def _pool() -> ThreadPoolExecutor:
    pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="window-work")
    app = QCoreApplication.instance()
    if app is not None:
        app.aboutToQuit.connect(lambda: pool.shutdown(wait=False, cancel_futures=True))
    return pool


@cache
def _scribe() -> ThreadPoolExecutor:
    scribe = ThreadPoolExecutor(1, thread_name_prefix="window-write")
    app = QCoreApplication.instance()
    if app is not None:
        app.aboutToQuit.connect(finish_writes)
    return scribe


def write_in_background(
    work: Callable[[], T],
    on_done: Callable[[T], object] | None = None,
    on_error: Callable[[Exception], object] | None = None,
    *,
    owner: QObject | None = None,
) -> Task[T]:
    """Like `run_in_background`, for what changes the workspace or a run: one after the other, never dropped.

    What is asked for afterwards, reading and writing, begins when it is done. Keep it short.
    """
    task = Task(on_done, on_error, owner)
    _under_way.add(task)
    _writes.append(_scribe().submit(task.run, work))
    return task


def finish_writes() -> None:
    """Blocks until everything that was to be written is; for whoever closes the workspace."""
    wait(_writes)
    _writes.clear()


def run_in_background(
    work: Callable[[], T],
    on_done: Callable[[T], object] | None = None,
    on_error: Callable[[Exception], object] | None = None,
    *,
    owner: QObject | None = None,
) -> Task[T]:
    """Starts `work` on a worker thread; the callbacks run on the Qt thread.

    Without `on_error` an error goes to `faults()`. When `owner` has been deleted meanwhile, nothing is called.
    """
    return _start(Task(on_done, on_error, owner), work)


def run_with_progress(
    work: Callable[[Progress], T],
    on_done: Callable[[T], object] | None = None,
    on_error: Callable[[Exception], object] | None = None,
    on_progress: Callable[[float, str], object] | None = None,
    *,
    owner: QObject | None = None,
) -> Task[T]:
    """Like `run_in_background`, for work that reports its progress and can be cancelled."""
    task: Task[T] = Task(on_done, on_error, owner)
    if on_progress is not None:
        task.progressed.connect(on_progress)
    return _start(task, lambda: work(task.progress))


def under_way() -> frozenset[Task[Any]]:
    """The tasks that have not delivered yet."""
    return frozenset(_under_way)


_writes: list[Future[None]] = []
"""Asked for and perhaps not yet done; used on the Qt thread only."""


def _start(task: Task[T], work: Callable[[], T]) -> Task[T]:
    _under_way.add(task)
    _writes[:] = [write for write in _writes if not write.done()]
    earlier = tuple(_writes)

    def later() -> T:
        wait(earlier)
        return work()

    _pool().submit(task.run, later if earlier else work)
    return task
