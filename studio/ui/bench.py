"""`studio bench canvas`: how smooth the window is. JSON lines as of the other groups.

Frames in CPU time of the window's thread; then a real window while a real run goes on in the engine: how late a
heartbeat on the window's thread comes, how long an event takes to its pixels, how long a big run takes to open.
Absent on purpose: pass or fail.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from PySide6.QtWidgets import QApplication

from studio.domain.run import RunEvent
from studio.ui import background
from studio.ui.app import SWITCH_S, Studio
from studio.ui.application import prepare
from studio.ui.bench_walk import walk
from studio.ui.canvas.bench_frames import frames
from studio.ui.heartbeat import Heartbeat, bare_heartbeat
from studio.ui.screens.canvas.screen import StudioCanvas
from studio.workspace.bench.crowd import six_nodes, take_in
from studio.workspace.bench.figure import Figure
from studio.workspace.runs import RunOptions
from studio.workspace.workspace import Workspace

UNDER_WAY_S = 60.0
RUN_LONGEST_S = 30.0
EVENTS = 40


def main(argv: Sequence[str]) -> int:
    """Measures and prints; the exit code."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    parser = argparse.ArgumentParser(prog="studio bench canvas")
    parser.add_argument(
        "--contacts", type=int, default=1_000_000, metavar="N", help="of the run that goes on meanwhile"
    )
    parser.add_argument("--nodes", type=int, nargs="*", default=[1_000, 5_000], metavar="N")
    parser.add_argument("--json", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args(list(argv))
    sys.setswitchinterval(SWITCH_S)
    prepare()
    for figure in itertools.chain(frames(arguments.nodes), window(arguments.contacts)):
        print(json.dumps(asdict(figure)), flush=True)  # noqa: T201 - the answer of a command
    return 0


def window(contacts: int) -> Iterator[Figure]:
    """The window while a run of so many contacts is under way, and that run opened again."""
    if not contacts:
        return
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as folder:
        workspace = Workspace.open(Path(folder) / "workspace")
        take_in(workspace, contacts)
        studio = Studio(workspace, keep_size=False)
        studio.window.resize(1440, 900)
        studio.window.show()
        yield from walk(studio)
        studio.go("home")
        _settle()
        with bare_heartbeat() as bare:
            idle = _beat_for(3.0)
        yield from _machine(idle, bare)
        run_id, busy, settled = _run_under_way(studio)
        yield from _lateness(idle, busy)
        for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0)):
            yield Figure(f"heartbeat_late_{name}_ms.while_in_front", round(_quantile(settled, share), 2), "ms")
        if studio.workspace.runs.is_running(run_id):
            print(f"The run did not end within {RUN_LONGEST_S:.0f} s: the rest is not measured.", file=sys.stderr)  # noqa: T201 - a command's
            return
        canvas = studio.window.pages.page
        assert isinstance(canvas, StudioCanvas)
        _settle()
        while canvas.last_seq < studio.workspace.runs.view(run_id).seq:
            QApplication.processEvents()
        yield _event_to_pixel(canvas)
        yield _opening(canvas, run_id, contacts)
        _settle()
        studio.window.close()
        studio.close()


def _beat_for(seconds: float) -> Heartbeat:
    beat = Heartbeat()
    beat.start()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        QApplication.processEvents()
        time.sleep(0.0005)
    beat.stop()
    return beat


def _machine(idle: Heartbeat, bare: Sequence[float]) -> Iterator[Figure]:
    """The window at rest beside a program with nothing but a timer, in the same seconds: what the machine does."""
    for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0)):
        yield Figure(
            f"heartbeat_late_{name}_ms.at_rest",
            round(_quantile(idle.late, share), 2),
            "ms",
            round(_quantile(bare, share), 2),
        )


def _run_under_way(studio: Studio) -> tuple[str, Heartbeat, list[float]]:
    """A minute of runs, one after the other, each shown from its beginning; the last one, all beats, and how late those
    came that came while the run stood in front: without what the window does to put it there.
    """
    beat = Heartbeat()
    settled: list[float] = []
    begun = time.perf_counter()
    while True:
        run_id = studio.workspace.runs.start(six_nodes(), RunOptions(seed=1), is_attended=True)
        studio.watch(run_id)
        studio.open_run(run_id)
        beat.start()
        started, in_front = time.perf_counter(), None
        while studio.workspace.runs.is_running(run_id) and time.perf_counter() - started < RUN_LONGEST_S:
            QApplication.processEvents()
            time.sleep(0.0005)
            if in_front is None and _shows(studio, run_id):
                in_front = len(beat.late) + 1  # the beat that waited for it still belongs to putting it there
        beat.stop()
        settled += beat.late[in_front:] if in_front is not None else []
        if time.perf_counter() - begun > UNDER_WAY_S or studio.workspace.runs.is_running(run_id):
            return run_id, beat, settled


def _shows(studio: Studio, run_id: str) -> bool:
    page = studio.window.pages.page
    return isinstance(page, StudioCanvas) and page.run_id == run_id


def _lateness(idle: Heartbeat, busy: Heartbeat) -> Iterator[Figure]:
    for what in ("late", "held", "own"):
        for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0)):
            value, baseline = _quantile(getattr(busy, what), share), _quantile(getattr(idle, what), share)
            yield Figure(f"heartbeat_{what}_{name}_ms.while_running", round(value, 2), "ms", round(baseline, 2))


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def _event_to_pixel(canvas: StudioCanvas) -> Figure:
    """From an event handed to the page to the frame that shows it, the median of some."""
    waits = []
    seq = canvas.last_seq
    at = canvas.watch.history.bounds[1] if canvas.watch.history and canvas.watch.history.bounds else None
    assert at is not None
    node_id = canvas.workflow.nodes[1].id
    shown: list[float] = []
    canvas.overlay.shown.connect(lambda _view: shown.append(time.perf_counter()))
    for number in range(EVENTS):
        shown.clear()
        begun = time.perf_counter()
        event = RunEvent(canvas.run_id, seq + number + 1, at, node_id, "step.ran", {"in": 1, "out": {"pass": 1}})
        canvas.take([event])
        while not shown:
            QApplication.processEvents()
        QApplication.processEvents()
        waits.append((time.perf_counter() - begun) * 1000)
    return Figure("event_to_pixel_ms", round(statistics.median(waits), 1), "ms")


def _opening(canvas: StudioCanvas, run_id: str, contacts: int) -> Figure:
    costs = []
    for _ in range(3):
        canvas.run_id = ""
        begun = time.perf_counter()
        canvas.open_run(run_id)
        _settle_on(canvas, run_id)
        costs.append((time.perf_counter() - begun) * 1000)
    return Figure(f"open_run_ms.{contacts}_contacts", round(statistics.median(costs), 1), "ms")


def _settle_on(canvas: StudioCanvas, run_id: str) -> None:
    while canvas.run_id != run_id:
        QApplication.processEvents()
    QApplication.processEvents()


def _settle() -> None:
    while background.under_way():
        QApplication.processEvents()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
