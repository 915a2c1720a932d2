"""Clocks, wishes, stepping, and the engine's own thread."""

from __future__ import annotations

import asyncio
import logging
import threading
from datetime import timedelta

import pytest

from studio.domain.errors import Transient, UserFixable
from studio.engine.clocks import RealClock, VirtualClock, doze, make_clock
from studio.engine.control import Control
from studio.engine.driver import Driver
from studio.engine.host import BUFFER_MAX, EngineHost
from tests.engine.bench import START, Wall, World, workflow

FLOW = workflow({"s": ("people", {"count": 6}), "p": ("pause", {"wait": "PT1H"}), "e": ("end", {})}, "s > p", "p > e")


def test_a_real_clock_sleeps_until_the_next_thing_is_due_and_looks_for_events_meanwhile() -> None:
    world = World()
    assert world.run(FLOW, clock="real") == "done"
    assert world.wall.at == START + timedelta(hours=1)
    assert set(world.doze.naps) == {5.0}
    left = world.contact_events("exited").get_column("occurred_at")
    assert set(left) == {START + timedelta(hours=1)}


def test_a_real_clock_never_goes_back_and_takes_time_that_passed_between_legs() -> None:
    wall = Wall()
    clock = RealClock(START, wall, doze, lambda: 0.0)
    wall.at = START - timedelta(days=1)
    assert clock.now() == START
    world = World()
    world.begin(FLOW, clock="real")
    world.wall.at = START + timedelta(days=3)
    assert world.go() == "done"
    assert set(world.contact_events("exited").get_column("occurred_at")) == {START + timedelta(days=3, hours=1)}


def test_a_real_run_sees_events_that_are_imported_while_it_listens() -> None:
    world = World()
    world.begin(workflow({"c": ("cart", {}), "e": ("end", {})}, "c > e"), clock="real")
    naps = world.doze.naps
    plain = world.doze

    async def napping(seconds, wake):
        if len(naps) == 3:
            world.happen(("cart", 4, 0.1))
        if len(naps) == 6:
            control.stop()
        return await plain(seconds, wake)

    control = Control()
    world.doze = napping
    assert world.go(control=control) == "stopped"
    assert world.people("entered") == [4]
    assert world.states() == {"c": "stopped", "e": "stopped"}


@pytest.mark.parametrize("clock", ["", "soon", "-3", "0", "inf", "nan"])
def test_an_unknown_clock_is_refused_and_nothing_is_written(clock: str) -> None:
    world = World()
    with pytest.raises(UserFixable) as caught:
        world.begin(FLOW, clock=clock)
    assert caught.value.code == "ENGINE-CLOCK"
    with pytest.raises(UserFixable):
        world.runs.get("r1")


def test_a_watched_clock_stays_where_it_is_when_it_is_woken() -> None:
    async def scenario() -> None:
        wake = asyncio.Event()
        wake.set()
        clock = VirtualClock(START, doze, speed=1.0)
        await clock.reach(START + timedelta(hours=1), wake)
        assert clock.now() == START
        await clock.reach(START - timedelta(hours=1), wake)
        assert clock.now() == START

    asyncio.run(scenario())


def test_dozing_ends_with_the_time_or_the_wish() -> None:
    async def scenario() -> None:
        wake = asyncio.Event()
        assert await doze(0.0, wake) is True
        wake.set()
        assert await doze(None, wake) is False

    asyncio.run(scenario())


def test_make_clock_starts_where_the_run_stands() -> None:
    world = World()
    world.begin(FLOW)
    run = world.runs.get("r1")
    assert make_clock(run, world.wall, world.doze, world.passed).now() == run.at


def test_a_pause_before_the_start_and_a_stop_afterwards() -> None:
    world = World()
    world.begin(FLOW)
    control = Control()
    control.pause()
    assert control.is_asked_to_stop
    assert world.go(control=control) == "paused"
    assert not control.is_asked_to_stop
    assert world.contact_events("entered").is_empty()
    assert world.go(until=START + timedelta(minutes=30)) == "waiting"
    control.stop()
    assert world.go(control=control) == "stopped"
    assert world.view().state == "stopped"
    assert world.states()["p"] == "stopped"
    assert world.go() == "done"
    assert world.people("exited") == list(range(6))


def test_stepping_does_one_thing_at_a_time() -> None:
    world = World()
    world.begin(workflow({"s": ("people", {"count": 6}), "m": ("mail", {}), "e": ("end", {})}, "s > m", "m > e"))
    control = Control()
    control.step()
    assert world.go(control=control, is_stepping=True) == "paused"
    assert len(world.people("entered")) == 6
    assert not world.mailer.accepted
    control.step()
    assert world.go(control=control) == "paused"
    assert len(world.mailer.accepted) == 6


def test_a_control_without_a_leg_keeps_its_wishes() -> None:
    control = Control()
    control.pause()
    control.go_on()
    assert not control.is_asked_to_stop
    assert len(control.taken()) == 2
    assert control.taken() == []


@pytest.fixture
def world() -> World:
    return World()


def host_of(world: World, **more) -> EngineHost:
    made = world.driver()
    return EngineHost(made._with, **more)


def row_of(world: World, flow):
    world.begin(flow)
    return world.runs.get("r1")


def test_the_host_runs_in_its_own_thread_and_hands_out_events_in_order(world: World) -> None:
    threads = set()
    world.tick = lambda: threads.add(threading.current_thread().name) or 0.0
    called = threading.Event()
    with host_of(world, on_change=called.set) as host:
        row_of(world, FLOW)
        host.start("r1")
        assert host.wait("r1", 60) == "done"
        events = host.drain()
        assert host.drain() == []
        assert not host.is_running("r1")
    assert called.is_set()
    assert threads == {"engine"}
    assert events == world.runs.run_events("r1")[1:]


def test_the_host_begins_runs_and_refuses_what_cannot_run(world: World) -> None:
    other = World()
    row = row_of(other, FLOW)
    with host_of(world) as host:
        bad = workflow({"s": ("people", {}), "t": ("through", {}, {"condition": "=="})}, "s > t")
        with pytest.raises(UserFixable):
            host.begin(row, bad)
        host.begin(row, FLOW)
        assert host.wait("r1", 60) == "done"
    assert world.people("exited") == list(range(6))


def test_an_attended_pause_keeps_the_leg_until_somebody_goes_on(world: World) -> None:
    row_of(world, FLOW)
    paused = threading.Event()

    def told() -> None:
        if world.runs.get("r1").state == "paused":
            paused.set()

    with host_of(world, on_change=told) as host:
        host.control("r1").pause()
        host.start("r1", is_attended=True)
        assert paused.wait(60)
        assert host.is_running("r1")
        host.start("r1")
        host.control("r1").look()
        host.control("r1").go_on()
        assert host.wait("r1", 60) == "done"
    states = [e.payload["state"] for e in world.runs.run_events("r1") if e.kind == "run.state"]
    assert states == ["paused", "running", "done"]


def test_closing_leaves_runs_to_be_resumed(world: World) -> None:
    world.begin(workflow({"c": ("cart", {})}), clock="real")
    world.doze = doze
    host = host_of(world)
    host.start("r1")
    host.close(60)
    host.close()
    assert world.runs.get("r1").state == "running"
    assert host.wait("r1") == "running"


def test_a_fault_of_the_program_is_told_in_words_not_in_silence(world: World, caplog: pytest.LogCaptureFixture) -> None:
    row_of(world, FLOW)
    world.runs.pending = lambda run_id: 1 / 0
    with caplog.at_level(logging.ERROR), host_of(world) as host:
        host.start("r1")
        assert host.wait("r1", 60) == "failed"
        told = host.drain()[-1]
    assert told.payload["state"] == "failed"
    assert "ZeroDivisionError" in str(told.payload["message"])
    assert world.view().state == world.runs.get("r1").state == "failed"
    assert "ended by a fault" in caplog.text


def test_a_fault_with_words_of_its_own_keeps_them(world: World) -> None:
    row_of(world, FLOW)
    Driver(world.driver()._with).fail("r1", UserFixable("X", "The disk is full.", hint="Make room."))
    assert (world.view().message, world.view().hint) == ("The disk is full.", "Make room.")


def test_what_may_work_later_pauses_the_run(world: World) -> None:
    row_of(world, FLOW)
    assert Driver(world.driver()._with).fail("r1", Transient("STORE-BUSY", "The store is busy.")) == "paused"
    assert world.view().state == "paused"
    assert world.go() == "done"


def test_a_store_that_is_gone_ends_the_leg_all_the_same(world: World, caplog: pytest.LogCaptureFixture) -> None:
    row_of(world, FLOW)
    world.runs.commit = lambda checkpoint: 1 / 0
    with host_of(world) as host:
        host.start("r1")
        assert host.wait("r1", 60) == "failed"
    assert "could not be written down" in caplog.text


def test_the_buffer_is_bounded_and_keeps_the_newest(world: World) -> None:
    with host_of(world) as host:
        events = world.runs
        row_of(world, FLOW)
        (first,) = events.run_events("r1")
        host._keep([first] * (BUFFER_MAX + 5))
        assert len(host.drain()) == BUFFER_MAX
