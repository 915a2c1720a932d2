"""However a run is cut into pieces, every person's way is the same."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from studio.engine.draft import Sizes
from tests.engine.bench import START, World, workflow
from tests.engine.test_resume import journey, world

EXPECTED: dict[str, object] = {}


def outcome_of(sizes: Sizes, mode: str, stops: list[int]) -> dict[str, object]:
    made = world()
    made.sizes = sizes
    made.begin(journey()[0], mode=mode)
    for hours in sorted(stops):
        made.go(until=START + timedelta(hours=hours))
    assert made.go() == "done"
    return made.outcome()


# Without shrinking: an example takes a second, and says enough as it is.
@settings(max_examples=4, phases=[Phase.explicit, Phase.generate], suppress_health_check=[HealthCheck.too_slow])
@given(
    chunk=st.integers(1, 20),
    send=st.integers(1, 20),
    stops=st.lists(st.integers(1, 60), max_size=3),
    mode=st.sampled_from(["test", "simulate"]),
)
@pytest.mark.slow
def test_chunks_batches_and_interruptions_change_nothing(chunk: int, send: int, stops: list[int], mode: str) -> None:
    if mode not in EXPECTED:
        EXPECTED[mode] = outcome_of(Sizes(), mode, [])
    assert outcome_of(Sizes(chunk=chunk, send=send, simulated=send), mode, stops) == EXPECTED[mode]


@pytest.mark.parametrize("chunk", [1, 7, 1_000])
def test_several_sources_meet_in_one_step(chunk: int) -> None:
    made = World(sizes=Sizes(chunk=chunk))
    flow = workflow(
        {"a": ("people", {"count": 10}), "b": ("people", {"count": 15}), "k": ("keep", {}), "e": ("end", {})},
        "a > k",
        "b > k",
        "k.pass > e",
    )
    assert made.run(flow) == "done"
    assert made.people("entered") == list(range(15))
    assert made.people("exited") == list(range(0, 15, 2))


def test_the_wall_and_a_fast_clock_lead_to_the_same() -> None:
    """Ten thousand times as fast, or as fast as it goes: the clock makes the same stops."""
    fast, watched = world(), world()
    assert fast.run(journey()[0]) == "done"
    assert watched.run(journey()[0], clock="10000") == "done"
    assert watched.outcome() == fast.outcome()
    assert sum(watched.doze.naps) == pytest.approx(2 * 86_400 / 10_000, rel=0.01)
