"""Journeys with the product's own nodes and store: cart recovery in a simulation, a holdout with a test mailing."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from studio.connectors.fake import FakeMailer
from studio.connectors.message import build_message
from studio.connectors.simulator import SimulatedAudience
from studio.domain.ports import RunRow
from studio.domain.run import RunView, fold
from studio.domain.validation import check
from studio.domain.workflow import Workflow, parse_workflow
from studio.engine.clocks import doze
from studio.engine.driver import Driver, Surroundings
from studio.nodes.discovery import catalogue
from studio.store import Store
from tests.engine.bench import START, Mailers
from tests.engine.memory_store import events_frame

MJML = (
    "<mjml><mj-body><mj-section><mj-column><mj-text>Hello {{ contact.name|default('you') }}</mj-text>"
    "<mj-text>{{ postal_address }} <a href='{{ unsubscribe_url }}'>Unsubscribe</a></mj-text>"
    "</mj-column></mj-section></mj-body></mjml>"
)
PEOPLE = 40
LATER = START + timedelta(days=400)


class _Wall:
    def now(self) -> datetime:
        return START


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "shop", clock=_Wall()) as opened:
        rows = [{"key": f"k{i}", "email": f"p{i}@example.invalid", "name": f"Person {i}"} for i in range(PEOPLE)]
        opened.contacts.upsert_contacts(pl.DataFrame(rows), "test")
        ids = opened.contacts.at(START).ids(-1, PEOPLE)
        consents = {"channel": "email", "topic": "marketing", "state": "granted", "basis": "test", "source": "test"}
        stated = pl.DataFrame({"contact_id": ids}).with_columns(at=pl.lit(START - timedelta(days=9)))
        stated = stated.with_columns(pl.lit(value).alias(name) for name, value in consents.items())
        opened.contacts.add_consents(stated.filter(pl.col("contact_id") != ids[0]))
        yield opened


def made(nodes: dict[str, tuple[str, dict]], *edges: str) -> Workflow:
    links = [tuple(part.strip() for part in edge.split(">")) for edge in edges]
    document = {
        "name": "Journey",
        "nodes": [{"id": i, "type": kind, "parameters": parameters} for i, (kind, parameters) in nodes.items()],
        "edges": [{"from": source.split("."), "to": [target, "in"]} for source, target in links],
    }
    flow = parse_workflow(json.dumps(document))
    assert check(flow, catalogue()) == []
    return flow


def mail(subject: str) -> tuple[str, dict]:
    return "send.email", {"subject": subject, "body": MJML}


def run(store: Store, flow: Workflow, mode: str, mailer: FakeMailer, **options) -> RunView:
    surroundings = Surroundings(
        runs=store.runs,
        events=store.events,
        contacts=store.contacts,
        catalogue=catalogue(),
        mailers=Mailers(mailer),
        simulator=SimulatedAudience(),
        build=build_message,
        wall=_Wall(),
        tick=time.monotonic,
        doze=doze,
    )
    driver = Driver(surroundings)
    row = RunRow(
        run_id="r1", workflow_id="w", version=flow.content_hash(), name="Journey", mode=mode, seed=5, clock="max",
        state="queued", started_at=START, at=START, options=options,
    )  # fmt: skip
    driver.begin(row, flow)
    state = asyncio.run(driver.run("r1"))
    view = fold(RunView("r1"), store.runs.run_events("r1"))
    assert state == view.state == "done", view
    return view


def people(store: Store, kind: str) -> Counter[tuple[str | None, int]]:
    """(key, contact) of the events of a kind."""
    rows = store.events.at(LATER).rows([kind], since=START)
    return Counter(rows.select("key", "contact_id").rows())


@pytest.mark.slow
def test_cart_recovery_simulated(store: Store) -> None:
    ids = store.contacts.at(START).ids(-1, PEOPLE).to_list()
    rows = []
    for place, contact in enumerate(ids):
        at = START + timedelta(minutes=37 * (place + 1))
        common = {"contact_id": contact, "key": f"cart{place}", "value": 80.0, "currency": "EUR"}
        rows.append({**common, "event_id": place + 1, "kind": "cart", "occurred_at": at})
        if place % 4 == 1:
            rows.append(
                {**common, "event_id": 1_000 + place, "kind": "order", "occurred_at": at + timedelta(minutes=20)}
            )
    flow = made(
        {
            "cart": ("trigger.event", {"event": "cart", "instance_key": "key"}),
            "wait": (
                "flow.wait_for",
                {"branches": [{"id": "ordered", "event": "order", "match_key": True}], "timeout": "PT1H"},
            ),
            "m1": mail("Your cart"),
            "wait2": (
                "flow.wait_for",
                {"branches": [{"id": "ordered", "event": "order", "match_key": True}], "timeout": "PT23H"},
            ),
            "m2": mail("Still there"),
            "goal": ("flow.goal", {"event": "order", "window": "P7D", "match_key": True, "action": "continue"}),
            "bought": ("flow.exit", {"reason": "bought"}),
        },
        "cart.out > wait",
        "wait.ordered > bought",
        "wait.timeout > m1",
        "m1.out > wait2",
        "wait2.ordered > bought",
        "wait2.timeout > m2",
        "m2.out > goal",
    )
    store.import_events([events_frame(rows)], source="test")
    store.import_events([events_frame(rows)], source="test")
    view = run(store, flow, "simulate", FakeMailer(), rates={"convert": 0.3, "click": 0.5}, truth={})
    assert sum(people(store, "entered").values()) == PEOPLE
    assert set(people(store, "entered").values()) == {1}
    early = {(f"cart{place}", ids[place]) for place in range(PEOPLE) if place % 4 == 1}
    mailed = set(people(store, "sent"))
    assert not early & mailed
    converted = people(store, "converted")
    assert early <= set(converted)
    assert set(converted.values()) == {1}
    assert len(converted) > len(early), "some of those who were mailed bought in the simulation"
    assert view.step("wait").out == {"ordered": 10, "timeout": 30}
    assert ("cart0", ids[0]) in people(store, "blocked"), "no consent, no mail"
    assert store.runs.outbox("r1").is_empty()


def test_win_back_with_holdout_and_subject_test(store: Store) -> None:
    flow = made(
        {
            "start": ("trigger.manual", {}),
            "hold": ("exp.holdout", {"share": 0.25}),
            "ab": (
                "exp.split",
                {
                    "variants": [{"id": "A", "value": "Come back"}, {"id": "B", "value": "We miss you"}],
                    "parameter": "subject",
                },
            ),
            "m": mail("{{ var.subject }}"),
            "goal": ("flow.goal", {"event": "order", "window": "P30D"}),
        },
        "start.out > hold",
        "hold.out > ab",
        "hold.held > goal",
        "ab.A > m",
        "ab.B > m",
        "m.out > goal",
    )
    ids = store.contacts.at(START).ids(-1, PEOPLE).to_list()
    rows = [
        {"event_id": 1 + i, "kind": "order", "contact_id": ids[i], "value": 10.0, "currency": "EUR",
         "occurred_at": START + timedelta(days=3 + i)}
        for i in range(0, PEOPLE, 2)
    ]  # fmt: skip
    store.import_events([events_frame(rows)], source="test")
    mailer = FakeMailer()
    view = run(store, flow, "test", mailer)
    held = view.step("hold").out["held"]
    assert 0 < held < PEOPLE
    blocked = sum(people(store, "blocked").values())
    assert len(mailer.accepted) == PEOPLE - held - blocked
    assert len({envelope.recipient for envelope in mailer.accepted}) == len(mailer.accepted)
    subjects = {line for e in mailer.accepted for line in e.content.split(b"\r\n") if line.startswith(b"Subject")}
    assert subjects == {b"Subject: Come back", b"Subject: We miss you"}
    converted = store.events.at(LATER).rows(["converted"], since=START)
    assert sorted(converted.get_column("contact_id")) == [ids[i] for i in range(0, PEOPLE, 2) if 3 + i <= 30]
    arms = set(converted.get_column("arms"))
    assert {arm.split("|")[0] for arm in arms} <= {"hold=treated", "hold=held", "hold=control"}
    exposures = store.events.at(LATER).rows(["exposed"], since=START).filter(node_id="ab")
    exposed = dict(exposures.select("contact_id", "arms").rows())
    for contact, arm in converted.select("contact_id", "arms").rows():
        assert "ab=" not in arm or arm == exposed[contact]
    assert view.step("goal").state == "done"
    assert store.runs.get("r1").at == START + timedelta(days=30)
