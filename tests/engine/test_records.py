"""What a run writes down for whoever looks back: ways gone and bounded samples, whole after a kill."""

from __future__ import annotations

import pytest

from studio.engine.draft import Sizes
from studio.frames.instances import instance_ids
from studio.frames.moves import read_moves
from studio.frames.samples import SAMPLE_ROWS, place_of, read_sample, sample_name
from tests.engine.bench import START, World, workflow
from tests.engine.memory_store import Killed

FLOW = workflow(
    {
        "s": ("people", {"count": 200}),
        "k": ("keep", {"of": 4}),
        "p": ("pause", {"wait": "PT1H"}),
        "e": ("end", {}),
        "x": ("end", {}),
    },
    "s > k",
    "k.pass > p",
    "p > e",
    "k.fail > x",
)


def ways(world: World) -> dict[tuple[str, str], set[int]]:
    found: dict[tuple[str, str], set[int]] = {}
    for move in read_moves(world.runs.moves("r1")):
        found.setdefault((move.node_id, move.port), set()).update(move.numbers.tolist())
    return found


def expected(count: int = 200) -> dict[tuple[str, str], set[int]]:
    everybody = set(range(count))
    passing = {i for i in everybody if i % 4 == 0}
    return {
        ("s", "out"): everybody,
        ("k", "pass"): passing,
        ("k", "fail"): everybody - passing,
        ("p", "out"): passing,
        ("e", ""): passing,
        ("x", ""): everybody - passing,
    }


@pytest.mark.parametrize("mode", ["test", "simulate"])
def test_every_step_of_everybody_is_kept_however_small_the_chunks(mode: str) -> None:
    world = World(people=200, sizes=Sizes(chunk=30))
    assert world.run(FLOW, mode=mode) == "done"
    assert ways(world) == expected()


@pytest.mark.parametrize("write", [2, 4, 5])
@pytest.mark.parametrize("is_after", [True, False])
def test_ways_are_kept_once_though_the_process_was_killed(write: int, is_after: bool) -> None:
    world = World(people=200, sizes=Sizes(chunk=60))
    world.begin(FLOW)
    world.die_at(write, is_after=is_after)
    with pytest.raises(Killed):
        world.go()
    world.die_at(-1)
    assert world.go() == "done"
    assert ways(world) == expected()
    counts: dict[tuple[str, str], int] = {}
    for move in read_moves(world.runs.moves("r1")):
        counts[move.node_id, move.port] = counts.get((move.node_id, move.port), 0) + len(move.numbers)
    assert counts == {place: len(people) for place, people in expected().items()}


def test_instances_with_a_key_are_kept_by_instance() -> None:
    world = World()
    world.begin(workflow({"c": ("cart", {}), "e": ("end", {})}, "c > e"))
    world.happen(("cart", 1, 2, "a"), ("cart", 1, 3, "b"))
    assert world.go() == "done"
    assert all(move.by_instance for move in read_moves(world.runs.moves("r1")))
    ids = set(world.runs.entries("r1").get_column("instance_id"))
    assert ways(world) == {("c", "out"): ids, ("e", ""): ids}


def test_the_same_people_are_sampled_wherever_they_come() -> None:
    world = World(people=5_000, sizes=Sizes(chunk=700))
    flow = workflow({"s": ("people", {"count": 5_000}), "k": ("keep", {}), "e": ("end", {})}, "s > k", "k.pass > e")
    assert world.run(flow) == "done"
    samples = {place_of(name): read_sample(data) for name, data in world.runs.kept("r1", "sample:").items()}
    assert set(samples) == {("s", "out"), ("k", None), ("k", "pass"), ("k", "fail"), ("e", None)}
    entries = world.runs.entries("r1")
    smallest = sorted(instance_ids("r1", entries.get_column("contact_id"), entries.get_column("key")))[:SAMPLE_ROWS]
    came = samples["k", None]
    assert came.get_column("instance_id").to_list() == smallest
    assert "var.third" in came.columns
    left = samples["k", "pass"].get_column("instance_id")
    both = [i for i in smallest if i in set(left)]
    assert both == sorted(left)[: len(both)]
    assert left.len() == SAMPLE_ROWS


def test_samples_go_on_where_they_were_when_a_run_is_resumed() -> None:
    world = World(people=200)
    world.begin(FLOW)
    assert world.go(until=START) == "waiting"
    before = world.runs.kept("r1", sample_name("k", None))
    assert world.go() == "done"
    assert world.runs.kept("r1", sample_name("k", None)) == before
    assert read_sample(world.runs.kept("r1")[sample_name("p", "out")]).height == 50


def test_a_step_that_is_green_but_wrong_turns_amber_with_words() -> None:
    world = World(people=500)
    nodes = {"s": ("people", {"count": 100}), "k": ("keep", {"of": 2}), "e": ("end", {})}
    flow = workflow(nodes, "s > k", "k.pass > e")
    world.begin(flow, run_id="r0")
    assert world.go(run_id="r0") == "done"
    world.begin(workflow({**nodes, "s": ("people", {"count": 300})}, "s > k", "k.pass > e"), earlier_runs=["r0"])
    assert world.go() == "done"
    assert world.states() == {"s": "warning", "k": "done", "e": "done"}
    (problem,) = world.view().step("s").problems
    assert problem.message == "300 people came in, far more than usual (about 100 in the last run)."
    world.begin(workflow({**nodes, "k": ("keep", {"of": 10})}, "s > k", "k.pass > e"), run_id="r2", earlier_runs=["r0"])
    assert world.go(run_id="r2") == "done"
    assert world.states("r2") == {"s": "done", "k": "warning", "e": "done"}
