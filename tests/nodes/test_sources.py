"""Who starts: imports, everyone, subscribers."""

from __future__ import annotations

import asyncio

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.domain.node import NodeType, Source
from tests.nodes.world import World, ago, later, node, people


def produced(made: NodeType, world: World, limit: int = 3, **context: object) -> list[list[int]]:
    """The chunks of a source, to its end."""
    assert isinstance(made, Source)
    chunks: list[list[int]] = []
    cursor: str | None = None
    while True:
        entries, cursor = asyncio.run(made.produce(cursor, limit, world.context(**context)))
        assert entries.schema == {"contact_id": pl.UInt32, "key": pl.String}
        assert entries.height <= limit
        chunks.append(entries["contact_id"].to_list())
        if cursor is None:
            return chunks


def all_of(chunks: list[list[int]]) -> list[int]:
    return [contact for chunk in chunks for contact in chunk]


def test_everyone_starts_once_chunk_by_chunk() -> None:
    assert produced(node("trigger.manual"), World(people(7))) == [[1, 2, 3], [4, 5, 6], [7]]


def test_a_full_last_chunk_is_followed_by_an_empty_one() -> None:
    assert produced(node("trigger.manual"), World(people(6))) == [[1, 2, 3], [4, 5, 6], []]


def test_nobody_starts_where_there_is_nobody() -> None:
    assert produced(node("trigger.manual"), World(people(0))) == [[]]


def test_one_import_starts_alone() -> None:
    world = World(people(9), sources={"march.csv": [2, 5, 6, 9]})
    assert produced(node("trigger.manual", audience="march.csv"), world) == [[2, 5, 6], [9]]


@pytest.mark.parametrize("limit", [1, 3, 4, 6, 7, 100])
def test_at_most_so_many_start(limit: int) -> None:
    assert all_of(produced(node("trigger.manual", limit=limit), World(people(7)))) == list(range(1, min(limit, 7) + 1))


@given(limit=st.integers(1, 500), seed=st.integers(0, 99))
def test_a_sample_is_the_same_whatever_the_chunks(limit: int, seed: int) -> None:
    made, world = node("trigger.manual", sample=0.3), World(people(400))
    chosen = all_of(produced(made, world, limit, seed=seed))
    assert chosen == all_of(produced(made, world, 400, seed=seed))
    assert 60 < len(chosen) < 180


def test_another_seed_draws_another_sample() -> None:
    made, world = node("trigger.manual", sample=0.5), World(people(100))
    assert produced(made, world, seed=1) != produced(made, world, seed=2)


def test_a_sample_can_be_limited() -> None:
    made, world = node("trigger.manual", sample=0.5, limit=10), World(people(100))
    assert len(all_of(produced(made, world))) == 10


@pytest.mark.parametrize(
    ("parameters", "source"),
    [
        ({"file": "march.csv"}, "march.csv"),
        ({"file": "/data/lists/march.csv.gz"}, "march.csv.gz"),
        ({"file": r"C:\lists\march.csv"}, "march.csv"),
        ({"file": "march.csv", "source": "Spring"}, "Spring"),
    ],
)
def test_an_import_hands_out_its_own_contacts(parameters: dict[str, str], source: str) -> None:
    world = World(people(6), sources={source: [1, 4, 6], "other": [2]})
    assert all_of(produced(node("source.import", **parameters), world)) == [1, 4, 6]


def test_subscribers_are_those_whose_last_word_is_a_consent() -> None:
    consents = pl.DataFrame(
        [
            {"contact_id": 1, "topic": "news", "state": "granted", "at": ago(days=9)},
            {"contact_id": 2, "topic": "news", "state": "granted", "at": ago(days=9)},
            {"contact_id": 2, "topic": "news", "state": "withdrawn", "at": ago(days=3)},
            {"contact_id": 3, "topic": "news", "state": "granted", "at": later(days=1)},
            {"contact_id": 4, "topic": "marketing", "state": "granted", "at": ago(days=9)},
            {"contact_id": 5, "topic": "news", "state": "withdrawn", "at": ago(days=9)},
            {"contact_id": 5, "topic": "news", "state": "granted", "at": ago(days=3)},
        ],
        schema_overrides={"contact_id": pl.UInt32},
    )
    world = World(people(6), consents, sources={"a": [4, 5]})
    assert all_of(produced(node("trigger.list", topic="news"), world, 2)) == [1, 5]
    assert all_of(produced(node("trigger.list"), world, 2)) == [4]
    assert all_of(produced(node("trigger.list", topic="news", source="a"), world)) == [5]
