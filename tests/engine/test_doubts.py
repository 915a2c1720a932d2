"""Messages in doubt: evidence settles them, people settle them, and people may change their minds."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from studio.connectors.fake import Mishap
from studio.engine.control import Control
from tests.engine.bench import START, World, workflow
from tests.engine.memory_store import events_frame

TAKEN_AND_LOST = Mishap("accepted", "drop")
NOT_TAKEN_AND_LOST = Mishap("dot", "drop")


def doubtful_world(mishap: Mishap, *, then: str = "end") -> World:
    """Three people get a mail, of number 1 nobody knows; the server cannot be asked."""
    world = World(people=3, mishaps={"p1@example.invalid": [mishap]}, can_look_up=False)
    nodes = {"s": ("people", {"count": 3}), "m": ("mail", {}), "next": (then, {})}
    assert world.run(workflow(nodes, "s > m", "m > next")) == "waiting"
    return world


def row_of(world: World, contact_id: int = 1, node_id: str = "m") -> dict:
    return world.runs.outbox("r1").filter(contact_id=contact_id, node_id=node_id).to_dicts()[0]


def say(world: World, verdict: str, contact_id: int = 1) -> str:
    control = Control()
    control.resolve(row_of(world, contact_id)["outbox_id"], verdict)
    return world.go(control=control)


def happened(world: World, kind: str, properties: object) -> None:
    row = {"event_id": 99, "occurred_at": START + timedelta(hours=1), "kind": kind, "contact_id": 1}
    world.log.append(events_frame([{**row, "properties": json.dumps(properties)}]))
    world.wall.at = START + timedelta(hours=2)


@pytest.mark.parametrize("kind", ["opened", "bounced", "unsubscribed"])
@pytest.mark.parametrize("name", ["message_id", "outbox_id"])
def test_an_event_that_names_the_message_proves_that_it_arrived(kind: str, name: str) -> None:
    world = doubtful_world(TAKEN_AND_LOST)
    happened(world, kind, {name: row_of(world)[name].strip("<>")})
    world.runs._runs["r1"] = replace(world.runs.get("r1"), at=world.wall.at)
    assert world.go() == "done"
    assert row_of(world)["state"] == "resolved_sent"
    assert world.people("exited") == [0, 1, 2]
    assert world.mailed()["p1", "m"] == 1


@pytest.mark.parametrize(
    "properties", [{"message_id": "<another@example.invalid>"}, {"subject": "message_id"}, ["message_id"], None]
)
def test_an_event_about_another_message_proves_nothing(properties: object) -> None:
    world = doubtful_world(TAKEN_AND_LOST)
    happened(world, "opened", properties)
    world.runs._runs["r1"] = replace(world.runs.get("r1"), at=world.wall.at)
    assert world.go() == "waiting"
    assert row_of(world)["state"] == "in_doubt"


def test_evidence_that_comes_while_the_run_goes_on_is_seen_when_it_is_told_to_look() -> None:
    world = World(people=3, mishaps={"p1@example.invalid": [TAKEN_AND_LOST]}, can_look_up=False)
    nodes = {"s": ("people", {"count": 3}), "m": ("mail", {}), "p": ("pause", {"wait": "PT1M"}), "e": ("end", {})}
    world.begin(workflow(nodes, "s > m", "m > p", "p > e"), clock="real")
    control, plain, told = Control(), world.doze, []

    async def napping(seconds, wake):
        if len(plain.naps) == 2 and not told:
            told.append(True)
            row = {"event_id": 99, "occurred_at": world.wall.at, "kind": "bounced", "contact_id": 1}
            properties = json.dumps({"message_id": row_of(world)["message_id"]})
            world.log.append(events_frame([{**row, "properties": properties}]))
            control.look()
        return await plain(seconds, wake)

    world.doze = napping
    assert world.go(control=control) == "done"
    assert row_of(world)["state"] == "resolved_sent"
    assert world.people("exited") == [0, 1, 2]


@pytest.mark.parametrize("then", ["end", "mail"])
def test_what_was_called_sent_can_be_sent_after_all_without_a_second_step(then: str) -> None:
    world = doubtful_world(NOT_TAKEN_AND_LOST, then=then)
    assert say(world, "sent") == "done"
    assert world.mailed()["p1", "m"] == 0
    before = world.out("m"), world.contact_events("sent").height
    assert say(world, "resend") == "done"
    assert world.mailed()["p1", "m"] == 1
    assert row_of(world)["state"] == "sent"
    assert (world.out("m"), world.contact_events("sent").height) == before
    assert all(count == 1 for count in world.mailed().values())
    assert world.view().step("m").sending["sent"] == 3


def test_a_message_that_the_server_confirmed_is_not_sent_again_on_anybodys_word() -> None:
    world = doubtful_world(TAKEN_AND_LOST)
    say(world, "resend", contact_id=0)
    assert row_of(world, 0)["state"] == "sent"
    assert world.mailed()["p0", "m"] == 1


def test_what_was_to_go_again_can_be_called_sent_until_it_has_gone() -> None:
    world = doubtful_world(TAKEN_AND_LOST)
    world.mailer.failing_opens = 99
    assert say(world, "resend") == "paused"
    assert row_of(world)["state"] == "resend_approved"
    world.mailer.failing_opens = 0
    assert say(world, "sent") == "done"
    assert world.mailed()["p1", "m"] == 1
    assert row_of(world)["state"] == "resolved_sent"


def test_a_held_message_waits_for_a_persons_word() -> None:
    world = doubtful_world(TAKEN_AND_LOST)
    world.runs._outbox[row_of(world)["outbox_id"]]["state"] = "held"
    assert world.go() == "waiting"
    assert row_of(world)["state"] == "held"
    assert say(world, "resend") == "done"
    assert row_of(world)["state"] == "sent"
