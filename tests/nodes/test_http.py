"""`send.http`: what is called for each person, and what may not be asked of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import polars as pl
import pytest
from pydantic import ValidationError

from studio.domain.mail import Envelope
from studio.domain.node import Composed, Outcome
from studio.domain.web import WebRequest
from studio.domain.web_answer import Taken
from studio.nodes.send.http import Http, HttpParameters
from tests.nodes.world import World, instances, people

URL = "https://crm.example/contacts"


def composed(mode: str, **parameters: object) -> Composed:
    node = Http(HttpParameters.model_validate({"url": URL, **parameters}))
    world = World(people(3, country=["DE", None, "A&T"]))
    batch = instances([1, 2, 3]).with_columns(
        pl.Series("outbox_id", ["a1", "a2", "a3"]), pl.Series("message_id", ["<a1@x>", "<a2@x>", "<a3@x>"])
    )
    return asyncio.run(node.compose(batch, world.context(mode=mode, build=lambda parts: parts.text.encode())))


def test_each_person_gets_one_call_with_own_data_and_key() -> None:
    body = [{"name": "land", "value": "{{ contact.country }}"}, {"name": "list", "value": "news"}]
    made = composed("live", body=body, headers=[{"name": "Authorization", "value": "secret://crm"}])
    requests = [letter.envelope for letter in made.letters]
    assert all(isinstance(request, WebRequest) for request in requests)
    assert [(r.key, json.loads(r.content)["land"]) for r in requests] == [("a1", "DE"), ("a3", "A&T")]
    assert requests[0].headers == {"Authorization": "secret://crm", "Content-Type": "application/json"}
    assert not requests[0].is_repeatable
    (left,) = made.quarantined
    assert (left.contact_id, left.code) == (2, "MAIL-FIELD-MISSING")
    assert "contact.country" in left.message


def test_a_field_in_the_address_cannot_change_it() -> None:
    made = composed("live", url=URL + "?q={{ contact.country|default('x')|urlencode }}", method="GET")
    assert [letter.envelope.url for letter in made.letters] == [URL + "?q=DE", URL + "?q=x", URL + "?q=A%26T"]
    assert all(letter.envelope.is_repeatable and not letter.envelope.content for letter in made.letters)


def test_a_form_is_written_as_one() -> None:
    made = composed("live", format="form", body=[{"name": "land", "value": "{{ contact.country|default('') }}"}])
    assert [letter.envelope.content for letter in made.letters] == [b"land=DE", b"land=", b"land=A%26T"]


@pytest.mark.parametrize("mode", ["test", "simulate"])
def test_outside_of_live_nobody_is_called(mode: str) -> None:
    made = composed(mode, headers=[{"name": "Authorization", "value": "secret://crm"}])
    envelopes = [letter.envelope for letter in made.letters]
    assert all(isinstance(envelope, Envelope) for envelope in envelopes)
    assert {envelope.recipient for envelope in envelopes} == {"crm.example@web.invalid"}
    if mode == "test":
        assert b"POST https://crm.example/contacts\nAuthorization: secret://crm" in envelopes[0].content


@pytest.mark.parametrize(
    "parameters",
    [
        {"url": "{{ contact.site }}/hook"},
        {"url": "https://{{ contact.site }}/hook"},
        {"url": "https://crm.example{{ contact.site }}/hook"},
        {"url": "ftp://crm.example/"},
        {"url": "http://crm.example/hook"},
        {"url": URL, "headers": [{"name": "Bad Name", "value": "x"}]},
        {"url": URL, "headers": [{"name": "X", "value": "a\r\nY: b"}]},
        {"url": URL, "headers": [{"name": "idempotency-key", "value": "1"}]},
        {"url": URL, "body": [{"name": "a", "value": "{{ open('x') }}"}]},
        {"url": URL, "also_done": "ok"},
        {"url": URL, "values": [{"name": "a", "path": "a..b"}]},
        {"url": URL, "values": [{"name": "a", "part": "status", "path": "a"}]},
        {"url": URL, "values": [{"name": "a", "kind": "number", "example": "gold"}]},
        {"url": URL, "values": [{"name": "a"}, {"name": "a"}]},
        {"url": URL, "values": [{"name": "email", "keep": True}]},
        {"url": URL, "values": [{"name": "event"}]},
        {"url": URL, "checks": [{"path": "ok", "value": ""}]},
    ],
)
def test_what_may_not_be_asked(parameters: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        HttpParameters.model_validate(parameters)


def test_this_computer_may_be_called_without_encryption() -> None:
    assert HttpParameters.model_validate({"url": "http://127.0.0.1:8080/hook"})


VALUES = [
    {"name": "plan", "path": "customer.plan", "example": "gold", "keep": True},
    {"name": "seats", "path": "customer.seats", "kind": "number", "example": "3", "keep": True},
    {"name": "active", "kind": "yes_no", "path": "active"},
]


def after(answers: Sequence[Taken | None] | None, **columns: object) -> Outcome:
    node = Http(HttpParameters.model_validate({"url": URL, "values": VALUES}))
    batch = instances([1, 2, 3]).with_columns(**columns)
    given = None if answers is None else [None if item is None else item.to_json() for item in answers]
    return asyncio.run(node.answered(batch, given, World(people(3)).context()))


def test_what_is_answered_goes_on_with_each_person() -> None:
    whole = Taken({"plan": "basic", "seats": 12.0, "active": True})
    part = Taken({"plan": "gold"}, {"seats": "the answer has no “customer.seats”", "active": "it is empty there"})
    outcome = after([whole, part, None])
    out = outcome.out["out"]
    assert out.select("var.plan", "var.seats", "var.active").rows() == [
        ("basic", 12.0, True),
        ("gold", None, None),
        (None, None, None),
    ]
    assert outcome.changes is not None
    assert outcome.changes.rows() == [
        (1, "set", "plan", '"basic"'),
        (1, "set", "seats", "12"),
        (2, "set", "plan", '"gold"'),
    ]
    assert [(item.contact_id, item.code) for item in outcome.noted] == [(2, "WEB-ANSWER"), (3, "WEB-ANSWER")]
    assert "“seats” (and 1 more): the answer has no “customer.seats”" in outcome.noted[0].message


def test_where_nobody_is_called_the_examples_stand_for_the_answer() -> None:
    outcome = after(None)
    assert outcome.out["out"].select("var.plan", "var.seats", "var.active").rows() == [("gold", 3.0, None)] * 3
    assert (outcome.changes, list(outcome.noted)) == (None, [])


def test_a_value_that_is_not_answered_leaves_the_variable_as_it_was() -> None:
    before = pl.Series("var.plan", ["old", "old", None])
    outcome = after([Taken({"plan": "new"}), None, None], **{"var.plan": before})
    assert outcome.out["out"].get_column("var.plan").to_list() == ["new", "old", None]
