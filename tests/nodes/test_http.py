"""`send.http`: what is called for each person, and what may not be asked of it."""

from __future__ import annotations

import asyncio
import json

import polars as pl
import pytest
from pydantic import ValidationError

from studio.domain.mail import Envelope
from studio.domain.node import Composed
from studio.domain.web import WebRequest
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
    ],
)
def test_what_may_not_be_asked(parameters: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        HttpParameters.model_validate(parameters)


def test_this_computer_may_be_called_without_encryption() -> None:
    assert HttpParameters.model_validate({"url": "http://127.0.0.1:8080/hook"})
