"""A server that is gone is left alone and comes back by itself; one that never worked is a person's matter."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise
from types import SimpleNamespace

import pytest

from studio.connectors.fake import Mishap
from studio.domain.errors import Transient
from studio.domain.mail import Deferred
from studio.domain.ports import Pace
from studio.engine.draft import Sizes
from studio.engine.sessions import (
    BUSY_MAX,
    FIRST_REST_S,
    GIVE_UP_AFTER_S,
    LONGEST_REST_S,
    TRIES_MAX,
    Connections,
    Unreachable,
)
from tests.engine.bench import START, World, workflow


class Door:
    """A server that can be open or shut, and counts who knocks."""

    def __init__(self) -> None:
        self.is_open = True
        self.knocks = 0

    async def open(self) -> object:
        self.knocks += 1
        if not self.is_open:
            raise Deferred("MAIL-CONNECT", "Nobody answers.", about="connection")
        return SimpleNamespace(is_open=False)


class Watch:
    """A stopwatch that goes on by what is slept."""

    def __init__(self) -> None:
        self.now = 0.0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    def tick(self) -> float:
        return self.now


def made(door: Door, watch: Watch, salt: str = "r1") -> Connections:
    pace = Pace(connections=2)
    return Connections(door, pace, sleep=watch.sleep, tick=watch.tick, salt=salt, may_rest=True)


def refused(connections: Connections) -> Unreachable:
    with pytest.raises(Unreachable) as error:
        asyncio.run(connections.take())
    assert isinstance(error.value, Transient)
    return error.value


def test_a_server_that_never_worked_waits_for_a_person() -> None:
    door, watch = Door(), Watch()
    door.is_open = False
    connections = made(door, watch)
    assert refused(connections).rest_s is None
    assert door.knocks == TRIES_MAX


def test_rests_grow_and_between_them_nobody_knocks() -> None:
    door, watch = Door(), Watch()
    connections = made(door, watch)
    connections.note_success()
    door.is_open = False
    rests: list[float] = []
    while (rest_s := refused(connections).rest_s) is not None:
        knocks = door.knocks
        watch.now += rest_s / 2
        assert refused(connections).rest_s == pytest.approx(rest_s / 2)
        assert door.knocks == knocks, "while it rests nobody knocks"
        watch.now += rest_s / 2 + 0.01
        rests.append(rest_s)
    assert rests[0] == pytest.approx(FIRST_REST_S, rel=0.2)
    assert all(later > 1.2 * rest for rest, later in pairwise(rests[:4]))
    assert max(rests) <= LONGEST_REST_S * 1.2
    assert watch.now >= GIVE_UP_AFTER_S, "and at last a person is asked"
    assert door.knocks == TRIES_MAX + len(rests), "one try after each rest"


def test_one_success_closes_the_circuit() -> None:
    door, watch = Door(), Watch()
    connections = made(door, watch)
    connections.note_success()
    door.is_open = False
    rest_s = refused(connections).rest_s
    watch.now += rest_s + 0.01
    door.is_open = True
    session = asyncio.run(connections.take())
    connections.note_success()
    connections.give_back(session)
    door.is_open = False
    before = door.knocks
    assert refused(connections).rest_s == pytest.approx(FIRST_REST_S, rel=0.2)
    assert door.knocks - before == TRIES_MAX


def test_runs_do_not_come_back_at_the_same_moment() -> None:
    rests = []
    for salt in ("r1", "r2", "r3"):
        door, watch = Door(), Watch()
        connections = made(door, watch, salt)
        connections.note_success()
        door.is_open = False
        rests.append(refused(connections).rest_s)
    assert len(set(rests)) == 3


def busy(connections: Connections, who: str = "crm.example", asked_s: float | None = None) -> float | None:
    """How long a service is left alone after one more call that it put off."""
    try:
        connections.note_busy(who, Transient("WEB-RATE", "Too many.", retry_after_s=asked_s))
    except Unreachable as error:
        assert error.code == "WEB-BUSY"
        return error.rest_s
    return None


def test_a_web_service_that_puts_off_call_after_call_is_left_alone_and_others_are_not() -> None:
    watch = Watch()
    connections = made(Door(), watch)
    for _ in range(BUSY_MAX - 1):
        assert busy(connections) is None
    assert busy(connections, "other.example") is None
    rests = [busy(connections) for _ in range(6)]
    assert all(rest is not None for rest in rests)
    assert 0.8 * FIRST_REST_S <= rests[0] <= 1.2 * FIRST_REST_S
    assert max(rests) <= 1.2 * LONGEST_REST_S
    assert rests[3] > 4 * rests[0]
    assert busy(connections, asked_s=5_000.0) >= 0.8 * 5_000
    connections.note_success()
    assert busy(connections) is None
    for _ in range(BUSY_MAX):
        busy(connections)
    watch.now += GIVE_UP_AFTER_S
    with pytest.raises(Unreachable) as given_up:
        connections.note_busy("crm.example", Transient("WEB-RATE", "Too many."))
    assert given_up.value.rest_s is None


def test_a_live_run_outlasts_a_server_that_is_away_for_an_hour() -> None:
    lost = Mishap("data", "drop")
    world = World(people=6, sizes=Sizes(send=2), mishaps={f"p{who}@example.invalid": [lost] for who in range(2, 6)})
    world.tick = world.wall_tick
    world.begin(workflow({"s": ("people", {"count": 6}), "m": ("mail", {})}, "s > m"), mode="live", clock="real")
    usual, back_at = world.mailer.open, START + timedelta(hours=1)

    async def opened() -> object:
        if world.mailer.accepted and world.wall.at < back_at:
            raise Deferred("MAIL-CONNECT", "Nobody answers.", about="connection")
        return await usual()

    world.mailer.open = opened
    assert world.go() == "done"
    assert set(world.mailed().values()) == {1}
    assert len(world.mailed()) == 6
    (problem,) = [problem for problem in world.view().step("m").problems if problem.code == "MAIL-RESTING"]
    assert problem.severity == "warning"
    moments = world.contact_events("sent").get_column("occurred_at").to_list()
    assert moments[0] < back_at <= moments[-1] <= back_at + timedelta(seconds=1.2 * LONGEST_REST_S)
