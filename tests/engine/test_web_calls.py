"""Web calls go through the same outbox as mails: once each, paced by what the other side says, doubts shown."""

from __future__ import annotations

import asyncio
import json

import pytest

from studio.connectors.web import WebCaller
from studio.domain.ports import RunRow
from studio.domain.workflow import Workflow, parse_workflow
from studio.engine.control import Control
from studio.nodes.send.http import Http
from tests.connectors.scripted_site import CUT, Site, site
from tests.engine import bench
from tests.engine.bench import Mailers, World

CALLS = {**bench.CATALOGUE, "send.http": Http}


class LiveMailers(Mailers):
    def web(self, run: RunRow) -> WebCaller:
        return WebCaller()


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


def ran(world: World, *answers: str, say: str = "", **parameters: object) -> tuple[str, Site]:
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
