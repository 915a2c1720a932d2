"""The send node: whom it writes to, what it writes, and what it refuses when the workflow is read."""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
from datetime import UTC, datetime
from email.message import EmailMessage

import polars as pl
import pytest
from pydantic import ValidationError

from studio.domain.errors import UserFixable
from studio.domain.node import Composed, MessageParts, NodeContext, Sender, Sends
from studio.domain.validation import check
from studio.domain.workflow import Node, Settings, Workflow
from studio.nodes import catalogue
from tests.nodes.world import SENDER, World, ago, events, ids, instances, node, people, ran

FOOTER = '<mj-text>{{ postal_address }} <a href="{{ unsubscribe_url }}">Unsubscribe</a></mj-text>'
SHELL = (
    "<mjml><mj-head></mj-head><mj-body><mj-section><mj-column><mj-text>%s</mj-text>"
    f"{FOOTER}</mj-column></mj-section></mj-body></mjml>"
)
BODY = SHELL % "Hello"


def planned(batch: pl.DataFrame) -> pl.DataFrame:
    number = pl.col("instance_id").cast(pl.String)
    return batch.with_columns(
        ("ob" + number).alias("outbox_id"), pl.format("<ob{}@example.com>", number).alias("message_id")
    )


def composed(batch: pl.DataFrame, context: NodeContext, **parameters: object) -> Composed:
    made = node("send.email", **{"subject": "Hi {{ contact.name }}", "body": BODY, **parameters})
    assert isinstance(made, Sends)
    return asyncio.run(made.compose(planned(batch), context))


def read(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    return str(found.get_content())


def test_everybody_is_planned() -> None:
    outcome = ran(node("send.email", subject="S", body=BODY), instances([1, 2]), World(people(2)).context())
    assert ids(outcome.send) == [1, 2]


def test_a_letter_is_a_whole_mail() -> None:
    batch = instances([2])
    (letter,) = composed(
        batch, World(people(2)).context(), from_name="Shop & Söhne", preheader="For {{ contact.name }}"
    ).letters
    message_id = planned(batch)["message_id"][0]
    assert (letter.instance_id, letter.contact_id) == (batch["instance_id"][0], 2)
    assert (letter.envelope.sender, letter.envelope.recipient) == ("shop@example.com", "p2@example.com")
    assert letter.envelope.message_id == message_id
    message = read(letter.envelope.content)
    assert message["subject"] == "Hi Person 2"
    assert message["from"] == "Shop & Söhne <shop@example.com>"
    assert message["to"] == "Person 2 <p2@example.com>"
    assert message["reply-to"] == "help@example.com"
    assert message["message-id"] == message_id
    assert message["list-unsubscribe"] == f"<https://example.com/u?m={planned(batch)['outbox_id'][0]}>"
    assert message["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    html, text = part(message, "html"), part(message, "plain")
    assert "For Person 2" in html and "For Person 2" not in text
    assert "Hello" in html and "Hello" in text
    for content in (html, text):
        assert SENDER.postal_address in content.replace("&#x2f;", "/")


def test_links_lead_to_where_they_say_with_tags_of_workflow_node_and_variant() -> None:
    batch = instances([1]).with_columns(pl.lit("holdout=treated|split=B").alias("arms"))
    world, body = World(people(1)), SHELL % '<a href="https://shop.example/p?x=1">Shop</a>'
    (letter,) = composed(batch, world.context(node_id="m1"), body=body).letters
    html = part(read(letter.envelope.content), "html")
    assert (
        "https://shop.example/p?x=1&amp;utm_source=flowlight&amp;utm_medium=email&amp;utm_campaign=spring_sale&amp;utm_content=m1_treated_b"
        in html
    )
    assert "example.com/u?m=ob" in html
    (letter,) = composed(batch, world.context(), body=body, track=False).letters
    assert "utm_" not in part(read(letter.envelope.content), "html")


def test_unsubscribing_goes_by_mail_where_there_is_no_page() -> None:
    sender = Sender(address="shop@example.com", reply_to=None, postal_address="Street 1", unsubscribe_base_url=None)
    (letter,) = composed(instances([1]), World(people(1)).context(sender=sender)).letters
    message = read(letter.envelope.content)
    assert message["list-unsubscribe"].startswith("<mailto:shop@example.com?subject=unsubscribe%20ob")
    assert message["list-unsubscribe-post"] is None
    assert "mailto:shop@example.com?subject=unsubscribe" in part(message, "html")


def test_transactional_mail_needs_neither_consent_nor_footer() -> None:
    consents = pl.DataFrame(
        schema={"contact_id": pl.UInt32, "topic": pl.String, "state": pl.String, "at": pl.Datetime("us", "UTC")}
    )
    world = World(people(1), consents)
    body = "<mjml><mj-body><mj-section><mj-column><mj-text>Receipt</mj-text></mj-column></mj-section></mj-body></mjml>"
    (letter,) = composed(instances([1]), world.context(), purpose="transactional", body=body).letters
    assert read(letter.envelope.content)["list-unsubscribe"] is None
    assert not composed(instances([1]), world.context()).letters


def test_who_may_not_be_written_to_is_held_back_with_the_reason() -> None:
    world = World(
        people(4, zone=["Asia/Tokyo", "UTC", "UTC", "UTC"]).with_columns(
            pl.when(pl.col("contact_id") == 2).then(pl.lit("nothing")).otherwise("email").alias("email")
        ),
        events=events([{"contact_id": 3, "kind": "unsubscribed", "run_id": "run-1", "occurred_at": ago(days=1)}]),
    )
    batch = instances([1, 2, 3, 4])
    result = composed(batch, world.context(settings=Settings(quiet_hours=("21:00", "08:00"))))
    assert [letter.contact_id for letter in result.letters] == [4]
    reasons = {blocked.instance_id: (blocked.reason, blocked.until) for blocked in result.blocked}
    one, two, three, _ = batch["instance_id"]
    assert reasons == {
        one: ("quiet_hours", datetime(2026, 3, 10, 23, tzinfo=UTC)),
        two: ("invalid_address", None),
        three: ("unsubscribed", None),
    }


def test_consent_is_asked_for_the_topic_of_the_message() -> None:
    consents = pl.DataFrame(
        [
            {"contact_id": 1, "topic": "news", "state": "granted", "at": ago(days=1)},
            {"contact_id": 2, "topic": "offers", "state": "granted", "at": ago(days=1)},
        ],
        schema_overrides={"contact_id": pl.UInt32},
    )
    context = World(people(2), consents).context(settings=Settings(topic="offers"))
    assert [letter.contact_id for letter in composed(instances([1, 2]), context).letters] == [2]
    assert [letter.contact_id for letter in composed(instances([1, 2]), context, topic="news").letters] == [1]


def test_who_lacks_a_field_is_set_aside_with_its_name_and_the_others_get_their_mail() -> None:
    world = World(people(3, first_name=["Anna", None, ""]))
    result = composed(instances([1, 2, 3]), world.context(), subject="Hi {{ contact.first_name }}")
    assert [letter.contact_id for letter in result.letters] == [1]
    assert [(item.contact_id, item.code) for item in result.quarantined] == [
        (2, "MAIL-FIELD-MISSING"),
        (3, "MAIL-FIELD-MISSING"),
    ]
    assert "“contact.first_name” is empty" in result.quarantined[0].message
    result = composed(instances([1, 2, 3]), world.context(), subject='Hi {{ contact.first_name|default("friend") }}')
    assert [read(letter.envelope.content)["subject"] for letter in result.letters] == [
        "Hi Anna",
        "Hi friend",
        "Hi friend",
    ]


def test_a_message_says_what_the_instance_carries() -> None:
    event = {"kind": "cart", "occurred_at": "2026-03-01T09:00:00+00:00", "value": 30.0, "currency": "EUR", "key": "c7"}
    event["properties"] = json.dumps({"items": [{"name": "Hat"}, {"name": "Coat"}], "value": 99})
    batch = instances([1], keys=["c7"]).with_columns(
        pl.Series("var.event", [json.dumps(event)]),
        pl.Series("var.subject", ["Still {{ contact.name }}"]),
        pl.Series("var.n", [2.0]),
    )
    body = SHELL % (
        "{% for item in event.items %}{{ item.name }} {% endfor %}{{ event.value|money(event.currency) }} {{ key }} "
        "{{ event.occurred_at|date }} {{ var.n }}"
    )
    (letter,) = composed(batch, World(people(1)).context(), subject="{{ var.subject|fill }}", body=body).letters
    message = read(letter.envelope.content)
    assert message["subject"] == "Still Person 1"
    assert "Hat Coat €30.00 c7 2026-03-01 2<" in part(message, "html")


@pytest.mark.parametrize(
    "event", [None, '{"kind": "cart", "properties": "not json"}', '{"kind": "cart", "properties": "[1]"}']
)
def test_an_event_without_properties_does_no_harm(event: str | None) -> None:
    batch = instances([1]).with_columns(pl.Series("var.event", [event], dtype=pl.String))
    assert len(composed(batch, World(people(1)).context()).letters) == 1


def test_message_files_are_found_by_name() -> None:
    texts = {"m1.en.mjml": SHELL % "From a file", "m1.en.txt": "Plain {{ contact.name }} {{ unsubscribe_url }}"}
    context = World(people(1)).context(texts=texts)
    (letter,) = composed(instances([1]), context, body="m1.en.mjml", text="m1.en.txt").letters
    message = read(letter.envelope.content)
    assert "From a file" in part(message, "html")
    assert part(message, "plain").startswith("Plain Person 1 https://example.com/u?m=ob")
    (letter,) = composed(instances([1]), context, text="Inline {{ contact.name }}").letters
    assert part(read(letter.envelope.content), "plain").strip() == "Inline Person 1"


@pytest.mark.parametrize(
    ("parameters", "code", "says"),
    [
        ({"body": "m2.en.mjml"}, "MAIL-FILE", "Did you mean “m1.en.mjml”?"),
        ({"text": "nothing.txt"}, "MAIL-FILE", "There are"),
        ({"body": "bare.mjml"}, "MAIL-FOOTER", "unsubscribe_url"),
        ({"body": "broken.mjml"}, "MAIL-TEMPLATE", "{{"),
        ({"body": "hostile.mjml"}, "MAIL-TEMPLATE", ""),
    ],
)
def test_what_is_wrong_for_everybody_is_said_once(parameters: dict[str, str], code: str, says: str) -> None:
    texts = {
        "m1.en.mjml": BODY,
        "bare.mjml": "<mjml></mjml>",
        "broken.mjml": BODY + "{% if x %}",
        "hostile.mjml": BODY + "{% set x = 1 %}",
    }
    with pytest.raises(UserFixable) as caught:
        composed(instances([1]), World(people(1)).context(texts=texts), **parameters)
    assert caught.value.code == code
    assert says in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("parameters", "code", "field"),
    [
        ({"subject": "{{ contact.items() }}"}, "MAIL-TEMPLATE", "parameters.subject"),
        ({"subject": "{% if x %}"}, "MAIL-TEMPLATE", "parameters.subject"),
        ({"preheader": "{{ x"}, "MAIL-TEMPLATE", "parameters.preheader"),
        ({"text": "{{ x|nothing }}"}, "MAIL-TEMPLATE", "parameters.text"),
        ({"body": SHELL % "{{ 'a' * 9 }}"}, "MAIL-TEMPLATE", "parameters"),
        ({"body": "<mjml></mjml>"}, "MAIL-FOOTER", "parameters"),
        ({"subject": ""}, "NODE-PARAMETER", "parameters.subject"),
        ({"subjct": "x"}, "NODE-PARAMETER", "parameters.subjct"),
    ],
)
def test_a_bad_parameter_is_found_when_the_workflow_is_read(parameters: dict[str, str], code: str, field: str) -> None:
    sending = Node(id="m1", type="send.email", parameters={"subject": "S", "body": BODY, **parameters})
    problems = check(Workflow(name="w", nodes=(Node(id="t", type="trigger.manual"), sending)), catalogue())
    found = [(problem.code, problem.node, problem.field) for problem in problems if problem.code != "NODE-UNREACHED"]
    assert found == [(code, "m1", field)]


def test_values_cannot_break_into_headers() -> None:
    world = World(
        people(1, nick=["x\r\nBcc: evil@example.com"]).with_columns(pl.lit("A\r\nBcc: evil@example.com").alias("name"))
    )
    result = composed(instances([1]), world.context(), subject="Hi {{ contact.nick }}")
    if result.letters:
        message = read(result.letters[0].envelope.content)
        assert message["bcc"] is None
    else:
        assert [item.contact_id for item in result.quarantined] == [1]


def test_a_builder_that_refuses_costs_one_message() -> None:
    def picky(parts: MessageParts) -> bytes:
        if parts.to_address == "p2@example.com":
            raise UserFixable("MAIL-HEADER", "This name cannot stand in a header.")
        return b"mail"

    result = composed(instances([1, 2, 3]), World(people(3)).context(build=picky))
    assert [letter.contact_id for letter in result.letters] == [1, 3]
    assert [(item.contact_id, item.code) for item in result.quarantined] == [(2, "MAIL-HEADER")]


def test_nothing_is_built_for_a_simulation() -> None:
    def nobody(parts: MessageParts) -> bytes:
        raise AssertionError("a simulation needs no bytes")

    (letter,) = composed(instances([1]), World(people(1)).context(mode="simulate", build=nobody)).letters
    assert letter.envelope.content == b""


def test_long_fields_are_cut() -> None:
    world = World(people(1, story=["x" * 50_000]))
    (letter,) = composed(instances([1]), world.context(), body=SHELL % "{{ contact.story }}").letters
    assert part(read(letter.envelope.content), "html").count("x" * 100) < 110


def test_nobody_gets_nothing() -> None:
    assert composed(instances([]), World(people(1)).context()) == Composed(letters=[], blocked=[], quarantined=[])


def test_other_work_goes_on_while_letters_are_written() -> None:
    async def both() -> int:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        made = node("send.email", subject="S", body=BODY)
        assert isinstance(made, Sends)
        other = asyncio.ensure_future(tick())
        await made.compose(planned(instances(range(1, 501))), World(people(500)).context())
        other.cancel()
        return ticks

    assert asyncio.run(both()) >= 5


def test_a_body_name_is_not_empty() -> None:
    with pytest.raises(ValidationError):
        node("send.email", subject="S", body="")
