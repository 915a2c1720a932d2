"""Every template of the catalogue, made into a workflow and run over simulated people, in memory."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from studio.connectors.fake import FakeMailer
from studio.connectors.feeds import Feeds
from studio.connectors.message import build_message
from studio.connectors.simulated_entries import Beginning, made_up_entries
from studio.connectors.simulator import SimulatedAudience
from studio.domain.ports import RunRow
from studio.domain.run import RunView, fold
from studio.domain.template import Template
from studio.domain.validation import check
from studio.domain.workflow import Workflow
from studio.engine.clocks import doze
from studio.engine.driver import Driver, Surroundings
from studio.gallery.catalogue import catalogue
from studio.gallery.context import read_text
from studio.gallery.customise import fill, instantiate
from studio.nodes.discovery import catalogue as node_catalogue
from tests.engine.bench import Mailers
from tests.engine.memory_store import MemoryContacts, MemoryEvents, MemoryLog, MemoryRuns, events_frame

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
PEOPLE = 48
TEMPLATES = tuple(template.id for template in catalogue().list())
PRODUCTS = ("Oak writing desk", "Desk lamp", "Wool rug", "Reading chair")
BUSINESS = read_text("Mill & Mortar sells spices online at www.mill-mortar.example. We give 10 % off a first order.")


class People(MemoryContacts):
    """Contacts with what templates ask for: dates, numbers, an address in the mail, the phone and the app."""

    def fields(self, ids, names):
        return pl.DataFrame({"contact_id": ids, **{name: [self.field(name, i) for i in ids] for name in names}})

    def few(self, ids, names):
        found = self.fields(pl.Series("contact_id", ids, dtype=pl.UInt32), names)
        return dict(found.schema), found.to_dicts()

    def names(self):
        return ("key", "email", "name", "first_name", "phone", "push_token", "language", "zone", *DATES, *OTHERS)

    def field(self, name: str, number: int) -> object:
        if name in DATES:
            return (START.date() + timedelta(days=DATES[name] + number % 40)).isoformat()
        if name == "birthday":
            return (datetime(1980, 1, 1, tzinfo=UTC).date() + timedelta(days=60 + number % 60)).isoformat()
        known = {
            "key": str(number),
            "email": f"p{number}@example.invalid",
            "name": f"Person {number}",
            "first_name": "Zoë" if number % 2 else None,
            "phone": f"+49170{number:07d}",
            "push_token": f"device-{number:08d}",
            "language": "de" if number % 3 else "en",
            "zone": "Europe/Berlin",
            **{field: values[number % len(values)] for field, values in OTHERS.items()},
        }
        return known.get(name)


DATES = {"birthday": 0, "renews_on": 20, "card_expires_on": 25, "stays_from": 12, "trial_ends_on": 14, "runs_out_on": 6}
OTHERS = {
    "city": ("Hamburg", "Bremen"),
    "country": ("DE", "AT"),
    "score": (10, 70),
    "health": (20, 90),
    "employees": (20, 500),
    "interest": ("pricing", "security"),
    "status": ("pending", None),
    "last_gift": (25, 200),
    "sms_ok": (True, False, False),
}


def beginnings(template: Template, workflow: Workflow) -> list[pl.DataFrame]:
    """What starts the workflow, made up as the program does for trying it out; and a past for rules to look at."""
    people = pl.Series("contact_id", range(PEOPLE), dtype=pl.UInt32)
    found = [made_up_history()]
    for node in workflow.nodes:
        bound = workflow.bound(node)
        if node.type == "trigger.event":
            beginning = Beginning(kind=str(bound["event"]), sample=template.sample)
        elif node.type == "web.form":
            beginning = Beginning(kind="form_submitted", key=str(bound["form"]), sample=template.sample)
        elif node.type == "trigger.message_activity":
            beginning = Beginning(kind=str(bound.get("activity", "clicked")), sample=template.sample)
        else:
            continue
        found.append(made_up_entries(beginning, people, START, run_id="r1", seed=3).with_columns(run_id=pl.lit(None)))
    return found


def made_up_history() -> pl.DataFrame:
    rows: list[dict[str, object]] = []
    for person in range(PEOPLE - 14):
        for place, days in enumerate((12, 45, 140, 200, -8)):
            if (person + place) % 4 < 2 or person % 4 == 3:
                product = PRODUCTS[(person + place) % 4]
                kinds = (
                    ("order", "viewed", "cart_updated")
                    if place % 2 or (person % 4 == 3 and place < 4)
                    else ("viewed", "visited", "clicked", "used", "wished")
                )
                rows += [
                    {
                        "event_id": 10_000 * (person + 1) + 10 * place + number,
                        "contact_id": person,
                        "kind": kind,
                        "occurred_at": START - timedelta(days=days + person % 9, hours=number),
                        "value": 40.0 if kind == "order" else None,
                        "currency": "EUR" if kind == "order" else None,
                        "key": f"h{person}-{place}",
                        "actor": "human",
                        "properties": json.dumps({"product": product, "url": "https://example.com/p"}),
                    }
                    for number, kind in enumerate(kinds)
                ]
    return events_frame(rows)


def run(template: Template, workflow: Workflow, mode: str = "simulate") -> tuple[RunView, Counter[str], FakeMailer]:
    log, mailer = MemoryLog(), FakeMailer()
    runs = MemoryRuns(log)
    log.append(pl.concat(beginnings(template, workflow)))
    surroundings = Surroundings(
        runs=runs,
        events=MemoryEvents(log),
        contacts=People(PEOPLE),
        catalogue=node_catalogue(),
        mailers=Mailers(mailer),
        simulator=SimulatedAudience(),
        build=build_message,
        feeds=Feeds(),
        wall=_Wall(),
        tick=time.monotonic,
        doze=doze,
    )
    rates = {**template.simulation, "open": 0.9, "click": 0.6, "convert": 0.3, "unsubscribe": 0.01}
    rates |= {name: 0.5 for name in rates if name.startswith("respond:")}
    row = RunRow(
        run_id="r1", workflow_id="w", version=workflow.content_hash(), name="T", mode=mode, seed=5, clock="max",
        state="queued", started_at=START, at=START, options={"rates": rates, "truth": {}, "step": "P2D"},
    )  # fmt: skip
    driver = Driver(surroundings)
    driver.begin(row, workflow)
    kinds: Counter[str] = Counter()
    for days in (18, 36):
        asyncio.run(driver.run("r1", until=START + timedelta(days=days)))
        kinds = Counter(log.all.filter(pl.col("run_id") == "r1").get_column("kind").to_list())
        if kinds["sent"] > 5 and kinds["converted"]:
            break  # the rest of the journey would show the same again
    return fold(RunView("r1"), runs.run_events("r1")), kinds, mailer


def test_everything_a_template_sends_is_caught_in_a_test_run() -> None:
    """Mails, texts and notices of one template, all in the mailbox that catches test mail; nothing else is reached."""
    entry = catalogue().entry("appointment-reminder")
    workflow = instantiate(entry, fill(entry, BUSINESS, language="en"), BUSINESS)
    view, kinds, mailer = run(entry.template, workflow, "test")
    assert view.state in ("done", "waiting")
    addresses = [envelope.recipient for envelope in mailer.accepted]
    assert any(address.endswith("@sms.invalid") for address in addresses)
    assert any(address.endswith("@example.invalid") for address in addresses)
    assert kinds["sent"] == len(addresses)


class _Wall:
    def now(self) -> datetime:
        return START


@pytest.mark.parametrize("template_id", TEMPLATES)
def test_a_run_over_simulated_people_brings_sensible_results(template_id: str) -> None:
    entry = catalogue().entry(template_id)
    workflow = instantiate(entry, fill(entry, BUSINESS, language="de" if len(template_id) % 2 else "en"), BUSINESS)
    assert check(workflow, node_catalogue()) == []
    view, kinds, _ = run(entry.template, workflow)
    troubles = {(step.node_id, str(problem)) for step in view.steps.values() for problem in step.problems}
    assert not troubles
    assert view.state in ("done", "waiting")
    assert kinds["entered"] > 5, kinds
    reached = kinds["sent"] + kinds["notified"] + kinds["shown"]
    assert reached > 5, kinds
    assert kinds["delivered"] > 0
    if any(node.type == "flow.goal" for node in workflow.nodes):
        assert kinds["converted"] > 0, kinds
    met = {step.node_id for step in view.steps.values() if step.arrived}
    assert len(met) >= 0.6 * len([node for node in workflow.nodes if node.enabled]), sorted(met)
