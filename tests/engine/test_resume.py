"""A run that is killed at any write and resumed ends as if nothing had happened, and nobody is mailed twice."""

from __future__ import annotations

from collections import Counter

import pytest

from studio.connectors.fake import FakeMailer, Mishap
from studio.domain.mail import Reply
from studio.domain.node import Outcome
from studio.engine.draft import Sizes
from tests.engine.bench import START, World, workflow
from tests.engine.memory_store import Killed
from tests.engine.nodes import Through

NOBODY = Mishap("rcpt", Reply(550, "5.1.1 No such user"))
LOST = Mishap("dot", "drop")
TAKEN_AND_LOST = Mishap("accepted", "drop")


def journey() -> tuple:
    """A journey with every kind of step: split, mail with trouble, spread waits, an awaited event, a goal."""
    flow = workflow(
        {
            "src": ("people", {"count": 16}),
            "split": ("split", {}),
            "m1": ("mail", {"blocks": (3,), "defers": (4, 5), "raises": (6,), "late_s": 1_200}),
            "p": ("pause", {"wait": "PT2H", "spread": "PT1H"}),
            "w": ("await", {"kind": "clicked", "timeout": "PT4H", "match_key": False}),
            "t": ("trouble", {"raises": (7,), "refuses": (8,)}),
            "m2": ("mail", {}, {"on_error": "route"}),
            "m3": ("mail", {}),
            "goal": ("target", {"window": "P2D"}),
            "thanks": ("mail", {}),
        },
        "src > split",
        "split.a > m1",
        "split.b > p",
        "m1 > w",
        "p > w",
        "w.came > m2",
        "w.timeout > t",
        "t > m3",
        "m2 > goal",
        "m3 > goal",
        "goal.reached > thanks",
    )
    events = [("clicked", 1, 130), ("clicked", 9, 200), ("order", 2, 60), ("order", 9, 500), ("order", 9, 700)]
    return flow, events


def world() -> World:
    mishaps = {
        "p10@example.invalid": [LOST],
        "p11@example.invalid": [TAKEN_AND_LOST],
        "p12@example.invalid": [NOBODY] * 9,
    }
    made = World(mishaps=mishaps, sizes=Sizes(chunk=5, send=4))
    made.happen(*journey()[1])
    return made


def undisturbed() -> World:
    made = world()
    assert made.run(journey()[0]) == "done"
    return made


def test_the_undisturbed_run_does_what_the_journey_says() -> None:
    made = undisturbed()
    assert set(made.mailed().values()) == {1}
    assert made.people("converted") == [2, 9, 9]
    assert made.people("bounced") == [12]
    assert made.view().step("t").quarantined == 2
    assert made.mailed()["p2", "thanks"] == made.mailed()["p9", "thanks"] == 1


def check_killed_at(writes: range, *, is_after: bool) -> None:
    expected = undisturbed().outcome()
    for write in writes:
        made = world()
        made.begin(journey()[0])
        made.die_at(write, is_after=is_after)
        with pytest.raises(Killed):
            made.go()
        made.die_at(-1)
        assert made.go() == "done", f"killed at write {write}"
        assert made.outcome() == expected, f"killed at write {write}"


@pytest.mark.parametrize(
    "is_after",
    [pytest.param(False, id="before the write", marks=pytest.mark.slow), pytest.param(True, id="after the write")],
)
def test_killed_at_some_writes(is_after: bool) -> None:
    check_killed_at(range(4 + 2 * is_after, undisturbed().runs.fault.writes, 17), is_after=is_after)


@pytest.mark.slow
@pytest.mark.parametrize("is_after", [False, True], ids=["before the write", "after the write"])
def test_killed_at_every_write(is_after: bool) -> None:
    check_killed_at(range(1, undisturbed().runs.fault.writes + 1), is_after=is_after)


@pytest.mark.slow
def test_killed_again_and_again() -> None:
    expected = undisturbed().outcome()
    for stride in (5, 11):
        made = world()
        made.begin(journey()[0])
        for _ in range(400):
            made.die_at(stride, is_after=True)
            try:
                assert made.go() == "done"
                break
            except Killed:
                continue
        made.die_at(-1)
        assert made.outcome() == expected


@pytest.mark.parametrize("write", [1, 2, 3, 4])
def test_a_simulation_that_is_killed_goes_on_from_its_last_commit(write: int) -> None:
    expected = world()
    expected.tick = lambda: 0.0
    assert expected.run(journey()[0], mode="simulate") == "done"
    made = world()
    made.begin(journey()[0], mode="simulate")
    made.die_at(write)
    with pytest.raises(Killed):
        made.go()
    made.die_at(-1)
    assert made.go() == "done"
    assert made.outcome() == expected.outcome()


def test_without_look_up_what_was_under_way_stays_in_doubt() -> None:
    """A server that cannot be asked: the run ends as waiting and says so, until a person decides."""
    flow = workflow({"src": ("people", {"count": 6}), "m": ("mail", {}), "n": ("mail", {})}, "src > m", "m > n")
    made = World(can_look_up=False, sizes=Sizes(send=6))
    made.begin(flow)
    made.die_at(3)
    with pytest.raises(Killed):
        made.go()
    made.die_at(-1)
    assert made.go() == "waiting"
    doubtful = made.runs.outbox("r1", states=["in_doubt"])
    assert 0 < doubtful.height <= made.mailers.pace_.connections
    assert "in doubt" in made.view().message
    assert made.view().step("m").sending["in_doubt"] == doubtful.height
    assert set(made.mailed().values()) == {1}
    assert made.go() == "waiting"
    assert set(made.mailed().values()) == {1}


def test_mail_goes_out_once_even_to_those_mailed_just_before_the_kill() -> None:
    flow = workflow({"src": ("people", {"count": 12}), "m": ("mail", {})}, "src > m")
    made = World(sizes=Sizes(send=12))
    made.begin(flow)
    made.die_at(4)
    with pytest.raises(Killed):
        made.go()
    before = len(made.mailer.accepted)
    assert 0 < before < 12
    made.die_at(-1)
    assert made.go() == "done"
    assert made.mailed() == Counter({(f"p{i}", "m"): 1 for i in range(12)})


def test_the_clock_goes_on_from_where_it_stood() -> None:
    flow = workflow(
        {"src": ("people", {"count": 3}), "p": ("pause", {"wait": "P1D"}), "m": ("mail", {})}, "src > p", "p > m"
    )
    made = World()
    made.begin(flow)
    assert made.go(until=START.replace(hour=18)) == "waiting"
    assert made.runs.get("r1").at == START.replace(hour=18)
    assert not made.mailer.accepted
    assert isinstance(made.mailer, FakeMailer)
    assert made.go() == "done"
    assert made.runs.get("r1").at == START.replace(day=3)
    assert len(made.mailer.accepted) == 3


@pytest.mark.parametrize(("mode", "most"), [("test", 2), ("simulate", 4)])
def test_what_is_done_again_after_a_kill_is_bounded(mode: str, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One chunk in the engine's thread, one in the thread that writes; a simulation gathers up to a chunk before."""
    people, chunk, came = 200, 20, Counter[str]()

    async def run(self, batch, context):
        came[context.node_id] += batch.height
        return Outcome(out={"out": batch})

    monkeypatch.setattr(Through, "run", run)
    nodes = {"s": ("people", {"count": people}), "a": ("through", {}), "b": ("through", {})}
    flow = workflow(nodes | {"p": ("pause", {"wait": "P1D", "spread": "PT6H"})}, "s > a", "a > p", "p > b")
    for write in (6, 11, 14):
        came.clear()
        made = World(people=people, sizes=Sizes(chunk=chunk))
        made.begin(flow, mode=mode)
        made.die_at(write, is_after=bool(write % 2))
        with pytest.raises(Killed):
            made.go()
        made.die_at(-1)
        assert made.go() == "done"
        assert people <= came["a"] <= people + most * chunk, f"killed at write {write}"
        assert people <= came["b"] <= people + most * chunk, f"killed at write {write}"
