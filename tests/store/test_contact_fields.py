"""Fields of a whole stretch of people are the fields asked for one by one."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from studio.store import Store, contact_fields
from tests.store.conftest import NOON

values = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | st.just([1, "x"])
)
one_type = st.one_of(
    st.just(st.booleans()), st.just(st.integers(-5, 5)), st.just(st.floats(-1e6, 1e6)), st.just(st.text(max_size=5))
)


@st.composite
def crowds(draw: st.DrawFn) -> list[dict[str, object]]:
    """Up to 12 people; some fields hold one type, one holds anything."""
    kinds = {name: draw(one_type) for name in ("a", "b c", "ö")}
    people = []
    for _ in range(draw(st.integers(1, 12))):
        person = {name: draw(kind) for name, kind in kinds.items() if draw(st.booleans())}
        people.append({**person, **({"any": draw(values)} if draw(st.booleans()) else {})})
    return people


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact_fields, "IDS_MIN", 1)


@given(
    crowds(),
    st.permutations(["a", "b c", "ö", "any", "key", "email", "nobody"]),
    st.lists(st.integers(0, 11), min_size=1),
)
@settings(
    max_examples=25, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_stretch_says_what_single_questions_say(
    store: Store, people: list[dict[str, object]], order: list[str], places: list[int]
) -> None:
    first = store.contacts.count() + 1  # one store for all examples: each has people and fields of its own
    last = first + len(people) - 1
    keys = [f"k{number}" for number in range(first, last + 1)]
    properties = [json.dumps({f"{name} {first}": value for name, value in person.items()}) for person in people]
    store.contacts.upsert_contacts(pl.DataFrame({"key": keys, "properties": properties}), "one")
    names = [name if name in ("key", "email", "nobody") else f"{name} {first}" for name in order[:4]]
    ids = pl.Series("contact_id", [first + place % len(people) for place in places], dtype=pl.UInt32)
    view = store.contacts.at(NOON)
    everybody = pl.Series("contact_id", range(first, last + 1), dtype=pl.UInt32)
    for asked in (everybody, ids):
        by_block = view.fields(asked, names)
        assert by_block.equals(view._selected(asked, names))
        assert by_block.equals(view._few.fields(asked, names))


def test_what_changes_is_seen_at_once(store: Store) -> None:
    def tiers(*wanted: int) -> list[object]:
        asked = pl.Series("contact_id", wanted, dtype=pl.UInt32)
        return store.contacts.at(NOON).fields(asked, ["tier", "name"]).rows()

    store.contacts.upsert_contacts(
        pl.DataFrame({"key": ["a", "b"], "properties": ['{"tier":"tin"}', '{"tier":"gold"}']}), "one"
    )
    assert tiers(1, 2) == [(1, "tin", None), (2, "gold", None)]
    with pytest.raises(RuntimeError), store.transaction():
        store.contacts.upsert_contacts(pl.DataFrame({"key": ["a"], "properties": ['{"tier":"lost"}']}), "one")
        assert tiers(1, 2) == [(1, "lost", None), (2, "gold", None)]
        raise RuntimeError
    assert tiers(1, 2) == [(1, "tin", None), (2, "gold", None)]
    store.contacts.upsert_contacts(pl.DataFrame({"key": ["a"], "properties": ['{"tier":"gold"}']}), "one")
    assert tiers(1, 2, 3) == [(1, "gold", None), (2, "gold", None), (3, None, None)]


def test_blocks_are_made_once_and_dropped_by_whoever_writes(store: Store) -> None:
    def made() -> set[str]:
        with store._database.read() as connection:
            rows = connection.exec_driver_sql("SELECT name FROM contact_columns ORDER BY id")
            return {row[0] for row in rows}

    people = pl.DataFrame({"key": [f"k{n}" for n in range(50)], "properties": [f'{{"n":{n}}}' for n in range(50)]})
    store.contacts.upsert_contacts(people, "one")
    view = store.contacts.at(NOON)
    everybody = pl.Series("contact_id", range(1, 51), dtype=pl.UInt32)
    assert made() == set()
    view.fields(everybody, ["n"])
    assert made() == {"", "contact_id", "n"}
    assert view.fields(everybody.gather([2, 39]), ["n", "email"]).rows() == [(3, 2, None), (40, 39, None)]
    assert made() == {"", "contact_id", "n", "email"}
    with store._database.write() as connection:
        connection.exec_driver_sql("""UPDATE contacts SET properties = '{"n":7}' WHERE id = 40""")
    assert made() == set()
    assert view.fields(everybody.gather([2, 39]), ["n"]).rows() == [(3, 2), (40, 7)]
    store.contacts.upsert_contacts(pl.DataFrame({"key": ["new"], "properties": ['{"n":1.5}']}), "two")
    assert made() == set()
    assert view.fields(everybody.gather([2, 39]), ["n"]).rows() == [(3, 2.0), (40, 7.0)]
    with store._database.write() as connection:
        connection.exec_driver_sql("DELETE FROM contact_sources WHERE contact_id = 51")
        connection.exec_driver_sql("DELETE FROM contacts WHERE id = 51")
    assert made() == set()


def test_blocks_of_a_large_import_are_there_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact_fields, "BLOCK", 50_000)
    monkeypatch.setattr(contact_fields, "_BUILT_FROM", 30)
    people = pl.DataFrame({"key": [f"k{n}" for n in range(50)], "properties": [f'{{"n":{n}}}' for n in range(50)]})
    store.contacts.upsert_contacts(people, "one")
    with store._database.read() as connection:
        rows = connection.exec_driver_sql("SELECT name FROM contact_columns WHERE first = 1")
        assert {row[0] for row in rows} == {"", "contact_id", "n", "email"}


def test_ids_come_out_of_blocks_as_out_of_rows(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact_fields, "BLOCK", 20)
    monkeypatch.setattr(contact_fields, "_BUILT_FROM", 1)
    people = pl.DataFrame({"key": [f"k{n}" for n in range(70)]})
    with store.transaction():
        store.contacts.upsert_contacts(people, "one")
        with store._database.write() as connection:
            connection.exec_driver_sql("DELETE FROM contact_sources WHERE contact_id IN (1, 20, 21, 33)")
            connection.exec_driver_sql("DELETE FROM contacts WHERE id IN (1, 20, 21, 33)")
            connection.exec_driver_sql("DELETE FROM contact_columns")  # triggers know blocks of 50,000 only
    view = store.contacts.at(NOON)
    left = [n for n in range(1, 71) if n not in (1, 20, 21, 33)]
    for is_made in (False, True):
        assert (store.contacts._blocks.ids(0, 5) is not None) == is_made
        for after, limit in ((-1, 100), (0, 3), (19, 4), (25, 30), (69, 5), (70, 5), (500, 1)):
            assert view.ids(after, limit).to_list() == [n for n in left if n > after][:limit]
        for first in (1, 21, 41, 61):
            with store._database.write() as connection:
                contact_fields.build(connection, first, ["email"])
