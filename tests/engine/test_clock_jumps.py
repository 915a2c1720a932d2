"""A computer whose clock is set, or that slept: nobody goes on early, twice or never, and what is very late asks."""

from __future__ import annotations

import random
from datetime import timedelta

import polars as pl
import pytest

from studio.engine.clocks import RealClock, doze
from studio.engine.control import Control
from studio.experiments.assignment import hash64
from tests.engine.bench import START, Wall, World, workflow

DAY = timedelta(days=1)
FEW = 500


def waits(wait: str, people: int = 6, spread: str | None = None):
    pause = {"wait": wait, "spread": spread} if spread else {"wait": wait}
    return workflow({"s": ("people", {"count": people}), "p": ("pause", pause), "e": ("end", {})}, "s > p", "p > e")


def after_naps(world: World, *turns) -> None:
    """Does the first of `turns` at the 3rd nap, the second at the 6th and so on."""
    plain, left = world.doze, list(turns)

    async def napping(seconds, wake):
        if left and len(plain.naps) % 3 == 2:
            left.pop(0)()
        return await plain(seconds, wake)

    world.doze = napping


def left_at(world: World) -> set:
    return set(world.contact_events("exited").get_column("occurred_at"))


def test_a_clock_set_to_2099_lets_nobody_go_on_before_a_person_looked() -> None:
    world = World()
    world.begin(waits("PT10M"), clock="real")
    real = world.wall.at + timedelta(seconds=10)
    after_naps(world, lambda: world.wall.set(START.replace(year=2099)))
    assert world.go() == "paused"
    assert "set forward by 26,662 days at 2026-03-02 12:00 UTC" in world.view().message
    assert "Look at the date" in world.view().hint
    assert world.runs.get("r1").at < START + DAY, "the run's own clock was not carried away"
    world.wall.set(real)
    assert world.go() == "done"
    assert left_at(world) == {START + timedelta(minutes=10)}


def test_a_new_date_is_taken_when_a_person_says_that_it_is_right() -> None:
    world, control = World(), Control()
    world.begin(waits("P30D"), clock="real")
    later = START + 40 * DAY
    after_naps(world, lambda: world.wall.set(later))

    class Told(list):
        def extend(self, events) -> None:
            if any(event.kind == "run.state" and event.payload["state"] == "paused" for event in events):
                control.go_on()

    world.told = Told()
    assert world.go(control=control, is_attended=True) == "done"
    assert left_at(world) == {later + timedelta(seconds=5)}


def test_a_clock_that_was_set_stands_until_it_is_accepted_or_set_right() -> None:
    wall = Wall()
    clock = RealClock(START, wall, doze, lambda: 0.0)
    assert (clock.now(), clock.leap()) == (START, None)
    wall.at = START + timedelta(minutes=59)
    assert (clock.now(), clock.leap()) == (wall.at, None)
    stood, wall.at = wall.at, START + DAY
    assert (clock.now(), clock.leap()) == (stood, DAY - timedelta(minutes=59))
    wall.at = stood
    assert (clock.now(), clock.leap()) == (stood, None)
    wall.at = START + DAY
    clock.accept()
    assert (clock.now(), clock.leap()) == (START + DAY, None)


@pytest.mark.parametrize(("asleep", "asks"), [(timedelta(hours=10), False), (7 * DAY, True)])
def test_a_night_of_sleep_is_caught_up_with_and_after_a_week_the_run_asks(asleep: timedelta, asks: bool) -> None:
    world = World()
    world.begin(waits("PT2H"), clock="real")

    def sleep() -> None:
        world.wall.at += asleep

    after_naps(world, sleep)
    assert world.go() == ("paused" if asks else "done")
    if asks:
        assert "This computer slept. The first people were due at 2026-03-02 14:00 UTC" in world.view().message
        assert left_at(world) == set()
        assert world.go() == "done"
    assert len(world.contact_events("exited")) == 6


def test_a_clock_that_goes_wrong_and_right_again_changes_nothing() -> None:
    world = World()
    world.begin(waits("PT1H"), clock="real")
    set_by = world.wall.set
    after_naps(
        world,
        lambda: set_by(world.wall.at - 300 * DAY),
        lambda: set_by(world.wall.at + 300 * DAY),
        lambda: set_by(world.wall.at + timedelta(minutes=20)),
        lambda: set_by(world.wall.at - timedelta(minutes=20)),
    )
    assert world.go() == "done"
    assert left_at(world) == {START + timedelta(hours=1)}


def listening():
    return workflow({"c": ("cart", {}), "e": ("end", {})}, "c > e")


def at_work(world: World, run_id: str = "r1", naps: int = 3) -> str:
    """The program is there for some naps of five seconds, then it is closed."""
    control = Control()
    plain, begun = world.doze, len(world.doze.naps)

    async def napping(seconds, wake):
        if len(plain.naps) - begun >= naps:
            control.leave()
        return await plain(seconds, wake)

    world.doze = napping
    try:
        return world.go(control=control, run_id=run_id)
    finally:
        world.doze = plain


def test_a_run_that_only_listens_does_not_follow_a_clock_that_was_wrong_from_the_start() -> None:
    """Nothing is due, so only the last moment that the workspace knows of can tell that 2099 is not now."""
    world = World()
    world.begin(listening(), clock="real")
    assert at_work(world) == "running"
    world.wall.set(START.replace(year=2099))
    assert at_work(world) == "paused"
    assert "last at work (2026-03-02 12:00 UTC)" in world.view().message
    assert "Look at the date" in world.view().hint
    assert world.runs.get("r1").at < START + DAY
    assert at_work(world) == "running", "whoever lets it go on has looked"
    assert world.runs.get("r1").at >= START.replace(year=2099)
    assert at_work(world) == "running"


def test_a_new_run_asks_too_where_another_one_knows_better() -> None:
    world = World()
    world.begin(listening(), clock="real")
    at_work(world)
    world.wall.set(START.replace(year=2099))
    world.begin(waits("PT1H"), clock="real", run_id="r2")
    assert at_work(world, "r2") == "paused"
    assert not world.people("entered"), "nobody was let in"


def test_three_weeks_away_ask_nothing_and_a_quiet_run_writes_down_that_it_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("studio.engine.clocks.POLL_S", 300.0)
    world = World()
    world.begin(listening(), clock="real")
    at_work(world)
    world.wall.at += 21 * DAY
    assert at_work(world, naps=14) == "running"
    assert world.runs.get("r1").at >= START + 21 * DAY + timedelta(hours=1)


def test_a_computer_that_began_in_the_past_is_not_asked_about_its_correction() -> None:
    world = World()
    world.begin(waits("PT1H"), clock="real")
    world.wall.set(START.replace(year=2010))
    after_naps(world, lambda: world.wall.set(START + timedelta(minutes=30)))
    assert world.go() == "done"
    assert left_at(world) == {START + timedelta(hours=1)}


@pytest.mark.parametrize("people", [FEW, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_timers_under_a_restless_clock_go_off_once_none_early_none_lost(people: int) -> None:
    world, chance = World(people=people), random.Random(people)
    world.begin(waits("PT10M", people, "PT20M" if people == FEW else "PT2H"), clock="real")
    plain = world.doze

    async def restless(seconds, wake):
        fate = chance.random()
        if fate < 0.02:
            world.wall.at += timedelta(minutes=chance.randrange(1, 12))  # sleeps
        elif fate < 0.04:
            world.wall.set(world.wall.at - timedelta(seconds=chance.randrange(600)))
        elif fate < 0.06:
            world.wall.set(world.wall.at + timedelta(seconds=chance.randrange(300)))
        return await plain(seconds, wake)

    world.doze = restless
    assert world.go() == "done"
    left = world.contact_events("exited").select("contact_id", "occurred_at")
    assert left.height == left.get_column("contact_id").n_unique() == people
    due = _due(world, people)
    late = left.join(due, on="contact_id").select(pl.col("occurred_at") - pl.col("due_at")).to_series()
    assert late.min() >= timedelta(0)
    assert late.max() <= timedelta(minutes=30), "as long as it slept or was set, and no longer"


def _due(world: World, people: int) -> pl.DataFrame:
    ids = pl.Series("contact_id", range(people), dtype=pl.UInt32)
    share = hash64("p", ids.to_numpy()) / 2**64
    micros = pl.Series((share * (1_200_000_000 if people == FEW else 7_200_000_000)).astype("int64")).cast(
        pl.Duration("us")
    )
    entered = world.contact_events("entered").select("contact_id", "occurred_at")
    return (
        pl.DataFrame({"contact_id": ids, "spread": micros})
        .join(entered, on="contact_id")
        .select("contact_id", due_at=pl.col("occurred_at") + timedelta(minutes=10) + pl.col("spread"))
    )
