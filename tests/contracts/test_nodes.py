"""What every node type keeps, whoever wrote it: run over all that discovery finds.

A new type needs an entry in `EXAMPLES`; everything else comes by itself.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from studio import resources
from studio.domain.node import (
    EventTrigger,
    Listens,
    NodeType,
    Outcome,
    Paced,
    Parameters,
    Sends,
    Source,
    Waits,
    Watches,
)
from studio.domain.workflow import Settings
from studio.frames.events import EVENT_SCHEMA, RUN_KINDS
from studio.frames.instances import INSTANCE_SCHEMA
from studio.nodes import catalogue
from tests.effort import share
from tests.nodes.world import NOW, World, ago, events, instances, people, ran, resumed

GROUPS = ("Start", "Audience", "Flow", "Data", "Experiments", "Messages")
NEEDS = ("contacts", "consent", "events", "email", "phone", "push")
RULE = 'country == "DE" or has("order", days=30)'
MJML = "<mjml><mj-body>{{ unsubscribe_url }}{{ postal_address }}</mj-body></mjml>"
EXAMPLES: Mapping[str, tuple[dict[str, object], ...]] = {
    "trigger.event": ({"event": "cart"}, {"event": "cart", "filter": "value > 3", "re_entry": "after_days"}),
    "trigger.list": ({}, {"topic": "news"}),
    "trigger.manual": ({}, {"limit": 5, "sample": 0.5}),
    "source.import": ({"file": "people.csv"},),
    "audience.eligibility": ({}, {"purpose": "transactional"}),
    "audience.filter": ({"rule": RULE}, {"rule": 'key == "a" and age > 30'}),
    "flow.branch": ({"conditions": [{"id": "a", "rule": RULE}, {"id": "b", "rule": "age > 40"}]},),
    "flow.delay": ({"duration": "PT1H"}, {"until": "12:00"}, {"duration": "PT0S", "jitter": "P1D", "until": "18:30"}),
    "flow.time_window": (
        {"days": ["mon", "wed"], "start": "12:30", "end": "14:00", "spread": "PT30M"},
        {"start": "22:00", "end": "06:00", "zone": "workflow", "otherwise": "leave"},
    ),
    "flow.merge": ({}, {"wait_for": "all", "timeout": "P2D"}),
    "flow.call": ({"workflow": "w3"},),
    "flow.loop": ({"most": 3}, {"most": 2, "until": RULE, "each": "position"}),
    "flow.throttle": ({"rate": 2, "per": "minute"}, {"rate": 10, "key": "provider", "burst": 3}),
    "flow.wait_for": (
        {"branches": [{"id": "bought", "event": "order"}], "timeout": "P1D"},
        {
            "branches": [{"id": "a", "event": "order", "match_key": True}, {"id": "b", "event": "clicked"}],
            "timeout": "PT1H",
            "already": "from_now",
        },
    ),
    "flow.switch": ({"value": "country", "cases": [{"id": "a", "values": "DE, at"}, {"id": "b", "values": "30"}]},),
    "data.set_fields": ({"fields": [{"name": "twice", "value": "age * 2"}, {"name": "land", "value": "country"}]},),
    "content.text": (
        {"name": "hello", "text": "Dear {{ contact.country|default('friend') }}, {{ key|default('') }}"},
        {"name": "hello", "text": "{{ contact.age|default(0)|round(1) }}{{ var.x }}"},
    ),
    "data.count": ({}, {"by": "country", "sum": "age", "name": "adults"}),
    "flow.exit": ({}, {"reason": "done"}),
    "flow.goal": ({"event": "order", "window": "P14D"}, {"event": "order", "window": "P1D", "action": "continue"}),
    "exp.split": (
        {"variants": [{"id": "A", "value": "x"}, {"id": "B", "value": 2}], "parameter": "subject"},
        {"variants": [{"id": "A", "weight": 3}, {"id": "B"}, {"id": "C"}], "unit": "key"},
    ),
    "exp.decide": (
        {"test": "split", "variants": [{"id": "A"}, {"id": "B"}]},
        {"test": "split", "variants": [{"id": "A", "weight": 3}, {"id": "B"}], "metric": "clicked", "method": "ahead"},
    ),
    "flow.delay_until": (
        {"date": "event.starts_at", "before": "P1D"},
        {"date": "joined", "after": "P3D", "at": "09:00"},
        {"date": "var.position"},
    ),
    "trigger.schedule": (
        {"every": "once"},
        {"every": "week", "weekdays": ["tue"], "watch_for": "P40D"},
        {"every": "month", "day": 31, "times": 2},
    ),
    "trigger.segment": ({"rule": RULE, "watch_for": "P5D"}, {"rule": "age > 30", "on": "leave", "watch_for": "P5D"}),
    "trigger.date": (
        {"field": "joined", "watch_for": "P20D"},
        {"field": "joined", "yearly": True, "offset_days": -7, "watch_for": "P9D"},
    ),
    "trigger.message_activity": ({}, {"activity": "bounced", "step": "mail_1", "re_entry": "every_time"}),
    "trigger.catalog": (
        {"feed": "shop.csv", "watch_for": "P9D"},
        {"feed": "shop.csv", "change": "low_stock", "watch_for": "P9D"},
    ),
    "source.rss": ({"feed": "https://example.com/feed"}, {"feed": "news.xml", "every": "day", "weekdays": []}),
    "send.sms": (
        {"body": "Hello {{ contact.name }}. Reply STOP to end."},
        {"body": "s1.en.txt", "purpose": "transactional"},
    ),
    "send.push": ({"subject": "Hi", "body": "News for you"},),
    "send.internal": ({"to": "sales@example.com", "subject": "Call {{ contact.name }}", "body": "Please call."},),
    "web.page": ({"subject": "Guide", "body": "# The guide"},),
    "web.form": ({"form": "guide"}, {"form": "offer", "fields": [{"name": "size", "label": "Size"}]}),
    "data.update": (
        {"changes": [{"field": "stage", "value": "lead"}, {"action": "append", "field": "tags", "value": "hot"}]},
        {"changes": [{"action": "grant", "field": "marketing", "value": "confirmed by link"}]},
    ),
    "data.event": ({"event": "became_lead"}, {"event": "sale", "value": "49.90", "key": "none"}),
    "content.offer": ({"code": "SPRING"}, {"kind": "unique", "code": "S-"}),
    "content.recommend": ({}, {"strategy": "last_viewed", "fallback": "none"}),
    "exp.holdout": ({}, {"share": 0.5, "unit": "key"}),
    "send.http": (
        {"url": "https://crm.example/contacts/{{ key|default('none')|urlencode }}"},
        {
            "url": "https://crm.example/contacts",
            "body": [{"name": "country", "value": "{{ contact.country|default('') }}"}],
            "headers": [{"name": "Authorization", "value": "secret://crm"}],
            "knows_key": True,
            "also_done": "409, 410",
            "values": [{"name": "plan", "path": "customer.plan", "example": "gold", "keep": True}],
            "checks": [{"path": "ok", "value": "true"}],
        },
    ),
    "send.email": (
        {"subject": "Hi", "body": MJML},
        {"subject": "Hi", "body": "m1.en.mjml", "purpose": "transactional"},
    ),
}
OWN_KINDS = {"data.event": ("became_lead", "sale"), "data.update": ("updated",), "content.offer": ("offered",)}
CASES = [(node_id, index) for node_id in catalogue() for index in range(len(EXAMPLES.get(node_id, ({},))))]
every_type = pytest.mark.parametrize("node_id", list(catalogue()))
every_example = pytest.mark.parametrize(("node_id", "example"), CASES)
every_waiting_example = pytest.mark.parametrize(
    ("node_id", "example"), [case for case in CASES if catalogue()[case[0]].declaration.role in ("wait", "goal")]
)
every_step_example = pytest.mark.parametrize(
    ("node_id", "example"), [case for case in CASES if catalogue()[case[0]].declaration.role != "source"]
)


def made(node_id: str, example: int) -> NodeType:
    node_class = catalogue()[node_id]
    return node_class(node_class.Parameters.model_validate(EXAMPLES[node_id][example]))


def test_every_type_has_an_example() -> None:
    assert set(EXAMPLES) == set(catalogue())


@every_type
def test_declaration_is_complete(node_id: str) -> None:
    declaration = catalogue()[node_id].declaration
    assert declaration.id == node_id and re.fullmatch(r"[a-z]+\.[a-z_]+", node_id)
    assert declaration.version >= 1
    assert declaration.group in GROUPS
    assert set(declaration.needs) <= set(NEEDS)
    assert resources.path("icons", f"{declaration.icon}.svg").is_file()
    assert declaration.title[0].isupper() and not declaration.title.endswith(".")
    assert declaration.summary[0].isupper() and declaration.summary.endswith(".")
    assert "!" not in declaration.title + declaration.summary
    assert (declaration.inputs == ()) == (declaration.role == "source")


def fields_of(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every field, those of nested models included."""
    for name, field in model.model_fields.items():
        yield f"{path}{name}", field
        for argument in getattr(field.annotation, "__args__", ()):
            if isinstance(argument, type) and issubclass(argument, BaseModel):
                yield from fields_of(argument, f"{path}{name}.")


@every_type
def test_every_parameter_has_title_and_help(node_id: str) -> None:
    model = catalogue()[node_id].Parameters
    assert issubclass(model, Parameters)
    for path, field in fields_of(model):
        assert field.title and field.title[0].isupper() and not field.title.endswith("."), path
        assert field.description and field.description.endswith((".", "?")), path
        assert len(field.description) > 20, path
        assert not re.search(r"\b(str|int|bool|None|null|regex)\b|!", field.description), path


@every_type
def test_unknown_parameters_are_refused(node_id: str) -> None:
    with pytest.raises(ValidationError):
        catalogue()[node_id].Parameters.model_validate({**EXAMPLES[node_id][0], "no_such_parameter": 1})


@every_example
def test_parameters_survive_a_file(node_id: str, example: int) -> None:
    model = catalogue()[node_id].Parameters
    parameters = model.model_validate(EXAMPLES[node_id][example])
    assert model.model_validate_json(parameters.model_dump_json()) == parameters
    assert model.model_json_schema()["type"] == "object"


@every_example
def test_role_and_protocols_agree(node_id: str, example: int) -> None:
    node = made(node_id, example)
    assert isinstance(node, NodeType)
    wanted = {
        "source": isinstance(node, Source) != isinstance(node, EventTrigger),
        "wait": isinstance(node, Waits),
        "goal": isinstance(node, Waits) and isinstance(node, Watches),
        "send": isinstance(node, Sends),
        "pure": not isinstance(node, (Source, EventTrigger, Waits, Listens, Sends)),
        "exit": not isinstance(node, (Source, EventTrigger, Waits, Listens, Sends)),
    }
    assert wanted[node.declaration.role]


@every_example
def test_outputs_are_stable_distinct_words(node_id: str, example: int) -> None:
    outputs = made(node_id, example).outputs()
    assert outputs == made(node_id, example).outputs()
    assert len(set(outputs)) == len(outputs)
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", port) for port in outputs)
    assert "error" not in outputs
    assert bool(outputs) == (catalogue()[node_id].declaration.role != "exit")


PERSON = st.tuples(
    st.sampled_from(["DE", "AT", "", None]),
    st.sampled_from([None, 20, 35, 50]),
    st.sampled_from(["a@example.com", "nobody", None]),
    st.sampled_from(["UTC", "Asia/Tokyo", "nowhere", None]),
    st.sampled_from(["granted", "withdrawn", None]),
)
HAPPENED = st.tuples(
    st.integers(1, 8),
    st.sampled_from(["order", "clicked", "unsubscribed", "sent"]),
    st.integers(-5, 90),
    st.sampled_from(["a", "b", None]),
)
TRAVELLER = st.tuples(st.integers(1, 8), st.sampled_from(["a", "b", "c", None]), st.integers(0, 40))


@st.composite
def situations(draw: st.DrawFn) -> tuple[World, pl.DataFrame]:
    """People with all their gaps, a history (some of it to come), and instances among them in any order."""
    persons = draw(st.lists(PERSON, min_size=8, max_size=8))
    country, age, address, zone, consent = zip(*persons, strict=True)
    known = people(8, country=country, zone=zone).with_columns(
        pl.Series("age", age, dtype=pl.Int64), pl.Series("email", address, dtype=pl.String)
    )
    consents = [
        {"contact_id": who, "topic": "marketing", "state": state, "at": ago(days=1)}
        for who, state in enumerate(consent, start=1)
        if state
    ]
    agreed = {"contact_id": pl.UInt32, "topic": pl.String, "state": pl.String, "at": pl.Datetime("us", "UTC")}
    log = [
        {"contact_id": who, "kind": kind, "occurred_at": ago(days=days), "key": key, "run_id": "run-1"}
        for who, kind, days, key in draw(st.lists(HAPPENED, max_size=10))
    ]
    travellers = draw(st.lists(TRAVELLER, max_size=12, unique_by=lambda row: row[:2]))
    who, keys, days = zip(*travellers, strict=True) if travellers else ((), (), ())
    batch = instances(who, keys=keys).with_columns(
        (pl.col("entered_at") - pl.duration(days=pl.Series(days, dtype=pl.Int64))).alias("entered_at"),
        pl.int_range(pl.len()).cast(pl.Float64).alias("var.position"),
    )
    return World(known, pl.DataFrame(consents, schema=agreed), events=events(log)), batch


def places(outcome: Outcome) -> dict[str, pl.DataFrame]:
    """Where the instances of a batch ended up."""
    kept = {"(wait)": outcome.wait, "(send)": outcome.send, "(ended)": outcome.ended}
    return {**outcome.out, **{place: frame for place, frame in kept.items() if frame is not None}}


def landed(outcome: Outcome) -> list[int]:
    found = [instance for frame in places(outcome).values() for instance in frame["instance_id"]]
    return sorted(found + [item.instance_id for item in outcome.quarantined])


SETTINGS = Settings(quiet_hours=("20:00", "07:00"))


@every_step_example
@given(situation=situations())
@share(0.14)
def test_every_instance_lands_in_exactly_one_place(
    node_id: str, example: int, situation: tuple[World, pl.DataFrame]
) -> None:
    world, batch = situation
    node = made(node_id, example)
    outcome = ran(node, batch, world.context(settings=SETTINGS))
    assert landed(outcome) == sorted(batch["instance_id"])
    assert set(outcome.out) <= set(node.outputs())
    role = node.declaration.role
    assert (outcome.send is None) == (role != "send")
    assert (outcome.ended is None) == (role != "exit")
    assert (outcome.wait is None) == (role not in ("wait", "goal"))


@every_step_example
@given(situation=situations())
@share(0.1)
def test_what_travels_on_is_whole_and_in_order(
    node_id: str, example: int, situation: tuple[World, pl.DataFrame]
) -> None:
    world, batch = situation
    outcome = ran(made(node_id, example), batch, world.context(settings=SETTINGS))
    order = {instance: place for place, instance in enumerate(batch["instance_id"])}
    for place, frame in places(outcome).items():
        waiting = ["due_at"] if place == "(wait)" else []
        new = [name for name in frame.columns if name not in batch.columns]
        assert all(name.startswith("var.") or name in waiting for name in new), place
        assert {name: frame.schema[name] for name in INSTANCE_SCHEMA} == INSTANCE_SCHEMA
        arrived = [order[instance] for instance in frame["instance_id"]]
        assert arrived == sorted(arrived), "rows change places"
        unchanged = [name for name in batch.columns if name != "arms"]
        assert frame.select(unchanged).equals(batch[arrived].select(unchanged))
        assert all(a.startswith(b) for a, b in zip(frame["arms"], batch[arrived]["arms"], strict=True))
    if outcome.wait is not None:
        assert outcome.wait.schema["due_at"] == pl.Datetime("us", "UTC")
        assert outcome.wait.filter(pl.col("due_at") <= NOW).is_empty()


@every_step_example
@given(situation=situations())
@share(0.1)
def test_recorded_events_are_whole(node_id: str, example: int, situation: tuple[World, pl.DataFrame]) -> None:
    world, batch = situation
    recorded = ran(made(node_id, example), batch, world.context(settings=SETTINGS)).events
    if recorded is None:
        return
    assert dict(recorded.schema) == EVENT_SCHEMA
    assert set(recorded["kind"]) <= {*RUN_KINDS, *OWN_KINDS.get(node_id, ())}
    assert set(recorded["instance_id"]) <= set(batch["instance_id"])
    assert not recorded.select("instance_id", "kind").is_duplicated().any()
    assert recorded.filter(pl.col("occurred_at") != NOW).is_empty()
    addresses = "|".join(re.escape(address) for address in world.people["email"].drop_nulls().unique())
    assert not addresses or recorded.filter(pl.col("properties").str.contains(addresses)).is_empty(), "person data"


@every_step_example
@given(situation=situations(), cut=st.integers(0, 12))
@share(0.1)
def test_chunks_and_repetition_change_nothing(
    node_id: str, example: int, situation: tuple[World, pl.DataFrame], cut: int
) -> None:
    world, batch = situation
    context = world.context(settings=SETTINGS)
    node = made(node_id, example)
    whole, again = places(ran(node, batch, context)), places(ran(made(node_id, example), batch, context))
    parts = []
    for part in (batch[:cut], batch[cut:]):
        outcome = ran(node, part, context)
        parts.append(places(outcome))
        context = context if outcome.note is None else replace(context, note=outcome.note)
    for place, frame in whole.items():
        assert again[place].equals(frame)
        assert pl.concat([part[place] for part in parts]).equals(frame), place


@every_waiting_example
@given(situation=situations())
@share(0.1)
def test_what_waits_comes_back_whole(node_id: str, example: int, situation: tuple[World, pl.DataFrame]) -> None:
    world, batch = situation
    node = made(node_id, example)
    outcome = ran(node, batch, world.context(settings=SETTINGS))
    assert outcome.wait is not None
    latest = outcome.wait["due_at"].max()
    context = world.context(latest if isinstance(latest, datetime) else NOW, settings=SETTINGS)
    back = resumed(node, outcome.wait, context)
    assert landed(back) == sorted(outcome.wait["instance_id"])
    assert back.wait is None or back.wait.filter(pl.col("due_at") <= context.now).is_empty()
    for frame in back.out.values():
        assert frame.columns == batch.columns
    without_due = resumed(node, outcome.wait.drop("due_at"), context)
    assert landed(without_due) == landed(back)


@every_waiting_example
def test_listeners_answer_in_the_agreed_shape(node_id: str, example: int) -> None:
    node = made(node_id, example)
    if not isinstance(node, Listens):
        return
    waiting = instances([1, 2], keys=["a", "b"]).with_columns(
        (pl.col("entered_at") + timedelta(minutes=30)).alias("due_at")
    )
    log = events(
        [
            {"contact_id": 1, "kind": kind, "occurred_at": NOW + timedelta(minutes=5), "key": "a"}
            for kind in node.event_kinds()
        ]
    )
    for batch, shown in ((waiting, log), (waiting.clear(), log), (waiting, log.clear())):
        found = node.match(batch, shown, World(people(2)).context(NOW + timedelta(minutes=10)))
        assert set(found.columns) == {"instance_id", "event_id", "occurred_at", "value", "currency", "port"}
        assert set(found["instance_id"]) <= set(batch["instance_id"])
        assert set(found["port"].drop_nulls()) <= set(node.outputs())
    assert node.match(waiting, log, World(people(2)).context(NOW + timedelta(minutes=10))).height > 0


@every_example
def test_sources_go_to_their_end(node_id: str, example: int) -> None:
    node = made(node_id, example)
    if not isinstance(node, Source):
        return
    world = World(people(20), sources={"people.csv": list(range(1, 12))})
    cursor, chunks, now = None, 0, NOW
    while chunks == 0 or cursor is not None:
        entries, cursor = asyncio.run(node.produce(cursor, 4, world.context(now, started_at=NOW)))
        assert {"contact_id", "key"} <= set(entries.columns)
        chunks += 1
        assert chunks < 2_000
        if isinstance(node, Paced) and cursor is not None:
            due = node.due(cursor)
            now = max(now, due) if due is not None else now
