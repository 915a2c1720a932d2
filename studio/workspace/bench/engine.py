"""Benchmark of the engine: people through six steps with everything kept, single people, steps, waits, resuming.

Each figure stands beside plain Polars or bare SQLite doing the like in the same run. On a computer that others use as
well, figures per second of processor time say more than those of the clock; both are given. Absent on purpose: pass or
fail.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

import studio
from studio.domain.workflow import Node, Workflow
from studio.frames.events import EVENT_SCHEMA, as_events
from studio.store.bench import commits_per_second, steps_per_second
from studio.workspace.bench import crowd
from studio.workspace.bench.figure import Figure
from studio.workspace.runs import RunOptions
from studio.workspace.workspace import Workspace

REPEATS = 3
SINGLE = 300
TOGETHER = 2_000
STEPS = 400
Progress = Callable[[str], None]


def engine(contacts: int, progress: Progress) -> Iterator[Figure]:
    """All figures, with so many contacts."""
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as place:
        folder = Path(place) / "workspace"
        with Workspace.open(folder) as workspace:
            progress(f"Importing {contacts:,} contacts …")
            crowd.take_in(workspace, contacts)
            yield from _six_nodes(workspace, contacts, progress)
            yield from _one_by_one(workspace, contacts, progress)
            yield from _waits(workspace, contacts, progress)
        yield from _resume(folder, contacts, progress)
        progress("Durable steps …")
        yield from _durable_steps(Path(place))
        progress("Memory of a whole process …")
        yield _peak(folder, contacts)


def memory(contacts: int, progress: Progress) -> Iterator[Figure]:
    """Taking in so many people, and the most memory of a run of all of them."""
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as place:
        folder = Path(place) / "workspace"
        with Workspace.open(folder) as workspace:
            progress(f"Importing {contacts:,} contacts …")
            wall, cpu = _timed(lambda: crowd.take_in(workspace, contacts))
        yield Figure("people_taken_in_per_second", round(contacts / wall), "people/s")
        yield Figure("people_taken_in_per_cpu_second", round(contacts / cpu), "people/cpu-s")
        progress("A run of them all …")
        yield _peak(folder, contacts)


def _six_nodes(workspace: Workspace, contacts: int, progress: Progress) -> Iterator[Figure]:
    chunks = [chunk.with_row_index("contact_id") for chunk in crowd.people(contacts)]
    texts = {"polars_template": crowd.TEXT, "minijinja": crowd.ANY_TEXT}
    for name, text in texts.items():
        workflow = crowd.six_nodes(text)
        ours, plain = [], []
        for repeat in range(REPEATS):
            progress(f"Six nodes, {name}, {repeat + 1} of {REPEATS} …")
            ours.append(_timed(lambda workflow=workflow: _run(workspace, workflow)))
            plain.append(_timed(lambda: [crowd.in_plain_polars(chunk) for chunk in chunks]))
        for place, unit in enumerate(("second", "cpu_second")):
            value = contacts / statistics.median(pair[place] for pair in ours)
            base = contacts / statistics.median(pair[place] for pair in plain)
            unit_words = "contacts/s" if unit == "second" else "contacts/cpu-s"
            yield Figure(f"contacts_per_{unit}.{name}", round(value), unit_words, round(base), round(value / base, 4))


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the clock, and of the processor in this process and the one that fills in texts."""
    before, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - before, time.process_time() - used


def _run(workspace: Workspace, workflow: Workflow, until: datetime | None = None) -> str:
    run_id = workspace.runs.start(workflow, RunOptions(until=until))
    workspace.runs.wait(run_id)
    return run_id


def _one_by_one(workspace: Workspace, contacts: int, progress: Progress) -> Iterator[Figure]:
    """An event is in the log, its contact goes through all six nodes, and all of it is durable; then many at once."""
    people = crowd.passing(contacts, SINGLE + TOGETHER)
    alone, together = people[:SINGLE], people[SINGLE:]
    progress(f"{len(alone)} single contacts …")
    start = Node(id="start", type="trigger.event", parameters={"event": "visit"})
    run_id = workspace.runs.start(crowd.six_nodes(start=start), RunOptions(mode="test", clock="real"), is_attended=True)
    spent, nodes = [], []
    used = time.process_time()
    for contact_id in alone:
        workspace.people.add_events(_visits([contact_id]), "bench")
        began = time.perf_counter()
        nodes.append(_let_through(workspace, run_id, 1))
        spent.append(time.perf_counter() - began)
    used = time.process_time() - used
    median = statistics.median(spent)
    yield Figure("one_contact_ms.six_nodes_p50", round(median * 1_000, 2), "ms")
    yield Figure("one_contact_ms.in_the_nodes_themselves_p50", round(statistics.median(nodes), 2), "ms")
    yield Figure("one_contact_cpu_ms.with_its_event", round(used / len(alone) * 1_000, 2), "cpu-ms")
    yield Figure("executions_per_second.one_at_a_time", round(1 / median), "executions/s")
    workspace.people.add_events(_visits(together), "bench")
    began = time.perf_counter()
    _let_through(workspace, run_id, len(together))
    rate = len(together) / (time.perf_counter() - began)
    yield Figure("executions_per_second.arriving_together", round(rate), "executions/s")
    workspace.runs.stop(run_id)
    workspace.runs.wait(run_id)


def _let_through(workspace: Workspace, run_id: str, people: int) -> float:
    """Until so many more have passed the last step, and that is in the store; ms that their steps say they took."""
    workspace.runs.look(run_id)
    ms = 0.0
    while people > 0:
        for event in workspace.runs.drain(within_s=1.0):
            if event.kind == "step.ran":
                ms += float(str(event.payload["duration_ms"]))
                people -= int(str(event.payload["in"])) if event.node_id == "count" else 0
    return ms


def _visits(contact_ids: Sequence[int]) -> pl.DataFrame:
    now = datetime.now(UTC)  # noqa: TID251 - the run goes by the wall
    rows = [{"event_id": one, "occurred_at": now, "kind": "visit", "contact_id": one} for one in contact_ids]
    return as_events(pl.DataFrame(rows, schema={name: EVENT_SCHEMA[name] for name in rows[0]}))


def _waits(workspace: Workspace, contacts: int, progress: Progress) -> Iterator[Figure]:
    tenth = max(contacts // 10, 1)
    progress(f"Fourteen days of {tenth:,} contacts with three waits …")
    start = Node(id="start", type="trigger.manual", parameters={"limit": tenth})
    wall, cpu = _timed(lambda: _run(workspace, crowd.three_waits(start)))
    yield Figure(f"journey_s.three_waits_{tenth}", round(wall, 2), "s")
    yield Figure(f"journey_cpu_s.three_waits_{tenth}", round(cpu, 2), "cpu-s")


def _resume(folder: Path, contacts: int, progress: Progress) -> Iterator[Figure]:
    """A run in which everybody waits is taken up by a new process of the store, and its events are looked at."""
    progress(f"Resuming with {contacts:,} in flight …")
    with Workspace.open(folder) as workspace:
        until = datetime.now(UTC) + timedelta(days=1)  # noqa: TID251 - any moment before they are due
        run_id = _run(workspace, crowd.one_wait(), until)
    with Workspace.open(folder) as workspace:
        wall, cpu = _timed(lambda: _leg(workspace, run_id, until))
        yield Figure(f"resume_s.in_flight_{contacts}", round(wall, 2), "s")
        yield Figure(f"resume_cpu_s.in_flight_{contacts}", round(cpu, 2), "cpu-s")
        longest = max(workspace.runs.list(), key=lambda run: len(workspace.runs.events(run.run_id))).run_id
        opened = statistics.median(_timed(lambda: workspace.runs.view(longest))[0] for _ in range(REPEATS))
        events = len(workspace.runs.events(longest))
        yield Figure(f"open_run_ms.{events}_run_events", round(opened * 1_000, 1), "ms")


def _leg(workspace: Workspace, run_id: str, until: datetime) -> None:
    workspace.runs.resume(run_id, until=until)
    workspace.runs.wait(run_id)


def _durable_steps(folder: Path) -> Iterator[Figure]:
    ours, bare = [], []
    for repeat in range(REPEATS):
        ours.append(steps_per_second(folder / f"steps-{repeat}", STEPS))
        bare.append(commits_per_second(folder / f"bare-{repeat}.db", STEPS))
    value, base = statistics.median(ours), statistics.median(bare)
    yield Figure("durable_steps_per_second.one_at_a_time", round(value), "steps/s", round(base), round(value / base, 3))


def _peak(folder: Path, contacts: int) -> Figure:
    """The most memory of `studio run` in a process of its own."""
    workflow = folder.parent / "six.workflow.json"
    workflow.write_text(crowd.six_nodes().to_json(), encoding="utf-8")
    program = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "studio"]
    command = [*program, "run", str(workflow), "--workspace", str(folder), "--json"]
    source = str(Path(studio.__file__).resolve().parent.parent)
    done = subprocess.run(  # noqa: S603 - this program itself
        command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": source}
    )
    return Figure(f"peak_rss_mb.six_nodes_{contacts}", float(json.loads(done.stdout)["peak_rss_mb"]), "MB")
