"""Who may be written to: each reason, their order, and the two purposes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.domain.errors import UserFixable
from studio.domain.workflow import Settings
from studio.nodes.gate import Gate, Purpose, cap_of
from tests.nodes.world import NOW, World, ago, events, ids, instances, later, node, people, ran

U32 = {"contact_id": pl.UInt32}


def judged(
    world: World, batch: pl.DataFrame | None = None, purpose: Purpose = "marketing", **context: object
) -> list[tuple[str, str | None]]:
    """(verdict, reason) per row."""
    batch = instances(world.people["contact_id"].to_list()) if batch is None else batch
    frame = Gate(purpose=purpose, topic="marketing").judge(batch, world.context(**context))
    assert frame["instance_id"].to_list() == batch["instance_id"].to_list()
    assert (frame["reason"].is_null() == frame["message"].is_null()).all()
    assert (frame["until"].is_not_null() == (frame["verdict"] == "deferred")).all()
    return [tuple(row) for row in frame.select("verdict", "reason").iter_rows()]


@pytest.mark.parametrize(
    "address",
    [
        *(None, "", " ", "anna", "anna@", "@x.com", "anna@x", "an na@x.com", "a@b@x.com", "anna@x..com", "anna@.com"),
        *("anna@x.com\nBcc: b@x.com", "<anna@x.com>", "anna@x.com,b@x.com", "a" * 65 + "@x.com"),
        "a@" + "b" * 250 + ".com",
    ],
)
@pytest.mark.parametrize("purpose", ["marketing", "transactional"])
def test_unusable_addresses_are_blocked(address: str | None, purpose: Purpose) -> None:
    world = World(people(1).with_columns(pl.lit(address, pl.String).alias("email")))
    assert judged(world, purpose=purpose) == [("blocked", "invalid_address")]


@pytest.mark.parametrize(
    "address", ["anna@example.com", "a.b+c@sub.example.co.uk", "änna@bücher.example", "o'neil@x.org", "1@2.de"]
)
def test_usable_addresses_pass(address: str) -> None:
    assert judged(World(people(1).with_columns(pl.lit(address).alias("email")))) == [("allowed", None)]


def test_consent_is_asked_for_marketing_only() -> None:
    consents = pl.DataFrame(
        [
            {"contact_id": 1, "topic": "marketing", "state": "granted", "at": ago(days=1)},
            {"contact_id": 2, "topic": "marketing", "state": "withdrawn", "at": ago(days=1)},
            {"contact_id": 3, "topic": "other", "state": "granted", "at": ago(days=1)},
        ],
        schema_overrides=U32,
    )
    world = World(people(4), consents)
    assert judged(world) == [("allowed", None)] + [("blocked", "no_consent")] * 3
    assert judged(world, purpose="transactional") == [("allowed", None)] * 4


def test_suppression_counts_from_its_moment_and_says_why() -> None:
    suppressions = pl.DataFrame(
        [
            {"contact_id": 1, "reason": "hard_bounce", "at": ago(days=1)},
            {"contact_id": 2, "reason": "unsubscribed", "at": ago(days=1)},
            {"contact_id": 3, "reason": "hard_bounce", "at": later(days=1)},
        ],
        schema_overrides=U32,
    )
    world = World(people(3), suppressions=suppressions)
    assert judged(world) == [
        ("blocked", "suppressed:hard_bounce"),
        ("blocked", "suppressed:unsubscribed"),
        ("allowed", None),
    ]
    assert judged(world, purpose="transactional") == [
        ("blocked", "suppressed:hard_bounce"),
        ("allowed", None),
        ("allowed", None),
    ]


def test_what_people_said_counts_in_whatever_run() -> None:
    log = [
        {"contact_id": 1, "kind": "unsubscribed", "run_id": "run-1"},
        {"contact_id": 2, "kind": "complained", "run_id": "run-1"},
        {"contact_id": 2, "kind": "unsubscribed", "run_id": "run-1"},
        {"contact_id": 3, "kind": "bounced", "run_id": "run-1"},
        {"contact_id": 4, "kind": "unsubscribed", "run_id": "another"},
    ]
    world = World(people(4), events=events([{**row, "occurred_at": ago(days=1)} for row in log]))
    assert [reason for _, reason in judged(world)] == ["unsubscribed", "complained", "bounced", "unsubscribed"]
    assert [reason for _, reason in judged(world, purpose="transactional")] == [None, "complained", "bounced", None]


def test_a_bounce_that_was_not_for_good_counts_when_there_are_several() -> None:
    def bounced(contact: int, days: float, grade: str) -> dict[str, object]:
        told = json.dumps({"class": grade})
        return {"contact_id": contact, "kind": "bounced", "occurred_at": ago(days=days), "properties": told}

    log = [
        bounced(1, 400, "hard"),
        *(bounced(2, days, "soft") for days in (1, 2)),
        *(bounced(3, days, "soft" if days < 20 else "policy") for days in (1, 15, 29)),
        *(bounced(4, days, "soft") for days in (1, 2, 31)),
    ]
    world = World(people(4), events=events(log))
    assert [reason for _, reason in judged(world)] == ["bounced", None, "bounced", None]


def sent(contact: int, **when: float) -> dict[str, object]:
    return {"contact_id": contact, "kind": "sent", "occurred_at": ago(**when)}


CAP = Settings(frequency_cap={"max": 2, "per": "P7D"})


def test_the_cap_defers_until_the_oldest_message_has_left_the_span() -> None:
    log = [sent(1, days=6), sent(1, days=2), sent(2, days=2), sent(3, days=8), sent(3, days=9), sent(3, days=1)]
    world = World(people(3), events=events(log))
    assert judged(world, settings=CAP) == [("deferred", "frequency_cap"), ("allowed", None), ("allowed", None)]
    verdicts = Gate(purpose="marketing", topic="marketing").judge(instances([1]), world.context(settings=CAP))
    assert verdicts["until"].to_list() == [ago(days=6) + timedelta(days=7)]
    assert judged(world, purpose="transactional", settings=CAP) == [("allowed", None)] * 3


def test_several_instances_of_one_person_share_the_cap() -> None:
    world = World(people(2), events=events([sent(1, days=1)]))
    batch = instances([1, 1, 2, 1], keys=["a", "b", "c", "d"])
    assert [verdict for verdict, _ in judged(world, batch, settings=CAP)] == [
        "allowed",
        "deferred",
        "allowed",
        "deferred",
    ]


def test_blocked_people_do_not_use_up_the_cap() -> None:
    world = World(
        people(1),
        events=events([{"contact_id": 1, "kind": "unsubscribed", "run_id": "run-1", "occurred_at": ago(days=1)}]),
    )
    batch = instances([1, 1, 1], keys=["a", "b", "c"])
    assert judged(world, batch, settings=CAP) == [("blocked", "unsubscribed")] * 3


def test_the_cap_can_drop_instead() -> None:
    settings = Settings(frequency_cap={"max": 1, "per": "P7D", "action": "drop"})
    world = World(people(1), events=events([sent(1, days=1)]))
    assert judged(world, settings=settings) == [("blocked", "frequency_cap")]


@pytest.mark.parametrize(
    "cap",
    [
        {"max": 0, "per": "P7D"},
        {"max": 2},
        {"max": 2, "per": "weekly"},
        {"max": 2, "per": "P7D", "x": 1},
        {"max": "2", "per": "P7D"},
        {"max": 2, "per": "P7D", "action": "skip"},
    ],
)
def test_an_unreadable_cap_is_refused(cap: dict[str, object]) -> None:
    with pytest.raises(UserFixable, match="frequency cap") as caught:
        cap_of(Settings(frequency_cap=cap))
    assert caught.value.code == "SETTINGS-CAP"


NIGHT = Settings(quiet_hours=("21:00", "08:00"), zone="Europe/Berlin")


@pytest.mark.parametrize(
    ("now", "verdict", "until"),
    [
        (datetime(2026, 3, 10, 19, 59, tzinfo=UTC), "allowed", None),
        (datetime(2026, 3, 10, 20, 0, tzinfo=UTC), "deferred", datetime(2026, 3, 11, 7, 0, tzinfo=UTC)),
        (datetime(2026, 3, 11, 6, 59, tzinfo=UTC), "deferred", datetime(2026, 3, 11, 7, 0, tzinfo=UTC)),
        (datetime(2026, 3, 11, 7, 0, tzinfo=UTC), "allowed", None),
        # The night in which the clocks go forward: eight o'clock comes an hour earlier in UTC.
        (datetime(2026, 3, 28, 22, 0, tzinfo=UTC), "deferred", datetime(2026, 3, 29, 6, 0, tzinfo=UTC)),
    ],
)
def test_quiet_hours_of_the_workflow(now: datetime, verdict: str, until: datetime | None) -> None:
    world = World(people(1))
    frame = Gate(purpose="marketing", topic="marketing").judge(instances([1]), world.context(now, settings=NIGHT))
    assert (frame["verdict"][0], frame["until"][0]) == (verdict, until)


def test_quiet_hours_are_those_where_the_person_lives() -> None:
    zones = ["Asia/Tokyo", "America/New_York", None, "Nowhere/Land", "Europe/London"]
    world = World(people(5, zone=zones))
    # 12:00 UTC: Tokyo 21:00, New York 08:00 (summer time since 8 March), Berlin 13:00, London 12:00.
    assert [verdict for verdict, _ in judged(world, settings=NIGHT)] == [
        "deferred",
        "allowed",
        "allowed",
        "allowed",
        "allowed",
    ]
    assert judged(world, settings=NIGHT, purpose="transactional") == [("allowed", None)] * 5


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        (Settings(zone="Mars/Base", quiet_hours=("21:00", "08:00")), "SETTINGS-ZONE"),
        (Settings(quiet_hours=("late", "08:00")), "SETTINGS-QUIET-HOURS"),
    ],
)
def test_unreadable_settings_are_refused(settings: Settings, code: str) -> None:
    with pytest.raises(UserFixable) as caught:
        judged(World(people(1)), settings=settings)
    assert caught.value.code == code


@given(
    people_state=st.lists(
        st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.integers(0, 3)), min_size=1, max_size=8
    )
)
def test_the_first_reason_in_order_wins(people_state: list[tuple[bool, bool, bool, bool, int]]) -> None:
    """Address, suppression, own words, consent, cap: compared with the same order written person by person."""
    count = len(people_state)
    addresses = ["x@example.com" if usable else "nothing" for usable, *_ in people_state]
    rows = {"suppressed": [], "consents": [], "log": []}
    for who, (_, suppressed, said, granted, messages) in enumerate(people_state, start=1):
        if suppressed:
            rows["suppressed"].append({"contact_id": who, "reason": "manual", "at": ago(days=2)})
        if granted:
            rows["consents"].append({"contact_id": who, "topic": "marketing", "state": "granted", "at": ago(days=2)})
        if said:
            rows["log"].append({"contact_id": who, "kind": "complained", "run_id": "run-1", "occurred_at": ago(days=1)})
        rows["log"] += [sent(who, days=1, minutes=i) for i in range(messages)]
    moments = {"contact_id": pl.UInt32, "reason": pl.String, "at": pl.Datetime("us", "UTC")}
    agreed = {"contact_id": pl.UInt32, "topic": pl.String, "state": pl.String, "at": pl.Datetime("us", "UTC")}
    world = World(
        people(count).with_columns(pl.Series("email", addresses)),
        pl.DataFrame(rows["consents"], schema=agreed),
        pl.DataFrame(rows["suppressed"], schema=moments),
        events(rows["log"]),
    )
    expected = [
        "invalid_address" if not usable
        else "suppressed:manual" if suppressed
        else "complained" if said
        else "no_consent" if not granted
        else "frequency_cap" if messages >= 2
        else None
        for usable, suppressed, said, granted, messages in people_state
    ]  # fmt: skip
    assert [reason for _, reason in judged(world, settings=CAP)] == expected


def test_eligibility_sorts_people_and_records_why() -> None:
    zones = ["Asia/Tokyo", "Europe/Berlin", "Europe/Berlin"]
    world = World(people(3, zone=zones, email=["a@example.com", "b@example.com", "nothing"]))
    outcome = ran(node("audience.eligibility"), instances([1, 2, 3]), world.context(settings=NIGHT))
    assert {port: ids(batch) for port, batch in outcome.out.items()} == {
        "allowed": [2],
        "deferred": [1],
        "blocked": [3],
    }
    assert outcome.events is not None
    (event,) = outcome.events.iter_rows(named=True)
    assert (event["kind"], event["contact_id"], event["occurred_at"]) == ("blocked", 3, NOW)
    assert event["properties"] == '{"reason":"invalid_address","message":"There is no usable mail address."}'
