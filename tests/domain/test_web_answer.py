"""Reading answers of strangers: what is there comes out typed, what is not is said in words, and nothing raises."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.domain.errors import UserFixable
from studio.domain.web_answer import (
    Answer,
    Expected,
    Taken,
    Taking,
    disappointment,
    example,
    parse_path,
    take,
    taken_of,
)

DOCUMENT = {
    "customer": {
        "plan": "gold",
        "seats": 12,
        "active": True,
        "since": "2026-05-01T09:30:00+02:00",
        "born": "2026-05-01",
    },
    "items": [{"id": "a1"}, {"id": "a2"}],
    "odd name": "here",
    "price": "12.50",
    "nothing": None,
}


def value(path: str, kind: str = "text", document: object = DOCUMENT) -> object:
    """What stands at a place, or why it does not."""
    answer = Answer(status=200, content=json.dumps(document).encode())
    taken = take((Taking(name="v", path=parse_path(path), kind=kind),), answer)
    return taken.values.get("v", taken.missing.get("v"))


@pytest.mark.parametrize(
    ("path", "kind", "found"),
    [
        ("customer.plan", "text", "gold"),
        ("customer.seats", "number", 12.0),
        ("customer.seats", "text", "12"),
        ("price", "number", 12.5),
        ("customer.active", "yes_no", True),
        ("customer.since", "date", "2026-05-01T07:30:00+00:00"),
        ("customer.born", "date", "2026-05-01"),
        ("items[0].id", "text", "a1"),
        ("items[-1].id", "text", "a2"),
        ('["odd name"]', "text", "here"),
        ("customer.plan", "number", "“gold” is not a number"),
        ("customer.active", "number", "“true” is not a number"),
        ("customer.seats", "yes_no", "“12” is neither yes nor no"),
        ("customer.plan", "date", "“gold” is not a date like 2026-05-01 or 2026-05-01T09:30:00Z"),
        ("customer.name", "text", "the answer has no “customer.name”"),
        ("items[2].id", "text", "the answer has no “items[2]”"),
        ("customer[0]", "text", "the answer has no “customer[0]”"),
        ("customer.plan[0]", "text", "the answer has no “customer.plan[0]”"),
        ("nothing", "text", "it is empty there"),
        ("items", "text", "it is a list or a group, not a single value"),
    ],
)
def test_values_come_out_typed_or_with_the_reason_why_not(path: str, kind: str, found: object) -> None:
    assert value(path, kind) == found


@pytest.mark.parametrize("path", [".", "a..b", ".a", "a b", "a[b]", "a[0", "a]", 'a["b"]c', ".".join("abcdefghijklm")])
def test_what_is_no_place(path: str) -> None:
    with pytest.raises(UserFixable) as caught:
        parse_path(path)
    assert caught.value.code == "WEB-PATH"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "the answer is empty"),
        (b"<html>", "the answer is not JSON"),
        (b"[" * 100_000, "the answer is not JSON"),
        (b'{"v": NaN}', "the answer is not JSON"),
        (b'{"v": ' + b"9" * 5_000 + b"}", "the answer is not JSON"),
        (b'{"v": 1e999}', "not a number"),
        (b'{"v": ' + b"9" * 400 + b"}", "not a number"),
        (b"\xff\xfe\x00", "the answer is not JSON"),
    ],
)
def test_hostile_answers_cost_only_their_values(content: bytes, why: str) -> None:
    taken = take((Taking(name="v", path=("v",), kind="number"),), Answer(status=200, content=content))
    assert why in taken.missing["v"]


def test_a_long_text_is_no_value_and_the_whole_text_and_status_can_be_one() -> None:
    assert value("v", document={"v": "x" * 501}) == "it is longer than 500 characters"
    wanted = (Taking(name="said", part="text"), Taking(name="status", part="status", kind="number"))
    assert take(wanted, Answer(status=202, content=b" queued\n")).values == {"said": "queued", "status": 202.0}
    cut = Answer(status=200, content=b"half", lack="the line broke")
    assert take(wanted, cut) == Taken({"status": 200.0}, {"said": "the line broke"})


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@given(document=_JSON, kind=st.sampled_from(["text", "number", "yes_no", "date"]))
def test_every_value_is_taken_or_told_of_and_survives_the_ledger(document: object, kind: str) -> None:
    wanted = [
        Taking(name=name, path=parse_path(path), kind=kind) for name, path in (("x", "a.b"), ("y", "[0]"), ("z", ""))
    ]
    taken = take(wanted, Answer(status=200, content=json.dumps(document).encode()))
    assert {*taken.values, *taken.missing} == {"x", "y", "z"}
    assert not {*taken.values} & {*taken.missing}
    assert taken_of(taken.to_json()) == taken


def test_an_answer_is_held_against_what_it_should_say() -> None:
    answer = Answer(status=200, content=b'{"ok": true, "state": "Queued"}')
    assert (
        disappointment((Expected(path=("ok",), value="true"), Expected(path=("state",), value="queued")), answer)
        is None
    )
    wrong = disappointment((Expected(path=("state",), value="done"),), answer)
    assert wrong == "“state” should be “done”, and is “Queued”"
    assert "has no “error”" in str(disappointment((Expected(path=("error",), value="no"),), answer))


def test_an_example_has_to_be_of_its_kind() -> None:
    assert (example("12", "number"), example("yes", "yes_no"), example("2026-05-01", "date")) == (
        12.0,
        True,
        "2026-05-01",
    )
    with pytest.raises(UserFixable, match="“gold” is not a number"):
        example("gold", "number")
