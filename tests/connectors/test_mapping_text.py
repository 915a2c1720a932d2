"""A mapping made in a form is TOML that the standard reader reads back as it was."""

from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from studio.connectors.mapping import mapping_text

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NAMES = st.from_regex(r"[a-z][a-z_]{0,9}", fullmatch=True)
FIELDS = st.dictionaries(NAMES, TEXTS | st.dictionaries(TEXTS, TEXTS))


@given(FIELDS)
def test_what_is_written_is_read_back(fields: dict[str, object]) -> None:
    assert tomllib.loads(mapping_text(fields)) == fields
