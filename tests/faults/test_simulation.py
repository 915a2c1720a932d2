"""Ninety-day campaigns out of seeds: however they are broken off, everybody gets what a plain loop says."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from studio.engine.outbox import _Dispatch
from tests.engine.bench import START
from tests.faults.simulation import Case, play, verdict

SEEDS = range(1_000, 1_014)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_campaign_of_a_seed_goes_as_the_plain_model_says(seed: int) -> None:
    case = Case.of(seed)
    said = verdict(case, play(case))
    assert not said, f"{said}; play it again: python -m tests.faults.simulation {seed}"


def test_the_seeds_hold_what_they_are_for() -> None:
    cases = [Case.of(seed) for seed in SEEDS]
    assert {kind for case in cases for kind, _ in case.steps} == {"mail", "pause", "keep", "await"}
    assert {kind for case in cases for kind in case.mishaps.values()} >= {"refused", "later", "lost", "kept"}
    assert sum(len(case.kills) for case in cases) > 20
    assert {case.has_goal for case in cases} == {True, False}
    longest = max(sum(hours for kind, hours in case.steps if kind != "keep") for case in cases)
    assert longest > 24 * 30, "some go on for more than a month"
    assert sum(case.expected().total() for case in cases) > 300


def test_the_same_seed_is_the_same_campaign() -> None:
    first, second = (play(Case.of(1_003)).outcome() for _ in range(2))
    assert first == second


def test_an_engine_that_takes_doubts_for_unsent_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """What many programs do after a crash: send again what is not known to be sent."""

    async def again(self: _Dispatch, row: int, message_id: str) -> bool:
        self._book.approve(row)
        return True

    monkeypatch.setattr(_Dispatch, "_is_to_send_again", again)
    assert any("too many" in verdict(case, play(case)) for case in map(Case.of, SEEDS) if case.kills)


def test_the_plain_model_on_a_case_done_by_hand() -> None:
    case = Case(
        seed=0, people=4, steps=(("mail", 0), ("await", 48), ("keep", 0), ("mail", 0)), has_goal=True,
        orders=((0, 60.5), (2, 60.0 * 24 * 3)), mishaps={3: "refused"}, kills=(), chunk=5,
    )  # fmt: skip
    # 0 orders within the hour and leaves by the goal; 1 is not kept; 2 gets both before the order; 3 has no mailbox.
    assert case.expected() == Counter({("p0", "n0"): 1, ("p1", "n0"): 1, ("p2", "n0"): 1, ("p2", "n3"): 1})
    world = play(case)
    assert verdict(case, world) == ""
    moment = world.contact_events("sent", "n3").get_column("occurred_at").to_list()
    assert moment == [START + timedelta(hours=48)]
