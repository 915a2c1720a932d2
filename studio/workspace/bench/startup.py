"""Benchmark of starting: what a command costs from nothing to its answer, beside the interpreter alone.

Processor seconds too: other work on the computer does not count there. Absent on purpose: pass or fail.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from studio.workspace.bench.figure import Figure

TIMES = 3
BUSINESS = "A small bakery in Vienna that sells bread in the shop and cakes to order."
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """One process from start to end; the last two are 0 where the system does not tell."""

    seconds: float
    cpu_seconds: float
    peak_mb: float


def startup(_contacts: int, progress: Progress) -> Iterator[Figure]:
    """The list of commands, an empty workspace looked at, and words turned into ranked cards."""
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as folder:
        place = ["--workspace", f"{folder}/workspace", "--json"]
        commands = {
            "help": ["--help"],
            "runs": ["runs", *place],
            "recommend": ["recommend", "--text", BUSINESS, *place],
        }
        bare = _median([asked(["-c", "pass"]) for _ in range(TIMES)])
        for name, arguments in commands.items():
            progress(f"Starting studio {arguments[0]} …")
            asked(["-m", "studio", *arguments])  # makes the workspace, and warms the disk for all alike
            own = _median([asked(["-m", "studio", *arguments]) for _ in range(TIMES)])
            yield Figure(f"seconds.{name}", round(own.seconds, 2), "s", round(bare.seconds, 3))
            yield Figure(f"cpu_seconds.{name}", round(own.cpu_seconds, 2), "s", round(bare.cpu_seconds, 3))
            if name == "recommend":
                yield Figure(f"peak_memory.{name}", round(own.peak_mb), "MB")


def asked(arguments: Sequence[str]) -> Asked:
    """This interpreter in a process of its own."""
    before = time.perf_counter()
    program = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)  # noqa: S603 - our own program
    if not hasattr(os, "wait4"):  # Windows
        program.wait()
        return Asked(time.perf_counter() - before, 0.0, 0.0)
    _, _, used = os.wait4(program.pid, 0)
    program.returncode = 0
    per_mb = 1e6 if sys.platform == "darwin" else 1e3
    return Asked(time.perf_counter() - before, used.ru_utime + used.ru_stime, used.ru_maxrss / per_mb)


def _median(runs: Sequence[Asked]) -> Asked:
    return Asked(*(statistics.median(getattr(run, name) for run in runs) for name in Asked.__slots__))
