"""Benchmarks: the program's own work beside plain Polars or the bare protocol, in the same run on the same computer.

Absent on purpose: pass or fail; a shared computer is too noisy for that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from studio.workspace.bench.analytics import analytics
from studio.workspace.bench.engine import engine, memory
from studio.workspace.bench.figure import Figure
from studio.workspace.bench.learning import learning
from studio.workspace.bench.peeking import peeking
from studio.workspace.bench.recommend import recommend
from studio.workspace.bench.startup import startup

Progress = Callable[[str], None]

GROUPS: dict[str, Callable[[int, Progress], Iterator[Figure]]] = {
    "engine": engine,
    "memory": memory,
    "peeking": peeking,
    "analytics": analytics,
    "recommend": recommend,
    "learning": learning,
    "startup": startup,
}
