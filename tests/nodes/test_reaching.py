"""What reaches people beside mail, and what is given to them: SMS, push, notices, pages, codes, suggestions, dates."""

from __future__ import annotations

import asyncio
import json
from email import message_from_bytes, policy

import polars as pl
import pytest

from studio.domain.errors import UserFixable
from studio.domain.node import Composed, Sends
from studio.nodes.send.sms import segments
from tests.nodes.world import NOW, World, ago, events, ids, instances, later, node, people, ran, resumed

PHONES = ["+49 170 1234567", "none", None, "+49 170 7654321"]


def composed(made: object, batch: pl.DataFrame, world: World, mode: str = "test") -> Composed:
    assert isinstance(made, Sends)
    marked = batch.with_columns(
        pl.format("o{}", pl.int_range(pl.len())).alias("outbox_id"),
        pl.format("<m{}@example.com>", pl.int_range(pl.len())).alias("message_id"),
    )
    return asyncio.run(made.compose(marked, world.context(mode=mode)))


def read(content: bytes):
    return message_from_bytes(content, policy=policy.default)


def test_sms_goes_to_a_number_with_consent_and_is_caught_like_mail() -> None:
    world = World(people(4, phone=PHONES))
    made = node("send.sms", body="Hello {{ contact.name }}, tonight. Reply STOP to end.")
    answer = composed(made, instances([1, 2, 3, 4]), world)
    assert [letter.contact_id for letter in answer.letters] == [1, 4]
    assert [blocked.reason for blocked in answer.blocked] == ["invalid_phone", "invalid_phone"]
    caught = read(answer.letters[0].envelope.content)
    assert caught["To"] == "491701234567@sms.invalid"
    assert caught["Subject"].startswith("[SMS]")
    assert "Hello Person 1, tonight." in caught.get_content()


def test_who_left_the_mail_still_gets_sms_but_a_complaint_ends_all() -> None:
    left = events(
        [
            {"contact_id": 1, "kind": "unsubscribed", "occurred_at": ago(days=1)},
            {"contact_id": 2, "kind": "unsubscribed", "occurred_at": ago(days=1), "properties": '{"channel": "sms"}'},
            {"contact_id": 3, "kind": "complained", "occurred_at": ago(days=1)},
        ]
    )
    world = World(people(4, phone=[f"+49 170 000000{n}" for n in range(4)]), events=left)
    answer = composed(node("send.sms", body="Hi. Reply STOP to end."), instances([1, 2, 3, 4]), world)
    assert [letter.contact_id for letter in answer.letters] == [1, 4]


@pytest.mark.parametrize(
    ("text", "paid"), [("a" * 160, 1), ("a" * 161, 2), ("€" * 80, 1), ("€" * 81, 2), ("ж" * 70, 1), ("ж" * 71, 2)]
)
def test_sms_are_counted_as_networks_count_them(text: str, paid: int) -> None:
    assert segments(text) == paid


def test_a_long_sms_a_long_push_and_a_missing_stop_are_refused() -> None:
    world = World(people(1, phone=["+49 170 1234567"], push_token=["device-0001"]))
    long = composed(node("send.sms", body="x" * 400 + " STOP"), instances([1]), world)
    assert [item.code for item in long.quarantined] == ["SMS-TOO-LONG"]
    push = composed(node("send.push", subject="News", body="x" * 300), instances([1]), world)
    assert [item.code for item in push.quarantined] == ["PUSH-TOO-LONG"]
    with pytest.raises(ValueError, match="how to stop"):
        node("send.sms", body="Buy now")
    assert node("send.sms", body="Your appointment is tomorrow", purpose="transactional")


def test_live_refuses_what_nothing_carries_but_notices_go_out_as_mail() -> None:
    world = World(people(1, phone=["+49 170 1234567"]))
    with pytest.raises(UserFixable, match="live SMS"):
        composed(node("send.sms", body="Hi. STOP"), instances([1]), world, mode="live")
    made = node("send.internal", to="boss@example.com", subject="Call {{ contact.name }}", body="Please.")
    notice = read(composed(made, instances([1]), world, mode="live").letters[0].envelope.content)
    assert (notice["To"], notice["Subject"]) == ("boss@example.com", "Call Person 1")


def test_pages_are_shown_to_everybody_and_need_no_consent() -> None:
    made = node("web.page", subject="Guide", body="# {{ subject }}\n\nFor {{ contact.name }}")
    answer = composed(made, instances([1, 2]), World(people(2)))
    assert len(answer.letters) == 2
    assert not answer.blocked
    assert "# Guide" in read(answer.letters[1].envelope.content).get_content()


def test_codes_shared_unique_and_from_a_list() -> None:
    batch = instances([1, 2, 3])
    shared = ran(node("content.offer", code="SPRING", days=3), batch, World(people(3)).context())
    assert shared.out["out"]["var.offer_code"].to_list() == ["SPRING"] * 3
    assert shared.out["out"]["var.offer_until"][0] == "2026-03-13"
    unique = ran(node("content.offer", kind="unique", code="S-", secret="x"), batch, World(people(3)).context())
    codes = unique.out["out"]["var.offer_code"].to_list()
    assert len(set(codes)) == 3
    assert all(code.startswith("S-") and len(code) == 9 for code in codes)
    other = ran(node("content.offer", kind="unique", code="S-", secret="y"), batch, World(people(3)).context())
    assert set(codes).isdisjoint(other.out["out"]["var.offer_code"])
    listed = node("content.offer", kind="list", codes=["a1", "b2"])
    first = ran(listed, batch, World(people(3)).context())
    assert first.out["out"]["var.offer_code"].to_list() == ["a1", "b2"]
    assert ids(first.out["exhausted"]) == [3]
    assert first.events is not None
    given = first.events.with_columns(run_id=pl.lit("run-1"), node_id=pl.lit("node1"))
    again = ran(listed, instances([2, 3]), World(people(3), events=given).context(later(days=1)))
    assert again.out["out"]["var.offer_code"].to_list() == ["b2"], "the same code for whoever has one"
    capped = ran(node("content.offer", code="X", most=2), batch, World(people(3)).context())
    assert ids(capped.out["exhausted"]) == [3]


def bought(person: int, product: str, n: int) -> dict[str, object]:
    about = json.dumps({"product": product, "url": f"https://example.com/{product}"})
    return {"contact_id": person, "kind": "order", "occurred_at": ago(days=n), "properties": about}


def test_suggestions_out_of_what_others_bought_with_it() -> None:
    log = events(
        [
            *(bought(1, p, 9) for p in ("lamp",)),
            *(bought(2, p, 8) for p in ("lamp", "desk", "rug")),
            *(bought(3, p, 7) for p in ("lamp", "desk")),
            *(bought(4, p, 6) for p in ("vase", "vase", "vase")),
        ]
    )
    world = World(people(6), events=log)
    out = ran(node("content.recommend", count=2, fallback="none"), instances([1, 5]), world.context())
    assert [item["name"] for item in json.loads(out.out["out"]["var.picks"][0])] == ["desk", "rug"]
    assert json.loads(out.out["out"]["var.picks"][0])[0]["url"] == "https://example.com/desk"
    assert ids(out.out["none"]) == [5]
    top = ran(node("content.recommend", strategy="top", count=1), instances([5]), world.context())
    assert [item["name"] for item in json.loads(top.out["out"]["var.picks"][0])] in (["lamp"], ["vase"])


def test_waits_until_a_date_of_the_event_or_the_contact() -> None:
    starts = {"kind": "booked", "properties": json.dumps({"starts_at": "2026-03-14T18:00:00+01:00"})}
    batch = instances([1, 2, 3], event=[json.dumps(starts), json.dumps({"kind": "booked"}), None])
    made = node("flow.delay_until", date="event.starts_at", before="P1D")
    outcome = ran(made, batch, World(people(3)).context())
    assert outcome.wait is not None
    assert outcome.wait["due_at"].to_list() == [later(days=3, hours=5)]
    assert ids(outcome.out["missed"]) == [2, 3]
    assert ids(resumed(made, outcome.wait, World(people(3)).context(later(days=4))).out["out"]) == [1]
    world = World(people(2, renews=["2026-03-20", "2026-03-01"], zone=["Asia/Tokyo", "UTC"]))
    dated = ran(node("flow.delay_until", date="renews", before="P7D", at="09:00"), instances([1, 2]), world.context())
    assert dated.wait is not None
    assert dated.wait["due_at"].to_list() == [later(days=2, hours=12)]
    assert ids(dated.out["missed"]) == [2]
    assert dated.wait["due_at"][0] > NOW
