"""How late a timer on the window's thread comes, and in the same seconds that of a program with nothing else.

Absent on purpose: who is to blame for a late beat; `held` only says how much the program's other threads can be.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from PySide6.QtCore import QCoreApplication, QObject, Qt, QTimer

BEAT_MS = 10


class Heartbeat(QObject):
    """A timer that notes, in milliseconds: `late`, how late it comes; `held`, how much of that the program's other
    threads can have caused, no more than the processor time they used meanwhile; `own`, the processor time that the
    window's thread used since the beat before.
    """

    def __init__(self) -> None:
        super().__init__()
        self.late: list[float] = []
        self.held: list[float] = []
        self.own: list[float] = []
        self._others = self._mine = 0.0
        self._last = time.perf_counter()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(BEAT_MS)
        self._timer.timeout.connect(self._beat)

    def start(self) -> None:
        self._last, self._others, self._mine = time.perf_counter(), _others_s(), time.thread_time()
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()

    def _beat(self) -> None:
        now = time.perf_counter()
        self.late.append(max(0.0, (now - self._last) * 1000 - BEAT_MS))
        others, mine = _others_s(), time.thread_time()
        self.held.append(min(self.late[-1], (others - self._others) * 1000))
        self.own.append((mine - self._mine) * 1000)
        self._last, self._others, self._mine = now, others, mine


def _others_s() -> float:
    """Processor time of all threads but this one."""
    return time.process_time() - time.thread_time()


@contextmanager
def bare_heartbeat() -> Iterator[list[float]]:
    """Runs a program of nothing but a heartbeat beside what is done inside; its latenesses are there afterwards."""
    found: list[float] = []
    command = [sys.executable, "-m", "studio.ui.heartbeat"]
    child = subprocess.Popen(  # noqa: S603 - this module
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    child.stdout.readline()
    try:
        yield found
    finally:
        told, _ = child.communicate("\n")
        found.extend(json.loads(told or "[]"))


def main() -> None:
    """Beats until something is written to it, and writes how late each beat came."""
    application = QCoreApplication([])
    beat = Heartbeat()
    beat.start()
    print("beating", flush=True)  # noqa: T201 - said to the program that asked
    ended: list[str] = []
    reader = Thread(target=lambda: ended.append(sys.stdin.readline()), daemon=True)
    reader.start()
    while not ended:
        application.processEvents()
        time.sleep(0.0005)
    print(json.dumps([round(late, 3) for late in beat.late]))  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
