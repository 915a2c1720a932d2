"""Mappings: columns, texts and constants; bad rows are named one by one, a bad mapping with everything wrong in it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from studio.connectors.mapping import ContactMapping, EventMapping, load_mapping, map_contacts, map_events
from studio.domain.errors import UserFixable


def table(**columns: list[str | None]) -> pl.DataFrame:
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)).with_row_index("row", offset=1)


def test_columns_texts_and_constants() -> None:
    mapping = ContactMapping(key="{id}", email="{id}@example.invalid", language="de", properties={"town": "city"})
    rows = map_contacts(table(id=["7", "8"], city=["Ulm", None]), mapping).rows
    assert rows["email"].to_list() == ["7@example.invalid", "8@example.invalid"]
    assert rows["language"].to_list() == ["de", "de"]
    assert rows["properties"].to_list() == ['{"town":"Ulm"}', '{"town":null}']


def test_malformed_addresses_and_missing_keys_are_named() -> None:
    mapping = ContactMapping(key="id", email="mail")
    data = table(
        id=["1", "2", None, "4", "5"],
        mail=["Anna@Example.COM", "no address", "c@example.com", "ä@exämple.de", "x@@y.de"],
    )
    mapped = map_contacts(data, mapping)
    assert mapped.rows["email"].to_list() == ["anna@example.com", "ä@exämple.de"]
    found = {(r["row"], r["field"], r["code"]) for r in mapped.rejected.iter_rows(named=True)}
    assert found == {(3, "key", "CONTACT-NO-KEY"), (2, "email", "CONTACT-ADDRESS"), (5, "email", "CONTACT-ADDRESS")}
    assert all(mapped.rejected["message"].str.len_chars() > 10)


def test_a_person_without_an_address_is_a_person() -> None:
    assert map_contacts(table(id=["1"], mail=[""]), ContactMapping(key="id", email="mail")).rows.height == 1


@pytest.mark.parametrize(
    "text",
    ["1997-10-01", "19971001", "01.10.1997", "1997-10-01T00:00:00", "1997-10-01 00:00:00", "1997-10-01T02:00:00+02:00"],
)
def test_times_in_usual_forms(text: str) -> None:
    mapping = EventMapping(kind="order", contact="id", occurred_at="at")
    rows = map_events(table(id=["1"], at=[text]), mapping).rows
    assert rows["occurred_at"].to_list() == [datetime(1997, 10, 1, tzinfo=UTC)]


def test_unreadable_times_and_amounts_are_named_once_per_row() -> None:
    mapping = EventMapping(kind="order", contact="id", occurred_at="at", value="v")
    data = table(id=["1", "2", "3", None], at=["2026-01-01", "soon", "2026-01-02", "x"], v=["1.5", "2", "NaN", "4"])
    mapped = map_events(data, mapping)
    assert mapped.rows["value"].to_list() == [1.5]
    codes = dict(mapped.rejected.select("row", "code").iter_rows())
    assert codes == {2: "EVENT-TIME", 3: "EVENT-VALUE", 4: "EVENT-NO-CONTACT"}


def test_decimal_commas() -> None:
    options = {"decimal_comma": True}
    mapping = EventMapping.model_validate(
        {"kind": "order", "contact": "id", "occurred_at": "at", "value": "v", "file": options}
    )
    rows = map_events(table(id=["1"], at=["2026-01-01"], v=["1.234,50"]), mapping).rows
    assert rows["value"].to_list() == [1234.5]


def test_a_mapping_that_does_not_fit_says_everything(tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text(
        'kind = "order"\ncontact = "custmer_id"\noccured_at = "date"\nvalue = "{amout}"\n', encoding="utf-8"
    )
    with pytest.raises(UserFixable) as caught:
        load_mapping(path, "events", ["customer_id", "date", "amount"])
    fields = {problem.field for problem in caught.value.problems}
    assert fields == {"occurred_at", "occured_at"}
    path.write_text(
        'kind = "order"\ncontact = "custmer_id"\noccurred_at = "date"\nvalue = "{amout}"\n', encoding="utf-8"
    )
    with pytest.raises(UserFixable) as caught:
        load_mapping(path, "events", ["customer_id", "date", "amount"])
    assert [problem.hint for problem in caught.value.problems] == [
        "Did you mean “customer_id”?",
        "Did you mean “amount”?",
    ]


def test_without_a_mapping_columns_of_the_fields_own_names_are_taken() -> None:
    mapping = load_mapping(None, "contacts", ["Email", "Name", "Plan"])
    assert isinstance(mapping, ContactMapping)
    assert (mapping.key, mapping.email, mapping.name, dict(mapping.properties)) == (
        "Email",
        "Email",
        "Name",
        {"Plan": "Plan"},
    )


def test_a_column_called_consent_is_no_proof_of_consent() -> None:
    mapping = load_mapping(None, "contacts", ["email", "consent"])
    assert isinstance(mapping, ContactMapping)
    assert mapping.consent is None
    assert dict(mapping.properties) == {"consent": "consent"}
