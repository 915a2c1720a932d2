"""A few people go through a workflow row by row, many by columns: what is kept of a run is the same either way."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl
import pytest

from studio.engine.attempts import attempt_few
from studio.frames import few
from studio.frames.few import Few, FewOutcome
from studio.frames.samples import PREFIX, read_sample
from studio.nodes.discovery import catalogue
from tests.engine import bench
from tests.engine.bench import START, World, workflow
from tests.engine.memory_store import events_frame
from tests.nodes.world import PeopleAt, instances, people
from tests.nodes.world import World as Crowd

PEOPLE = 24
FLOW = workflow(
    {
        "start": (
            "trigger.event",
            {"event": "visit", "filter": "value >= 2 or key is missing", "re_entry": "every_time"},
        ),
        "active": ("audience.filter", {"rule": 'score > 10 and not (name == "Person 3")'}),
        "values": (
            "data.set_fields",
            {
                "fields": [
                    {"name": "points", "value": "score * 2"},
                    {"name": "land", "value": "lower(country)"},
                    {"name": "vip", "value": "vip == true"},
                    {"name": "nothing", "value": "nobody_has_this"},
                ]
            },
        ),
        "where": (
            "flow.switch",
            {"value": "country", "cases": [{"id": "de", "values": "de"}, {"id": "alps", "values": "AT, CH"}]},
        ),
        "text": (
            "content.text",
            {
                "name": "greeting",
                "text": 'Dear {{ contact.first|default("friend") }}, {{ var.points }} in {{ var.land }}',
            },
        ),
        "rich": (
            "flow.branch",
            {"conditions": [{"id": "much", "rule": "var.points > 100"}, {"id": "vip", "rule": "var.vip"}]},
        ),
        "count": ("data.count", {"by": "country", "sum": "var.points"}),
        "wait": ("flow.delay", {"duration": "PT2H"}),
        "late": ("data.count", {"by": "var.greeting"}),
    },
    "start > active", "active.pass > values", "values > where", "where.de > text", "where.alps > text",
    "where.else > rich", "text > rich", "rich.much > count", "rich.else > count", "count > wait", "wait > late",
)  # fmt: skip


@dataclass
class Everybody:
    """Contacts of a crowd, at any moment."""

    crowd: Crowd

    def at(self, now: datetime) -> PeopleAt:
        return PeopleAt(self.crowd, now)


def crowd() -> Crowd:
    rng = random.Random(3)
    return Crowd(
        people(
            PEOPLE,
            score=[rng.choice([None, 5, 20, 60, 90]) for _ in range(PEOPLE)],
            country=[rng.choice([None, "", "DE", "de ", "AT", "CH", "É"]) for _ in range(PEOPLE)],
            vip=[rng.choice([None, True, False]) for _ in range(PEOPLE)],
            first=[rng.choice([None, "Ann", "", "B" * 9_000]) for _ in range(PEOPLE)],
        )
    )


def visits() -> pl.DataFrame:
    rng = random.Random(5)
    rows = []
    for number in range(24):
        rows.append(
            {
                "event_id": number + 1,
                "occurred_at": START + timedelta(minutes=20 * (number // 4)),
                "kind": rng.choice(["visit", "visit", "visit", "other"]),
                "contact_id": rng.randint(1, PEOPLE),
                "value": rng.choice([None, 1.0, 2.0, 1e20, 3.25]),
                "currency": "EUR",
                "key": rng.choice([None, "a", 'b"ü']),
                "properties": rng.choice([None, '{"a": 1}']),
            }
        )
    return events_frame(rows)


def kept_of_a_run(monkeypatch: pytest.MonkeyPatch, *, rows_max: int) -> dict[str, object]:
    monkeypatch.setattr(few, "FEW", rows_max)
    monkeypatch.setattr(bench, "CATALOGUE", catalogue())
    world = World(contacts=Everybody(crowd()))
    world.log.append(visits())
    world.wall.at = START - timedelta(minutes=1)
    assert world.run(FLOW, until=START + timedelta(days=1)) in ("done", "waiting")
    runs = world.runs
    told = [
        (e.seq, e.at, e.node_id, e.kind, {name: value for name, value in e.payload.items() if name != "duration_ms"})
        for e in runs.run_events("r1")
    ]
    return {
        "run events": told,
        "contact events": world.log.all.rows(),
        "ways": runs.moves("r1"),
        "entries": runs.entries("r1").rows(),
        "samples": {name: shown(read_sample(data)) for name, data in runs.kept("r1", PREFIX).items()},
        "quarantined": runs.quarantined("r1").rows(),
    }


def shown(frame: pl.DataFrame) -> tuple[dict[str, pl.DataType], list[tuple[object, ...]]]:
    return dict(frame.schema), frame.rows()


def test_a_run_keeps_the_same_by_rows_and_by_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    by_columns, by_rows = (kept_of_a_run(monkeypatch, rows_max=rows_max) for rows_max in (0, 32))
    assert len(by_columns["samples"]) >= 12  # pyright: ignore[reportArgumentType] - it is a mapping
    for name, expected in by_columns.items():
        assert by_rows[name] == expected, name


class Forgetful:
    """A node that loses one person, by rows alone."""

    def run_few(self, batch: Few, context: object) -> FewOutcome:
        return FewOutcome(out={"out": Few(batch.dtypes, batch.rows[1:])})


def test_a_node_that_loses_people_by_rows_is_asked_by_columns() -> None:
    assert attempt_few(Forgetful(), Few.of(instances([1, 2])), Crowd().context()) is None
