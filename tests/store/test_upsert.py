"""Properties and addresses of many people are read and written as one, which must mean the same as one by one."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.store import upsert
from studio.store.upsert import address_hash, address_hashes

TEXTS = st.text(max_size=6) | st.sampled_from(["}", "},\n{", ",\n", "\u2028", '"', "Σ", "ẞ", "a\nb", " x "])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
PROPERTIES = st.lists(st.none() | st.dictionaries(TEXTS, VALUES, max_size=4), max_size=6)


@given(PROPERTIES)
def test_properties_are_read_and_written_as_one_by_one(people: list[dict[str, object] | None]) -> None:
    texts = pl.Series([None if one is None else json.dumps(one) for one in people], dtype=pl.String)
    read = upsert._read_all(texts)
    assert read == [{name: value for name, value in (one or {}).items() if value is not None} for one in people]
    assert upsert._written_all(read) == [upsert._ENCODE(one) for one in read]


@given(PROPERTIES)
def test_types_are_the_widest_of_what_is_given(people: list[dict[str, object] | None]) -> None:
    given_people = [one for one in people if one]
    types = upsert._types_in(given_people)
    for name in {name for one in given_people for name in one}:
        kinds = [upsert._type_of(one[name]) for one in given_people if name in one]
        assert types[name] == upsert._widest(kinds)


@pytest.mark.parametrize("text", ['{"a":1},{"b":2}', '{"a":[1', "[]]"])
def test_a_text_that_is_no_object_is_refused_wherever_it_stands(text: str) -> None:
    with pytest.raises(json.JSONDecodeError):
        upsert._read_all(pl.Series(['{"a":1}', text, '{"c":3}']))


@given(st.lists(st.none() | TEXTS))
def test_addresses_are_known_by_the_same_as_one_by_one(emails: list[str | None]) -> None:
    assert address_hashes(emails) == [None if email is None else address_hash(email) for email in emails]
