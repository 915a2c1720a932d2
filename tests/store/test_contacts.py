"""People: upserted by key, typed fields, consents by date, suppressions by person and by address."""

from __future__ import annotations

import json
from datetime import datetime

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.frames.events import AT
from studio.store import Store, upsert
from studio.store.contacts import Person
from studio.store.upsert import UpsertReport
from tests.store.conftest import NOON
from tests.store.test_events import minutes


def ids(*values: int) -> pl.Series:
    return pl.Series("contact_id", values, dtype=pl.UInt32)


def consents(rows: list[tuple[int, str, str, str, datetime | None]]) -> pl.DataFrame:
    columns = ["contact_id", "channel", "topic", "state", "at"]
    schema = {"contact_id": pl.UInt32, "channel": pl.String, "topic": pl.String, "state": pl.String, "at": AT}
    frame = pl.DataFrame(rows, schema=columns, orient="row", schema_overrides=schema)
    return frame.with_columns(basis=pl.lit("form"), source=pl.lit("site"))


def test_people_are_added_changed_and_left(store: Store) -> None:
    first = pl.DataFrame({"key": ["a", "b", "c"], "email": ["a@x", "b@x", None], "properties": ['{"n":1}', None, "{}"]})
    assert store.contacts.upsert_contacts(first, "one") == UpsertReport(3, 0, 0)
    assert store.contacts.upsert_contacts(first, "one") == UpsertReport(0, 0, 3)
    second = pl.DataFrame(
        {
            "key": ["c", "d", "a", "b"],
            "email": ["c@x", "d@x", None, "b@x"],
            "properties": [None, None, '{"m":"x"}', None],
        }
    )
    assert store.contacts.upsert_contacts(second, "two") == UpsertReport(1, 2, 1)
    fields = store.contacts.at(NOON).fields(ids(1, 2, 3, 4), ["key", "email", "n", "m"])
    assert fields.rows() == [
        (1, "a", "a@x", 1, "x"),
        (2, "b", "b@x", None, None),
        (3, "c", "c@x", None, None),
        (4, "d", "d@x", None, None),
    ]
    assert store.contacts.count() == 4
    assert store.contacts.sources() == {"one": 3, "two": 4}


def test_ids_are_dense_and_pages_follow_each_other(store: Store) -> None:
    store.contacts.upsert_contacts(pl.DataFrame({"key": [f"k{n}" for n in range(10)]}), "one")
    store.contacts.upsert_contacts(pl.DataFrame({"key": ["k3", "k7", "new"]}), "two")
    view = store.contacts.at(NOON)
    assert view.ids(0, 100).to_list() == list(range(1, 12))
    assert view.ids(4, 3).to_list() == [5, 6, 7]
    assert view.ids(0, 100, "two").to_list() == [4, 8, 11]
    assert view.ids(4, 1, "two").to_list() == [8]
    assert view.ids(11, 5).to_list() == []
    assert view.ids(0, 5).dtype == pl.UInt32


def test_of_equal_keys_the_last_row_counts(store: Store) -> None:
    frame = pl.DataFrame({"key": ["a", "b", "a"], "name": ["Anna", "Bo", "Anne"]})
    assert store.contacts.upsert_contacts(frame, "one") == UpsertReport(2, 0, 0)
    assert store.contacts.find("Ann") == [Person(2, "a", None, "Anne")]


def test_properties_keep_their_types_and_widen(store: Store) -> None:
    frame = pl.DataFrame(
        {
            "key": ["a", "b"],
            "properties": ['{"vip":true,"n":3,"x":1,"tags":["p","q"],"q\\"uote":"s"}', '{"vip":false,"n":4,"x":2.5}'],
        }
    )
    store.contacts.upsert_contacts(frame, "one")
    names = ["vip", "n", "x", "tags", 'q"uote', "unknown"]
    assert store.contacts.at(NOON).names()[5:] == tuple(sorted(names[:-1]))
    found = store.contacts.at(NOON).fields(ids(2, 1), names)
    assert found.dtypes == [pl.UInt32, pl.Boolean, pl.Int64, pl.Float64, pl.String, pl.String, pl.String]
    assert found.rows() == [(2, False, 4, 2.5, None, None, None), (1, True, 3, 1.0, '["p","q"]', "s", None)]
    store.contacts.upsert_contacts(pl.DataFrame({"key": ["c"], "properties": ['{"vip":"maybe","n":1.5}']}), "two")
    found = store.contacts.at(NOON).fields(ids(1, 2, 3), ["vip", "n"])
    assert found.rows() == [(1, "true", 3.0), (2, "false", 4.0), (3, "maybe", 1.5)]


def test_properties_may_come_as_a_struct(store: Store) -> None:
    frame = pl.DataFrame({"key": ["a", "b"], "properties": [{"n": 1, "city": "Ulm"}, {"n": None, "city": "Bonn"}]})
    store.contacts.upsert_contacts(frame, "one")
    assert store.contacts.at(NOON).fields(ids(1, 2), ["city", "n"]).rows() == [(1, "Ulm", 1), (2, "Bonn", None)]
    assert store.contacts.field_names() == ("key", "email", "name", "language", "zone", "city", "n")


def test_values_come_back_as_they_are(store: Store) -> None:
    values = ["\x1f", "\x1e", "a\x1fb", "", "0.30000000000000004", "Zoë “x” \\ \n", "null", "true"]
    numbers = ["0.30000000000000004", "1e300", "-0.1", "123456789012345678", "5e-324", "2", "3", "4"]
    properties = [
        json.dumps({"v": value})[:-1] + f', "n": {number}}}' for value, number in zip(values, numbers, strict=True)
    ]
    frame = pl.DataFrame({"key": [f"k{n}" for n in range(8)], "name": values, "properties": properties})
    store.contacts.upsert_contacts(frame, "one")
    for some in (ids(*range(1, 9)), ids(2, 4, 5, 6, 7, 8)):
        found = store.contacts.at(NOON).fields(some, ["name", "v", "n"])
        assert found["name"].to_list() == found["v"].to_list() == [values[number - 1] for number in some]
        assert found["n"].to_list() == [float(numbers[number - 1]) for number in some]


def test_what_is_not_a_number_is_nothing(store: Store) -> None:
    store.contacts.upsert_contacts(pl.DataFrame({"key": ["a"], "properties": ['{"n":NaN,"m":-Infinity,"k":1}']}), "one")
    assert store.contacts.at(NOON).fields(ids(1), ["k", "n"]).rows() == [(1, 1, None)]
    assert store.contacts.field_names()[5:] == ("k",)


def test_unknown_people_have_nulls_and_order_is_kept(store: Store) -> None:
    store.contacts.upsert_contacts(pl.DataFrame({"key": [f"k{n}" for n in range(1, 101)]}), "one")
    wanted = ids(77, 3, 500, 1, 77)
    found = store.contacts.at(NOON).fields(wanted, ["key"])
    assert found.rows() == [(77, "k77"), (3, "k3"), (500, None), (1, "k1"), (77, "k77")]
    assert store.contacts.at(NOON).fields(ids(), ["key"]).columns == ["contact_id", "key"]
    assert store.contacts.at(NOON).fields(wanted, []).columns == ["contact_id"]


def test_the_last_consent_by_then_counts(store: Store) -> None:
    store.contacts.upsert_contacts(pl.DataFrame({"key": ["a", "b", "c"]}), "one")
    rows = [
        (1, "email", "news", "granted", minutes(0)),
        (1, "email", "news", "withdrawn", minutes(10)),
        (1, "email", "offers", "granted", minutes(0)),
        (1, "sms", "news", "granted", minutes(20)),
        (2, "email", "news", "withdrawn", minutes(5)),
        (2, "email", "news", "granted", None),
    ]
    assert store.contacts.add_consents(consents(rows)) == 6
    assert store.contacts.at(minutes(5)).consent(ids(3, 2, 1), "email", "news").rows() == [
        (3, "none"),
        (2, "withdrawn"),
        (1, "granted"),
    ]
    assert store.contacts.at(minutes(10)).consent(ids(1), "email", "news")["state"].to_list() == ["withdrawn"]
    assert store.contacts.at(minutes(4)).consent(ids(2), "email", "news")["state"].to_list() == ["granted"]
    assert store.contacts.at(minutes(10)).consent(ids(1), "sms", "news")["state"].to_list() == ["none"]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["granted", "withdrawn"]), st.integers(0, 5)), min_size=1, max_size=6))
def test_consent_is_the_last_statement(store: Store, statements: list[tuple[str, int]]) -> None:
    number = store.contacts.count() + 1
    store.contacts.upsert_contacts(pl.DataFrame({"key": [f"k{number}"]}), "one")
    for state, at in statements:
        store.contacts.add_consents(consents([(number, "email", "news", state, minutes(at))]))
    for now in range(-1, 6):
        made = [(at, place, state) for place, (state, at) in enumerate(statements) if at <= now]
        said = store.contacts.at(minutes(now)).consent(ids(number), "email", "news")["state"][0]
        assert said == (max(made)[2] if made else "none")


def test_suppressions_hold_by_person_and_by_address(store: Store) -> None:
    people = pl.DataFrame({"key": ["a", "b", "c", "d"], "email": ["a@x", "B@X ", None, "d@x"]})
    store.contacts.upsert_contacts(people, "one")
    store.contacts.suppress(reason="bounced", at=minutes(5), contact_id=1)
    store.contacts.suppress(reason="complained", at=minutes(9), contact_id=1)
    store.contacts.suppress(reason="asked", at=minutes(0), email=" b@x")
    store.contacts.suppress(reason="no news", at=minutes(0), contact_id=4, scope="email:news")
    everyone = ids(1, 2, 3, 4)
    assert store.contacts.at(minutes(4)).suppressed(everyone, "email", "offers").rows() == [(2, "asked")]
    assert store.contacts.at(minutes(9)).suppressed(everyone, "email", "news").rows() == [
        (1, "bounced"),
        (2, "asked"),
        (4, "no news"),
    ]
    assert store.contacts.at(minutes(9)).suppressed(ids(3), "email", "news").is_empty()
    store.contacts.upsert_contacts(pl.DataFrame({"key": ["new"], "email": ["b@X"]}), "two")
    assert store.contacts.at(minutes(0)).suppressed(ids(5), "sms", "x").rows() == [(5, "asked")]


def test_people_are_found_by_any_part(store: Store) -> None:
    people = pl.DataFrame(
        {"key": ["10%", "c_1", "cx1"], "email": ["anna@x", "bo@x", "anna@y"], "name": ["Anna", None, "Bo 10"]}
    )
    store.contacts.upsert_contacts(people, "one")
    assert [person.key for person in store.contacts.find("10")] == ["10%", "cx1"]
    assert [person.key for person in store.contacts.find("0%")] == ["10%"]
    assert [person.key for person in store.contacts.find("c_1")] == ["c_1"]
    assert [person.key for person in store.contacts.find("anna@y")] == ["cx1"]
    assert [person.key for person in store.contacts.find("x", limit=1)] == ["10%"]
    assert store.contacts.ids_of(pl.Series(["cx1", "10%", "no", None, "cx1"])).sort("key").rows() == [
        ("10%", 1),
        ("cx1", 3),
    ]
    assert store.contacts.ids_of(pl.Series(["BO@x"]), by="email").rows() == [("BO@x", 2)]


def test_a_contact_without_a_key_is_refused_whole(store: Store) -> None:
    with pytest.raises(AssertionError):
        store.contacts.upsert_contacts(pl.DataFrame({"key": ["a", None]}), "one")
    assert store.contacts.count() == 0


def test_many_people_at_once_leave_the_store_as_a_few_do(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upsert, "SORTED_ONCE_FROM", 3)
    people = pl.DataFrame({"key": ["a", "b", "c"], "email": ["a@x", "B@x", None]})
    with store.transaction() as connection:
        before = connection.exec_driver_sql("SELECT sql FROM sqlite_schema WHERE tbl_name = 'contacts'").fetchall()
    assert store.contacts.upsert_contacts(people, "one").added == 3
    assert store.contacts.upsert_contacts(people, "one").unchanged == 3
    with store.transaction() as connection:
        after = connection.exec_driver_sql("SELECT sql FROM sqlite_schema WHERE tbl_name = 'contacts'").fetchall()
    assert sorted(map(str, before)) == sorted(map(str, after))
    assert store.contacts.ids_of(pl.Series(["b@X"]), by="email").rows() == [("b@X", 2)]
