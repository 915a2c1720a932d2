"""What workflows change about people stands with the checkpoint that decided it, once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from studio.frames.changes import CHANGE_SCHEMA
from studio.store import Store
from studio.store.changes import apply_changes, changed

NOW = datetime(2026, 3, 2, tzinfo=UTC)


class _Wall:
    def now(self) -> datetime:
        return NOW


def applied(store: Store, *rows: tuple[int, str, str, str]) -> None:
    frame = pl.DataFrame(rows, schema=CHANGE_SCHEMA, orient="row")
    with store._database.write() as connection:
        apply_changes(connection, frame, NOW)


def test_fields_tags_numbers_and_consents(tmp_path: Path) -> None:
    with Store.open(tmp_path / "shop", clock=_Wall()) as store:
        people = pl.DataFrame({"key": ["a", "b"], "email": ["a@example.com", "b@example.com"]})
        store.contacts.upsert_contacts(people, "test")
        first, second = store.contacts.at(NOW).ids(-1, 2).to_list()
        applied(
            store,
            (first, "set", "stage", json.dumps("lead")),
            (first, "append", "tags", json.dumps("hot")),
            (first, "append", "tags", json.dumps("new")),
            (first, "append", "tags", json.dumps("hot")),
            (first, "increment", "score", json.dumps(10)),
            (first, "increment", "score", json.dumps(-3)),
            (first, "set", "name", json.dumps("Anna")),
            (second, "grant", "email:news", "confirmed by link"),
            (99, "set", "stage", json.dumps("gone")),
        )
        view = store.contacts.at(NOW)
        known = view.fields(pl.Series([first], dtype=pl.UInt32), ["stage", "tags", "score", "name", "email"])
        assert known.drop("contact_id").row(0) == ("lead", "hot,new", 7, "Anna", "a@example.com")
        said = view.consent(pl.Series([first, second], dtype=pl.UInt32), "email", "news")
        assert said["state"].to_list() == ["none", "granted"]
        applied(store, (second, "withdraw", "email:news", "asked to"), (first, "remove", "tags", json.dumps("hot")))
        view = store.contacts.at(NOW)
        assert view.consent(pl.Series([second], dtype=pl.UInt32), "email", "news")["state"].to_list() == ["withdrawn"]
        assert view.fields(pl.Series([first], dtype=pl.UInt32), ["tags"])["tags"].to_list() == ["new"]


@pytest.mark.parametrize(
    ("known", "action", "value", "then"),
    [
        (None, "increment", 5, 5),
        ("many", "increment", 5, 5),
        (2, "increment", 0.5, 2.5),
        (None, "append", "a", "a"),
        ("a,b", "remove", "a", "b"),
        (None, "remove", "a", ""),
        ("x", "set", None, None),
    ],
)
def test_one_change(known: object, action: str, value: object, then: object) -> None:
    assert changed(known, action, value) == then  # type: ignore[arg-type]
