"""The view that is kept of a run is the fold of its events; what is no view of this make is passed over."""

from __future__ import annotations

from dataclasses import replace

from studio.domain.run import RunView, fold
from studio.engine import snapshots
from tests.engine.bench import World, workflow

FLOW = {
    "s": ("people", {"count": 9}),
    "m": ("mail", {}),
    "p": ("pause", {"wait": "P1D", "poison": [3]}),
    "e": ("end", {}),
}


def test_at_the_end_of_each_leg_the_view_is_kept_and_what_came_after_is_folded_on_top() -> None:
    world = World(people=9)
    world.begin(workflow(FLOW, "s > m", "m > p", "p > e"))
    world.go(until=world.wall.at)
    first = snapshots.from_bytes(world.runs.kept("r1")[snapshots.KEPT])
    assert first is not None and first.seq > 1
    world.go()
    events = world.runs.run_events("r1")
    whole = fold(RunView("r1"), events)
    last = snapshots.from_bytes(world.runs.kept("r1")[snapshots.KEPT])
    assert last is not None and first.seq < last.seq < whole.seq
    for kept in (first, last):
        assert kept == fold(RunView("r1"), events[: kept.seq])
        assert fold(kept, events) == whole
    assert whole.step("p").quarantined == 1


def test_what_is_no_view_is_passed_over() -> None:
    data = snapshots.to_bytes(replace(RunView("r1"), seq=4))
    assert snapshots.from_bytes(data) == replace(RunView("r1"), seq=4)
    assert snapshots.from_bytes(data[:-3]) is None
    assert snapshots.from_bytes(b"") is None
