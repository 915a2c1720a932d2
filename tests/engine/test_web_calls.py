"""Web calls go through the same outbox as mails: once each, paced by what the other side says, doubts shown."""

from __future__ import annotations

import asyncio
import json
import ssl

import pytest

from studio.connectors.web import WebCaller
from studio.domain.ports import Pace, RunRow
from studio.domain.workflow import Workflow, parse_workflow
from studio.engine.control import Control
from studio.nodes.audience.filter import Filter
from studio.nodes.send.http import Http
from tests.connectors.scripted_site import CUT, Site, site
from tests.engine import bench
from tests.engine.bench import Mailers, World
from tests.engine.memory_store import Killed

CALLS = {**bench.CATALOGUE, "send.http": Http, "audience.filter": Filter}


class LiveMailers(Mailers):
    def web(self, run: RunRow) -> WebCaller:
        # Nobody is trusted and nobody has to be: the calls stay on this computer.
        return WebCaller(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


def journey(port: int, **parameters: object) -> Workflow:
    node = {
        "url": f"http://127.0.0.1:{port}/{{{{ contact.key }}}}",
        "body": [{"name": "mail", "value": "{{ contact.email }}"}],
        **parameters,
    }
    nodes = [
        {"id": "s", "type": "test.people", "parameters": {"count": 4}},
        {"id": "call", "type": "send.http", "parameters": node, "retry": {"max": 3, "backoff": "PT1M"}},
        {"id": "end", "type": "test.end"},
    ]
    edges = [{"from": ["s", "out"], "to": ["call", "in"]}, {"from": ["call", "out"], "to": ["end", "in"]}]
    return parse_workflow(json.dumps({"name": "Calls", "nodes": nodes, "edges": edges}))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(bench, "CATALOGUE", CALLS)
    made = World(people=4)
    made.mailers = LiveMailers(made.mailer)
    return made


def ran(world: World, *answers: str | tuple[str, bytes], say: str = "", **parameters: object) -> tuple[str, Site]:
    async def scenario() -> tuple[str, Site]:
        async with site(*answers) as (made, port):
            world.begin(journey(port, **parameters), mode="live")
            state = await world.driver().run("r1")
            if say:
                control = Control()
                row = world.runs.outbox("r1", states=["in_doubt"]).row(0, named=True)
                control.resolve(row["outbox_id"], say)
                state = await world.driver().run("r1", control=control)
            return state, made

    return asyncio.run(scenario())


def test_everybody_is_called_once_and_it_is_no_message(world: World) -> None:
    state, made = ran(world)
    assert state == "done"
    assert sorted(line.split()[1] for line, _, _ in made.asked) == ["/0", "/1", "/2", "/3"]
    assert len({headers["idempotency-key"] for _, headers, _ in made.asked}) == 4
    assert (world.people("called"), world.people("sent")) == ([0, 1, 2, 3], [])
    assert world.mailer.accepted == []


def test_who_is_asked_to_wait_is_called_later_with_the_same_key(world: World) -> None:
    state, made = ran(world, "429 Too Many Requests\r\nRetry-After: 600")
    assert state == "done"
    keys = [headers["idempotency-key"] for _, headers, _ in made.asked]
    assert (len(keys), len(set(keys))) == (5, 4)
    moments = world.contact_events("called").get_column("occurred_at")
    assert (moments.max() - moments.min()).total_seconds() >= 600


@pytest.mark.parametrize(("say", "calls"), [("sent", 4), ("resend", 5)])
def test_a_call_without_an_answer_is_in_doubt_until_somebody_says(world: World, say: str, calls: int) -> None:
    state, made = ran(world, CUT, say=say)
    assert (state, len(made.asked)) == ("done", calls)
    assert world.people("called") == [0, 1, 2, 3]


def test_a_call_that_may_be_repeated_is_never_in_doubt(world: World) -> None:
    state, made = ran(world, CUT, knows_key=True)
    keys = [headers["idempotency-key"] for _, headers, _ in made.asked]
    assert (state, len(keys), len(set(keys))) == ("done", 5, 4)


def test_a_refused_key_stops_the_run_before_everybody_is_refused(world: World) -> None:
    state, _made = ran(world, *["401 Unauthorized"] * 4)
    assert state == "paused"
    assert world.view().step("call").problems[0].code == "WEB-LOGIN"
    assert set(world.runs.outbox("r1").get_column("state")) == {"planned"}


@pytest.mark.parametrize("answer", ["503 Service Unavailable", "429 Too Many Requests\r\nRetry-After: 300"])
def test_an_overloaded_service_is_left_alone_and_everybody_is_called_in_the_end(
    monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    """Twenty people, and a service that is busy for the first nine calls: nobody's tries are used up at once."""
    monkeypatch.setattr(bench, "CATALOGUE", CALLS)
    world = World(people=20)
    world.mailers, world.tick = LiveMailers(world.mailer), world.wall_tick
    flow = json.loads(journey(1).to_json())
    flow["nodes"][0]["parameters"]["count"] = 20

    async def scenario() -> tuple[str, Site]:
        async with site(*[answer] * 9) as (made, port):
            flow["nodes"][1]["parameters"]["url"] = f"http://127.0.0.1:{port}/{{{{ contact.key }}}}"
            world.begin(parse_workflow(json.dumps(flow)), mode="live", clock="real")
            return await world.driver().run("r1"), made

    state, made = asyncio.run(scenario())
    assert (state, world.people("called")) == ("done", list(range(20)))
    assert len(made.asked) == 29
    problems = {problem.code: problem for problem in world.view().step("call").problems}
    assert "calls in a row, so it is left alone" in problems["WEB-BUSY"].message
    assert problems["WEB-BUSY"].severity == "warning"


PLANS = [("200 OK", json.dumps({"customer": {"plan": plan}}).encode()) for plan in ("gold", "basic", "gold", None)]
PLAN = {"name": "plan", "path": "customer.plan", "example": "gold", "keep": True}


def asking(port: int) -> Workflow:
    """Everybody is asked for, then parted by what was answered."""
    flow = json.loads(journey(port, values=[PLAN]).to_json())
    flow["nodes"].append({"id": "gold", "type": "audience.filter", "parameters": {"rule": 'var.plan == "gold"'}})
    flow["edges"][1]["to"] = ["gold", "in"]
    flow["edges"].append({"from": ["gold", "pass"], "to": ["end", "in"]})
    return parse_workflow(json.dumps(flow))


def test_later_steps_know_what_was_answered_and_the_contact_keeps_it(world: World) -> None:
    world.mailers.pace_ = Pace(connections=1)

    async def scenario() -> str:
        async with site(*PLANS) as (_made, port):
            world.begin(asking(port), mode="live")
            return await world.driver().run("r1")

    assert asyncio.run(scenario()) == "done"
    assert world.out("gold") == {"pass": 2, "fail": 2}
    (problem,) = world.view().step("call").problems
    assert (problem.code, problem.count, problem.severity) == ("WEB-ANSWER", 1, "warning")
    assert world.view().step("call").state == "warning"
    kept = [(field, value) for frame in world.runs.changes for _, _, field, value in frame.iter_rows()]
    assert sorted(kept) == [("plan", '"basic"'), ("plan", '"gold"'), ("plan", '"gold"')]


@pytest.mark.parametrize("mode", ["simulate", "test"])
def test_where_nobody_is_called_the_example_is_the_answer(world: World, mode: str) -> None:
    assert world.run(asking(1), mode=mode) == "done"
    assert world.out("gold") == {"pass": 4}
    assert not world.runs.changes


@pytest.mark.parametrize("write", [2, 3, 4, 5])
def test_an_answer_survives_the_death_of_the_program_behind_it(world: World, write: int) -> None:
    """Wherever it dies, nobody is called twice, and what was answered before is not asked for again."""
    world.mailers.pace_ = Pace(connections=1)

    async def scenario() -> tuple[str, list[str]]:
        async with site(*PLANS) as (made, port):
            world.begin(asking(port), mode="live")
            world.die_at(write)
            with pytest.raises(Killed):
                await world.driver().run("r1")
            world.die_at(-1)
            return await world.driver().run("r1"), [line for line, _, _ in made.asked]

    state, calls = asyncio.run(scenario())
    doubts = world.runs.outbox("r1", states=["in_doubt"]).height
    assert len(calls) == len(set(calls)) >= 4 - doubts
    assert (state, sum(world.out("gold").values())) == ("waiting" if doubts else "done", 4 - doubts)
    if not doubts:
        assert world.out("gold") == {"pass": 2, "fail": 2}
