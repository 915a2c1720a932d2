"""Moments as text are what formatting each of them by itself gives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.frames import moments
from studio.frames.events import AT
from studio.frames.moments import FORM, as_text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SPAN = st.integers(-2_145_916_800_000_000, 4_291_747_200_000_000).map(lambda us: EPOCH + timedelta(microseconds=us))


@given(st.lists(SPAN, max_size=20))
def test_as_text_is_the_plain_format(found: list[datetime]) -> None:
    column = pl.Series("at", found, dtype=AT)
    assert as_text(column).to_list() == [at.strftime("%Y-%m-%dT%H:%M:%S.%fZ") for at in found]
    assert as_text(column).name == "at"


@pytest.mark.parametrize("days_max", [0, 50_000])
def test_nulls_and_long_spans_are_formatted_too(monkeypatch: pytest.MonkeyPatch, days_max: int) -> None:
    monkeypatch.setattr(moments, "DAYS_MAX", days_max)
    found = [datetime(2026, 3, 2, tzinfo=UTC), None, datetime(1, 1, 1, tzinfo=UTC)]
    column = pl.Series("at", found, dtype=AT)
    for some in (column, column.drop_nulls()):
        assert as_text(some).to_list() == some.dt.strftime(FORM).to_list()
