"""Times of day where clocks change: the first moment that shows them, found by walking minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.nodes.zones import next_time_of_day, within_hours

CHANGES = {
    "Europe/Berlin": (date(2026, 3, 29), date(2026, 10, 25)),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "Australia/Lord_Howe": (date(2026, 4, 5), date(2026, 10, 4)),
    "Asia/Tokyo": (date(2026, 6, 1),),
}
MINUTE = timedelta(minutes=1)
moments = st.sampled_from([(zone, day) for zone, days in CHANGES.items() for day in days]).flatmap(
    lambda chosen: st.tuples(st.just(chosen[0]), st.just(chosen[1]), st.integers(-26 * 60, 26 * 60))
)


def local(zone: str, at: datetime) -> datetime:
    return at.astimezone(ZoneInfo(zone))


@given(where=moments, hour=st.integers(0, 23), quarter=st.sampled_from([0, 15, 30, 45]))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_time_of_day_is_reached_once_a_day_whatever_the_clocks_do(
    where: tuple[str, date, int], hour: int, quarter: int
) -> None:
    zone, day, offset = where
    after = datetime.combine(day, time(12), UTC) + offset * MINUTE
    wanted = time(hour, quarter)
    found = next_time_of_day(pl.Series("zone", [zone]), after, wanted).item()
    assert after <= found <= after + timedelta(hours=26)
    walked = [after + step * MINUTE for step in range(int((found - after) / MINUTE) + 1)]
    shows = [at for at in walked if local(zone, at).time() == wanted]
    if local(zone, found).time() == wanted:
        # Of a time that comes twice the first counts, and asking after it means the next day.
        before = local(zone, found - timedelta(hours=1)).time(), local(zone, found - timedelta(minutes=30)).time()
        assert wanted not in before
        assert len({local(zone, at).date() for at in shows}) <= 2
    else:
        assert shows == [] or local(zone, shows[-1]).date() < local(zone, found).date()
        skipped = datetime.combine(local(zone, found).date(), wanted, ZoneInfo(zone)).astimezone(UTC)
        assert local(zone, skipped).time() != wanted, "only a time that is skipped is shown as another"


@pytest.mark.parametrize(
    ("utc", "is_within"),
    [("2026-03-29T00:59", True), ("2026-03-29T01:00", False), ("2026-10-25T00:59", True), ("2026-10-25T01:59", True)],
)
def test_hours_are_those_that_the_clock_there_shows(utc: str, is_within: bool) -> None:
    """Between two and three the clock springs to three in spring; in autumn that hour comes twice."""
    now = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    zones = pl.Series("zone", ["Europe/Berlin"])
    assert within_hours(zones, now, time(1), time(3)).to_list() == [is_within]
